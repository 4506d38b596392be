/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CreateFunctionUrlConfig, GetFunctionUrlConfig, UpdateFunctionUrlConfig, DeleteFunctionUrlConfig,
 * ListFunctionUrlConfigs: at most one URL for $LATEST and for each alias.
 *
 * A configuration is kept without its URL: what stands behind the id follows from HEARTH_URL_DOMAIN
 * and from the address that the client called. The id is found in the hash "urls" as well, so that
 * who is asked at a URL finds the function.
 *
 * Source: Lambda API reference, FunctionUrlConfig; recorded answers.
 */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/model/lambda_input.h"
#include "controller/ops/fn_op.h"
#include "controller/ops/page.h"

#define URL_ID_BYTES 16u /* 32 lower-case letters and digits */

static const cJSON *url_find(const struct api_request *req, const struct fn_view *view)
{
    return fn_view_doc(view, FN_URLS, fn_op_field(req));
}

int op_url_no_function(const struct api_request *req, struct error *err)
{
    (void)req;
    return error_set(err, ERR_NOT_FOUND, "Function does not exist");
}

int op_url_no_resource(const struct api_request *req, struct error *err)
{
    (void)req;
    return error_set(err, ERR_NOT_FOUND, "The resource you requested does not exist.");
}

/* ---- what clients see ---- */

/* "http" and "127.0.0.1:9000" of "http://127.0.0.1:9000" */
static void split_url(struct str url, struct str *scheme, struct str *rest)
{
    size_t i;

    *scheme = STR_NULL;
    *rest = url;
    for (i = 0; i + 3 <= url.len; i++) {
        if (memcmp(url.ptr + i, "://", 3) != 0)
            continue;
        *scheme = str_sub(url, 0, i);
        *rest = str_sub(url, i + 3, url.len);
        return;
    }
}

/* ":9000" of "127.0.0.1:9000" or "[::1]:9000", else empty. */
static struct str port_of(struct str host)
{
    size_t i = host.len;

    while (i > 0 && host.ptr[i - 1] >= '0' && host.ptr[i - 1] <= '9')
        i--;
    return i > 0 && i < host.len && host.ptr[i - 1] == ':' ? str_sub(host, i - 1, host.len)
                                                           : STR_NULL;
}

/* "http://<id>.lambda-url.<region>.localhost:9000/"; what the setting leaves open is as called. */
static char *url_text(const struct api_request *req, struct str id)
{
    struct str scheme, domain, called_scheme, called, port;

    split_url(str_of(req->c->config->url_domain), &scheme, &domain);
    split_url(str_of(req->endpoint), &called_scheme, &called);
    port = port_of(domain).len || scheme.len ? STR_NULL : port_of(called);
    if (scheme.len == 0)
        scheme = called_scheme.len ? called_scheme : STR("http");
    return str_printf("%.*s://%.*s.lambda-url.%.*s.%.*s%.*s/", STR_ARG(scheme), STR_ARG(id),
                      STR_ARG(req->home.region), STR_ARG(domain), STR_ARG(port));
}

/* @field: whose configuration @url is, "$LATEST" or an alias. */
static cJSON *url_to_aws(const struct api_request *req, const cJSON *url, const char *field)
{
    static const char *const shown[] = {"AuthType", "Cors", "CreationTime", "InvokeMode",
                                        "LastModifiedTime"};
    CLEANUP(freep)
    char *arn = fn_op_arn(req, strcmp(field, FN_LATEST) == 0 ? STR_NULL : str_of(field));
    CLEANUP(freep) char *text = url_text(req, cjson_str(url, "Id"));
    cJSON *json = cJSON_CreateObject();
    const cJSON *value;
    size_t i;

    cJSON_AddStringToObject(json, "FunctionUrl", text);
    cJSON_AddStringToObject(json, "FunctionArn", arn);
    for (i = 0; i < ARRAY_LEN(shown); i++) {
        value = cJSON_GetObjectItemCaseSensitive(url, shown[i]);
        if (value)
            cJSON_AddItemToObject(json, shown[i], cJSON_Duplicate(value, 1));
    }
    return json;
}

/* The answer to a change: InvokeMode only if it was said. */
static cJSON *changed(const struct api_request *req, const cJSON *url)
{
    CLEANUP(freep) char *field = str_dup(fn_op_field(req));
    cJSON *json = url_to_aws(req, url, field);

    if (!api_member(req, "InvokeMode"))
        cJSON_DeleteItemFromObjectCaseSensitive(json, "InvokeMode");
    return json;
}

/* ---- what a configuration may be ---- */

static int check_cors(const cJSON *cors, struct error *err)
{
    static const char *const methods[] = {"*", "GET", "PUT", "HEAD", "POST", "PATCH", "DELETE"};
    const cJSON *method;
    size_t i;

    cJSON_ArrayForEach(method, cJSON_GetObjectItemCaseSensitive(cors, "AllowMethods"))
    {
        struct str name = str_of(cJSON_GetStringValue(method));

        for (i = 0; i < ARRAY_LEN(methods); i++)
            if (str_eq_nocase(name, str_of(methods[i])))
                break;
        if (i == ARRAY_LEN(methods))
            return error_set(err, ERR_BAD_REQUEST,
                             "Invalid value '%.*s' in Cors.AllowMethods. Valid values are: *, GET, "
                             "PUT, HEAD, POST, PATCH, DELETE",
                             STR_ARG(name));
    }
    return 0;
}

static void put(cJSON *json, const char *name, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(json, name);
    cJSON_AddItemToObject(json, name, value);
}

/* Takes over what the input says. */
static int apply(const struct api_request *req, cJSON *url, struct error *err)
{
    static const char *const strings[] = {"AuthType", "InvokeMode"};
    const cJSON *cors = api_member(req, "Cors");
    char now[CLOCK_ISO_MAX];
    size_t i;

    if (cors && check_cors(cors, err) < 0)
        return -(int)ERR_BAD_REQUEST;
    for (i = 0; i < ARRAY_LEN(strings); i++)
        if (api_member(req, strings[i]))
            put(url, strings[i], cJSON_Duplicate(api_member(req, strings[i]), 1));
    if (cors && cors->child)
        put(url, "Cors", cJSON_Duplicate(cors, 1));
    else if (cors)
        cJSON_DeleteItemFromObjectCaseSensitive(url, "Cors");
    clock_format_iso(wall_ms(), now);
    put(url, "LastModifiedTime", cJSON_CreateString(now));
    return 0;
}

/* ---- operations ---- */

static int conflict(const struct api_request *req, struct error *err)
{
    CLEANUP(freep) char *arn = fn_op_arn(req, req->fn.qualifier);

    return error_set(err, ERR_CONFLICT,
                     "Failed to create function url config for [functionArn = %s]. Error message:  "
                     "FunctionUrlConfig exists for this Lambda function",
                     arn);
}

static cJSON *url_new(void)
{
    char id[2 * URL_ID_BYTES + 1], now[CLOCK_ISO_MAX];
    cJSON *url = cJSON_CreateObject();

    token_make(URL_ID_BYTES, id);
    clock_format_iso(wall_ms(), now);
    cJSON_AddStringToObject(url, "Id", id);
    cJSON_AddStringToObject(url, "InvokeMode", "BUFFERED");
    cJSON_AddStringToObject(url, "CreationTime", now);
    return url;
}

/* The entry under which the function is found by its URL. */
static void write_index(const struct api_request *req, struct fn_write *w, struct str id)
{
    CLEANUP(freep) char *name = str_dup(req->fn.name);
    CLEANUP(freep) char *qualifier = str_dup(req->fn.qualifier);
    cJSON *entry = cJSON_CreateObject();

    cJSON_AddStringToObject(entry, "function", name);
    cJSON_AddStringToObject(entry, "qualifier", qualifier);
    docs_set_json(fn_write_commit(w), URLS_KEY, id, entry);
    cJSON_Delete(entry);
}

int op_create_url(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                  cJSON **ret, struct error *err)
{
    cJSON *url, *answer;
    int r;

    if (!fn_op_qualifier_exists(req, view))
        return op_url_no_function(req, err);
    if (url_find(req, view))
        return conflict(req, err);
    url = url_new();
    r = apply(req, url, err);
    if (r == 0) {
        fn_write_doc(w, FN_URLS, fn_op_field(req), url);
        write_index(req, w, cjson_str(url, "Id"));
        answer = changed(req, url);
        cJSON_DeleteItemFromObjectCaseSensitive(answer, "LastModifiedTime");
        *ret = answer;
    }
    cJSON_Delete(url);
    return r;
}

int op_get_url(struct api_request *req, const struct fn_view *view, struct fn_write *w,
               cJSON **ret, struct error *err)
{
    const cJSON *url = url_find(req, view);

    (void)w;
    if (!url)
        return op_url_no_resource(req, err);
    *ret = url_to_aws(req, url, url->string);
    return 0;
}

int op_update_url(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                  cJSON **ret, struct error *err)
{
    const cJSON *current = url_find(req, view);
    cJSON *url;
    int r;

    if (!fn_op_qualifier_exists(req, view))
        return op_url_no_function(req, err);
    if (!current)
        return op_url_no_resource(req, err);
    url = cJSON_Duplicate(current, 1);
    r = apply(req, url, err);
    if (r == 0) {
        fn_write_doc(w, FN_URLS, fn_op_field(req), url);
        *ret = changed(req, url);
    }
    cJSON_Delete(url);
    return r;
}

void op_url_forget(const struct fn_view *view, struct fn_write *w, struct str field)
{
    const cJSON *url = fn_view_doc(view, FN_URLS, field);

    if (!url)
        return;
    fn_write_no_doc(w, FN_URLS, field);
    docs_unset(fn_write_commit(w), URLS_KEY, cjson_str(url, "Id"));
}

int op_delete_url(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                  cJSON **ret, struct error *err)
{
    *ret = NULL;
    if (!url_find(req, view))
        return op_url_no_resource(req, err);
    op_url_forget(view, w, fn_op_field(req));
    return 0;
}

int op_list_urls(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                 cJSON **ret, struct error *err)
{
    cJSON *json = cJSON_CreateObject(), *all = cJSON_CreateObject();
    const cJSON *url;
    int r;

    (void)w;
    cJSON_ArrayForEach(url, view->kinds[FN_URLS])
    {
        cJSON_AddItemToObject(all, url->string, url_to_aws(req, url, url->string));
    }
    r = page_add_items(json, "FunctionUrlConfigs", all, req->input, NULL, NULL, err);
    cJSON_Delete(all);
    if (r < 0)
        cJSON_Delete(json);
    else
        *ret = json;
    return r;
}
