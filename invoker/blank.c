/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worker threads run the OCI runtime and remove cgroups. Their jobs have copies of what they need
 * and hold the host; a blank that was freed meanwhile is NULL in its job.
 */
#include "invoker/blank.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "invoker/sandbox_limits.h"

#define ID_MAX 31
#define RETRY_MIN_US MSEC(2)
#define RETRY_MAX_US SECONDS(5)
#define RETRY_TOLD_US SECONDS(1) /* until then it is nothing unusual */

enum state { MAKING, READY, LOST, ADOPTED, ENDING };

struct job {
    struct blank *blank; /* NULL: freed */
    struct native_host *host;
    char id[ID_MAX + 1];
    int socket; /* PID 1's end, for the runtime */
    int pidfd;
    struct network_port *port;
    int r;
    struct error err;
};

struct blank {
    struct native_host *host;
    const struct blank_handler *handler;
    void *arg;
    char id[ID_MAX + 1];
    struct cgroup cgroup;
    enum state state;
    struct init_link *link;
    struct launch_fds fds;
    bool hello, closed; /* the link's news that came while the runtime still ran */
    int pidfd; /* -1: not made yet, or not at all */
    struct network_port *port; /* NULL: it has no network */
    struct job *job; /* the one that runs */
    struct watch *death;
    struct timer timer; /* until it is ready; until its removal is tried again */
    uint64_t retry_us;
    void (*dead)(void *arg); /* NULL: nobody wants to know */
    void (*gone)(void *arg);
    void *gone_arg;
};

static struct job *job_new(struct blank *b)
{
    struct job *job = calloc(1, sizeof(*job));

    if (!job)
        abort();
    job->blank = b;
    job->host = native_host_ref(b->host);
    job->socket = job->pidfd = -1;
    snprintf(job->id, sizeof(job->id), "%s", b->id);
    b->job = job;
    return job;
}

static void job_free(struct job *job)
{
    struct native_host *host = job->host;

    if (job->blank)
        job->blank->job = NULL;
    closep(&job->socket);
    closep(&job->pidfd);
    network_detach(job->port);
    free(job);
    native_host_unref(host);
}

/* ---- the end */

void blank_free(struct blank *b)
{
    if (!b)
        return;
    if (b->job)
        b->job->blank = NULL;
    init_link_free(b->link);
    launch_fds_close(&b->fds);
    watch_free(b->death);
    if (b->pidfd >= 0)
        pidfd_send_signal(b->pidfd, SIGKILL, NULL, 0);
    closep(&b->pidfd);
    network_detach(b->port);
    timer_stop(&b->timer);
    cgroup_done(&b->cgroup);
    native_host_unref(b->host);
    free(b);
}

static void removal_work(void *arg)
{
    struct job *job = arg;

    job->r = cgroup_life_remove(job->host->cgroups, job->id, &job->err);
    if (job->r == 0)
        job->r = oci_runtime_forget(job->host->runtime, job->id, &job->err);
}

static void removal_done(void *arg)
{
    struct job *job = arg;
    struct blank *b = job->blank;
    void (*gone)(void *);
    void *gone_arg;

    if (b && job->r < 0) {
        if (b->retry_us < RETRY_TOLD_US && b->retry_us * 2 >= RETRY_TOLD_US)
            log_warn("launcher", "sandbox not removed, trying again", KV_STR("blank", b->id),
                     KV_ERR(&job->err));
        timer_start(&b->timer, b->retry_us);
        b->retry_us = b->retry_us * 2 < RETRY_MAX_US ? b->retry_us * 2 : RETRY_MAX_US;
        job_free(job);
    } else if (b) {
        gone = b->gone;
        gone_arg = b->gone_arg;
        job_free(job);
        blank_free(b);
        if (gone)
            gone(gone_arg);
    } else {
        job_free(job);
    }
}

static void removal_begin(struct blank *b)
{
    if (!b->job)
        loop_work(b->host->loop, removal_work, removal_done, job_new(b));
}

/* PID 1 is dead, hence all others are. In a container without an init we are its parent. */
static void on_death(int fd, int events, void *arg)
{
    struct blank *b = arg;
    siginfo_t info;

    (void)events;
    watch_free(TAKE(b->death));
    (void)waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG);
    if (b->dead)
        b->dead(b->gone_arg);
    removal_begin(b);
}

/*
 * Its processes first. By the cgroup too: frozen ones would not die, and PID 1 may be one of a
 * thousand that want its CPU time.
 */
static void ending(struct blank *b)
{
    b->retry_us = RETRY_MIN_US;
    if (b->pidfd < 0) {
        removal_begin(b);
        return;
    }
    (void)cgroup_kill(&b->cgroup);
    pidfd_send_signal(b->pidfd, SIGKILL, NULL, 0);
    b->death = watch_new(b->host->loop, b->pidfd, on_death, b);
    watch_set(b->death, WATCH_READ);
}

void blank_end(struct blank *b, void (*dead)(void *arg), void (*gone)(void *arg), void *arg)
{
    b->dead = dead;
    b->gone = gone;
    b->gone_arg = arg;
    if (b->state == ENDING)
        return;
    b->state = ENDING;
    timer_stop(&b->timer);
    init_link_free(TAKE(b->link));
    launch_fds_close(&b->fds);
    if (!b->job) /* else it goes on when the runtime has returned */
        ending(b);
}

/* ---- the beginning */

static void lose(struct blank *b, const struct error *err)
{
    if (b->state != MAKING && b->state != READY)
        return;
    b->state = LOST;
    timer_stop(&b->timer);
    b->handler->on_lost(b, err, b->arg);
}

static void look_whether_ready(struct blank *b)
{
    if (b->state != MAKING || !b->hello || b->pidfd < 0)
        return;
    b->state = READY;
    timer_stop(&b->timer);
    b->handler->on_ready(b, b->arg);
}

static void on_timer(void *arg)
{
    struct blank *b = arg;
    struct error err;

    if (b->state == ENDING) {
        removal_begin(b);
        return;
    }
    error_set(&err, ERR_TIMEOUT, "the blank sandbox was not ready in time");
    lose(b, &err);
}

static void run_work(void *arg)
{
    struct job *job = arg;

    job->r = oci_runtime_run(job->host->runtime, job->id, job->socket, &job->pidfd, &job->err);
    if (job->r == 0 && job->host->network)
        job->r = network_attach(job->host->network, job->pidfd, &job->port, &job->err);
}

static void run_done(void *arg)
{
    struct job *job = arg;
    struct blank *b = job->blank;
    struct error err = job->err;
    int r = job->r;

    if (!b) {
        if (job->pidfd >= 0)
            pidfd_send_signal(job->pidfd, SIGKILL, NULL, 0);
        job_free(job);
        return;
    }
    b->pidfd = TAKE_FD(job->pidfd);
    b->port = TAKE(job->port);
    job_free(job);
    if (b->state == ENDING)
        ending(b);
    else if (r == 0 && !b->closed)
        look_whether_ready(b);
    else if (r < 0 || error_set(&err, ERR_CLOSED, "the blank sandbox ended at once") < 0)
        lose(b, &err);
}

/* The pipes are root's, who made them; the function opens them as /dev/stdout. */
static void on_hello(const struct launch_fds *fds, void *arg)
{
    struct blank *b = arg;
    struct error err;

    b->fds = *fds;
    if (fchown(fds->stdout_fd, SANDBOX_UID, SANDBOX_GID) < 0 ||
        fchown(fds->stderr_fd, SANDBOX_UID, SANDBOX_GID) < 0) {
        error_set_errno(&err, ERR_SYSTEM, errno, "the log pipes");
        lose(b, &err);
        return;
    }
    b->hello = true;
    look_whether_ready(b);
}

static void unexpected(struct blank *b)
{
    struct error err;

    error_set(&err, ERR_PROTOCOL, "hearth-init speaks before it was asked");
    lose(b, &err);
}

static void on_started(const struct init_started *m, void *arg)
{
    (void)m;
    unexpected(arg);
}

static void on_exited(const struct init_exited *m, void *arg)
{
    (void)m;
    unexpected(arg);
}

static void on_failure(const struct init_failure *m, void *arg)
{
    struct error err;

    error_set_errno(&err, ERR_SYSTEM, m->sys_errno, "hearth-init, step %u: %s", m->stage, m->text);
    lose(arg, &err);
}

static void on_extensions(const struct init_extensions *m, int log_fd, void *arg)
{
    (void)m;
    close(log_fd);
    unexpected(arg);
}

static void on_extension(const struct init_extension *m, void *arg)
{
    (void)m;
    unexpected(arg);
}

static void on_socket(const struct init_socket *m, int fd, void *arg)
{
    (void)m;
    closep(&fd);
    unexpected(arg);
}

static void on_closed(const struct error *err, void *arg)
{
    struct blank *b = arg;

    b->closed = true;
    if (!b->job) /* else the runtime tells why */
        lose(b, err);
}

static const struct init_link_handler link_handler = {
    .on_hello = on_hello,
    .on_started = on_started,
    .on_exited = on_exited,
    .on_failure = on_failure,
    .on_closed = on_closed,
    .on_extensions = on_extensions,
    .on_extension = on_extension,
    .on_socket = on_socket,
};

struct blank *blank_new(struct native_host *host, const char *id, uint64_t limit_us,
                        const struct blank_handler *handler, void *arg)
{
    struct blank *b = calloc(1, sizeof(*b));
    struct job *job;
    int pair[2];

    if (!b)
        abort();
    b->host = native_host_ref(host);
    b->handler = handler;
    b->arg = arg;
    b->pidfd = -1;
    b->fds = LAUNCH_FDS_NONE;
    snprintf(b->id, sizeof(b->id), "%s", id);
    cgroup_life_child(host->cgroups, id, &b->cgroup);
    timer_init(&b->timer, host->loop, on_timer, b);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        log_error("launcher", "no socket for a sandbox", KV_STR("blank", id));
        timer_start(&b->timer, 0); /* fails it */
        return b;
    }
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    b->link = init_link_new_connected(host->loop, pair[0], &link_handler, b);
    job = job_new(b);
    job->socket = pair[1];
    loop_work(host->loop, run_work, run_done, job);
    timer_start(&b->timer, limit_us);
    return b;
}

int blank_pidfd(const struct blank *b)
{
    return b->pidfd;
}

const char *blank_id(const struct blank *b)
{
    return b->id;
}

struct network_port *blank_port(const struct blank *b)
{
    return b->port;
}

const struct cgroup *blank_cgroup(const struct blank *b)
{
    return &b->cgroup;
}

struct init_link *blank_adopt(struct blank *b, const struct init_link_handler *handler, void *arg)
{
    b->state = ADOPTED;
    init_link_set_handler(b->link, handler, arg);
    return b->link;
}

struct launch_fds blank_take_fds(struct blank *b)
{
    struct launch_fds fds = b->fds;

    b->fds = LAUNCH_FDS_NONE;
    return fds;
}
