/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_init_wire.c - libFuzzer target: any bytes are frames or refused; a frame that is read is
 * written back as the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "common/proto/init_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t again[INIT_FRAME_MAX];
static const char *argv[INIT_ARGV_MAX + 1], *env[INIT_ENV_MAX + 1];

/* Writes what was read of @f; 0 when it was refused. */
static ssize_t rewrite(const struct init_frame *f)
{
    struct init_hello hello;
    struct init_started started;
    struct init_exited exited;
    struct init_failure failure;
    struct init_assign assign;
    struct init_start start;
    struct init_extensions extensions;
    struct init_extension extension;
    struct init_socket sock;
    struct init_connect to;
    int signo;

    switch (f->type) {
    case INIT_HELLO:
        return init_hello_read(f, &hello) < 0 ? 0 : init_hello_write(again, sizeof(again), &hello);
    case INIT_STARTED:
        return init_started_read(f, &started) < 0
                   ? 0
                   : init_started_write(again, sizeof(again), &started);
    case INIT_EXITED:
        return init_exited_read(f, &exited) < 0 ? 0
                                                : init_exited_write(again, sizeof(again), &exited);
    case INIT_ERROR:
        return init_failure_read(f, &failure) < 0
                   ? 0
                   : init_failure_write(again, sizeof(again), &failure);
    case INIT_START:
        return init_start_read(f, argv, env, &start) < 0
                   ? 0
                   : init_start_write(again, sizeof(again), &start);
    case INIT_SIGNAL:
        return init_signal_read(f, &signo) < 0 ? 0 : init_signal_write(again, sizeof(again), signo);
    case INIT_KILL:
        return f->body_len ? 0 : init_kill_write(again, sizeof(again));
    case INIT_ASSIGN:
        return init_assign_read(f, &assign) < 0 ? 0
                                                : init_assign_write(again, sizeof(again), &assign);
    case INIT_GO:
        return f->body_len ? 0 : init_go_write(again, sizeof(again));
    case INIT_RESTART:
        return f->body_len ? 0 : init_restart_write(again, sizeof(again));
    case INIT_RESTARTED:
        return f->body_len ? 0 : init_restarted_write(again, sizeof(again));
    case INIT_EXTENSIONS:
        return init_extensions_read(f, &extensions) < 0
                   ? 0
                   : init_extensions_write(again, sizeof(again), &extensions);
    case INIT_EXTENSION:
        return init_extension_read(f, &extension) < 0
                   ? 0
                   : init_extension_write(again, sizeof(again), &extension);
    case INIT_SOCKET:
        return init_socket_read(f, &sock) < 0 ? 0
                                              : init_socket_write(again, sizeof(again), &sock);
    case INIT_CONNECT:
        return init_connect_read(f, &to) < 0 ? 0 : init_connect_write(again, sizeof(again), &to);
    }
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct init_frame f;
    ssize_t n;

    while (init_frame_parse(data, size, &f) > 0) {
        if (f.total > size || f.body + f.body_len != data + f.total)
            abort();
        n = rewrite(&f);
        if (n < 0 || (n > 0 && ((size_t)n != f.total || memcmp(again, data, f.total) != 0)))
            abort();
        data += f.total;
        size -= f.total;
    }
    return 0;
}
