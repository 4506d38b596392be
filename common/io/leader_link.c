/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/leader_link.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/io/rpc.h"

#define TERM_MAX 9007199254740992.0 /* what a number in JSON holds exactly */

struct member {
    struct leader_link *ll;
    struct link *link;
    struct link_hello hello; /* of the controller that is there now, or was last */
    bool leads; /* says it, or is too old to; its link is up */
    uint64_t term;
};

struct leader_link {
    struct loop *loop;
    const struct leader_link_ops *ops;
    void *arg;
    struct member members[LEADER_LINK_MAX];
    size_t len;
    struct member *leader; /* NULL: none */
    struct link *none;
    uint64_t greatest; /* term heard of, and who said it */
    char greatest_id[sizeof(((struct link_hello *)NULL)->id)];
};

/* ---- who leads */

static struct member *best_of(struct leader_link *ll)
{
    struct member *best = ll->leader && ll->leader->leads ? ll->leader : NULL;
    size_t i;

    for (i = 0; i < ll->len; i++)
        if (ll->members[i].leads && (!best || ll->members[i].term > best->term))
            best = &ll->members[i];
    return best;
}

/* Somebody leads now, or does no more. @why: of the latter. */
static void choose(struct leader_link *ll, const struct error *why)
{
    struct member *before = ll->leader, *best = best_of(ll);
    struct error superseded;

    if (best == before)
        return;
    ll->leader = best;
    if (before) {
        if (before->leads) {
            error_set(&superseded, ERR_CLOSED, "controller %s leads now", best->hello.id);
            why = &superseded;
            before->leads = false;
            link_cut(before->link, why);
        }
        ll->ops->on_down(why, ll->arg);
    }
    if (best) {
        log_debug("leader", "leads", KV_STR("controller", best->hello.id),
                  KV_U64("term", best->term));
        ll->ops->on_up(best->link, &best->hello, ll->arg);
    }
}

static void leads_not(struct member *m, const struct error *why)
{
    m->leads = false;
    choose(m->ll, why);
}

/* ---- leader.is */

static void serve_leader_is(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    double term = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(args, "term"));
    struct member *m = arg;
    struct leader_link *ll = m->ll;
    struct error err;
    (void)body;

    if (!(term >= 0 && term < TERM_MAX) || term != (double)(uint64_t)term) {
        error_set(&err, ERR_PROTOCOL, "leader.is: term is no whole number");
        rpc_fail(rpc, &err);
        return;
    }
    m->term = (uint64_t)term;
    if (m->term == 0) {
        rpc_reply(rpc, NULL, STR_NULL);
        error_set(&err, ERR_CLOSED, "controller %s does not lead", m->hello.id);
        leads_not(m, &err);
        return;
    }
    if (m->term < ll->greatest ||
        (m->term == ll->greatest && strcmp(m->hello.id, ll->greatest_id) != 0)) {
        error_set(&err, ERR_STALE, "term %llu", (unsigned long long)ll->greatest);
        rpc_fail(rpc, &err);
        leads_not(m, &err);
        return;
    }
    rpc_reply(rpc, NULL, STR_NULL);
    ll->greatest = m->term;
    memcpy(ll->greatest_id, m->hello.id, sizeof(ll->greatest_id));
    m->leads = true;
    choose(ll, NULL);
}

static const struct rpc_method methods[] = {{"leader.is", serve_leader_is}, {NULL, NULL}};

/* ---- the links */

static void on_up(struct link *link, const struct link_hello *peer, void *arg)
{
    struct member *m = arg;
    (void)link;

    m->hello = *peer;
    m->term = 0;
    m->leads = !peer->says_leader;
    choose(m->ll, NULL);
}

static void on_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                      struct str head, void *arg)
{
    struct member *m = arg;
    struct leader_link *ll = m->ll;
    struct error err;

    if (kind == LINK_CALL && rpc_asks(head, "leader.is")) {
        rpc_serve(ll->loop, s, head, methods, m);
    } else if (m == ll->leader) {
        ll->ops->on_stream(link, s, kind, head, ll->arg);
    } else if (kind == LINK_CALL) {
        error_set(&err, ERR_STALE, "term %llu", (unsigned long long)ll->greatest);
        rpc_refuse(s, &err);
    }
}

static void on_down(struct link *link, const struct error *why, void *arg)
{
    (void)link;
    leads_not(arg, why);
}

static const struct link_ops link_ops = {
    .on_up = on_up, .on_stream = on_stream, .on_down = on_down, .peers = "controller"};

/* ---- the whole */

int leader_link_new(struct loop *loop, const char *addresses, const struct link_hello *me,
                    const struct leader_link_ops *ops, void *arg, struct leader_link **ret,
                    struct error *err)
{
    struct leader_link *ll = calloc(1, sizeof(*ll));
    struct str rest = str_of(addresses), address;
    int r = 0;

    if (!ll)
        abort();
    ll->loop = loop;
    ll->ops = ops;
    ll->arg = arg;
    ll->none = link_none(loop);
    while (r == 0 && str_split(&rest, ',', &address)) {
        CLEANUP(freep) char *text = str_dup(str_trim(address));
        struct member *m = &ll->members[ll->len];

        if (ll->len == LEADER_LINK_MAX) {
            r = error_set(err, ERR_CONFIG, "more than %d controllers", LEADER_LINK_MAX);
            break;
        }
        m->ll = ll;
        r = link_connect(loop, text, me, &link_ops, m, &m->link, err);
        ll->len += r == 0;
    }
    if (r == 0 && ll->len == 0)
        r = error_set(err, ERR_CONFIG, "no controller is named");
    if (r < 0) {
        leader_link_free(ll);
        return r;
    }
    *ret = ll;
    return 0;
}

void leader_link_free(struct leader_link *ll)
{
    size_t i;

    if (!ll)
        return;
    for (i = 0; i < ll->len; i++)
        link_free(ll->members[i].link);
    link_free(ll->none);
    free(ll);
}

struct link *leader_link_get(const struct leader_link *ll)
{
    return ll->leader ? ll->leader->link : ll->none;
}

bool leader_link_is_up(const struct leader_link *ll)
{
    return ll->leader != NULL;
}
