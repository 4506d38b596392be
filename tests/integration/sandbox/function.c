/* SPDX-License-Identifier: Apache-2.0 */
/*
 * function - what runs in the sandboxes of tests/integration/test_sandboxes.py. Static, as its
 * image holds nothing else.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static const char *outcome(int r)
{
    return r < 0 ? strerrorname_np(errno) : "OK";
}

static void try_write(const char *path)
{
    printf("write %s %s\n", path, outcome(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755)));
}

static void show_file(const char *path, const char *label)
{
    char line[4096];
    FILE *f = fopen(path, "re");

    while (f && fgets(line, sizeof(line), f))
        printf("%s %s", label, line);
    if (f)
        fclose(f);
    else
        printf("%s %s\n", label, strerrorname_np(errno));
}

static void show_folder(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;

    if (!dir)
        printf("list %s %s\n", path, strerrorname_np(errno));
    while (dir && (e = readdir(dir)))
        if (e->d_name[0] != '.')
            printf("list %s %s\n", path, e->d_name);
    if (dir)
        closedir(dir);
}

static void look_around(void)
{
    struct rlimit r;
    char cwd[256];
    char c;

    printf("user %d %d\n", getuid(), getgid());
    printf("cwd %s\n", getcwd(cwd, sizeof(cwd)));
    for (char **v = environ; *v; v++)
        printf("env %s\n", *v);
    show_file("/proc/self/status", "status");
    show_file("/proc/net/dev", "net");
    show_file("/etc/resolv.conf", "resolv");
    show_file("/etc/hostname", "hostname");
    show_file("/proc/1/environ", "init-environ");
    show_folder("/proc/1/fd");
    show_folder("/.hearth/run");
    show_folder("/proc/self/fd");
    try_write("/x");
    try_write("/.hearth/run/x");
    try_write("/tmp/x");
    try_write("/dev/stdout");
    printf("ptrace %s\n", outcome((int)ptrace(PTRACE_ATTACH, 1, NULL, NULL)));
    getrlimit(RLIMIT_NOFILE, &r);
    printf("nofile %llu\n", (unsigned long long)r.rlim_cur);
    printf("stdin %zd\n", read(0, &c, 1));
    kill(1, SIGKILL);
    kill(1, SIGTERM);
    kill(1, SIGSTOP);
}

static void ask_runtime_api(void)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(9001), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    printf("connect %s\n", outcome(connect(fd, (const struct sockaddr *)&to, sizeof(to))));
}

static void eat_memory(void)
{
    char *p;

    for (;;) {
        p = malloc(1 << 20);
        if (p)
            memset(p, 1, 1 << 20);
    }
}

static void make_children(void)
{
    for (int i = 0; i < 20; i++) {
        if (fork() == 0) {
            if (i % 2)
                _exit(0); /* an orphan's end: PID 1 collects it */
            setsid();
            pause();
        }
    }
    printf("children\n");
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(what, "look") == 0)
        look_around();
    else if (strcmp(what, "exit") == 0)
        return argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0;
    else if (strcmp(what, "memory") == 0)
        eat_memory();
    else if (strcmp(what, "children") == 0)
        make_children();
    else if (strcmp(what, "stubborn") == 0)
        signal(SIGTERM, SIG_IGN);
    else if (strcmp(what, "runtime") == 0)
        ask_runtime_api();
    printf("done\n");
    if (strcmp(what, "look") == 0)
        return 0;
    for (;;)
        pause();
}
