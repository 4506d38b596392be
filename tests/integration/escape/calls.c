/* SPDX-License-Identifier: Apache-2.0 */
/* Rights, and the kernel's less used doors: calls that are for root, or for another ABI. */
#include "tests/integration/escape/escape.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/prctl.h>
#include <sys/quota.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

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

const struct probe call_probes[] = {
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
    {NULL, NULL},
};
