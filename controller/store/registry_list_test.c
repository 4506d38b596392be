/* SPDX-License-Identifier: Apache-2.0 */
/* The registry's lists against a real Redis: their order, their pages, and where they go on. */
#include "controller/store/registry_fixture.h"

static void list_page(const char *after, uint32_t limit)
{
    unsigned before = store.count;

    registry_list(reg, STR(ACCOUNT), str_of(after), limit, on_page, NULL);
    store_wait(before + 1);
    assert_int_equal(store.code, ERR_OK);
}

static void pages_are_in_order_and_survive_changes_between_them(void **state)
{
    (void)state;
    need_server();
    list_page("", 5);
    assert_int_equal(got.len, 0);
    assert_false(got.more);
    make_active("b", SHA_A);
    make_active("d", SHA_A);
    make_active("a", SHA_A);
    make_active("B", SHA_A);
    list_page("", 2);
    assert_int_equal(got.len, 2);
    assert_true(got.more);
    assert_string_equal(got.names[0], "B");
    assert_string_equal(got.names[1], "a");
    assert_int_equal(delete_fn("a"), ERR_OK); /* the page's last: the next one goes on behind it */
    make_active("c", SHA_A);
    list_page("a", 2);
    assert_string_equal(got.names[0], "b");
    assert_string_equal(got.names[1], "c");
    assert_true(got.more);
    list_page("c", 2);
    assert_int_equal(got.len, 1);
    assert_false(got.more);
    assert_string_equal(got.names[0], "d");
}

static void list_all(const char *after, const char *behind, uint32_t limit)
{
    unsigned before = store.count;

    registry_list_all(reg, STR(ACCOUNT), str_of(after), str_of(behind), limit, on_page, NULL);
    store_wait(before + 1);
    assert_int_equal(store.code, ERR_OK);
}

static void a_list_of_versions_goes_on_behind_a_function_that_is_gone(void **state)
{
    (void)state;
    need_server();
    make_active("a", SHA_A);
    make_active("b", SHA_A);
    list_all("", "", 1);
    assert_string_equal(got.names[0], "a");
    assert_true(got.more);
    list_all("a", "$LATEST", 10);
    assert_int_equal(got.len, 1);
    assert_int_equal(delete_fn("a"), ERR_OK);
    list_all("a", "$LATEST", 10);
    assert_int_equal(got.len, 1); /* b's $LATEST is not behind a's */
    assert_string_equal(got.names[0], "b");
}

static void a_list_of_versions_is_not_at_its_end_while_functions_follow(void **state)
{
    (void)state;
    need_server();
    make_active("a", SHA_A);
    make_active("b", SHA_A);
    make_active("c", SHA_A);
    list_all("a", "$LATEST", 1); /* of a nothing is left to show */
    assert_int_equal(got.len, 1);
    assert_string_equal(got.names[0], "b");
    assert_true(got.more);
    list_all("b", "$LATEST", 1);
    assert_string_equal(got.names[0], "c");
    assert_false(got.more);
}

static void a_document_made_by_hand_is_survived(void **state)
{
    (void)state;
    need_server();
    make_active("f", SHA_A);
    command("HSET hearth:{" ACCOUNT "}:fn:x doc {nonsense gen 5");
    command("ZADD hearth:{" ACCOUNT "}:fns 0 x");
    command("ZADD hearth:{" ACCOUNT "}:fns 0 ghost");
    assert_int_equal(get("x"), ERR_PROTOCOL);
    list_page("", 10);
    assert_int_equal(got.len, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(pages_are_in_order_and_survive_changes_between_them),
        LIVE(a_list_of_versions_goes_on_behind_a_function_that_is_gone),
        LIVE(a_list_of_versions_is_not_at_its_end_while_functions_follow),
        LIVE(a_document_made_by_hand_is_survived),
    };

    return cmocka_run_group_tests_name("registry lists", tests, NULL, NULL);
}
