/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/store/registry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/model/fn_name.h"
#include "controller/store/fn_doc.h"
#include "controller/store/registry_lua.h"

#define ACCOUNTS_KEY "hearth:accounts"
/* document, revision, archives, change, bytes, published version, seq; and what lies beside */
#define CHANGE_WORDS_MAX (8u + 3u * (REGISTRY_BESIDE_MAX + 1u))

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
        registry_done_fn *entered;
        registry_used_fn *known;
    } done;
    void *arg;
    uint32_t limit;
};

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

static void on_view(struct fn_view *view, const struct error *err, void *arg)
{
    struct request *req = arg;

    req->done.record(view ? TAKE(view->rec) : NULL, err, req->arg);
    fn_view_free(view);
    free(req);
}

void registry_get(struct registry *reg, struct str account, struct str name,
                  registry_record_fn *done, void *arg)
{
    struct request *req = request_new(reg, arg);

    req->done.record = done;
    fn_view_get(reg->redis, reg->key, account, name, STR_NULL, 0, on_view, req);
}

/* ---- list ---- */

/* "hearth:{<account>}:", the beginning of all keys of an account; the caller frees it. */
static char *prefix_of(struct str account)
{
    return str_printf("hearth:{%.*s}:", STR_ARG(account));
}

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
        if (fn_doc_read(req->reg->key, item(row, 0)->str, true, &vers[len], &err) < 0) {
            log_warn("registry", "a function is left out of a list", KV_ERR(&err));
            continue;
        }
        if (item(row, 2)->str.len) /* of $LATEST: its revision moves without its document */
            fn_set_str(&vers[len]->revision_id, item(row, 2)->str);
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

/* Names from @from to @to (ZRANGEBYLEX), the first one's versions behind @version. */
static void list(struct registry *reg, struct redis_script *script, struct str account,
                 const char *from, const char *to, struct str version, uint32_t limit,
                 registry_page_fn *done, void *arg)
{
    CLEANUP(freep) char *prefix = prefix_of(account);
    CLEANUP(freep) char *names = str_printf("%sfns", prefix);
    struct request *req = request_new(reg, arg);
    struct str key = str_of(names);
    struct str args[] = {str_of(prefix), str_of(from), str_of(to), STR_NULL,
                         /* a version is behind $LATEST, which is version 0 here */
                         str_is(version, FN_LATEST) ? STR("0") : version};
    char count[16];

    snprintf(count, sizeof(count), "%" PRIu32, limit + 1); /* one more: are there others */
    args[3] = str_of(count);
    req->done.page = done;
    req->limit = limit;
    redis_eval(reg->redis, script, &key, 1, args, ARRAY_LEN(args), on_listed, req);
}

void registry_list(struct registry *reg, struct str account, struct str after, uint32_t limit,
                   registry_page_fn *done, void *arg)
{
    CLEANUP(freep) char *from = after.len ? str_printf("(%.*s", STR_ARG(after)) : str_printf("-");

    list(reg, &lua_list, account, from, "+", STR(""), limit, done, arg);
}

void registry_list_all(struct registry *reg, struct str account, struct str after,
                       struct str version, uint32_t limit, registry_page_fn *done, void *arg)
{
    CLEANUP(freep) char *from = after.len ? str_printf("[%.*s", STR_ARG(after)) : str_printf("-");

    list(reg, &lua_list_all, account, from, "+", after.len ? version : STR(""), limit, done, arg);
}

void registry_list_versions(struct registry *reg, struct str account, struct str name,
                            struct str version, uint32_t limit, registry_page_fn *done, void *arg)
{
    CLEANUP(freep) char *only = str_printf("[%.*s", STR_ARG(name));

    list(reg, &lua_list_all, account, only, only, version.ptr ? version : STR(""), limit, done,
         arg);
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
    if (str_is(word, "moved"))
        return error_set(err, ERR_PRECONDITION, "the function has moved on");
    if (str_is(word, "full"))
        return error_set(err, ERR_CODE_STORAGE, "Code storage limit exceeded.");
    if (str_is(word, "over"))
        return error_set(err, ERR_STALE, "the change is over");
    if (str_is(word, "unsigned"))
        return error_set(err, ERR_NO_CODE_SIGNING, "the code signing configuration was deleted");
    if (str_is(word, "unlayered"))
        return error_set(err, ERR_STALE, "a layer version was deleted");
    return error_set(err, ERR_PROTOCOL, "a script of the registry answers \"%.*s\"", STR_ARG(word));
}

static void on_changed(const struct redis_value *value, const struct error *err, void *arg)
{
    struct request *req = arg;
    struct registry_change change = {0};
    struct str *unused = NULL;
    struct error own;
    size_t i;

    if (!err && change_outcome(item(value, 0)->str, &own) < 0)
        err = &own;
    if (!err) {
        change.generation = number(item(value, 1));
        unused = calloc(value->len, sizeof(*unused));
        if (!unused)
            abort();
        for (i = 2; i < value->len; i++)
            unused[change.unused_code_len++] = item(value, i)->str;
        change.unused_code = unused;
    }
    req->done.change(err ? NULL : &change, err, req->arg);
    free(unused);
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
    struct str args[2 + CHANGE_WORDS_MAX] = {str_of(prefix), name};
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

static void fail_later(struct registry *reg, registry_change_fn *done, void *arg,
                       const struct error *err)
{
    struct late *late = calloc(1, sizeof(*late));

    if (!late)
        abort();
    *late = (struct late){done, arg, *err};
    loop_defer(reg->loop, on_late, late);
}

/* The triples of what is written beside the function. */
static size_t add_beside(struct str *words, size_t len, const struct registry_write *w)
{
    size_t i;

    for (i = 0; i < w->beside_len && i < REGISTRY_BESIDE_MAX; i++) {
        words[len++] = str_of(fn_kind_name(w->beside[i].kind));
        words[len++] = str_of(w->beside[i].field);
        words[len++] = str_of(w->beside[i].text);
    }
    return len;
}

/* Writes @w by @script. */
static void change_write(struct registry *reg, struct redis_script *script,
                         const struct registry_write *w, registry_change_fn *done, void *arg)
{
    CLEANUP(freep) char *doc = NULL;
    CLEANUP(freep) char *publish = NULL;
    CLEANUP(freep) char *code = fn_doc_code(w->ver);
    CLEANUP(freep) char *bytes = str_printf("%" PRIu64, w->ver->code_bytes);
    CLEANUP(freep)
    char *seq = w->seq ? str_printf("%" PRIu64 ".%s", w->generation, w->seq) : str_dup(STR(""));
    CLEANUP(freep) char *bytes_max = str_printf("%" PRIu64, w->code_bytes_max);
    struct str words[CHANGE_WORDS_MAX];
    struct error err;
    size_t len = 0;
    int r;

    r = fn_doc_write(reg->key, w->ver, &doc, &err);
    if (r == 0 && w->publish)
        r = fn_doc_write(reg->key, w->publish, &publish, &err);
    if (r < 0) {
        fail_later(reg, done, arg, &err);
        return;
    }
    words[len++] = str_of(doc);
    words[len++] = str_of(w->ver->revision_id);
    words[len++] = str_of(code);
    words[len++] = str_of(w->change);
    words[len++] = str_of(bytes);
    words[len++] = str_of(w->publish ? w->publish->version : "");
    words[len++] = str_of(seq);
    words[len++] = str_of(bytes_max);
    if (publish) {
        words[len++] = str_of(fn_kind_name(FN_VERSIONS));
        words[len++] = str_of(w->publish->version);
        words[len++] = str_of(publish);
    }
    len = add_beside(words, len, w);
    change_run(reg, script, str_of(w->ver->account), str_of(w->ver->name), words, len, done, arg);
}

static void on_entered(const struct redis_value *value, const struct error *err, void *arg)
{
    struct request *req = arg;

    (void)value;
    req->done.entered(err, req->arg);
    free(req);
}

/* A key outside of the account's hash tag cannot be part of its scripts. */
void registry_enter(struct registry *reg, const char *account, registry_done_fn *done, void *arg)
{
    struct str words[] = {STR("SADD"), STR(ACCOUNTS_KEY), str_of(account)};
    struct request *req = request_new(reg, arg);

    req->done.entered = done;
    redis_command(reg->redis, words, ARRAY_LEN(words), on_entered, req);
}

void registry_create(struct registry *reg, const struct registry_write *w, registry_change_fn *done,
                     void *arg)
{
    change_write(reg, &lua_create, w, done, arg);
}

void registry_begin(struct registry *reg, const struct registry_write *w, registry_change_fn *done,
                    void *arg)
{
    change_write(reg, &lua_begin, w, done, arg);
}

void registry_switch(struct registry *reg, const struct registry_write *w,
                     registry_change_fn *done, void *arg)
{
    change_write(reg, &lua_switch, w, done, arg);
}

void registry_finish(struct registry *reg, const struct registry_write *w,
                     registry_change_fn *done, void *arg)
{
    change_write(reg, &lua_finish, w, done, arg);
}

void registry_fail(struct registry *reg, const struct registry_write *w, registry_change_fn *done,
                   void *arg)
{
    change_write(reg, &lua_fail, w, done, arg);
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

static void on_known(const struct redis_value *value, const struct error *err, void *arg)
{
    struct request *req = arg;

    req->done.known(!err && value->integer > 0, err, req->arg);
    free(req);
}

void registry_is_entered(struct registry *reg, registry_used_fn *done, void *arg)
{
    struct str words[] = {STR("SCARD"), STR(ACCOUNTS_KEY)};
    struct request *req = request_new(reg, arg);

    req->done.known = done;
    redis_command(reg->redis, words, ARRAY_LEN(words), on_known, req);
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
