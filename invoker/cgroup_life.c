/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/cgroup_life.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"

#define LIFE_LEN 8
#define PREFIX "hearth-"

struct cgroup_life {
    struct cgroup_fs *fs;
    char *node, *life;
    char *parent;
};

int cgroup_life_new(const struct cgroup_life_options *o, struct cgroup_life **ret,
                    struct error *err)
{
    enum cgroup_controller i;
    struct cgroup_life *l;
    struct cgroup_fs *fs;
    int r = cgroup_fs_new(o->mountinfo, &fs, err);

    if (r < 0)
        return r;
    for (i = 0; i < CGROUP_CONTROLLERS; i++) {
        if (!cgroup_fs_mount(fs, i)) {
            cgroup_fs_free(fs);
            return error_set(
                err, ERR_UNSUPPORTED,
                "the cgroup controllers memory, cpu, pids and freezer are not all there");
        }
    }
    l = calloc(1, sizeof(*l));
    if (!l)
        abort();
    l->fs = fs;
    l->node = str_dup(str_of(o->node));
    l->life = str_dup(str_of(o->life));
    l->parent = str_printf("/" PREFIX "%s.%s", o->node, o->life);
    *ret = l;
    return 0;
}

void cgroup_life_free(struct cgroup_life *l)
{
    if (!l)
        return;
    cgroup_fs_free(l->fs);
    free(l->node);
    free(l->life);
    free(l->parent);
    free(l);
}

int cgroup_life_check(const struct cgroup_life *l, struct error *err)
{
    const char *mount;
    size_t i;

    for (i = 0; (mount = cgroup_fs_hierarchy(l->fs, i)); i++) {
        CLEANUP(freep) char *path = str_printf("%s%s", mount, l->parent);

        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return error_set_errno(err, ERR_SYSTEM, errno, "making the cgroup %s", path);
        rmdir(path);
    }
    return 0;
}

const char *cgroup_life_parent(const struct cgroup_life *l)
{
    return l->parent;
}

const char *cgroup_life_unused_mount(const struct cgroup_life *l)
{
    return cgroup_fs_unused_mount(l->fs);
}

void cgroup_life_child(const struct cgroup_life *l, const char *name, struct cgroup *ret)
{
    CLEANUP(freep) char *path = str_printf("%s/%s", l->parent, name);

    cgroup_at(l->fs, path, ret);
}

static int remove_folder(const char *folder, struct error *err)
{
    if (rmdir(folder) == 0 || errno == ENOENT)
        return 0;
    return error_set_errno(err, errno == EBUSY ? ERR_CONFLICT : ERR_SYSTEM, errno, "removing %s",
                           folder);
}

int cgroup_life_remove(const struct cgroup_life *l, const char *name, struct error *err)
{
    const char *mount;
    int r = 0, one;
    size_t i;

    for (i = 0; (mount = cgroup_fs_hierarchy(l->fs, i)); i++) {
        CLEANUP(freep) char *path = str_printf("%s%s/%s", mount, l->parent, name);

        one = remove_folder(path, err);
        r = one < 0 ? one : r;
    }
    return r;
}

/* ---- all of a life */

/* The leaves first: a cgroup with children is not removed. */
static void sweep_folder(const struct cgroup_life *l, const char *folder, int *r,
                         struct error *err)
{
    /* all in one hierarchy: of another one's files there are none */
    struct cgroup cg = {.is_v2 = cgroup_fs_is_v2(l->fs)};
    DIR *dir = opendir(folder);
    struct dirent *e;
    size_t i;
    int one;

    if (!dir)
        return;
    while ((e = readdir(dir))) {
        CLEANUP(freep) char *child = str_printf("%s/%s", folder, e->d_name);

        if (e->d_type == DT_DIR && e->d_name[0] != '.')
            sweep_folder(l, child, r, err);
    }
    closedir(dir);
    for (i = 0; i < CGROUP_CONTROLLERS; i++)
        cg.folder[i] = (char *)folder;
    (void)cgroup_kill(&cg);
    one = remove_folder(folder, err);
    *r = one < 0 ? one : *r;
}

/* "hearth-<node>.<8 hexadecimal digits>": another life of this node. */
static bool is_earlier(const struct cgroup_life *l, const char *name)
{
    size_t node = strlen(l->node), prefix = strlen(PREFIX);

    return strncmp(name, PREFIX, prefix) == 0 && strncmp(name + prefix, l->node, node) == 0 &&
           name[prefix + node] == '.' && strlen(name + prefix + node + 1) == LIFE_LEN &&
           strspn(name + prefix + node + 1, "0123456789abcdef") == LIFE_LEN &&
           strcmp(name + prefix + node + 1, l->life) != 0;
}

int cgroup_life_sweep(const struct cgroup_life *l, bool earlier, struct error *err)
{
    const char *mount;
    int r = 0;
    size_t i;

    for (i = 0; (mount = cgroup_fs_hierarchy(l->fs, i)); i++) {
        DIR *dir = opendir(mount);
        struct dirent *e;

        while (dir && (e = readdir(dir))) {
            CLEANUP(freep) char *folder = str_printf("%s/%s", mount, e->d_name);

            if (earlier ? is_earlier(l, e->d_name) : strcmp(e->d_name, l->parent + 1) == 0)
                sweep_folder(l, folder, &r, err);
        }
        if (dir)
            closedir(dir);
    }
    return r;
}
