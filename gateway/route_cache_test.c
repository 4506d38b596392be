/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/route_cache.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A resolver whose answers are given by hand, later. */
struct fixture {
    struct leases *leases;
    struct admission *admission;
    struct route_cache *cache;
    struct route_lookup *asked[16];
    int asked_len;
};

struct waiter {
    struct route_wait wait;
    int called;
    uint64_t generation;
    enum error_code code;
};

static void on_resolve(struct route_lookup *lookup, const struct route_key *key, void *arg)
{
    struct fixture *f = arg;

    (void)key;
    f->asked[f->asked_len++] = lookup;
}

static void on_wake(void *arg)
{
    (void)arg;
}

static const struct leases_ops leases_ops = {.wake = on_wake}; /* nothing is asked here */

static void on_route(struct route_wait *w, struct route *route, const struct error *err)
{
    struct waiter *me = CONTAINER_OF(w, struct waiter, wait);

    me->called++;
    me->generation = route ? route->targets[0].generation : 0;
    me->code = err ? err->code : ERR_OK;
}

static void begin(struct fixture *f, size_t max)
{
    const struct route_resolver resolver = {on_resolve, f};

    *f = (struct fixture){0};
    f->leases = leases_new("gw", &leases_ops, NULL);
    f->admission = admission_new(f->leases, 0);
    f->cache = route_cache_new(&resolver, f->admission, max);
}

static void end(struct fixture *f)
{
    route_cache_free(f->cache);
    admission_free(f->admission);
    leases_free(f->leases);
}

static struct route_key key_of(const char *name, const char *qualifier)
{
    return (struct route_key){STR("000000000000"), str_of(name), str_of(qualifier)};
}

static void ask(struct fixture *f, const char *name, const char *qualifier, struct waiter *w)
{
    struct route_key key = key_of(name, qualifier);

    *w = (struct waiter){.wait.fn = on_route};
    route_cache_wait(f->cache, &key, &w->wait);
}

static void answer_with(struct fixture *f, int which, const char *state, uint64_t generation,
                        const struct fn_limits *limits)
{
    struct route route = {.arn = str_dup(STR("arn")),
                          .targets = {{.version = str_dup(STR("$LATEST")),
                                       .state = str_dup(str_of(state)),
                                       .generation = generation}},
                          .targets_len = 1,
                          .limits = *limits};

    route_lookup_answer(f->asked[which], &route, NULL);
}

static void answer(struct fixture *f, int which, const char *state, uint64_t generation)
{
    answer_with(f, which, state, generation, &(struct fn_limits){0});
}

static struct route *find(struct fixture *f, const char *name, const char *qualifier)
{
    struct route_key key = key_of(name, qualifier);

    return route_cache_find(f->cache, &key);
}

static void concurrent_questions_share_one_call(void **state)
{
    struct waiter a, b, c, other;
    struct fixture f;

    (void)state;
    begin(&f, 10);
    ask(&f, "hello", "", &a);
    ask(&f, "hello", "", &b);
    ask(&f, "hello", "live", &other);
    ask(&f, "hello", "", &c);
    assert_int_equal(f.asked_len, 2);
    route_wait_cancel(&c.wait);
    answer(&f, 0, "Active", 7);
    assert_int_equal(a.called, 1);
    assert_int_equal(a.generation, 7);
    assert_int_equal(b.called, 1);
    assert_int_equal(c.called, 0);
    assert_int_equal(other.called, 0);
    assert_int_equal(find(&f, "hello", "")->targets[0].generation, 7);
    assert_null(find(&f, "hello", "live"));
    assert_null(find(&f, "hell", ""));
    end(&f);
}

static void only_active_functions_are_kept(void **state)
{
    struct error err = {.code = ERR_NOT_FOUND};
    struct waiter w;
    struct fixture f;

    (void)state;
    begin(&f, 10);
    ask(&f, "new", "", &w);
    answer(&f, 0, "Pending", 1);
    assert_int_equal(w.generation, 1);
    assert_null(find(&f, "new", ""));
    ask(&f, "none", "", &w);
    route_lookup_answer(f.asked[1], NULL, &err);
    assert_int_equal(w.code, ERR_NOT_FOUND);
    assert_int_equal(route_cache_len(f.cache), 0);
    end(&f);
}

static void a_drop_forgets_all_qualifiers_of_that_function_alone(void **state)
{
    struct waiter w;
    struct fixture f;

    (void)state;
    begin(&f, 10);
    ask(&f, "a", "", &w);
    answer(&f, 0, "Active", 1);
    ask(&f, "a", "live", &w);
    answer(&f, 1, "Active", 1);
    ask(&f, "b", "", &w);
    answer(&f, 2, "Active", 1);
    assert_int_equal(route_cache_len(f.cache), 3);
    route_cache_drop(f.cache, STR("000000000000"), STR("a"));
    route_cache_drop(f.cache, STR("000000000000"), STR("never heard of"));
    assert_null(find(&f, "a", ""));
    assert_null(find(&f, "a", "live"));
    assert_non_null(find(&f, "b", ""));
    route_cache_flush(f.cache);
    assert_int_equal(route_cache_len(f.cache), 0);
    end(&f);
}

static void an_answer_older_than_a_drop_is_asked_again(void **state)
{
    struct waiter a, b;
    struct fixture f;

    (void)state;
    begin(&f, 10);
    ask(&f, "a", "", &a);
    route_cache_drop(f.cache, STR("000000000000"), STR("a"));
    ask(&f, "a", "", &b);
    answer(&f, 0, "Active", 1);
    assert_int_equal(f.asked_len, 2); /* again */
    assert_int_equal(a.called + b.called, 0);
    assert_null(find(&f, "a", ""));
    answer(&f, 1, "Active", 2);
    assert_int_equal(a.generation, 2);
    assert_int_equal(b.generation, 2);
    assert_int_equal(find(&f, "a", "")->targets[0].generation, 2);

    /* and when nobody waits for it any more it is not kept either */
    ask(&f, "c", "", &a);
    route_wait_cancel(&a.wait);
    route_cache_flush(f.cache);
    answer(&f, 2, "Active", 1);
    assert_null(find(&f, "c", ""));
    end(&f);
}

static void the_function_used_longest_ago_makes_room(void **state)
{
    struct waiter w;
    struct fixture f;

    (void)state;
    begin(&f, 2);
    ask(&f, "a", "", &w);
    answer(&f, 0, "Active", 1);
    ask(&f, "b", "", &w);
    answer(&f, 1, "Active", 1);
    assert_non_null(find(&f, "a", ""));
    ask(&f, "c", "", &w);
    answer(&f, 2, "Active", 1);
    assert_int_equal(route_cache_len(f.cache), 2);
    assert_null(find(&f, "b", ""));
    assert_non_null(find(&f, "a", ""));
    assert_non_null(find(&f, "c", ""));
    end(&f);
}

static void qualifiers_share_the_admission_and_the_limits_of_their_function(void **state)
{
    const struct fn_limits none = {.has_reserved = true};
    struct permit permit = {0};
    struct permit_wait w = {.permit = &permit};
    const char *reason = NULL;
    struct fn_admission *of;
    struct waiter asked;
    struct fixture f;

    (void)state;
    begin(&f, 10);
    ask(&f, "a", "", &asked);
    answer_with(&f, 0, "Active", 1, &none);
    ask(&f, "a", "live", &asked);
    answer_with(&f, 1, "Active", 1, &none);
    of = fn_admission_ref(find(&f, "a", "")->admission);
    assert_ptr_equal(of, find(&f, "a", "live")->admission);
    assert_null(find(&f, "a", "")->targets[0].pool);

    /* a changed function is another route, but still the same one */
    route_cache_drop(f.cache, STR("000000000000"), STR("a"));
    ask(&f, "a", "", &asked);
    route_cache_drop(f.cache, STR("000000000000"), STR("a"));
    answer_with(&f, 2, "Active", 1, &(struct fn_limits){0}); /* too old: its limits do not count */
    assert_int_equal(fn_admission_take(of, NULL, 0, &w, &reason), -ERR_THROTTLED);
    answer_with(&f, 3, "Active", 2, &none);
    assert_ptr_equal(of, find(&f, "a", "")->admission);
    fn_admission_unref(of);
    end(&f);
}

static void what_is_provisioned_for_a_version_is_a_pool(void **state)
{
    struct route route = {.arn = str_dup(STR("arn")),
                          .targets = {{.version = str_dup(STR("3")),
                                       .state = str_dup(STR("Active")),
                                       .is_provisioned = true}},
                          .targets_len = 1};
    struct waiter asked;
    struct fixture f;

    (void)state;
    begin(&f, 10);
    ask(&f, "a", "3", &asked);
    route_lookup_answer(f.asked[0], &route, NULL);
    assert_true(str_is(lease_pool_name(find(&f, "a", "3")->targets[0].pool), "a:3"));
    end(&f);
}

static void freeing_forgets_questions_under_way(void **state)
{
    struct waiter w;
    struct fixture f;

    (void)state;
    begin(&f, 2);
    ask(&f, "a", "", &w);
    end(&f);
    assert_int_equal(w.called, 0);
    route_wait_cancel(&w.wait);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(concurrent_questions_share_one_call),
        cmocka_unit_test(only_active_functions_are_kept),
        cmocka_unit_test(a_drop_forgets_all_qualifiers_of_that_function_alone),
        cmocka_unit_test(an_answer_older_than_a_drop_is_asked_again),
        cmocka_unit_test(the_function_used_longest_ago_makes_room),
        cmocka_unit_test(qualifiers_share_the_admission_and_the_limits_of_their_function),
        cmocka_unit_test(what_is_provisioned_for_a_version_is_a_pool),
        cmocka_unit_test(freeing_forgets_questions_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
