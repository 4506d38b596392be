/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/store/fn_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/fn_name.h"
#include "controller/store/docs.h"
#include "controller/store/fn_doc.h"

static const char *const kind_names[FN_KIND_MAX] = {
    [FN_SETTINGS] = "settings",
    [FN_VERSIONS] = "versions",
    [FN_ALIASES] = "aliases",
    [FN_POLICIES] = "policies",
    [FN_URLS] = "urls",
    [FN_EVENT_CONFIGS] = "events",
    [FN_PROVISIONED] = "provisioned",
    [FN_RUNTIME_CONFIGS] = "runtimes",
    [FN_VERSION_CODE] = "vcode",
    [FN_VERSION_BYTES] = "vbytes",
};

const char *fn_kind_name(enum fn_kind kind)
{
    return kind_names[kind];
}

char *fn_kind_key(struct str name, enum fn_kind kind)
{
    return str_printf("fn:%.*s:%s", STR_ARG(name), kind_names[kind]);
}

/*
 * Arguments: prefix, name, qualifier, letters (l: the last version, a: the account's counters), how
 * many others, name and qualifier of each, names of the kinds that are wanted.
 */
static struct redis_script lua_view = {
    .name = "view",
    .source =
    "local fn = ARGV[1] .. 'fn:' .. ARGV[2]\n"
    "local q = ARGV[3]\n"
    "local main = redis.call('HMGET', fn, 'doc', 'gen', 'stage', 'change', 'serving',\n"
    "                        'serving_gen', 'rev', 'seq', 'publish')\n"
    "if not main[1] then return {} end\n"
    "local function version(n) return redis.call('HGET', fn .. ':versions', n) end\n"
    "local alias, first, second = false, false, false\n"
    "if string.match(q, '^%d+$') then\n"
    "  first = version(q)\n"
    "elseif q ~= '' and q ~= '$LATEST' then\n"
    "  alias = redis.call('HGET', fn .. ':aliases', q)\n"
    "  if alias then\n"
    "    local doc = cjson.decode(alias)\n"
    "    first = version(doc.FunctionVersion)\n"
    "    local weights = doc.RoutingConfig and doc.RoutingConfig.AdditionalVersionWeights\n"
    "    for n in pairs(weights or {}) do second = version(n) end\n"
    "  end\n"
    "end\n"
    "local publish = main[9] and main[9] ~= '' and version(main[9])\n"
    "local next = redis.call('HGET', fn .. ':settings', 'next_version')\n"
    "local last = false\n" /* nil would end the answer here */
    "if string.find(ARGV[4], 'l') and next then\n"
    "  last = version(string.format('%d', next - 1))\n"
    "end\n"
    "local account = {}\n"
    "if string.find(ARGV[4], 'a') then\n"
    "  account = redis.call('MGET', ARGV[1] .. '" FN_RESERVED_KEY "',\n"
    "                       ARGV[1] .. '" FN_PROVISIONED_KEY "',\n"
    "                       ARGV[1] .. '" FN_CODE_BYTES_KEY "')\n"
    "end\n"
    "local function exists(name, q)\n"
    "  local other = ARGV[1] .. 'fn:' .. name\n"
    "  if q == '' or q == '$LATEST' then return redis.call('EXISTS', other) end\n"
    "  local kind = string.match(q, '^%d+$') and ':versions' or ':aliases'\n"
    "  return redis.call('HEXISTS', other .. kind, q)\n"
    "end\n"
    "local others = {}\n"
    "local kinds = 6 + 2 * tonumber(ARGV[5])\n"
    "for i = 6, kinds - 1, 2 do others[#others + 1] = exists(ARGV[i], ARGV[i + 1]) end\n"
    "local out = {main, alias, first, second, publish, last,\n"
    "             redis.call('HGETALL', fn .. ':settings'), account, others}\n"
    "for i = kinds, #ARGV do\n"
    "  out[#out + 1] = redis.call('HGETALL', fn .. ':' .. ARGV[i])\n"
    "end\n"
    "return out\n"};

enum { MAIN, ALIAS, FIRST, SECOND, PUBLISH, LAST, SETTINGS, ACCOUNT, OTHERS, KINDS };
enum { DOC, GEN, STAGE, CHANGE, SERVING, SERVING_GEN, REV, SEQ };

/* ---- records ---- */

void fn_record_free(struct fn_record *rec)
{
    if (!rec)
        return;
    fn_version_free(rec->ver);
    fn_version_free(rec->serving);
    fn_version_free(rec->publish);
    free(rec);
}

void fn_record_freep(struct fn_record **rec)
{
    fn_record_free(*rec);
    *rec = NULL;
}

const struct fn_version *fn_record_running(const struct fn_record *rec)
{
    const struct fn_version *ver = rec->stage == FN_STAGE_PREPARE ? rec->serving : rec->ver;

    if (rec->stage == FN_STAGE_SWITCH)
        return ver;
    return ver && ver->state == FN_ACTIVE ? ver : NULL;
}

/* ---- reading ---- */

static const struct redis_value *item(const struct redis_value *value, size_t i)
{
    static const struct redis_value nil = {.type = REDIS_NIL};

    return value->type == REDIS_ARRAY && i < value->len ? &value->items[i] : &nil;
}

static int read_doc(const struct seal_key *key, const struct redis_value *doc,
                    struct fn_version **ret, struct error *err)
{
    return doc->type == REDIS_STRING ? fn_doc_read(key, doc->str, false, ret, err) : 0;
}

static uint64_t number(const struct redis_value *value)
{
    uint64_t v = 0;

    str_parse_u64(value->str, &v);
    return v;
}

static int record_read(const struct seal_key *key, const struct redis_value *main,
                       const struct redis_value *publish, struct fn_record **ret,
                       struct error *err)
{
    CLEANUP(fn_record_freep) struct fn_record *rec = calloc(1, sizeof(*rec));
    struct str stage = item(main, STAGE)->str;
    int r;

    if (!rec)
        abort();
    if (item(main, DOC)->type != REDIS_STRING)
        return error_set(err, ERR_NOT_FOUND, "no such function");
    rec->stage = str_is(stage, "prepare")  ? FN_STAGE_PREPARE
                 : str_is(stage, "switch") ? FN_STAGE_SWITCH
                                           : FN_STAGE_NONE;
    snprintf(rec->change, sizeof(rec->change), "%.*s", STR_ARG(item(main, CHANGE)->str));
    snprintf(rec->seq, sizeof(rec->seq), "%.*s", STR_ARG(item(main, SEQ)->str));
    r = read_doc(key, item(main, DOC), &rec->ver, err);
    if (r < 0)
        return r;
    rec->ver->generation = number(item(main, GEN));
    fn_set_str(&rec->ver->revision_id, item(main, REV)->str);
    r = read_doc(key, item(main, SERVING), &rec->serving, err);
    if (r == 0 && rec->serving)
        rec->serving->generation = number(item(main, SERVING_GEN));
    if (r == 0)
        r = read_doc(key, publish, &rec->publish, err);
    if (r == 0)
        *ret = TAKE(rec);
    return r;
}

struct viewing {
    const struct seal_key *key;
    unsigned wants;
    fn_view_fn *done;
    void *arg;
};

static int view_read(const struct viewing *v, const struct redis_value *value,
                     struct fn_view *view, struct error *err)
{
    size_t i, at = KINDS;
    int r;

    r = record_read(v->key, item(value, MAIN), item(value, PUBLISH), &view->rec, err);
    if (r == 0)
        r = read_doc(v->key, item(value, FIRST), &view->version, err);
    if (r == 0)
        r = read_doc(v->key, item(value, SECOND), &view->second, err);
    if (r == 0)
        r = read_doc(v->key, item(value, LAST), &view->last, err);
    if (r < 0)
        return r;
    view->alias = docs_json(item(value, ALIAS));
    view->settings = docs_hash_json(item(value, SETTINGS));
    view->reserved = (int64_t)number(item(item(value, ACCOUNT), 0));
    view->provisioned = (int64_t)number(item(item(value, ACCOUNT), 1));
    view->code_bytes = (int64_t)number(item(item(value, ACCOUNT), 2));
    for (i = 0; i < FN_OTHERS_MAX; i++)
        view->others[i] = item(item(value, OTHERS), i)->integer == 1;
    for (i = 0; i < FN_KIND_MAX; i++)
        if (v->wants & FN_WANT(i))
            view->kinds[i] = docs_hash_json(item(value, at++));
    return 0;
}

static void on_view(const struct redis_value *value, const struct error *err, void *arg)
{
    struct viewing *v = arg;
    struct fn_view *view = NULL;
    struct error own;

    if (!err) {
        view = calloc(1, sizeof(*view));
        if (!view)
            abort();
        if (view_read(v, value, view, &own) < 0) {
            err = &own;
            fn_view_free(view);
            view = NULL;
        }
    }
    v->done(view, err, v->arg);
    free(v);
}

void fn_view_free(struct fn_view *view)
{
    size_t i;

    if (!view)
        return;
    fn_record_free(view->rec);
    fn_version_free(view->version);
    fn_version_free(view->second);
    fn_version_free(view->last);
    cJSON_Delete(view->alias);
    cJSON_Delete(view->settings);
    for (i = 0; i < FN_KIND_MAX; i++)
        cJSON_Delete(view->kinds[i]);
    free(view);
}

static struct str text(struct str s)
{
    return s.ptr ? s : STR("");
}

void fn_view_get_with(struct redis *redis, const struct seal_key *key, struct str account,
                      struct str name, struct str qualifier, unsigned wants,
                      const struct fn_other *others, size_t others_len, fn_view_fn *done,
                      void *arg)
{
    CLEANUP(freep) char *prefix = str_printf("hearth:{%.*s}:", STR_ARG(account));
    struct str args[5 + 2 * FN_OTHERS_MAX + FN_KIND_MAX] = {str_of(prefix), name, text(qualifier)};
    struct viewing *v = calloc(1, sizeof(*v));
    char letters[3] = "", count[2] = "0";
    size_t len = 5, i;

    if (!v || others_len > FN_OTHERS_MAX)
        abort();
    *v = (struct viewing){key, wants, done, arg};
    snprintf(letters, sizeof(letters), "%s%s", wants & FN_WANT_LAST ? "l" : "",
             wants & FN_WANT_ACCOUNT ? "a" : "");
    count[0] = (char)('0' + others_len);
    args[3] = str_of(letters);
    args[4] = str_of(count);
    for (i = 0; i < others_len; i++) {
        args[len++] = text(others[i].name);
        args[len++] = text(others[i].qualifier);
    }
    for (i = 0; i < FN_KIND_MAX; i++)
        if (wants & FN_WANT(i))
            args[len++] = str_of(kind_names[i]);
    redis_eval(redis, &lua_view, NULL, 0, args, len, on_view, v);
}

void fn_view_get(struct redis *redis, const struct seal_key *key, struct str account,
                 struct str name, struct str qualifier, unsigned wants, fn_view_fn *done,
                 void *arg)
{
    fn_view_get_with(redis, key, account, name, qualifier, wants, NULL, 0, done, arg);
}

double fn_view_number(const struct fn_view *view, const char *name, double otherwise)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(view->settings, name);

    return cJSON_IsNumber(value) ? value->valuedouble : otherwise;
}

const cJSON *fn_view_doc(const struct fn_view *view, enum fn_kind kind, struct str field)
{
    CLEANUP(freep) char *name = str_dup(field);

    return cJSON_GetObjectItemCaseSensitive(view->kinds[kind], name);
}
