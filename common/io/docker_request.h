/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker_request.h - one request to the Docker engine: what the files of docker.h share.
 *
 * The version of the API is agreed upon with the first request: v1.41, or the engine's least when
 * it no longer speaks that one. Requests made meanwhile wait.
 *
 * Owns:    calls; each frees itself behind its callback. Threads: loop thread only.
 * Errors:  see docker.h.
 * Source:  Docker Engine API v1.41 reference, "Versioning".
 */
#ifndef HEARTH_IO_DOCKER_REQUEST_H
#define HEARTH_IO_DOCKER_REQUEST_H

#include "common/base/buf.h"
#include "common/io/docker.h"

struct docker {
    struct loop *loop;
    struct http_client *http;
    char *socket;
    char *auth_file;
    int api_minor; /* of v1.<minor>; 0: not agreed yet */
    struct http_call *negotiation;
    struct list_node calls; /* struct docker_call */
    struct list_node events; /* struct docker_events */
};

struct docker_request {
    const char *method;
    const char *path; /* behind "/v1.NN", with query; everything in it is encoded already */
    struct str body; /* JSON or empty */
    const char *header; /* one more, or NULL; may be secret */
    uint64_t timeout_us; /* 0: none */
    docker_json_fn *json_done; /* this one ... */
    docker_done_fn *done; /* ... or this one */
    /* Streaming: each line of the answer, which then has no body of its own. May be NULL. */
    void (*on_line)(struct str line, void *arg);
    /* Instead of the end when the call is cancelled: for what hangs on @arg. May be NULL. */
    void (*on_cancel)(void *arg);
    void *arg;
};

/** Sends it; @rq is copied. docker_call_cancel() ends it early. */
struct docker_call *docker_request(struct docker *docker, const struct docker_request *rq);

/** Appends @s percent-encoded, all but letters, digits and "-._~". */
void docker_encode(struct buf *b, struct str s);
/** Appends @s for a path: as docker_encode(), but '/', ':' and '@' stay. */
void docker_encode_path(struct buf *b, struct str s);
/** The code for an HTTP status of the engine. */
enum error_code docker_status_code(int status);
/**
 * The header "X-Registry-Auth: ..." with the auth file's credentials for @host ("": Docker's own
 * registry), or NULL: anonymous. A secret: the caller wipes and frees it.
 */
char *docker_registry_auth(const struct docker *docker, struct str host);
/** One that is open, or NULL. */
struct docker_events *docker_events_first(struct docker *docker);

#endif
