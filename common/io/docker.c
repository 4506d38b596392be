/* SPDX-License-Identifier: Apache-2.0 */
/* The plain calls: each is one request and one answer. */
#include "common/io/docker.h"

#include "common/base/clock.h"
#include "common/io/docker_request.h"

#define PATH_MAX_BYTES 4096
#define QUERY_TIMEOUT_US SECONDS(30)
/* An engine under load may take long to create or end a container; it answers in the end. */
#define CHANGE_TIMEOUT_US SECONDS(120)

/* "<before><name, encoded><after>" */
static char *path_of(const char *before, const char *name, const char *after)
{
    struct buf b = BUF_INIT(PATH_MAX_BYTES);

    buf_append_str(&b, str_of(before));
    docker_encode_path(&b, str_of(name));
    buf_append_str(&b, str_of(after));
    return buf_take(&b);
}

static struct docker_call *get(struct docker *docker, const char *path, docker_json_fn *done,
                               void *arg)
{
    return docker_request(docker, &(struct docker_request){.method = "GET",
                                                           .path = path,
                                                           .timeout_us = QUERY_TIMEOUT_US,
                                                           .json_done = done,
                                                           .arg = arg});
}

static struct docker_call *change(struct docker *docker, const char *method, const char *path,
                                  docker_done_fn *done, void *arg)
{
    return docker_request(docker, &(struct docker_request){.method = method,
                                                           .path = path,
                                                           .timeout_us = CHANGE_TIMEOUT_US,
                                                           .done = done,
                                                           .arg = arg});
}

struct docker_call *docker_version(struct docker *docker, docker_json_fn *done, void *arg)
{
    return get(docker, "/version", done, arg);
}

struct docker_call *docker_info(struct docker *docker, docker_json_fn *done, void *arg)
{
    return get(docker, "/info", done, arg);
}

struct docker_call *docker_image_inspect(struct docker *docker, const char *name,
                                         docker_json_fn *done, void *arg)
{
    CLEANUP(freep) char *path = path_of("/images/", name, "/json");

    return get(docker, path, done, arg);
}

struct docker_call *docker_container_create(struct docker *docker, const char *name,
                                            const cJSON *config, docker_json_fn *done, void *arg)
{
    CLEANUP(freep) char *path = path_of("/containers/create?name=", name, "");
    CLEANUP(freep) char *body = cJSON_PrintUnformatted(config);

    if (!body)
        abort();
    return docker_request(docker, &(struct docker_request){.method = "POST",
                                                           .path = path,
                                                           .body = str_of(body),
                                                           .timeout_us = CHANGE_TIMEOUT_US,
                                                           .json_done = done,
                                                           .arg = arg});
}

struct docker_call *docker_container_start(struct docker *docker, const char *id,
                                           docker_done_fn *done, void *arg)
{
    CLEANUP(freep) char *path = path_of("/containers/", id, "/start");

    return change(docker, "POST", path, done, arg);
}

struct docker_call *docker_container_limit_cpu(struct docker *docker, const char *id,
                                               uint32_t quota_us, uint32_t period_us,
                                               docker_done_fn *done, void *arg)
{
    CLEANUP(freep) char *path = path_of("/containers/", id, "/update");
    CLEANUP(freep)
    char *body = str_printf("{\"CpuQuota\":%u,\"CpuPeriod\":%u}", quota_us, period_us);

    return docker_request(docker, &(struct docker_request){.method = "POST",
                                                           .path = path,
                                                           .body = str_of(body),
                                                           .timeout_us = CHANGE_TIMEOUT_US,
                                                           .done = done,
                                                           .arg = arg});
}

struct docker_call *docker_container_pause(struct docker *docker, const char *id, bool paused,
                                           docker_done_fn *done, void *arg)
{
    CLEANUP(freep) char *path = path_of("/containers/", id, paused ? "/pause" : "/unpause");

    return change(docker, "POST", path, done, arg);
}

struct docker_call *docker_container_inspect(struct docker *docker, const char *id,
                                             docker_json_fn *done, void *arg)
{
    CLEANUP(freep) char *path = path_of("/containers/", id, "/json");

    return get(docker, path, done, arg);
}

struct docker_call *docker_container_kill(struct docker *docker, const char *id,
                                          docker_done_fn *done, void *arg)
{
    CLEANUP(freep) char *path = path_of("/containers/", id, "/kill?signal=SIGKILL");

    return change(docker, "POST", path, done, arg);
}

struct docker_call *docker_container_remove(struct docker *docker, const char *id,
                                            docker_done_fn *done, void *arg)
{
    CLEANUP(freep) char *path = path_of("/containers/", id, "?force=1&v=1");

    return change(docker, "DELETE", path, done, arg);
}

struct docker_call *docker_container_list(struct docker *docker, const char *const *labels,
                                          docker_json_fn *done, void *arg)
{
    CLEANUP(buf_done) struct buf path = BUF_INIT(4 * PATH_MAX_BYTES);
    cJSON *filters = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(filters, "label");
    CLEANUP(freep) char *text = NULL;

    for (; *labels; labels++)
        cJSON_AddItemToArray(list, cJSON_CreateString(*labels));
    text = cJSON_PrintUnformatted(filters);
    cJSON_Delete(filters);
    if (!text)
        abort();
    buf_append_str(&path, STR("/containers/json?all=1&filters="));
    docker_encode(&path, str_of(text));
    buf_append_char(&path, '\0');
    return get(docker, path.ptr, done, arg);
}
