/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/proto/log_record.h"
#include "invoker/log_lines.h"
#include "invoker/logs.h"

static char folder[] = "/tmp/hearth-logs-XXXXXX";

/* A struct logs with one source, whose pipes we write. */
struct world {
    struct loop *loop;
    struct logs *logs;
    struct log_source *src;
    int out, err; /* write ends */
    struct buf found; /* what the last read gave, see on_lines() */
    bool more;
    int read_r;
};

static const struct log_identity identity = {
    .account = "000000000000",
    .region = "us-east-1",
    .function = "hello",
    .version = "$LATEST",
    .log_group = "/aws/lambda/hello",
    .log_stream = "2026/11/23/[$LATEST]0123",
    .sandbox = "sb-1",
};

static void source_start(struct world *w, enum fn_log_level least)
{
    struct log_identity id = identity;
    int out[2], err[2];

    id.least = least;
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    w->out = out[1];
    w->err = err[1];
    w->src = log_source_new(w->logs, &id, out[0], err[0]);
}

static void source_stop(struct world *w)
{
    log_source_free(TAKE(w->src));
    closep(&w->out);
    closep(&w->err);
}

static void world_start(struct world *w, uint64_t rate)
{
    const struct logs_options options = {.folder = folder, .node = "n1", .rate_bytes = rate};
    struct error e;

    if (logs_new(w->loop, &options, &w->logs, &e) < 0)
        fail_msg("%s", e.msg);
    source_start(w, FN_LOG_TRACE);
}

static void on_closed(void *arg)
{
    struct world *w = arg;

    w->logs = NULL;
    loop_stop(w->loop);
}

static void world_stop(struct world *w)
{
    source_stop(w);
    logs_close(w->logs, 0, on_closed, w);
    loop_run(w->loop);
    assert_null(w->logs);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    if (!w || !mkdtemp(folder))
        return -1;
    w->loop = loop_new();
    w->found = BUF_INIT(32u << 20);
    world_start(w, 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    world_stop(w);
    loop_free(w->loop);
    buf_done(&w->found);
    free(w);
    return dir_remove(folder, NULL);
}

static void put(int fd, const char *text)
{
    if (*text)
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* Each record as "request stream message;", a piece that goes on ends with "+" instead. */
static void on_lines(struct str lines, bool more, const struct error *err, void *arg)
{
    struct world *w = arg;
    struct log_record rec;
    size_t at, end;

    buf_clear(&w->found);
    w->more = more;
    w->read_r = err ? -(int)err->code : 0;
    for (at = 0; (end = str_find(lines, '\n', at)) < lines.len; at = end + 1) {
        assert_int_equal(log_record_read(str_sub(lines, at, end), &rec), 0);
        buf_append_str(&w->found, rec.line.request_id);
        buf_printf(&w->found, " %.3s ", log_record_stream_name(rec.line.stream));
        buf_append_str(&w->found, rec.line.message);
        buf_append_char(&w->found, rec.line.continues ? '+' : ';');
    }
    loop_stop(w->loop);
}

static void read_all(struct world *w, const char *request_id)
{
    struct logs_filter filter = {.account = STR("000000000000"),
                                 .function = STR("hello"),
                                 .request_id = str_of(request_id)};

    logs_read(w->logs, &filter, on_lines, w);
    loop_run(w->loop);
}

static void assert_found(struct world *w, const char *request_id, const char *want)
{
    read_all(w, request_id);
    assert_int_equal(w->read_r, 0);
    buf_append_char(&w->found, '\0');
    assert_string_equal(w->found.ptr, want);
}

static void assert_tail(struct world *w, const char *want)
{
    struct str tail = log_source_tail(w->src);

    assert_int_equal(tail.len, strlen(want));
    assert_memory_equal(tail.ptr, want, tail.len);
}

static void invoke(struct world *w, const char *id, const char *print)
{
    assert_int_equal(log_source_begin(w->src, str_of(id), false), 0);
    log_source_platform(w->src, STR("START"));
    put(w->out, print);
    log_source_drain(w->src);
    log_source_platform(w->src, STR("END"));
    log_source_end(w->src);
}

static void all_that_was_written_before_the_answer_is_there_with_its_request_id(void **state)
{
    struct world *w = *state;

    put(w->err, "booting\n");
    invoke(w, "r1", "one\ntwo");
    invoke(w, "r2", "three\n");
    assert_found(w, "r1", "r1 pla START;r1 std one;r1 std two;r1 pla END;");
    assert_found(w, "r2", "r2 pla START;r2 std three;r2 pla END;");
    assert_found(w, "",
                 " std booting;r1 pla START;r1 std one;r1 std two;r1 pla END;"
                 "r2 pla START;r2 std three;r2 pla END;");
}

static void a_line_between_invocations_belongs_to_the_one_before(void **state)
{
    struct world *w = *state;

    invoke(w, "r1", "");
    put(w->out, "late\n");
    invoke(w, "r2", "");
    put(w->out, "later");
    log_source_free(w->src);
    w->src = NULL;
    assert_found(w, "",
                 "r1 pla START;r1 pla END;r1 std late;r2 pla START;r2 pla END;r2 std later;");
}

static void the_tail_has_this_invocation_only_and_at_most_4096_bytes(void **state)
{
    struct world *w = *state;
    char line[2001];
    int i;

    put(w->out, "booting\n");
    assert_int_equal(log_source_begin(w->src, STR("r1"), true), 0);
    log_source_platform(w->src, STR("START r1"));
    put(w->out, "hi\nho");
    log_source_drain(w->src);
    log_source_platform(w->src, STR("END r1"));
    assert_tail(w, "START r1\nhi\nho\nEND r1\n");
    log_source_end(w->src);
    assert_tail(w, "");
    assert_int_equal(log_source_begin(w->src, STR("r2"), true), 0);
    memset(line, 'x', sizeof(line) - 2);
    line[sizeof(line) - 2] = '\n';
    line[sizeof(line) - 1] = '\0';
    for (i = 0; i < 3; i++)
        put(w->out, line);
    log_source_drain(w->src);
    log_source_platform(w->src, STR("END r2"));
    assert_int_equal(log_source_tail(w->src).len, 4096);
    assert_true(str_ends(log_source_tail(w->src), STR("xx\nEND r2\n")));
    log_source_end(w->src);
    assert_int_equal(log_source_begin(w->src, STR("r3"), false), 0);
    log_source_platform(w->src, STR("START r3"));
    assert_tail(w, "");
}

static void the_tail_has_the_output_of_init_when_asked_for_it_once(void **state)
{
    struct world *w = *state;

    put(w->err, "booting\nit fails");
    assert_int_equal(log_source_begin(w->src, STR("r1"), true), 0);
    log_source_platform(w->src, STR("START r1"));
    log_source_tail_add_init(w->src);
    log_source_platform(w->src, STR("END r1"));
    assert_tail(w, "START r1\nbooting\nit fails\nEND r1\n");
    log_source_end(w->src);
    put(w->out, "between\n");
    assert_int_equal(log_source_begin(w->src, STR("r2"), true), 0);
    log_source_tail_add_init(w->src);
    assert_tail(w, "");
    log_source_end(w->src);
    assert_found(w, "", " std booting; std it fails;r1 pla START r1;r1 pla END r1;r1 std between;");
}

static void bytes_that_json_cannot_hold_survive_as_escapes(void **state)
{
    struct world *w = *state;

    assert_int_equal(write(w->out, "a\0b\xff\"\n", 6), 6);
    log_source_drain(w->src);
    assert_found(w, "", " std a\\u0000b\xef\xbf\xbd\\\";");
}

static void on_stop(void *arg)
{
    loop_stop(arg);
}

/* Writes @len bytes of @c into the pipe while the loop reads it at the other end. */
static void put_many(struct world *w, char c, size_t len)
{
    char block[4096];
    struct timer t;
    ssize_t n;

    memset(block, c, sizeof(block));
    fcntl(w->out, F_SETFL, O_NONBLOCK);
    timer_init(&t, w->loop, on_stop, w->loop);
    while (len) {
        n = write(w->out, block, len < sizeof(block) ? len : sizeof(block));
        if (n > 0) {
            len -= (size_t)n;
            continue;
        }
        timer_start(&t, 1000);
        loop_run(w->loop);
    }
    log_source_drain(w->src);
}

static void a_very_long_line_comes_in_continued_pieces(void **state)
{
    struct world *w = *state;

    put_many(w, 'x', LOG_LINES_MAX + 10);
    read_all(w, "");
    assert_int_equal(w->found.len, 2 * strlen(" std ;") + LOG_LINES_MAX + 10);
    assert_int_equal(w->found.ptr[5 + LOG_LINES_MAX], '+');
}

static void a_line_that_grows_by_escaping_stays_below_the_limit_of_a_record(void **state)
{
    struct world *w = *state;
    struct logs_counters counters;

    put_many(w, '\x01', LOG_LINES_MAX);
    logs_counters_get(w->logs, &counters);
    assert_int_equal(counters.lines, 2);
    read_all(w, "");
    assert_int_equal(w->found.len, 2 * strlen(" std ;") + 6 * LOG_LINES_MAX);
    assert_int_equal(w->found.ptr[5 + 3 * LOG_LINES_MAX], '+');
}

static void lines_outlive_a_restart(void **state)
{
    struct world *w = *state;
    struct logs_counters counters;

    invoke(w, "r1", "one\n");
    world_stop(w);
    world_start(w, 0);
    invoke(w, "r2", "two\n");
    assert_found(w, "", "r1 pla START;r1 std one;r1 pla END;r2 pla START;r2 std two;r2 pla END;");
    logs_counters_get(w->logs, &counters);
    assert_int_equal(counters.lines, 3);
    assert_int_equal(counters.dropped, 0);
    assert_int_equal(counters.memory_bytes, 0);
}

static void pipes_that_end_are_let_go(void **state)
{
    struct world *w = *state;

    put(w->out, "last words");
    closep(&w->out);
    closep(&w->err);
    log_source_drain(w->src);
    log_source_drain(w->src);
    invoke(w, "r1", "");
    assert_found(w, "", " std last words;r1 pla START;r1 pla END;");
}

/* A limit of the size of files stands for a full disk. */
static void a_full_disk_stops_the_reading_and_loses_nothing(void **state)
{
    struct world *w = *state;
    struct rlimit was, tight;
    struct logs_counters counters;
    char block[4096];
    ssize_t n;
    size_t blocks = 0, lines = 0, at;

    log_least = LOG_ERROR + 1; /* it would rightly complain */
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    tight = was;
    tight.rlim_cur = 1024;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    memset(block, 'x', sizeof(block));
    block[sizeof(block) - 1] = '\n';
    fcntl(w->out, F_SETFL, O_NONBLOCK);
    do {
        n = write(w->out, block, sizeof(block));
        blocks += n > 0;
        read_all(w, ""); /* turns of the loop */
        logs_counters_get(w->logs, &counters);
    } while (n > 0);
    assert_int_equal(n, -1);
    assert_true(counters.is_blocked);
    assert_true(counters.write_errors > 0);
    assert_int_equal(w->read_r, -ERR_UNAVAILABLE);
    invoke(w, "r1", ""); /* what runs may finish: its lines wait in memory */

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    do
        read_all(w, "");
    while (w->read_r != 0);
    for (at = 0; (at = str_find(buf_str(&w->found), ';', at)) < w->found.len; at++)
        lines++;
    assert_int_equal(lines, blocks + 2);
    logs_counters_get(w->logs, &counters);
    assert_false(counters.is_blocked);
    assert_int_equal(counters.dropped, 0);
    log_least = LOG_INFO;
}

/* Writes what the pipe takes, up to @blocks of 1000 bytes, and lets the loop turn. */
static size_t put_blocks(struct world *w, size_t blocks)
{
    char block[1000];
    size_t n = 0;

    memset(block, 'x', sizeof(block));
    block[sizeof(block) - 1] = '\n';
    while (n < blocks && write(w->out, block, sizeof(block)) == (ssize_t)sizeof(block))
        n++;
    loop_defer(w->loop, (loop_fn *)loop_stop, w->loop);
    loop_run(w->loop);
    return n;
}

static void who_prints_faster_than_at_the_rate_waits_and_loses_nothing(void **state)
{
    enum { RATE = 200000, BLOCKS = 500 };
    struct world *w = *state;
    struct logs_counters c;
    uint64_t began = now_us();
    size_t put_len = 0, at, lines = 0;

    world_stop(w);
    world_start(w, RATE);
    fcntl(w->out, F_SETFL, O_NONBLOCK);
    while (put_len < BLOCKS)
        put_len += put_blocks(w, BLOCKS - put_len);
    /* what comes at once, a second's worth and a pipe's; the rest is the rate's */
    assert_true(now_us() - began > SECONDS(BLOCKS * 1000 - RATE - 2 * 65536) / RATE);
    invoke(w, "r1", "last\n"); /* which waits for nothing */
    read_all(w, "");
    for (at = 0; (at = str_find(buf_str(&w->found), ';', at)) < w->found.len; at++)
        lines++;
    assert_int_equal(lines, BLOCKS + 3);
    assert_int_equal(put_blocks(w, 1), 1);
    logs_counters_get(w->logs, &c);
    began = c.bytes_read;
    while (logs_counters_get(w->logs, &c), c.bytes_read == began) /* it is read again */
        put_blocks(w, 0);
}

#define LEVEL(name) "{\"level\":\"" name "\",\"time\":\"2026-11-26T20:00:00Z\"}\n"

static void lines_below_the_level_are_left_out_everywhere(void **state)
{
    struct world *w = *state;
    struct logs_counters c;
    int extensions[2];

    source_stop(w);
    source_start(w, FN_LOG_WARN);
    assert_int_equal(pipe2(extensions, O_CLOEXEC), 0);
    log_source_add_extensions(w->src, extensions[0]);
    put(w->out, LEVEL("INFO")); /* of the init phase */
    assert_int_equal(log_source_begin(w->src, STR("r1"), true), 0);
    log_source_tail_add_init(w->src);
    put(w->out, LEVEL("DEBUG") LEVEL("WARN") "plain\n{}\n");
    put(w->err, LEVEL("info") LEVEL("error"));
    put(extensions[1], LEVEL("DEBUG"));
    log_source_drain(w->src);
    assert_tail(w, LEVEL("WARN") "plain\n" LEVEL("error") LEVEL("DEBUG"));
    logs_counters_get(w->logs, &c);
    assert_int_equal(c.lines, 4);
    assert_int_equal(c.filtered, 4);
    assert_int_equal(c.dropped, 0);
    closep(&extensions[1]);
}

static void of_a_line_in_pieces_the_first_decides_for_all(void **state)
{
    struct world *w = *state;
    struct logs_counters c;

    source_stop(w);
    source_start(w, FN_LOG_WARN);
    put(w->out, "{\"level\":\"DEBUG\",\"time\":\"2026-11-26T20:00:00Z\",\"text\":\"");
    put_many(w, 'x', 3 * LOG_LINES_MAX); /* and its end */
    put(w->out, "next\n");
    log_source_drain(w->src);
    assert_found(w, "", " std next;");
    logs_counters_get(w->logs, &c);
    assert_int_equal(c.filtered, 1);
}

static void a_stream_name_has_date_version_and_a_token(void **state)
{
    char name[LOGS_STREAM_NAME_MAX];

    (void)state;
    logs_stream_name(NULL, "$LATEST", name);
    assert_int_equal(strlen(name), strlen("2026/11/23/[$LATEST]") + 32);
    assert_memory_equal(name + 10, "/[$LATEST]", 10);
    logs_stream_name("hello", "7", name);
    assert_int_equal(strlen(name), strlen("2026/11/23/hello[7]") + 32);
    assert_memory_equal(name + 10, "/hello[7]", 9);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_that_was_written_before_the_answer_is_there_with_its_request_id),
        TEST(a_line_between_invocations_belongs_to_the_one_before),
        TEST(the_tail_has_this_invocation_only_and_at_most_4096_bytes),
        TEST(the_tail_has_the_output_of_init_when_asked_for_it_once),
        TEST(bytes_that_json_cannot_hold_survive_as_escapes),
        TEST(a_very_long_line_comes_in_continued_pieces),
        TEST(a_line_that_grows_by_escaping_stays_below_the_limit_of_a_record),
        TEST(lines_outlive_a_restart),
        TEST(pipes_that_end_are_let_go),
        TEST(a_full_disk_stops_the_reading_and_loses_nothing),
        TEST(who_prints_faster_than_at_the_rate_waits_and_loses_nothing),
        TEST(lines_below_the_level_are_left_out_everywhere),
        TEST(of_a_line_in_pieces_the_first_decides_for_all),
        cmocka_unit_test(a_stream_name_has_date_version_and_a_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
