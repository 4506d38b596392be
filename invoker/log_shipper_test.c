/* SPDX-License-Identifier: Apache-2.0 */
/* The shipper with a producer of our own in place of common/io/kafka.c's: it does as it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "invoker/log_shipper.h"
#include "invoker/log_spool.h"

#define SENT_MAX 1024

struct kafka_producer {
    bool is_freed;
};

static char folder[] = "/tmp/hearth-log-shipper-XXXXXX";

static struct world {
    struct loop *loop;
    struct log_spool *spool;
    struct log_view *view;
    struct log_shipper *s;
    /* the producer */
    struct kafka_producer producers[4];
    unsigned producer_count;
    const struct kafka_ops *ops;
    void *ops_arg;
    uint64_t tokens[SENT_MAX], seqs[SENT_MAX];
    size_t sent, room; /* room: then it asks for patience */
    /* what loop_run() waits for */
    size_t await_sent;
    bool await_progress;
} w;

int kafka_producer_new(struct loop *loop, const struct kafka_options *options,
                       const struct kafka_ops *ops, void *arg, struct kafka_producer **ret,
                       struct error *err)
{
    (void)err;
    assert_ptr_equal(loop, w.loop);
    assert_string_equal(options->topic, "t");
    w.ops = ops;
    w.ops_arg = arg;
    *ret = &w.producers[w.producer_count++];
    return 0;
}

void kafka_producer_free(struct kafka_producer *p)
{
    if (p)
        p->is_freed = true;
}

int kafka_produce(struct kafka_producer *p, struct str key, struct str value, uint64_t token,
                  struct error *err)
{
    struct log_record rec;

    assert_false(p->is_freed);
    assert_true(str_is(key, "1:f"));
    if (w.room == 0)
        return error_set(err, ERR_THROTTLED, "full");
    w.room--;
    assert_int_equal(log_record_read(value, &rec), 0);
    if (str_is(rec.line.message, "huge"))
        return error_set(err, ERR_TOO_LARGE, "huge");
    w.tokens[w.sent] = token;
    w.seqs[w.sent++] = rec.line.seq;
    if (w.sent == w.await_sent)
        loop_stop(w.loop);
    return 0;
}

static void append(uint64_t from, uint64_t to, const char *text)
{
    struct log_origin origin = {.node = STR("n"), .account = STR("1"), .function = STR("f")};
    CLEANUP(buf_done) struct buf head = BUF_INIT(4096);
    CLEANUP(log_batch_done) struct log_batch b;

    log_batch_init(&b);
    log_origin_write(&head, &origin);
    for (; from <= to; from++) {
        struct log_line line = {.seq = from, .message = str_of(text)};

        assert_true(log_batch_add(&b, buf_str(&head), 1, 1, &line));
    }
    assert_int_equal(log_spool_append(w.spool, &b, 1, NULL), 0);
    log_view_unref(w.view);
    w.view = log_spool_view(w.spool);
    if (w.s)
        log_shipper_feed(w.s, w.view);
}

static void on_progress(void *arg)
{
    (void)arg;
    if (w.await_progress)
        loop_stop(w.loop);
}

static void start(uint64_t seq)
{
    static const struct kafka_options options = {.brokers = "b", .topic = "t"};

    assert_int_equal(
        log_shipper_new(w.loop, &options, w.view, seq, on_progress, NULL, &w.s, NULL), 0);
}

static int setup(void **state)
{
    struct log_spool_options o = {.folder = folder,
                                  .segment_bytes = 4096,
                                  .retention_ms = 1u << 30,
                                  .retention_bytes = 1u << 30};

    (void)state;
    memset(&w, 0, sizeof(w));
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    if (!mkdtemp(folder) || log_spool_open(&o, &w.spool, NULL) < 0)
        return -1;
    w.loop = loop_new();
    w.view = log_spool_view(w.spool);
    w.room = SIZE_MAX;
    log_least = LOG_ERROR + 1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_shipper_free(w.s);
    log_view_unref(w.view);
    log_spool_free(w.spool);
    loop_free(w.loop);
    return dir_remove(folder, NULL);
}

/* Runs the loop until @count records were handed to the producer. */
static void await_sent(size_t count)
{
    w.await_sent = count;
    if (w.sent < count)
        loop_run(w.loop);
    assert_int_equal(w.sent, count);
}

static void await_progress(void)
{
    w.await_progress = true;
    loop_run(w.loop);
    w.await_progress = false;
}

static void come_back(size_t sent, enum kafka_outcome outcome)
{
    struct error why;

    error_set(&why, ERR_UNAVAILABLE, "as told");
    w.ops->on_outcome(w.tokens[sent], outcome, outcome == KAFKA_DELIVERED ? NULL : &why, w.ops_arg);
}

static void all_come_back(size_t from, size_t to)
{
    for (; from < to; from++)
        come_back(from, KAFKA_DELIVERED);
}

static void records_go_out_in_order_from_where_it_stopped(void **state)
{
    struct log_shipper_counters c;
    size_t i;

    (void)state;
    append(1, 40, "text");
    append(41, 100, "text");
    start(31);
    await_sent(70);
    for (i = 0; i < 70; i++)
        assert_int_equal(w.seqs[i], 31 + i);
    assert_int_equal(log_shipper_seq(w.s), 31);
    all_come_back(0, 70);
    await_progress();
    assert_int_equal(log_shipper_seq(w.s), 101);
    assert_int_equal(log_shipper_left(w.s), 0);
    append(101, 102, "text");
    await_sent(72);
    log_shipper_counters_get(w.s, &c);
    assert_int_equal(c.shipped, 70);
    assert_int_equal(c.resent, 0);
}

static void shipped_is_what_has_no_gap_before_it(void **state)
{
    (void)state;
    append(1, 10, "text");
    start(0);
    await_sent(10);
    all_come_back(5, 10);
    come_back(0, KAFKA_DELIVERED);
    await_progress();
    assert_int_equal(log_shipper_seq(w.s), 2);
    all_come_back(1, 5);
    await_progress();
    assert_int_equal(log_shipper_seq(w.s), 11);
}

static void only_what_failed_is_sent_again_and_in_order(void **state)
{
    struct log_shipper_counters c;

    (void)state;
    append(1, 10, "text");
    start(0);
    await_sent(10);
    come_back(7, KAFKA_FAILED);
    append(11, 20, "text"); /* waits until the failure is settled */
    come_back(2, KAFKA_FAILED);
    all_come_back(3, 7);
    all_come_back(8, 10);
    all_come_back(0, 2);
    await_sent(22);
    assert_int_equal(w.seqs[10], 3);
    assert_int_equal(w.seqs[11], 8);
    assert_int_equal(w.seqs[12], 11);
    assert_int_equal(w.seqs[21], 20);
    all_come_back(10, 22);
    await_progress();
    assert_int_equal(log_shipper_seq(w.s), 21);
    assert_int_equal(log_shipper_left(w.s), 0);
    log_shipper_counters_get(w.s, &c);
    assert_int_equal(c.shipped, 20);
    assert_int_equal(c.resent, 2);
}

static void a_full_producer_is_given_more_when_something_came_back(void **state)
{
    (void)state;
    append(1, 10, "text");
    w.room = 4;
    start(0);
    await_sent(4);
    w.room = 6;
    all_come_back(0, 1);
    await_sent(10);
    assert_int_equal(w.seqs[9], 10);
}

static void a_record_that_is_refused_is_counted_and_passed_over(void **state)
{
    struct log_shipper_counters c;

    (void)state;
    append(1, 1, "huge");
    append(2, 4, "text");
    start(0);
    await_sent(3);
    come_back(0, KAFKA_REFUSED);
    all_come_back(1, 3);
    await_progress();
    assert_int_equal(log_shipper_seq(w.s), 5);
    log_shipper_counters_get(w.s, &c);
    assert_int_equal(c.shipped, 2);
    assert_int_equal(c.undeliverable, 2);
}

static void a_broken_producer_is_replaced_and_what_had_not_arrived_goes_again(void **state)
{
    struct error why;

    (void)state;
    append(1, 6, "text");
    start(0);
    await_sent(6);
    all_come_back(0, 2);
    come_back(3, KAFKA_DELIVERED);
    error_set(&why, ERR_CLOSED, "as told");
    w.ops->on_fatal(&why, w.ops_arg);
    assert_true(w.producers[0].is_freed);
    await_sent(9);
    assert_int_equal(w.producer_count, 2);
    assert_int_equal(w.seqs[6], 3);
    assert_int_equal(w.seqs[7], 5);
    assert_int_equal(w.seqs[8], 6);
    all_come_back(6, 9);
    await_progress();
    assert_int_equal(log_shipper_seq(w.s), 7);
}

static void it_can_be_freed_at_any_moment(void **state)
{
    (void)state;
    append(1, 10, "text");
    start(0);
    log_shipper_free(w.s); /* reading the spool has not begun */
    start(0);
    await_sent(10);
    log_shipper_free(w.s); /* under way */
    w.sent = 0;
    start(0);
    await_sent(10);
    come_back(0, KAFKA_FAILED);
    all_come_back(1, 10); /* pausing; teardown frees */
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_go_out_in_order_from_where_it_stopped),
        TEST(shipped_is_what_has_no_gap_before_it),
        TEST(only_what_failed_is_sent_again_and_in_order),
        TEST(a_full_producer_is_given_more_when_something_came_back),
        TEST(a_record_that_is_refused_is_counted_and_passed_over),
        TEST(a_broken_producer_is_replaced_and_what_had_not_arrived_goes_again),
        TEST(it_can_be_freed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
