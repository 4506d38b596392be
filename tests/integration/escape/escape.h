/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape.h - what the probes share. A probe runs in a process of its own and returns an errno,
 * SILENT, or OPEN: what it tried was not refused.
 */
#ifndef HEARTH_TESTS_ESCAPE_H
#define HEARTH_TESTS_ESCAPE_H

#include <stdbool.h>

#define OPEN 200 /* exit status; everything below is an errno */
#define SILENT 199 /* refused without an errno: nothing there, or no effect */

struct probe {
    const char *name;
    int (*run)(void);
};

/** Each ends with a probe without a name. */
extern const struct probe file_probes[], proc_probes[], network_probes[], call_probes[],
    process_probes[];

/** A call that gave @r was refused with errno, or was not. */
int called(long r);

/** Opens @path; @flags as open()'s. */
int opens(const char *path, int flags);

/** Makes a file in @folder; stays there. */
int writes(const char *folder);

/** Connects to @text, "ADDRESS:PORT" of IPv4. */
int connects_tcp(const char *text);

/** Connects to a Unix socket by its path or its abstract name. */
int connects_unix(const char *name, bool abstract);

#endif
