/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/engine_layers.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/str.h"
#include "common/io/docker.h"
#include "common/io/http_client.h"
#include "common/io/loop.h"

#define LIMIT_US SECONDS(3)

struct question {
    struct loop *loop;
    bool answered;
    char driver[64];
    char *root; /* the engine's folder */
};

static void on_info(const cJSON *answer, const struct error *err, void *arg)
{
    struct question *q = arg;
    const char *driver = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "Driver"));
    const char *root =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "DockerRootDir"));

    if (!err && driver) {
        q->answered = true;
        snprintf(q->driver, sizeof(q->driver), "%s", driver);
        q->root = str_dup(str_of(root));
    }
    loop_stop(q->loop);
}

static void on_limit(void *arg)
{
    loop_stop(arg);
}

static void ask(struct question *q, const char *docker_socket)
{
    struct http_client *http = http_client_new(q->loop);
    struct docker *docker = docker_new(
        &(struct docker_options){.loop = q->loop, .http = http, .socket = docker_socket});
    struct timer limit;

    timer_init(&limit, q->loop, on_limit, q->loop);
    timer_start(&limit, LIMIT_US);
    (void)docker_info(docker, on_info, q);
    loop_run(q->loop);
    timer_stop(&limit);
    docker_free(docker);
    http_client_free(http);
}

int engine_layers_check(const char *docker_socket, struct error *err)
{
    struct question q = {.loop = loop_new()};
    CLEANUP(freep) char *root = NULL;

    ask(&q, docker_socket);
    loop_free(q.loop);
    root = q.root;
    if (!q.answered)
        return 0;
    if (strcmp(q.driver, "overlay2") != 0)
        return error_set(err, ERR_UNSUPPORTED,
                         "the Docker engine keeps images by \"%s\", and tells the folders of their "
                         "layers with \"overlay2\" only (\"storage-driver\" in its daemon.json; with "
                         "Docker 29 also \"containerd-snapshotter\": false)",
                         q.driver);
    if (access(root, X_OK) < 0)
        return error_set_errno(err, ERR_UNSUPPORTED, errno,
                               "the Docker engine's folder %s is not to be seen from here", root);
    return 0;
}
