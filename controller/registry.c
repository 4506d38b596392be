/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/registry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "controller/registry_lua.h"

#define DOC_MAX (256u * 1024u) /* a function's document; AWS's limits keep it far below */
#define ENV_MAX (64u * 1024u)
#define ACCOUNTS_KEY "hearth:accounts"

struct registry {
    struct loop *loop;
    struct redis *redis;
    const struct seal_key *key;
};

/* One request under way. */
struct request {
    struct registry *reg;
    union {
        registry_record_fn *record;
        registry_page_fn *page;
        registry_change_fn *change;
    } done;
    void *arg;
    uint32_t limit;
};

/* ---- records ---- */

void fn_record_free(struct fn_record *rec)
{
    if (!rec)
        return;
    fn_version_free(rec->ver);
    fn_version_free(rec->serving);
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

/* The document of @ver, as text; its environment sealed. */
static int doc_write(struct registry *reg, const struct fn_version *ver, char **ret,
                     struct error *err)
{
    struct buf plain = BUF_INIT(ENV_MAX), sealed = BUF_INIT(2 * ENV_MAX);
    cJSON *json = NULL;
    int r = 0;

    if (ver->has_env) {
        r = fn_env_to_text(ver, &plain);
        if (r == 0)
            r = seal_text(reg->key, str_of(ver->account), str_of(ver->name), buf_str(&plain),
                          &sealed, err);
        else
            error_set(err, ERR_TOO_LARGE, "the environment does not fit");
    }
    if (r == 0) {
        json = fn_version_to_registry(ver, ver->has_env ? buf_str(&sealed) : STR_NULL);
        *ret = cJSON_PrintUnformatted(json);
        if (!*ret)
            abort();
        cJSON_Delete(json);
    }
    seal_wipe_buf(&plain);
    buf_done(&sealed);
    return r;
}

/*
 * Reads a document. With @forgive, an environment that cannot be unsealed is left out: one function
 * with a lost key must not hide the others of a list.
 */
static int doc_read(struct registry *reg, struct str text, uint64_t generation, bool forgive,
                    struct fn_version **ret, struct error *err)
{
    cJSON *json = text.len <= DOC_MAX ? cJSON_ParseWithLength(text.ptr, text.len) : NULL;
    CLEANUP(fn_version_freep) struct fn_version *ver = NULL;
    struct buf plain = BUF_INIT(ENV_MAX);
    struct str sealed = STR_NULL;
    int r;

    if (!json)
        return error_set(err, ERR_PROTOCOL, "a function's document is no JSON");
    r = fn_version_from_registry(json, &ver, &sealed, err);
    if (r == 0 && sealed.ptr) {
        r = unseal_text(reg->key, str_of(ver->account), str_of(ver->name), sealed, &plain, err);
        if (r == 0)
            r = fn_env_from_text(ver, buf_str(&plain), err);
        if (r < 0)
            error_wrap(err, r, "environment of function %s", ver->name);
        if (r < 0 && forgive) {
            log_warn("registry", "an environment is left out of a list",
                     KV_STR("function", ver->name));
            ver->has_env = false;
            r = 0;
        }
    }
    seal_wipe_buf(&plain);
    cJSON_Delete(json);
    if (r < 0)
        return r;
    ver->generation = generation;
    *ret = TAKE(ver);
    return 0;
}

/* ---- requests ---- */

static struct request *request_new(struct registry *reg, void *arg)
{
    struct request *req = calloc(1, sizeof(*req));

    if (!req)
        abort();
    req->reg = reg;
    req->arg = arg;
    return req;
}

static const struct redis_value *item(const struct redis_value *value, size_t i)
{
    static const struct redis_value nil = {.type = REDIS_NIL};

    return value->type == REDIS_ARRAY && i < value->len ? &value->items[i] : &nil;
}

static uint64_t number(const struct redis_value *value)
{
    uint64_t v = 0;

    if (value->type == REDIS_INTEGER)
        return value->integer > 0 ? (uint64_t)value->integer : 0;
    str_parse_u64(value->str, &v);
    return v;
}

/* ---- get ---- */

enum { GET_DOC, GET_GEN, GET_STAGE, GET_CHANGE, GET_SERVING, GET_SERVING_GEN, GET_FIELDS };
static const char *const get_fields[GET_FIELDS] = {"doc",    "gen",     "stage",
                                                   "change", "serving", "serving_gen"};

static int record_read(struct registry *reg, const struct redis_value *value,
                       struct fn_record **ret, struct error *err)
{
    CLEANUP(fn_record_freep) struct fn_record *rec = calloc(1, sizeof(*rec));
    struct str stage = item(value, GET_STAGE)->str, change = item(value, GET_CHANGE)->str;
    int r;

    if (!rec)
        abort();
    if (item(value, GET_DOC)->type != REDIS_STRING)
        return error_set(err, ERR_NOT_FOUND, "no such function");
    rec->stage = str_is(stage, "prepare")  ? FN_STAGE_PREPARE
                 : str_is(stage, "switch") ? FN_STAGE_SWITCH
                                           : FN_STAGE_NONE;
    if (change.len < sizeof(rec->change))
        snprintf(rec->change, sizeof(rec->change), "%.*s", STR_ARG(change));
    r = doc_read(reg, item(value, GET_DOC)->str, number(item(value, GET_GEN)), false, &rec->ver,
                 err);
    if (r == 0 && item(value, GET_SERVING)->type == REDIS_STRING)
        r = doc_read(reg, item(value, GET_SERVING)->str, number(item(value, GET_SERVING_GEN)),
                     false, &rec->serving, err);
    if (r == 0)
        *ret = TAKE(rec);
    return r;
}

static void on_got(const struct redis_value *value, const struct error *err, void *arg)
{
    struct request *req = arg;
    struct fn_record *rec = NULL;
    struct error own;

    if (!err && record_read(req->reg, value, &rec, &own) < 0)
        err = &own;
    req->done.record(err ? NULL : rec, err, req->arg);
    free(req);
}

/* "hearth:{<account>}:", the beginning of all keys of an account; the caller frees it. */
static char *prefix_of(struct str account)
{
    return str_printf("hearth:{%.*s}:", STR_ARG(account));
}

void registry_get(struct registry *reg, struct str account, struct str name,
                  registry_record_fn *done, void *arg)
{
    CLEANUP(freep) char *key = str_printf("hearth:{%.*s}:fn:%.*s", STR_ARG(account), STR_ARG(name));
    struct request *req = request_new(reg, arg);
    struct str words[2 + GET_FIELDS] = {STR("HMGET"), str_of(key)};
    size_t i;

    for (i = 0; i < GET_FIELDS; i++)
        words[2 + i] = str_of(get_fields[i]);
    req->done.record = done;
    redis_command(reg->redis, words, ARRAY_LEN(words), on_got, req);
}

/* ---- list ---- */

static void page_read(struct request *req, const struct redis_value *value)
{
    struct fn_version **vers = calloc(req->limit, sizeof(struct fn_version *));
    size_t i, len = 0;
    struct error err;

    if (!vers)
        abort();
    for (i = 0; i < value->len && i < req->limit; i++) {
        const struct redis_value *row = &value->items[i];

        /* a row without a document was deleted by hand: the list goes on without it */
        if (item(row, 0)->type != REDIS_STRING)
            continue;
        if (doc_read(req->reg, item(row, 0)->str, number(item(row, 1)), true, &vers[len], &err) < 0)
            log_warn("registry", "a function is left out of a list", KV_ERR(&err));
        else
            len++;
    }
    req->done.page(vers, len, value->len > req->limit, NULL, req->arg);
    for (i = 0; i < len; i++)
        fn_version_free(vers[i]);
    free(vers);
}

static void on_listed(const struct redis_value *value, const struct error *err, void *arg)
{
    struct request *req = arg;

    if (err)
        req->done.page(NULL, 0, false, err, req->arg);
    else
        page_read(req, value);
    free(req);
}

void registry_list(struct registry *reg, struct str account, struct str after, uint32_t limit,
                   registry_page_fn *done, void *arg)
{
    CLEANUP(freep) char *prefix = prefix_of(account);
    CLEANUP(freep) char *names = str_printf("%sfns", prefix);
    CLEANUP(freep) char *from = after.len ? str_printf("(%.*s", STR_ARG(after)) : str_printf("-");
    struct request *req = request_new(reg, arg);
    struct str key = str_of(names), args[3] = {str_of(prefix), str_of(from)};
    char count[16];

    snprintf(count, sizeof(count), "%" PRIu32, limit + 1); /* one more: are there others */
    args[2] = str_of(count);
    req->done.page = done;
    req->limit = limit;
    redis_eval(reg->redis, &lua_list, &key, 1, args, ARRAY_LEN(args), on_listed, req);
}

/* ---- changes ---- */

static int change_outcome(struct str word, struct error *err)
{
    if (str_is(word, "ok"))
        return 0;
    if (str_is(word, "exists"))
        return error_set(err, ERR_CONFLICT, "the function exists");
    if (str_is(word, "missing"))
        return error_set(err, ERR_NOT_FOUND, "no such function");
    if (str_is(word, "busy"))
        return error_set(err, ERR_CONFLICT, "another change is under way");
    if (str_is(word, "revision"))
        return error_set(err, ERR_PRECONDITION, "the revision is another");
    if (str_is(word, "over"))
        return error_set(err, ERR_STALE, "the change is over");
    return error_set(err, ERR_PROTOCOL, "a script of the registry answers \"%.*s\"", STR_ARG(word));
}

static void on_changed(const struct redis_value *value, const struct error *err, void *arg)
{
    struct request *req = arg;
    struct registry_change change = {0};
    struct str unused[2];
    struct error own;
    size_t i;

    if (!err && change_outcome(item(value, 0)->str, &own) < 0)
        err = &own;
    if (!err) {
        change.generation = number(item(value, 1));
        for (i = 2; i < value->len && i < 2 + ARRAY_LEN(unused); i++)
            unused[change.unused_code_len++] = item(value, i)->str;
        change.unused_code = unused;
    }
    req->done.change(err ? NULL : &change, err, req->arg);
    free(req);
}

/* Runs @script on the keys of function @name; @more are the arguments behind prefix and name. */
static void change_run(struct registry *reg, struct redis_script *script, struct str account,
                       struct str name, const struct str *more, size_t more_len,
                       registry_change_fn *done, void *arg)
{
    CLEANUP(freep) char *prefix = prefix_of(account);
    CLEANUP(freep) char *fn = str_printf("%sfn:%.*s", prefix, STR_ARG(name));
    CLEANUP(freep) char *fns = str_printf("%sfns", prefix);
    CLEANUP(freep) char *generation = str_printf("%sgeneration", prefix);
    CLEANUP(freep) char *changes = str_printf("%schanges", prefix);
    struct str keys[] = {str_of(fn), str_of(fns), str_of(generation), str_of(changes)};
    struct str args[7] = {str_of(prefix), name};
    struct request *req = request_new(reg, arg);
    size_t i;

    for (i = 0; i < more_len; i++)
        args[2 + i] = more[i];
    req->done.change = done;
    redis_eval(reg->redis, script, keys, ARRAY_LEN(keys), args, 2 + more_len, on_changed, req);
}

struct late {
    registry_change_fn *done;
    void *arg;
    struct error err;
};

static void on_late(void *arg)
{
    struct late *late = arg;

    late->done(NULL, &late->err, late->arg);
    free(late);
}

/* Writes @ver by @script; @expected only for those that compare the revision. */
static void change_write(struct registry *reg, struct redis_script *script,
                         const struct fn_version *ver, const char *change, const char *expected,
                         registry_change_fn *done, void *arg)
{
    CLEANUP(freep) char *doc = NULL;
    struct error err;
    struct late *late;

    if (doc_write(reg, ver, &doc, &err) < 0) {
        late = calloc(1, sizeof(*late));
        if (!late)
            abort();
        *late = (struct late){done, arg, err};
        loop_defer(reg->loop, on_late, late);
        return;
    }
    {
        struct str more[] = {
            str_of(doc), str_of(ver->revision_id),
            str_of(ver->package == FN_ZIP && ver->code_sha256 ? ver->code_sha256 : ""),
            str_of(change), str_of(expected ? expected : "")};

        change_run(reg, script, str_of(ver->account), str_of(ver->name), more,
                   expected ? ARRAY_LEN(more) : ARRAY_LEN(more) - 1, done, arg);
    }
}

static void on_entered(const struct redis_value *value, const struct error *err, void *arg)
{
    (void)value;
    (void)arg;
    if (err)
        log_debug("registry", "entering an account", KV_ERR(err));
}

/* A key outside of the account's hash tag cannot be part of its scripts. The connection keeps the
 * order: a create that succeeds comes after an entry that did. */
static void enter_account(struct registry *reg, const char *account)
{
    struct str words[] = {STR("SADD"), STR(ACCOUNTS_KEY), str_of(account)};

    redis_command(reg->redis, words, ARRAY_LEN(words), on_entered, NULL);
}

void registry_create(struct registry *reg, const struct fn_version *ver, const char *change,
                     registry_change_fn *done, void *arg)
{
    enter_account(reg, ver->account);
    change_write(reg, &lua_create, ver, change, NULL, done, arg);
}

void registry_begin(struct registry *reg, const struct fn_version *ver, const char *change,
                    const char *expected, registry_change_fn *done, void *arg)
{
    change_write(reg, &lua_begin, ver, change, expected, done, arg);
}

void registry_switch(struct registry *reg, const struct fn_version *ver, const char *change,
                     registry_change_fn *done, void *arg)
{
    change_write(reg, &lua_switch, ver, change, NULL, done, arg);
}

void registry_finish(struct registry *reg, const struct fn_version *ver, const char *change,
                     registry_change_fn *done, void *arg)
{
    change_write(reg, &lua_finish, ver, change, NULL, done, arg);
}

void registry_fail(struct registry *reg, const struct fn_version *ver, const char *change,
                   registry_change_fn *done, void *arg)
{
    change_write(reg, &lua_fail, ver, change, NULL, done, arg);
}

void registry_delete(struct registry *reg, struct str account, struct str name,
                     registry_change_fn *done, void *arg)
{
    change_run(reg, &lua_delete, account, name, NULL, 0, done, arg);
}

/* ---- all accounts ---- */

/* One question to every account: the accounts first, then a command for each. */
struct scan {
    struct registry *reg;
    registry_pending_fn *each; /* pending */
    registry_done_fn *done;
    registry_used_fn *used; /* code_used */
    void *arg;
    char sha256[80];
    unsigned waiting;
    bool found;
    bool failed;
    struct error err;
};

/* A command of a scan to one account. */
struct ask {
    struct scan *scan;
    char *account;
};

static struct scan *scan_new(struct registry *reg, void *arg)
{
    struct scan *scan = calloc(1, sizeof(*scan));

    if (!scan)
        abort();
    scan->reg = reg;
    scan->arg = arg;
    return scan;
}

static void scan_end(struct scan *scan)
{
    const struct error *err = scan->failed ? &scan->err : NULL;

    if (scan->waiting)
        return;
    if (scan->used)
        scan->used(scan->found, err, scan->arg);
    else
        scan->done(err, scan->arg);
    free(scan);
}

static void on_account_answer(const struct redis_value *value, const struct error *err, void *arg)
{
    struct ask *ask = arg;
    struct scan *scan = ask->scan;
    size_t i;

    if (err) {
        scan->failed = true;
        scan->err = *err;
    } else if (scan->used) {
        scan->found = scan->found || value->integer > 0;
    } else {
        for (i = 0; i < value->len; i++)
            scan->each(str_of(ask->account), value->items[i].str, scan->arg);
    }
    free(ask->account);
    free(ask);
    scan->waiting--;
    scan_end(scan);
}

static void ask_account(struct scan *scan, struct str account)
{
    CLEANUP(freep) char *prefix = prefix_of(account);
    CLEANUP(freep)
    char *key = scan->used ? str_printf("%scode:%s", prefix, scan->sha256)
                           : str_printf("%schanges", prefix);
    struct str words[] = {scan->used ? STR("EXISTS") : STR("SMEMBERS"), str_of(key)};
    struct ask *ask = calloc(1, sizeof(*ask));

    if (!ask)
        abort();
    ask->scan = scan;
    ask->account = str_dup(account);
    scan->waiting++;
    redis_command(scan->reg->redis, words, ARRAY_LEN(words), on_account_answer, ask);
}

static void on_accounts(const struct redis_value *value, const struct error *err, void *arg)
{
    struct scan *scan = arg;
    size_t i;

    if (err) {
        scan->failed = true;
        scan->err = *err;
    } else {
        for (i = 0; i < value->len; i++)
            ask_account(scan, value->items[i].str);
    }
    scan_end(scan);
}

static void scan_start(struct scan *scan)
{
    struct str words[] = {STR("SMEMBERS"), STR(ACCOUNTS_KEY)};

    redis_command(scan->reg->redis, words, ARRAY_LEN(words), on_accounts, scan);
}

void registry_pending(struct registry *reg, registry_pending_fn *each, registry_done_fn *done,
                      void *arg)
{
    struct scan *scan = scan_new(reg, arg);

    scan->each = each;
    scan->done = done;
    scan_start(scan);
}

void registry_code_used(struct registry *reg, const char *sha256, registry_used_fn *done, void *arg)
{
    struct scan *scan = scan_new(reg, arg);

    snprintf(scan->sha256, sizeof(scan->sha256), "%s", sha256);
    scan->used = done;
    scan_start(scan);
}

/* ---- life ---- */

struct registry *registry_new(struct loop *loop, struct redis *redis, const struct seal_key *key)
{
    struct registry *reg = calloc(1, sizeof(*reg));

    if (!reg)
        abort();
    reg->loop = loop;
    reg->redis = redis;
    reg->key = key;
    return reg;
}

void registry_free(struct registry *reg)
{
    free(reg);
}
