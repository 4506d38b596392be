/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker_pause.h - a container stopped and let go on by the engine, where its cgroup cannot be
 * reached. Each takes the engine some tens of milliseconds. So a container is paused only when it
 * has been idle for DOCKER_PAUSE_AFTER_US; and as what is wanted may change meanwhile, one call runs
 * at a time, and after it the last wish counts.
 *
 * Owns:    its call. Borrows: the options. Threads: loop thread only.
 * Errors:  a pause that fails is as none, and said once; an unpause that fails is told by on_thawed.
 * Source:  Docker Engine API v1.41, ContainerPause, ContainerUnpause.
 */
#ifndef HEARTH_INVOKER_DOCKER_PAUSE_H
#define HEARTH_INVOKER_DOCKER_PAUSE_H

#include "common/base/clock.h"
#include "common/io/docker.h"
#include "invoker/launch_base.h"

#define DOCKER_PAUSE_AFTER_US SECONDS(5)

struct docker_pause_options {
    struct docker *docker;
    const char *container;
    struct launch_base *launch; /* whose on_thawed hears; its launcher's janitor is told */
};

/* The caller's; opaque but for its size. */
struct docker_pause {
    struct docker_pause_options o;
    struct docker_call *call;
    struct timer timer; /* until it is asked for */
    bool is_janitors; /* who knows that it may be paused */
    bool wanted; /* that it stands */
    bool stands; /* as far as the engine has said */
    bool awaited; /* on_over is due */
};

void docker_pause_init(struct docker_pause *p, const struct docker_pause_options *options);
/** As launch_freeze(), but later, unless it is ended before. */
bool docker_pause_begin(struct docker_pause *p);
/** As launch_thaw(). */
int docker_pause_end(struct docker_pause *p);
/** Whether the engine was asked to pause it and not all of that is over. */
bool docker_pause_is_on(const struct docker_pause *p);
/** No callback comes any more. Harmless twice. */
void docker_pause_done(struct docker_pause *p);

#endif
