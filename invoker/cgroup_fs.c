/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/cgroup_fs.h"

#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/file.h"

#define HIERARCHIES_MAX 16
#define BIT(controller) (1u << (controller))

/* One mount of a cgroup file system. */
struct hierarchy {
    char *mount;
    unsigned controllers; /* bits */
};

struct cgroup_fs {
    bool is_v2;
    char *unused; /* where the unified tree is that we do not use */
    struct hierarchy at[HIERARCHIES_MAX];
    size_t len;
};

enum cgroup_controller cgroup_controller_of(struct str name)
{
    static const char *const names[CGROUP_CONTROLLERS] = {
        [CGROUP_MEMORY] = "memory",
        [CGROUP_CPU] = "cpu",
        [CGROUP_PIDS] = "pids",
        [CGROUP_FREEZER] = "freezer",
    };
    enum cgroup_controller i;

    for (i = 0; i < CGROUP_CONTROLLERS; i++)
        if (str_is(name, names[i]))
            break;
    return i;
}

static unsigned controllers_in(struct str words, char separator)
{
    unsigned found = 0;
    struct str word;

    while (str_split(&words, separator, &word))
        found |= BIT(cgroup_controller_of(str_trim(word)));
    return found & (BIT(CGROUP_CONTROLLERS) - 1);
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

static void add_hierarchy(struct cgroup_fs *fs, struct str mount, unsigned bits)
{
    if (fs->len == HIERARCHIES_MAX)
        return;
    fs->at[fs->len].mount = unescape(mount);
    fs->at[fs->len++].controllers = bits;
}

/* id parent major:minor root mountpoint options [optional ...] - type source superoptions */
static void read_mount(struct cgroup_fs *fs, struct str line)
{
    struct str word = STR_NULL, mount = STR_NULL, type = STR_NULL, options = STR_NULL;
    int n = 0;

    while (str_split(&line, ' ', &word) && !str_is(word, "-"))
        if (++n == 5)
            mount = word;
    if (!str_split(&line, ' ', &type) || !mount.len)
        return;
    if (str_is(type, "cgroup2") && !fs->unused) {
        fs->unused = unescape(mount);
    } else if (str_is(type, "cgroup") && str_split(&line, ' ', &word) &&
               str_split(&line, ' ', &options)) {
        add_hierarchy(fs, mount, controllers_in(options, ','));
    }
}

/* Version 2 counts when it has what we need. Its freezer is there without a controller. */
static void choose_version(struct cgroup_fs *fs)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(4096);
    CLEANUP(freep)
    char *file = fs->unused ? str_printf("%s/cgroup.controllers", fs->unused) : NULL;
    const unsigned need = BIT(CGROUP_MEMORY) | BIT(CGROUP_CPU) | BIT(CGROUP_PIDS);
    unsigned bits = 0;

    if (file && file_read(file, &text, NULL) == 0)
        bits = controllers_in(str_trim(buf_str(&text)), ' ');
    if ((bits & need) != need)
        return;
    while (fs->len)
        free(fs->at[--fs->len].mount);
    fs->at[fs->len++] = (struct hierarchy){TAKE(fs->unused), need | BIT(CGROUP_FREEZER)};
    fs->is_v2 = true;
}

int cgroup_fs_new(const char *mountinfo, struct cgroup_fs **ret, struct error *err)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(16u << 20);
    struct cgroup_fs *fs;
    struct str rest, line;
    int r = file_read(mountinfo ? mountinfo : "/proc/self/mountinfo", &text, err);

    if (r < 0)
        return r;
    fs = calloc(1, sizeof(*fs));
    if (!fs)
        abort();
    rest = buf_str(&text);
    while (str_split(&rest, '\n', &line))
        read_mount(fs, line);
    choose_version(fs);
    *ret = fs;
    return 0;
}

void cgroup_fs_free(struct cgroup_fs *fs)
{
    if (!fs)
        return;
    while (fs->len)
        free(fs->at[--fs->len].mount);
    free(fs->unused);
    free(fs);
}

bool cgroup_fs_is_v2(const struct cgroup_fs *fs)
{
    return fs->is_v2;
}

const char *cgroup_fs_mount(const struct cgroup_fs *fs, enum cgroup_controller controller)
{
    size_t i;

    for (i = 0; i < fs->len; i++)
        if (fs->at[i].controllers & BIT(controller))
            return fs->at[i].mount;
    return NULL;
}

const char *cgroup_fs_hierarchy(const struct cgroup_fs *fs, size_t i)
{
    return i < fs->len ? fs->at[i].mount : NULL;
}

const char *cgroup_fs_unused_mount(const struct cgroup_fs *fs)
{
    return fs->is_v2 ? NULL : fs->unused;
}
