/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/buf.h"
#include "common/base/file.h"

#define HIERARCHIES_MAX 16
#define LIFE_LEN 8
#define PREFIX "hearth-"

enum controller { MEMORY = 1, CPU = 2, PIDS = 4, FREEZER = 8 };

/* One mount of cgroup file systems. */
struct hierarchy {
    char *mount;
    unsigned controllers; /* of those that we use */
};

struct cgroups {
    bool v2;
    char *node, *life;
    char *parent;
    char *unused; /* where the unified tree is that we do not use */
    struct hierarchy at[HIERARCHIES_MAX];
    size_t len;
};

static const struct {
    const char *name;
    unsigned bit;
} controllers[] = {{"memory", MEMORY}, {"cpu", CPU}, {"pids", PIDS}, {"freezer", FREEZER}};

/* ---- finding them */

static unsigned controllers_in(struct str words, char separator)
{
    unsigned found = 0;
    struct str word;
    size_t i;

    while (str_split(&words, separator, &word))
        for (i = 0; i < ARRAY_LEN(controllers); i++)
            if (str_is(str_trim(word), controllers[i].name))
                found |= controllers[i].bit;
    return found;
}

/* The mount point of mountinfo, whose blanks are written "\040" and so on. */
static char *unescape(struct str s)
{
    char *ret = str_dup(s), *to = ret;
    const char *from = ret;

    while (*from) {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
            from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
            *to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
    return ret;
}

static void add_hierarchy(struct cgroups *cg, struct str mount, unsigned bits)
{
    if (cg->len == HIERARCHIES_MAX)
        return;
    cg->at[cg->len].mount = unescape(mount);
    cg->at[cg->len++].controllers = bits;
}

/* id parent major:minor root mountpoint options [optional ...] - type source superoptions */
static void read_mount(struct cgroups *cg, struct str line)
{
    struct str word = STR_NULL, mount = STR_NULL, type = STR_NULL, options = STR_NULL;
    int n = 0;

    while (str_split(&line, ' ', &word) && !str_is(word, "-"))
        if (++n == 5)
            mount = word;
    if (!str_split(&line, ' ', &type) || !mount.len)
        return;
    if (str_is(type, "cgroup2") && !cg->unused) {
        cg->unused = unescape(mount);
    } else if (str_is(type, "cgroup") && str_split(&line, ' ', &word) &&
               str_split(&line, ' ', &options)) {
        add_hierarchy(cg, mount, controllers_in(options, ','));
    }
}

static unsigned all_controllers(const struct cgroups *cg)
{
    unsigned all = 0;
    size_t i;

    for (i = 0; i < cg->len; i++)
        all |= cg->at[i].controllers;
    return all;
}

/* Version 2 counts when it has what we need, else version 1 must have it. */
static int choose_version(struct cgroups *cg, struct error *err)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(4096);
    CLEANUP(freep)
    char *file = cg->unused ? str_printf("%s/cgroup.controllers", cg->unused) : NULL;
    const unsigned need = MEMORY | CPU | PIDS;
    unsigned bits = 0;

    if (file && file_read(file, &text, NULL) == 0)
        bits = controllers_in(str_trim(buf_str(&text)), ' ');
    if ((bits & need) == need) {
        while (cg->len)
            free(cg->at[--cg->len].mount);
        cg->at[cg->len++] = (struct hierarchy){TAKE(cg->unused), bits | FREEZER};
        cg->v2 = true;
        return 0;
    }
    if ((all_controllers(cg) & (need | FREEZER)) != (need | FREEZER))
        return error_set(err, ERR_UNSUPPORTED,
                         "the cgroup controllers memory, cpu, pids and freezer are not all there");
    return 0;
}

int cgroups_new(const struct cgroups_options *o, struct cgroups **ret, struct error *err)
{
    const char *path = o->mountinfo ? o->mountinfo : "/proc/self/mountinfo";
    CLEANUP(buf_done) struct buf text = BUF_INIT(16u << 20);
    struct cgroups *cg;
    struct str rest, line;
    int r = file_read(path, &text, err);

    if (r < 0)
        return r;
    cg = calloc(1, sizeof(*cg));
    if (!cg)
        abort();
    cg->node = str_dup(str_of(o->node));
    cg->life = str_dup(str_of(o->life));
    cg->parent = str_printf("/" PREFIX "%s.%s", o->node, o->life);
    rest = buf_str(&text);
    while (str_split(&rest, '\n', &line))
        read_mount(cg, line);
    r = choose_version(cg, err);
    if (r < 0) {
        cgroups_free(cg);
        return r;
    }
    *ret = cg;
    return 0;
}

void cgroups_free(struct cgroups *cg)
{
    if (!cg)
        return;
    while (cg->len)
        free(cg->at[--cg->len].mount);
    free(cg->node);
    free(cg->life);
    free(cg->parent);
    free(cg->unused);
    free(cg);
}

int cgroups_check(const struct cgroups *cg, struct error *err)
{
    size_t i;

    for (i = 0; i < cg->len; i++) {
        CLEANUP(freep) char *path = str_printf("%s%s", cg->at[i].mount, cg->parent);

        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return error_set_errno(err, ERR_SYSTEM, errno, "making the cgroup %s", path);
        rmdir(path);
    }
    return 0;
}

const char *cgroups_parent(const struct cgroups *cg)
{
    return cg->parent;
}

const char *cgroups_unused_mount(const struct cgroups *cg)
{
    return cg->v2 ? NULL : cg->unused;
}

/* ---- one cgroup */

static int write_file(const char *path, const char *text, struct error *err)
{
    CLEANUP(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "writing %s", path);
    return 0;
}

/* Writes @value into @file of @name, in the hierarchy of @controller. */
static int set(const struct cgroups *cg, enum controller controller, const char *name,
               const char *file, uint64_t value, struct error *err)
{
    char text[24];
    size_t i;

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    for (i = 0; i < cg->len; i++) {
        if (cg->at[i].controllers & controller) {
            CLEANUP(freep)
            char *path = str_printf("%s%s/%s/%s", cg->at[i].mount, cg->parent, name, file);

            return write_file(path, text, err);
        }
    }
    return error_set(err, ERR_SYSTEM, "no cgroup hierarchy has %s", file);
}

/* Version 2 has weights of 1 to 10,000; the OCI runtimes' own conversion. */
static uint64_t weight_of(uint32_t shares)
{
    return 1 + ((uint64_t)shares - 2) * 9999 / 262142;
}

/* A kernel may be built without accounting for swap: then there is no such file. */
static int set_if_there(const struct cgroups *cg, const char *name, const char *file,
                        uint64_t value, struct error *err)
{
    struct error own;
    int r = set(cg, MEMORY, name, file, value, &own);

    if (r == 0 || own.sys_errno == ENOENT)
        return 0;
    if (err)
        *err = own;
    return r;
}

int cgroup_limit(const struct cgroups *cg, const char *name, const struct cgroup_limits *limits,
                 struct error *err)
{
    uint32_t shares = limits->cpu_shares > 2 ? limits->cpu_shares : 2;
    int r;

    r = set(cg, MEMORY, name, cg->v2 ? "memory.max" : "memory.limit_in_bytes",
            limits->memory_bytes, err);
    if (r == 0) /* of version 1 it is the sum of both */
        r = set_if_there(cg, name, cg->v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes",
                         cg->v2 ? 0 : limits->memory_bytes, err);
    if (r == 0)
        r = set(cg, CPU, name, cg->v2 ? "cpu.weight" : "cpu.shares",
                cg->v2 ? weight_of(shares) : shares, err);
    return r;
}

int cgroup_freeze(const struct cgroups *cg, const char *name, bool frozen, struct error *err)
{
    size_t i;

    if (cg->v2)
        return set(cg, FREEZER, name, "cgroup.freeze", frozen, err);
    for (i = 0; i < cg->len; i++) {
        if (cg->at[i].controllers & FREEZER) {
            CLEANUP(freep)
            char *path =
                str_printf("%s%s/%s/freezer.state", cg->at[i].mount, cg->parent, name);

            return write_file(path, frozen ? "FROZEN" : "THAWED", err);
        }
    }
    return error_set(err, ERR_SYSTEM, "no cgroup hierarchy has a freezer");
}

int cgroup_remove(const struct cgroups *cg, const char *name, struct error *err)
{
    int r = 0;
    size_t i;

    for (i = 0; i < cg->len; i++) {
        CLEANUP(freep) char *path = str_printf("%s%s/%s", cg->at[i].mount, cg->parent, name);

        if (rmdir(path) < 0 && errno != ENOENT)
            r = error_set_errno(err, errno == EBUSY ? ERR_CONFLICT : ERR_SYSTEM, errno,
                                "removing %s", path);
    }
    return r;
}

/* ---- all of a life */

static void kill_all_in(const char *folder)
{
    CLEANUP(freep) char *path = str_printf("%s/cgroup.procs", folder);
    CLEANUP(freep) char *freezer = str_printf("%s/freezer.state", folder);
    CLEANUP(freep) char *freeze = str_printf("%s/cgroup.freeze", folder);
    CLEANUP(buf_done) struct buf text = BUF_INIT(1u << 20);
    struct str rest, line;
    uint64_t pid;

    /* the one or the other: a frozen process does not die */
    (void)write_file(freezer, "THAWED", NULL);
    (void)write_file(freeze, "0", NULL);
    if (file_read(path, &text, NULL) < 0)
        return;
    rest = buf_str(&text);
    while (str_split(&rest, '\n', &line))
        if (str_parse_u64(line, &pid) == 0 && pid > 1)
            kill((pid_t)pid, SIGKILL);
}

/* The leaves first: a cgroup with children is not removed. */
static void sweep_folder(const char *folder, int *r, struct error *err)
{
    DIR *dir = opendir(folder);
    struct dirent *e;

    if (!dir)
        return;
    while ((e = readdir(dir))) {
        CLEANUP(freep) char *child = str_printf("%s/%s", folder, e->d_name);

        if (e->d_type == DT_DIR && e->d_name[0] != '.')
            sweep_folder(child, r, err);
    }
    closedir(dir);
    kill_all_in(folder);
    if (rmdir(folder) < 0 && errno != ENOENT)
        *r = error_set_errno(err, errno == EBUSY ? ERR_CONFLICT : ERR_SYSTEM, errno, "removing %s",
                             folder);
}

/* "hearth-<node>.<8 hexadecimal digits>": another life of this node. */
static bool is_earlier(const struct cgroups *cg, const char *name)
{
    size_t node = strlen(cg->node), prefix = strlen(PREFIX);

    return strncmp(name, PREFIX, prefix) == 0 &&
           strncmp(name + prefix, cg->node, node) == 0 && name[prefix + node] == '.' &&
           strlen(name + prefix + node + 1) == LIFE_LEN &&
           strspn(name + prefix + node + 1, "0123456789abcdef") == LIFE_LEN &&
           strcmp(name + prefix + node + 1, cg->life) != 0;
}

int cgroups_sweep(const struct cgroups *cg, bool earlier, struct error *err)
{
    int r = 0;
    size_t i;

    for (i = 0; i < cg->len; i++) {
        DIR *dir = opendir(cg->at[i].mount);
        struct dirent *e;

        while (dir && (e = readdir(dir))) {
            CLEANUP(freep) char *folder = str_printf("%s/%s", cg->at[i].mount, e->d_name);

            if (earlier ? is_earlier(cg, e->d_name) : strcmp(e->d_name, cg->parent + 1) == 0)
                sweep_folder(folder, &r, err);
        }
        if (dir)
            closedir(dir);
    }
    return r;
}
