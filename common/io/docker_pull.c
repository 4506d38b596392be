/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pull answers 200 at once and then a stream of JSON lines; how it went is in the lines. It may
 * take as long as it likes while lines come.
 */
#include <string.h>

#include "common/base/base64.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/io/docker_request.h"
#include "common/proto/image_ref.h"

#define SILENCE_MAX_US SECONDS(180)
#define AUTH_FILE_MAX (256u * 1024u)
#define AUTH_MAX 16384u
#define HUB_KEY "https://index.docker.io/v1/"

struct pull {
    struct docker *docker;
    struct docker_call *call;
    char *reference;
    docker_done_fn *done;
    void *arg;
    struct timer silence;
    uint64_t began_us;
    bool failed;
    struct error err; /* of the stream, when failed */
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

/* Read anew for each pull, as whoever logs in changes it: a small local file against seconds of
 * pulling. */
static char *auth_header(const struct docker *docker, struct str host)
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
        log_warn("docker", "no credentials, pulling as anonymous", KV_ERR(&err));
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

static enum error_code refusal_code(const char *text, enum error_code otherwise)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        if (strcasestr(text, refusals[i].words))
            return refusals[i].code;
    return otherwise;
}

static void pull_free(void *arg)
{
    struct pull *pull = arg;

    timer_stop(&pull->silence);
    free(pull->reference);
    free(pull);
}

static void on_done(const struct error *http_err, void *arg)
{
    struct pull *pull = arg;
    const struct error *failed = http_err ? http_err : pull->failed ? &pull->err : NULL;
    docker_done_fn *done = pull->done;
    void *done_arg = pull->arg;
    struct error err;

    if (failed) {
        err = *failed;
        err.code = refusal_code(err.msg, err.code);
    } else {
        log_info("docker", "pulled", KV_STR("image", pull->reference),
                 KV_U64("took_us", now_us() - pull->began_us));
    }
    pull_free(pull);
    done(failed ? &err : NULL, done_arg);
}

static void on_line(struct str line, void *arg)
{
    struct pull *pull = arg;
    cJSON *json = cJSON_ParseWithLength(line.ptr, line.len);
    const char *text = string_in(json, "error");
    const char *status = string_in(json, "status");

    timer_start(&pull->silence, SILENCE_MAX_US);
    if (text && !pull->failed) {
        pull->failed = true;
        error_set(&pull->err, ERR_INTERNAL, "%s", text);
    } else if (status && !cJSON_HasObjectItem(json, "progressDetail")) {
        log_debug("docker", "pulling", KV_STR("image", pull->reference), KV_STR("status", status));
    }
    cJSON_Delete(json);
}

static void on_silence(void *arg)
{
    struct pull *pull = arg;
    docker_done_fn *done = pull->done;
    void *done_arg = pull->arg;
    struct error err;

    docker_call_cancel(pull->call); /* and with it the pull */
    error_set(&err, ERR_TIMEOUT, "the Docker engine said nothing for %u s",
              (unsigned)(SILENCE_MAX_US / SECONDS(1)));
    done(&err, done_arg);
}

/* ---- */

static struct str tag_of(const struct image_ref *ref)
{
    if (ref->digest.len)
        return ref->digest;
    return ref->tag.len ? ref->tag : STR("latest");
}

struct docker_call *docker_image_pull(struct docker *docker, const char *reference,
                                      const char *platform, docker_done_fn *done, void *arg)
{
    CLEANUP(buf_done) struct buf path = BUF_INIT(16384);
    struct pull *pull = calloc(1, sizeof(*pull));
    struct image_ref ref = {0};
    char *header;

    if (!pull)
        abort();
    pull->docker = docker;
    pull->reference = str_dup(str_of(reference));
    pull->done = done;
    pull->arg = arg;
    pull->began_us = now_us();
    timer_init(&pull->silence, docker->loop, on_silence, pull);
    timer_start(&pull->silence, SILENCE_MAX_US);
    /* what is no reference goes to the engine as a name, which refuses it with a message */
    if (image_ref_parse(str_of(reference), &ref, NULL) < 0)
        ref.name = str_of(reference);
    buf_append_str(&path, STR("/images/create?fromImage="));
    docker_encode(&path, ref.name);
    buf_append_str(&path, STR("&tag="));
    docker_encode(&path, tag_of(&ref));
    if (platform) {
        buf_append_str(&path, STR("&platform="));
        docker_encode(&path, str_of(platform));
    }
    buf_append_char(&path, '\0');
    header = auth_header(docker, ref.host);
    pull->call = docker_request(docker, &(struct docker_request){.method = "POST",
                                                                 .path = path.ptr,
                                                                 .header = header,
                                                                 .done = on_done,
                                                                 .on_line = on_line,
                                                                 .on_cancel = pull_free,
                                                                 .arg = pull});
    if (header)
        explicit_bzero(header, strlen(header));
    free(header);
    return pull->call;
}
