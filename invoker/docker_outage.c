/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/docker_outage.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/str.h"

#define PAUSE_MIN_US MSEC(200)
#define PAUSE_MAX_US SECONDS(5)

void docker_outage_init(struct docker_outage *outage, struct loop *loop, const char *socket,
                        void (*retry)(void *arg), void *arg)
{
    struct str path = str_of(socket);

    if (str_starts(path, STR("unix://")))
        path = str_sub(path, 7, path.len);
    outage->socket = str_dup(path);
    outage->pause_us = 0;
    timer_init(&outage->timer, loop, retry, arg);
}

void docker_outage_done(struct docker_outage *outage)
{
    timer_stop(&outage->timer);
    free(outage->socket);
}

bool docker_outage_tells(const struct error *err)
{
    return err && err->code == ERR_UNAVAILABLE;
}

bool docker_outage_is_unheard(const struct error *err)
{
    return docker_outage_tells(err) && err->sys_errno == ECONNREFUSED;
}

void docker_outage_begin(struct docker_outage *outage, const struct error *err)
{
    if (timer_is_armed(&outage->timer))
        return;
    if (outage->pause_us == 0) {
        log_warn("launcher", "the Docker engine does not answer, trying again until it does",
                 KV_ERR(err));
        outage->pause_us = PAUSE_MIN_US;
    } else {
        outage->pause_us =
            outage->pause_us * 2 < PAUSE_MAX_US ? outage->pause_us * 2 : PAUSE_MAX_US;
    }
    timer_start(&outage->timer, outage->pause_us);
}

bool docker_outage_end(struct docker_outage *outage)
{
    if (outage->pause_us == 0)
        return false;
    outage->pause_us = 0;
    timer_stop(&outage->timer);
    log_info("launcher", "the Docker engine answers again");
    return true;
}

bool docker_outage_is_on(const struct docker_outage *outage)
{
    return outage->pause_us != 0;
}

bool docker_outage_is_pausing(const struct docker_outage *outage)
{
    return timer_is_armed(&outage->timer);
}

void docker_outage_error(const struct docker_outage *outage, struct error *ret)
{
    bool known = outage->socket[0];

    error_set(ret, ERR_UNAVAILABLE, "the Docker engine%s%s does not answer; is it running?",
              known ? " at " : "", outage->socket);
}
