/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/filter_pattern.h"

#include <string.h>

#include <cjson/cJSON.h>

#define DEPTH_MAX 64u

/* ---- comparisons ---- */

static bool is_text(const cJSON *v)
{
    return cJSON_IsString(v);
}

/* A text, or {"equals-ignore-case": text}. */
static bool is_affix(const cJSON *v)
{
    return is_text(v) ||
           (cJSON_IsObject(v) && v->child && !v->child->next &&
            strcmp(v->child->string, "equals-ignore-case") == 0 && is_text(v->child));
}

static bool is_wildcard(const cJSON *v)
{
    return is_text(v) && !strstr(v->valuestring, "**");
}

static bool is_flag(const cJSON *v)
{
    return cJSON_IsBool(v);
}

/* An IPv4 or IPv6 network: only its form. */
static bool is_network(const cJSON *v)
{
    const char *slash = is_text(v) ? strchr(v->valuestring, '/') : NULL;
    uint64_t bits;

    if (!slash || slash == v->valuestring)
        return false;
    return strspn(v->valuestring, "0123456789abcdefABCDEF.:") ==
               (size_t)(slash - v->valuestring) &&
           str_parse_u64(str_of(slash + 1), &bits) == 0 && bits <= 128;
}

static bool is_above(const cJSON *op)
{
    return is_text(op) && (strcmp(op->valuestring, ">") == 0 || strcmp(op->valuestring, ">=") == 0);
}

static bool is_below(const cJSON *op)
{
    return is_text(op) && (strcmp(op->valuestring, "<") == 0 || strcmp(op->valuestring, "<=") == 0);
}

/* ["=", n], [">", n], or both ends of a range: [">", n, "<=", m]. */
static bool is_numeric(const cJSON *v)
{
    const cJSON *op = cJSON_IsArray(v) ? v->child : NULL, *value = op ? op->next : NULL;
    const cJSON *op2, *value2;

    if (!cJSON_IsNumber(value))
        return false;
    op2 = value->next;
    if (!op2)
        return is_above(op) || is_below(op) || (is_text(op) && strcmp(op->valuestring, "=") == 0);
    value2 = op2->next;
    return is_above(op) && is_below(op2) && cJSON_IsNumber(value2) && !value2->next &&
           value->valuedouble < value2->valuedouble;
}

/* @is of the value itself, or of each in a list of them. */
static bool one_or_all(const cJSON *v, bool (*is)(const cJSON *v))
{
    const cJSON *item;

    if (!cJSON_IsArray(v))
        return is(v);
    cJSON_ArrayForEach(item, v)
    {
        if (!is(item))
            return false;
    }
    return v->child != NULL;
}

static bool is_scalar(const cJSON *v)
{
    return is_text(v) || cJSON_IsNumber(v) || cJSON_IsBool(v) || cJSON_IsNull(v);
}

static bool is_anything_but(const cJSON *v)
{
    static const char *const texts[] = {"prefix", "suffix", "equals-ignore-case"};
    size_t i;

    if (!cJSON_IsObject(v))
        return one_or_all(v, is_scalar);
    if (!v->child || v->child->next)
        return false;
    for (i = 0; i < ARRAY_LEN(texts); i++)
        if (strcmp(v->child->string, texts[i]) == 0)
            return one_or_all(v->child, is_text);
    return strcmp(v->child->string, "wildcard") == 0 && one_or_all(v->child, is_wildcard);
}

static bool is_comparison(const cJSON *v)
{
    static const struct {
        const char *name;
        bool (*is)(const cJSON *v);
    } comparisons[] = {
        {"exists", is_flag},
        {"prefix", is_affix},
        {"suffix", is_affix},
        {"equals-ignore-case", is_text},
        {"wildcard", is_wildcard},
        {"anything-but", is_anything_but},
        {"numeric", is_numeric},
        {"cidr", is_network},
    };
    size_t i;

    if (!cJSON_IsObject(v) || !v->child || v->child->next)
        return false;
    for (i = 0; i < ARRAY_LEN(comparisons); i++)
        if (strcmp(v->child->string, comparisons[i].name) == 0)
            return comparisons[i].is(v->child);
    return false;
}

/* ---- the tree ---- */

static bool is_pattern(const cJSON *v, unsigned depth);

static bool is_alternatives(const cJSON *v, unsigned depth)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, v)
    {
        if (!is_pattern(item, depth))
            return false;
    }
    return cJSON_GetArraySize(v) >= 2;
}

static bool is_values(const cJSON *v)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, v)
    {
        if (!is_scalar(item) && !is_comparison(item))
            return false;
    }
    return v->child != NULL;
}

static bool is_pattern(const cJSON *v, unsigned depth)
{
    const cJSON *member;

    if (!cJSON_IsObject(v) || !v->child || depth > DEPTH_MAX)
        return false;
    cJSON_ArrayForEach(member, v)
    {
        if (cJSON_IsArray(member) && strcmp(member->string, "$or") == 0) {
            if (!is_alternatives(member, depth + 1))
                return false;
        } else if (cJSON_IsArray(member)) {
            if (!is_values(member))
                return false;
        } else if (!is_pattern(member, depth + 1)) {
            return false;
        }
    }
    return true;
}

int filter_pattern_check(struct str text, struct error *err)
{
    const char *end = NULL;
    cJSON *json = NULL;
    bool ok = false;

    if (text.len > 0 && text.len <= FILTER_PATTERN_MAX)
        json = cJSON_ParseWithLengthOpts(text.ptr, text.len, &end, false);
    if (json)
        ok = str_trim(str_from(end, (size_t)(text.ptr + text.len - end))).len == 0 &&
             is_pattern(json, 0);
    cJSON_Delete(json);
    return ok ? 0 : error_set(err, ERR_BAD_REQUEST, "Invalid filter pattern definition.");
}
