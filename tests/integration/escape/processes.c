/* SPDX-License-Identifier: Apache-2.0 */
/* PID 1, other processes, namespaces. */
#include "tests/integration/escape/escape.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- namespaces */

static int unshare_user(void) { return called(unshare(CLONE_NEWUSER)); }
static int unshare_mount(void) { return called(unshare(CLONE_NEWNS)); }
static int unshare_pid(void) { return called(unshare(CLONE_NEWPID)); }
static int unshare_net(void) { return called(unshare(CLONE_NEWNET)); }
static int unshare_uts(void) { return called(unshare(CLONE_NEWUTS)); }
static int unshare_ipc(void) { return called(unshare(CLONE_NEWIPC)); }
static int unshare_time(void) { return called(unshare(CLONE_NEWTIME)); }
static int unshare_cgroup(void) { return called(unshare(CLONE_NEWCGROUP)); }

static int clone_user(void)
{
    long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

    if (pid == 0)
        _exit(0);
    return called(pid);
}

static int clone3_user(void)
{
    uint64_t args[8] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};
    long pid = syscall(SYS_clone3, args, sizeof(args));

    if (pid == 0)
        _exit(0);
    return called(pid);
}

static int setns_init(void)
{
    int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);

    return called(setns(pidfd, CLONE_NEWNS | CLONE_NEWNET));
}


/* ---- PID 1 and other processes */

static int init_root(void) { return opens("/proc/1/root/", O_RDONLY | O_DIRECTORY); }
static int init_cwd(void) { return opens("/proc/1/cwd/", O_RDONLY | O_DIRECTORY); }
static int init_fds(void) { return opens("/proc/1/fd", O_RDONLY | O_DIRECTORY); }
static int init_mem(void) { return opens("/proc/1/mem", O_RDWR); }
static int init_environ(void) { return opens("/proc/1/environ", O_RDONLY); }
static int init_maps(void) { return opens("/proc/1/maps", O_RDONLY); }
static int init_namespace(void) { return opens("/proc/1/ns/mnt", O_RDONLY); }

static int init_oom_score(void)
{
    return opens("/proc/1/oom_score_adj", O_WRONLY);
}

/* Above the node's own processes we are, and there we stay. */
static int lower_own_oom_score(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    return fd < 0 ? errno : called(write(fd, "-900", 4));
}

static int init_ptrace_attach(void)
{
    return called(ptrace(PTRACE_ATTACH, 1, NULL, NULL));
}

static int init_ptrace_seize(void)
{
    return called(ptrace(PTRACE_SEIZE, 1, NULL, NULL));
}

static int init_vm_read(void)
{
    char bytes[16];
    struct iovec local = {bytes, sizeof(bytes)}, remote = {(void *)0x400000, sizeof(bytes)};

    return called(process_vm_readv(1, &local, 1, &remote, 1, 0));
}

static int init_vm_write(void)
{
    char bytes[16] = {0};
    struct iovec local = {bytes, sizeof(bytes)}, remote = {(void *)0x400000, sizeof(bytes)};

    return called(process_vm_writev(1, &local, 1, &remote, 1, 0));
}

static int init_take_descriptor(void)
{
    int fd, pidfd = (int)syscall(SYS_pidfd_open, 1, 0);

    if (pidfd < 0)
        return errno;
    for (fd = 0; fd < 64; fd++)
        if (syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0)
            return OPEN;
    return errno;
}

static int init_limits(void)
{
    const struct rlimit none = {0, 0};

    return called(prlimit(1, RLIMIT_NOFILE, &none, NULL));
}

static int init_compare(void)
{
    return called(syscall(SYS_kcmp, getpid(), 1, 0 /* KCMP_FILE */, 0, 0));
}

static int init_move_pages(void)
{
    void *page = (void *)0x400000;
    int status = 0;

    return called(syscall(SYS_move_pages, 1, 1, &page, NULL, &status, 0));
}

static int init_advise(void)
{
    struct iovec page = {(void *)0x400000, 4096};
    int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);

    return called(syscall(SYS_process_madvise, pidfd, &page, 1, 20 /* MADV_COLD */, 0));
}

/* The kernel takes the call and does nothing: that PID 1 lives on is seen by our own life. */
static int init_kill(void)
{
    static const int all[] = {SIGKILL, SIGSTOP, SIGTERM, SIGSEGV, SIGHUP, SIGINT, SIGQUIT, SIGABRT};
    struct timespec pause = {.tv_nsec = 100000000};
    char state = '?', text[512] = "";
    const char *at;
    size_t i;
    FILE *f;

    for (i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (kill(1, all[i]) < 0)
            return errno;
    nanosleep(&pause, NULL);
    f = fopen("/proc/1/stat", "re");
    if (f && fgets(text, sizeof(text), f) && (at = strrchr(text, ')')))
        state = at[2];
    return state == 'S' || state == 'R' ? SILENT : OPEN;
}

/* A process that is none of the sandbox's: its parents lead neither to PID 1 nor to nobody. */
static int foreign_processes(void)
{
    DIR *proc = opendir("/proc");
    struct dirent *e;
    struct stat st;
    char path[300];

    while (proc && (e = readdir(proc))) {
        if (e->d_name[0] < '1' || e->d_name[0] > '9')
            continue;
        snprintf(path, sizeof(path), "/proc/%s/status", e->d_name);
        if (stat(path, &st) == 0 && strcmp(e->d_name, "1") != 0 && st.st_uid != getuid())
            return OPEN;
    }
    return SILENT;
}

const struct probe process_probes[] = {
    {"/proc/1/root", init_root},
    {"/proc/1/cwd", init_cwd},
    {"/proc/1/fd", init_fds},
    {"/proc/1/mem", init_mem},
    {"/proc/1/environ", init_environ},
    {"/proc/1/maps", init_maps},
    {"/proc/1/ns", init_namespace},
    {"/proc/1/oom_score_adj", init_oom_score},
    {"lower oom_score_adj", lower_own_oom_score},
    {"ptrace attach to PID 1", init_ptrace_attach},
    {"ptrace seize PID 1", init_ptrace_seize},
    {"process_vm_readv of PID 1", init_vm_read},
    {"process_vm_writev of PID 1", init_vm_write},
    {"pidfd_getfd of PID 1", init_take_descriptor},
    {"prlimit of PID 1", init_limits},
    {"kcmp with PID 1", init_compare},
    {"move_pages of PID 1", init_move_pages},
    {"process_madvise of PID 1", init_advise},
    {"processes of others", foreign_processes},
    {"unshare user", unshare_user},
    {"unshare mount", unshare_mount},
    {"unshare pid", unshare_pid},
    {"unshare net", unshare_net},
    {"unshare uts", unshare_uts},
    {"unshare ipc", unshare_ipc},
    {"unshare time", unshare_time},
    {"unshare cgroup", unshare_cgroup},
    {"clone user", clone_user},
    {"clone3 user", clone3_user},
    {"setns", setns_init},
    {"signals to PID 1", init_kill},
    {NULL, NULL},
};
