/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init_wire.h - the messages between the invoker and hearth-init, PID 1 of a sandbox, over the
 * Unix stream socket that is mounted into it.
 *
 *   frame = u32 length of what follows the length | u8 type | body        (little endian)
 *
 *   init -> invoker: HELLO (with descriptors), STARTED, EXITED, ERROR
 *   invoker -> init: START (once), SIGNAL, KILL; closing the socket ends the whole sandbox
 *   a blank sandbox: ASSIGN (once, with descriptors) before START
 *
 * Both sides check every bound; a malformed frame ends the connection. This pair is linked into the
 * static hearth-init too, so it knows libc only and allocates nothing.
 *
 * Owns:    nothing; strings that are read point into the caller's frame.
 * Threads: any.
 * Errors:  writers: -1 when the frame does not fit; readers: -1 when it is malformed.
 * Source:  docs/internals/sandboxes.md.
 */
#ifndef HEARTH_PROTO_INIT_WIRE_H
#define HEARTH_PROTO_INIT_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define INIT_WIRE_VERSION 1
#define INIT_FRAME_MAX (256u * 1024u) /* bytes of one frame, length field included */
#define INIT_HEADER 5u
#define INIT_ARGV_MAX 512u
#define INIT_ENV_MAX 2048u
#define INIT_TEXT_MAX 200u /* of ERROR, bytes with NUL */

/* Descriptors that HELLO carries, in this order; the last two only with their flag. */
#define INIT_FDS_MAX 5
#define INIT_HAS_MEMORY_USAGE 0x01u
#define INIT_HAS_MEMORY_EVENTS 0x02u

/* Mounts that ASSIGN carries as descriptors: the root file system, then these, in this order. */
#define INIT_MOUNTS_MAX 4
#define INIT_MOUNT_TMP 0x01u /* /tmp */
#define INIT_MOUNT_TASK 0x02u /* /var/task */
#define INIT_MOUNT_OPT 0x04u /* /opt */

enum init_type {
    INIT_HELLO = 1,
    INIT_STARTED = 2,
    INIT_EXITED = 3,
    INIT_ERROR = 4,
    INIT_START = 16,
    INIT_SIGNAL = 17,
    INIT_KILL = 18,
    INIT_ASSIGN = 24,
};

/* What hearth-init was doing when it failed. */
enum init_stage {
    INIT_STAGE_LISTEN = 1, /* the Runtime API's listener */
    INIT_STAGE_PIPES = 2,
    INIT_STAGE_PROTOCOL = 3, /* the invoker's frame was not understood */
    INIT_STAGE_CHDIR = 4, /* the working folder: Runtime.InvalidWorkingDir */
    INIT_STAGE_FORK = 5,
    INIT_STAGE_EXEC = 6, /* the entry point: Runtime.InvalidEntrypoint */
    INIT_STAGE_ROOT = 16, /* a blank sandbox: moving to its root file system */
    INIT_STAGE_DROP = 17, /* likewise: giving up its privileges */
};

struct init_frame {
    enum init_type type;
    const uint8_t *body;
    size_t body_len;
    size_t total; /* bytes of the whole frame */
};

struct init_hello {
    uint8_t version;
    uint8_t flags; /* INIT_HAS_* */
};

struct init_started {
    int32_t pid; /* in the sandbox's own PID namespace */
};

struct init_exited {
    int32_t pid;
    int32_t status; /* as wait(2) gives it */
    uint64_t oom_kills; /* of the sandbox's cgroup since it began; 0 when it cannot be read */
};

struct init_failure {
    uint8_t stage; /* enum init_stage */
    int32_t sys_errno;
    char text[INIT_TEXT_MAX]; /* what it was about; empty for CHDIR and EXEC: START said it */
};

/* A blank sandbox becomes a function's. */
struct init_assign {
    uint8_t mounts; /* INIT_MOUNT_* */
    uint32_t uid, gid; /* whom all that follows runs as; never 0 */
};

struct init_start {
    const char *cwd; /* absolute */
    const char *const *argv; /* at least one, NULL-terminated */
    const char *const *env; /* "NAME=value", NULL-terminated; secret */
};

/** Looks at the first frame of @len bytes: 1 complete (@ret set), 0 more bytes are needed, -1. */
int init_frame_parse(const void *bytes, size_t len, struct init_frame *ret);

/* Writers: the frame into @buf; its size, or -1 when it does not fit in @cap or breaks a bound. */
ssize_t init_hello_write(void *buf, size_t cap, const struct init_hello *m);
ssize_t init_started_write(void *buf, size_t cap, const struct init_started *m);
ssize_t init_exited_write(void *buf, size_t cap, const struct init_exited *m);
ssize_t init_failure_write(void *buf, size_t cap, const struct init_failure *m);
ssize_t init_start_write(void *buf, size_t cap, const struct init_start *m);
ssize_t init_signal_write(void *buf, size_t cap, int signo);
ssize_t init_kill_write(void *buf, size_t cap);
ssize_t init_assign_write(void *buf, size_t cap, const struct init_assign *m);
/** What init_start_write() would return given room enough. */
ssize_t init_start_size(const struct init_start *m);

/* Readers of a frame of that very type: 0 or -1. */
int init_hello_read(const struct init_frame *f, struct init_hello *ret);
int init_started_read(const struct init_frame *f, struct init_started *ret);
int init_exited_read(const struct init_frame *f, struct init_exited *ret);
int init_failure_read(const struct init_frame *f, struct init_failure *ret);
int init_signal_read(const struct init_frame *f, int *ret_signo);
int init_assign_read(const struct init_frame *f, struct init_assign *ret);
/** @argv has room for INIT_ARGV_MAX + 1 pointers, @env for INIT_ENV_MAX + 1; @ret uses them. */
int init_start_read(const struct init_frame *f, const char **argv, const char **env,
                    struct init_start *ret);
/** The number of descriptors that a HELLO with @flags carries. */
int init_hello_fds(uint8_t flags);
/** The number of descriptors that an ASSIGN with @mounts carries. */
int init_assign_fds(uint8_t mounts);

#endif
