/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - what the functions of the history checker tell the recorder: messages of one seqpacket connection for each sandbox.
 *
 * The socket has the name RECORDER_NAME in the folder of the function's code, which a sandbox sees read-only at /var/task:
 * a socket of the file system needs no network, and the kernel closes it when the process dies, whoever killed it.
 * Times are CLOCK_MONOTONIC in nanoseconds, which all processes of a machine share.
 */
#ifndef HISTORY_WIRE_H
#define HISTORY_WIRE_H

#include <stdint.h>
#include <time.h>

#define RECORDER_NAME "recorder"

enum record_kind {
    RECORD_HELLO = 1, /* name: the function's */
    RECORD_START,     /* tag: of the event, before anything else is done with it */
    RECORD_END,       /* before the answer is sent */
};

struct record {
    uint32_t kind;
    uint32_t pid; /* in the sandbox: a runtime that was begun anew has another */
    uint64_t at_ns;
    uint64_t tag;
    char name[64];
};

static inline uint64_t monotonic_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

#endif
