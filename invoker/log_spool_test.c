/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "invoker/log_spool.h"

#define HOUR_MS 3600000u
#define T0 1795392000000u

static char folder[] = "/tmp/hearth-log-spool-XXXXXX";

static int setup(void **state)
{
    (void)state;
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return dir_remove(folder, NULL);
}

static struct log_spool *spool_open(uint64_t segment_bytes, uint64_t retention_bytes)
{
    struct log_spool_options o = {.folder = folder,
                                  .segment_bytes = segment_bytes,
                                  .retention_ms = HOUR_MS,
                                  .retention_bytes = retention_bytes};
    struct log_spool *spool = NULL;
    struct error err;

    if (log_spool_open(&o, &spool, &err) < 0)
        fail_msg("%s", err.msg);
    return spool;
}

static void batch_add(struct log_batch *b, struct log_spool *spool, uint64_t seq, const char *text)
{
    struct log_origin origin = {.node = STR("n"),
                                .epoch = log_spool_epoch(spool),
                                .account = STR("1"),
                                .function = STR("f")};
    struct log_line line = {
        .time_ms = T0, .seq = seq, .request_id = STR("r"), .message = str_of(text)};
    CLEANUP(buf_done) struct buf head = BUF_INIT(4096);

    log_origin_write(&head, &origin);
    assert_true(log_batch_add(b, buf_str(&head), log_hash_function(origin.account, origin.function),
                              log_hash_request(line.request_id), &line));
}

/* Appends @n records in one batch each. */
static void append(struct log_spool *spool, size_t n, uint64_t now_ms)
{
    struct error err;
    size_t i;

    for (i = 0; i < n; i++) {
        CLEANUP(log_batch_done) struct log_batch b;

        log_batch_init(&b);
        batch_add(&b, spool, log_spool_next_seq(spool), "text");
        if (log_spool_append(spool, &b, now_ms, &err) < 0)
            fail_msg("%s", err.msg);
    }
}

/* The seqs of all records, as "1 2 3 ". */
static void assert_seqs(struct log_spool *spool, const char *want)
{
    CLEANUP(buf_done) struct buf lines = BUF_INIT(1u << 20), got = BUF_INIT(1u << 20);
    struct log_view *view = log_spool_view(spool);
    struct log_record rec;
    struct error err;
    uint64_t pos = 0;
    size_t had, at, end;

    do {
        had = lines.len;
        if (log_view_fetch(view, &pos, 1000, &lines, &err) < 0)
            fail_msg("%s", err.msg);
    } while (lines.len > had);
    for (at = 0; (end = str_find(buf_str(&lines), '\n', at)) < lines.len; at = end + 1) {
        assert_int_equal(log_record_read(str_sub(buf_str(&lines), at, end), &rec), 0);
        buf_printf(&got, "%" PRIu64 " ", rec.line.seq);
    }
    buf_append_char(&got, '\0');
    assert_string_equal(got.ptr, want);
    log_view_unref(view);
}

static size_t segment_count(struct log_spool *spool)
{
    struct log_view *view = log_spool_view(spool);
    size_t len = view->len;

    log_view_unref(view);
    return len;
}

static void damage(uint64_t first_seq, enum log_file which, off_t cut, struct str add)
{
    CLEANUP(freep) char *path = log_segment_path(folder, first_seq, which);
    CLEANUP(closep) int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
    struct stat st;

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(ftruncate(fd, st.st_size - cut), 0);
    assert_int_equal(write(fd, add.ptr, add.len), (ssize_t)add.len);
}

static void seqs_go_on_and_the_epoch_grows_over_a_restart(void **state)
{
    struct log_spool *spool = spool_open(1u << 20, 1u << 30);
    uint64_t epoch = log_spool_epoch(spool);

    (void)state;
    assert_int_equal(log_spool_next_seq(spool), 1);
    append(spool, 3, T0);
    log_spool_free(spool);
    spool = spool_open(1u << 20, 1u << 30);
    assert_int_equal(log_spool_epoch(spool), epoch + 1);
    assert_int_equal(log_spool_next_seq(spool), 4);
    assert_int_equal(log_spool_torn_bytes(spool), 0);
    append(spool, 1, T0);
    assert_seqs(spool, "1 2 3 4 ");
    log_spool_free(spool);
}

static void the_epoch_grows_even_when_its_file_is_lost(void **state)
{
    CLEANUP(freep) char *path = str_printf("%s/epoch", folder);
    struct log_spool *spool;

    (void)state;
    log_spool_free(spool_open(1u << 20, 1u << 30));
    spool = spool_open(1u << 20, 1u << 30);
    append(spool, 1, T0);
    assert_int_equal(log_spool_epoch(spool), 2);
    log_spool_free(spool);
    assert_int_equal(unlink(path), 0);
    spool = spool_open(1u << 20, 1u << 30);
    assert_int_equal(log_spool_epoch(spool), 3);
    log_spool_free(spool);
}

static void a_torn_last_line_is_cut_off(void **state)
{
    static const char zeros[100];
    const struct str tails[] = {STR("{\"time\":1"), STR("{\"time\":1}\n"), {zeros, 100}};
    struct log_spool *spool;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(tails); i++) {
        spool = spool_open(1u << 20, 1u << 30);
        append(spool, 2, T0);
        log_spool_free(spool);
        damage(1, LOG_FILE_RECORDS, 0, tails[i]);
        spool = spool_open(1u << 20, 1u << 30);
        assert_int_equal(log_spool_torn_bytes(spool), tails[i].len);
        assert_int_equal(log_spool_next_seq(spool), 2 * i + 3);
        log_spool_free(spool);
    }
    damage(1, LOG_FILE_RECORDS, 1, STR("")); /* the last newline */
    spool = spool_open(1u << 20, 1u << 30);
    append(spool, 1, T0);
    assert_seqs(spool, "1 2 3 4 5 6 ");
    log_spool_free(spool);
}

static void records_roll_over_into_new_segments(void **state)
{
    struct log_spool *spool = spool_open(4096, 1u << 30);
    struct log_view *view;
    uint64_t pos, end;
    size_t i;

    (void)state;
    append(spool, 60, T0);
    assert_in_range(segment_count(spool), 2, 10);
    log_spool_free(spool);
    spool = spool_open(4096, 1u << 30);
    view = log_spool_view(spool);
    for (i = 1; i < view->len; i++)
        assert_int_equal(view->items[i].base, view->items[i - 1].base + view->items[i - 1].size);
    end = log_view_end(view);
    assert_int_equal(log_view_seek(view, view->items[1].first_seq, &pos, NULL), 0);
    assert_int_equal(pos, view->items[1].base);
    assert_int_equal(log_view_seek(view, 61, &pos, NULL), 0);
    assert_int_equal(pos, end);
    assert_int_equal(log_view_seek(view, 1, &pos, NULL), 0);
    assert_int_equal(pos, 0);
    log_view_unref(view);
    log_spool_free(spool);
}

static void a_segment_ends_by_age_too(void **state)
{
    struct log_spool *spool = spool_open(1u << 20, 1u << 30);

    (void)state;
    append(spool, 1, T0);
    append(spool, 1, T0 + HOUR_MS / 8);
    assert_int_equal(segment_count(spool), 1);
    append(spool, 1, T0 + HOUR_MS / 8 + 1);
    assert_int_equal(segment_count(spool), 2);
    log_spool_free(spool);
}

static void retention_removes_the_oldest_beyond_the_size(void **state)
{
    struct log_spool *spool = spool_open(4096, 10000);
    struct log_view *view;

    (void)state;
    append(spool, 100, T0);
    assert_int_equal(log_spool_retain(spool, T0, UINT64_MAX, NULL), 0);
    view = log_spool_view(spool);
    assert_in_range(log_view_end(view) - log_view_start(view), 5000, 10000);
    assert_true(view->items[0].first_seq > 1);
    log_view_unref(view);
    log_spool_free(spool);
}

static void retention_by_age_keeps_numbers_unused(void **state)
{
    struct log_spool *spool = spool_open(1u << 20, 1u << 30);

    (void)state;
    append(spool, 5, T0);
    assert_int_equal(log_spool_retain(spool, T0 + HOUR_MS, UINT64_MAX, NULL), 0);
    assert_seqs(spool, "1 2 3 4 5 ");
    assert_int_equal(log_spool_retain(spool, T0 + HOUR_MS + 1, UINT64_MAX, NULL), 0);
    assert_seqs(spool, "");
    log_spool_free(spool);
    spool = spool_open(1u << 20, 1u << 30);
    append(spool, 1, T0);
    assert_seqs(spool, "6 ");
    log_spool_free(spool);
}

static void retention_never_takes_what_was_not_shipped(void **state)
{
    struct log_spool *spool = spool_open(4096, 1);
    struct log_view *view;
    uint64_t second;

    (void)state;
    append(spool, 60, T0);
    view = log_spool_view(spool);
    second = view->items[1].first_seq;
    assert_true(view->len > 2);
    log_view_unref(view);
    assert_int_equal(log_spool_retain(spool, T0 + 2 * HOUR_MS, second - 1, NULL), 0);
    view = log_spool_view(spool);
    assert_int_equal(view->items[0].first_seq, 1);
    log_view_unref(view);
    assert_int_equal(log_spool_retain(spool, T0 + 2 * HOUR_MS, second, NULL), 0);
    view = log_spool_view(spool);
    assert_int_equal(view->items[0].first_seq, second);
    log_view_unref(view);
    log_spool_free(spool);
}

static void what_was_shipped_is_remembered_and_its_numbers_are_used_up(void **state)
{
    struct log_spool *spool = spool_open(1u << 20, 1u << 30);

    (void)state;
    append(spool, 2, T0);
    assert_int_equal(log_spool_shipped(spool), 0);
    /* 3..9 were lost in a power cut */
    assert_int_equal(log_spool_save_shipped(spool, 10, NULL), 0);
    log_spool_free(spool);
    spool = spool_open(1u << 20, 1u << 30);
    assert_int_equal(log_spool_shipped(spool), 10);
    assert_int_equal(log_spool_next_seq(spool), 10);
    log_spool_free(spool);
}

static void a_folder_has_one_writer(void **state)
{
    struct log_spool *spool = spool_open(1u << 20, 1u << 30), *other;
    struct log_spool_options o = {.folder = folder, .segment_bytes = 4096};

    (void)state;
    assert_int_equal(log_spool_open(&o, &other, NULL), -ERR_IN_USE);
    log_spool_free(spool);
}

/* A file size limit stands for a full disk: the write stops in the middle of the batch. */
static void a_write_that_failed_half_way_is_repeated_whole(void **state)
{
    struct log_spool *spool = spool_open(1u << 20, 1u << 30);
    CLEANUP(log_batch_done) struct log_batch b;
    struct rlimit was, tight;
    size_t i;

    (void)state;
    append(spool, 2, T0);
    log_batch_init(&b);
    for (i = 0; i < 10; i++)
        batch_add(&b, spool, 3 + i, "text");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    tight = was;
    tight.rlim_cur = 800;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    assert_int_equal(log_spool_append(spool, &b, T0, NULL), -ERR_SYSTEM);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_seqs(spool, "1 2 ");
    assert_int_equal(log_spool_append(spool, &b, T0, NULL), 0);
    assert_seqs(spool, "1 2 3 4 5 6 7 8 9 10 11 12 ");
    log_spool_free(spool);
    spool = spool_open(1u << 20, 1u << 30);
    assert_int_equal(log_spool_torn_bytes(spool), 0);
    log_spool_free(spool);
}

static void a_damaged_segment_is_an_error_not_an_endless_loop(void **state)
{
    struct log_spool *spool = spool_open(1u << 20, 1u << 30);
    CLEANUP(buf_done) struct buf b = BUF_INIT(1u << 20);
    struct log_view *view;
    uint64_t pos = 0;

    (void)state;
    append(spool, 1, T0);
    damage(1, LOG_FILE_RECORDS, 1, STR("x"));
    view = log_spool_view(spool);
    assert_int_equal(log_view_fetch(view, &pos, 4096, &b, NULL), -ERR_SYSTEM);
    assert_int_equal(pos, 0);
    log_view_unref(view);
    log_spool_free(spool);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(seqs_go_on_and_the_epoch_grows_over_a_restart),
        TEST(the_epoch_grows_even_when_its_file_is_lost),
        TEST(a_torn_last_line_is_cut_off),
        TEST(records_roll_over_into_new_segments),
        TEST(a_segment_ends_by_age_too),
        TEST(retention_removes_the_oldest_beyond_the_size),
        TEST(retention_by_age_keeps_numbers_unused),
        TEST(retention_never_takes_what_was_not_shipped),
        TEST(what_was_shipped_is_remembered_and_its_numbers_are_used_up),
        TEST(a_folder_has_one_writer),
        TEST(a_write_that_failed_half_way_is_repeated_whole),
        TEST(a_damaged_segment_is_an_error_not_an_endless_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
