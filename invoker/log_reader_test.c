/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>

#include "common/base/file.h"
#include "invoker/log_reader.h"
#include "invoker/log_spool.h"

#define T0 1795392000000u

static char folder[] = "/tmp/hearth-log-reader-XXXXXX";

/* Records 1..300: three functions in turn, request "r<seq / 10>", one millisecond apart, in batches
 * of seven and small segments. */
static struct log_view *view_new(void)
{
    static const struct log_spool_options o = {.folder = folder,
                                               .segment_bytes = 4096,
                                               .retention_ms = 1u << 30,
                                               .retention_bytes = 1u << 30};
    static const char *const names[] = {"a", "b", "c"};
    CLEANUP(log_batch_done) struct log_batch b;
    struct log_spool *spool = NULL;
    struct log_view *view;
    uint64_t seq;

    assert_int_equal(log_spool_open(&o, &spool, NULL), 0);
    log_batch_init(&b);
    for (seq = 1; seq <= 300; seq++) {
        CLEANUP(freep) char *request = str_printf("r%" PRIu64, seq / 10);
        CLEANUP(buf_done) struct buf head = BUF_INIT(4096);
        struct log_origin origin = {.node = STR("n"),
                                    .account = STR("1"),
                                    .function = str_of(names[seq % 3])};
        struct log_line line = {.time_ms = T0 + seq, .seq = seq, .request_id = str_of(request)};

        log_origin_write(&head, &origin);
        assert_true(log_batch_add(&b, buf_str(&head),
                                  log_hash_function(origin.account, origin.function),
                                  log_hash_request(line.request_id), &line));
        if (seq % 7 == 0 || seq == 300) {
            assert_int_equal(log_spool_append(spool, &b, T0 + seq, NULL), 0);
            log_batch_clear(&b);
        }
    }
    view = log_spool_view(spool);
    assert_true(view->len > 5);
    log_spool_free(spool);
    return view;
}

static int setup(void **state)
{
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    if (!mkdtemp(folder))
        return -1;
    *state = view_new();
    return 0;
}

static int teardown(void **state)
{
    log_view_unref(*state);
    return dir_remove(folder, NULL);
}

/* The seqs found, "1 2 " and "+" when there are more. */
static void assert_found(const struct log_view *view, const struct log_query *query,
                         const char *want)
{
    CLEANUP(buf_done) struct buf lines = BUF_INIT(1u << 20), got = BUF_INIT(1u << 20);
    struct log_record rec;
    struct error err;
    size_t at, end;
    bool more;

    if (log_query_run(view, query, &lines, &more, &err) < 0)
        fail_msg("%s", err.msg);
    for (at = 0; (end = str_find(buf_str(&lines), '\n', at)) < lines.len; at = end + 1) {
        assert_int_equal(log_record_read(str_sub(buf_str(&lines), at, end), &rec), 0);
        buf_printf(&got, "%" PRIu64 " ", rec.line.seq);
    }
    buf_append(&got, more ? "+" : "", more ? 2 : 1);
    assert_string_equal(got.ptr, want);
}

#define QUERY(fn, ...) ((struct log_query){.account = STR("1"), .function = STR(fn), __VA_ARGS__})

static void a_request_is_found_wherever_it_is(void **state)
{
    assert_found(*state, &QUERY("a", .request_id = STR("r1"), .limit = 10), "12 15 18 ");
    assert_found(*state, &QUERY("b", .request_id = STR("r1"), .limit = 10), "10 13 16 19 ");
    assert_found(*state, &QUERY("a", .request_id = STR("r1"), .since_ms = T0 + 13, .limit = 10),
                 "15 18 ");
    assert_found(*state, &QUERY("a", .request_id = STR("r30"), .limit = 10), "300 ");
    assert_found(*state, &QUERY("a", .request_id = STR("nobody"), .limit = 10), "");
}

static void without_a_time_the_last_lines_are_found(void **state)
{
    assert_found(*state, &QUERY("c", .limit = 4), "290 293 296 299 +");
    assert_found(*state, &QUERY("c", .request_id = STR("r2"), .limit = 2), "26 29 +");
}

static void from_a_time_on_the_first_lines_are_found(void **state)
{
    assert_found(*state, &QUERY("c", .since_ms = T0 + 12, .limit = 3), "14 17 20 +");
    assert_found(*state, &QUERY("c", .since_ms = T0 + 294, .limit = 2), "296 299 ");
    assert_found(*state, &QUERY("c", .since_ms = T0 + 301, .limit = 2), "");
}

static void another_account_or_function_sees_nothing(void **state)
{
    struct log_query q = QUERY("c", .limit = 3);

    assert_found(*state, &QUERY("d", .limit = 3), "");
    q.account = STR("2");
    assert_found(*state, &q, "");
}

static void a_lost_or_unsound_index_only_costs_time(void **state)
{
    const struct log_view *view = *state;
    size_t i;

    for (i = 0; i < view->len; i++) {
        CLEANUP(freep) char *path =
            log_segment_path(folder, view->items[i].first_seq, LOG_FILE_INDEX);
        CLEANUP(buf_done) struct buf b = BUF_INIT(1u << 20);

        if (i % 2) {
            assert_int_equal(unlink(path), 0);
            continue;
        }
        assert_int_equal(file_read(path, &b, NULL), 0);
        b.ptr[b.len / 2] ^= 1;
        b.len -= i % 4 ? 5 : 0;
        assert_int_equal(file_write_atomic(path, buf_str(&b), 0600, NULL), 0);
    }
    assert_found(view, &QUERY("a", .request_id = STR("r1"), .limit = 10), "12 15 18 ");
    assert_found(view, &QUERY("c", .since_ms = T0 + 280, .limit = 30),
                 "281 284 287 290 293 296 299 ");
}

static void a_segment_that_retention_took_is_no_error(void **state)
{
    const struct log_view *view = *state;
    CLEANUP(freep) char *path = log_segment_path(folder, 1, LOG_FILE_RECORDS);

    assert_int_equal(unlink(path), 0);
    assert_found(view, &QUERY("a", .request_id = STR("r1"), .limit = 10), "");
    assert_found(view, &QUERY("c", .limit = 2), "296 299 +");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_found_wherever_it_is),
        TEST(without_a_time_the_last_lines_are_found),
        TEST(from_a_time_on_the_first_lines_are_found),
        TEST(another_account_or_function_sees_nothing),
        TEST(a_lost_or_unsound_index_only_costs_time),
        TEST(a_segment_that_retention_took_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
