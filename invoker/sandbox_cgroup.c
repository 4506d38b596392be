/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/sandbox_cgroup.h"

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "invoker/docker_container.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CONTAINER_ID_LEN 64
#define QUOTA_MIN_US 1000u /* the kernel takes no less */

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

static bool has_word(struct str list, const char *wanted)
{
    struct str word;

    while (str_split(&list, ',', &word))
        if (str_is(word, wanted))
            return true;
    return false;
}

/* systemd puts back what it knows of the limits of its units: those are the engine's to change. */
static bool is_of_systemd(struct str path)
{
    return memmem(path.ptr, path.len, ".scope", 6) != NULL;
}

int sandbox_cgroup_parse(struct sandbox_cgroup *ret, struct str text, const char *root)
{
    struct str line, number, controllers;

    *ret = (struct sandbox_cgroup){0};
    while (str_split(&text, '\n', &line)) {
        if (!str_split(&line, ':', &number) || !str_split(&line, ':', &controllers) ||
            !is_of_container(line))
            continue;
        if (controllers.len == 0 && !ret->pids) {
            ret->is_v2 = true;
            ret->pids = str_printf("%s%.*s", root, STR_ARG(line));
            if (!is_of_systemd(line))
                ret->cpu = str_dup(str_of(ret->pids));
        } else if (has_word(controllers, "cpu") && !is_of_systemd(line)) {
            free(ret->cpu);
            ret->cpu = str_printf("%s/cpu%.*s", root, STR_ARG(line));
        } else if (has_word(controllers, "pids")) {
            free(ret->pids);
            ret->pids = str_printf("%s/pids%.*s", root, STR_ARG(line));
            ret->is_v2 = false;
        }
    }
    return ret->pids ? 0 : -ERR_UNAVAILABLE;
}

int sandbox_cgroup_find(struct sandbox_cgroup *ret, pid_t pid)
{
    char path[64], text[8192];
    ssize_t n = -1;
    int fd;

    *ret = (struct sandbox_cgroup){0};
    if (pid <= 1) /* not to be seen from here */
        return -ERR_UNAVAILABLE;
    snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, text, sizeof(text));
        close(fd);
    }
    return n <= 0 ? -ERR_UNAVAILABLE
                  : sandbox_cgroup_parse(ret, str_from(text, (size_t)n), CGROUP_ROOT);
}

void sandbox_cgroup_done(struct sandbox_cgroup *cgroup)
{
    free(TAKE(cgroup->cpu));
    free(TAKE(cgroup->pids));
}

static int write_file(const char *folder, const char *name, const char *text)
{
    CLEANUP(freep) char *path = str_printf("%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -ERR_UNAVAILABLE;
    n = write(fd, text, strlen(text));
    close(fd);
    return n < 0 ? -ERR_UNAVAILABLE : 0;
}

uint32_t sandbox_cgroup_quota(uint32_t memory_mib)
{
    uint32_t quota = (uint32_t)((uint64_t)memory_mib * CPU_PERIOD_US / MEMORY_OF_ONE_CPU);

    return quota > QUOTA_MIN_US ? quota : QUOTA_MIN_US;
}

int sandbox_cgroup_limit_cpu(const struct sandbox_cgroup *cgroup, uint32_t quota_us)
{
    char text[32];

    if (!cgroup->cpu)
        return -ERR_UNAVAILABLE;
    if (cgroup->is_v2) {
        if (quota_us)
            snprintf(text, sizeof(text), "%u %u", quota_us, CPU_PERIOD_US);
        else
            snprintf(text, sizeof(text), "max");
        return write_file(cgroup->cpu, "cpu.max", text);
    }
    if (quota_us == 0)
        return write_file(cgroup->cpu, "cpu.cfs_quota_us", "-1");
    snprintf(text, sizeof(text), "%u", CPU_PERIOD_US);
    if (write_file(cgroup->cpu, "cpu.cfs_period_us", text) < 0)
        return -ERR_UNAVAILABLE;
    snprintf(text, sizeof(text), "%u", quota_us);
    return write_file(cgroup->cpu, "cpu.cfs_quota_us", text);
}

int sandbox_cgroup_kill(const struct sandbox_cgroup *cgroup)
{
    CLEANUP(freep) char *path = NULL;
    FILE *procs;
    int pid;

    if (!cgroup->pids)
        return -ERR_UNAVAILABLE;
    (void)sandbox_cgroup_limit_cpu(cgroup, 0);
    if (cgroup->is_v2 && write_file(cgroup->pids, "cgroup.kill", "1") == 0)
        return 0;
    if (write_file(cgroup->pids, "pids.max", "1") < 0)
        return -ERR_UNAVAILABLE;
    path = str_printf("%s/cgroup.procs", cgroup->pids);
    procs = fopen(path, "re");
    if (!procs)
        return -ERR_UNAVAILABLE;
    while (fscanf(procs, "%d", &pid) == 1)
        if (pid > 1)
            kill(pid, SIGKILL);
    fclose(procs);
    return 0;
}
