/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_impl.h - what the parts of a sandbox share; for invoker/sandbox*.c only.
 *
 *   sandbox.c             states, events, the runtime's side, deadlines
 *   sandbox_answer.c      the single answer of an event
 *   sandbox_start.c       from nothing to its init phase, and starts that fail
 *   sandbox_retry.c       the second try of an init phase
 *   sandbox_extensions.c  extensions and telemetry
 *   sandbox_freeze.c      idle ones stand still, until something is to be done
 *   sandbox_end.c         shutting down, and away
 *
 * Threads: loop thread only.
 */
#ifndef HEARTH_INVOKER_SANDBOX_IMPL_H
#define HEARTH_INVOKER_SANDBOX_IMPL_H

#include "invoker/extension_face.h"
#include "invoker/sandbox.h"
#include "invoker/sandbox_log.h"
#include "invoker/sandbox_stream.h"
#include "invoker/telemetry.h"

#define ERROR_JSON_MAX 32768u

/* Why a sandbox ends, as its extensions are told. */
enum sandbox_end_reason { SANDBOX_SPINDOWN, SANDBOX_TIMEOUT, SANDBOX_FAILURE };

/* The steps of a sandbox that gives its extensions time to end. */
enum sandbox_shutdown {
    SHUTDOWN_NONE,
    SHUTDOWN_RUNTIME, /* SIGTERM was sent to the main process */
    SHUTDOWN_EXTENSIONS, /* SHUTDOWN was given to those that want it */
    SHUTDOWN_OVER,
};

#define KEPT_TAIL_MAX 8192u /* the tail has 4096 at most */

/* An answer that waits until nothing of its event runs any more. */
struct sandbox_kept {
    const struct sandbox_event *event; /* NULL: there is none */
    enum invoke_outcome outcome;
    enum error_code refused;
    char message[ERROR_MSG_MAX];
    char error_type[64];
    struct buf body, tail;
};

struct sandbox {
    struct sandbox_host *host;
    struct ready_version *ver;
    struct list_node node; /* in host->sandboxes */
    struct pool_sandbox ps;
    char id[33];
    char log_stream[LOGS_STREAM_NAME_MAX];
    enum sandbox_state state;
    struct timer deadline; /* of the state */
    struct timer freeze; /* idle for so long: its processes are stopped … */
    bool freeze_is_due; /* … once telemetry is delivered */
    bool frozen;
    struct timer settle; /* the runtime has ended: what it sent before is read first */

    struct launch *launch; /* NULL: not begun, or gone */
    struct runtime_face *face; /* from on_created on */
    struct sandbox_log log; /* open from then on */

    const struct sandbox_event *due; /* was taken; its processes go on before it is given */
    const struct sandbox_event *event; /* runs */
    struct sandbox_kept kept; /* the answer of one that does not */
    bool dead; /* it has no process any more */
    struct sandbox_stream stream; /* its answer, when that is streamed */
    uint64_t given_us; /* when the event was given */
    uint64_t budget_us; /* its time */
    uint64_t credentials_end_s; /* of those in its environment, Unix time; 0: it has none */
    uint64_t outdated_s; /* when it should give way to one with newer ones */
    bool is_provisioned; /* see sandbox_start() */
    bool slow; /* the second try of its init: within its first invocation's time */
    bool restarting; /* the processes of the first try are about to end */
    bool launch_failed; /* there is nothing to try again in */
    int listener; /* of the face, for a second try; -1 once init is over */
    bool runtime_runs; /* the main process was started and has not ended */
    uint64_t init_began_us;
    uint64_t init_us; /* for the first REPORT, then 0 */

    int exit_status; /* as wait(2) gives it, while settle is armed */
    bool exit_oom;
    struct error start_error; /* of launch_start() itself */

    struct extension_face *extensions;
    struct telemetry *telemetry;
    bool main_is_due; /* once all external extensions are registered */
    const struct extension *failed; /* reported an error; its exit is awaited … */
    struct timer extension_settle; /* … that long */

    enum sandbox_shutdown shutdown;
    enum sandbox_end_reason end_reason;
    uint64_t shutdown_due_us;
    struct timer shutdown_timer;
};

/* ---- sandbox.c */

bool sandbox_has_ended(const struct sandbox *sb);
/* The only writer of sb->state, after the start. */
void sandbox_set_state(struct sandbox *sb, enum sandbox_state state, const char *cause);
uint64_t sandbox_time_of(const struct sandbox *sb, enum sandbox_state state);
void sandbox_timed_out_text(const struct sandbox *sb, char *ret, size_t size);
/* Goes idle when the runtime and all extensions wait for an event. */
void sandbox_try_ready(struct sandbox *sb);
/* The waiting runtime, or an extension, does not wait any more. */
void sandbox_not_ready(struct sandbox *sb, const char *cause);
/* The main process has ended. */
void sandbox_runtime_ended(struct sandbox *sb, int status, bool oom);
/* The last bytes of an ended runtime were read. */
void sandbox_runtime_settled(struct sandbox *sb);
extern const struct runtime_face_ops sandbox_face_ops;
/* What has to be done before @sb->due can be given is done. */
void sandbox_give_due(struct sandbox *sb);
/* Prepares what belongs to sandbox.c. */
void sandbox_init_timers(struct sandbox *sb);

/* ---- sandbox_answer.c */

void sandbox_kept_init(struct sandbox_kept *kept);
void sandbox_kept_done(struct sandbox_kept *kept);
/* The running event is over, by its runtime's word. */
void sandbox_finish(struct sandbox *sb, struct sandbox_result *result,
                    struct sandbox_log_ending *end);
/* The same when its processes may go on: writes the last lines, and answers once they do not. */
void sandbox_finish_when_still(struct sandbox *sb, const struct sandbox_result *result,
                               struct sandbox_log_ending *end);
/* As sandbox_finish_when_still() for an error that we found: makes the JSON that the caller gets. */
void sandbox_finish_with_error(struct sandbox *sb, const char *error_type, const char *text,
                               struct sandbox_log_ending *end);
/* The same for @ev, which pays for a failed start. */
void sandbox_answer_when_still(struct sandbox *sb, const struct sandbox_event *ev,
                               const struct sandbox_result *result, struct sandbox_log_ending *end);
/* Nothing of the event runs any more: its kept answer, if there is one, leaves. */
void sandbox_answer_kept(struct sandbox *sb);
void sandbox_on_dead(struct launch *launch, void *arg);

/* ---- sandbox_start.c */

void sandbox_start_failed(struct sandbox *sb, const struct sandbox_failure *failure);
void sandbox_start_failed_in_function(struct sandbox *sb, const char *error_type,
                                      const char *report_type, struct str body, const char *text);
void sandbox_start_failed_in_node(struct sandbox *sb, enum sandbox_failure_kind kind,
                                  const struct error *err);

/* ---- sandbox_retry.c */

/* Whether the init phase that ended with @failure begins anew, in the same sandbox. */
bool sandbox_retry(struct sandbox *sb, const struct sandbox_failure *failure);
void sandbox_on_restarted(struct launch *launch, int stdout_fd, int stderr_fd, void *arg);

/* ---- sandbox_freeze.c */

void sandbox_freeze_init(struct sandbox *sb);
/* It is idle: freezes it after a while. */
void sandbox_freeze_later(struct sandbox *sb);
/* It is wanted, for whatever: 0, 1 or -ERR_CLOSED as launch_thaw() has it. */
int sandbox_thaw(struct sandbox *sb);
/* Telemetry is not being delivered any more, perhaps. */
void sandbox_telemetry_settled(struct sandbox *sb);
void sandbox_on_thawed(struct launch *launch, const struct error *err, void *arg);

/* ---- sandbox_extensions.c */

void sandbox_extensions_new(struct sandbox *sb);
void sandbox_extensions_free(struct sandbox *sb);
/* The init phase is over. */
void sandbox_extensions_init_done(struct sandbox *sb);
void sandbox_on_extensions(struct launch *launch, const struct init_extensions *found, int log_fd,
                           void *arg);
void sandbox_on_extension(struct launch *launch, const struct init_extension *news, void *arg);
void sandbox_on_socket(struct launch *launch, uint32_t token, int fd, int sys_errno, void *arg);

/* ---- sandbox_end.c */

/* As sandbox_stop(), for @reason. */
void sandbox_end(struct sandbox *sb, enum sandbox_end_reason reason, const char *cause);
void sandbox_shutdown_init(struct sandbox *sb);
/* Of the main process or an extension, while shutting down. */
void sandbox_shutdown_exited(struct sandbox *sb);
/* The container is gone, or never was. */
void sandbox_gone(struct sandbox *sb);

#endif
