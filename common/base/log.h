/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - our own log: one JSON line for each event, on standard error.
 *
 *   log_info("sandbox", "ready", KV_STR("sandbox", id), KV_U64("init_us", us));
 *
 * The level is tested before arguments are evaluated. Functions' output, payloads, secrets and
 * environment values never come here.
 *
 * Threads: any; each line is one write(2).
 * Errors:  a line that cannot be written is lost.
 */
#ifndef HEARTH_BASE_LOG_H
#define HEARTH_BASE_LOG_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

enum log_kv_type { LOG_KV_END, LOG_KV_STR, LOG_KV_U64, LOG_KV_I64 };

struct log_kv {
    const char *key;
    enum log_kv_type type;
    struct str str;
    uint64_t u64;
};

#define KV_S(k, s) ((struct log_kv){(k), LOG_KV_STR, (s), 0})
#define KV_STR(k, cstr) KV_S((k), str_of(cstr))
#define KV_U64(k, v) ((struct log_kv){(k), LOG_KV_U64, STR_NULL, (uint64_t)(v)})
#define KV_I64(k, v) ((struct log_kv){(k), LOG_KV_I64, STR_NULL, (uint64_t)(int64_t)(v)})
/** The message of a struct error. */
#define KV_ERR(err) KV_STR("error", (err)->msg)

/** Names the program in every line; call once before the first line. @name is kept. */
void log_init(const char *name, enum log_level least);
/** "debug", "info", "warn", "error" to a level; -1 for anything else. */
int log_level_parse(struct str s);
extern enum log_level log_least;

/** Writes one line; @kv ends with an entry of type LOG_KV_END. Use the macros. */
void log_write(enum log_level level, const char *subsystem, const char *event,
               const struct log_kv *kv);

#define LOG_AT_(level, subsystem, event, ...)                                                      \
    do {                                                                                           \
        if ((level) >= log_least)                                                                  \
            log_write((level), (subsystem), (event),                                               \
                      (const struct log_kv[]){__VA_ARGS__ __VA_OPT__(, ){0}});                     \
    } while (0)

/** debug: by subsystem; info: life cycle; warn: we coped; error: a person should act. */
#define log_debug(subsystem, event, ...) LOG_AT_(LOG_DEBUG, subsystem, event, __VA_ARGS__)
#define log_info(subsystem, event, ...) LOG_AT_(LOG_INFO, subsystem, event, __VA_ARGS__)
#define log_warn(subsystem, event, ...) LOG_AT_(LOG_WARN, subsystem, event, __VA_ARGS__)
#define log_error(subsystem, event, ...) LOG_AT_(LOG_ERROR, subsystem, event, __VA_ARGS__)

#endif
