/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker_container.h - the container that a sandbox is, in the Engine API's words. Environment and
 * arguments of the function are not in it: they reach PID 1 by its socket, so that neither the
 * engine's files nor `docker inspect` show them.
 *
 * Owns:    nothing. Threads: any. Errors: none.
 * Source:  Docker Engine API v1.41, ContainerCreate; docs/internals/sandboxes.md.
 */
#ifndef HEARTH_INVOKER_DOCKER_CONTAINER_H
#define HEARTH_INVOKER_DOCKER_CONTAINER_H

#include <cjson/cJSON.h>

#include "common/model/sandbox_spec.h"
#include "invoker/sandbox_limits.h"

#define LABEL_NODE "hearth.node"
#define LABEL_LIFE "hearth.life"
#define LABEL_SANDBOX "hearth.sandbox"

struct docker_container_options {
    const char *node, *life, *sandbox_id;
    const struct sandbox_spec *spec;
    const char *image; /* reference or id */
    char *const *volumes; /* the image's, NULL-terminated; NULL: none */
    char *const *name_servers; /* NULL-terminated */
    const char *init_path; /* on the host */
    const char *run_dir; /* of this sandbox, on the host */
    const char *code_dir; /* on the host; NULL: the image's own /var/task */
    const char *layers_dir; /* on the host; NULL: the image's own /opt */
};

/** The body of a create request; the caller deletes it. */
cJSON *docker_container_config(const struct docker_container_options *options);

#endif
