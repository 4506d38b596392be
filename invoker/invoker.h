/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invoker.h - the program as a whole: makes all parts, passes between them what they say of one
 * another, ends them in reverse.
 *
 * Owns:    every part of the program.
 * Borrows: the loop and the settings.
 * Threads: loop thread only.
 * Errors:  invoker_new() reports what stands in the way of starting, one clear line.
 */
#ifndef HEARTH_INVOKER_INVOKER_H
#define HEARTH_INVOKER_INVOKER_H

#include "common/io/loop.h"
#include "invoker/invoker_config.h"

struct invoker;

/** Start-up; may block on files. -ERR_CONFIG: another try with these settings would not help. */
int invoker_new(struct loop *loop, const struct invoker_config *config, struct invoker **ret,
                struct error *err);
/**
 * Takes no invocations any more, lets those that run finish for drain_limit, ends all sandboxes,
 * writes the logs out, then stops the loop. Called a second time: does not wait for invocations.
 */
void invoker_stop(struct invoker *inv);
/** After the loop has stopped. NULL is fine. */
void invoker_free(struct invoker *inv);

#endif
