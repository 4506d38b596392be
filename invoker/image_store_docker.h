/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_store_docker.h - the image store of a Docker engine.
 *
 * Owns:    its pulls. Borrows: struct docker, which outlives it.
 * Threads: loop thread only.
 * Errors:  see image_store.h.
 */
#ifndef HEARTH_INVOKER_IMAGE_STORE_DOCKER_H
#define HEARTH_INVOKER_IMAGE_STORE_DOCKER_H

#include "common/io/docker.h"
#include "invoker/image_store.h"

/** image_store_free() ends it. */
struct image_store *image_store_docker_new(struct loop *loop, struct docker *docker);

#endif
