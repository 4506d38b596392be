/* SPDX-License-Identifier: Apache-2.0 */
/*
 * face_driver.c - a sandbox's HTTP face by itself, for tests: the Runtime API and the Extensions API
 * on a port of loopback that is printed. Whenever runtime and extensions wait, the runtime is given
 * one and the same event; what it answers is dropped. Ends with its standard input.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "invoker/extension_face.h"
#include "invoker/runtime_face.h"

static struct loop *loop;
static struct runtime_face *face;
static struct extension_face *extensions;
static struct runtime_event_data event = {
    .invoked_arn = STR("arn:aws:lambda:us-east-1:012345678912:function:test_function"),
    .payload = STR("{\"n\":1}"),
};
static char request_id[UUID_MAX];

static void give_if_ready(void)
{
    const struct extension_invoke invoke = {event.request_id, event.invoked_arn, event.trace_id,
                                            wall_ms() + 3000};

    if (!runtime_face_is_waiting(face) || !extension_api_is_ready(extension_face_api(extensions)))
        return;
    extension_face_invoke(extensions, &invoke);
    runtime_face_give(face, &event, invoke.deadline_ms);
}

static void on_waiting(void *arg)
{
    (void)arg;
    extension_face_api(extensions)->registration_closed = true;
    give_if_ready();
}

static void on_left(void *arg)
{
    (void)arg;
}

static void on_answer(enum runtime_event what, struct str body, struct str error_type, void *arg)
{
    (void)what;
    (void)body;
    (void)error_type;
    (void)arg;
}

static bool on_other(struct http_req *req, void *arg)
{
    (void)arg;
    return extension_face_request(extensions, req);
}

static bool on_other_left(struct http_req *req, void *arg)
{
    (void)arg;
    return extension_face_abort(extensions, req);
}

static const struct runtime_face_ops runtime_ops = {.on_waiting = on_waiting,
                                                    .on_left = on_left,
                                                    .on_answer = on_answer,
                                                    .on_other = on_other,
                                                    .on_other_left = on_other_left};

static void on_extension(const struct extension *ext, void *arg)
{
    (void)ext;
    (void)arg;
}

static void on_extension_waiting(const struct extension *ext, void *arg)
{
    (void)ext;
    (void)arg;
    give_if_ready();
}

static void on_subscribed(const struct extension *ext, const struct telemetry_subscription *sub,
                          void *arg)
{
    (void)ext;
    (void)sub;
    (void)arg;
}

static const struct extension_face_ops extension_ops = {.on_registered = on_extension,
                                                        .on_waiting = on_extension_waiting,
                                                        .on_left = on_extension,
                                                        .on_failed = on_extension,
                                                        .on_subscribed = on_subscribed};

static void on_input(int fd, int events, void *arg)
{
    char byte;

    (void)events;
    (void)arg;
    if (read(fd, &byte, 1) <= 0)
        loop_stop(loop);
}

static int listen_somewhere(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 16) < 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
        return -1;
    printf("%d\n", ntohs(addr.sin_port));
    fflush(stdout);
    return fd;
}

int main(void)
{
    static char name[] = "test_function", version[] = "$LATEST", handler[] = "",
                account[] = "012345678912";
    const struct sandbox_spec spec = {
        .name = name, .version = version, .handler = handler, .account = account};
    struct watch *input;
    struct error err;

    log_init("face-driver", LOG_ERROR);
    loop = loop_new();
    uuid_make(request_id);
    event.request_id = str_of(request_id);
    extensions = extension_face_new(&spec, &extension_ops, NULL);
    if (runtime_face_new(loop, listen_somewhere(), &runtime_ops, NULL, &face, &err) < 0) {
        fprintf(stderr, "face-driver: %s\n", err.msg);
        return 1;
    }
    input = watch_new(loop, STDIN_FILENO, on_input, NULL);
    watch_set(input, WATCH_READ);
    loop_run(loop);
    watch_free(input);
    runtime_face_free(face);
    extension_face_free(extensions);
    loop_free(loop);
    return 0;
}
