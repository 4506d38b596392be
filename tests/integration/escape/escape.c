/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape - tries to get out of the sandbox that it runs in, in as many ways as it knows, and says
 * of each what came of it. tests/integration/test_escape.py runs it as a function.
 *
 *   escape [--targets] [tcp:ADDRESS:PORT | abstract:NAME | path:SOCKET | pid:NUMBER]...
 *
 * Standard output has one line a probe: its name, a blank, "refused" and why, or "OPEN". The
 * arguments name things of the host that must not be reached; with --targets only those are tried,
 * and nothing is done that could harm where it succeeds. Each probe has a process of its own,
 * which may be killed for what it tries; that is a refusal too. Static: any image will do.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/quota.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROBE_SECONDS 5
#define CONNECT_MS 1000
#define OPEN 200 /* exit status; everything below is an errno */
#define SILENT 199 /* refused without an errno: nothing there, or no effect */

/* A call was refused with errno, or was not. */
static int called(long r)
{
    return r < 0 ? errno : OPEN;
}

static int opens(const char *path, int flags)
{
    return called(open(path, flags | O_CLOEXEC | O_NOCTTY));
}

/* ---- file systems */

static int mount_tmpfs(void)
{
    return called(mount("none", "/tmp", "tmpfs", 0, NULL));
}

static int mount_proc(void)
{
    return called(mount("proc", "/tmp", "proc", 0, NULL));
}

static int mount_cgroup(void)
{
    int v1 = called(mount("cgroup", "/tmp", "cgroup", 0, "memory"));

    return v1 == OPEN ? OPEN : called(mount("cgroup2", "/tmp", "cgroup2", 0, NULL));
}

static int mount_bind(void)
{
    return called(mount("/", "/tmp", NULL, MS_BIND | MS_REC, NULL));
}

static int remount_root_writable(void)
{
    return called(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
}

static int umount_proc(void)
{
    return called(umount2("/proc", MNT_DETACH));
}

static int mount_by_fsopen(void)
{
    return called(syscall(SYS_fsopen, "tmpfs", 0));
}

static int mount_by_open_tree(void)
{
    return called(syscall(SYS_open_tree, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */));
}

static int pivot(void)
{
    return called(syscall(SYS_pivot_root, "/tmp", "/tmp"));
}

static int change_root(void)
{
    return called(chroot("/tmp"));
}

static int open_by_handle(void)
{
    union {
        struct file_handle h;
        char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } handle = {.h.handle_bytes = 8, .h.handle_type = 1};
    int root = open("/", O_RDONLY | O_CLOEXEC);

    handle.h.f_handle[0] = 2; /* the root of an ext file system */
    return called(open_by_handle_at(root, &handle.h, O_RDONLY));
}

static int writes(const char *folder)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/escape", folder);
    return called(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
}

static int write_root(void) { return writes(""); }
static int write_var_task(void) { return writes("/var/task"); }
static int write_opt(void) { return writes("/opt"); }
static int write_etc(void) { return writes("/etc"); }
static int write_usr(void) { return writes("/usr"); }
static int write_hearth(void) { return writes("/.hearth/run"); }
static int write_passwd(void) { return opens("/etc/passwd", O_WRONLY); }
static int write_hosts(void) { return opens("/etc/hosts", O_WRONLY); }
static int write_init(void) { return opens("/.hearth/init", O_WRONLY); }
static int write_init_exe(void) { return opens("/proc/1/exe", O_WRONLY); }

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

/* ---- namespaces */

static int unshare_user(void) { return called(unshare(CLONE_NEWUSER)); }
static int unshare_mount(void) { return called(unshare(CLONE_NEWNS)); }
static int unshare_pid(void) { return called(unshare(CLONE_NEWPID)); }
static int unshare_net(void) { return called(unshare(CLONE_NEWNET)); }
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

/* ---- /proc, /sys, cgroups */

static int core_pattern(void) { return opens("/proc/sys/kernel/core_pattern", O_WRONLY); }
static int modprobe_path(void) { return opens("/proc/sys/kernel/modprobe", O_WRONLY); }
static int overcommit(void) { return opens("/proc/sys/vm/overcommit_memory", O_WRONLY); }
static int ip_forward(void) { return opens("/proc/sys/net/ipv4/ip_forward", O_WRONLY); }
static int sysrq(void) { return opens("/proc/sysrq-trigger", O_WRONLY); }
static int binfmt(void) { return opens("/proc/sys/fs/binfmt_misc/register", O_WRONLY); }
static int uevent_helper(void) { return opens("/sys/kernel/uevent_helper", O_WRONLY); }
static int sys_firmware(void) { return writes("/sys/firmware"); }

/* Masked files read as empty. */
static int reads(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char byte;
    ssize_t n = fd < 0 ? -1 : read(fd, &byte, 1);

    return n == 0 ? SILENT : called(n);
}

static int kcore(void) { return reads("/proc/kcore"); }
static int proc_keys(void) { return reads("/proc/keys"); }
static int timer_list(void) { return reads("/proc/timer_list"); }
static int kpagecount(void) { return reads("/proc/kpagecount"); }
static int proc_kmsg(void) { return reads("/proc/kmsg"); }
static int self_pagemap_frames(void)
{
    uint64_t entry = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    off_t at = (off_t)((uintptr_t)&entry / 4096 * 8);

    if (fd < 0 || pread(fd, &entry, sizeof(entry), at) < 0)
        return errno;
    return entry & ((1ull << 55) - 1) ? OPEN : SILENT;
}

static int kernel_addresses(void)
{
    FILE *f = fopen("/proc/kallsyms", "re");
    unsigned long long at = 0;

    if (!f)
        return errno;
    return fscanf(f, "%llx", &at) == 1 && at ? OPEN : SILENT;
}

/* @name in any folder of the cgroup file systems. */
static int cgroup_file(const char *name)
{
    DIR *top = opendir("/sys/fs/cgroup");
    struct dirent *e;
    int found = SILENT, r;
    char path[400];

    while (top && (e = readdir(top))) {
        snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/%s",
                 strcmp(e->d_name, "..") == 0 ? "." : e->d_name, name);
        r = opens(path, O_WRONLY);
        if (r == OPEN)
            return OPEN;
        found = r == ENOENT || r == ENOTDIR ? found : r;
    }
    return found;
}

static int release_agent(void) { return cgroup_file("release_agent"); }
static int cgroup_notify(void) { return cgroup_file("notify_on_release"); }
static int cgroup_procs(void) { return cgroup_file("cgroup.procs"); }
static int cgroup_memory(void)
{
    int v1 = cgroup_file("memory.limit_in_bytes");

    return v1 != SILENT ? v1 : cgroup_file("memory.max");
}
static int cgroup_cpu(void)
{
    int v1 = cgroup_file("cpu.cfs_quota_us");

    return v1 != SILENT ? v1 : cgroup_file("cpu.max");
}
static int cgroup_devices(void) { return cgroup_file("devices.allow"); }

static int cgroup_make(void)
{
    int v2 = called(mkdir("/sys/fs/cgroup/escape", 0755));

    return v2 == OPEN ? OPEN : called(mkdir("/sys/fs/cgroup/memory/escape", 0755));
}

/* ---- keys */

static int keyring(void)
{
    return called(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1));
}

static int add_a_key(void)
{
    return called(syscall(SYS_add_key, "user", "escape", "x", 1, KEY_SPEC_USER_KEYRING));
}

static int request_a_key(void)
{
    return called(syscall(SYS_request_key, "user", "escape", "x", KEY_SPEC_USER_KEYRING));
}

/* ---- network */

static int raw_socket(void) { return called(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)); }
static int raw_socket_6(void) { return called(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)); }
static int packet_socket(void) { return called(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))); }
static int packet_datagrams(void) { return called(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP))); }
/* Its addresses are the machine's, not the network namespace's: it leads to the hypervisor. */
static int vsock(void) { return called(socket(AF_VSOCK, SOCK_STREAM, 0)); }
static int kernel_crypto(void) { return called(socket(AF_ALG, SOCK_SEQPACKET, 0)); }
static int xdp_socket(void) { return called(socket(44 /* AF_XDP */, SOCK_RAW, 0)); }
static int bluetooth(void) { return called(socket(AF_BLUETOOTH, SOCK_RAW, 1)); }
static int can_bus(void) { return called(socket(AF_CAN, SOCK_RAW, 1)); }

static int change_interface(void)
{
    struct ifreq r = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &r) < 0)
        return errno;
    r.ifr_flags = (short)(r.ifr_flags | IFF_PROMISC);
    return called(ioctl(fd, SIOCSIFFLAGS, &r));
}

static int connects_tcp(const char *text)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    const char *colon = strrchr(text, ':');
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;
    struct pollfd p = {fd, POLLOUT, 0};
    socklen_t size = sizeof(error);
    char address[64];

    if (!colon || fd < 0)
        return OPEN; /* not a probe: fail loudly */
    snprintf(address, sizeof(address), "%.*s", (int)(colon - text), text);
    a.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
        return OPEN;
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return OPEN;
    if (errno != EINPROGRESS)
        return errno;
    if (poll(&p, 1, CONNECT_MS) <= 0)
        return ETIMEDOUT;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error ? error : OPEN;
}

static int connects_unix(const char *name, bool abstract)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || len + 1 >= sizeof(a.sun_path))
        return OPEN;
    memcpy(a.sun_path + (abstract ? 1 : 0), name, len);
    return called(connect(fd, (struct sockaddr *)&a,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1)));
}

static int world(void) { return connects_tcp("8.8.8.8:53"); }
static int metadata(void) { return connects_tcp("169.254.169.254:80"); }
static int metadata_of_tasks(void) { return connects_tcp("169.254.170.2:80"); }
static int bridge(void) { return connects_tcp("172.17.0.1:22"); }
static int docker_socket(void) { return connects_unix("/var/run/docker.sock", false); }
static int containerd_socket(void)
{
    return connects_unix("/run/containerd/containerd.sock", false);
}
static int init_socket(void) { return connects_unix("/.hearth/run/init.sock", false); }

/* ---- devices */

static int makes_device(mode_t type, unsigned major, unsigned minor)
{
    return called(mknod("/tmp/device", type | 0600, makedev(major, minor)));
}

static int mknod_mem(void) { return makes_device(S_IFCHR, 1, 1); }
static int mknod_disk(void) { return makes_device(S_IFBLK, 8, 0); }
static int dev_mem(void) { return opens("/dev/mem", O_RDWR); }
static int dev_kmsg(void) { return opens("/dev/kmsg", O_RDONLY); }
static int dev_port(void) { return opens("/dev/port", O_RDWR); }
static int dev_fuse(void) { return opens("/dev/fuse", O_RDWR); }
static int dev_kvm(void) { return opens("/dev/kvm", O_RDWR); }
static int dev_tun(void) { return opens("/dev/net/tun", O_RDWR); }
static int dev_vsock(void) { return opens("/dev/vsock", O_RDWR); }
static int dev_loop(void) { return opens("/dev/loop-control", O_RDWR); }

static bool is_harmless(const char *name)
{
    static const char *const all[] = {"null", "zero", "full", "random", "urandom", "tty", "ptmx"};
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (strcmp(name, all[i]) == 0)
            return true;
    return false;
}

static int other_devices(void)
{
    DIR *dev = opendir("/dev");
    struct dirent *e;
    struct stat st;
    char path[300];

    while (dev && (e = readdir(dev))) {
        snprintf(path, sizeof(path), "/dev/%s", e->d_name);
        if (lstat(path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) &&
            !is_harmless(e->d_name) && opens(path, O_RDONLY | O_NONBLOCK) == OPEN)
            return OPEN;
    }
    return SILENT;
}

/* ---- rights */

static int become_root(void) { return called(setuid(0)); }
static int become_root_group(void) { return called(setgid(0)); }
static int become_other(void) { return called(setresuid(994, 994, 994)); }

static int more_groups(void)
{
    const gid_t root = 0;

    return called(setgroups(1, &root));
}

static int take_capabilities(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{~0u, ~0u, 0}, {~0u, ~0u, 0}};

    return called(syscall(SYS_capset, &head, data));
}

static int ambient_capability(void)
{
    return called(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0));
}

/* Set-user-id programs of the image stay what they are, but nobody gets anything from them. */
static int setuid_programs(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? SILENT : OPEN;
}

static int lower_niceness(void) { return called(setpriority(PRIO_PROCESS, 0, -5)); }

static int real_time(void)
{
    const struct sched_param p = {.sched_priority = 10};

    return called(sched_setscheduler(0, SCHED_FIFO, &p));
}

static int raise_files(void)
{
    const struct rlimit r = {1 << 20, 1 << 20};

    return called(setrlimit(RLIMIT_NOFILE, &r));
}

static int raise_locked_memory(void)
{
    const struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY};

    return called(setrlimit(RLIMIT_MEMLOCK, &r));
}

/* ---- the kernel's less used doors */

static int bpf_map(void)
{
    char attr[128] = {2, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 1};

    return called(syscall(SYS_bpf, 0, attr, sizeof(attr)));
}

static int perf_event(void)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr)};

    attr.config = PERF_COUNT_SW_CPU_CLOCK;
    attr.exclude_kernel = 1;
    return called(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static int io_uring(void)
{
    char params[256] = {0};

    return called(syscall(SYS_io_uring_setup, 4, params));
}

static int user_faults(void)
{
    int user_mode_only = called(syscall(SYS_userfaultfd, O_CLOEXEC | 1));

    return user_mode_only == OPEN ? OPEN : called(syscall(SYS_userfaultfd, O_CLOEXEC));
}

static int kexec(void) { return called(syscall(SYS_kexec_load, 0, 0, NULL, 0)); }
static int kexec_file(void) { return called(syscall(SYS_kexec_file_load, -1, -1, 0, NULL, 4)); }
static int module_load(void) { return called(syscall(SYS_init_module, "", 0, "")); }
static int module_load_file(void) { return called(syscall(SYS_finit_module, -1, "", 0)); }
static int module_unload(void) { return called(syscall(SYS_delete_module, "escape", 0)); }
static int reboot_node(void) { return called(reboot(RB_ENABLE_CAD)); }
static int swap_on(void) { return called(swapon("/tmp/swap", 0)); }
static int process_accounting(void) { return called(acct("/tmp/acct")); }
static int quotas(void) { return called(quotactl(QCMD(Q_SYNC, USRQUOTA), "/dev/vda", 0, NULL)); }
static int host_name(void) { return called(sethostname("escape", 6)); }
static int domain_name(void) { return called(setdomainname("escape", 6)); }
static int kernel_log(void) { return called(klogctl(10 /* size of the buffer */, NULL, 0)); }
static int watch_all_files(void) { return called(syscall(SYS_fanotify_init, 0, O_RDONLY)); }
static int hang_up(void) { return called(vhangup()); }

static int set_time(void)
{
    struct timeval now;

    gettimeofday(&now, NULL);
    return called(settimeofday(&now, NULL));
}

static int set_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return called(clock_settime(CLOCK_REALTIME, &now));
}

static int adjust_clock(void)
{
    struct timex t = {.modes = ADJ_TICK, .tick = 10000};

    return called(adjtimex(&t));
}

#ifdef __x86_64__
static int port_access(void) { return called(iopl(3)); }
static int port_permission(void) { return called(ioperm(0x80, 1, 1)); }

/* Calls of another ABI pass by a filter that only knows the native one. */
static int calls_of_32_bit(void)
{
    long r;

    __asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
    return r > 0 ? OPEN : (int)-r;
}

static int calls_of_x32(void)
{
    return called(syscall(0x40000000L | SYS_getpid));
}
#endif

struct probe {
    const char *name;
    int (*run)(void);
};

static const struct probe probes[] = {
    {"mount tmpfs", mount_tmpfs},
    {"mount proc", mount_proc},
    {"mount a cgroup file system", mount_cgroup},
    {"bind mount", mount_bind},
    {"make / writable", remount_root_writable},
    {"umount /proc", umount_proc},
    {"fsopen", mount_by_fsopen},
    {"open_tree", mount_by_open_tree},
    {"pivot_root", pivot},
    {"chroot", change_root},
    {"open_by_handle_at", open_by_handle},
    {"write to /", write_root},
    {"write to /var/task", write_var_task},
    {"write to /opt", write_opt},
    {"write to /etc", write_etc},
    {"write to /usr", write_usr},
    {"write to /.hearth/run", write_hearth},
    {"write /etc/passwd", write_passwd},
    {"write /etc/hosts", write_hosts},
    {"write hearth-init", write_init},
    {"write /proc/1/exe", write_init_exe},
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
    {"processes of others", foreign_processes},
    {"unshare user", unshare_user},
    {"unshare mount", unshare_mount},
    {"unshare pid", unshare_pid},
    {"unshare net", unshare_net},
    {"unshare cgroup", unshare_cgroup},
    {"clone user", clone_user},
    {"clone3 user", clone3_user},
    {"setns", setns_init},
    {"core_pattern", core_pattern},
    {"modprobe path", modprobe_path},
    {"overcommit_memory", overcommit},
    {"ip_forward", ip_forward},
    {"sysrq-trigger", sysrq},
    {"binfmt_misc", binfmt},
    {"uevent_helper", uevent_helper},
    {"/sys/firmware", sys_firmware},
    {"/proc/kcore", kcore},
    {"/proc/keys", proc_keys},
    {"/proc/timer_list", timer_list},
    {"/proc/kpagecount", kpagecount},
    {"/proc/kmsg", proc_kmsg},
    {"page frames", self_pagemap_frames},
    {"kernel addresses", kernel_addresses},
    {"release_agent", release_agent},
    {"notify_on_release", cgroup_notify},
    {"cgroup.procs", cgroup_procs},
    {"own memory limit", cgroup_memory},
    {"own CPU limit", cgroup_cpu},
    {"devices.allow", cgroup_devices},
    {"new cgroup", cgroup_make},
    {"keyctl", keyring},
    {"add_key", add_a_key},
    {"request_key", request_a_key},
    {"raw socket", raw_socket},
    {"raw IPv6 socket", raw_socket_6},
    {"packet socket", packet_socket},
    {"packet datagram socket", packet_datagrams},
    {"vsock", vsock},
    {"AF_ALG", kernel_crypto},
    {"AF_XDP", xdp_socket},
    {"AF_BLUETOOTH", bluetooth},
    {"AF_CAN", can_bus},
    {"change an interface", change_interface},
    {"address of the world", world},
    {"metadata address", metadata},
    {"metadata address of tasks", metadata_of_tasks},
    {"address of Docker's bridge", bridge},
    {"Docker's socket", docker_socket},
    {"containerd's socket", containerd_socket},
    {"hearth-init's socket", init_socket},
    {"mknod of memory", mknod_mem},
    {"mknod of a disk", mknod_disk},
    {"/dev/mem", dev_mem},
    {"/dev/kmsg", dev_kmsg},
    {"/dev/port", dev_port},
    {"/dev/fuse", dev_fuse},
    {"/dev/kvm", dev_kvm},
    {"/dev/net/tun", dev_tun},
    {"/dev/vsock", dev_vsock},
    {"/dev/loop-control", dev_loop},
    {"other devices", other_devices},
    {"setuid", become_root},
    {"setgid", become_root_group},
    {"setresuid", become_other},
    {"setgroups", more_groups},
    {"capset", take_capabilities},
    {"ambient capability", ambient_capability},
    {"setuid programs", setuid_programs},
    {"lower niceness", lower_niceness},
    {"real-time scheduling", real_time},
    {"raise RLIMIT_NOFILE", raise_files},
    {"raise RLIMIT_MEMLOCK", raise_locked_memory},
    {"bpf", bpf_map},
    {"perf_event_open", perf_event},
    {"io_uring", io_uring},
    {"userfaultfd", user_faults},
    {"kexec_load", kexec},
    {"kexec_file_load", kexec_file},
    {"init_module", module_load},
    {"finit_module", module_load_file},
    {"delete_module", module_unload},
    {"reboot", reboot_node},
    {"swapon", swap_on},
    {"acct", process_accounting},
    {"quotactl", quotas},
    {"sethostname", host_name},
    {"setdomainname", domain_name},
    {"the kernel's log", kernel_log},
    {"fanotify_init", watch_all_files},
    {"vhangup", hang_up},
    {"settimeofday", set_time},
    {"clock_settime", set_clock},
    {"adjtimex", adjust_clock},
#ifdef __x86_64__
    {"iopl", port_access},
    {"ioperm", port_permission},
    {"calls of 32 bit", calls_of_32_bit},
    {"calls of x32", calls_of_x32},
#endif
    {"signals to PID 1", init_kill}, /* last: what follows would not be seen */
};

static int try_target(const char *target)
{
    if (strncmp(target, "tcp:", 4) == 0)
        return connects_tcp(target + 4);
    if (strncmp(target, "abstract:", 9) == 0)
        return connects_unix(target + 9, true);
    if (strncmp(target, "path:", 5) == 0)
        return connects_unix(target + 5, false);
    if (strncmp(target, "pid:", 4) == 0)
        return called(kill((pid_t)strtol(target + 4, NULL, 10), 0));
    return OPEN; /* not a probe: fail loudly */
}

static void tell(const char *name, int status)
{
    const char *why;

    if (WIFSIGNALED(status)) {
        printf("%s\trefused\tSIG%s\n", name, sigabbrev_np(WTERMSIG(status)));
        return;
    }
    status = WEXITSTATUS(status);
    why = status == SILENT ? "nothing there" : strerrorname_np(status);
    if (status == OPEN)
        printf("%s\tOPEN\n", name);
    else
        printf("%s\trefused\t%s\n", name, why ? why : "?");
}

static void probe_in_child(const char *name, int (*run)(void), const char *target)
{
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(PROBE_SECONDS);
        _exit(run ? run() : try_target(target));
    }
    if (pid > 0 && waitpid(pid, &status, 0) == pid)
        tell(name, status);
}

int main(int argc, char **argv)
{
    bool targets_only = argc > 1 && strcmp(argv[1], "--targets") == 0;
    size_t i;
    int a;

    for (a = targets_only ? 2 : 1; a < argc; a++)
        probe_in_child(argv[a], NULL, argv[a]);
    for (i = 0; !targets_only && i < sizeof(probes) / sizeof(*probes); i++)
        probe_in_child(probes[i].name, probes[i].run, NULL);
    printf("done\n");
    return 0;
}
