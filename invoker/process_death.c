/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/process_death.h"

#include <sys/pidfd.h>

#include "common/base/cleanup.h"

static void on_readable(int fd, int events, void *arg)
{
    struct process_death *d = arg;
    (void)fd;
    (void)events;

    watch_free(TAKE(d->watch));
    closep(&d->pidfd);
    d->dead(d->arg);
}

void process_death_init(struct process_death *d, struct loop *loop, loop_fn *dead, void *arg)
{
    *d = (struct process_death){.loop = loop, .pidfd = -1, .dead = dead, .arg = arg};
}

void process_death_note(struct process_death *d, pid_t pid)
{
    closep(&d->pidfd);
    if (pid > 0)
        d->pidfd = pidfd_open(pid, 0);
}

int process_death_pidfd(const struct process_death *d)
{
    return d->pidfd;
}

void process_death_watch(struct process_death *d)
{
    if (d->pidfd < 0 || d->watch)
        return;
    d->watch = watch_new(d->loop, d->pidfd, on_readable, d);
    watch_set(d->watch, WATCH_READ);
}

void process_death_done(struct process_death *d)
{
    if (!d->loop)
        return;
    if (d->watch)
        watch_free(TAKE(d->watch));
    closep(&d->pidfd);
}
