/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init_wire.h - the messages between the invoker and hearth-init, PID 1 of a sandbox, over the
 * Unix stream socket that is mounted into it.
 *
 *   frame = u32 length of what follows the length | u8 type | body        (little endian)
 *
 *   init -> invoker: HELLO (with descriptors), STARTED, EXITED, ERROR;
 *                    EXTENSIONS (with a descriptor), EXTENSION; SOCKET (with a descriptor);
 *                    RESTARTED (with descriptors)
 *   invoker -> init: START (once), SIGNAL, KILL, GO, CONNECT, RESTART; closing the socket ends the
 *                    whole sandbox; to a blank one ASSIGN (once, with descriptors) before START
 *
 * Where START finds executables in /opt/extensions, EXTENSIONS names them all and init waits: the
 * first GO starts them (an EXTENSION tells of each), the second one starts the main process.
 *
 * RESTART, after START, kills all processes of the function. When the last one is gone RESTARTED
 * brings new log pipes, and the next GO does what START did.
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
#define INIT_EXTENSIONS_MAX 10u /* Lambda's limit; there may be more, which are counted only */
#define INIT_NAME_MAX 256u /* of an extension, bytes with NUL */

/* Descriptors that HELLO carries, in this order; the last two only with their flag. */
#define INIT_FDS_MAX 5
#define INIT_HAS_MEMORY_USAGE 0x01u
#define INIT_HAS_MEMORY_EVENTS 0x02u

#define INIT_RESTARTED_FDS 2 /* read ends of standard output and standard error, in this order */

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
    INIT_EXTENSIONS = 8,
    INIT_EXTENSION = 9,
    INIT_SOCKET = 10,
    INIT_RESTARTED = 11,
    INIT_START = 16,
    INIT_SIGNAL = 17,
    INIT_KILL = 18,
    INIT_GO = 24,
    INIT_CONNECT = 25,
    INIT_RESTART = 26,
    INIT_ASSIGN = 32,
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

/* The executables in /opt/extensions, in the order of their names; the descriptor that comes along
 * is the read end of a pipe, the standard output and standard error of all of them. */
struct init_extensions {
    uint32_t found; /* may be more than names are given */
    uint32_t len;
    const char *names[INIT_EXTENSIONS_MAX];
};

enum init_extension_news {
    INIT_EXTENSION_STARTED = 1, /* value: its pid */
    INIT_EXTENSION_FAILED = 2, /* it could not be run; value: errno */
    INIT_EXTENSION_EXITED = 3, /* value: status as wait(2) gives it */
};

struct init_extension {
    uint8_t news; /* enum init_extension_news */
    int32_t value;
    char name[INIT_NAME_MAX];
};

/* Asks for a TCP connection to a port of the sandbox's own 127.0.0.1. */
struct init_connect {
    uint32_t token; /* the answer has it too */
    uint16_t port; /* 1..65535 */
};

/* The answer; the descriptor that comes along may still be connecting. */
struct init_socket {
    uint32_t token;
    int32_t sys_errno; /* not 0: no descriptor */
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
ssize_t init_go_write(void *buf, size_t cap);
ssize_t init_restart_write(void *buf, size_t cap);
ssize_t init_restarted_write(void *buf, size_t cap);
ssize_t init_extensions_write(void *buf, size_t cap, const struct init_extensions *m);
ssize_t init_extension_write(void *buf, size_t cap, const struct init_extension *m);
ssize_t init_connect_write(void *buf, size_t cap, const struct init_connect *m);
ssize_t init_socket_write(void *buf, size_t cap, const struct init_socket *m);
/** What init_start_write() would return given room enough. */
ssize_t init_start_size(const struct init_start *m);

/* Readers of a frame of that very type: 0 or -1. */
int init_hello_read(const struct init_frame *f, struct init_hello *ret);
int init_started_read(const struct init_frame *f, struct init_started *ret);
int init_exited_read(const struct init_frame *f, struct init_exited *ret);
int init_failure_read(const struct init_frame *f, struct init_failure *ret);
int init_signal_read(const struct init_frame *f, int *ret_signo);
int init_assign_read(const struct init_frame *f, struct init_assign *ret);
int init_extensions_read(const struct init_frame *f, struct init_extensions *ret);
int init_extension_read(const struct init_frame *f, struct init_extension *ret);
int init_connect_read(const struct init_frame *f, struct init_connect *ret);
int init_socket_read(const struct init_frame *f, struct init_socket *ret);
/** @argv has room for INIT_ARGV_MAX + 1 pointers, @env for INIT_ENV_MAX + 1; @ret uses them. */
int init_start_read(const struct init_frame *f, const char **argv, const char **env,
                    struct init_start *ret);
/** The number of descriptors that a HELLO with @flags carries. */
int init_hello_fds(uint8_t flags);
/** The number of descriptors that an ASSIGN with @mounts carries. */
int init_assign_fds(uint8_t mounts);

#endif
