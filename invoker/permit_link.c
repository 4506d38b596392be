/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/permit_link.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/alloc.h"
#include "common/base/file.h"
#include "common/base/id.h"
#include "common/base/log.h"

#define ALIVE_US SECONDS(3) /* between two signs of life, until the controller has said what it waits for */
#define ALIVE_SHARE 10u /* in the time that it waits there are so many */
#define ALIVE_SHUT_US MSEC(100) /* while nothing may run: the leader may yet have to be sure that it leads */
#define ALIVE_LIMIT_US SECONDS(5)
#define GUARD_SHARE 20u /* of the lease: what the guard leaves us; the leader waits twice as long */
#define TELL_EVERY_US MSEC(5)
#define TELL_AGAIN_US SECONDS(1)
#define TELL_LIMIT_US SECONDS(5)
#define NUMBER_MAX ((1ull << 53) - 1) /* what JSON carries exactly */
#define GATEWAYS_MAX 10000

struct permit_link {
    struct permit_link_options options;
    char *file;
    char incarnation[PERMIT_INCARNATION_MAX];
    struct fence *fence;
    uint64_t kept_term, kept_epoch; /* in the file */
    struct link *link; /* NULL: down */
    uint64_t fence_us; /* how long the controller waits for a sign of life; 0: it has not said so */
    struct timer beat; /* the next sign of life; armed while the link is registered */
    struct timer lease; /* its end */
    uint64_t asked_us; /* the sign of life that is not answered yet; 0: none */
    struct timer tell; /* what runs on nobody's lease */
    bool telling; /* it is being told */
    bool wants_orphans; /* this controller does */
    uint64_t told_seq, told_us; /* the last time */
};

static void count_nodes(struct permit_link *pl, const cJSON *ok)
{
    double nodes = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(ok, "nodes"));

    if (nodes >= 1 && nodes <= UINT32_MAX)
        pl->options.nodes((uint32_t)nodes, pl->options.arg);
}

/* ---- the lease */

static void watch_lease(struct permit_link *pl)
{
    uint64_t end = fence_lease_end_us(pl->fence), now = permit_link_now_us();

    lease_guard_set(pl->options.guard, end ? end + pl->fence_us / GUARD_SHARE : 0);
    if (end)
        timer_start(&pl->lease, end > now ? end - now : 0);
    else
        timer_stop(&pl->lease);
}

static bool look(struct permit_link *pl)
{
    struct error err;

    if (!fence_look(pl->fence)) {
        watch_lease(pl);
        return false;
    }
    log_error("permits", "no controller has answered for too long: all that runs here is ended, "
                         "nothing is begun until one does",
              KV_U64("fence_ms", pl->fence_us / 1000));
    error_set(&err, ERR_TIMEOUT, "it has not answered for too long");
    pl->options.lapsed(pl->options.arg);
    watch_lease(pl);
    if (pl->link)
        link_cut(pl->link, &err);
    return true;
}

static void on_lease_over(void *arg)
{
    (void)look(arg);
}

/*
 * When the leader knew last that no other one was elected. One that Redis does not reach any more goes on, as nobody
 * may be elected there; but another one may, and counts our lease from its own election on.
 */
static uint64_t leader_was_sure_us(uint64_t sent_us, const cJSON *ok)
{
    double ms = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(ok, "leads_ms"));
    uint64_t age_us = ms >= 0 && ms <= (double)(NUMBER_MAX / 1000) ? (uint64_t)ms * 1000 : 0;

    return age_us < sent_us ? sent_us - age_us : 0;
}

static void renew(struct permit_link *pl, uint64_t sent_us, const cJSON *ok)
{
    double ms = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(ok, "fence_ms"));

    count_nodes(pl, ok);
    if (!(ms >= 1 && ms <= (double)(NUMBER_MAX / 1000)))
        return; /* it waits for nothing */
    pl->fence_us = (uint64_t)ms * 1000;
    if (pl->options.has_rivals)
        sent_us = leader_was_sure_us(sent_us, ok);
    fence_renew(pl->fence, sent_us, pl->fence_us);
    watch_lease(pl);
}

/* ---- signs of life */

static void on_alive(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct permit_link *pl = arg;
    uint64_t sent_us = pl->asked_us;
    (void)body;

    pl->asked_us = 0;
    if (!err) {
        renew(pl, sent_us, ok);
    } else if (err->code == ERR_NO_OPERATION) {
        fence_set_absent(pl->fence);
        timer_stop(&pl->beat); /* until there is another one */
        watch_lease(pl);
    }
}

static uint64_t beat_us(const struct permit_link *pl)
{
    return fence_is_shut(pl->fence) ? ALIVE_SHUT_US : pl->fence_us ? pl->fence_us / ALIVE_SHARE : ALIVE_US;
}

static void on_beat(void *arg)
{
    struct permit_link *pl = arg;

    if (look(pl) || !pl->link) /* the lease's own timer stands still when the machine does */
        return;
    timer_start(&pl->beat, beat_us(pl));
    if (pl->asked_us)
        return; /* one at a time: an answer renews as of its question */
    pl->asked_us = permit_link_now_us();
    rpc_call(pl->link, "node.alive", NULL, STR_NULL, ALIVE_LIMIT_US, on_alive, pl);
}

/* ---- orphans */

static cJSON *orphans_json(const struct permit_link *pl)
{
    cJSON *all = cJSON_CreateObject(), *list, *one;
    struct fence_orphans o;
    size_t at = 0;

    cJSON_AddStringToObject(all, "incarnation", pl->incarnation);
    cJSON_AddNumberToObject(all, "seq", (double)fence_orphans_seq(pl->fence));
    list = cJSON_AddArrayToObject(all, "orphans");
    while (fence_orphans_next(pl->fence, &at, &o)) {
        CLEANUP(freep) char *account = str_dup(o.account);
        CLEANUP(freep) char *pool = str_dup(o.pool);

        one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "account", account);
        cJSON_AddStringToObject(one, "pool", pool);
        cJSON_AddNumberToObject(one, "count", o.count);
        cJSON_AddItemToArray(list, one);
    }
    return all;
}

static void tell_later(struct permit_link *pl, uint64_t after_us)
{
    if (pl->link && pl->wants_orphans && fence_state(pl->fence) == FENCE_IN_FORCE && !pl->telling && !timer_is_armed(&pl->tell) &&
        pl->told_seq != fence_orphans_seq(pl->fence))
        timer_start(&pl->tell, after_us);
}

static void on_told(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct permit_link *pl = arg;
    (void)ok;
    (void)body;

    pl->telling = false;
    if (err) {
        pl->wants_orphans = pl->wants_orphans && err->code != ERR_NO_OPERATION;
        pl->told_seq = 0;
    }
    tell_later(pl, err ? TELL_AGAIN_US : TELL_EVERY_US);
}

static void on_tell(void *arg)
{
    struct permit_link *pl = arg;
    cJSON *args;

    if (!pl->link)
        return;
    pl->telling = true;
    pl->told_seq = fence_orphans_seq(pl->fence);
    pl->told_us = loop_now_us(pl->options.loop);
    args = orphans_json(pl);
    rpc_call(pl->link, "permits.orphans", args, STR_NULL, TELL_LIMIT_US, on_told, pl);
    cJSON_Delete(args);
}

static void on_orphans_changed(void *arg)
{
    struct permit_link *pl = arg;
    uint64_t due = pl->told_us + TELL_EVERY_US, now = loop_now_us(pl->options.loop);

    tell_later(pl, due > now ? due - now : 0);
}

/* ---- the file: "<term> <epoch>" */

static int read_file(struct permit_link *pl, struct error *err)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(128);
    int r = file_read(pl->file, &text, err);
    struct str rest, term;

    if (r == -ERR_NOT_FOUND)
        return 0;
    if (r < 0)
        return error_wrap(err, r, "the newest epoch heard");
    rest = str_trim(buf_str(&text));
    if (!str_split(&rest, ' ', &term) || str_parse_u64(term, &pl->kept_term) < 0 ||
        str_parse_u64(rest, &pl->kept_epoch) < 0)
        return error_set(err, ERR_CONFIG,
                         "%s has not the newest term and epoch that this node has heard of; if it was damaged, stop all gateways "
                         "and controllers, then remove it",
                         pl->file);
    return 0;
}

int permit_link_keep(struct permit_link *pl, struct error *err)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(128);
    uint64_t term = fence_term(pl->fence), epoch = fence_epoch(pl->fence);
    int r;

    if (term == pl->kept_term && epoch == pl->kept_epoch)
        return 0;
    (void)buf_printf(&text, "%" PRIu64 " %" PRIu64 "\n", term, epoch);
    r = file_write_atomic(pl->file, buf_str(&text), 0600, err);
    if (r < 0)
        return error_wrap(err, r, "keeping the epoch");
    pl->kept_term = term;
    pl->kept_epoch = epoch;
    return 0;
}

/* ---- permits.fence */

static bool read_number(const cJSON *args, const char *name, uint64_t *ret)
{
    double value = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(args, name));

    if (!(value >= 0 && value <= (double)NUMBER_MAX))
        return false;
    *ret = (uint64_t)value;
    return (double)*ret == value;
}

/* The strings of @list, borrowed; the array is the caller's. NULL: it is none. */
static struct str *read_gateways(const cJSON *list, size_t *ret_len)
{
    int len = cJSON_GetArraySize(list);
    struct str *all;
    const cJSON *one;
    size_t n = 0;

    if (!cJSON_IsArray(list) || len > GATEWAYS_MAX)
        return NULL;
    all = xcalloc(((size_t)len + 1) * sizeof(*all));
    cJSON_ArrayForEach(one, list)
    {
        all[n] = str_of(cJSON_GetStringValue(one));
        if (all[n].len == 0 || all[n].len > FENCE_GATEWAY_MAX) {
            free(all);
            return NULL;
        }
        n++;
    }
    *ret_len = n;
    return all;
}

static int hear(struct permit_link *pl, const cJSON *args, struct error *err)
{
    CLEANUP(freep) struct str *gateways = NULL;
    uint64_t epoch = fence_epoch(pl->fence);
    struct fence_news news;
    int r;

    gateways = read_gateways(cJSON_GetObjectItemCaseSensitive(args, "gateways"), &news.len);
    news.gateways = gateways;
    if (!gateways || !read_number(args, "term", &news.term) || !read_number(args, "epoch", &news.epoch) ||
        !read_number(args, "number", &news.number))
        return error_set(err, ERR_PROTOCOL, "permits.fence: an argument is missing or of the wrong kind");
    if (look(pl))
        return error_set(err, ERR_UNAVAILABLE, "the node's lease was over: it registers anew");
    r = fence_hear(pl->fence, &news, err);
    if (r < 0)
        return r;
    log_debug("permits", "fence", KV_U64("term", news.term), KV_U64("epoch", news.epoch),
              KV_U64("number", news.number), KV_U64("gateways", news.len));
    if (news.epoch != epoch)
        log_info("permits", "a new epoch", KV_U64("term", news.term), KV_U64("epoch", news.epoch),
                 KV_U64("orphans", fence_runs(pl->fence, STR(""))));
    if (fence_is_shut(pl->fence) && timer_is_armed(&pl->beat))
        timer_start(&pl->beat, ALIVE_SHUT_US);
    r = permit_link_keep(pl, err);
    if (r < 0 && pl->link)
        link_cut(pl->link, err);
    return r;
}

void permit_link_hear(struct permit_link *pl, struct rpc_request *req, const cJSON *args)
{
    struct error err;
    cJSON *ok;

    if (hear(pl, args, &err) < 0) {
        log_warn("permits", "a controller's word was refused", KV_ERR(&err));
        rpc_fail(req, &err);
        return;
    }
    ok = orphans_json(pl);
    pl->told_seq = fence_orphans_seq(pl->fence);
    timer_stop(&pl->tell);
    rpc_reply(req, ok, STR_NULL);
    cJSON_Delete(ok);
}

/* ---- the link */

void permit_link_up(struct permit_link *pl, struct link *link)
{
    pl->link = link;
    pl->wants_orphans = true;
    pl->told_seq = 0;
    fence_relinked(pl->fence);
}

void permit_link_registered(struct permit_link *pl, uint64_t sent_us, const cJSON *ok)
{
    renew(pl, sent_us, ok);
    timer_start(&pl->beat, 0);
    tell_later(pl, 0);
}

void permit_link_down(struct permit_link *pl)
{
    pl->link = NULL;
    timer_stop(&pl->beat);
    timer_stop(&pl->tell);
}

/* ---- life */

/* Goes on while the machine sleeps: the leader's does too. */
static const struct clock *fence_clock(void)
{
    return &clock_boot;
}

uint64_t permit_link_now_us(void)
{
    return clock_now_us(fence_clock());
}

struct fence *permit_link_fence(struct permit_link *pl)
{
    return pl->fence;
}

const char *permit_link_incarnation(const struct permit_link *pl)
{
    return pl->incarnation;
}

int permit_link_new(const struct permit_link_options *options, struct permit_link **ret,
                    struct error *err)
{
    struct permit_link *pl = xcalloc(sizeof(*pl));
    int r;

    pl->options = *options;
    pl->file = str_dup(str_of(options->file));
    token_make(16, pl->incarnation);
    timer_init(&pl->beat, options->loop, on_beat, pl);
    timer_init(&pl->lease, options->loop, on_lease_over, pl);
    timer_init(&pl->tell, options->loop, on_tell, pl);
    r = read_file(pl, err);
    if (r < 0) {
        permit_link_free(pl);
        return r;
    }
    pl->fence = fence_new(&(struct fence_options){.clock = fence_clock(),
                                                  .term = pl->kept_term,
                                                  .epoch = pl->kept_epoch,
                                                  .orphans_changed = on_orphans_changed,
                                                  .arg = pl});
    *ret = pl;
    return 0;
}

void permit_link_free(struct permit_link *pl)
{
    if (!pl)
        return;
    timer_stop(&pl->beat);
    timer_stop(&pl->lease);
    timer_stop(&pl->tell);
    fence_free(pl->fence);
    free(pl->file);
    free(pl);
}
