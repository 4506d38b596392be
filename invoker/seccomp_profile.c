/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/seccomp_profile.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/cleanup.h"

/*
 * Names that a machine's libseccomp or architecture does not know are passed over by the OCI
 * runtimes. No architectures are named: the native one is meant, and calls by another ABI end the
 * process.
 */
static const char *const files[] = {
    "access", "chdir", "chmod", "chown", "close", "close_range", "copy_file_range", "creat", "dup",
    "dup2", "dup3", "faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod",
    "fchmodat", "fchmodat2", "fchown", "fchownat", "fcntl", "fdatasync", "fgetxattr", "flistxattr",
    "flock", "fremovexattr", "fsetxattr", "fstat", "fstatfs", "fsync", "ftruncate", "futimesat",
    "getcwd", "getdents", "getdents64", "getxattr", "getxattrat", "inotify_add_watch",
    "inotify_init", "inotify_init1", "inotify_rm_watch", "io_cancel", "io_destroy", "io_getevents",
    "io_pgetevents", "io_setup", "io_submit", "ioctl", "lchown", "lgetxattr", "link", "linkat",
    "listxattr", "listxattrat", "llistxattr", "lremovexattr", "lseek", "lsetxattr", "lstat",
    "memfd_create", "mkdir", "mkdirat", "mknod", "mknodat", "newfstatat", "open", "openat",
    "openat2", "pipe", "pipe2", "pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2",
    "read", "readahead", "readlink", "readlinkat", "readv", "removexattr", "removexattrat",
    "rename", "renameat", "renameat2", "rmdir", "sendfile", "setxattr", "setxattrat", "splice",
    "stat", "statfs", "statx", "symlink", "symlinkat", "sync", "sync_file_range", "syncfs", "tee",
    "truncate", "umask", "unlink", "unlinkat", "utime", "utimensat", "utimes", "vmsplice", "write",
    "writev", NULL};
static const char *const memory[] = {
    "brk", "cachestat", "madvise", "map_shadow_stack", "mincore", "mlock", "mlock2", "mlockall",
    "mmap", "mprotect", "mremap", "mseal", "msync", "munlock", "munlockall", "munmap", "pkey_alloc",
    "pkey_free", "pkey_mprotect", "process_madvise", "remap_file_pages", NULL};
/* Identities and priorities are the kernel's to refuse: without a capability only what a process
 * has already can be set. */
static const char *const processes[] = {
    "arch_prctl", "capget", "capset", "execve", "execveat", "exit", "exit_group", "fork",
    "get_robust_list", "get_thread_area", "getcpu", "getegid", "geteuid", "getgid", "getgroups",
    "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getresgid", "getresuid",
    "getrlimit", "getrusage", "getsid", "gettid", "getuid", "ioprio_get", "ioprio_set", "kill",
    "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "membarrier",
    "pidfd_open", "pidfd_send_signal", "prctl", "process_mrelease", "process_vm_readv",
    "process_vm_writev", "ptrace", "restart_syscall", "rseq", "sched_get_priority_max",
    "sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam",
    "sched_getscheduler", "sched_rr_get_interval", "sched_setaffinity", "sched_setattr",
    "sched_setparam", "sched_setscheduler", "sched_yield", "seccomp", "set_robust_list",
    "set_thread_area", "set_tid_address", "setfsgid", "setfsuid", "setgid", "setgroups", "setpgid",
    "setpriority", "setregid", "setresgid", "setresuid", "setreuid", "setrlimit", "setsid",
    "setuid", "sysinfo", "tgkill", "times", "tkill", "uname", "vfork", "wait4", "waitid",
    "waitpid", NULL};
static const char *const signals_and_time[] = {
    "alarm", "clock_getres", "clock_gettime", "clock_nanosleep", "getitimer", "getrandom",
    "gettimeofday", "nanosleep", "pause", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
    "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "rt_tgsigqueueinfo",
    "setitimer", "sigaltstack", "signalfd", "signalfd4", "time", "timer_create", "timer_delete",
    "timer_getoverrun", "timer_gettime", "timer_settime", "timerfd_create", "timerfd_gettime",
    "timerfd_settime", NULL};
static const char *const talk[] = {
    "accept", "accept4", "bind", "connect", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd", "eventfd2", "futex", "futex_requeue",
    "futex_wait", "futex_waitv", "futex_wake", "getpeername", "getsockname", "getsockopt",
    "listen", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedsend",
    "mq_unlink", "msgctl", "msgget", "msgrcv", "msgsnd", "poll", "ppoll", "pselect6", "recvfrom",
    "recvmmsg", "recvmsg", "select", "semctl", "semget", "semop", "semtimedop", "sendmmsg",
    "sendmsg", "sendto", "setsockopt", "shmat", "shmctl", "shmdt", "shmget", "shutdown",
    "socketpair", NULL};
/* A C library falls back to what came before these when they are not there. */
static const char *const absent[] = {"clone3", "io_uring_setup", "io_uring_enter",
                                     "io_uring_register", NULL};

#define NAMESPACES                                                                                 \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
/* Linux, with and without the layout of Linux 2.6 names and fixed addresses; and asking. */
static const unsigned personalities[] = {0x0, 0x8, 0x20000, 0x20008, 0x40000, 0xffffffff};

static cJSON *add_rule(cJSON *rules, const char *const *names, const char *action)
{
    cJSON *rule = cJSON_CreateObject(), *array = cJSON_AddArrayToObject(rule, "names");

    for (; *names; names++)
        cJSON_AddItemToArray(array, cJSON_CreateString(*names));
    cJSON_AddStringToObject(rule, "action", action);
    cJSON_AddItemToArray(rules, rule);
    return rule;
}

/* @name is allowed when its first argument compares so. */
static void allow_first(cJSON *rules, const char *name, const char *op, double value,
                        double value_two)
{
    cJSON *rule = add_rule(rules, (const char *const[]){name, NULL}, "SCMP_ACT_ALLOW");
    cJSON *arg = cJSON_CreateObject();

    cJSON_AddNumberToObject(arg, "index", 0);
    cJSON_AddNumberToObject(arg, "value", value);
    cJSON_AddNumberToObject(arg, "valueTwo", value_two);
    cJSON_AddStringToObject(arg, "op", op);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(rule, "args"), arg);
}

cJSON *seccomp_profile(void)
{
    static const char *const *const groups[] = {files, memory, processes, signals_and_time, talk};
    cJSON *profile = cJSON_CreateObject(), *rules;
    size_t i;

    if (!profile)
        abort();
    cJSON_AddStringToObject(profile, "defaultAction", "SCMP_ACT_ERRNO");
    rules = cJSON_AddArrayToObject(profile, "syscalls");
    for (i = 0; i < ARRAY_LEN(groups); i++)
        add_rule(rules, groups[i], "SCMP_ACT_ALLOW");
    cJSON_AddNumberToObject(add_rule(rules, absent, "SCMP_ACT_ERRNO"), "errnoRet", ENOSYS);
    allow_first(rules, "clone", "SCMP_CMP_MASKED_EQ", NAMESPACES, 0);
    /* its own only: PID 1 has the same user, and the kernel asks for no more */
    allow_first(rules, "prlimit64", "SCMP_CMP_EQ", 0, 0);
    for (i = 0; i < ARRAY_LEN(families); i++)
        allow_first(rules, "socket", "SCMP_CMP_EQ", families[i], 0);
    for (i = 0; i < ARRAY_LEN(personalities); i++)
        allow_first(rules, "personality", "SCMP_CMP_EQ", personalities[i], 0);
    return profile;
}
