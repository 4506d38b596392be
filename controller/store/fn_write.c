/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/store/fn_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/fn_doc.h"

struct fn_write {
    struct docs_commit *commit;
    const struct seal_key *key;
    char *name;
    char *main; /* the function's own key */
    char *kinds[FN_KIND_MAX]; /* keys */
    bool drops_routes;
    bool has_unreserved;
    uint64_t unreserved;
    bool moves_limits, is_reserved;
    char *retired;
    char *left_code;
};

struct fn_write *fn_write_new(struct redis *redis, const struct seal_key *key, struct str account,
                              struct str name, const struct fn_view *view)
{
    struct fn_write *w = calloc(1, sizeof(*w));
    char generation[24];
    size_t i;

    if (!w)
        abort();
    w->commit = docs_commit_new(redis, account);
    w->key = key;
    w->name = str_dup(name);
    w->main = str_printf("fn:%.*s", STR_ARG(name));
    w->left_code = str_dup(STR(""));
    for (i = 0; i < FN_KIND_MAX; i++)
        w->kinds[i] = fn_kind_key(name, (enum fn_kind)i);
    /* one that was created anew counts again, but has another generation */
    snprintf(generation, sizeof(generation), "%llu",
             (unsigned long long)view->rec->ver->generation);
    docs_expect(w->commit, w->main, STR("gen"), str_of(generation));
    docs_expect(w->commit, w->main, STR("seq"), str_of(view->rec->seq));
    return w;
}

void fn_write_free(struct fn_write *w)
{
    size_t i;

    if (!w)
        return;
    docs_commit_free(w->commit);
    for (i = 0; i < FN_KIND_MAX; i++)
        free(w->kinds[i]);
    free(w->name);
    free(w->main);
    free(w->retired);
    free(w->left_code);
    free(w);
}

bool fn_write_is_empty(const struct fn_write *w)
{
    return docs_commit_is_empty(w->commit);
}

struct docs_commit *fn_write_commit(struct fn_write *w)
{
    return w->commit;
}

void fn_write_doc(struct fn_write *w, enum fn_kind kind, struct str field, const cJSON *doc)
{
    docs_set_json(w->commit, w->kinds[kind], field, doc);
}

void fn_write_no_doc(struct fn_write *w, enum fn_kind kind, struct str field)
{
    docs_unset(w->commit, w->kinds[kind], field);
}

void fn_write_setting(struct fn_write *w, const char *name, const cJSON *value)
{
    fn_write_doc(w, FN_SETTINGS, str_of(name), value);
}

void fn_write_number(struct fn_write *w, const char *name, double value)
{
    cJSON *json = cJSON_CreateNumber(value);

    fn_write_setting(w, name, json);
    cJSON_Delete(json);
}

void fn_write_string(struct fn_write *w, const char *name, struct str value)
{
    CLEANUP(freep) char *text = str_dup(value);
    cJSON *json = cJSON_CreateString(text);

    fn_write_setting(w, name, json);
    cJSON_Delete(json);
}

void fn_write_no_setting(struct fn_write *w, const char *name)
{
    fn_write_no_doc(w, FN_SETTINGS, str_of(name));
}

void fn_write_revision(struct fn_write *w, const char *revision_id)
{
    docs_set(w->commit, w->main, STR("rev"), str_of(revision_id));
}

/* ---- versions ---- */

/* The archives of @code (separated by blanks) are, or are no more, referred to by a version. */
static void refer(struct fn_write *w, const char *code, const char *version, bool is_referred)
{
    CLEANUP(freep) char *who = str_printf("%s:%s", w->name, version);
    struct str rest = str_of(code), sha256;

    while (str_split(&rest, ' ', &sha256)) {
        CLEANUP(freep) char *key = str_printf("code:%.*s", STR_ARG(sha256));

        if (sha256.len == 0)
            continue;
        if (is_referred)
            docs_add_member(w->commit, key, str_of(who));
        else
            docs_remove_member(w->commit, key, str_of(who));
    }
}

int fn_write_version(struct fn_write *w, const struct fn_version *ver, bool is_new,
                     struct error *err)
{
    CLEANUP(freep) char *doc = NULL;
    CLEANUP(freep) char *code = NULL;
    char bytes[24];
    int r;

    r = fn_doc_write(w->key, ver, &doc, err);
    if (r < 0)
        return r;
    docs_set(w->commit, w->kinds[FN_VERSIONS], str_of(ver->version), str_of(doc));
    if (!is_new)
        return 0;
    code = fn_doc_code(ver);
    refer(w, code, ver->version, true);
    snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)ver->code_bytes);
    docs_set(w->commit, w->kinds[FN_VERSION_CODE], str_of(ver->version), str_of(code));
    docs_set(w->commit, w->kinds[FN_VERSION_BYTES], str_of(ver->version), str_of(bytes));
    docs_count(w->commit, FN_CODE_BYTES_KEY, (int64_t)ver->code_bytes);
    return 0;
}

void fn_write_no_version(struct fn_write *w, const struct fn_version *ver)
{
    char *code = fn_doc_code(ver);

    docs_unset(w->commit, w->kinds[FN_VERSIONS], str_of(ver->version));
    docs_unset(w->commit, w->kinds[FN_VERSION_CODE], str_of(ver->version));
    docs_unset(w->commit, w->kinds[FN_VERSION_BYTES], str_of(ver->version));
    docs_count(w->commit, FN_CODE_BYTES_KEY, -(int64_t)ver->code_bytes);
    refer(w, code, ver->version, false);
    free(w->left_code);
    w->left_code = code;
    fn_set_str(&w->retired, str_of(ver->version));
}

/* ---- what follows ---- */

void fn_write_drops_routes(struct fn_write *w)
{
    w->drops_routes = true;
}

bool fn_write_is_dropping_routes(const struct fn_write *w)
{
    return w->drops_routes;
}

void fn_write_tells_unreserved(struct fn_write *w, uint64_t unreserved)
{
    w->drops_routes = w->has_unreserved = true;
    w->unreserved = unreserved;
}

bool fn_write_unreserved(const struct fn_write *w, uint64_t *ret)
{
    if (w->has_unreserved)
        *ret = w->unreserved;
    return w->has_unreserved;
}

void fn_write_moves_limits(struct fn_write *w, bool is_reserved)
{
    w->moves_limits = true;
    w->is_reserved = is_reserved;
}

bool fn_write_is_moving_limits(const struct fn_write *w, bool *ret_is_reserved)
{
    *ret_is_reserved = w->is_reserved;
    return w->moves_limits;
}

const char *fn_write_retired(const struct fn_write *w)
{
    return w->retired;
}

const char *fn_write_left_code(const struct fn_write *w)
{
    return w->left_code;
}

void fn_write_run(struct fn_write *w, docs_commit_fn *done, void *arg)
{
    docs_count_field(w->commit, w->main, STR("seq"), 1);
    docs_commit_run(TAKE(w->commit), done, arg);
}
