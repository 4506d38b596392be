/* SPDX-License-Identifier: Apache-2.0 */
#include "images/init/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin"

/* Soft and hard limit, never above what the engine gave us: raising would need a capability. */
static void limit(int what, rlim_t soft, rlim_t hard)
{
    struct rlimit r;

    if (getrlimit((__rlimit_resource_t)what, &r) < 0)
        return;
    r.rlim_max = hard < r.rlim_max ? hard : r.rlim_max;
    r.rlim_cur = soft < r.rlim_max ? soft : r.rlim_max;
    setrlimit((__rlimit_resource_t)what, &r);
}

/* By the kernel's own call: libc keeps two signals for itself and would leave them ignored. */
static void reset_signals(const sigset_t *mask)
{
    static const struct {
        void *handler; /* NULL is SIG_DFL */
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } by_default;
    int i;

    for (i = 1; i <= 64; i++)
        syscall(SYS_rt_sigaction, i, &by_default, NULL, sizeof(by_default.mask));
    sigprocmask(SIG_SETMASK, mask, NULL);
}

static const char *path_of(const char *const *env)
{
    for (; *env; env++)
        if (strncmp(*env, "PATH=", 5) == 0)
            return *env + 5;
    return PATH_DEFAULT;
}

/* As execvpe(3), but with the PATH of the new environment and no shell for files without "#!". */
static void exec_along_path(const struct init_start *start)
{
    char *const *argv = (char *const *)start->argv, *const *env = (char *const *)start->env;
    const char *name = argv[0], *dir = path_of(start->env), *colon;
    char path[PATH_MAX];
    int found = ENOENT, n;

    if (strchr(name, '/') || name[0] == '\0') {
        execve(name, argv, env);
        return;
    }
    for (;; dir = colon + 1) {
        colon = strchrnul(dir, ':');
        n = snprintf(path, sizeof(path), "%.*s%s%s", (int)(colon - dir), dir,
                     colon == dir ? "" : "/", name);
        if (n > 0 && (size_t)n < sizeof(path)) {
            execve(path, argv, env);
            if (errno != ENOENT && errno != ENOTDIR)
                found = errno;
            if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
                break;
        }
        if (*colon == '\0')
            break;
    }
    errno = found;
}

static void report_and_exit(int report, enum init_stage stage)
{
    struct child_report r = {stage, errno};

    /* a pipe takes these few bytes whole; with no reader there is nobody to tell */
    if (write(report, &r, sizeof(r)) < 0)
        _exit(126);
    _exit(127);
}

static void become(const struct init_start *start, int out, int err, const sigset_t *mask,
                   int report)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        report_and_exit(report, INIT_STAGE_FORK);
    setsid();
    limit(RLIMIT_NOFILE, 1024, 1024);
    limit(RLIMIT_MEMLOCK, 65536, 65536);
    limit(RLIMIT_STACK, 8u << 20, RLIM_INFINITY);
    /* Lambda allows core files, but nothing there can take one; on a shared node they only hurt */
    limit(RLIMIT_CORE, 0, 0);
    umask(022);
    if (chdir(start->cwd) < 0)
        report_and_exit(report, INIT_STAGE_CHDIR);
    reset_signals(mask);
    exec_along_path(start);
    report_and_exit(report, INIT_STAGE_EXEC);
}

pid_t child_start(const struct init_start *start, int stdout_fd, int stderr_fd,
                  const sigset_t *mask, int *ret_report)
{
    int report[2];
    pid_t pid;

    if (pipe2(report, O_CLOEXEC) < 0)
        return -1;
    pid = fork();
    if (pid == 0)
        become(start, stdout_fd, stderr_fd, mask, report[1]);
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        return -1;
    }
    *ret_report = report[0];
    return pid;
}
