/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/preflight.h"

#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>
#include <fcntl.h>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "common/base/cleanup.h"
#include "common/base/str.h"

#define DISK_LEAST_BYTES (256u * 1024u * 1024u)
#define SOCKET_PATH_MOST 60 /* of the run folder: sandboxes' sockets below it must stay under 108 */

/* Whether the gateway will be able to listen. */
static int check_listen(const char *address)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *ai = NULL;
    struct str s = str_of(address);
    CLEANUP(freep) char *copy = str_dup(s);
    CLEANUP(closep) int fd = -1;
    char *colon = strrchr(copy, ':'), *host = copy;
    int one = 1, r;

    if (!colon)
        return complain(EXIT_USAGE, "write it as 127.0.0.1:9000", "\"%s\" is not an address with a port",
                        address);
    *colon = '\0';
    if (host[0] == '[') {
        host++;
        host[strcspn(host, "]")] = '\0';
    }
    r = getaddrinfo(host, colon + 1, &hints, &ai);
    if (r != 0)
        return complain(EXIT_USAGE, "choose another address with --listen (HEARTH_LISTEN)",
                        "\"%s\" is not an address: %s", address, gai_strerror(r));
    fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    r = fd < 0 || bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, 1) < 0 ? errno : 0;
    freeaddrinfo(ai);
    if (r == EADDRINUSE)
        return complain(EXIT_FAILED, "stop the other program, or choose another address with --listen (HEARTH_LISTEN)",
                        "address %s is already in use", address);
    if (r)
        return complain(EXIT_FAILED, "choose another address with --listen (HEARTH_LISTEN)",
                        "cannot listen on %s: %s", address, strerror(r));
    return EXIT_FINE;
}

static int check_folder(const char *path)
{
    struct statvfs st;

    if (access(path, W_OK | X_OK) < 0)
        return complain(EXIT_FAILED, "run as root, or choose another folder with --data-dir and --run-dir",
                        "cannot write to %s: %s", path, strerror(errno));
    if (statvfs(path, &st) == 0 && (uint64_t)st.f_bavail * st.f_frsize < DISK_LEAST_BYTES)
        return complain(EXIT_FAILED, "free some space, or choose another folder with --data-dir",
                        "the disk of %s is full: %llu MiB are left, %u are needed", path,
                        (unsigned long long)((uint64_t)st.f_bavail * st.f_frsize >> 20),
                        DISK_LEAST_BYTES >> 20);
    return EXIT_FINE;
}

/* One Hearth for a data folder; the lock lives as long as we do. */
static int lock_folder(const char *path)
{
    CLEANUP(freep) char *file = str_printf("%s/lock", path);
    int fd = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0)
        return complain(EXIT_FAILED, NULL, "cannot create %s: %s", file, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        return complain(EXIT_FAILED, "stop it, or choose another folder with --data-dir",
                        "another Hearth uses the folder %s", path);
    }
    return EXIT_FINE; /* kept open on purpose */
}

static size_t discard(char *ptr, size_t size, size_t n, void *arg)
{
    (void)ptr;
    (void)arg;
    return size * n;
}

static int check_docker(const char *socket_path)
{
    CURL *curl = curl_easy_init();
    CURLcode r;

    if (!curl)
        abort();
    curl_easy_setopt(curl, CURLOPT_URL, "http://docker/_ping");
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 5L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
    r = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    if (r == CURLE_OK)
        return EXIT_FINE;
    if (access(socket_path, F_OK) == 0 && access(socket_path, W_OK) < 0)
        return complain(EXIT_FAILED, "run as root or as a member of the group docker",
                        "no right to use the Docker socket %s", socket_path);
    return complain(EXIT_FAILED, "start Docker, or name its socket with --docker-socket (HEARTH_DOCKER_SOCKET)",
                    "no Docker engine answers at %s", socket_path);
}

/* Whether it has what we need is found out by the invoker: here only that somebody listens. */
static int check_containerd(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct str path = str_of(socket_path);

    if (str_starts(path, STR("unix://")))
        path = str_sub(path, 7, path.len);
    errno = ENAMETOOLONG;
    if (path.len < sizeof(address.sun_path)) {
        memcpy(address.sun_path, path.ptr, path.len);
        if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
            return EXIT_FINE;
    }
    return complain(EXIT_FAILED,
                    "start it, or name its socket with --containerd-socket (HEARTH_CONTAINERD_SOCKET)",
                    "no containerd answers at %s: %s", socket_path, strerror(errno));
}

static int check_programs(const struct up_config *c)
{
    static const char *const names[] = {"hearth-gateway", "hearth-controller", "hearth-invoker",
                                        "hearth-init"};
    size_t i;

    for (i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(freep) char *path = str_printf("%s/%s", c->bin_dir, names[i]);

        if (access(path, X_OK) < 0)
            return complain(EXIT_FAILED, "build with `make`, or name their folder with --bin-dir",
                            "the program %s is missing", path);
    }
    if (access(c->runtimes, R_OK) < 0)
        return complain(EXIT_FAILED, "name it with --runtimes (HEARTH_RUNTIMES)",
                        "the file of runtimes is missing: %s", c->runtimes);
    return EXIT_FINE;
}

int preflight(const struct up_config *c)
{
    int r = check_programs(c);

    if (strlen(c->run_dir) > SOCKET_PATH_MOST)
        return complain(EXIT_USAGE, "choose a shorter one with --run-dir (HEARTH_RUN_DIR)",
                        "the run folder %s is longer than %d characters, too long for socket names",
                        c->run_dir, SOCKET_PATH_MOST);
    if (r == EXIT_FINE)
        r = check_folder(c->data_dir);
    if (r == EXIT_FINE)
        r = check_folder(c->run_dir);
    if (r == EXIT_FINE)
        r = lock_folder(c->data_dir);
    if (r == EXIT_FINE)
        r = check_listen(c->listen);
    if (r != EXIT_FINE)
        return r;
    return strcmp(c->image_store, "containerd") == 0 ? check_containerd(c->containerd_socket)
                                                     : check_docker(c->docker_socket);
}
