/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_layers.h - whether native sandboxes can have their file systems from a Docker engine: it must
 * keep images as overlay2 does, a folder for each layer, and these must be seen from here. Docker 29
 * keeps them in containerd's store unless it is told otherwise, and tells no folders.
 *
 * Owns:    nothing. Threads: start-up; blocks for LIMIT at most, in a loop of its own.
 * Errors:  -ERR_UNSUPPORTED with what is in the way.
 * Source:  Docker Engine API, GET /info; "containerd image store with Docker Engine".
 */
#ifndef HEARTH_INVOKER_ENGINE_LAYERS_H
#define HEARTH_INVOKER_ENGINE_LAYERS_H

#include "common/base/error.h"

/** 0 also when the engine does not answer: what it is like shows when it does. */
int engine_layers_check(const char *docker_socket, struct error *err);

#endif
