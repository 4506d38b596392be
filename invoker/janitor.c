/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/janitor.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Everything of ours it has inherited, but its own: sockets would stay open. */
static void close_all_but(int fd)
{
    if (fd > 0)
        close_range(0, (unsigned)fd - 1, 0);
    close_range((unsigned)fd + 1, ~0u, 0);
}

struct job {
    void (*hear)(struct str word, void *arg); /* NULL: nothing is said */
    void (*sweep)(const void *arg);
    void *arg;
};

static void janitor(const struct job *job, int socket)
{
    char word[JANITOR_WORD_MAX];
    sigset_t all;
    ssize_t n;

    setsid();
    sigfillset(&all); /* whoever ends us by a signal to all means the others too */
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_NAME, "hearth-janitor");
    close_all_but(socket);
    while ((n = recv(socket, word, sizeof(word), 0)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0 && job->hear)
            job->hear(str_from(word, (size_t)n), job->arg);
    job->sweep(job->arg);
    _exit(0);
}

/* Two forks: it is nobody's child whom we would have to wait for. */
static int start(const struct job *job, int *ret, struct error *err)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "starting the janitor");
    pid = fork();
    if (pid == 0) {
        if (fork() == 0)
            janitor(job, pair[0]);
        _exit(0);
    }
    close(pair[0]);
    if (pid < 0) {
        close(pair[1]);
        return error_set_errno(err, ERR_SYSTEM, errno, "starting the janitor");
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *ret = pair[1];
    return 0;
}

int janitor_start(void (*sweep)(const void *arg), const void *arg, int *ret, struct error *err)
{
    return start(&(struct job){.sweep = sweep, .arg = (void *)arg}, ret, err);
}

int janitor_start_listening(void (*hear)(struct str word, void *arg),
                            void (*sweep)(const void *arg), void *arg, int *ret,
                            struct error *err)
{
    return start(&(struct job){hear, sweep, arg}, ret, err);
}
