/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extensions.h - the executables in /opt/extensions: finding them, starting them before the
 * function's main process, with the environment that Lambda gives to extensions, and telling which
 * of them has ended.
 *
 * Owns:    the table of extensions (one; static storage, no allocation).
 * Threads: one.
 * Errors:  a folder that cannot be read is an empty one.
 * Source:  Lambda developer guide, "Lambda Extensions API"; docs/internals/extensions.md.
 */
#ifndef HEARTH_INIT_EXTENSIONS_H
#define HEARTH_INIT_EXTENSIONS_H

#include <signal.h>

#include "common/proto/init_wire.h"

/** Reads the folder @dir once; @ret points into the table. Returns the number found. */
uint32_t extensions_find(const char *dir, struct init_extensions *ret);
/**
 * Starts number @at of those found and waits until it runs: @ret is what to tell the invoker.
 *
 * @env     of the main process; what is the runtime's alone is left out
 * @log_fd  becomes its standard output and standard error
 */
void extensions_start(uint32_t at, const char *const *env, int log_fd, const sigset_t *mask,
                      struct init_extension *ret);
/** Whether @pid, which ended with @status, was an extension; then @ret is what to tell. */
int extensions_ended(pid_t pid, int status, struct init_extension *ret);

#endif
