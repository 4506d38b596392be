/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine asks a registry: with which credentials, what its refusals mean, what a tag is. */
#include <string.h>

#include "common/base/base64.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/io/docker_request.h"
#include "common/proto/image_ref.h"

#define QUESTION_TIMEOUT_US SECONDS(30)
#define AUTH_FILE_MAX (256u * 1024u)
#define AUTH_MAX 16384u
#define HUB_KEY "https://index.docker.io/v1/"

struct question {
    docker_json_fn *done;
    void *arg;
};

/* ---- credentials */

static const char *string_in(const cJSON *json, const char *key)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));

    return s && *s ? s : NULL;
}

/* "user:password" in base64 to the two members that the engine wants. */
static void add_user_and_password(cJSON *to, const char *auth)
{
    CLEANUP(buf_done) struct buf plain = BUF_INIT(AUTH_MAX);
    size_t colon;
    char *user, *password;

    if (base64_decode(&plain, str_of(auth)) < 0)
        return;
    colon = str_find(buf_str(&plain), ':', 0);
    user = str_dup(str_sub(buf_str(&plain), 0, colon));
    password = str_dup(str_sub(buf_str(&plain), colon + 1, plain.len));
    cJSON_AddStringToObject(to, "username", user);
    cJSON_AddStringToObject(to, "password", password);
    explicit_bzero(password, strlen(password));
    explicit_bzero(plain.ptr, plain.len);
    free(user);
    free(password);
}

/* The entry of config.json for @host: as it is, or as an URL of that host. */
static const cJSON *find_auth(const cJSON *auths, const char *host)
{
    CLEANUP(freep) char *https = str_printf("https://%s", host);
    CLEANUP(freep) char *http = str_printf("http://%s", host);
    const char *const keys[] = {host, https, http};
    const cJSON *found;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if ((found = cJSON_GetObjectItemCaseSensitive(auths, keys[i])))
            return found;
    return NULL;
}

/* The value of X-Registry-Auth for @host, or NULL: anonymous. */
static char *registry_auth(const cJSON *config, const char *host)
{
    CLEANUP(buf_done) struct buf encoded = BUF_INIT(AUTH_MAX);
    const cJSON *auths = cJSON_GetObjectItemCaseSensitive(config, "auths");
    const cJSON *entry = find_auth(auths, host);
    static const char *const passed[] = {"username", "password", "identitytoken", "registrytoken"};
    CLEANUP(freep) char *text = NULL;
    cJSON *auth;

    if (!entry)
        return NULL;
    auth = cJSON_CreateObject();
    for (size_t i = 0; i < ARRAY_LEN(passed); i++)
        if (string_in(entry, passed[i]))
            cJSON_AddStringToObject(auth, passed[i], string_in(entry, passed[i]));
    if (string_in(entry, "auth") && !string_in(entry, "password"))
        add_user_and_password(auth, string_in(entry, "auth"));
    cJSON_AddStringToObject(auth, "serveraddress", host);
    text = cJSON_PrintUnformatted(auth);
    cJSON_Delete(auth);
    if (!text || base64_encode(&encoded, str_of(text)) < 0)
        return NULL;
    explicit_bzero(text, strlen(text));
    for (size_t i = 0; i < encoded.len; i++) /* the URL's alphabet */
        encoded.ptr[i] = encoded.ptr[i] == '+' ? '-' : encoded.ptr[i] == '/' ? '_' : encoded.ptr[i];
    return buf_take(&encoded);
}

/* Read anew each time, as whoever logs in changes it: a small local file against a registry's
 * answer. */
char *docker_registry_auth(const struct docker *docker, struct str host)
{
    CLEANUP(buf_done) struct buf file = BUF_INIT(AUTH_FILE_MAX);
    CLEANUP(freep)
    char *key =
        str_is(host, "") || str_is(host, "docker.io") ? str_dup(STR(HUB_KEY)) : str_dup(host);
    struct error err;
    char *value, *header = NULL;
    cJSON *config;

    if (docker->auth_file[0] == '\0')
        return NULL;
    if (file_read(docker->auth_file, &file, &err) < 0) {
        log_warn("docker", "no credentials, asking as anonymous", KV_ERR(&err));
        return NULL;
    }
    config = cJSON_ParseWithLength(file.ptr ? file.ptr : "", file.len);
    if (!config)
        log_warn("docker", "the file of credentials is not JSON",
                 KV_STR("file", docker->auth_file));
    value = registry_auth(config, key);
    if (value) {
        header = str_printf("X-Registry-Auth: %s", value);
        explicit_bzero(value, strlen(value));
        free(value);
    }
    cJSON_Delete(config);
    explicit_bzero(file.ptr, file.len);
    return header;
}

/* ---- what the registry said */

/* Through the engine only the registry's words arrive, in many wordings. First match wins. */
static const struct {
    const char *words;
    enum error_code code;
} refusals[] = {
    {"no matching manifest", ERR_UNSUPPORTED},
    {"does not match the specified platform", ERR_UNSUPPORTED},
    {"unauthorized", ERR_ACCESS_DENIED},
    {"authentication required", ERR_ACCESS_DENIED},
    {"no basic auth credentials", ERR_ACCESS_DENIED},
    {"access denied", ERR_ACCESS_DENIED},
    {"denied:", ERR_ACCESS_DENIED},
    {"forbidden", ERR_ACCESS_DENIED},
    {"manifest unknown", ERR_NOT_FOUND},
    {"name unknown", ERR_NOT_FOUND},
    {"repository name not known", ERR_NOT_FOUND},
    {"not found", ERR_NOT_FOUND},
    {"does not exist", ERR_NOT_FOUND},
    {"connection refused", ERR_UNAVAILABLE},
    {"no such host", ERR_UNAVAILABLE},
    {"timeout", ERR_UNAVAILABLE},
    {"deadline exceeded", ERR_UNAVAILABLE},
    {"network is unreachable", ERR_UNAVAILABLE},
    {"server gave HTTP response to HTTPS client", ERR_UNAVAILABLE},
};

enum error_code docker_refusal_code(const char *text, enum error_code otherwise)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        if (strcasestr(text, refusals[i].words))
            return refusals[i].code;
    return otherwise;
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
        err.code = docker_refusal_code(err.msg, err.code);
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
