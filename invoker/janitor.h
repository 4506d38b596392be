/* SPDX-License-Identifier: Apache-2.0 */
/*
 * janitor.h - a child process that waits for our end, however it comes, and then removes what is left.
 *
 * Owns:    the process; it ends by itself. Threads: start-up only, as it forks.
 * Errors:  -ERR_SYSTEM.
 */
#ifndef HEARTH_INVOKER_JANITOR_H
#define HEARTH_INVOKER_JANITOR_H

#include "common/base/error.h"
#include "common/base/str.h"

/**
 * Starts it. @sweep(@arg) runs in it, with memory as it is now, once *@ret is closed: by us, or by the
 * kernel when we are gone.
 */
int janitor_start(void (*sweep)(const void *arg), const void *arg, int *ret, struct error *err);
/**
 * The same for one that is told things meanwhile: @hear(@arg) gets, in it, what is sent to *@ret, a
 * socket of packets of JANITOR_WORD_MAX bytes at most.
 */
int janitor_start_listening(void (*hear)(struct str word, void *arg),
                            void (*sweep)(const void *arg), void *arg, int *ret,
                            struct error *err);
#define JANITOR_WORD_MAX 4096

#endif
