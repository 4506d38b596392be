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
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

static void fill_tmp(void)
{
    static char block[1 << 20];
    int fd = open("/tmp/large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), n = 0;

    memset(block, 1, sizeof(block));
    while (write(fd, block, sizeof(block)) == (ssize_t)sizeof(block))
        n++;
    printf("filled %d %s\n", n, strerrorname_np(errno));
    printf("synced %s\n", outcome(fsync(fd)));
}

/* What only the kernel's owner may do; each line is an attempt. */
static void try_to_escape(void)
{
    static const struct {
        const char *name;
        long number;
        long args[5];
    } calls[] = {
        {"mount", SYS_mount, {(long)"none", (long)"/tmp", (long)"tmpfs", 0, 0}},
        {"umount", SYS_umount2, {(long)"/tmp", 2}},
        {"fsopen", SYS_fsopen, {(long)"tmpfs", 0}},
        {"open_tree", SYS_open_tree, {AT_FDCWD, (long)"/", 1}},
        {"move_mount", SYS_move_mount, {AT_FDCWD, (long)"/tmp", AT_FDCWD, (long)"/var", 0}},
        {"mount_setattr", SYS_mount_setattr, {AT_FDCWD, (long)"/", 0, (long)"\0\0\0\0", 32}},
        {"pivot_root", SYS_pivot_root, {(long)"/tmp", (long)"/tmp"}},
        {"chroot", SYS_chroot, {(long)"/tmp"}},
        {"unshare-user", SYS_unshare, {CLONE_NEWUSER}},
        {"unshare-net", SYS_unshare, {CLONE_NEWNET}},
        {"clone-user", SYS_clone, {CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0}},
        {"setns", SYS_setns, {0, 0}},
        {"setuid-0", SYS_setuid, {0}},
        {"setgid-0", SYS_setgid, {0}},
        {"bpf", SYS_bpf, {0, 0, 0}},
        {"io_uring", SYS_io_uring_setup, {1, 0}},
        {"userfaultfd", SYS_userfaultfd, {0}},
        {"perf_event_open", SYS_perf_event_open, {0, 0, -1, -1, 0}},
        {"keyctl", SYS_keyctl, {0, -3}},
        {"add_key", SYS_add_key, {(long)"user", (long)"x", (long)"x", 1, -3}},
        {"init_module", SYS_init_module, {0, 0, (long)""}},
        {"kexec_load", SYS_kexec_load, {0, 0, 0, 0}},
        {"reboot", SYS_reboot, {0xfee1dead, 672274793, 0, 0}},
        {"sethostname", SYS_sethostname, {(long)"x", 1}},
        {"settimeofday", SYS_settimeofday, {0, 0}},
        {"swapon", SYS_swapon, {(long)"/tmp/x", 0}},
        {"syslog", SYS_syslog, {3, 0, 0}},
        {"quotactl", SYS_quotactl, {0, 0, 0, 0}},
        {"open_by_handle_at", SYS_open_by_handle_at, {AT_FDCWD, 0, 0}},
        {"pidfd_getfd", SYS_pidfd_getfd, {0, 0, 0}},
        {"mknod", SYS_mknodat, {AT_FDCWD, (long)"/tmp/sda", 0060600, 0x800}},
        {"raw-socket", SYS_socket, {AF_INET, SOCK_RAW, IPPROTO_ICMP}},
        {"packet-socket", SYS_socket, {AF_PACKET, SOCK_RAW, 0}},
        {"vsock", SYS_socket, {40, SOCK_STREAM, 0}},
        {"alg-socket", SYS_socket, {38, SOCK_SEQPACKET, 0}},
    };
    static const char *const files[] = {
        "/proc/1/root/etc/shadow", "/proc/1/mem",        "/proc/1/cwd",
        "/proc/sysrq-trigger",     "/proc/kcore",        "/proc/sys/kernel/core_pattern",
        "/dev/mem",                "/dev/kmsg",          "/dev/loop0",
        "/dev/vda",                "/sys/kernel/uevent_helper",
        "/sys/fs/cgroup/memory/release_agent", "/sys/fs/cgroup/memory/cgroup.procs",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/cgroup.procs",
        "/sys/fs/cgroup/memory.max",
    };
    size_t i;
    long r;

    for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        const long *a = calls[i].args;

        r = syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4]);
        if (r == 0 && calls[i].number == SYS_clone)
            _exit(0);
        printf("escape %s %s\n", calls[i].name, outcome((int)r));
    }
    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        printf("escape %s %s\n", files[i], outcome(open(files[i], O_WRONLY | O_CLOEXEC)));
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
    else if (strcmp(what, "tmp") == 0)
        fill_tmp();
    else if (strcmp(what, "escape") == 0)
        try_to_escape();
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
