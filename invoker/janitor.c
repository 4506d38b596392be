/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/janitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Everything of ours it has inherited, but the pipe: sockets would stay open. */
static void close_all_but(int fd)
{
    if (fd > 0)
        close_range(0, (unsigned)fd - 1, 0);
    close_range((unsigned)fd + 1, ~0u, 0);
}

static void janitor(void (*sweep)(const void *arg), const void *arg, int pipe)
{
    sigset_t all;
    char c;
    ssize_t n;

    setsid();
    sigfillset(&all); /* whoever ends us by a signal to all means the others too */
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_NAME, "hearth-janitor");
    close_all_but(pipe);
    do
        n = read(pipe, &c, 1);
    while (n > 0 || (n < 0 && errno == EINTR));
    sweep(arg);
    _exit(0);
}

/* Two forks: it is nobody's child whom we would have to wait for. */
int janitor_start(void (*sweep)(const void *arg), const void *arg, int *ret, struct error *err)
{
    int p[2];
    pid_t pid;

    if (pipe2(p, O_CLOEXEC) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "starting the janitor");
    pid = fork();
    if (pid == 0) {
        if (fork() == 0)
            janitor(sweep, arg, p[0]);
        _exit(0);
    }
    close(p[0]);
    if (pid < 0) {
        close(p[1]);
        return error_set_errno(err, ERR_SYSTEM, errno, "starting the janitor");
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *ret = p[1];
    return 0;
}
