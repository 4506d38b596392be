/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/log.h"
#include "common/io/redis_internal.h"
#include "common/io/redis_reply.h"

static struct str text_of(const redisReply *reply)
{
    return str_from(reply->str, (size_t)reply->len);
}

static void sentinel_done(struct redis *r, enum error_code code, const char *text)
{
    struct error err;

    error_set(&err, code, "sentinel at %s: %s", r->text, text);
    redis_conn_forget(r, true);
    redis_conn_down(r, &err);
}

/* Connects to the master that @answer names. */
static void take_master(struct redis *r, const redisReply *answer)
{
    CLEANUP(freep) char *host = str_dup(text_of(answer->element[0]));
    uint64_t port;

    if (!host[0] || str_parse_u64(text_of(answer->element[1]), &port) < 0 || port == 0 ||
        port > 65535) {
        sentinel_done(r, ERR_PROTOCOL, "the master's address makes no sense");
        return;
    }
    log_debug("redis", "a sentinel names the master", KV_STR("sentinel", r->text),
              KV_STR("host", host), KV_U64("port", port));
    redis_conn_forget(r, true);
    timer_stop(&r->timer);
    r->asks_sentinel = false;
    redis_conn_to(r, host, (uint16_t)port);
}

static void on_master(redisAsyncContext *ac, void *reply, void *privdata)
{
    struct redis *r = ac->data;
    const redisReply *answer = reply;
    struct error err;
    (void)privdata;

    if (!r)
        return;
    if (!answer) {
        redis_conn_lost(r);
    } else if (answer->type == REDIS_REPLY_ERROR) {
        redis_reply_error(answer, &err);
        sentinel_done(r, err.code, err.msg);
    } else if (answer->type == REDIS_REPLY_NIL) {
        sentinel_done(r, ERR_UNAVAILABLE, "knows no master of this name");
    } else if (answer->type != REDIS_REPLY_ARRAY || answer->elements != 2 ||
               answer->element[0]->type != REDIS_REPLY_STRING ||
               answer->element[1]->type != REDIS_REPLY_STRING) {
        sentinel_done(r, ERR_PROTOCOL, "the answer makes no sense");
    } else {
        take_master(r, answer);
    }
}

void redis_sentinel_ask(struct redis *r)
{
    redisAsyncCommand(r->ac, on_master, NULL, "SENTINEL get-master-addr-by-name %s",
                      r->address.master);
}

static void ask_next(struct redis *r)
{
    const struct redis_host *s =
        &r->address.sentinels[(r->sentinel + r->asked) % r->address.sentinels_len];

    r->asked++;
    r->asks_sentinel = true;
    redis_conn_to(r, s->host, s->port);
}

void redis_sentinel_failed(struct redis *r, const struct error *why)
{
    struct error err;

    timer_stop(&r->timer);
    r->asks_sentinel = false;
    log_debug("redis", "a sentinel does not name the master", KV_ERR(why));
    if (r->asked < r->address.sentinels_len) {
        ask_next(r);
        return;
    }
    error_set(&err, why->code, "no sentinel names the Redis master %s; the last one: %s",
              r->address.master, why->msg);
    redis_conn_down(r, &err);
}

/* Another one first than the last time: it may know more by now. */
void redis_sentinel_begin(struct redis *r)
{
    r->sentinel = (r->sentinel + 1) % r->address.sentinels_len;
    r->asked = 0;
    ask_next(r);
}
