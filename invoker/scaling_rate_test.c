/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/pool_fixture.h"
#include "invoker/scaling_rate.h"

static struct scaling_rates *rates;

static void begin(uint64_t per_10s)
{
    node_new(1u << 20, 2000);
    rates = scaling_rates_new(&node.clock, per_10s);
}

/* How many may be begun now, and are. */
static int take_all(struct scaling_rate *rate)
{
    int n = 0;

    for (; scaling_rate_due_us(rate) <= node.now_us && n < 100000; n++)
        scaling_rate_take(rate);
    return n;
}

static void end(void)
{
    pool_free(node.pool);
    scaling_rates_free(rates);
}

static void a_function_begins_its_rate_at_once_and_then_continuously(void **state)
{
    struct scaling_rate *rate;

    (void)state;
    begin(1000);
    rate = scaling_rate_get(rates, STR("0"), STR("f"));
    assert_int_equal(take_all(rate), 1000);
    assert_int_equal(scaling_rate_due_us(rate), node.now_us + MSEC(10));
    node.now_us += MSEC(9);
    assert_int_equal(take_all(rate), 0);
    node.now_us += MSEC(1);
    assert_int_equal(take_all(rate), 1);
    node.now_us += SECONDS(1);
    assert_int_equal(take_all(rate), 100);
    node.now_us += MINUTES(60);
    assert_int_equal(take_all(rate), 1000);
    scaling_rate_unref(rate);
    end();
}

static void functions_have_a_rate_each_and_versions_share_one(void **state)
{
    struct scaling_rate *f, *same, *g;

    (void)state;
    begin(10);
    f = scaling_rate_get(rates, STR("0"), STR("f"));
    same = scaling_rate_get(rates, STR("0"), STR("f"));
    g = scaling_rate_get(rates, STR("1"), STR("f"));
    assert_ptr_equal(f, same);
    assert_int_equal(take_all(f), 10);
    assert_int_equal(take_all(same), 0);
    assert_int_equal(take_all(g), 10);
    scaling_rate_unref(f);
    scaling_rate_unref(same);
    scaling_rate_unref(g);
    end();
}

static void nodes_have_their_share(void **state)
{
    struct scaling_rate *rate;

    (void)state;
    begin(12);
    rate = scaling_rate_get(rates, STR("0"), STR("f"));
    scaling_rates_share(rates, 4);
    assert_int_equal(take_all(rate), 3);
    node.now_us += SECONDS(10);
    assert_int_equal(take_all(rate), 3);
    scaling_rates_share(rates, 24); /* one in 20 s */
    node.now_us += SECONDS(20);
    assert_int_equal(take_all(rate), 1);
    node.now_us += SECONDS(20) - 1;
    assert_int_equal(take_all(rate), 0);
    node.now_us += 1;
    assert_int_equal(take_all(rate), 1);
    scaling_rates_share(rates, 0); /* a controller that does not say */
    node.now_us += SECONDS(10);
    assert_int_equal(take_all(rate), 12);
    scaling_rate_unref(rate);
    end();
}

static void without_a_rate_there_is_no_limit(void **state)
{
    (void)state;
    begin(0);
    assert_null(scaling_rate_get(rates, STR("0"), STR("f")));
    assert_int_equal(scaling_rate_due_us(NULL), 0);
    end();
}

/* ---- in the pool */

static struct pool_version *version_of(const char *name)
{
    struct pool_version *pv = pool_version_new(node.pool, 128, NULL, NULL);
    struct scaling_rate *rate = scaling_rate_get(rates, STR("0"), str_of(name));

    pool_version_limit(pv, rate);
    scaling_rate_unref(rate);
    return pv;
}

static void what_is_beyond_the_rate_begins_when_it_is_due(void **state)
{
    struct pool_version *pv;
    int i;

    (void)state;
    begin(2);
    pv = version_of("f");
    for (i = 0; i < 4; i++)
        assert_int_equal(submit(pv, i), 0);
    assert_int_equal(node.made, 2);
    assert_true(pool_version_is_at_rate(pv));
    assert_int_equal(node.start_later_us, node.now_us + SECONDS(5));
    node.now_us += SECONDS(5);
    pool_start_due(node.pool);
    assert_int_equal(node.made, 3);
    assert_int_equal(node.start_later_us, node.now_us + SECONDS(5));
    pool_cancel(pv, &node.requests[3].wait); /* it has waited for long enough */
    node.now_us += SECONDS(5);
    pool_start_due(node.pool);
    assert_int_equal(node.made, 3);
    version_end(pv);
    end();
}

static void a_function_at_its_rate_holds_up_no_other(void **state)
{
    struct pool_version *pv, *same, *other;
    int i;

    (void)state;
    begin(2);
    pv = version_of("f");
    same = version_of("f");
    other = version_of("g");
    for (i = 0; i < 3; i++)
        (void)submit(pv, i);
    (void)submit(same, 3);
    assert_int_equal(node.made, 2);
    (void)submit(other, 4);
    assert_int_equal(node.made, 3);
    assert_false(pool_version_is_at_rate(other));
    version_end(pv);
    version_end(same);
    version_end(other);
    end();
}

static void provisioned_ones_are_not_counted(void **state)
{
    struct pool_version *pv;

    (void)state;
    begin(1);
    pv = version_of("f");
    pool_version_keep(pv, 5);
    assert_int_equal(node.made, 5);
    assert_int_equal(node.start_later_us, 0);
    assert_false(pool_version_is_at_rate(pv));
    version_end(pv);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_begins_its_rate_at_once_and_then_continuously),
        cmocka_unit_test(functions_have_a_rate_each_and_versions_share_one),
        cmocka_unit_test(nodes_have_their_share),
        cmocka_unit_test(without_a_rate_there_is_no_limit),
        cmocka_unit_test(what_is_beyond_the_rate_begins_when_it_is_due),
        cmocka_unit_test(a_function_at_its_rate_holds_up_no_other),
        cmocka_unit_test(provisioned_ones_are_not_counted),
    };

    return cmocka_run_group_tests_name("scaling_rate", tests, NULL, NULL);
}
