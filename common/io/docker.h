/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker.h - the Docker Engine API over its Unix socket, as far as Hearth needs it (v1.41,
 * Docker 20.10, and later).
 *
 * Every call is asynchronous; its callback comes exactly once from the loop, unless docker_free()
 * or docker_call_cancel() was first.
 *
 * Owns:    calls run to their end by themselves. Borrows: loop and http_client, which outlive it.
 * Threads: loop thread only.
 * Errors:  struct error with Docker's own message. ERR_NOT_FOUND (404), ERR_CONFLICT (409, and 304:
 *          it is so already), ERR_ACCESS_DENIED (401, 403, and a registry that refuses),
 *          ERR_BAD_REQUEST (400), ERR_UNAVAILABLE (no engine there, 503), ERR_INTERNAL (others),
 *          ERR_PROTOCOL (an answer that is not the API's), ERR_TIMEOUT.
 * Source:  Docker Engine API v1.41 reference.
 */
#ifndef HEARTH_IO_DOCKER_H
#define HEARTH_IO_DOCKER_H

#include <cjson/cJSON.h>

#include "common/io/http_client.h"

struct docker;
struct docker_call;
struct docker_events;

struct docker_options {
    struct loop *loop;
    struct http_client *http;
    const char *socket; /* path of the engine's socket, or "unix://<path>"; copied */
    const char *auth_file; /* Docker's config.json with "auths"; NULL or "": anonymous; copied */
};

/** @err NULL: it is done. */
typedef void docker_done_fn(const struct error *err, void *arg);
/** @err NULL: @answer is borrowed for the call; NULL where the API answers with no body. */
typedef void docker_json_fn(const cJSON *answer, const struct error *err, void *arg);

struct docker *docker_new(const struct docker_options *options);
/** Cancels what runs, without callbacks. NULL is fine. */
void docker_free(struct docker *docker);
/** Ends one call without its callback. Not inside its own callback. */
void docker_call_cancel(struct docker_call *call);

/** GET /version: "Version", "ApiVersion", "Arch", ... */
struct docker_call *docker_version(struct docker *docker, docker_json_fn *done, void *arg);
/** GET /info: "NCPU", "MemTotal", "CgroupVersion", "Driver", ... */
struct docker_call *docker_info(struct docker *docker, docker_json_fn *done, void *arg);

/** GET /images/{name}/json. @name is a reference or an image id. */
struct docker_call *docker_image_inspect(struct docker *docker, const char *name,
                                         docker_json_fn *done, void *arg);
/**
 * POST /images/create: pulls @reference (with tag or digest) for @platform ("linux/amd64"; NULL:
 * the engine's own), with the credentials of the auth file for its registry. Ends well only when
 * the engine's stream of progress ended without an error.
 */
struct docker_call *docker_image_pull(struct docker *docker, const char *reference,
                                      const char *platform, docker_done_fn *done, void *arg);

/**
 * GET /distribution/{name}/json: asks the registry of @reference, with the same credentials, what it
 * is there; nothing is pulled. The answer's "Descriptor" has "digest", that of the manifest (or
 * list of them) that a pull would find.
 */
struct docker_call *docker_distribution_inspect(struct docker *docker, const char *reference,
                                                docker_json_fn *done, void *arg);

/** POST /containers/create?name=: @config is read during the call only. The answer has "Id". */
struct docker_call *docker_container_create(struct docker *docker, const char *name,
                                            const cJSON *config, docker_json_fn *done, void *arg);
struct docker_call *docker_container_start(struct docker *docker, const char *id,
                                           docker_done_fn *done, void *arg);
/** POST /containers/{id}/update: CPU time, microseconds in each period. */
struct docker_call *docker_container_limit_cpu(struct docker *docker, const char *id,
                                               uint32_t quota_us, uint32_t period_us,
                                               docker_done_fn *done, void *arg);
/** All its processes stop, or (@paused false) go on. ERR_CONFLICT when they do already. */
struct docker_call *docker_container_pause(struct docker *docker, const char *id, bool paused,
                                           docker_done_fn *done, void *arg);
struct docker_call *docker_container_inspect(struct docker *docker, const char *id,
                                             docker_json_fn *done, void *arg);
/** SIGKILL. ERR_CONFLICT when it does not run. */
struct docker_call *docker_container_kill(struct docker *docker, const char *id,
                                          docker_done_fn *done, void *arg);
/** DELETE with force and its anonymous volumes. ERR_CONFLICT while a removal is in progress. */
struct docker_call *docker_container_remove(struct docker *docker, const char *id,
                                            docker_done_fn *done, void *arg);
/** All containers, running or not, with every label of @labels ("name=value", NULL-terminated). */
struct docker_call *docker_container_list(struct docker *docker, const char *const *labels,
                                          docker_json_fn *done, void *arg);

/**
 * Follows the events "kill", "die", "oom" and "destroy" of containers with @label ("name=value", copied)
 * until docker_events_free(), reconnecting with back-off; events missed meanwhile are asked for
 * again by time, so one may come twice.
 *
 * @on_event  @action is one of them; @id the container's; @attributes borrowed
 */
struct docker_events *docker_events_new(struct docker *docker, const char *label,
                                        void (*on_event)(const char *action, const char *id,
                                                         const cJSON *attributes, void *arg),
                                        void *arg);
/** Not inside its own callback. NULL is fine. */
void docker_events_free(struct docker_events *events);

#endif
