/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launcher.h - how a sandbox comes to life and ends, whatever makes it (Docker today).
 *
 * A launch is one sandbox from request to removal:
 *
 *   launch_start() ── on_ready(fds) ── launch_run() ── on_exited ── launch_end() ── on_gone
 *          └──────────── on_failed (any time before on_exited) ───────────┘
 *
 * on_ready: PID 1 stands and has handed over the Runtime API's listener, the log pipes and the
 * memory files; nothing of the function runs yet. launch_run() then starts its entry point, so
 * the receiver can accept on the listener first. After on_failed, and when the sandbox dies by
 * itself, it is ended without being asked; on_gone is always the last callback and comes once the
 * container and its folder do not exist any more. Then the launch is freed.
 *
 * With executables in /opt/extensions, on_extensions comes first and launch_run() has started nothing
 * yet: launch_go() starts them, launch_go() again starts the entry point.
 *
 * Owns:    the container, its run folder, the connection to its PID 1.
 * Threads: loop thread only; callbacks never run inside the call that asked for them.
 * Errors:  launch_start() checks its options; everything later comes by callback.
 */
#ifndef HEARTH_INVOKER_LAUNCHER_H
#define HEARTH_INVOKER_LAUNCHER_H

#include <stdbool.h>

#include "common/base/error.h"
#include "common/model/sandbox_spec.h"
#include "common/proto/init_wire.h"
#include "invoker/image_store.h"

struct launcher;
struct launch;

/* Why a sandbox is made, in AWS's words. */
#define INIT_ON_DEMAND "on-demand"
#define INIT_PROVISIONED "provisioned-concurrency"

/** Descriptors from inside the sandbox, close-on-exec, not blocking; the receiver's to close. */
struct launch_fds {
    int listener; /* 127.0.0.1:9001 in the sandbox's network namespace */
    int stdout_fd; /* read ends; EOF when no process of the function holds them any more */
    int stderr_fd;
    int memory_usage; /* pread() at 0: peak (or present) bytes in decimal; -1 when unknown */
    int memory_events; /* pread() at 0: a line "oom_kill N"; -1 when unknown */
};

#define LAUNCH_FDS_NONE ((struct launch_fds){-1, -1, -1, -1, -1})

static inline void launch_fds_close(struct launch_fds *fds)
{
    closep(&fds->listener);
    closep(&fds->stdout_fd);
    closep(&fds->stderr_fd);
    closep(&fds->memory_usage);
    closep(&fds->memory_events);
}

/** How the function's main process ended. */
struct launch_exit {
    int status; /* as wait(2) gives it */
    uint64_t oom_kills; /* processes of the sandbox that the kernel killed for memory, so far */
};

enum launch_failure {
    LAUNCH_FAILED_ENGINE, /* the engine or the node: may succeed elsewhere or later */
    LAUNCH_FAILED_NO_IMAGE, /* the image is not on this node (any more): prepare it again */
    LAUNCH_FAILED_TIMEOUT, /* PID 1 did not connect in time */
    LAUNCH_FAILED_ENTRYPOINT, /* the function's: Runtime.InvalidEntrypoint; has sys_errno */
    LAUNCH_FAILED_WORKDIR, /* the function's: Runtime.InvalidWorkingDir; has sys_errno */
    LAUNCH_FAILED_DIED, /* PID 1 ended unasked: killed from outside, or with its memory gone */
};

/** Microseconds each phase took; 0 for those not reached. */
struct launch_times {
    uint64_t queued_us; /* waited for fewer starts to run at once */
    uint64_t create_us;
    uint64_t start_us;
    uint64_t connect_us; /* from the engine's answer to HELLO; 0 when HELLO came first */
    uint64_t total_us; /* from launch_start() to on_ready */
};

struct launch_handler {
    /** At most once. @fds are the receiver's. */
    void (*on_ready)(struct launch *launch, const struct launch_fds *fds,
                     const struct launch_times *times, void *arg);
    /**
     * At most once, and once more after each on_restarted; after launch_run(). Other processes of
     * the function may still live.
     */
    void (*on_exited)(struct launch *launch, const struct launch_exit *how, void *arg);
    /** At most once; not after launch_end() was called, and not after on_exited. */
    void (*on_failed)(struct launch *launch, enum launch_failure failure, const struct error *err,
                      void *arg);
    /** Exactly once, the last; @launch is freed when it returns. */
    void (*on_gone)(struct launch *launch, void *arg);
    /**
     * At most once after launch_run(), and after launch_restart(); @log_fd, what they print, is the
     * receiver's.
     */
    void (*on_extensions)(struct launch *launch, const struct init_extensions *found, int log_fd,
                          void *arg);
    /** One of them was started, could not be, or has ended. */
    void (*on_extension)(struct launch *launch, const struct init_extension *news, void *arg);
    /** launch_connect() is answered: @fd (-1 with @sys_errno) may still be connecting. */
    void (*on_socket)(struct launch *launch, uint32_t token, int fd, int sys_errno, void *arg);
    /** After launch_restart(): nothing runs any more. New log pipes, the receiver's. */
    void (*on_restarted)(struct launch *launch, int stdout_fd, int stderr_fd, void *arg);
    /**
     * At most once, after the end was asked for or came by itself: no process of the sandbox runs any more. What
     * is left to be removed may take long. NULL: on_gone says it too.
     */
    void (*on_dead)(struct launch *launch, void *arg);
    /** launch_thaw() has said 1: its processes go on now; or cannot, and @err says why. */
    void (*on_thawed)(struct launch *launch, const struct error *err, void *arg);
};

/** Borrowed for the call of launch_start() only; what is needed later is copied. */
struct launch_options {
    const char *sandbox_id; /* 1..32 of [a-z0-9-], unique on this node for ever */
    const struct sandbox_spec *spec;
    const struct image_info *image;
    const char *code_dir; /* mounted read-only at /var/task until on_gone; NULL for images */
    const char *layers_dir; /* mounted read-only at /opt until on_gone; NULL: the image's own */
    const char *bootstrap; /* begun in place of the image's entry point; NULL: none */
    const char *log_stream; /* "2026/11/23/[$LATEST]<32 hex>" */
    const char *init_type; /* INIT_ON_DEMAND, INIT_PROVISIONED */
    const struct launch_handler *handler; /* borrowed, static */
    void *arg;
};

/** The table of one kind of launcher. */
struct launcher_ops {
    const char *name; /* "docker" */
    int (*start)(struct launcher *launcher, const struct launch_options *options,
                 struct launch **ret, struct error *err);
    void (*run)(struct launch *launch);
    void (*settled)(struct launch *launch); /* NULL: nothing to do then */
    void (*signal)(struct launch *launch, int signo);
    void (*kill)(struct launch *launch);
    void (*end)(struct launch *launch);
    bool (*freeze)(struct launch *launch);
    int (*thaw)(struct launch *launch);
    void (*go)(struct launch *launch);
    void (*restart)(struct launch *launch);
    void (*connect)(struct launch *launch, uint32_t token, uint16_t port);
    void (*swept)(struct launcher *launcher, void (*done)(void *arg), void *arg);
    void (*stop)(struct launcher *launcher, void (*done)(void *arg), void *arg);
    void (*free)(struct launcher *launcher);
};

/** The heads of every implementation's own structs. */
struct launcher {
    const struct launcher_ops *ops;
};
struct launch {
    struct launcher *launcher;
};

/**
 * Begins to make a sandbox; callbacks tell the rest. @ret is good until on_gone returns.
 *
 * Returns 0; -ERR_BAD_REQUEST for a wrong sandbox id or no entry point; -ERR_TOO_LARGE for an
 * environment beyond INIT_FRAME_MAX; -ERR_SYSTEM when its folder or socket cannot be made.
 */
static inline int launch_start(struct launcher *launcher, const struct launch_options *options,
                               struct launch **ret, struct error *err)
{
    return launcher->ops->start(launcher, options, ret, err);
}

/** Starts the function's entry point; once, after on_ready. Harmless when the sandbox is ending. */
static inline void launch_run(struct launch *launch)
{
    launch->launcher->ops->run(launch);
}

/**
 * The init phase is over. In it a function has all the CPU time there is, as on Lambda; from now on
 * what its memory gives it. Harmless twice, and when the sandbox is ending.
 */
static inline void launch_settled(struct launch *launch)
{
    if (launch->launcher->ops->settled)
        launch->launcher->ops->settled(launch);
}

/** Sends @signo to the function's main process, when there is one. */
static inline void launch_signal(struct launch *launch, int signo)
{
    launch->launcher->ops->signal(launch, signo);
}

/** SIGKILL to every process but PID 1: on_exited still comes, and the pipes end. */
static inline void launch_kill(struct launch *launch)
{
    launch->launcher->ops->kill(launch);
}

/** Ends the sandbox with all in it, in any state, at once; on_gone follows. Harmless twice. */
static inline void launch_end(struct launch *launch)
{
    launch->launcher->ops->end(launch);
}

/**
 * Stops all processes of the sandbox, PID 1 too, soon; false: they go on. While they stand, what is
 * told to PID 1 waits, and only launch_end() has its effect at once.
 */
static inline bool launch_freeze(struct launch *launch)
{
    return launch->launcher->ops->freeze(launch);
}

/**
 * Lets them go on. Harmless when they do.
 *
 * Returns 0; 1 when on_thawed will tell; -ERR_CLOSED when somebody has ended them meanwhile, or they
 * cannot go on: the sandbox is good for launch_end() only.
 */
static inline int launch_thaw(struct launch *launch)
{
    return launch->launcher->ops->thaw(launch);
}

/**
 * Kills all processes of the function, for another try in the same sandbox; after launch_run().
 * on_restarted follows, unless the sandbox ends first; launch_go() then does what launch_run() did.
 */
static inline void launch_restart(struct launch *launch)
{
    launch->launcher->ops->restart(launch);
}

/** The next step after on_extensions or on_restarted; see above. */
static inline void launch_go(struct launch *launch)
{
    launch->launcher->ops->go(launch);
}

/** Opens a TCP connection to @port of the sandbox's 127.0.0.1, from inside; on_socket follows. */
static inline void launch_connect(struct launch *launch, uint32_t token, uint16_t port)
{
    launch->launcher->ops->connect(launch, token, port);
}

/** @done comes, once, when nothing runs any more that an earlier life of this node began. */
static inline void launcher_when_swept(struct launcher *launcher, void (*done)(void *arg), void *arg)
{
    launcher->ops->swept(launcher, done, arg);
}

/** Ends every sandbox; @done comes once all are gone. No launch_start() afterwards. */
static inline void launcher_stop(struct launcher *launcher, void (*done)(void *arg), void *arg)
{
    launcher->ops->stop(launcher, done, arg);
}

/**
 * Closes what is left without waiting: each sandbox still ends, because its PID 1 sees the socket
 * close. No callback comes any more. NULL is fine.
 */
static inline void launcher_free(struct launcher *launcher)
{
    if (launcher)
        launcher->ops->free(launcher);
}

#endif
