/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/code_download.h"

#include <stdlib.h>
#include <string.h>

#include "common/io/rpc.h"
#include "gateway/parked.h"
#include "gateway/reply.h"
#include "gateway/routes.h"

#define CALL_TIMEOUT_US SECONDS(60)
#define SUFFIX ".zip"

struct downloads {
    struct leader_link *controller;
    struct list_node all;
};

static void download_free(struct parked *d)
{
    parked_end(d);
    free(d);
}

static void on_archive(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct parked *d = arg;
    struct http_header headers[] = {{STR("Content-Type"), STR("application/zip")},
                                    {STR("x-amzn-RequestId"), str_of(d->request_id)}};

    (void)ok;
    if (d->req && err)
        reply_error_of(d->req, d->request_id, err);
    else if (d->req)
        http_reply(d->req, 200, headers, ARRAY_LEN(headers), body);
    download_free(d);
}

/* Puts the link's three parts into @args. */
static int read_link(struct str name, struct str query, cJSON *args)
{
    CLEANUP(buf_done) struct buf value = BUF_INIT(256);
    uint64_t expires;

    if (!str_ends(name, STR(SUFFIX)) || name.len > 128)
        return -ERR_BAD_REQUEST;
    CLEANUP(freep) char *sha256 = str_dup(str_sub(name, 0, name.len - strlen(SUFFIX)));

    cJSON_AddStringToObject(args, "sha256", sha256);
    if (routes_query_value(query, "expires", &value) < 0 ||
        str_parse_u64(buf_str(&value), &expires) < 0)
        return -ERR_BAD_REQUEST;
    cJSON_AddNumberToObject(args, "expires", (double)expires);
    if (routes_query_value(query, "signature", &value) < 0)
        return -ERR_BAD_REQUEST;
    CLEANUP(freep) char *signature = str_dup(buf_str(&value));

    cJSON_AddStringToObject(args, "signature", signature);
    return 0;
}

void downloads_serve(struct downloads *downloads, struct http_req *req, struct str name,
                     const char *request_id)
{
    cJSON *args = cJSON_CreateObject();
    struct parked *d;

    if (read_link(name, http_query(req), args) < 0) {
        reply_error(req, request_id, ERR_ACCESS_DENIED,
                    STR("The link is not one that GetFunction gave."), NULL);
        cJSON_Delete(args);
        return;
    }
    d = calloc(1, sizeof(*d));
    if (!d)
        abort();
    parked_begin(d, &downloads->all, req, request_id);
    rpc_call(leader_link_get(downloads->controller), "code.download", args, STR_NULL, CALL_TIMEOUT_US, on_archive,
             d);
    cJSON_Delete(args);
}

struct downloads *downloads_new(struct leader_link *controller)
{
    struct downloads *downloads = calloc(1, sizeof(*downloads));

    if (!downloads)
        abort();
    downloads->controller = controller;
    list_init(&downloads->all);
    return downloads;
}

void downloads_free(struct downloads *downloads)
{
    struct parked *d;

    if (!downloads)
        return;
    while ((d = LIST_FIRST(&downloads->all, struct parked, node)))
        download_free(d);
    free(downloads);
}
