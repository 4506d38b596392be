/* SPDX-License-Identifier: Apache-2.0 */
#include "images/init/memory.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const usage_v1[] = {"memory.max_usage_in_bytes", NULL};
static const char *const events_v1[] = {"memory.oom_control", NULL};
static const char *const usage_v2[] = {"memory.peak", "memory.current", NULL};
static const char *const events_v2[] = {"memory.events", NULL};

/* Reads a small file of /proc or the cgroup file system, NUL behind it. */
static size_t read_small(int fd, char *buf, size_t cap)
{
    size_t len = 0;
    ssize_t n;

    while (len < cap - 1 && (n = pread(fd, buf + len, cap - 1 - len, (off_t)len)) > 0)
        len += (size_t)n;
    buf[len] = '\0';
    return len;
}

/* The path of our cgroup behind @key ("0::" or ":memory:"), in place; NULL when there is none. */
static const char *cgroup_path(char *text, const char *key)
{
    char *at = strstr(text, key);
    char *end;

    if (!at)
        return NULL;
    at += strlen(key);
    end = strchr(at, '\n');
    if (end)
        *end = '\0';
    return at;
}

static int open_first(const char *dir, const char *sub, const char *const *names)
{
    char path[PATH_MAX];
    int fd, n;

    for (; *names; names++) {
        n = snprintf(path, sizeof(path), "%s%s/%s", dir, sub, *names);
        if (n < 0 || (size_t)n >= sizeof(path))
            continue;
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
            return fd;
    }
    return -1;
}

/*
 * Where the mount shows the host's tree, our files are at the path that /proc names; where it shows
 * our own cgroup as its root (a private cgroup namespace, or cgroup v1 as container engines
 * mount it), they are at the root although /proc may still name the host's path.
 */
static int open_own(const char *dir, const char *sub, const char *const *names)
{
    int fd = strcmp(sub, "/") == 0 ? -1 : open_first(dir, sub, names);

    return fd >= 0 ? fd : open_first(dir, "", names);
}

void memory_open(struct memory_files *ret)
{
    char text[4096], copy[sizeof(text)];
    const char *sub;
    int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);

    ret->usage = ret->events = -1;
    if (fd < 0)
        return;
    read_small(fd, text, sizeof(text));
    close(fd);
    memcpy(copy, text, sizeof(copy));
    sub = cgroup_path(copy, ":memory:");
    if (sub) {
        ret->usage = open_own("/sys/fs/cgroup/memory", sub, usage_v1);
        ret->events = open_own("/sys/fs/cgroup/memory", sub, events_v1);
        return;
    }
    sub = cgroup_path(text, "0::");
    if (sub) {
        ret->usage = open_own("/sys/fs/cgroup", sub, usage_v2);
        ret->events = open_own("/sys/fs/cgroup", sub, events_v2);
    }
}

uint64_t memory_oom_kills(int events)
{
    static const char key[] = "oom_kill ";
    char text[1024];
    const char *line = text;
    uint64_t n = 0;

    if (events < 0)
        return 0;
    read_small(events, text, sizeof(text));
    while (strncmp(line, key, sizeof(key) - 1) != 0) {
        line = strchr(line, '\n');
        if (!line)
            return 0;
        line++;
    }
    for (line += sizeof(key) - 1; *line >= '0' && *line <= '9'; line++)
        n = n * 10 + (uint64_t)(*line - '0');
    return n;
}
