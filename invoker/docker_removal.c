/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/docker_removal.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#define RETRY_MIN_US MSEC(50)
#define RETRY_MAX_US SECONDS(30)
#define CONFLICT_RETRY_MAX_US SECONDS(5) /* it is being removed: news soon */

static void on_removed(const struct error *err, void *arg)
{
    struct docker_removal *r = arg;
    uint64_t most_us = RETRY_MAX_US;

    r->call = NULL;
    if (docker_outage_tells(err)) {
        docker_outage_begin(r->o.outage, err);
    } else if (!err || err->code == ERR_NOT_FOUND) {
        r->o.engine_answers(r->o.engine_arg);
        r->o.removed(r->o.arg);
        return;
    } else if (err->code == ERR_CONFLICT) { /* it is at it already, and says 404 once through */
        most_us = CONFLICT_RETRY_MAX_US;
    } else if (!r->told) {
        r->told = true;
        log_warn("launcher", "container not removed, trying again", KV_STR("sandbox", r->o.sandbox),
                 KV_ERR(err));
    }
    timer_start(&r->timer, r->retry_us);
    r->retry_us = r->retry_us * 2 < most_us ? r->retry_us * 2 : most_us;
}

static void on_timer(void *arg)
{
    struct docker_removal *r = arg;

    r->call = docker_container_remove(r->o.docker, r->o.container, on_removed, r);
}

void docker_removal_init(struct docker_removal *r, struct loop *loop,
                         const struct docker_removal_options *options)
{
    *r = (struct docker_removal){.o = *options, .retry_us = RETRY_MIN_US};
    timer_init(&r->timer, loop, on_timer, r);
}

void docker_removal_start(struct docker_removal *r, uint64_t after_us)
{
    timer_start(&r->timer, after_us);
}

void docker_removal_hurry(struct docker_removal *r)
{
    if (!timer_is_armed(&r->timer) || r->retry_us == RETRY_MIN_US)
        return;
    r->retry_us = RETRY_MIN_US;
    timer_start(&r->timer, RETRY_MIN_US);
}

void docker_removal_stop(struct docker_removal *r)
{
    timer_stop(&r->timer);
    if (r->call)
        docker_call_cancel(r->call);
    r->call = NULL;
}
