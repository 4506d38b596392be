/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/cgroup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "invoker/sandbox_limits.h"

#define CONTAINER_ID_LEN 64

/* ---- finding it */

void cgroup_at(const struct cgroup_fs *fs, const char *path, struct cgroup *ret)
{
    enum cgroup_controller i;
    const char *mount;

    ret->is_v2 = cgroup_fs_is_v2(fs);
    for (i = 0; i < CGROUP_CONTROLLERS; i++) {
        mount = cgroup_fs_mount(fs, i);
        ret->folder[i] = mount ? str_printf("%s%s", mount, path) : NULL;
    }
}

void cgroup_done(struct cgroup *cg)
{
    enum cgroup_controller i;

    for (i = 0; i < CGROUP_CONTROLLERS; i++)
        free(TAKE(cg->folder[i]));
}

/* The last folder's name has a container's id in it: nobody else's processes are there. */
static bool is_of_container(struct str path)
{
    size_t i, run = 0;

    for (i = path.len; i > 0 && path.ptr[i - 1] != '/'; i--) {
        run = isxdigit((unsigned char)path.ptr[i - 1]) ? run + 1 : 0;
        if (run == CONTAINER_ID_LEN)
            return memmem(path.ptr, path.len, "..", 2) == NULL; /* relative to a group of ours */
    }
    return false;
}

/* systemd puts back what it knows of the limits of its units: those are the engine's to change. */
static bool is_of_systemd(struct str path)
{
    return memmem(path.ptr, path.len, ".scope", 6) != NULL;
}

static void add(struct cgroup *cg, const struct cgroup_fs *fs, enum cgroup_controller controller,
                struct str path)
{
    const char *mount = cgroup_fs_mount(fs, controller);
    bool is_limit = controller == CGROUP_MEMORY || controller == CGROUP_CPU;

    if (mount && !cg->folder[controller] && !(is_limit && is_of_systemd(path)))
        cg->folder[controller] = str_printf("%s%.*s", mount, STR_ARG(path));
}

int cgroup_parse(const struct cgroup_fs *fs, struct str text, struct cgroup *ret)
{
    struct str line, number, names, name;
    enum cgroup_controller i;

    *ret = (struct cgroup){.is_v2 = cgroup_fs_is_v2(fs)};
    while (str_split(&text, '\n', &line)) {
        if (!str_split(&line, ':', &number) || !str_split(&line, ':', &names) ||
            !is_of_container(line) || (names.len == 0) != ret->is_v2)
            continue;
        if (ret->is_v2)
            for (i = 0; i < CGROUP_CONTROLLERS; i++)
                add(ret, fs, i, line);
        else
            while (str_split(&names, ',', &name))
                if ((i = cgroup_controller_of(name)) < CGROUP_CONTROLLERS)
                    add(ret, fs, i, line);
    }
    return ret->folder[CGROUP_PIDS] ? 0 : -ERR_UNAVAILABLE;
}

/* What fits into @text of the file at @path; -1. */
static ssize_t read_file(const char *path, char *text, size_t size)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -1 : read(fd, text, size);
}

int cgroup_of_container(const struct cgroup_fs *fs, pid_t pid, struct cgroup *ret)
{
    char path[64], text[8192];
    ssize_t n;

    *ret = (struct cgroup){0};
    if (!fs || pid <= 1) /* not to be seen from here */
        return -ERR_UNAVAILABLE;
    snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
    n = read_file(path, text, sizeof(text));
    return n <= 0 ? -ERR_UNAVAILABLE : cgroup_parse(fs, str_from(text, (size_t)n), ret);
}

/* ---- writing to it */

static int write_text(const struct cgroup *cg, enum cgroup_controller controller, const char *file,
                      const char *text, struct error *err)
{
    CLEANUP(freep) char *path = NULL;
    CLEANUP(closep) int fd = -1;

    if (!cg->folder[controller])
        return error_set(err, ERR_UNAVAILABLE, "no cgroup of the sandbox has %s", file);
    path = str_printf("%s/%s", cg->folder[controller], file);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        return error_set_errno(err, ERR_UNAVAILABLE, errno, "writing %s", path);
    return 0;
}

static int write_number(const struct cgroup *cg, enum cgroup_controller controller,
                        const char *file, uint64_t value, struct error *err)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    return write_text(cg, controller, file, text, err);
}

/* Version 2 has weights of 1 to 10,000; the OCI runtimes' own conversion. */
static uint64_t weight_of(uint32_t shares)
{
    return 1 + ((uint64_t)shares - 2) * 9999 / 262142;
}

/* A kernel may be built without accounting for swap: then there is no such file. */
static int limit_swap(const struct cgroup *cg, uint64_t memory_bytes, struct error *err)
{
    struct error own;
    int r = cg->is_v2 ? write_number(cg, CGROUP_MEMORY, "memory.swap.max", 0, &own)
                      /* the sum of both */
                      : write_number(cg, CGROUP_MEMORY, "memory.memsw.limit_in_bytes",
                                     memory_bytes, &own);

    if (r == 0 || own.sys_errno == ENOENT)
        return 0;
    if (err)
        *err = own;
    return r;
}

int cgroup_limit(const struct cgroup *cg, const struct cgroup_limits *limits, struct error *err)
{
    uint32_t shares = limits->cpu_shares > 2 ? limits->cpu_shares : 2;
    int r = write_number(cg, CGROUP_MEMORY, cg->is_v2 ? "memory.max" : "memory.limit_in_bytes",
                         limits->memory_bytes, err);

    if (r == 0)
        r = limit_swap(cg, limits->memory_bytes, err);
    if (r == 0)
        r = cg->is_v2 ? write_number(cg, CGROUP_CPU, "cpu.weight", weight_of(shares), err)
                      : write_number(cg, CGROUP_CPU, "cpu.shares", shares, err);
    return r;
}

int cgroup_limit_cpu(const struct cgroup *cg, uint32_t quota_us)
{
    char text[32];
    int r;

    if (cg->is_v2) {
        snprintf(text, sizeof(text), quota_us ? "%u %u" : "max", quota_us, SANDBOX_CPU_PERIOD_US);
        return write_text(cg, CGROUP_CPU, "cpu.max", text, NULL);
    }
    if (quota_us == 0)
        return write_text(cg, CGROUP_CPU, "cpu.cfs_quota_us", "-1", NULL);
    r = write_number(cg, CGROUP_CPU, "cpu.cfs_period_us", SANDBOX_CPU_PERIOD_US, NULL);
    return r < 0 ? r : write_number(cg, CGROUP_CPU, "cpu.cfs_quota_us", quota_us, NULL);
}

int cgroup_freeze(const struct cgroup *cg, bool frozen, struct error *err)
{
    return cg->is_v2
               ? write_text(cg, CGROUP_FREEZER, "cgroup.freeze", frozen ? "1" : "0", err)
               : write_text(cg, CGROUP_FREEZER, "freezer.state", frozen ? "FROZEN" : "THAWED", err);
}

/* ---- its processes */

/* Calls @fn for up to @most of them, until it says true; whether it did. -ERR_UNAVAILABLE. */
static int each_process(const struct cgroup *cg, enum cgroup_controller controller, int most,
                        bool (*fn)(pid_t pid))
{
    CLEANUP(freep) char *path = NULL;
    bool found = false;
    FILE *procs;
    int pid;

    if (!cg->folder[controller])
        return -ERR_UNAVAILABLE;
    path = str_printf("%s/cgroup.procs", cg->folder[controller]);
    procs = fopen(path, "re");
    if (!procs)
        return -ERR_UNAVAILABLE;
    while (!found && most-- > 0 && fscanf(procs, "%d", &pid) == 1)
        found = pid > 1 && fn(pid);
    fclose(procs);
    return found;
}

/* Signals that wait for its first thread or for any of them: "SigPnd:\t0000000000000100". */
static bool is_told_to_end(pid_t pid)
{
    const unsigned long long ends = 1ull << (SIGKILL - 1) | 1ull << (SIGTERM - 1);
    char path[64], text[4096];
    const char *own, *shared;
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    n = read_file(path, text, sizeof(text) - 1);
    if (n <= 0)
        return false;
    text[n] = '\0';
    own = strstr(text, "\nSigPnd:\t"); /* a name's line end is escaped */
    shared = strstr(text, "\nShdPnd:\t");
    return (own && (strtoull(own + 9, NULL, 16) & ends)) ||
           (shared && (strtoull(shared + 9, NULL, 16) & ends));
}

bool cgroup_is_dying(const struct cgroup *cg)
{
    return each_process(cg, CGROUP_FREEZER, CGROUP_LOOK_MAX, is_told_to_end) > 0;
}

static bool kill_process(pid_t pid)
{
    kill(pid, SIGKILL);
    return false;
}

int cgroup_kill(const struct cgroup *cg)
{
    int r;

    (void)cgroup_limit_cpu(cg, 0);
    if (cg->is_v2 && write_text(cg, CGROUP_PIDS, "cgroup.kill", "1", NULL) == 0)
        return 0;
    (void)write_text(cg, CGROUP_PIDS, "pids.max", "1", NULL);
    r = each_process(cg, CGROUP_PIDS, INT32_MAX, kill_process);
    (void)cgroup_freeze(cg, false, NULL); /* of version 1 a frozen process does not die */
    return r;
}
