/* SPDX-License-Identifier: Apache-2.0 */
/* Two controllers over one Redis and one folder, in one loop: who stands by does nothing, and takes up what was under way. */
#include "controller/controller_fixture.h"

static struct controller *first, *second;
static struct controller_config other; /* the second one's settings: it listens elsewhere */

static void second_start(void)
{
    need_server();
    other = config;
    other.listen = str_printf("unix:%s/second.sock", server.dir);
    assert_int_equal(controller_new(loop, &other, &second, NULL), 0);
}

static int set_up(void **state)
{
    int r = setup(state);

    first = c;
    second = NULL;
    other.listen = NULL;
    return r;
}

static int tear_down(void **state)
{
    c = first;
    controller_free(second);
    free(other.listen);
    return teardown(state);
}

static void on_look_again(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void until_second_leads(void)
{
    uint64_t end = now_us() + WAIT_US;
    struct timer look;

    timer_init(&look, loop, on_look_again, NULL);
    while (!second->term && now_us() < end) {
        timer_start(&look, MSEC(1));
        loop_run(loop);
    }
    timer_stop(&look);
    assert_int_not_equal(second->term, 0);
}

/* The peers have the second one's links instead of the first one's. */
static void peers_move(bool with_invoker)
{
    char *listen = config.listen;

    link_free(gateway);
    link_free(invoker);
    invoker = NULL;
    config.listen = other.listen;
    c = second;
    gateway_connect();
    if (with_invoker)
        invoker_connect();
    config.listen = listen;
}

static void who_stands_by_refuses_every_call(void **state)
{
    static const char *const methods[] = {"lambda",       "route.resolve", "node.register",
                                          "version.get",  "function.key",  "async.enqueue",
                                          "no.such"};
    size_t i;

    (void)state;
    second_start();
    peer.saw_redis = true; /* so that it is asked once */
    peers_move(false);
    for (i = 0; i < ARRAY_LEN(methods); i++) {
        ask(gateway, methods[i], cJSON_CreateObject(), STR_NULL);
        assert_int_equal(got.code, ERR_UNAVAILABLE);
    }
    assert_true(peer.term == 0); /* and said that it does not lead */
    assert_int_equal(second->term, 0);
    assert_int_equal(first->term, 1);
}

static void who_follows_ends_the_change_that_was_under_way(void **state)
{
    (void)state;
    need_server();
    invoker_connect();
    active("old");
    second_start();
    peer.prepare = HOLD;
    assert_int_equal(create_image("f"), 201);
    wait_until(&peer.held_len, 1); /* the invoker is asked to prepare it */
    controller_stop(first);
    until_second_leads();
    assert_int_equal(second->term, 2);
    release();
    peer.prepare = ANSWER;
    peers_move(true);
    assert_true(peer.term == 2);
    wait_for("f", "State", "Active");
    configuration("old");
    assert_string_equal(member("State"), "Active");
}

static void on_set(const struct redis_value *value, const struct error *err, void *arg)
{
    (void)value;
    (void)arg;
    assert_null(err);
}

static void who_was_replaced_refuses_and_stops_its_loop(void **state)
{
    static const char *const keys[] = {"hearth:term", "hearth:leader"};
    uint64_t end = now_us() + WAIT_US;
    size_t i;

    (void)state;
    need_server();
    invoker_connect();
    active("f");
    for (i = 0; i < ARRAY_LEN(keys); i++) /* as another controller does, in one step */
        redis_command(first->redis, (struct str[]){STR("SET"), str_of(keys[i]), STR("9 other")}, 3,
                      on_set, NULL);
    ask(gateway, "lambda", lambda_args("GET", FN, ""), STR_NULL);
    assert_true(got.status == 503 || got.code == ERR_UNAVAILABLE); /* though it need not know yet */
    while (!controller_is_over(first) && now_us() < end)
        loop_run(loop);
    assert_int_equal(controller_is_over(first), ERR_STALE);
    assert_int_equal(first->term, 0);
    ask(gateway, "lambda", lambda_args("GET", FN, ""), STR_NULL);
    assert_int_equal(got.code, ERR_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_stands_by_refuses_every_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_follows_ends_the_change_that_was_under_way, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_was_replaced_refuses_and_stops_its_loop, set_up,
                                        tear_down),
    };

    log_begin("standby_test");
    return cmocka_run_group_tests_name("standby", tests, NULL, NULL);
}
