/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/invoke_wire.h"

#include <string.h>
#include <sys/types.h>

#include "common/proto/big_endian.h"

/* ---- writing: room is made once, then the fields follow one another */

#define QUESTION_FIXED (4u + 8u + 8u + 4u)
#define LENGTH_FIELD 4u
#define STR_PREFIX 2u

/* How much @strs need, or -ERR_TOO_LARGE. */
static ssize_t strs_size(const struct str *strs, size_t count)
{
    size_t need = 0;
    size_t i;

    for (i = 0; i < count; i++) {
        if (strs[i].len > UINT16_MAX)
            return -ERR_TOO_LARGE;
        need += STR_PREFIX + strs[i].len;
    }
    return (ssize_t)need;
}

static int make_room(struct buf *b, size_t fixed, const struct str *strs, size_t count)
{
    ssize_t need = strs_size(strs, count);

    return need < 0 ? (int)need : buf_reserve(b, fixed + (size_t)need);
}

static void put_u8(struct buf *b, uint8_t v)
{
    b->ptr[b->len++] = (char)v;
}

static void put_u32(struct buf *b, uint32_t v)
{
    be32_put(b->ptr + b->len, v);
    b->len += 4;
}

static void put_u64(struct buf *b, uint64_t v)
{
    be64_put(b->ptr + b->len, v);
    b->len += 8;
}

static void put_strs(struct buf *b, const struct str *strs, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        be16_put(b->ptr + b->len, (uint16_t)strs[i].len);
        b->len += STR_PREFIX;
        if (strs[i].len)
            memcpy(b->ptr + b->len, strs[i].ptr, strs[i].len);
        b->len += strs[i].len;
    }
}

/* ---- reading */

/* The first @n bytes of *@rest, or NULL when it is shorter. */
static const char *take(struct str *rest, size_t n)
{
    const char *taken = rest->ptr;

    if (rest->len < n)
        return NULL;
    rest->ptr += n;
    rest->len -= n;
    return taken;
}

static int take_strs(struct str *rest, struct str *const *rets, size_t count)
{
    const char *p;
    size_t i, len;

    for (i = 0; i < count; i++) {
        p = take(rest, STR_PREFIX);
        if (!p)
            return -ERR_PROTOCOL;
        len = be16_get(p);
        p = take(rest, len);
        if (!p)
            return -ERR_PROTOCOL;
        *rets[i] = (struct str){p, len};
    }
    return 0;
}

/* A length behind what older programs say. */
static uint32_t take_length(struct str *rest)
{
    const char *p = take(rest, LENGTH_FIELD);

    return p ? be32_get(p) : 0;
}

/* ---- heads */

int invoke_head_write(struct buf *b, const struct invoke_head *head)
{
    const struct str strs[] = {
        head->request_id,  head->account,  head->name,           head->version,
        head->invoked_arn, head->trace_id, head->client_context, head->cognito_identity,
    };
    const struct str permit[] = {head->gateway, head->pool};
    ssize_t more = strs_size(permit, ARRAY_LEN(permit));
    int r;

    r = more < 0 ? (int)more
                 : make_room(b, QUESTION_FIXED + LENGTH_FIELD + (size_t)more, strs, ARRAY_LEN(strs));
    if (r < 0)
        return r;
    put_u32(b, head->flags);
    put_u64(b, head->generation);
    put_u64(b, head->epoch);
    put_u32(b, head->wait_ms);
    put_strs(b, strs, ARRAY_LEN(strs));
    put_u32(b, head->payload_bytes);
    put_strs(b, permit, ARRAY_LEN(permit));
    return 0;
}

int invoke_head_read(struct str bytes, struct invoke_head *ret)
{
    struct invoke_head head = {0};
    struct str *const strs[] = {
        &head.request_id,  &head.account,  &head.name,           &head.version,
        &head.invoked_arn, &head.trace_id, &head.client_context, &head.cognito_identity,
    };
    struct str *const permit[] = {&head.gateway, &head.pool};
    const char *p = take(&bytes, QUESTION_FIXED);
    int r;

    if (!p)
        return -ERR_PROTOCOL;
    head.flags = be32_get(p);
    head.generation = be64_get(p + 4);
    head.epoch = be64_get(p + 12);
    head.wait_ms = be32_get(p + 20);
    r = take_strs(&bytes, strs, ARRAY_LEN(strs));
    if (r < 0)
        return r;
    head.payload_bytes = take_length(&bytes);
    if (bytes.len > 0)
        r = take_strs(&bytes, permit, ARRAY_LEN(permit));
    if (r == 0)
        *ret = head;
    return r;
}

int result_head_write(struct buf *b, const struct result_head *head)
{
    bool refused = head->outcome == INVOKE_REFUSED;
    const struct str strs[] = {
        /* by name: numbers of codes shift between versions */
        refused ? str_of(error_code_name(head->refused)) : STR(""),
        refused ? head->message : STR(""),
        head->executed_version,
        head->log_tail,
    };
    int r;

    r = make_room(b, 1 + LENGTH_FIELD, strs, ARRAY_LEN(strs));
    if (r < 0)
        return r;
    put_u8(b, (uint8_t)head->outcome);
    put_strs(b, strs, ARRAY_LEN(strs));
    put_u32(b, head->body_bytes);
    return 0;
}

/* A code is there exactly when something was refused. */
static int read_refusal(enum invoke_outcome outcome, struct str code, enum error_code *ret)
{
    *ret = ERR_OK;
    if ((outcome == INVOKE_REFUSED) != (code.len > 0))
        return -ERR_PROTOCOL;
    if (outcome == INVOKE_REFUSED) {
        *ret = error_code_from_name(code.ptr, code.len);
        if (*ret == ERR_OK)
            return -ERR_PROTOCOL;
    }
    return 0;
}

int result_head_read(struct str bytes, struct result_head *ret)
{
    struct result_head head = {0};
    struct str code;
    struct str *const strs[] = {&code, &head.message, &head.executed_version, &head.log_tail};
    const char *p = take(&bytes, 1);
    int r;

    if (!p || (uint8_t)*p > INVOKE_STREAMING)
        return -ERR_PROTOCOL;
    head.outcome = (enum invoke_outcome)*p;
    r = take_strs(&bytes, strs, ARRAY_LEN(strs));
    if (r == 0)
        r = read_refusal(head.outcome, code, &head.refused);
    head.body_bytes = take_length(&bytes);
    if (r == 0)
        *ret = head;
    return r;
}

int result_end_write(struct buf *b, const struct result_end *end)
{
    bool refused = end->outcome == INVOKE_REFUSED, failed = end->outcome == INVOKE_FUNCTION_ERROR;
    const struct str strs[] = {
        refused ? str_of(error_code_name(end->refused)) : STR(""),
        refused ? end->message : STR(""),
        end->log_tail,
        failed ? end->error_type : STR(""),
        failed ? str_sub(end->error, 0, UINT16_MAX) : STR(""),
    };
    int r;

    r = make_room(b, 1, strs, ARRAY_LEN(strs));
    if (r < 0)
        return r;
    put_u8(b, (uint8_t)end->outcome);
    put_strs(b, strs, ARRAY_LEN(strs));
    return 0;
}

int result_end_read(struct str bytes, struct result_end *ret)
{
    struct result_end end = {0};
    struct str code;
    struct str *const strs[] = {&code, &end.message, &end.log_tail, &end.error_type, &end.error};
    const char *p = take(&bytes, 1);
    int r;

    if (!p || (uint8_t)*p > INVOKE_REFUSED)
        return -ERR_PROTOCOL;
    end.outcome = (enum invoke_outcome)*p;
    r = take_strs(&bytes, strs, ARRAY_LEN(strs));
    if (r == 0)
        r = read_refusal(end.outcome, code, &end.refused);
    if (r == 0)
        *ret = end;
    return r;
}
