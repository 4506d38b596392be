/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/run_program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "common/base/cleanup.h"

#define GIVEN_FD 3

/* Only system calls: the memory is the parent's. A hidden mount is hidden by a mount namespace of
 * the program's own, which ends with it. */
static void become(const struct run_program *p, int given, int null)
{
    static char *env[] = {(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", NULL};
    sigset_t none;

    if (p->hidden &&
        (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
         umount2(p->hidden, MNT_DETACH) < 0))
        _exit(126);
    if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        _exit(126);
    if (given >= 0 && dup2(given, GIVEN_FD) < 0)
        _exit(126);
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(p->argv[0], (char *const *)p->argv, env);
    _exit(127);
}

/* Its exit status, or -1: it was killed, by us after the limit or by someone else. */
static int wait_for(pid_t pid, int limit_ms)
{
    CLEANUP(closep) int fd = pidfd_open(pid, 0);
    struct pollfd p = {fd, POLLIN, 0};
    int status, r;

    do
        r = fd < 0 ? 1 : poll(&p, 1, limit_ms);
    while (r < 0 && errno == EINTR);
    if (r == 0)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int run_program(const struct run_program *p, struct error *err)
{
    CLEANUP(closep) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    /* above the number that it gets: dup2() onto itself would leave close-on-exec as it is */
    CLEANUP(closep) int given = p->fd < 0 ? -1 : fcntl(p->fd, F_DUPFD_CLOEXEC, GIVEN_FD + 1);
    sigset_t all, before;
    pid_t pid;
    int status;

    if (null < 0 || (p->fd >= 0 && given < 0))
        return error_set_errno(err, ERR_SYSTEM, errno, "starting %s", p->argv[0]);
    sigfillset(&all); /* no handler of ours may run in the child, whose memory is this one */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pid = vfork();
    if (pid == 0)
        become(p, given, null);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "starting %s", p->argv[0]);
    status = wait_for(pid, p->limit_ms);
    if (status != 0)
        return error_set(err, ERR_SYSTEM, "%s ended with status %d", p->argv[0], status);
    return 0;
}
