/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/lambda_ops.h"

#include <string.h>

const struct lambda_op lambda_op_table[LAMBDA_OP_MAX] = {
#define LAMBDA_OP(op_name, op_method, op_uri, op_success)                                          \
    [LAMBDA_OP_##op_name] = {LAMBDA_OP_##op_name, #op_name, op_method, op_uri, op_success},
#include "common/model/lambda_ops.inc"
#undef LAMBDA_OP
};

/* The routes of every invocation come first: a warm request compares one template. */
static const enum lambda_op_id hot_ids[] = {
    LAMBDA_OP_Invoke,
    LAMBDA_OP_InvokeWithResponseStream,
    LAMBDA_OP_InvokeAsync,
};

#define DATE_LEN 12 /* "/2015-03-31/": so begins every template */

/* The labels whose values hold slashes: ARNs with a path behind them, and base64. */
static bool is_greedy(struct str name)
{
    return str_is(name, "DurableExecutionArn") || str_is(name, "CallbackId") ||
           str_is(name, "ResourceArn");
}

/* Cuts the label @name off the front of @path; @rest is the template behind the label. */
static struct str cut_label(struct str path, struct str name, const char *rest)
{
    size_t rest_len = strlen(rest);

    if (is_greedy(name))
        return path.len > rest_len ? str_sub(path, 0, path.len - rest_len) : STR_NULL;
    return str_sub(path, 0, str_find(path, '/', 0));
}

/* Whether @path is what the template @uri (up to its query) describes; fills the labels. */
static bool uri_match(const char *uri, size_t uri_len, struct str path, struct lambda_match *m)
{
    const char *at = uri, *end = uri + uri_len, *brace;
    size_t literal, i = 0;
    struct str name, label;

    memset(m->label_names, 0, sizeof(m->label_names));
    while (at < end) {
        brace = memchr(at, '{', (size_t)(end - at));
        literal = (size_t)((brace ? brace : end) - at);
        if (path.len < literal || memcmp(path.ptr, at, literal) != 0)
            return false;
        path = str_sub(path, literal, path.len);
        if (!brace)
            break;
        at = memchr(brace, '}', (size_t)(end - brace));
        name = str_from(brace + 1, (size_t)(at - brace) - 1);
        label = cut_label(path, name, at + 1);
        if (label.len == 0 || i == LAMBDA_LABELS_MAX)
            return false;
        m->labels[i] = label;
        m->label_names[i++] = name;
        path = str_sub(path, label.len, path.len);
        at++;
    }
    return path.len == 0;
}

/* Whether the raw @query holds the pair @pair ("find=LayerVersion"). */
static bool query_has(struct str query, const char *pair)
{
    struct str rest = query, part;

    while (str_split(&rest, '&', &part))
        if (str_is(part, pair))
            return true;
    return false;
}

static bool op_match(const struct lambda_op *op, struct str method, struct str path,
                     struct str query, struct lambda_match *m)
{
    const char *pair;

    /* the date parts most templates from a path at once */
    if (path.len < DATE_LEN || memcmp(path.ptr, op->uri, DATE_LEN) != 0 ||
        !str_is(method, op->method))
        return false;
    pair = strchr(op->uri, '?');
    if (pair && !query_has(query, pair + 1))
        return false;
    m->op = op;
    return uri_match(op->uri, pair ? (size_t)(pair - op->uri) : strlen(op->uri), path, m);
}

/*
 * Two templates fit one path where one names a query pair and the other none, or where a greedy
 * label swallowed the other's last segment: the one that says more wins.
 */
static bool is_better(const struct lambda_match *a, const struct lambda_match *b)
{
    if (a->label_names[0].ptr && b->label_names[0].ptr && a->labels[0].len != b->labels[0].len)
        return a->labels[0].len < b->labels[0].len;
    return strchr(a->op->uri, '?') != NULL;
}

int lambda_op_match(struct str method, struct str path, struct str query, struct lambda_match *ret)
{
    struct lambda_match m, best = {.op = NULL};
    size_t i;

    if (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    for (i = 0; i < ARRAY_LEN(hot_ids); i++) {
        if (op_match(&lambda_op_table[hot_ids[i]], method, path, query, &m)) {
            *ret = m;
            return 0;
        }
    }
    for (i = 0; i < LAMBDA_OP_MAX; i++)
        if (op_match(&lambda_op_table[i], method, path, query, &m) &&
            (!best.op || is_better(&m, &best)))
            best = m;
    if (!best.op)
        return -ERR_NO_OPERATION;
    *ret = best;
    return 0;
}

const struct lambda_op *lambda_op_by_name(struct str name)
{
    size_t i;

    for (i = 0; i < LAMBDA_OP_MAX; i++)
        if (str_is(name, lambda_op_table[i].name))
            return &lambda_op_table[i];
    return NULL;
}

struct str lambda_match_label(const struct lambda_match *match, const char *name)
{
    size_t i;

    for (i = 0; i < LAMBDA_LABELS_MAX; i++)
        if (match->label_names[i].ptr && str_is(match->label_names[i], name))
            return match->labels[i];
    return STR_NULL;
}

const struct lambda_member *lambda_shape_member(const struct lambda_shape *shape, struct str name)
{
    size_t i;

    for (i = 0; i < shape->members_len; i++)
        if (str_is(name, shape->members[i].name))
            return &shape->members[i];
    return NULL;
}
