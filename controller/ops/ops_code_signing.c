/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CreateCodeSigningConfig, GetCodeSigningConfig, UpdateCodeSigningConfig, DeleteCodeSigningConfig,
 * ListCodeSigningConfigs, ListFunctionsByCodeSigningConfig; Put-, Get- and
 * DeleteFunctionCodeSigningConfig.
 *
 * What a request keeps while it waits: req->before is the text of the configuration.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/model/lambda_input.h"
#include "controller/ops/code_signing.h"
#include "controller/store/docs.h"
#include "controller/ops/fn_op.h"
#include "controller/ops/page.h"

#define TRIES_MAX 50u
#define ID_HEX 17u /* behind "csc-" */

static struct str arn_of(const struct api_request *req)
{
    return cjson_str(req->input, "CodeSigningConfigArn");
}

static struct str id_of(const struct api_request *req)
{
    return code_signing_id(arn_of(req));
}

static void put(cJSON *json, const char *name, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(json, name);
    cJSON_AddItemToObject(json, name, value);
}

/* {"CodeSigningConfig": @config}; @config is given away. */
static void reply(struct api_request *req, cJSON *config)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddItemToObject(json, "CodeSigningConfig", config);
    api_reply(req, json);
}

/* Takes over what the input says. */
static void apply(const struct api_request *req, cJSON *config)
{
    static const char *const members[] = {"Description", "AllowedPublishers",
                                          "CodeSigningPolicies"};
    char now[CLOCK_ISO_MAX];
    size_t i;

    for (i = 0; i < ARRAY_LEN(members); i++)
        if (api_member(req, members[i]))
            put(config, members[i], cJSON_Duplicate(api_member(req, members[i]), 1));
    if (!cjson_str(cJSON_GetObjectItemCaseSensitive(config, "CodeSigningPolicies"),
                   "UntrustedArtifactOnDeployment").ptr)
        put(config, "CodeSigningPolicies",
            cJSON_Parse("{\"UntrustedArtifactOnDeployment\":\"Warn\"}"));
    clock_format_lambda(wall_ms(), now);
    put(config, "LastModified", cJSON_CreateString(now));
}

/* ---- CreateCodeSigningConfig ---- */

static void on_created(const struct error *err, void *arg)
{
    struct api_request *req = arg;

    if (err)
        api_fail(req, err);
    else
        reply(req, TAKE(req->answer));
}

void api_create_code_signing(struct api_request *req)
{
    struct docs_commit *commit = docs_commit_new(req->c->redis, req->home.account);
    CLEANUP(freep) char *id = NULL;
    CLEANUP(freep) char *arn = NULL;
    const cJSON *tags = api_member(req, "Tags");
    char hex[ID_HEX + 2];

    token_make((ID_HEX + 1) / 2, hex);
    id = str_printf("csc-%.*s", (int)ID_HEX, hex);
    arn = str_printf("arn:%s:lambda:%.*s:%.*s:code-signing-config:%s",
                     fn_arn_partition(req->home.region), STR_ARG(req->home.region),
                     STR_ARG(req->home.account), id);
    req->answer = cJSON_CreateObject();
    cJSON_AddStringToObject(req->answer, "CodeSigningConfigId", id);
    cJSON_AddStringToObject(req->answer, "CodeSigningConfigArn", arn);
    cJSON_AddStringToObject(req->answer, "Description", "");
    apply(req, req->answer);
    docs_expect(commit, CODE_SIGNING_KEY, str_of(id), STR_NULL);
    docs_set_json(commit, CODE_SIGNING_KEY, str_of(id), req->answer);
    docs_add_name(commit, CODE_SIGNING_NAMES_KEY, str_of(id));
    if (tags && tags->child)
        docs_set_json(commit, CODE_SIGNING_TAGS_KEY, str_of(arn), tags);
    docs_commit_run(commit, on_created, req);
}

/* ---- what is asked of one configuration ---- */

static void on_config(const cJSON *config, struct str text, const struct error *err, void *arg);

static void look(struct api_request *req)
{
    code_signing_get(req->c->redis, req->home.account, arn_of(req), on_config, req);
}

static void on_written(const struct error *err, void *arg)
{
    struct api_request *req = arg;

    if (err && err->code == ERR_STALE && ++req->tries < TRIES_MAX)
        look(req);
    else if (err && err->code == ERR_STALE)
        api_fail_with(req, ERR_CONFLICT,
                      "The code signing configuration is being changed. Please try again.");
    else if (err)
        api_fail(req, err);
    else if (req->answer)
        reply(req, TAKE(req->answer));
    else
        api_reply(req, NULL);
}

static void update(struct api_request *req, const cJSON *config, struct str text)
{
    struct docs_commit *commit = docs_commit_new(req->c->redis, req->home.account);

    cJSON_Delete(req->answer);
    req->answer = cJSON_Duplicate(config, 1);
    apply(req, req->answer);
    docs_expect(commit, CODE_SIGNING_KEY, id_of(req), text);
    docs_set_json(commit, CODE_SIGNING_KEY, id_of(req), req->answer);
    docs_commit_run(commit, on_written, req);
}

/* Behind on_config(): whether functions use it. */
static void on_used(const struct redis_value *values, size_t len, const struct error *err,
                    void *arg)
{
    struct api_request *req = arg;
    CLEANUP(freep) char *key = code_signing_functions_key(id_of(req));
    struct docs_commit *commit;

    (void)len;
    if (err) {
        api_fail(req, err);
        return;
    }
    if (values[0].integer > 0) {
        api_fail_with(req, ERR_CONFLICT,
                      "The code signing configuration %.*s cannot be deleted because functions "
                      "use it.",
                      STR_ARG(arn_of(req)));
        return;
    }
    commit = docs_commit_new(req->c->redis, req->home.account);
    docs_expect(commit, CODE_SIGNING_KEY, id_of(req), str_of(req->before));
    docs_expect_key(commit, key, false);
    docs_unset(commit, CODE_SIGNING_KEY, id_of(req));
    docs_remove_name(commit, CODE_SIGNING_NAMES_KEY, id_of(req));
    docs_unset(commit, CODE_SIGNING_TAGS_KEY, arn_of(req));
    docs_commit_run(commit, on_written, req);
}

static void delete(struct api_request *req, struct str text)
{
    CLEANUP(freep) char *key = code_signing_functions_key(id_of(req));
    struct docs_read *read = docs_read_new(req->c->redis, req->home.account);

    free(req->before);
    req->before = str_dup(text);
    docs_read_size(read, key);
    docs_read_run(read, on_used, req);
}

static void on_functions(const struct redis_value *values, size_t len, const struct error *err,
                         void *arg)
{
    struct api_request *req = arg;
    uint32_t limit = page_limit(req->input, PAGE_MAX);
    const struct redis_value *page = values;
    cJSON *json, *list;
    size_t i;

    (void)len;
    if (err) {
        api_fail(req, err);
        return;
    }
    json = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(json, "FunctionArns");
    for (i = 0; i + 1 < page->len && i / 2 < limit; i += 2) {
        CLEANUP(freep)
        char *arn = fn_arn_new(req->home.region, req->home.account, page->items[i].str, STR_NULL);

        cJSON_AddItemToArray(list, cJSON_CreateString(arn));
    }
    if (i < page->len)
        page_add_marker(json, page->items[i - 2].str);
    api_reply(req, json);
}

/* One more than the answer may have, to know whether there are more. */
static void read_page(struct api_request *req, const char *names, docs_read_fn *done)
{
    CLEANUP(buf_done) struct buf after = BUF_INIT(PAGE_MARKER_MAX);
    struct docs_read *read;
    struct error err;

    if (page_marker(req->input, &after, &err) < 0) {
        api_fail(req, &err);
        return;
    }
    read = docs_read_new(req->c->redis, req->home.account);
    docs_read_page(read, names, CODE_SIGNING_KEY, buf_str(&after),
                   page_limit(req->input, PAGE_MAX) + 1);
    docs_read_run(read, done, req);
}

static void on_config(const cJSON *config, struct str text, const struct error *err, void *arg)
{
    struct api_request *req = arg;
    CLEANUP(freep) char *key = code_signing_functions_key(id_of(req));

    if (err && err->code == ERR_NO_CODE_SIGNING)
        api_fail_with(req, ERR_NOT_FOUND,
                      "The Lambda code signing configuration %.*s can not be found.",
                      STR_ARG(arn_of(req)));
    else if (err)
        api_fail(req, err);
    else if (req->op->id == LAMBDA_OP_GetCodeSigningConfig)
        reply(req, cJSON_Duplicate(config, 1));
    else if (req->op->id == LAMBDA_OP_UpdateCodeSigningConfig)
        update(req, config, text);
    else if (req->op->id == LAMBDA_OP_DeleteCodeSigningConfig)
        delete(req, text);
    else
        read_page(req, key, on_functions);
}

void api_code_signing(struct api_request *req)
{
    look(req);
}

/* ---- ListCodeSigningConfigs ---- */

static void on_configs(const struct redis_value *values, size_t len, const struct error *err,
                       void *arg)
{
    struct api_request *req = arg;
    uint32_t limit = page_limit(req->input, PAGE_MAX);
    const struct redis_value *page = values;
    cJSON *json, *list, *config;
    size_t i;

    (void)len;
    if (err) {
        api_fail(req, err);
        return;
    }
    json = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(json, "CodeSigningConfigs");
    for (i = 0; i + 1 < page->len && i / 2 < limit; i += 2) {
        config = docs_json(&page->items[i + 1]);
        if (config)
            cJSON_AddItemToArray(list, config);
    }
    if (i < page->len)
        page_add_marker(json, page->items[i - 2].str);
    api_reply(req, json);
}

void api_list_code_signings(struct api_request *req)
{
    read_page(req, CODE_SIGNING_NAMES_KEY, on_configs);
}

/* ---- of one function ---- */

static void on_named_config(const cJSON *config, struct str text, const struct error *err,
                            void *arg)
{
    struct api_request *req = arg;

    (void)config;
    if (err) {
        api_fail(req, err);
        return;
    }
    free(req->before);
    req->before = str_dup(text);
    fn_op_look(req);
}

void op_before_put_code_signing(struct api_request *req)
{
    code_signing_get(req->c->redis, req->home.account, arn_of(req), on_named_config, req);
}

static cJSON *function_answer(const struct api_request *req, struct str arn)
{
    CLEANUP(freep) char *name = str_dup(req->fn.name);
    CLEANUP(freep) char *text = str_dup(arn);
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "CodeSigningConfigArn", text);
    cJSON_AddStringToObject(json, "FunctionName", name);
    return json;
}

/* The function is no more among those that use @arn. */
static void leave(const struct api_request *req, struct fn_write *w, struct str arn)
{
    CLEANUP(freep) char *key = code_signing_functions_key(code_signing_id(arn));

    docs_remove_name(fn_write_commit(w), key, req->fn.name);
}

int op_put_code_signing(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                        cJSON **ret, struct error *err)
{
    CLEANUP(freep) char *key = code_signing_functions_key(id_of(req));
    struct str before = cjson_str(view->settings, CODE_SIGNING_SETTING);

    (void)err;
    if (before.len && !str_eq(before, arn_of(req)))
        leave(req, w, before);
    docs_expect(fn_write_commit(w), CODE_SIGNING_KEY, id_of(req), str_of(req->before));
    fn_write_string(w, CODE_SIGNING_SETTING, arn_of(req));
    docs_add_name(fn_write_commit(w), key, req->fn.name);
    *ret = function_answer(req, arn_of(req));
    return 0;
}

int op_get_code_signing(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                        cJSON **ret, struct error *err)
{
    struct str arn = cjson_str(view->settings, CODE_SIGNING_SETTING);

    (void)w;
    (void)err;
    *ret = arn.len ? function_answer(req, arn) : cJSON_CreateObject();
    return 0;
}

int op_delete_code_signing(struct api_request *req, const struct fn_view *view,
                           struct fn_write *w, cJSON **ret, struct error *err)
{
    struct str arn = cjson_str(view->settings, CODE_SIGNING_SETTING);

    (void)err;
    *ret = NULL;
    if (arn.len == 0)
        return 0; /* gone already: that is what was asked for */
    leave(req, w, arn);
    fn_write_no_setting(w, CODE_SIGNING_SETTING);
    return 0;
}
