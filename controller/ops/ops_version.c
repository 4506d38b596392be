/* SPDX-License-Identifier: Apache-2.0 */
/* PublishVersion, ListVersionsByFunction, and DeleteFunction of one version. */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/model/lambda_input.h"
#include "controller/ops/concurrency.h"
#include "controller/ops/page.h"

/* ---- PublishVersion ---- */

/* What the client believes $LATEST to be must be what it is. */
static int check_code(const struct api_request *req, const struct fn_version *latest,
                      struct error *err)
{
    struct str expected = cjson_str(req->input, "CodeSha256");
    CLEANUP(freep) char *is = fn_version_code_sha256_text(latest);

    if (expected.len == 0 || str_is(expected, is))
        return 0;
    return error_set(err, ERR_BAD_REQUEST,
                     "CodeSHA256 (%.*s) is different from current CodeSHA256 in $LATEST (%s). "
                     "Please try again with the CodeSHA256 in $LATEST.",
                     STR_ARG(expected), is);
}

static int check_publishable(const struct api_request *req, const struct fn_view *view,
                             struct error *err)
{
    const struct fn_version *latest = view->rec->ver;
    int r;

    if (latest->state != FN_ACTIVE)
        return error_set(err, ERR_CONFLICT,
                         "The operation cannot be performed at this time. The function is "
                         "currently in the following state: %s",
                         fn_state_name(latest->state));
    r = fn_op_check_idle(req, view, err);
    if (r == 0)
        r = fn_op_check_revision(req, latest->revision_id, err);
    return r < 0 ? r : check_code(req, latest, err);
}

int op_publish_version(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                       cJSON **ret, struct error *err)
{
    const struct fn_version *latest = view->rec->ver;
    CLEANUP(fn_version_freep) struct fn_version *ver = NULL;
    char revision[UUID_MAX];
    uint64_t number = (uint64_t)fn_view_number(view, "next_version", 1);
    int r;

    if (req->fn.qualifier.len && !str_is(req->fn.qualifier, FN_LATEST))
        return error_set(err, ERR_BAD_REQUEST,
                         "Current operation does not support versions other than $LATEST.");
    r = check_publishable(req, view, err);
    if (r < 0)
        return r;
    if (view->last && fn_version_same_code_and_configuration(latest, view->last)) {
        *ret = fn_version_to_aws(view->last, str_of(view->last->version));
        return 0;
    }
    if ((uint64_t)view->code_bytes + latest->code_bytes > req->c->config->code_storage_max)
        return error_set(err, ERR_CODE_STORAGE, "Code storage limit exceeded.");
    uuid_make(revision);
    ver = fn_version_publish(latest, number, cjson_str(req->input, "Description"), wall_ms(),
                             revision);
    /* what $LATEST runs is ready to run: so is this */
    fn_version_set_state(ver, FN_ACTIVE, NULL, NULL);
    fn_version_set_update(ver, FN_UPDATE_SUCCESSFUL, NULL, NULL);
    r = fn_write_version(w, ver, true, err);
    if (r < 0)
        return r;
    fn_write_number(w, "next_version", (double)(number + 1));
    uuid_make(revision);
    fn_write_revision(w, revision); /* of $LATEST: recorded */
    fn_write_drops_routes(w); /* somebody may have asked for this number before it was there */
    *ret = fn_version_to_aws(ver, str_of(ver->version));
    return 0;
}

/* ---- DeleteFunction with a qualifier ---- */

/* The aliases that lead to @version, as "[a, b]"; empty: none does. */
static void aliases_of(const struct fn_view *view, struct str version, struct buf *ret)
{
    const cJSON *alias;

    cJSON_ArrayForEach(alias, view->kinds[FN_ALIASES])
    {
        const cJSON *weights = cJSON_GetObjectItemCaseSensitive(
            cJSON_GetObjectItemCaseSensitive(alias, "RoutingConfig"), "AdditionalVersionWeights");
        bool leads = str_eq(cjson_str(alias, "FunctionVersion"), version) ||
                     (weights && weights->child && str_is(version, weights->child->string));

        if (leads)
            buf_printf(ret, "%s%s", ret->len ? ", " : "[", alias->string);
    }
    if (ret->len)
        buf_append_char(ret, ']');
}

int op_delete_version(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                      cJSON **ret, struct error *err)
{
    CLEANUP(buf_done) struct buf aliases = BUF_INIT(ERROR_MSG_MAX / 2);
    struct str version = req->fn.qualifier;

    *ret = NULL;
    if (str_is(version, FN_LATEST))
        return error_set(err, ERR_BAD_REQUEST,
                         "$LATEST version cannot be deleted without deleting the function.");
    if (!fn_version_number_is_valid(version))
        return error_set(err, ERR_BAD_REQUEST,
                         "Deletion of aliases is not currently supported.");
    if (!view->version)
        return 0; /* gone already: that is what was asked for */
    aliases_of(view, version, &aliases);
    if (aliases.len)
        return error_set(err, ERR_CONFLICT,
                         "Unable to delete version because the following aliases reference it: "
                         "%.*s",
                         STR_ARG(buf_str(&aliases)));
    fn_write_no_version(w, view->version);
    fn_write_no_doc(w, FN_POLICIES, version);
    fn_write_no_doc(w, FN_EVENT_CONFIGS, version);
    concurrency_drop_provisioned(w, view, version);
    fn_write_no_doc(w, FN_RUNTIME_CONFIGS, version);
    fn_write_drops_routes(w);
    return 0;
}

/* ---- ListVersionsByFunction ---- */

static void on_versions(struct fn_version *const *vers, size_t len, bool more,
                        const struct error *err, void *arg)
{
    struct api_request *req = arg;
    cJSON *json, *list;
    size_t i;

    if (err) {
        api_fail(req, err);
        return;
    }
    if (len == 0 && !api_member(req, "Marker")) {
        api_fail_not_found(req);
        return;
    }
    json = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(json, "Versions");
    for (i = 0; i < len; i++)
        cJSON_AddItemToArray(list, fn_version_to_aws_listed(vers[i], str_of(vers[i]->version)));
    if (more && len > 0)
        page_add_marker(json, str_of(vers[len - 1]->version));
    api_reply(req, json);
}

void api_list_versions(struct api_request *req)
{
    CLEANUP(buf_done) struct buf after = BUF_INIT(PAGE_MARKER_MAX);
    struct error err;

    if (!api_name(req, FN_NAME_NAMESPACED))
        return;
    if (page_marker(req->input, &after, &err) < 0)
        api_fail(req, &err);
    else
        registry_list_versions(req->c->registry, req->home.account, req->fn.name, buf_str(&after),
                               page_limit(req->input, PAGE_MAX), on_versions, req);
}
