/* SPDX-License-Identifier: Apache-2.0 */
#include "images/init/extensions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "images/init/child.h"

/* What the kernel writes for getdents64(2); libc's readdir(3) would allocate. */
struct dirent_head {
    uint64_t ino;
    int64_t off;
    unsigned short len;
    unsigned char type;
    char name[];
};

/* Variables of the runtime process alone; those that end in '*' are all that begin so. */
static const char *const not_theirs[] = {
    "_HANDLER",          "AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_*", "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR", "AWS_XRAY_*",       "_AWS_XRAY_*",      "PWD",
};

static struct {
    const char *dir;
    uint32_t len;
    struct {
        char name[INIT_NAME_MAX];
        pid_t pid; /* 0: does not run */
    } list[INIT_EXTENSIONS_MAX];
} table;

static const char *env_buf[INIT_ENV_MAX + 1];

/* Keeps the first ones by name, in order. */
static void insert(const char *name)
{
    uint32_t at = table.len, max = INIT_EXTENSIONS_MAX;

    while (at > 0 && strcmp(table.list[at - 1].name, name) > 0)
        at--;
    if (at == max)
        return;
    if (table.len == max)
        table.len--;
    memmove(&table.list[at + 1], &table.list[at], (table.len - at) * sizeof(table.list[0]));
    memset(&table.list[at], 0, sizeof(table.list[0]));
    snprintf(table.list[at].name, sizeof(table.list[at].name), "%s", name);
    table.len++;
}

static bool is_folder(int dir, const struct dirent_head *e)
{
    struct stat st;

    if (e->type == DT_REG)
        return false;
    if (e->type == DT_DIR)
        return true;
    return fstatat(dir, e->name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

uint32_t extensions_find(const char *dir, struct init_extensions *ret)
{
    static union {
        struct dirent_head align;
        char bytes[4096];
    } buf;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct dirent_head *e;
    uint32_t i;
    long n, at;

    memset(ret, 0, sizeof(*ret));
    memset(&table, 0, sizeof(table));
    table.dir = dir;
    while (fd >= 0 && (n = syscall(SYS_getdents64, fd, buf.bytes, sizeof(buf.bytes))) > 0) {
        for (at = 0; at < n; at += e->len) {
            e = (const struct dirent_head *)(const void *)(buf.bytes + at);
            if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0 || is_folder(fd, e))
                continue;
            ret->found++;
            insert(e->name);
        }
    }
    if (fd >= 0)
        close(fd);
    ret->len = table.len;
    for (i = 0; i < table.len; i++)
        ret->names[i] = table.list[i].name;
    return ret->found;
}

static bool is_theirs(const char *var)
{
    size_t i, len;

    for (i = 0; i < sizeof(not_theirs) / sizeof(not_theirs[0]); i++) {
        len = strlen(not_theirs[i]);
        if (not_theirs[i][len - 1] == '*') {
            if (strncmp(var, not_theirs[i], len - 1) == 0)
                return false;
        } else if (strncmp(var, not_theirs[i], len) == 0 && var[len] == '=') {
            return false;
        }
    }
    return true;
}

void extensions_start(uint32_t at, const char *const *env, int log_fd, const sigset_t *mask,
                      struct init_extension *ret)
{
    char path[64 + INIT_NAME_MAX];
    const char *argv[] = {path, NULL};
    const struct init_start start = {.cwd = "/", .argv = argv, .env = env_buf};
    struct child_report report;
    int report_fd = -1;
    ssize_t n = -1;
    size_t vars = 0;
    pid_t pid;

    for (; *env; env++)
        if (is_theirs(*env))
            env_buf[vars++] = *env;
    env_buf[vars] = NULL;
    snprintf(path, sizeof(path), "%s/%s", table.dir, table.list[at].name);
    snprintf(ret->name, sizeof(ret->name), "%s", table.list[at].name);
    pid = child_start(&start, log_fd, log_fd, mask, &report_fd);
    ret->news = INIT_EXTENSION_FAILED;
    ret->value = errno;
    if (pid < 0)
        return;
    do
        n = read(report_fd, &report, sizeof(report));
    while (n < 0 && errno == EINTR);
    close(report_fd);
    if (n == (ssize_t)sizeof(report)) {
        ret->value = report.sys_errno;
        return;
    }
    table.list[at].pid = pid;
    ret->news = INIT_EXTENSION_STARTED;
    ret->value = pid;
}

int extensions_ended(pid_t pid, int status, struct init_extension *ret)
{
    uint32_t i;

    for (i = 0; i < table.len; i++) {
        if (table.list[i].pid != pid)
            continue;
        table.list[i].pid = 0;
        ret->news = INIT_EXTENSION_EXITED;
        ret->value = status;
        snprintf(ret->name, sizeof(ret->name), "%s", table.list[i].name);
        return 1;
    }
    return 0;
}
