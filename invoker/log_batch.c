/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/log_batch.h"

#define KEEP_BYTES (1u << 20)
#define RUNS_FIRST 64u

static uint64_t fnv1a(uint64_t hash, struct str s)
{
    size_t i;

    for (i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.ptr[i]) * 0x100000001b3u;
    return hash;
}

#define FNV_BASIS 0xcbf29ce484222325u

uint64_t log_hash_function(struct str account, struct str function)
{
    return fnv1a(fnv1a(fnv1a(FNV_BASIS, account), STR("\n")), function);
}

uint64_t log_hash_request(struct str request_id)
{
    return fnv1a(FNV_BASIS, request_id);
}

void log_runs_add(struct log_runs *runs, uint64_t function_hash, uint64_t request_hash,
                  uint64_t time_ms, uint64_t offset, size_t len)
{
    struct log_run *run = runs->len ? &runs->items[runs->len - 1] : NULL;

    if (run && run->function_hash == function_hash && run->request_hash == request_hash &&
        run->len + len <= LOG_RUN_BYTES) {
        run->len += (uint32_t)len;
        if (time_ms > run->last_ms)
            run->last_ms = time_ms;
        return;
    }
    if (runs->len == runs->cap) {
        runs->cap = runs->cap ? 2 * runs->cap : RUNS_FIRST;
        runs->items = reallocarray(runs->items, runs->cap, sizeof(*runs->items));
        if (!runs->items)
            abort();
    }
    runs->items[runs->len++] = (struct log_run){
        .function_hash = function_hash,
        .request_hash = request_hash,
        .last_ms = time_ms,
        .offset = (uint32_t)offset,
        .len = (uint32_t)len,
    };
}

void log_runs_done(struct log_runs *runs)
{
    free(runs->items);
    *runs = (struct log_runs){0};
}

void log_batch_init(struct log_batch *b)
{
    *b = (struct log_batch){.bytes = BUF_INIT(UINT32_MAX)};
}

void log_batch_done(struct log_batch *b)
{
    buf_done(&b->bytes);
    log_runs_done(&b->runs);
}

void log_batch_clear(struct log_batch *b)
{
    if (b->bytes.cap > KEEP_BYTES) {
        log_batch_done(b);
        return;
    }
    buf_clear(&b->bytes);
    b->runs.len = 0;
}

bool log_batch_add(struct log_batch *b, struct str origin, uint64_t function_hash,
                   uint64_t request_hash, const struct log_line *line)
{
    size_t start = b->bytes.len, len;

    if (log_record_write(&b->bytes, origin, line) < 0)
        abort(); /* 4 GiB in memory: begin should have refused long before */
    len = b->bytes.len - start;
    if (len > LOG_RECORD_MAX) {
        b->bytes.len = start;
        return false;
    }
    if (start == 0)
        b->first_seq = line->seq;
    b->last_seq = line->seq;
    log_runs_add(&b->runs, function_hash, request_hash, line->time_ms, start, len);
    return true;
}
