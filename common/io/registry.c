/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ASKING → (401 Bearer) TOKEN → ASKING AGAIN, or (401 Basic) → ASKING AGAIN. A second 401 is a
 * refusal.
 */
#include "common/io/registry.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <string.h>

#include "common/base/base64.h"
#include "common/base/clock.h"
#include "common/io/registry_auth.h"
#include "common/proto/auth_challenge.h"
#include "common/proto/uri_escape.h"

#define STEP_TIMEOUT_US SECONDS(10)
#define TOKEN_ANSWER_MAX (256u * 1024u)
#define FORM_MAX 65536u
#define HUB "registry-1.docker.io" /* where the images of "docker.io" are */

struct registry_question {
    struct http_client *http;
    struct http_call *call;
    char *url; /* of the manifest */
    char *authorization; /* header of the next question, or NULL; a secret */
    struct registry_auth auth;
    bool has_auth, plain, tried;
    registry_done_fn *done;
    void *arg;
};

static void wipe(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

static void question_free(struct registry_question *q)
{
    free(q->url);
    wipe(&q->authorization);
    if (q->has_auth)
        registry_auth_done(&q->auth);
    free(q);
}

static void question_end(struct registry_question *q, const char *digest, const struct error *err)
{
    registry_done_fn *done = q->done;
    void *arg = q->arg;

    question_free(q);
    done(digest, err, arg);
}

static void fail(struct registry_question *q, enum error_code code, const char *why)
{
    struct error err;

    error_set(&err, code, "asking the registry: HEAD %.300s: %s", q->url, why);
    question_end(q, NULL, &err);
}

static void ask(struct registry_question *q);

/* ---- tokens */

static char *basic_of(const struct registry_auth *auth)
{
    CLEANUP(buf_done) struct buf encoded = BUF_INIT(FORM_MAX);
    char *both = str_printf("%s:%s", auth->username, auth->password), *header = NULL;

    if (base64_encode(&encoded, str_of(both)) == 0)
        header = str_printf("Authorization: Basic %.*s", (int)encoded.len, encoded.ptr);
    wipe(&both);
    if (encoded.len)
        explicit_bzero(encoded.ptr, encoded.len);
    return header;
}

static void on_token(int status, struct str body, const struct error *err, void *arg)
{
    struct registry_question *q = arg;
    const char *token;
    cJSON *json;

    q->call = NULL;
    if (err) {
        fail(q, err->code, err->msg);
        return;
    }
    if (status != 200) {
        fail(q, status == 401 || status == 403 || status == 400 ? ERR_ACCESS_DENIED : ERR_INTERNAL,
             "it is denied to get a token for it");
        return;
    }
    json = cJSON_ParseWithLength(body.ptr ? body.ptr : "", body.len);
    token = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "token"));
    if (!token)
        token = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "access_token"));
    if (token && !strpbrk(token, "\r\n")) {
        wipe(&q->authorization);
        q->authorization = str_printf("Authorization: Bearer %s", token);
    }
    cJSON_Delete(json);
    if (q->authorization)
        ask(q);
    else
        fail(q, ERR_PROTOCOL, "the answer about a token has none");
}

static void add(struct buf *form, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    if (form->len)
        (void)buf_append_char(form, '&');
    (void)buf_printf(form, "%s=", name);
    (void)uri_escape(form, str_of(value), false);
}

/* With an identity token by OAuth 2, else as anybody or with user and password. */
static void ask_token(struct registry_question *q, const struct auth_challenge *c)
{
    CLEANUP(buf_done) struct buf form = BUF_INIT(FORM_MAX);
    const bool refresh = q->has_auth && q->auth.identity_token;
    const char *headers[2] = {NULL};
    CLEANUP(freep) char *url = NULL;
    char *basic = NULL;

    /* the password goes where the registry says: never in the open, but from loopback */
    if (!q->plain && !str_starts(str_of(c->realm), STR("https://"))) {
        fail(q, ERR_PROTOCOL, "it wants the credentials sent without TLS");
        return;
    }
    add(&form, "service", c->service);
    add(&form, "scope", c->scope);
    if (refresh) {
        add(&form, "grant_type", "refresh_token");
        add(&form, "client_id", "hearth");
        add(&form, "refresh_token", q->auth.identity_token);
        url = str_dup(str_of(c->realm));
        headers[0] = "Content-Type: application/x-www-form-urlencoded";
    } else {
        url = str_printf("%s%c%.*s", c->realm, strchr(c->realm, '?') ? '&' : '?', (int)form.len,
                         form.ptr ? form.ptr : "");
        if (q->has_auth && q->auth.username && q->auth.password)
            headers[0] = basic = basic_of(&q->auth);
    }
    q->call = http_call(q->http,
                        &(struct http_call_options){.method = refresh ? "POST" : "GET",
                                                    .url = url,
                                                    .headers = headers,
                                                    .body = refresh ? buf_str(&form) : STR_NULL,
                                                    .timeout_us = STEP_TIMEOUT_US,
                                                    .body_max = TOKEN_ANSWER_MAX},
                        on_token, q);
    wipe(&basic);
    if (form.len)
        explicit_bzero(form.ptr, form.len);
}

/* ---- the manifest */

static void on_challenge(struct registry_question *q, struct str value)
{
    struct auth_challenge *c = calloc(1, sizeof(*c));
    struct error err;

    if (!c)
        abort();
    if (q->tried) {
        fail(q, ERR_ACCESS_DENIED, "unauthorized");
    } else if (auth_challenge_parse(value, c, &err) < 0) {
        fail(q, err.code, err.msg);
    } else if (c->bearer && q->has_auth && q->auth.registry_token) {
        q->tried = true;
        q->authorization = str_printf("Authorization: Bearer %s", q->auth.registry_token);
        ask(q);
    } else if (c->bearer) {
        q->tried = true;
        ask_token(q, c);
    } else if (q->has_auth && q->auth.username && q->auth.password) {
        q->tried = true;
        q->authorization = basic_of(&q->auth);
        ask(q);
    } else {
        fail(q, ERR_ACCESS_DENIED, "no basic auth credentials");
    }
    free(c);
}

static void on_manifest(int status, struct str body, const struct error *err, void *arg)
{
    struct registry_question *q = arg;
    const struct str digest = http_call_header(q->call, "docker-content-digest");
    CLEANUP(freep) char *text = NULL;
    char why[40];
    (void)body;

    if (!err && status == 401) {
        CLEANUP(freep) char *challenge = str_dup(http_call_header(q->call, "www-authenticate"));

        q->call = NULL;
        on_challenge(q, str_of(challenge));
        return;
    }
    if (!err && status == 200 && image_digest_is_valid(digest))
        text = str_dup(digest);
    q->call = NULL;
    snprintf(why, sizeof(why), "status %d", status);
    if (err)
        fail(q, err->code, err->msg);
    else if (text)
        question_end(q, text, NULL);
    else if (status == 200)
        fail(q, ERR_PROTOCOL, "it does not tell the digest");
    else
        fail(q,
             status == 404   ? ERR_NOT_FOUND
             : status == 403 ? ERR_ACCESS_DENIED
             : status >= 500 ? ERR_UNAVAILABLE
                             : ERR_INTERNAL,
             why);
}

static void ask(struct registry_question *q)
{
    static const char *const accept =
        "Accept: application/vnd.oci.image.index.v1+json, "
        "application/vnd.docker.distribution.manifest.list.v2+json, "
        "application/vnd.oci.image.manifest.v1+json, "
        "application/vnd.docker.distribution.manifest.v2+json, */*;q=0.1";
    const char *const headers[] = {accept, q->authorization, NULL};

    q->call = http_call(q->http,
                        &(struct http_call_options){.method = "HEAD",
                                                    .url = q->url,
                                                    .headers = headers,
                                                    .timeout_us = STEP_TIMEOUT_US,
                                                    .body_max = TOKEN_ANSWER_MAX,
                                                    .keep_head = true},
                        on_manifest, q);
}

/* ---- registry.h */

/* By number, not by how the name begins: 127.0.0.1.example is somebody's. */
static bool is_loopback(struct str host)
{
    CLEANUP(freep) char *name = str_dup(str_sub(host, 0, str_find(host, ':', 0)));
    struct in_addr address;

    if (str_starts(host, STR("[::1]")) || strcmp(name, "localhost") == 0)
        return true;
    return inet_pton(AF_INET, name, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

struct registry_question *registry_ask(struct http_client *http, const struct image_ref *ref,
                                       const char *auth_file, registry_done_fn *done, void *arg)
{
    const bool is_hub = ref->host.len == 0 || str_is(ref->host, "docker.io");
    const struct str host = is_hub ? STR(HUB) : ref->host;
    const struct str what = ref->digest.len ? ref->digest : ref->tag.len ? ref->tag : STR("latest");
    CLEANUP(freep) char *name = image_ref_full_name(ref);
    struct registry_question *q = calloc(1, sizeof(*q));

    if (!q)
        abort();
    q->http = http;
    q->done = done;
    q->arg = arg;
    q->plain = is_loopback(host);
    q->url = str_printf("%s://%.*s/v2%s/manifests/%.*s", q->plain ? "http" : "https", STR_ARG(host),
                        strchr(name, '/'), STR_ARG(what));
    q->has_auth = registry_auth_load(auth_file, ref->host, &q->auth);
    ask(q);
    return q;
}

void registry_cancel(struct registry_question *q)
{
    if (q->call)
        http_call_cancel(q->call);
    question_free(q);
}
