/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pull answers 200 at once and then a stream of JSON lines; how it went is in the lines. It may
 * take as long as it likes while lines come.
 */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/io/docker_request.h"
#include "common/proto/image_ref.h"
#include "common/proto/registry_refusal.h"

#define SILENCE_MAX_US SECONDS(180)

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

static const char *string_in(const cJSON *json, const char *key)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));

    return s && *s ? s : NULL;
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
        err.code = registry_refusal_code(err.msg, err.code);
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
    header = docker_registry_auth(docker, ref.host);
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
