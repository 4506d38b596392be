/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netns.h - network namespaces of others, visited for a moment by the calling thread.
 *
 * Owns:    nothing. Threads: any; only the calling one changes.
 * Errors:  -ERR_SYSTEM. A thread that cannot get back aborts the program: it must not go on there.
 * Source:  network_namespaces(7), setns(2).
 */
#ifndef HEARTH_INVOKER_NET_NETNS_H
#define HEARTH_INVOKER_NET_NETNS_H

#include "common/base/error.h"

/** A new, empty one; @ret, its only name, is the caller's to close. */
int netns_new(int *ret, struct error *err);
/** The calling thread's; @ret is the caller's to close. */
int netns_own(int *ret, struct error *err);
/** Goes there; @ns is a namespace's descriptor or a process's pidfd. @ret_back is for netns_leave(). */
int netns_enter(int ns, int *ret_back, struct error *err);
/** Returns, closes @back. */
void netns_leave(int back);
/** Writes a setting of the namespace that the thread is in, e.g. "ipv4/ip_forward". */
int netns_set(const char *name, const char *value, struct error *err);
/** Reads a number in the same way; -1 when it cannot be read. */
int netns_get(const char *name);

#endif
