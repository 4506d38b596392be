/* SPDX-License-Identifier: Apache-2.0 */
#include "images/init/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS_MAX 512 /* numbers are below this */

/* Allowed whatever their arguments are. */
static const uint16_t allowed[] = {
    /* files */
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev,
    SYS_preadv2, SYS_pwritev2, SYS_openat, SYS_openat2, SYS_close, SYS_close_range, SYS_lseek,
    SYS_fstat, SYS_statx, SYS_newfstatat, SYS_fstatfs, SYS_statfs, SYS_faccessat, SYS_faccessat2,
    SYS_getdents64, SYS_getcwd, SYS_chdir, SYS_fchdir, SYS_mkdirat, SYS_mknodat, SYS_unlinkat,
    SYS_linkat, SYS_symlinkat, SYS_readlinkat, SYS_renameat, SYS_renameat2, SYS_truncate,
    SYS_ftruncate, SYS_fallocate, SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_umask,
    SYS_utimensat, SYS_fsync, SYS_fdatasync, SYS_sync, SYS_syncfs, SYS_sync_file_range,
    SYS_fadvise64, SYS_readahead, SYS_sendfile, SYS_copy_file_range, SYS_splice, SYS_tee,
    SYS_vmsplice, SYS_flock, SYS_fcntl, SYS_ioctl, SYS_dup, SYS_dup3, SYS_pipe2, SYS_setxattr,
    SYS_lsetxattr, SYS_fsetxattr, SYS_getxattr, SYS_lgetxattr, SYS_fgetxattr, SYS_listxattr,
    SYS_llistxattr, SYS_flistxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr,
    SYS_name_to_handle_at, SYS_inotify_init1, SYS_inotify_add_watch, SYS_inotify_rm_watch,
    SYS_memfd_create, SYS_io_setup, SYS_io_destroy, SYS_io_submit, SYS_io_cancel, SYS_io_getevents,
    SYS_io_pgetevents,
    /* waiting */
    SYS_ppoll, SYS_pselect6, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_epoll_pwait2,
    SYS_eventfd2, SYS_signalfd4, SYS_timerfd_create, SYS_timerfd_settime, SYS_timerfd_gettime,
    SYS_nanosleep, SYS_clock_nanosleep, SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday,
    SYS_getitimer, SYS_setitimer, SYS_timer_create, SYS_timer_settime, SYS_timer_gettime,
    SYS_timer_getoverrun, SYS_timer_delete, SYS_times,
    /* memory */
    SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_mincore, SYS_msync,
    SYS_mlock, SYS_mlock2, SYS_munlock, SYS_mlockall, SYS_munlockall, SYS_membarrier,
    SYS_pkey_mprotect, SYS_pkey_alloc, SYS_pkey_free, SYS_remap_file_pages, SYS_process_madvise,
    /* processes and threads; clone is below */
    SYS_execve, SYS_execveat, SYS_exit, SYS_exit_group, SYS_wait4, SYS_waitid, SYS_getpid,
    SYS_getppid, SYS_gettid, SYS_getpgid, SYS_setpgid, SYS_getsid, SYS_setsid, SYS_set_tid_address,
    SYS_futex, SYS_get_robust_list, SYS_set_robust_list, SYS_rseq, SYS_futex_waitv, SYS_sched_yield,
    SYS_sched_getaffinity, SYS_sched_setaffinity, SYS_sched_getattr, SYS_sched_setattr,
    SYS_sched_getparam, SYS_sched_setparam, SYS_sched_getscheduler, SYS_sched_setscheduler,
    SYS_sched_get_priority_max, SYS_sched_get_priority_min, SYS_sched_rr_get_interval,
    SYS_getpriority, SYS_setpriority, SYS_ioprio_get, SYS_ioprio_set, SYS_getrlimit, SYS_setrlimit,
    SYS_getrusage, SYS_prctl, SYS_getcpu, SYS_pidfd_open, SYS_pidfd_send_signal,
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_restart_syscall,
    /* signals */
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigpending, SYS_rt_sigsuspend, SYS_rt_sigtimedwait,
    SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_rt_sigreturn, SYS_sigaltstack, SYS_kill,
    SYS_tkill, SYS_tgkill,
    /* users: without a capability they give nothing */
    SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getresuid, SYS_getresgid, SYS_getgroups,
    SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setfsuid,
    SYS_setfsgid, SYS_setgroups, SYS_capget, SYS_capset, SYS_seccomp, SYS_landlock_create_ruleset,
    SYS_landlock_add_rule, SYS_landlock_restrict_self,
    /* sockets; socket is below */
    SYS_socketpair, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_connect, SYS_getsockname,
    SYS_getpeername, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_sendmmsg, SYS_recvmmsg,
    SYS_setsockopt, SYS_getsockopt, SYS_shutdown,
    /* between processes */
    SYS_shmget, SYS_shmat, SYS_shmctl, SYS_shmdt, SYS_semget, SYS_semop, SYS_semctl, SYS_semtimedop,
    SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_msgctl, SYS_mq_open, SYS_mq_unlink, SYS_mq_timedsend,
    SYS_mq_timedreceive, SYS_mq_notify, SYS_mq_getsetattr,
    /* the machine */
    SYS_uname, SYS_sysinfo, SYS_getrandom,
#ifdef __x86_64__
    /* those that newer architectures have no more */
    SYS_open, SYS_creat, SYS_stat, SYS_lstat, SYS_access, SYS_getdents, SYS_mkdir, SYS_rmdir,
    SYS_mknod, SYS_unlink, SYS_link, SYS_symlink, SYS_readlink, SYS_rename, SYS_chmod, SYS_chown,
    SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat, SYS_dup2, SYS_pipe, SYS_inotify_init,
    SYS_poll, SYS_select, SYS_epoll_create, SYS_epoll_wait, SYS_epoll_ctl_old, SYS_epoll_wait_old,
    SYS_eventfd, SYS_signalfd, SYS_alarm, SYS_time, SYS_pause, SYS_fork, SYS_vfork, SYS_getpgrp,
    SYS_arch_prctl,
#endif
};

#ifdef __x86_64__
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000u
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "no system call filter for this architecture"
#endif

/* All the namespaces that clone() makes. Time namespaces it does not: that bit is its signal's. */
#define CLONE_NAMESPACES                                                                           \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

struct program {
    struct sock_filter *at;
    size_t len;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
    p->at[p->len++] = (struct sock_filter){code, jt, jf, k};
}

static void emit_load(struct program *p, size_t offset)
{
    emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void emit_return(struct program *p, uint32_t value)
{
    emit(p, BPF_RET | BPF_K, value, 0, 0);
}

static void emit_errno(struct program *p, int sys_errno)
{
    emit_return(p, SECCOMP_RET_ERRNO | (uint32_t)sys_errno);
}

static size_t arg_low(int n)
{
    return offsetof(struct seccomp_data, args) + (size_t)n * sizeof(uint64_t);
}

/* Another architecture's calls have other numbers; nothing of that kind runs here. */
static void emit_architecture(struct program *p)
{
    emit_load(p, offsetof(struct seccomp_data, arch));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
    emit_return(p, SECCOMP_RET_KILL_PROCESS);
    emit_load(p, offsetof(struct seccomp_data, nr));
#ifdef X32_BIT
    emit(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
    emit_errno(p, ENOSYS);
#endif
}

/* Each run of neighbouring numbers is one pair of comparisons. */
static uint16_t emit_allowed(struct program *p)
{
    bool is_allowed[CALLS_MAX] = {false};
    uint16_t from, to, last = 0;
    size_t i;

    for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        is_allowed[allowed[i]] = true;
        last = allowed[i] > last ? allowed[i] : last;
    }
    for (from = 0; from < CALLS_MAX; from = (uint16_t)(to + 1)) {
        for (to = from; to < CALLS_MAX && is_allowed[to]; to++)
            ;
        if (to == from)
            continue;
        emit(p, BPF_JMP | BPF_JGE | BPF_K, from, 0, 2);
        emit(p, BPF_JMP | BPF_JGE | BPF_K, to, 1, 0);
        emit_return(p, SECCOMP_RET_ALLOW);
    }
    return last;
}

/* Threads and processes, but no namespace. Of clone3 the flags cannot be seen: libc takes its
 * absence for an old kernel and uses clone. */
static void emit_clone(struct program *p)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4);
    emit_load(p, arg_low(0));
    emit(p, BPF_JMP | BPF_JSET | BPF_K, CLONE_NAMESPACES, 1, 0);
    emit_return(p, SECCOMP_RET_ALLOW);
    emit_errno(p, EPERM);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
    emit_errno(p, ENOSYS);
}

/* The families that programs use; not the machine's own (vsock reaches the host of a VM) and not
 * those that bring seldom used kernel code with them. */
static void emit_socket(struct program *p)
{
    static const uint32_t families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    const uint8_t n = sizeof(families) / sizeof(families[0]);
    uint8_t i;

    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, (uint8_t)(n + 3));
    emit_load(p, arg_low(0));
    for (i = 0; i < n; i++)
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, families[i], (uint8_t)(n - i), 0);
    emit_errno(p, EAFNOSUPPORT);
    emit_return(p, SECCOMP_RET_ALLOW);
}

/* One's own only: PID 1 has the same user, and the kernel asks for no more. */
static void emit_prlimit(struct program *p)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 4);
    emit_load(p, arg_low(0));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    emit_return(p, SECCOMP_RET_ALLOW);
    emit_errno(p, EPERM);
}

/* Those that change what a program sees, not what it may. */
static void emit_personality(struct program *p)
{
    static const uint32_t values[] = {0, 8, 0x20000, 0x20008, 0xffffffff};
    const uint8_t n = sizeof(values) / sizeof(values[0]);
    uint8_t i;

    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_personality, 0, (uint8_t)(n + 3));
    emit_load(p, arg_low(0));
    for (i = 0; i < n; i++)
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, values[i], (uint8_t)(n - i), 0);
    emit_errno(p, EPERM);
    emit_return(p, SECCOMP_RET_ALLOW);
}

size_t seccomp_build(struct sock_filter *ret)
{
    struct program p = {ret, 0};
    uint16_t last;

    emit_architecture(&p);
    last = emit_allowed(&p);
    emit_clone(&p);
    emit_socket(&p);
    emit_prlimit(&p);
    emit_personality(&p);
    /* what is newer than this list is, to programs, an older kernel */
    emit(&p, BPF_JMP | BPF_JGT | BPF_K, last, 0, 1);
    emit_errno(&p, ENOSYS);
    emit_errno(&p, EPERM);
    return p.len;
}

int seccomp_load(void)
{
    static struct sock_filter filter[SECCOMP_PROGRAM_MAX];
    struct sock_fprog program = {.len = (unsigned short)seccomp_build(filter), .filter = filter};

    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
