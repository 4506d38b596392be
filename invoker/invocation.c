/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/invocation_impl.h"

#include <stdlib.h>

#include "common/base/alloc.h"
#include "common/base/log.h"
#include "invoker/sandbox_limits.h"

#define PAYLOAD_MAX RUNTIME_BODY_MAX /* bytes; the gateway's limit, held here too */
#define ACCOUNT_MAX FENCE_ACCOUNT_MAX
#define NAME_MAX_BYTES 170u
#define VERSION_MAX 64u
#define SPARE_MAX 256u /* answered ones kept for reuse … */
#define SPARE_BYTES (64u * 1024u) /* … with buffers up to this size */
#define SERVED_CHECK_US SECONDS(1)
#define RECORD_MAX (1024u * 1024u) /* of a streamed answer: a piece, or the end */

static void on_wait_over(void *arg);
static void on_version(struct spec_wait *w, struct ready_version *ver, const struct error *err);

/* ---- life */

static struct invocation *invocation_new(struct invocations *all)
{
    struct invocation *inv = LIST_FIRST(&all->spare, struct invocation, node);

    if (inv) {
        list_remove(&inv->node);
        all->spare_count--;
    } else {
        inv = calloc(1, sizeof(*inv));
        if (!inv)
            abort();
        inv->all = all;
        buf_init(&inv->head_bytes, LINK_HEAD_MAX);
        buf_init(&inv->payload, PAYLOAD_MAX);
        timer_init(&inv->wait_over, all->loop, on_wait_over, inv);
        inv->spec_wait.done = on_version;
        list_init(&inv->spec_wait.node);
        list_init(&inv->pool_wait.node);
        list_init(&inv->node);
    }
    inv->state = INVOCATION_RECEIVING;
    inv->too_large = inv->second_try = inv->held = false;
    inv->streams = NULL;
    list_append(&all->active, &inv->node);
    all->active_count++;
    return inv;
}

static void invocation_free(struct invocation *inv)
{
    list_remove(&inv->node);
    timer_stop(&inv->wait_over);
    spec_cache_cancel(&inv->spec_wait);
    fence_over(inv->all->fence, &inv->run);
    free(inv->not_admitted);
    ready_version_unref(inv->ver);
    buf_done(&inv->head_bytes);
    buf_done(&inv->payload);
    free(inv);
}

static void shrink(struct buf *b)
{
    if (b->cap > SPARE_BYTES)
        buf_done(b);
    else
        buf_clear(b);
}

/* It has been answered, or never will be. */
void invocation_over(struct invocation *inv)
{
    struct invocations *all = inv->all;

    timer_stop(&inv->wait_over);
    fence_over(all->fence, &inv->run);
    free(TAKE(inv->not_admitted));
    ready_version_unref(TAKE(inv->ver));
    shrink(&inv->head_bytes);
    shrink(&inv->payload);
    inv->state = INVOCATION_OVER;
    list_remove(&inv->node);
    all->active_count--;
    if (all->spare_count < SPARE_MAX) {
        list_prepend(&all->spare, &inv->node);
        all->spare_count++;
    } else {
        invocation_free(inv);
    }
    if (all->draining && all->active_count == 0 && all->on_drained)
        loop_defer(all->loop, TAKE(all->on_drained), all->drain_arg);
}

/* ---- finding a sandbox */

static void look(struct invocation *inv);

static void on_look(void *arg)
{
    struct invocation *inv = arg;

    if (inv->state == INVOCATION_LOOKING)
        look(inv);
}

/* At the end of the turn: by then all that this turn tells of dead sandboxes is known. */
static void look_soon(struct invocation *inv)
{
    inv->state = INVOCATION_LOOKING;
    loop_defer(inv->all->loop, on_look, inv);
}

static uint64_t wait_left_us(const struct invocation *inv)
{
    uint64_t due = inv->arrived_us + MSEC(inv->head.wait_ms), now = now_us();

    return due > now ? due - now : 0;
}

/* First its patience, then the time that the gateway gave it. */
static void on_wait_over(void *arg)
{
    struct invocation *inv = arg;
    struct pool_version *pv = ready_version_pool(inv->ver);

    if (!inv->pool_wait.hurried) {
        pool_hurry(pv, &inv->pool_wait);
        timer_start(&inv->wait_over, wait_left_us(inv));
        return;
    }
    if (pool_is_served(pv, &inv->pool_wait)) { /* the sandbox's own deadlines hold from here on */
        timer_start(&inv->wait_over, SERVED_CHECK_US);
        return;
    }
    pool_cancel(pv, &inv->pool_wait);
    invocation_refuse(inv, ERR_THROTTLED,
           pool_version_is_at_rate(pv) ? "the function's scaling rate (scaling_rate) allows no other sandbox yet"
                                       : "the node has no room for another sandbox");
}

static void submit(struct invocation *inv, struct ready_version *ver)
{
    struct pool_version *pv = ready_version_pool(ver);
    char text[160];
    int r;

    ready_version_ref(ver); /* before: it may be the same one */
    ready_version_unref(inv->ver);
    inv->ver = ver;
    inv->state = INVOCATION_WAITING;
    r = pool_submit(pv, &inv->pool_wait);
    if (r == -ERR_THROTTLED) {
        snprintf(text, sizeof(text),
                 "the function's memory, %u MB, is more than this node has for all its sandboxes "
                 "(node_memory)",
                 ready_version_spec(ver)->memory_mib);
        invocation_refuse(inv, ERR_THROTTLED, text);
    } else if (r < 0) {
        invocation_refuse(inv, (enum error_code)-r, "the function was changed meanwhile");
    } else if (r == 0 && inv->head.flags & INVOKE_ROOM_ONLY && !pool_has_room(pv)) {
        pool_cancel(pv, &inv->pool_wait);
        invocation_refuse(inv, ERR_THROTTLED, "the node has no room for another sandbox");
    } else if (r == 0) {
        timer_start(&inv->wait_over, sandbox_return_us(ready_version_spec(ver)->memory_mib));
    }
}

static void on_version(struct spec_wait *w, struct ready_version *ver, const struct error *err)
{
    struct invocation *inv = CONTAINER_OF(w, struct invocation, spec_wait);

    if (err)
        invocation_refuse(inv, err->code, err->msg);
    else
        submit(inv, ver);
}

static void look(struct invocation *inv)
{
    const struct spec_key key = {.account = inv->head.account,
                                 .name = inv->head.name,
                                 .version = inv->head.version,
                                 .generation = inv->head.generation};
    struct ready_version *ver;
    int r;

    if (inv->not_admitted) {
        invocation_refuse(inv, inv->not_admitted->code, inv->not_admitted->msg);
        return;
    }
    if (fence_is_shut(inv->all->fence)) { /* it was let in, and has not begun */
        invocation_refuse(inv, ERR_UNAVAILABLE, "the node has not reached its controller for too long");
        return;
    }
    if (inv->too_large) {
        invocation_refuse(inv, ERR_TOO_LARGE, "the payload is too large");
        return;
    }
    if (inv->all->draining) {
        invocation_refuse(inv, ERR_UNAVAILABLE, "the node is shutting down");
        return;
    }
    r = spec_cache_find(inv->all->specs, &key, &ver);
    if (r == 0)
        submit(inv, ver);
    else if (r == -ERR_STALE)
        invocation_refuse(inv, ERR_STALE, "the function has been changed");
    else
        spec_cache_get(inv->all->specs, &key, &inv->spec_wait);
}

/* ---- what pool and sandbox say */

static struct invocation *of_wait(const struct pool_wait *w)
{
    return CONTAINER_OF(w, struct invocation, pool_wait);
}

void invocation_run(struct pool_wait *w, struct sandbox *sb)
{
    struct invocation *inv = of_wait(w);

    timer_stop(&inv->wait_over);
    inv->state = INVOCATION_RUNNING;
    inv->event = (struct sandbox_event){
        .data = {.request_id = inv->head.request_id,
                 .invoked_arn = inv->head.invoked_arn,
                 .trace_id = inv->head.trace_id,
                 .client_context = inv->head.client_context,
                 .cognito_identity = inv->head.cognito_identity,
                 .payload = buf_str(&inv->payload),
                 .wants_stream = inv->head.flags & INVOKE_ACCEPT_STREAM},
        .want_tail = inv->head.flags & INVOKE_LOG_TAIL,
    };
    if (sandbox_run(sb, &inv->event) == 0)
        return;
    invocation_refuse(inv, ERR_UNAVAILABLE, "the node cannot keep the function's output now");
    pool_ready(sandbox_pool(sb));
}

void invocation_not_run(const struct sandbox_event *ev)
{
    look_soon(invocation_of_event(ev));
}

void invocation_look_again(struct pool_wait *w)
{
    struct invocation *inv = of_wait(w);

    timer_stop(&inv->wait_over);
    look_soon(inv);
}

void invocation_start_failed(struct pool_wait *w, struct sandbox *sb,
                             const struct sandbox_failure *failure)
{
    struct invocation *inv = of_wait(w);

    timer_stop(&inv->wait_over);
    if (!inv->second_try && failure->kind == SANDBOX_FAILED_NO_IMAGE) {
        inv->second_try = true;
        look_soon(inv);
    } else {
        inv->state = INVOCATION_RUNNING;
        inv->event = (struct sandbox_event){.data = {.request_id = inv->head.request_id},
                                            .want_tail = inv->head.flags & INVOKE_LOG_TAIL};
        sandbox_charge(sb, &inv->event, failure);
    }
}

/* ---- the stream */

static void on_data(struct link_stream *s, struct str bytes, void *arg)
{
    struct invocation *inv = arg;

    if (inv->payload.len == 0 && inv->head.payload_bytes <= PAYLOAD_MAX)
        (void)buf_reserve(&inv->payload, inv->head.payload_bytes); /* once: it does not move then */
    if (!inv->too_large && buf_append_str(&inv->payload, bytes) < 0) {
        inv->too_large = true;
        buf_done(&inv->payload);
    }
    link_stream_consumed(s, bytes.len);
}

static void on_end(struct link_stream *s, void *arg)
{
    (void)s;
    look_soon(arg);
}

static void on_drain(struct link_stream *s, void *arg)
{
    (void)s;
    invocation_release(arg);
}

static void on_reset(struct link_stream *s, const struct error *why, void *arg)
{
    struct invocation *inv = arg;
    (void)s;

    log_debug("invoke", "gateway gone", KV_S("request_id", inv->head.request_id), KV_ERR(why));
    inv->stream = NULL;
    invocation_release(inv);
    inv->streams = NULL;
    if (inv->state == INVOCATION_RECEIVING)
        invocation_over(inv);
}

static const struct link_stream_ops stream_ops = {
    .on_data = on_data, .on_end = on_end, .on_reset = on_reset, .on_drain = on_drain};

static bool has_controls(struct str s)
{
    size_t i;

    for (i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return true;
    return false;
}

/* JSON that is to stand in a header: outside of strings, line ends are blanks like any other. */
static void put_on_one_line(struct str s)
{
    char *p = (char *)s.ptr; /* in head_bytes, which is ours */
    size_t i;

    for (i = 0; i < s.len; i++)
        if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
            p[i] = ' ';
}

/* Reads the copy in head_bytes, and checks what becomes a header, a file name or a key. */
static int read_head(struct invocation *inv)
{
    struct invoke_head *head = &inv->head;
    int r = invoke_head_read(buf_str(&inv->head_bytes), head);

    if (r < 0)
        return r;
    if (head->request_id.len == 0 || head->request_id.len > RUNTIME_ID_MAX ||
        head->account.len > ACCOUNT_MAX || head->name.len > NAME_MAX_BYTES ||
        head->version.len > VERSION_MAX || head->gateway.len > FENCE_GATEWAY_MAX ||
        head->pool.len > FENCE_POOL_MAX || has_controls(head->request_id) ||
        has_controls(head->invoked_arn) || has_controls(head->trace_id))
        return -ERR_PROTOCOL;
    put_on_one_line(head->client_context);
    put_on_one_line(head->cognito_identity);
    return 0;
}

/* From here on it counts as running, if it may run. */
static void admit(struct invocation *inv)
{
    const struct fence_claim claim = {.gateway = inv->head.gateway,
                                      .epoch = inv->head.epoch,
                                      .account = inv->head.account,
                                      .pool = inv->head.pool};
    struct error err;

    if (fence_admit(inv->all->fence, &inv->run, &claim, &err) == 0)
        return;
    inv->not_admitted = xcalloc(sizeof(err));
    *inv->not_admitted = err;
}

void invocations_accept(struct invocations *all, struct link_stream *s, struct str head)
{
    struct invocation *inv = invocation_new(all);

    if (buf_append_str(&inv->head_bytes, head) < 0 || read_head(inv) < 0) {
        log_warn("invoke", "malformed head; the stream is reset", KV_U64("bytes", head.len));
        invocation_over(inv);
        link_stream_reset(s, ERR_PROTOCOL);
        return;
    }
    inv->arrived_us = loop_now_us(all->loop);
    inv->stream = s;
    admit(inv);
    link_stream_accept(s, &stream_ops, inv);
}

/* ---- all of them */

struct invocations *invocations_new(struct loop *loop, struct spec_cache *specs, struct fence *fence)
{
    struct invocations *all = calloc(1, sizeof(*all));

    if (!all)
        abort();
    all->loop = loop;
    all->specs = specs;
    all->fence = fence;
    list_init(&all->active);
    list_init(&all->spare);
    buf_init(&all->head, LINK_HEAD_MAX);
    buf_init(&all->record, RECORD_MAX);
    return all;
}

void invocations_free(struct invocations *all)
{
    struct list_node *lists[2], *node, *after;
    size_t i;

    if (!all)
        return;
    lists[0] = &all->active;
    lists[1] = &all->spare;
    for (i = 0; i < ARRAY_LEN(lists); i++)
        LIST_FOREACH_SAFE(lists[i], node, after)
            invocation_free(CONTAINER_OF(node, struct invocation, node));
    buf_done(&all->head);
    buf_done(&all->record);
    free(all);
}

size_t invocations_count(const struct invocations *all)
{
    return all->active_count;
}

bool invocations_oldest_unplaced(const struct invocations *all, const struct link *link, uint32_t *ret)
{
    const struct invocation *inv;
    const struct list_node *node;

    LIST_FOREACH(&all->active, node) /* in the order of their coming */
    {
        inv = CONTAINER_OF(node, struct invocation, node);
        if (inv->state > INVOCATION_LOOKING || !inv->stream || link_stream_link(inv->stream) != link)
            continue;
        *ret = link_stream_id(inv->stream);
        return true;
    }
    return false;
}

const struct invoke_head *invocations_next(const struct invocations *all,
                                           const struct invoke_head *head)
{
    const struct list_node *node =
        head ? CONTAINER_OF(head, struct invocation, head)->node.next : all->active.next;

    return node == &all->active ? NULL : &CONTAINER_OF(node, struct invocation, node)->head;
}

void invocations_refuse_waiting(struct invocations *all, const char *message)
{
    struct list_node *node, *after;
    struct invocation *inv;

    LIST_FOREACH_SAFE(&all->active, node, after)
    {
        inv = CONTAINER_OF(node, struct invocation, node);
        if (inv->state == INVOCATION_WAITING)
            pool_cancel(ready_version_pool(inv->ver), &inv->pool_wait);
        else if (inv->state == INVOCATION_LOOKING)
            spec_cache_cancel(&inv->spec_wait);
        else
            continue;
        invocation_refuse(inv, ERR_UNAVAILABLE, message);
    }
}

void invocations_leave(struct invocations *all)
{
    struct invocation *inv;
    struct list_node *node;

    LIST_FOREACH(&all->active, node)
    {
        inv = CONTAINER_OF(node, struct invocation, node);
        inv->streams = NULL;
        inv->held = false;
    }
}

void invocations_drain(struct invocations *all, loop_fn *done, void *arg)
{
    all->draining = true;
    all->drain_arg = arg;
    if (all->active_count)
        all->on_drained = done;
    else
        loop_defer(all->loop, done, arg);
}
