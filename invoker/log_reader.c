/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/log_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct reader {
    const struct log_query *query;
    /* the query's texts as they stand in records */
    struct buf account, function, request_id;
    uint64_t function_hash, request_hash;
    struct buf *out;
    uint32_t found;
    bool full;
    /* Reading backwards: lines in the order of finding (newest first), turned round at the end. */
    bool backwards;
    struct buf pool;
    struct str_at {
        size_t at, len;
    } *lines;
    size_t line_cap;
    struct buf run; /* one run's records */
    struct str_at *run_lines; /* the matching ones of it */
    size_t run_line_cap;
};

static void reader_init(struct reader *rd, const struct log_query *query, struct buf *out)
{
    *rd = (struct reader){.query = query,
                          .out = out,
                          .backwards = query->since_ms == 0,
                          .account = BUF_INIT(4096),
                          .function = BUF_INIT(4096),
                          .request_id = BUF_INIT(4096),
                          .pool = BUF_INIT(LOG_READ_BYTES_MAX),
                          .run = BUF_INIT(UINT32_MAX)};
}

static void reader_done(struct reader *rd)
{
    buf_done(&rd->account);
    buf_done(&rd->function);
    buf_done(&rd->request_id);
    buf_done(&rd->pool);
    buf_done(&rd->run);
    free(rd->lines);
    free(rd->run_lines);
}

static void lines_push(struct str_at **items, size_t *cap, size_t len, size_t at, size_t line_len)
{
    if (len == *cap) {
        *cap = *cap ? 2 * *cap : 64;
        *items = reallocarray(*items, *cap, sizeof(**items));
        if (!*items)
            abort();
    }
    (*items)[len] = (struct str_at){at, line_len};
}

/* Takes one matching line (with its newline); notes when there is no room for it. */
static void take_line(struct reader *rd, struct str line)
{
    struct buf *to = rd->backwards ? &rd->pool : rd->out;

    if (rd->found == rd->query->limit || to->len + line.len > LOG_READ_BYTES_MAX ||
        buf_append_str(to, line) < 0) {
        rd->full = true;
        return;
    }
    if (rd->backwards)
        lines_push(&rd->lines, &rd->line_cap, rd->found, to->len - line.len, line.len);
    rd->found++;
}

static bool line_matches(const struct reader *rd, struct str json)
{
    struct log_record rec;

    return log_record_read(json, &rec) == 0 && rec.line.time_ms >= rd->query->since_ms &&
           str_eq(rec.origin.function, buf_str(&rd->function)) &&
           str_eq(rec.origin.account, buf_str(&rd->account)) &&
           (rd->query->request_id.len == 0 ||
            str_eq(rec.line.request_id, buf_str(&rd->request_id)));
}

static bool run_matches(const struct reader *rd, const struct log_run *run)
{
    return run->function_hash == rd->function_hash && run->last_ms >= rd->query->since_ms &&
           (rd->query->request_id.len == 0 || run->request_hash == rd->request_hash);
}

static int read_run(struct reader *rd, int fd, const struct log_run *run, struct error *err)
{
    struct str bytes;
    size_t at, end, len = 0, i;
    ssize_t n;

    buf_clear(&rd->run);
    buf_reserve(&rd->run, run->len);
    while (rd->run.len < run->len) {
        n = pread(fd, rd->run.ptr + rd->run.len, run->len - rd->run.len,
                  (off_t)(run->offset + rd->run.len));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set_errno(err, ERR_SYSTEM, n < 0 ? errno : EIO, "reading function logs");
        rd->run.len += (size_t)n;
    }
    bytes = buf_str(&rd->run);
    for (at = 0; (end = str_find(bytes, '\n', at)) < bytes.len; at = end + 1)
        if (line_matches(rd, str_sub(bytes, at, end)))
            lines_push(&rd->run_lines, &rd->run_line_cap, len++, at, end + 1 - at);
    for (i = 0; i < len && !rd->full; i++) {
        const struct str_at *line = &rd->run_lines[rd->backwards ? len - 1 - i : i];

        take_line(rd, str_sub(bytes, line->at, line->at + line->len));
    }
    return 0;
}

static int read_segment(struct reader *rd, const struct log_view *view,
                        const struct log_segment *seg, struct error *err)
{
    CLEANUP(freep) char *path = log_segment_path(view->folder, seg->first_seq, LOG_FILE_RECORDS);
    CLEANUP(log_runs_done) struct log_runs runs = {0};
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t i;
    int r;

    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "opening %s", path);
    r = log_segment_runs(view, seg, &runs, err);
    if (r == -ERR_NOT_FOUND)
        return 0;
    for (i = 0; r == 0 && i < runs.len && !rd->full; i++) {
        const struct log_run *run = &runs.items[rd->backwards ? runs.len - 1 - i : i];

        if (run_matches(rd, run))
            r = read_run(rd, fd, run, err);
    }
    return r;
}

static int turn_round(struct reader *rd, struct error *err)
{
    size_t i;

    for (i = rd->found; i-- > 0;)
        if (buf_append_str(rd->out, str_sub(buf_str(&rd->pool), rd->lines[i].at,
                                            rd->lines[i].at + rd->lines[i].len)) < 0)
            return error_set(err, ERR_TOO_LARGE, "the log lines do not fit into the answer");
    return 0;
}

int log_query_run(const struct log_view *view, const struct log_query *query, struct buf *out,
                  bool *more, struct error *err)
{
    struct reader rd;
    size_t i;
    int r = 0;

    reader_init(&rd, query, out);
    if (buf_append_json(&rd.account, query->account) < 0 ||
        buf_append_json(&rd.function, query->function) < 0 ||
        buf_append_json(&rd.request_id, query->request_id) < 0)
        r = error_set(err, ERR_BAD_REQUEST, "no function or request has so long a name");
    rd.function_hash = log_hash_function(buf_str(&rd.account), buf_str(&rd.function));
    rd.request_hash = log_hash_request(buf_str(&rd.request_id));
    for (i = 0; r == 0 && i < view->len && !rd.full; i++) {
        const struct log_segment *seg = &view->items[rd.backwards ? view->len - 1 - i : i];

        if (seg->size && seg->last_ms >= query->since_ms)
            r = read_segment(&rd, view, seg, err);
    }
    if (r == 0 && rd.backwards)
        r = turn_round(&rd, err);
    *more = rd.full;
    reader_done(&rd);
    return r;
}
