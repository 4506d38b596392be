/* SPDX-License-Identifier: Apache-2.0 */
/* The producer against librdkafka's mock cluster, which answers as it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/io/kafka.h"

/* requests, by their numbers in the protocol */
#define PRODUCE 0
#define INIT_PRODUCER_ID 22

struct world {
    struct loop *loop;
    rd_kafka_t *host; /* carries the cluster */
    rd_kafka_mock_cluster_t *cluster;
    struct kafka_producer *p;
    struct timer deadline;
    uint64_t tokens[4096];
    enum kafka_outcome outcomes[4096];
    size_t count, awaited;
    unsigned ups, downs, fatals;
};

static void on_outcome(uint64_t token, enum kafka_outcome outcome, const struct error *why,
                       void *arg)
{
    struct world *w = arg;

    assert_true((why == NULL) == (outcome == KAFKA_DELIVERED));
    w->tokens[w->count] = token;
    w->outcomes[w->count++] = outcome;
    if (w->count == w->awaited)
        loop_stop(w->loop);
}

static void on_state(bool up, const struct error *why, void *arg)
{
    struct world *w = arg;

    assert_true((why == NULL) == up);
    w->ups += up;
    w->downs += !up;
    if (!up)
        loop_stop(w->loop);
}

static void on_fatal(const struct error *why, void *arg)
{
    struct world *w = arg;

    assert_non_null(why);
    w->fatals++;
    kafka_producer_free(w->p);
    w->p = NULL;
    loop_stop(w->loop);
}

static const struct kafka_ops ops = {
    .on_outcome = on_outcome,
    .on_state = on_state,
    .on_fatal = on_fatal,
};

static void on_deadline(void *arg)
{
    (void)arg;
    fail_msg("it takes too long");
}

static int new_producer(struct world *w, const char *properties, struct error *err)
{
    const struct kafka_options options = {
        .brokers = rd_kafka_mock_cluster_bootstraps(w->cluster),
        .topic = "t",
        .client_id = "test",
        .properties = properties,
        .linger_ms = 1,
        .queue_bytes = 1u << 20,
    };

    return kafka_producer_new(w->loop, &options, &ops, w, &w->p, err);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    rd_kafka_conf_set(conf, "bootstrap.servers", "127.0.0.1:1", why, sizeof(why)); /* never asked */
    rd_kafka_conf_set(conf, "log_level", "0", why, sizeof(why));
    w->loop = loop_new();
    w->host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    w->cluster = rd_kafka_mock_cluster_new(w->host, 1);
    rd_kafka_mock_topic_create(w->cluster, "t", 2, 1);
    timer_init(&w->deadline, w->loop, on_deadline, w);
    timer_start(&w->deadline, SECONDS(30));
    log_least = LOG_ERROR + 1; /* librdkafka's complaints are wanted here */
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    timer_stop(&w->deadline);
    kafka_producer_free(w->p);
    loop_free(w->loop);
    rd_kafka_mock_cluster_destroy(w->cluster);
    rd_kafka_destroy(w->host);
    free(w);
    return 0;
}

static void await(struct world *w, size_t count)
{
    w->awaited = count;
    if (w->count < count)
        loop_run(w->loop);
}

static void each_record_has_one_outcome_and_a_key_keeps_its_order(void **state)
{
    struct world *w = *state;
    uint64_t i, last[2] = {0, 0};

    assert_int_equal(new_producer(w, NULL, NULL), 0);
    for (i = 1; i <= 4000; i++)
        assert_int_equal(
            kafka_produce(w->p, i % 2 ? STR("odd") : STR("even"), STR("text"), i, NULL), 0);
    assert_int_equal(w->count, 0); /* never inside a call of ours */
    await(w, 4000);
    for (i = 0; i < 4000; i++) {
        assert_int_equal(w->outcomes[i], KAFKA_DELIVERED);
        assert_true(w->tokens[i] > last[w->tokens[i] % 2]);
        last[w->tokens[i] % 2] = w->tokens[i];
    }
    assert_int_equal(w->ups, 1);
}

static void a_refused_record_is_told_from_one_that_failed(void **state)
{
    struct world *w = *state;

    assert_int_equal(new_producer(w, NULL, NULL), 0);
    rd_kafka_mock_push_request_errors(w->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    assert_int_equal(kafka_produce(w->p, STR("k"), STR("text"), 1, NULL), 0);
    await(w, 1);
    assert_int_equal(w->outcomes[0], KAFKA_REFUSED);
    rd_kafka_mock_push_request_errors(w->cluster, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    assert_int_equal(kafka_produce(w->p, STR("k"), STR("text"), 2, NULL), 0);
    await(w, 2);
    assert_int_equal(w->outcomes[1], KAFKA_FAILED);
}

static void trouble_that_passes_is_retried_in_silence(void **state)
{
    struct world *w = *state;

    assert_int_equal(new_producer(w, NULL, NULL), 0);
    rd_kafka_mock_push_request_errors(w->cluster, PRODUCE, 3,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
    assert_int_equal(kafka_produce(w->p, STR("k"), STR("text"), 1, NULL), 0);
    await(w, 1);
    assert_int_equal(w->outcomes[0], KAFKA_DELIVERED);
}

static void brokers_that_are_away_are_a_state(void **state)
{
    struct world *w = *state;

    assert_int_equal(new_producer(w, NULL, NULL), 0);
    assert_int_equal(kafka_produce(w->p, STR("k"), STR("text"), 1, NULL), 0);
    await(w, 1);
    rd_kafka_mock_broker_set_down(w->cluster, 1);
    loop_run(w->loop);
    assert_int_equal(w->downs, 1);
    assert_int_equal(kafka_produce(w->p, STR("k"), STR("text"), 2, NULL), 0);
    rd_kafka_mock_broker_set_up(w->cluster, 1);
    await(w, 2);
    assert_int_equal(w->outcomes[1], KAFKA_DELIVERED);
    assert_int_equal(w->ups, 2);
}

static void a_broken_producer_says_so_and_another_takes_over(void **state)
{
    struct world *w = *state;
    int r;

    rd_kafka_mock_push_request_errors(w->cluster, INIT_PRODUCER_ID, 1,
                                      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
    assert_int_equal(new_producer(w, NULL, NULL), 0);
    r = kafka_produce(w->p, STR("k"), STR("text"), 1, NULL);
    assert_true(r == 0 || r == -ERR_CLOSED); /* it breaks in the background */
    while (w->fatals == 0)
        loop_run(w->loop);
    assert_null(w->p);
    assert_int_equal(new_producer(w, NULL, NULL), 0);
    w->count = 0;
    assert_int_equal(kafka_produce(w->p, STR("k"), STR("text"), 2, NULL), 0);
    await(w, 1);
    assert_int_equal(w->tokens[0], 2);
    assert_int_equal(w->outcomes[0], KAFKA_DELIVERED);
}

static void a_full_queue_asks_for_patience(void **state)
{
    struct world *w = *state;
    char value[10000] = "";
    struct str text = str_from(value, sizeof(value));
    uint64_t i = 0;
    int r;

    rd_kafka_mock_broker_set_down(w->cluster, 1);
    assert_int_equal(new_producer(w, NULL, NULL), 0);
    while ((r = kafka_produce(w->p, STR("k"), text, i, NULL)) == 0)
        i++;
    assert_int_equal(r, -ERR_THROTTLED);
    assert_in_range(i, 50, 110);
    rd_kafka_mock_broker_set_up(w->cluster, 1);
    while (w->count < i)
        await(w, i);
    assert_int_equal(kafka_produce(w->p, STR("k"), text, i, NULL), 0);
}

static void settings_are_checked_and_their_values_never_quoted(void **state)
{
    static const struct {
        const char *properties, *why;
    } bad[] = {
        {"no.such.setting=1", "Kafka setting no.such.setting: librdkafka does not know it"},
        {"security.protocol=geheim",
         "Kafka setting security.protocol: librdkafka refuses its value"},
        {"sasl.password", "Kafka settings are key=value lines"},
    };
    struct world *w = *state;
    struct error err;
    size_t i;

    for (i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(new_producer(w, bad[i].properties, &err), -ERR_CONFIG);
        assert_string_equal(err.msg, bad[i].why);
    }
    assert_int_equal(new_producer(w, "acks=1\n", &err), -ERR_CONFIG);
    assert_int_equal(new_producer(w, "# a comment\n\n client.rack = a \n", &err), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_record_has_one_outcome_and_a_key_keeps_its_order),
        TEST(a_refused_record_is_told_from_one_that_failed),
        TEST(trouble_that_passes_is_retried_in_silence),
        TEST(brokers_that_are_away_are_a_state),
        TEST(a_broken_producer_says_so_and_another_takes_over),
        TEST(a_full_queue_asks_for_patience),
        TEST(settings_are_checked_and_their_values_never_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
