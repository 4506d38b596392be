/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h - growing bytes with a named ceiling.
 *
 * Owns:    its memory; buf_done() frees it, buf_take() hands it out.
 * Errors:  -ERR_TOO_LARGE beyond the ceiling; the contents stay as they were. Memory that the
 *          ceiling allows but the machine does not have aborts.
 * Threads: one at a time.
 */
#ifndef HEARTH_BASE_BUF_H
#define HEARTH_BASE_BUF_H

#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

struct buf {
    char *ptr;
    size_t len;
    size_t cap;
    size_t max; /* ceiling of len, bytes */
};

/** An empty buf that may grow to @max bytes. */
#define BUF_INIT(max_bytes) ((struct buf){NULL, 0, 0, (max_bytes)})

void buf_init(struct buf *b, size_t max);
/** Frees the memory; the buf is empty and usable again. */
void buf_done(struct buf *b);
/** Keeps the memory, drops the contents. */
void buf_clear(struct buf *b);
/** The contents, borrowed until the next change. */
struct str buf_str(const struct buf *b);
/** Makes room for @more bytes behind the contents. */
int buf_reserve(struct buf *b, size_t more);
int buf_append(struct buf *b, const void *ptr, size_t len);
int buf_append_str(struct buf *b, struct str s);
int buf_append_char(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...) PRINTF_FORMAT(2, 3);
/** Appends @s as the inside of a JSON string: escaped; bytes that are not UTF-8 become U+FFFD. */
int buf_append_json(struct buf *b, struct str s);
/** Drops the first @n bytes. */
void buf_consume(struct buf *b, size_t n);
/** The contents with a NUL behind, owned by the caller (free()); the buf is empty again. Never NULL. */
char *buf_take(struct buf *b);
/**
 * Once, at the beginning of a program that holds payloads: the memory of large bufs goes back to the
 * system when they are freed. Left alone glibc learns from the first ones to keep blocks of up to
 * 32 MiB, so that a program stays as large as its busiest moment.
 */
void buf_return_large(void);

#endif
