/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launcher_choice.h - which launcher a node runs: the one that is asked for, or with "auto" the
 * native one where the host allows it, else Docker's, with a line in the log that says why.
 *
 * Owns:    nothing; @ret is the caller's. Threads: start-up.
 * Errors:  those of the launcher that is asked for; "auto" fails as Docker's does.
 */
#ifndef HEARTH_INVOKER_LAUNCHER_CHOICE_H
#define HEARTH_INVOKER_LAUNCHER_CHOICE_H

#include "invoker/launcher_docker.h"
#include "invoker/launcher_native.h"

/**
 * @name: "auto", "docker" or "native". @docker without an engine (docker NULL): only native can be,
 * -ERR_CONFIG when the engine's is asked for.
 */
int launcher_choose(const char *name, const struct launcher_docker_options *docker,
                    const struct launcher_native_options *native, struct launcher **ret,
                    struct error *err);

#endif
