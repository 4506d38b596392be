/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel shows and takes as files: /proc, /sys, cgroups; and its key rings. */
#include "tests/integration/escape/escape.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- /proc and /sys */

static int core_pattern(void) { return opens("/proc/sys/kernel/core_pattern", O_WRONLY); }
static int modprobe_path(void) { return opens("/proc/sys/kernel/modprobe", O_WRONLY); }
static int overcommit(void) { return opens("/proc/sys/vm/overcommit_memory", O_WRONLY); }
static int ip_forward(void) { return opens("/proc/sys/net/ipv4/ip_forward", O_WRONLY); }
static int sysrq(void) { return opens("/proc/sysrq-trigger", O_WRONLY); }
static int binfmt(void) { return opens("/proc/sys/fs/binfmt_misc/register", O_WRONLY); }
static int uevent_helper(void) { return opens("/sys/kernel/uevent_helper", O_WRONLY); }
static int drop_caches(void) { return opens("/proc/sys/vm/drop_caches", O_WRONLY); }
static int last_pid(void) { return opens("/proc/sys/kernel/ns_last_pid", O_WRONLY); }
static int sys_firmware(void) { return writes("/sys/firmware"); }

static int map_users(void)
{
    int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);

    return fd < 0 ? errno : called(write(fd, "0 0 1", 5));
}

/* Shared memory of others would be a line below the heading. */
static int shared_memory(void)
{
    FILE *f = fopen("/proc/sysvipc/shm", "re");
    char line[512];

    if (!f || !fgets(line, sizeof(line), f))
        return f ? SILENT : errno;
    return fgets(line, sizeof(line), f) ? OPEN : SILENT;
}

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

const struct probe proc_probes[] = {
    {"core_pattern", core_pattern},
    {"modprobe path", modprobe_path},
    {"overcommit_memory", overcommit},
    {"ip_forward", ip_forward},
    {"sysrq-trigger", sysrq},
    {"binfmt_misc", binfmt},
    {"uevent_helper", uevent_helper},
    {"drop_caches", drop_caches},
    {"ns_last_pid", last_pid},
    {"uid_map", map_users},
    {"shared memory of others", shared_memory},
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
    {NULL, NULL},
};
