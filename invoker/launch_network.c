/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/launch_network.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/pidfd.h>

struct launch_network {
    struct network *network;
    int pidfd, pid_errno;
    struct network_port *port;
    struct net_policy *policy;
    launch_network_fn *done; /* NULL: nobody waits */
    void *arg;
    int r;
    struct error err;
};

static void work(void *arg)
{
    struct launch_network *w = arg;

    if (!w->port && w->pidfd < 0)
        w->r = error_set_errno(&w->err, ERR_SYSTEM, w->pid_errno, "the sandbox's PID 1");
    else if (!w->port)
        w->r = network_attach(w->network, w->pidfd, &w->port, &w->err);
    if (w->r == 0 && w->policy)
        w->r = network_restrict(w->port, w->policy, &w->err);
}

static void work_done(void *arg)
{
    struct launch_network *w = arg;

    if (w->done && w->r == 0)
        w->done(TAKE(w->port), NULL, w->arg);
    else if (w->done)
        w->done(NULL, &w->err, w->arg);
    network_detach(w->port);
    network_unref(w->network);
    net_policy_free(w->policy);
    closep(&w->pidfd);
    free(w);
}

struct launch_network *launch_network_begin(struct loop *loop, struct network *network, pid_t pid,
                                            struct network_port *port,
                                            const struct net_policy *policy,
                                            launch_network_fn *done, void *arg)
{
    struct launch_network *w = calloc(1, sizeof(*w));

    if (!w)
        abort();
    w->network = network_ref(network);
    w->port = port;
    w->pidfd = port ? -1 : pidfd_open(pid, 0);
    w->pid_errno = errno;
    w->policy = net_policy_copy(policy);
    w->done = done;
    w->arg = arg;
    loop_work(loop, work, work_done, w);
    return w;
}

void launch_network_cancel(struct launch_network *w)
{
    if (w)
        w->done = NULL;
}
