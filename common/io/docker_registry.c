/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine asks a registry: with which credentials, what a tag is. */
#include <string.h>

#include "common/base/base64.h"
#include "common/base/clock.h"
#include "common/io/docker_request.h"
#include "common/io/registry_auth.h"
#include "common/proto/image_ref.h"
#include "common/proto/registry_refusal.h"

#define QUESTION_TIMEOUT_US SECONDS(30)
#define AUTH_MAX 16384u

struct question {
    docker_json_fn *done;
    void *arg;
};

/* ---- credentials */

static void add(cJSON *to, const char *name, const char *value)
{
    if (value)
        cJSON_AddStringToObject(to, name, value);
}

/* The header in JSON and base64, as the engine wants it. */
char *docker_registry_auth(const struct docker *docker, struct str host)
{
    CLEANUP(buf_done) struct buf encoded = BUF_INIT(AUTH_MAX);
    struct registry_auth auth;
    char *text, *header = NULL;
    cJSON *json;

    if (!registry_auth_load(docker->auth_file, host, &auth))
        return NULL;
    json = cJSON_CreateObject();
    add(json, "username", auth.username);
    add(json, "password", auth.password);
    add(json, "identitytoken", auth.identity_token);
    add(json, "registrytoken", auth.registry_token);
    add(json, "serveraddress", auth.server);
    text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    registry_auth_done(&auth);
    if (text && base64_encode(&encoded, str_of(text)) == 0) {
        for (size_t i = 0; i < encoded.len; i++) /* the URL's alphabet */
            encoded.ptr[i] = encoded.ptr[i] == '+'   ? '-'
                             : encoded.ptr[i] == '/' ? '_'
                                                     : encoded.ptr[i];
        header = str_printf("X-Registry-Auth: %.*s", (int)encoded.len, encoded.ptr);
        explicit_bzero(encoded.ptr, encoded.len);
    }
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
    return header;
}

/* ---- GET /distribution/{name}/json */

static void question_free(void *arg)
{
    free(arg);
}

static void on_distribution(const cJSON *answer, const struct error *failed, void *arg)
{
    struct question q = *(struct question *)arg;
    struct error err;

    free(arg);
    if (failed) {
        err = *failed;
        err.code = registry_refusal_code(err.msg, err.code);
    }
    q.done(answer, failed ? &err : NULL, q.arg);
}

struct docker_call *docker_distribution_inspect(struct docker *docker, const char *reference,
                                                docker_json_fn *done, void *arg)
{
    CLEANUP(buf_done) struct buf path = BUF_INIT(16384);
    struct question *q = calloc(1, sizeof(*q));
    struct image_ref ref = {0};
    struct docker_call *call;
    char *header;

    if (!q)
        abort();
    *q = (struct question){done, arg};
    image_ref_parse(str_of(reference), &ref, NULL); /* if it is none, the engine says so */
    buf_append_str(&path, STR("/distribution/"));
    docker_encode_path(&path, str_of(reference));
    buf_append_str(&path, STR("/json"));
    buf_append_char(&path, '\0');
    header = docker_registry_auth(docker, ref.host);
    call = docker_request(docker, &(struct docker_request){.method = "GET",
                                                           .path = path.ptr,
                                                           .header = header,
                                                           .timeout_us = QUESTION_TIMEOUT_US,
                                                           .json_done = on_distribution,
                                                           .on_cancel = question_free,
                                                           .arg = q});
    if (header)
        explicit_bzero(header, strlen(header));
    free(header);
    return call;
}
