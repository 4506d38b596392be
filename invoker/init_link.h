/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init_link.h - the invoker's end of the socket to one sandbox's PID 1 (hearth-init).
 *
 * It listens at a path, takes the first connection and no other (nothing of the function can run
 * before that one), and unlinks the path. Closing the link ends the sandbox.
 *
 * Owns:    its sockets, and received descriptors until a callback gives them away.
 * Threads: loop thread only; callbacks never run inside a call; the link may be freed in them.
 * Errors:  what breaks the protocol or the connection ends in on_closed.
 * Source:  docs/internals/sandboxes.md, common/proto/init_wire.h.
 */
#ifndef HEARTH_INVOKER_INIT_LINK_H
#define HEARTH_INVOKER_INIT_LINK_H

#include <sys/types.h>

#include "common/base/error.h"
#include "common/io/loop.h"
#include "common/proto/init_wire.h"
#include "invoker/launcher.h"

struct init_link;

struct init_link_handler {
    /** First and at most once; @fds are the receiver's. */
    void (*on_hello)(const struct launch_fds *fds, void *arg);
    /** The main process runs. */
    void (*on_started)(const struct init_started *m, void *arg);
    void (*on_exited)(const struct init_exited *m, void *arg);
    void (*on_failure)(const struct init_failure *m, void *arg);
    /** The last one, at most once: PID 1 is gone, or talks nonsense. */
    void (*on_closed)(const struct error *err, void *arg);
    /** At most once, and once more after each on_restarted; @log_fd is the receiver's. */
    void (*on_extensions)(const struct init_extensions *m, int log_fd, void *arg);
    void (*on_extension)(const struct init_extension *m, void *arg);
    /** @fd is the receiver's; -1 with m->sys_errno. */
    void (*on_socket)(const struct init_socket *m, int fd, void *arg);
    /** Nothing of the function runs any more. New log pipes, the receiver's; GO is due. */
    void (*on_restarted)(int stdout_fd, int stderr_fd, void *arg);
};

/** Listens at @path (under 108 bytes; must not exist). -ERR_SYSTEM. @handler is borrowed. */
int init_link_new(struct loop *loop, const char *path, const struct init_link_handler *handler,
                  void *arg, struct init_link **ret, struct error *err);
/** The same over @fd, a socket whose other end is PID 1's already; @fd is the link's. */
struct init_link *init_link_new_connected(struct loop *loop, int fd,
                                          const struct init_link_handler *handler, void *arg);
/** From now on others hear what PID 1 says. */
void init_link_set_handler(struct init_link *link, const struct init_link_handler *handler,
                           void *arg);
/** Closes everything, hence ends the sandbox. No callback comes any more. NULL is fine. */
void init_link_free(struct init_link *link);

/* Once connected; harmless before. */
/** PID 1 as this process sees it, once HELLO has come; 0 when it does not. */
pid_t init_link_pid(const struct init_link *link);
void init_link_start(struct init_link *link, const struct init_start *start);
void init_link_signal(struct init_link *link, int signo);
void init_link_kill(struct init_link *link);
/**
 * Gives a blank sandbox its mounts, init_assign_fds(@m->mounts) descriptors, which stay the
 * caller's. First of all that is said on @link. -ERR_SYSTEM.
 */
int init_link_assign(struct init_link *link, const struct init_assign *m, const int *fds,
                     struct error *err);
void init_link_go(struct init_link *link);
void init_link_restart(struct init_link *link);
void init_link_connect(struct init_link *link, uint32_t token, uint16_t port);

#endif
