/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h - one execution environment: a container running one version of one function, serving
 * one invocation at a time.
 *
 * Each call of sandbox_start() ends in on_ending and on_gone, whatever happens. Before that come:
 *
 *   on_created ── on_ready ── sandbox_run() ── on_answer ── on_returning ── on_ready …
 *        └─────────── or on_start_failed, instead of the first on_ready
 *
 * Owns:    the launch, the faces of the Runtime API and the Extensions API, telemetry, the log
 *          source, the memory files; a reference of its version.
 * Borrows: struct sandbox_host, which outlives every sandbox; the event, until on_answer returns.
 * Threads: loop thread only. Ops may call back into the sandbox.
 * Errors:  a function's failure is a result; a failed start is a struct sandbox_failure.
 * Source:  Lambda developer guide, "Execution environment lifecycle"; design.md section 4.
 */
#ifndef HEARTH_INVOKER_SANDBOX_H
#define HEARTH_INVOKER_SANDBOX_H

#include "common/proto/invoke_wire.h"
#include "invoker/ready_version.h"
#include "invoker/launcher.h"
#include "invoker/logs.h"
#include "invoker/runtime_face.h"

struct sandbox;

enum sandbox_state {
    SANDBOX_CREATING,
    SANDBOX_INIT,
    SANDBOX_IDLE,
    SANDBOX_BUSY,
    SANDBOX_STOPPING,
    SANDBOX_DEAD,
    SANDBOX_STATE_MAX,
};

/** One invocation, as its sandbox sees it. */
struct sandbox_event {
    struct runtime_event_data data;
    bool want_tail;
};

/** How an invocation ended; all borrowed for the call of on_answer. */
struct sandbox_result {
    enum invoke_outcome outcome; /* INVOKE_OK or INVOKE_FUNCTION_ERROR; INVOKE_REFUSED: see below */
    enum error_code refused; /* INVOKE_REFUSED: we ended the sandbox under it */
    struct str message;
    struct str body; /* of a streamed answer: empty, or the error's JSON */
    struct str error_type; /* of a streamed answer that failed */
    struct str log_tail; /* empty unless asked for */
};

enum sandbox_failure_kind {
    SANDBOX_FAILED_NODE, /* the engine or this node: err tells */
    SANDBOX_FAILED_NO_IMAGE, /* the image is not here any more: err tells */
    SANDBOX_FAILED_INIT_TIMEOUT,
    SANDBOX_FAILED_FUNCTION, /* its runtime reported an error, exited, or could not be run */
};

/** Why a sandbox did not come up; good for the call of on_start_failed. */
struct sandbox_failure {
    enum sandbox_failure_kind kind;
    struct error err;
    struct str body; /* FUNCTION: the runtime's own error, or empty with a NULL pointer … */
    const char *text; /* … and then what happened, for errorMessage */
    const char *error_type; /* FUNCTION */
    const char *report_type; /* FUNCTION: error type in REPORT */
    uint64_t init_us; /* how long the init phase was */
};

struct sandbox_ops {
    /* Created; its init phase begins. */
    void (*on_created)(struct sandbox *sb, void *arg);
    /* Its runtime waits for an event. */
    void (*on_ready)(struct sandbox *sb, void *arg);
    /* After on_answer; or, idle, it lost its runtime's request. on_ready or on_ending follows. */
    void (*on_returning)(struct sandbox *sb, void *arg);
    /* sandbox_charge() may be called inside, once. */
    void (*on_start_failed)(struct sandbox *sb, const struct sandbox_failure *failure, void *arg);
    /* A streamed answer begins (@bytes empty), or goes on; only with data.wants_stream. May be held. */
    void (*on_stream)(struct sandbox *sb, const struct sandbox_event *ev, struct str bytes,
                      void *arg);
    /* The event of sandbox_run() was not given to it after all, as it ends: nothing has run. */
    void (*on_not_run)(struct sandbox *sb, const struct sandbox_event *ev, void *arg);
    /*
     * The event of sandbox_run() or sandbox_charge() is over: its runtime has answered, or nothing of it runs any more. It
     * may come after on_ending, before on_gone.
     */
    void (*on_answer)(struct sandbox *sb, const struct sandbox_event *ev,
                      const struct sandbox_result *result, void *arg);
    /* It takes no invocation any more. */
    void (*on_ending)(struct sandbox *sb, void *arg);
    /* Container and memory are gone; @sb is freed when this returns. */
    void (*on_gone)(struct sandbox *sb, void *arg);
};

/** What all sandboxes of a node share. What stands behind arg is not the user's. */
struct sandbox_host {
    struct loop *loop;
    struct launcher *launcher;
    struct logs *logs;
    uint64_t create_limit_us; /* from sandbox_start() to on_created */
    uint64_t init_limit_us;
    uint64_t freeze_after_us; /* idle for so long; 0: never */
    uint64_t stream_limit; /* bytes of a streamed answer */
    const struct sandbox_ops *ops;
    void *arg;
    uint64_t next_number;
    struct list_node sandboxes;
    uint32_t shutting_down; /* give their extensions time to end */
    loop_fn *on_stopped; /* NULL: nobody waits */
    void *stopped_arg;
};

void sandbox_host_init(struct sandbox_host *host);
/** sandbox_stop() of every one; @done comes once none has to wait for its extensions any more. */
void sandbox_host_stop(struct sandbox_host *host, const char *cause, loop_fn *done, void *arg);
/** Ends each that an event runs on as sandbox_stop() does, but without time for its extensions. */
void sandbox_host_kill_runs(struct sandbox_host *host, const char *cause);
/**
 * After launcher_free(), when the engine did not remove them in time: the rest is gone for us. Events whose processes may
 * run still are not answered.
 */
void sandbox_host_done(struct sandbox_host *host);

/**
 * Begins a sandbox of @ver; never fails here. An init phase that fails, or takes too long, is begun
 * once more in the same sandbox, as part of its first invocation (Lambda's suppressed init): both
 * together may last as long as the function's timeout. Only when that fails too the start does.
 *
 * @is_provisioned  begun before there is an invocation: it may take 130 s to initialise, or the
 *                  function's timeout where that is longer, which no REPORT counts
 */
struct sandbox *sandbox_start(struct sandbox_host *host, struct ready_version *ver,
                              bool is_provisioned);
/**
 * Gives @ev to the waiting runtime; it must be idle. on_answer follows, or on_not_run: a sandbox that
 * was frozen may turn out to be dead.
 *
 * Returns 0, or -ERR_UNAVAILABLE when its output can not be kept at present: nothing has changed.
 */
int sandbox_run(struct sandbox *sb, const struct sandbox_event *ev);
/** The streamed answer is not taken on (@on) until it is said again with false. */
void sandbox_hold(struct sandbox *sb, bool on);
/**
 * In on_start_failed: @ev is the invocation that pays for @failure. on_answer is called inside, or once what the init
 * phase has left does not run any more.
 */
void sandbox_charge(struct sandbox *sb, const struct sandbox_event *ev,
                    const struct sandbox_failure *failure);
/**
 * Ends the sandbox, in any state; harmless twice. It takes no invocation any more at once; its
 * extensions, if it has any, are given Lambda's 2 s (0.5 s) to end. A running event is answered with
 * INVOKE_REFUSED, INTERNAL, once nothing of it runs. @cause is static, for the log.
 */
void sandbox_stop(struct sandbox *sb, const char *cause);

/** The next one of the node after @sb, NULL: the first; NULL at the end. */
struct sandbox *sandbox_next(const struct sandbox_host *host, const struct sandbox *sb);
/**
 * Whether its credentials end so soon after @now_s that it should give way to one with those that
 * last until @newest_s (Unix times). Between one and two hours before, so that sandboxes that began
 * together do not end together. Without any: never.
 */
bool sandbox_is_outdated(const struct sandbox *sb, uint64_t now_s, uint64_t newest_s);

enum sandbox_state sandbox_state(const struct sandbox *sb);
/** Whether an event runs on it, or is not answered yet. */
bool sandbox_has_event(const struct sandbox *sb);
struct ready_version *sandbox_version(const struct sandbox *sb);
/** "<8 hex of this process>-<number>", unique on the node. */
const char *sandbox_id(const struct sandbox *sb);
/** Its seat in the pool, and back. */
struct pool_sandbox *sandbox_pool(struct sandbox *sb);
struct sandbox *sandbox_of_pool(struct pool_sandbox *ps);
/** Whether a move is allowed: the table of states. */
bool sandbox_may_go(enum sandbox_state from, enum sandbox_state to);

#endif
