/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/logs.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "invoker/log_core.h"
#include "invoker/log_reader.h"

#define MEMORY_HIGH (8u * 1024u * 1024u) /* more in memory than this: pipes are not read … */
#define MEMORY_LOW (1u * 1024u * 1024u) /* … until it is less than this */
#define RETRY_US MSEC(200)
#define TEND_US SECONDS(1) /* the shipped position is saved this often */
#define RETAIN_EVERY 60u /* of those */
#define LINGER_MS 20u
#define QUEUE_BYTES (16u * 1024u * 1024u)

struct read_job {
    struct list_node node;
    uint64_t wait_seq; /* runs when all records before this are in segments */
    struct log_query query; /* its strings are ours */
    struct log_view *view;
    struct buf lines;
    bool more;
    int r;
    struct error err;
    logs_read_fn *done;
    void *arg;
};

static void disk_start(struct logs *logs);
static void close_step(struct logs *logs);

static uint64_t memory_bytes(const struct logs *logs)
{
    return logs->filling.bytes.len + logs->writing.bytes.len;
}

static uint64_t unshipped_bytes(const struct logs *logs)
{
    return logs->shipper ? log_shipper_left(logs->shipper) : 0;
}

/* ---- back-pressure ---- */

static void set_blocked(struct logs *logs, bool blocked, const char *why)
{
    struct list_node *n;

    logs->is_blocked = blocked;
    logs->counters.blocked += blocked;
    LIST_FOREACH(&logs->sources, n)
        log_source_set_reading(n);
    if (blocked && why)
        log_warn("logs", "functions' output is not read, they wait when they print",
                 KV_STR("why", why), KV_U64("unshipped_bytes", unshipped_bytes(logs)),
                 KV_U64("memory_bytes", memory_bytes(logs)));
}

static void update_blocked(struct logs *logs)
{
    uint64_t memory = memory_bytes(logs), unshipped = unshipped_bytes(logs);
    uint64_t ceiling = logs->spool_bytes;
    bool disk = logs->disk_failed;

    if (!logs->is_blocked) {
        if (disk || unshipped > ceiling)
            set_blocked(logs, true,
                        disk ? "the disk does not take log lines"
                             : "Kafka is behind and the spool is at its ceiling");
        else if (memory > MEMORY_HIGH)
            set_blocked(logs, true, NULL); /* everyday flow control */
    } else if (!disk && memory < MEMORY_LOW && unshipped <= ceiling - ceiling / 10) {
        set_blocked(logs, false, NULL);
    }
}

bool logs_is_full(const struct logs *logs)
{
    return memory_bytes(logs) > LOGS_MEMORY_MAX ||
           unshipped_bytes(logs) > logs->spool_bytes + logs->spool_bytes / 4;
}

/* ---- lines in ---- */

bool logs_add_line(struct logs *logs, struct str origin, uint64_t function_hash,
                   uint64_t request_hash, struct log_line *line)
{
    line->seq = logs->next_seq;
    if (!log_batch_add(&logs->filling, origin, function_hash, request_hash, line))
        return false;
    logs->next_seq++;
    logs->counters.lines++;
    if (logs->filling.bytes.len >= LOGS_BATCH_BYTES) {
        disk_start(logs);
        if (!logs->is_blocked && memory_bytes(logs) > MEMORY_HIGH)
            update_blocked(logs);
    } else if (!logs->flush_is_due && !timer_is_armed(&logs->flush_timer)) {
        timer_start(&logs->flush_timer, LOGS_BATCH_US);
    }
    return true;
}

static void on_flush_timer(void *arg)
{
    struct logs *logs = arg;

    logs->flush_is_due = true;
    disk_start(logs);
}

/* ---- reads ---- */

static void read_job_free(struct read_job *job)
{
    log_view_unref(job->view);
    free((char *)job->query.account.ptr);
    free((char *)job->query.function.ptr);
    free((char *)job->query.request_id.ptr);
    buf_done(&job->lines);
    free(job);
}

static void on_read_work(void *arg)
{
    struct read_job *job = arg;

    job->r = log_query_run(job->view, &job->query, &job->lines, &job->more, &job->err);
}

static void on_read_done(void *arg)
{
    struct read_job *job = arg;

    if (job->r < 0)
        job->done(STR(""), false, &job->err, job->arg);
    else
        job->done(buf_str(&job->lines), job->more, NULL, job->arg);
    read_job_free(job);
}

/* Starts the reads whose records are written; fails the others when the disk takes nothing. */
static void reads_serve(struct logs *logs)
{
    struct list_node *n, *after;
    struct read_job *job;

    LIST_FOREACH_SAFE(&logs->reads, n, after) {
        job = CONTAINER_OF(n, struct read_job, node);
        if (job->wait_seq <= logs->written_seq) {
            list_remove(n);
            job->view = log_view_ref(logs->view);
            loop_work(logs->loop, on_read_work, on_read_done, job);
        } else if (logs->disk_failed) {
            list_remove(n);
            job->r = error_set(&job->err, ERR_UNAVAILABLE,
                               "the disk does not take log lines, so the newest cannot be read");
            loop_defer(logs->loop, on_read_done, job);
        }
    }
}

void logs_read(struct logs *logs, const struct logs_filter *filter, logs_read_fn *done, void *arg)
{
    struct read_job *job = calloc(1, sizeof(*job));
    uint32_t limit = filter->limit ? filter->limit : 1000;

    if (!job)
        abort();
    job->wait_seq = logs->next_seq;
    job->query = (struct log_query){
        .account = {str_dup(filter->account), filter->account.len},
        .function = {str_dup(filter->function), filter->function.len},
        .request_id = {str_dup(filter->request_id), filter->request_id.len},
        .since_ms = filter->since_ms,
        .limit = limit < LOGS_READ_LIMIT_MAX ? limit : LOGS_READ_LIMIT_MAX,
    };
    job->lines = BUF_INIT(LOG_READ_BYTES_MAX);
    job->done = done;
    job->arg = arg;
    list_append(&logs->reads, &job->node);
    logs->flush_is_due = true;
    disk_start(logs);
    reads_serve(logs);
}

/* ---- disk ---- */

static void on_disk_work(void *arg)
{
    struct logs *logs = arg;
    struct disk_job *job = &logs->job;

    if (job->write)
        job->write_r = log_spool_append(logs->spool, &logs->writing, job->now_ms, &job->write_err);
    if (job->save)
        job->tend_r = log_spool_save_shipped(logs->spool, job->save_seq, &job->tend_err);
    if (job->retain && job->tend_r == 0)
        job->tend_r = log_spool_retain(logs->spool, job->now_ms, job->keep_seq, &job->tend_err);
    if ((job->write && job->write_r == 0) || job->retain)
        job->view = log_spool_view(logs->spool);
}

static void on_written(struct logs *logs)
{
    logs->written_seq = logs->writing.last_seq + 1;
    logs->counters.batches++;
    logs->counters.bytes_spooled += logs->writing.bytes.len;
    log_batch_clear(&logs->writing);
    if (logs->disk_failed)
        log_info("logs", "the disk takes log lines again");
    logs->disk_failed = false;
}

static void on_write_failed(struct logs *logs)
{
    if (!logs->disk_failed)
        log_error("logs", "log lines cannot be written, trying again until they are",
                  KV_ERR(&logs->job.write_err));
    logs->disk_failed = true;
    logs->counters.write_errors++;
    timer_start(&logs->retry_timer, RETRY_US);
}

static void on_disk_done(void *arg)
{
    struct logs *logs = arg;
    struct disk_job *job = &logs->job;

    logs->job_runs = false;
    if (job->view) {
        log_view_unref(logs->view);
        logs->view = TAKE(job->view);
        if (logs->shipper)
            log_shipper_feed(logs->shipper, logs->view);
    }
    if (job->write && job->write_r == 0)
        on_written(logs);
    else if (job->write)
        on_write_failed(logs);
    if (job->tend_r < 0)
        log_warn("logs", "the log folder cannot be tended, trying again later",
                 KV_ERR(&job->tend_err));
    else if (job->save)
        logs->saved_seq = job->save_seq;
    update_blocked(logs);
    reads_serve(logs);
    disk_start(logs);
    close_step(logs);
}

static void disk_start_next(struct logs *logs)
{
    struct disk_job job = {.keep_seq = UINT64_MAX};

    if (logs->writing.bytes.len) {
        job.write = !timer_is_armed(&logs->retry_timer); /* failed before */
    } else if (logs->filling.bytes.len >= LOGS_BATCH_BYTES ||
               (logs->filling.bytes.len && logs->flush_is_due)) {
        struct log_batch empty = logs->writing;

        logs->writing = logs->filling;
        logs->filling = empty;
        logs->flush_is_due = false;
        timer_stop(&logs->flush_timer);
        job.write = true;
    } else {
        logs->flush_is_due = false;
    }
    job.retain = logs->retain_is_due;
    if (logs->shipper) {
        job.keep_seq = log_shipper_seq(logs->shipper);
        job.save_seq = job.keep_seq;
        job.save = logs->save_is_due && job.save_seq != logs->saved_seq;
    }
    logs->retain_is_due = logs->save_is_due = false;
    if (!job.write && !job.retain && !job.save)
        return;
    job.now_ms = wall_ms();
    logs->job = job;
    logs->job_runs = true;
    loop_work(logs->loop, on_disk_work, on_disk_done, logs);
}

/* Begins a disk job if there is something to do and none runs. */
static void disk_start(struct logs *logs)
{
    if (!logs->job_runs)
        disk_start_next(logs);
}

static void on_retry_timer(void *arg)
{
    disk_start(arg);
}

static void on_tend_timer(void *arg)
{
    struct logs *logs = arg;

    logs->save_is_due = true;
    if (++logs->tend_count % RETAIN_EVERY == 0)
        logs->retain_is_due = true;
    timer_start(&logs->tend_timer, TEND_US);
    disk_start(logs);
}

static void on_shipped(void *arg)
{
    struct logs *logs = arg;

    update_blocked(logs);
    close_step(logs);
}

/* ---- life ---- */

static void logs_destroy(struct logs *logs)
{
    timer_stop(&logs->flush_timer);
    timer_stop(&logs->retry_timer);
    timer_stop(&logs->tend_timer);
    timer_stop(&logs->close_timer);
    log_shipper_free(logs->shipper);
    log_spool_free(logs->spool);
    log_view_unref(logs->view);
    log_batch_done(&logs->filling);
    log_batch_done(&logs->writing);
    free((char *)logs->kafka.brokers);
    free((char *)logs->kafka.topic);
    free((char *)logs->kafka.client_id);
    if (logs->kafka.properties)
        explicit_bzero((char *)logs->kafka.properties, strlen(logs->kafka.properties));
    free((char *)logs->kafka.properties);
    free(logs->node);
    free(logs);
}

static bool is_given(const char *s)
{
    return s && *s;
}

static uint64_t or_default(uint64_t value, uint64_t def)
{
    return value ? value : def;
}

/* The shipper keeps these pointers, and makes a new producer of them when one broke. */
static void kafka_options_copy(struct logs *logs, const struct logs_options *o)
{
    logs->kafka = (struct kafka_options){
        .brokers = str_dup(str_of(o->kafka_brokers)),
        .topic = str_dup(str_of(is_given(o->kafka_topic) ? o->kafka_topic : "hearth-logs")),
        .client_id = str_printf("hearth-%s", o->node),
        .properties = is_given(o->kafka_properties) ? str_dup(str_of(o->kafka_properties)) : NULL,
        .linger_ms = LINGER_MS,
        .queue_bytes = QUEUE_BYTES,
    };
}

int logs_new(struct loop *loop, const struct logs_options *options, struct logs **ret,
             struct error *err)
{
    const bool kafka = is_given(options->kafka_brokers);
    const struct log_spool_options spool = {
        .folder = options->folder,
        .segment_bytes = or_default(options->segment_bytes, 16u << 20),
        .retention_ms = or_default(options->retention_s, 7 * 24 * 3600) * 1000,
        .retention_bytes = or_default(options->retention_bytes, 1u << 30),
        .sync = options->sync == LOGS_SYNC_ON || (options->sync == LOGS_SYNC_AUTO && kafka),
    };
    struct logs *logs = calloc(1, sizeof(*logs));
    int r;

    if (!logs)
        abort();
    logs->loop = loop;
    logs->node = str_dup(str_of(options->node));
    logs->spool_bytes = or_default(options->spool_bytes, (uint64_t)4 << 30);
    logs->rate_bytes = options->rate_bytes;
    list_init(&logs->sources);
    list_init(&logs->reads);
    log_batch_init(&logs->filling);
    log_batch_init(&logs->writing);
    timer_init(&logs->flush_timer, loop, on_flush_timer, logs);
    timer_init(&logs->retry_timer, loop, on_retry_timer, logs);
    timer_init(&logs->tend_timer, loop, on_tend_timer, logs);
    r = log_spool_open(&spool, &logs->spool, err);
    if (r == 0) {
        logs->epoch = log_spool_epoch(logs->spool);
        logs->next_seq = logs->written_seq = log_spool_next_seq(logs->spool);
        logs->saved_seq = log_spool_shipped(logs->spool);
        logs->view = log_spool_view(logs->spool);
        if (log_spool_torn_bytes(logs->spool))
            log_warn("logs", "a torn end was cut off the log spool",
                     KV_U64("bytes", log_spool_torn_bytes(logs->spool)));
    }
    if (r == 0 && kafka) {
        kafka_options_copy(logs, options);
        r = log_shipper_new(loop, &logs->kafka, logs->view, logs->saved_seq, on_shipped, logs,
                            &logs->shipper, err);
    }
    if (r < 0) {
        logs_destroy(logs);
        return r;
    }
    logs->retain_is_due = true;
    timer_start(&logs->tend_timer, TEND_US);
    update_blocked(logs);
    *ret = logs;
    return 0;
}

static void on_close_deferred(void *arg)
{
    struct logs *logs = arg;
    loop_fn *done = logs->on_closed;
    void *done_arg = logs->on_closed_arg;

    logs_destroy(logs);
    done(done_arg);
}

/* Goes on with closing: write all, ship all (or until it takes too long), save the position. */
static void close_step(struct logs *logs)
{
    bool unwritten;

    if (!logs->on_closed || logs->job_runs)
        return;
    unwritten = memory_bytes(logs) > 0;
    if (unwritten && !(logs->disk_failed && logs->close_is_overdue))
        return;
    if (unshipped_bytes(logs) > 0 && !logs->close_is_overdue)
        return;
    if (logs->shipper && !logs->close_has_saved) {
        logs->close_has_saved = true; /* once: a disk that refuses it costs doubles, not the exit */
        logs->save_is_due = true;
        disk_start(logs);
        if (logs->job_runs)
            return;
    }
    if (unwritten)
        log_error("logs", "log lines are lost: the disk did not take them",
                  KV_U64("bytes", memory_bytes(logs)));
    timer_stop(&logs->tend_timer);
    loop_defer(logs->loop, on_close_deferred, logs);
    logs->job_runs = true; /* nothing begins any more */
}

static void on_close_timer(void *arg)
{
    struct logs *logs = arg;

    logs->close_is_overdue = true;
    close_step(logs);
}

void logs_close(struct logs *logs, uint64_t kafka_wait_us, loop_fn *done, void *arg)
{
    logs->on_closed = done;
    logs->on_closed_arg = arg;
    timer_init(&logs->close_timer, logs->loop, on_close_timer, logs);
    timer_start(&logs->close_timer, kafka_wait_us);
    logs->flush_is_due = true;
    disk_start(logs);
    close_step(logs);
}

void logs_counters_get(const struct logs *logs, struct logs_counters *ret)
{
    struct log_shipper_counters shipper = {0};

    *ret = logs->counters;
    if (logs->shipper)
        log_shipper_counters_get(logs->shipper, &shipper);
    ret->shipped = shipper.shipped;
    ret->resent = shipper.resent;
    ret->undeliverable = shipper.undeliverable;
    ret->memory_bytes = memory_bytes(logs);
    ret->segment_bytes = log_view_end(logs->view) - log_view_start(logs->view);
    ret->unshipped_bytes = unshipped_bytes(logs);
    ret->is_blocked = logs->is_blocked;
}
