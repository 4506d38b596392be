/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recorder.c - writes down what the functions of the history checker tell, and when their processes die.
 *
 * Usage: recorder FILE NODE=FOLDER...   FOLDER: where that invoker keeps unpacked code; each folder in it gets a socket.
 *
 * Lines of FILE, times in nanoseconds:
 *   H <connection> <at> <node> <function>    a sandbox is there
 *   S <connection> <at> <tag>                a run starts, by its own stamp
 *   E <connection> <at> <tag>                it ends, by its own stamp
 *   X <connection> <at>                      the process is gone, by our clock
 *
 * The last is exact enough for "what runs at once": the kernel closes a dying process's sockets before anyone can know of its death
 * by pidfd, wait or an empty cgroup, and wakes us then; we run before all ordinary processes (SCHED_FIFO). Whoever learns of the death
 * needs several more wake-ups of ordinary processes before something else starts in its place.
 *
 * Owns:     the listeners and connections.
 * Threads:  one.
 * Errors:   end it with status 1 and a line on stderr. SIGTERM ends it with 0 when all that was told is written.
 */
#include "wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOOK_MS 10 /* for new folders of code; a sandbox waits for its socket in its init phase */
#define MOST_FOLDERS 256
#define KEY_LEN 64 /* folders of code have the hash of their archive as a name */

struct peer {
    int fd;
    bool listens;
    size_t node;
    unsigned id; /* of a connection */
};

struct folder {
    char path[512];
    dev_t dev;
    ino_t ino;
};

static char **nodes; /* NODE=FOLDER */
static size_t node_count;
static struct folder folders[MOST_FOLDERS];
static size_t folder_count;
static FILE *out;
static int epoll_fd;
static unsigned connections;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(struct peer *peer)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = peer};

    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, peer->fd, &ev) < 0)
        die("recorder: epoll");
}

/* A socket in that folder of code, by way of /proc: the whole path may be too long for an address. */
static void listen_in(const char *path, size_t node)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct peer *peer = calloc(1, sizeof(*peer));
    int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0 || !peer) {
        free(peer);
        return; /* it went away again */
    }
    peer->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    peer->listens = true;
    peer->node = node;
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" RECORDER_NAME, dir);
    unlink(address.sun_path);
    if (peer->fd < 0 || bind(peer->fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(peer->fd, 4096) < 0)
        die("recorder: a socket in the code's folder");
    close(dir);
    watch(peer);
}

static void look_at(const char *path, size_t node)
{
    struct stat st;
    size_t i;

    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return;
    for (i = 0; i < folder_count; i++)
        if (folders[i].dev == st.st_dev && folders[i].ino == st.st_ino && strcmp(folders[i].path, path) == 0)
            return;
    if (folder_count == MOST_FOLDERS) {
        fprintf(stderr, "recorder: too many folders of code\n");
        exit(1);
    }
    snprintf(folders[folder_count].path, sizeof(folders->path), "%s", path);
    folders[folder_count].dev = st.st_dev;
    folders[folder_count++].ino = st.st_ino;
    listen_in(path, node);
}

/* Whether the invokers have unpacked more. */
static void look(void)
{
    struct dirent *e;
    char path[512];
    size_t i;
    DIR *d;

    for (i = 0; i < node_count; i++) {
        const char *top = strchr(nodes[i], '=') + 1;

        d = opendir(top);
        while (d && (e = readdir(d)) != NULL) {
            if (strlen(e->d_name) != KEY_LEN || strchr(e->d_name, '.'))
                continue;
            snprintf(path, sizeof(path), "%s/%s", top, e->d_name);
            look_at(path, i);
        }
        if (d)
            closedir(d);
    }
}

static void on_connections(const struct peer *listener)
{
    int fd;

    while ((fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        struct peer *peer = calloc(1, sizeof(*peer));

        if (!peer)
            die("recorder");
        peer->fd = fd;
        peer->node = listener->node;
        peer->id = ++connections;
        watch(peer);
    }
    if (errno != EAGAIN && errno != ECONNABORTED)
        die("recorder: accept");
}

static void on_record(const struct peer *peer, const struct record *r)
{
    const char *node = nodes[peer->node];

    if (r->kind == RECORD_HELLO)
        fprintf(out, "H %u %llu %.*s %.63s\n", peer->id, (unsigned long long)r->at_ns, (int)(strchr(node, '=') - node), node, r->name);
    else
        fprintf(out, "%c %u %llu %llu\n", r->kind == RECORD_START ? 'S' : 'E', peer->id, (unsigned long long)r->at_ns,
                (unsigned long long)r->tag);
}

static void on_readable(struct peer *peer)
{
    uint64_t now = monotonic_ns();
    struct record r;
    ssize_t n;

    while ((n = recv(peer->fd, &r, sizeof(r), 0)) == (ssize_t)sizeof(r))
        on_record(peer, &r);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n > 0) {
        fprintf(stderr, "recorder: a record of %zd bytes\n", n);
        exit(1);
    }
    fprintf(out, "X %u %llu\n", peer->id, (unsigned long long)now);
    close(peer->fd);
    free(peer);
}

/* Before all ordinary processes, where the kernel lets us. */
static void come_first(void)
{
    const struct sched_param first = {.sched_priority = 10};

    if (sched_setscheduler(0, SCHED_FIFO, &first) < 0) {
        perror("recorder: SCHED_FIFO");
        if (nice(-20) == -1)
            perror("recorder: nice");
    }
}

int main(int argc, char **argv)
{
    struct peer stop = {.fd = -1};
    struct epoll_event events[256];
    uint64_t looked_ns = 0;
    sigset_t signals;
    int n, i;

    if (argc < 3 || !(out = fopen(argv[1], "ae"))) {
        fprintf(stderr, "usage: recorder FILE NODE=FOLDER...\n");
        return 2;
    }
    nodes = argv + 2;
    node_count = (size_t)argc - 2;
    umask(0);
    come_first();
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    stop.fd = signalfd(-1, &signals, SFD_CLOEXEC);
    watch(&stop);
    for (;;) {
        bool stopping = false;

        n = epoll_wait(epoll_fd, events, 256, LOOK_MS);
        for (i = 0; i < n; i++) {
            struct peer *peer = events[i].data.ptr;

            if (peer == &stop)
                stopping = true;
            else if (peer->listens)
                on_connections(peer);
            else
                on_readable(peer);
        }
        if (monotonic_ns() - looked_ns > LOOK_MS * 1000000ull) {
            look();
            looked_ns = monotonic_ns();
        }
        if (fflush(out) != 0)
            die("recorder: writing");
        if (stopping)
            return 0;
    }
}
