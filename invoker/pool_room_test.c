/* SPDX-License-Identifier: Apache-2.0 */
/* What the pool tells of itself: its room, what is idle, and when that is news. */
#include "invoker/pool_fixture.h"

static struct pool_room room(void)
{
    struct pool_room r;

    pool_room_get(node.pool, &r);
    return r;
}

static struct pool_warm warm(const struct pool_version *pv)
{
    struct pool_warm is;

    pool_version_warm(pv, &is);
    return is;
}

struct heard {
    int calls, most;
    struct pool_warm last;
};

static bool on_warm(const struct pool_warm *is, void *arg)
{
    struct heard *heard = arg;

    if (heard->calls == heard->most)
        return false;
    heard->calls++;
    heard->last = *is;
    return true;
}

/* How many versions are told of; *@ret_left: more could be. */
static int hear(bool all, struct pool_warm *ret, bool *ret_left)
{
    struct heard heard = {.most = 1000};
    bool left = pool_each_changed(node.pool, all, on_warm, &heard);

    if (ret)
        *ret = heard.last;
    if (ret_left)
        *ret_left = left;
    return heard.calls;
}

static void memory_is_free_until_a_sandbox_has_or_wants_it(void **state)
{
    struct pool_version *pv, *other;
    (void)state;

    node_new(1024, 1);
    pv = pool_version_new(node.pool, 256, NULL, NULL);
    other = pool_version_new(node.pool, 512, NULL, NULL);
    assert_int_equal(room().free_mib, 1024);
    submit(pv, 0);
    assert_int_equal(room().free_mib, 768);
    submit(pv, 1); /* one start at a time: it has to wait, but its memory is spoken for */
    assert_int_equal(node.made, 1);
    assert_int_equal(room().free_mib, 512);
    submit(other, 2);
    submit(other, 3);
    assert_int_equal(room().free_mib, -512);
    assert_int_equal(room().idle_mib, 0);
    pool_cancel(other, &node.requests[3].wait);
    assert_int_equal(room().free_mib, 0);
    version_end(other);
    version_end(pv);
    assert_int_equal(room().free_mib, 1024);
    pool_free(node.pool);
}

static void there_is_room_for_what_idle_sandboxes_would_leave(void **state)
{
    struct pool_version *pv, *other;
    (void)state;

    node_new(512, 4);
    pv = pool_version_new(node.pool, 256, NULL, NULL);
    other = pool_version_new(node.pool, 512, NULL, NULL);
    submit(pv, 0);
    box_up(0);
    submit(pv, 1);
    box_up(1);
    submit(other, 2);
    assert_false(pool_has_room(other)); /* both are busy */
    pool_cancel(other, &node.requests[2].wait);
    box_done(0);
    box_done(1);
    assert_int_equal(room().idle_mib, 512);
    assert_int_equal(room().free_mib, 0);
    submit(other, 3);
    assert_true(pool_has_room(other)); /* they are told to end */
    submit(pv, 4);
    assert_false(pool_has_room(pv)); /* what they leave is the other one's */
    box_gone(0);
    box_gone(1);
    assert_int_equal(node.made, 3);
    assert_true(pool_has_room(other));
    version_end(other);
    version_end(pv);
    pool_free(node.pool);
}

static void who_waits_for_a_sandbox_that_returns_has_room(void **state)
{
    struct pool_version *pv;
    (void)state;

    node_new(256, 4);
    pv = pool_version_new(node.pool, 256, NULL, NULL);
    submit(pv, 0);
    box_up(0);
    pool_returning(&node.boxes[0].ps);
    submit(pv, 1);
    assert_true(pool_has_room(pv));
    submit(pv, 2);
    assert_false(pool_has_room(pv));
    version_end(pv);
    pool_free(node.pool);
}

static void only_what_changes_where_invocations_go_is_told_at_once(void **state)
{
    struct pool_version *pv;
    struct pool_warm is;
    bool left;
    int i;
    (void)state;

    node_new(10240, 16);
    pv = pool_version_new(node.pool, 128, NULL, &node);
    assert_int_equal(node.changes, 1);
    assert_int_equal(hear(false, &is, NULL), 1); /* it is here, with nothing idle */
    assert_ptr_equal(is.user, &node);
    assert_int_equal(is.idle, 0);
    for (i = 0; i < 8; i++)
        submit(pv, i);
    assert_int_equal(node.changes, 2); /* once, until it is heard */
    assert_int_equal(hear(false, NULL, NULL), 0);
    for (i = 0; i < 8; i++)
        box_up(i);
    for (i = 0; i < 8; i++)
        box_done(i);
    assert_int_equal(hear(false, &is, &left), 1);
    assert_int_equal(is.idle, 8);
    assert_false(left);
    submit(pv, 20);
    assert_int_equal(hear(false, NULL, &left), 0); /* seven are as good as eight … */
    assert_true(left);
    assert_int_equal(hear(true, &is, &left), 1); /* … but it is told in the end */
    assert_int_equal(is.idle, 7);
    submit(pv, 21);
    box_done(node.requests[21].box);
    assert_int_equal(hear(true, NULL, &left), 0); /* as before: no news */
    assert_false(left);
    pool_version_retire(pv);
    assert_int_equal(warm(pv).idle, 0);
    assert_int_equal(hear(false, &is, NULL), 1);
    version_end(pv);
    pool_free(node.pool);
}

static void provisioned_ones_are_told_as_such(void **state)
{
    struct pool_version *pv;
    struct pool_warm is;
    (void)state;

    node_new(10240, 16);
    pv = pool_version_new(node.pool, 128, NULL, NULL);
    pool_version_keep(pv, 2);
    assert_int_equal(node.made, 2);
    box_up(0);
    box_up(1);
    assert_int_equal(hear(false, &is, NULL), 1);
    assert_int_equal(is.idle, 2);
    assert_int_equal(is.kept, 2);
    pool_version_keep(pv, 0);
    assert_int_equal(hear(false, &is, NULL), 1);
    assert_int_equal(is.idle, 2);
    assert_int_equal(is.kept, 0);
    assert_int_equal(room().idle_mib, 256);
    version_end(pv);
    pool_free(node.pool);
}

static void what_does_not_fit_into_one_word_is_told_in_the_next(void **state)
{
    struct pool_version *pvs[3];
    struct heard heard = {.most = 2};
    size_t i;
    (void)state;

    node_new(10240, 16);
    for (i = 0; i < 3; i++)
        pvs[i] = pool_version_new(node.pool, 128, NULL, &pvs[i]);
    assert_true(pool_each_changed(node.pool, false, on_warm, &heard));
    assert_int_equal(heard.calls, 2);
    heard.calls = 0;
    assert_false(pool_each_changed(node.pool, false, on_warm, &heard));
    assert_int_equal(heard.calls, 1);
    assert_ptr_equal(heard.last.user, &pvs[2]);
    for (i = 0; i < 3; i++)
        pool_version_free(pvs[i]);
    pool_free(node.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_free_until_a_sandbox_has_or_wants_it),
        cmocka_unit_test(there_is_room_for_what_idle_sandboxes_would_leave),
        cmocka_unit_test(who_waits_for_a_sandbox_that_returns_has_room),
        cmocka_unit_test(only_what_changes_where_invocations_go_is_told_at_once),
        cmocka_unit_test(provisioned_ones_are_told_as_such),
        cmocka_unit_test(what_does_not_fit_into_one_word_is_told_in_the_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
