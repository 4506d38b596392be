/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/role_renewal.h"

#include <stdlib.h>

#include "common/base/log.h"

#define LOOK_EVERY_US SECONDS(60)
#define LEFT_MIN_S 21600u /* half of a life */
#define ASKS_MAX 64u /* in one look: no burst when all were issued together */

struct role_renewal {
    struct role_renewal_options options;
    struct timer timer;
    uint64_t now_s; /* of the look under way */
    uint32_t asked;
};

static void look_at_version(const struct spec_key *key, const struct ready_version *ver, void *arg)
{
    const struct role_credentials *credentials = ver ? ready_version_spec(ver)->credentials : NULL;
    struct role_renewal *renewal = arg;

    if (!credentials || credentials->expires_s > renewal->now_s + LEFT_MIN_S ||
        renewal->asked == ASKS_MAX)
        return;
    renewal->asked++;
    renewal->options.ask(key, renewal->options.arg);
}

static void look_at_sandbox(struct sandbox *sb, uint64_t now_s)
{
    const struct role_credentials *credentials =
        ready_version_spec(sandbox_version(sb))->credentials;

    if (credentials && sandbox_is_outdated(sb, now_s, credentials->expires_s))
        pool_replace(sandbox_pool(sb));
}

void role_renewal_look(struct role_renewal *renewal)
{
    struct sandbox *sb = NULL, *next;

    renewal->now_s = renewal->options.now_ms() / 1000;
    renewal->asked = 0;
    spec_cache_each(renewal->options.specs, look_at_version, renewal);
    if (renewal->asked)
        log_debug("roles", "renewing credentials", KV_U64("versions", renewal->asked));
    for (sb = sandbox_next(renewal->options.host, NULL); sb; sb = next) {
        next = sandbox_next(renewal->options.host, sb); /* before this one may go */
        look_at_sandbox(sb, renewal->now_s);
    }
}

static void on_timer(void *arg)
{
    struct role_renewal *renewal = arg;

    role_renewal_look(renewal);
    timer_start(&renewal->timer, LOOK_EVERY_US);
}

struct role_renewal *role_renewal_new(const struct role_renewal_options *options)
{
    struct role_renewal *renewal = calloc(1, sizeof(*renewal));

    if (!renewal)
        abort();
    renewal->options = *options;
    timer_init(&renewal->timer, options->loop, on_timer, renewal);
    timer_start(&renewal->timer, LOOK_EVERY_US);
    return renewal;
}

void role_renewal_free(struct role_renewal *renewal)
{
    if (!renewal)
        return;
    timer_stop(&renewal->timer);
    free(renewal);
}
