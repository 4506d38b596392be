/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admission.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/error.h"

#define ME STR("000000000000")
#define NOW SECONDS(100)

static const struct fn_limits no_limits = {0};

/* Leases that get what they need from nobody but grant(). */
struct fixture {
    struct leases *leases;
    struct admission *a;
    uint64_t join, question;
    struct lease_answer answers[8]; /* to the newest question: nothing */
    size_t len;
};

struct waiter {
    struct permit permit;
    struct permit_wait wait;
    int told;
};

static void on_wake(void *arg)
{
    (void)arg;
}

static void on_join(const char *incarnation, uint64_t number, void *arg)
{
    (void)incarnation;
    ((struct fixture *)arg)->join = number;
}

static void on_ask(const char *incarnation, uint64_t epoch, uint64_t number,
                   const struct lease_question *questions, size_t len, void *arg)
{
    struct fixture *f = arg;
    size_t i;

    (void)incarnation;
    (void)epoch;
    assert_in_range(len, 1, 8);
    f->question = number;
    f->len = len;
    for (i = 0; i < len; i++)
        f->answers[i] = (struct lease_answer){.account = questions[i].account,
                                              .pool = questions[i].pool,
                                              .seq = questions[i].seq,
                                              .dry = true};
}

static const struct leases_ops ops = {on_wake, on_join, on_ask};

static void begin(struct fixture *f, uint64_t rate_factor)
{
    *f = (struct fixture){0};
    f->leases = leases_new("gw", &ops, f);
    f->a = admission_new(f->leases, rate_factor);
    leases_link(f->leases, true);
    leases_turn(f->leases, NOW);
    leases_joined(f->leases, f->join, 7, NULL, NOW);
}

static void end(struct fixture *f)
{
    admission_free(f->a);
    leases_free(f->leases);
}

/* Answers what is asked now: @more of @pool, nothing of others. */
static void grant(struct fixture *f, const char *pool, uint64_t more)
{
    size_t i;

    f->len = 0;
    leases_turn(f->leases, NOW);
    for (i = 0; i < f->len; i++) {
        if (!str_is(f->answers[i].pool, pool))
            continue;
        f->answers[i].more = more;
        f->answers[i].dry = more == 0;
    }
    leases_answered(f->leases, f->question, f->answers, f->len, NOW);
    leases_turn(f->leases, NOW);
}

static void on_told(struct permit_wait *w)
{
    CONTAINER_OF(w, struct waiter, wait)->told++;
}

static struct fn_admission *reserved_fn(struct fixture *f, const char *name, uint64_t reserved)
{
    struct fn_admission *fn = admission_fn(f->a, ME, str_of(name));

    fn_admission_set_limits(fn, &(struct fn_limits){.has_reserved = true, .reserved = reserved});
    return fn;
}

static int take(struct fn_admission *fn, struct lease_pool *class, struct waiter *w,
                const char **ret_reason)
{
    *w = (struct waiter){.wait = {.fn = on_told, .function = STR("f")}};
    w->wait.permit = &w->permit;
    list_init(&w->wait.node);
    return fn_admission_take(fn, class, NOW, &w->wait, ret_reason);
}

static void expect_throttled(struct fn_admission *fn, struct lease_pool *class, const char *reason)
{
    const char *told = NULL;
    struct waiter w;

    assert_int_equal(take(fn, class, &w, &told), -ERR_THROTTLED);
    assert_string_equal(told, reason);
}

static void expect_permit_of(const struct waiter *w, const char *pool)
{
    assert_true(permit_is_held(&w->permit));
    assert_true(str_is(lease_pool_name(w->permit.pool), pool));
}

static void a_function_takes_from_its_reservation_or_the_account_s_rest(void **state)
{
    struct fn_admission *one, *rest;
    struct waiter w, v;
    struct fixture f;

    (void)state;
    begin(&f, 10);
    one = reserved_fn(&f, "one", 2);
    rest = admission_fn(f.a, ME, STR("rest"));
    assert_int_equal(take(one, NULL, &w, NULL), -ERR_NOT_READY);
    grant(&f, "one", 1);
    assert_int_equal(w.told, 1);
    expect_permit_of(&w, "one");
    assert_int_equal(take(rest, NULL, &v, NULL), -ERR_NOT_READY);
    grant(&f, "*", 1);
    expect_permit_of(&v, "*");
    assert_true(fn_admission_fits(one, NULL, &w.permit));
    assert_false(fn_admission_fits(rest, NULL, &w.permit));
    assert_false(fn_admission_fits(one, NULL, &v.permit));
    permit_return(&w.permit);
    assert_int_equal(take(one, NULL, &w, NULL), 0);
    permit_return(&w.permit);
    permit_return(&v.permit);
    fn_admission_unref(one);
    fn_admission_unref(rest);
    end(&f);
}

static void the_reason_says_whose_limit_it_is(void **state)
{
    struct fn_admission *one, *rest;
    struct waiter w;
    struct fixture f;

    (void)state;
    begin(&f, 10);
    one = reserved_fn(&f, "one", 2);
    rest = admission_fn(f.a, ME, STR("rest"));
    assert_int_equal(take(one, NULL, &w, NULL), -ERR_NOT_READY);
    grant(&f, "one", 0);
    expect_throttled(one, NULL, ADMISSION_FUNCTION);
    assert_int_equal(take(rest, NULL, &w, NULL), -ERR_NOT_READY);
    grant(&f, "*", 0);
    expect_throttled(rest, NULL, ADMISSION_ACCOUNT);
    fn_admission_unref(one);
    fn_admission_unref(rest);
    end(&f);
}

/* What is asked now is answered a second later: there is nothing. */
static void refuse_late(struct fixture *f, uint64_t *now)
{
    leases_turn(f->leases, *now);
    *now += SECONDS(1);
    leases_answered(f->leases, f->question, f->answers, f->len, *now);
    leases_turn(f->leases, *now);
}

static void who_was_refused_late_is_refused_all_the_same(void **state)
{
    const char *reason = NULL;
    struct fn_admission *fn;
    struct lease_pool *class;
    uint64_t now = NOW;
    struct waiter w;
    struct fixture f;

    (void)state;
    begin(&f, 10);
    fn = reserved_fn(&f, "one", 2);
    class = fn_admission_class(fn, STR("3"));
    assert_int_equal(take(fn, class, &w, &reason), -ERR_NOT_READY);
    refuse_late(&f, &now);
    assert_int_equal(w.told, 1);
    assert_int_equal(fn_admission_take(fn, class, now, &w.wait, &reason), -ERR_NOT_READY); /* spills over */
    refuse_late(&f, &now);
    assert_int_equal(w.told, 2);
    assert_int_equal(fn_admission_take(fn, class, now, &w.wait, &reason), -ERR_THROTTLED);
    assert_string_equal(reason, ADMISSION_FUNCTION);
    lease_pool_unref(class);
    fn_admission_unref(fn);
    end(&f);
}

static void a_reservation_of_nothing_stops_the_function_without_a_question(void **state)
{
    struct fn_admission *fn;
    struct lease_pool *class;
    struct fixture f;

    (void)state;
    begin(&f, 10);
    fn = reserved_fn(&f, "stopped", 0);
    class = fn_admission_class(fn, STR("3"));
    expect_throttled(fn, NULL, ADMISSION_FUNCTION);
    expect_throttled(fn, class, ADMISSION_FUNCTION);
    leases_turn(f.leases, NOW);
    assert_int_equal(f.question, 0);
    lease_pool_unref(class);
    fn_admission_unref(fn);
    end(&f);
}

static void what_is_provisioned_is_taken_first_and_spills_over(void **state)
{
    struct fn_admission *fn;
    struct lease_pool *class;
    struct waiter w, v, x;
    struct fixture f;
    const char *reason = NULL;

    (void)state;
    begin(&f, 10);
    fn = reserved_fn(&f, "f", 5);
    class = fn_admission_class(fn, STR("3"));
    assert_int_equal(take(fn, class, &w, NULL), -ERR_NOT_READY);
    grant(&f, "f:3", 1);
    expect_permit_of(&w, "f:3");
    assert_int_equal(take(fn, class, &v, NULL), -ERR_NOT_READY); /* there might be more of them */
    grant(&f, "f:3", 0);
    assert_int_equal(v.told, 1);
    assert_false(permit_is_held(&v.permit));
    assert_int_equal(take(fn, class, &v, NULL), -ERR_NOT_READY); /* there are not */
    grant(&f, "f", 1);
    expect_permit_of(&v, "f");
    assert_true(fn_admission_fits(fn, class, &w.permit));
    assert_true(fn_admission_fits(fn, class, &v.permit));
    assert_false(fn_admission_fits(fn, NULL, &w.permit)); /* it is provisioned no more */
    assert_int_equal(take(fn, class, &x, NULL), -ERR_NOT_READY);
    grant(&f, "f", 0);
    assert_int_equal(take(fn, class, &x, &reason), -ERR_THROTTLED);
    assert_string_equal(reason, ADMISSION_FUNCTION);
    permit_return(&w.permit);
    assert_int_equal(take(fn, class, &x, NULL), 0);
    expect_permit_of(&x, "f:3");
    permit_return(&v.permit);
    permit_return(&x.permit);
    lease_pool_unref(class);
    fn_admission_unref(fn);
    end(&f);
}

static void a_reservation_that_comes_or_goes_leads_to_another_pool(void **state)
{
    struct fn_admission *fn;
    struct waiter w, v;
    struct fixture f;

    (void)state;
    begin(&f, 10);
    fn = admission_fn(f.a, ME, STR("f"));
    assert_int_equal(take(fn, NULL, &w, NULL), -ERR_NOT_READY);
    grant(&f, "*", 1);
    fn_admission_set_limits(fn, &(struct fn_limits){.has_reserved = true, .reserved = 1});
    assert_false(fn_admission_fits(fn, NULL, &w.permit));
    assert_int_equal(take(fn, NULL, &v, NULL), -ERR_NOT_READY);
    grant(&f, "f", 1);
    expect_permit_of(&v, "f");
    fn_admission_set_limits(fn, &no_limits);
    assert_true(fn_admission_fits(fn, NULL, &w.permit));
    fn_admission_unref(fn); /* its route is gone */
    permit_return(&w.permit);
    permit_return(&v.permit);
    end(&f);
}

static void those_who_wait_are_no_more_than_may(void **state)
{
    static struct account *waiting[ADMISSION_WAITING_MAX];
    struct account *one = NULL, *other = NULL;
    struct fixture f;
    size_t i;

    (void)state;
    begin(&f, 10);
    for (i = 0; i < ADMISSION_WAITING_MAX; i++)
        assert_int_equal(admission_wait(f.a, ME, &waiting[i]), 0);
    assert_int_equal(admission_wait(f.a, ME, &one), -ERR_THROTTLED);
    assert_null(one);
    assert_int_equal(admission_wait(f.a, STR("111111111111"), &other), 0);
    admission_waited(waiting[0]);
    assert_int_equal(admission_wait(f.a, ME, &one), 0);
    admission_waited(NULL);
    end(&f);
}

static void pace(struct fn_admission *fn, uint64_t now_us, unsigned times)
{
    const char *reason = NULL;

    while (times--)
        assert_int_equal(fn_admission_pace(fn, &(struct permit){0}, now_us, &reason), 0);
}

static void expect_too_fast(struct fn_admission *fn, uint64_t now_us, const char *reason)
{
    const char *told = NULL;

    assert_int_equal(fn_admission_pace(fn, &(struct permit){0}, now_us, &told), -ERR_THROTTLED);
    assert_string_equal(told, reason);
}

static void invocations_begin_at_ten_times_the_limit_a_second(void **state)
{
    struct fn_admission *one, *zero, *plain, *other;
    struct fixture f;

    (void)state;
    begin(&f, 10);
    admission_set_unreserved(f.a, ME, 5);
    one = reserved_fn(&f, "one", 2);
    zero = reserved_fn(&f, "zero", 0);
    plain = admission_fn(f.a, ME, STR("plain"));
    other = admission_fn(f.a, ME, STR("other"));
    pace(one, SECONDS(100), 20);
    expect_too_fast(one, SECONDS(100), ADMISSION_FUNCTION_RATE);
    expect_too_fast(one, SECONDS(100) + 49999, ADMISSION_FUNCTION_RATE);
    pace(one, SECONDS(100) + 50000, 1);
    expect_too_fast(one, SECONDS(100) + 50000, ADMISSION_FUNCTION_RATE);
    pace(one, SECONDS(102), 20); /* a second's worth is all that is saved up */
    expect_too_fast(one, SECONDS(102), ADMISSION_FUNCTION_RATE);
    /* functions without a reservation share the account's */
    pace(plain, SECONDS(100), 30);
    pace(other, SECONDS(100), 20);
    expect_too_fast(plain, SECONDS(100), ADMISSION_ACCOUNT_RATE);
    expect_too_fast(other, SECONDS(100), ADMISSION_ACCOUNT_RATE);
    pace(zero, SECONDS(100), 100); /* it may not run at all: the other reason is told */
    expect_throttled(zero, NULL, ADMISSION_FUNCTION);
    fn_admission_unref(one);
    fn_admission_unref(zero);
    fn_admission_unref(plain);
    fn_admission_unref(other);
    end(&f);
}

static void gateways_share_the_rate(void **state)
{
    struct fn_admission *one;
    struct fixture f;

    (void)state;
    begin(&f, 10);
    one = reserved_fn(&f, "one", 2);
    admission_set_gateways(f.a, 3);
    pace(one, SECONDS(100), 7); /* a third of 20, rounded up */
    expect_too_fast(one, SECONDS(100), ADMISSION_FUNCTION_RATE);
    admission_set_gateways(f.a, 100);
    pace(one, SECONDS(200), 1);
    expect_too_fast(one, SECONDS(200), ADMISSION_FUNCTION_RATE);
    admission_set_gateways(f.a, 0); /* there is at least this one */
    pace(one, SECONDS(300), 20);
    fn_admission_unref(one);
    end(&f);
}

/* All clients come to this one of three gateways. */
static void the_rate_is_where_the_permits_are(void **state)
{
    struct fn_admission *one;
    struct lease_pool *class;
    struct waiter w, provisioned;
    const char *reason;
    struct fixture f;

    (void)state;
    begin(&f, 10);
    one = reserved_fn(&f, "one", 4);
    admission_set_gateways(f.a, 3);
    assert_int_equal(take(one, NULL, &w, &reason), -ERR_NOT_READY);
    grant(&f, "one", 2);
    assert_int_equal(lease_pool_held(w.permit.pool), 2);
    pace(one, SECONDS(100), 20); /* a third of 40 would be 14 */
    expect_too_fast(one, SECONDS(100), ADMISSION_FUNCTION_RATE);
    permit_return(&w.permit);
    /* and where those of a version with provisioned concurrency are */
    class = fn_admission_class(one, STR("1"));
    assert_int_equal(take(one, class, &provisioned, &reason), -ERR_NOT_READY);
    grant(&f, "one:1", 1);
    assert_true(provisioned.permit.pool == class);
    expect_too_fast(one, SECONDS(100) + 40000, ADMISSION_FUNCTION_RATE);
    assert_int_equal(fn_admission_pace(one, &provisioned.permit, SECONDS(100) + 40000, &reason), 0);
    permit_return(&provisioned.permit);
    /* more than the limit is never had */
    fn_admission_set_limits(one, &(struct fn_limits){.has_reserved = true, .reserved = 1});
    pace(one, SECONDS(200), 10);
    expect_too_fast(one, SECONDS(200), ADMISSION_FUNCTION_RATE);
    lease_pool_unref(class);
    fn_admission_unref(one);
    end(&f);
}

static void a_factor_of_nothing_is_no_limit(void **state)
{
    struct fn_admission *fn;
    struct fixture f;

    (void)state;
    begin(&f, 0);
    fn = reserved_fn(&f, "f", 1);
    pace(fn, SECONDS(100), 1000);
    fn_admission_unref(fn);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_takes_from_its_reservation_or_the_account_s_rest),
        cmocka_unit_test(the_reason_says_whose_limit_it_is),
        cmocka_unit_test(who_was_refused_late_is_refused_all_the_same),
        cmocka_unit_test(a_reservation_of_nothing_stops_the_function_without_a_question),
        cmocka_unit_test(what_is_provisioned_is_taken_first_and_spills_over),
        cmocka_unit_test(a_reservation_that_comes_or_goes_leads_to_another_pool),
        cmocka_unit_test(those_who_wait_are_no_more_than_may),
        cmocka_unit_test(invocations_begin_at_ten_times_the_limit_a_second),
        cmocka_unit_test(gateways_share_the_rate),
        cmocka_unit_test(the_rate_is_where_the_permits_are),
        cmocka_unit_test(a_factor_of_nothing_is_no_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
