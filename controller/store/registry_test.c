/* SPDX-License-Identifier: Apache-2.0 */
/* The registry against a real Redis: what each script compares, writes and tells. */
#include "controller/store/fn_write.h"
#include "controller/store/registry_fixture.h"

static void a_created_function_is_read_back_as_it_was(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = version("f", SHA_A, "r0");

    (void)state;
    need_server();
    assert_int_equal(get("f"), ERR_NOT_FOUND);
    assert_int_equal(write_with(registry_create, ver, "c0"), ERR_OK);
    assert_int_equal(got.generation, 1);
    assert_int_equal(get("f"), ERR_OK);
    assert_int_equal(got.rec->stage, FN_STAGE_PREPARE);
    assert_string_equal(got.rec->change, "c0");
    assert_string_equal(got.rec->ver->code_sha256, SHA_A);
    assert_string_equal(got.rec->ver->env[0].value, "hunter2");
    assert_int_equal(got.rec->ver->generation, 1);
    assert_null(got.rec->serving);
    assert_null(fn_record_running(got.rec));
    assert_int_equal(write_with(registry_create, ver, "c1"), ERR_CONFLICT);
}

static void environments_are_sealed_and_bound_to_their_function(void **state)
{
    (void)state;
    need_server();
    make_active("f", SHA_A);
    command("HGET hearth:{" ACCOUNT "}:fn:f doc");
    assert_null(strstr(got.text, "hunter2"));
    assert_null(strstr(got.text, "PASSWORD"));
    assert_non_null(strstr(got.text, "v1."));
    key.bytes[0] ^= 1; /* another key */
    assert_int_not_equal(get("f"), ERR_OK);
    {
        unsigned before = store.count;

        registry_list(reg, STR(ACCOUNT), STR_NULL, 10, on_page, NULL);
        store_wait(before + 1);
        assert_int_equal(got.len, 1); /* still listed, without its environment */
    }
    assert_int_equal(delete_fn("f"), ERR_OK); /* and it can be deleted */
}

static void the_old_version_serves_until_the_switch(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = version("f", SHA_B, "r2");
    uint64_t before;

    (void)state;
    need_server();
    make_active("f", SHA_A);
    get("f");
    before = got.rec->ver->generation;
    assert_int_equal(begin(ver, "c1", "3"), ERR_OK);
    assert_true(got.generation > before);
    get("f");
    assert_string_equal(got.rec->ver->revision_id, "r2");
    assert_string_equal(fn_record_running(got.rec)->code_sha256, SHA_A);
    assert_int_equal(fn_record_running(got.rec)->generation, before);
    assert_int_equal(write_with(registry_switch, ver, "c1"), ERR_OK);
    get("f");
    assert_null(got.rec->serving);
    assert_string_equal(fn_record_running(got.rec)->code_sha256, SHA_B);
    assert_int_equal(fn_record_running(got.rec)->generation, before + 1);
}

static void a_change_of_what_has_moved_on_is_refused(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = version("f", SHA_A, "r2");

    (void)state;
    need_server();
    assert_int_equal(begin(ver, "c1", "3"), ERR_NOT_FOUND);
    make_active("f", SHA_A);
    assert_int_equal(begin(ver, "c1", "2"), ERR_PRECONDITION);
    assert_int_equal(begin(ver, "c1", "3"), ERR_OK);
    assert_int_equal(begin(ver, "c2", "4"), ERR_CONFLICT); /* one at a time */
}

static void a_step_of_a_change_that_is_over_is_refused(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = version("f", SHA_A, "r2");

    (void)state;
    need_server();
    make_active("f", SHA_A);
    assert_int_equal(write_with(registry_switch, ver, "c1"), ERR_STALE);
    assert_int_equal(begin(ver, "c1", "3"), ERR_OK);
    assert_int_equal(write_with(registry_finish, ver, "c1"), ERR_STALE); /* not switched yet */
    assert_int_equal(write_with(registry_switch, ver, "other"), ERR_STALE);
    assert_int_equal(write_with(registry_switch, ver, "c1"), ERR_OK);
    assert_int_equal(write_with(registry_switch, ver, "c1"), ERR_OK); /* its answer may be lost */
    assert_int_equal(write_with(registry_fail, ver, "c1"), ERR_STALE); /* too late */
    assert_int_equal(write_with(registry_finish, ver, "c1"), ERR_OK);
    assert_int_equal(write_with(registry_finish, ver, "c1"), ERR_STALE);
    assert_int_equal(delete_fn("f"), ERR_OK);
    assert_int_equal(write_with(registry_switch, ver, "c1"), ERR_STALE);
    assert_int_equal(delete_fn("f"), ERR_NOT_FOUND);
}

static void a_failed_change_goes_back_to_what_served(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *next = version("f", SHA_B, "r2");
    CLEANUP(fn_version_freep) struct fn_version *old = NULL;
    uint64_t before;

    (void)state;
    need_server();
    make_active("f", SHA_A);
    get("f");
    before = got.rec->ver->generation;
    assert_int_equal(begin(next, "c1", "3"), ERR_OK);
    get("f");
    old = fn_version_copy(got.rec->serving);
    fn_set_str(&old->revision_id, STR("r3"));
    assert_int_equal(write_with(registry_fail, old, "c1"), ERR_OK);
    assert_int_equal(got.unused, 1);
    assert_string_equal(got.unused_code[0], SHA_B);
    get("f");
    assert_int_equal(got.rec->stage, FN_STAGE_NONE);
    assert_int_equal(got.rec->ver->generation, before);
    assert_string_equal(got.rec->ver->code_sha256, SHA_A);
    assert_string_equal(got.rec->ver->revision_id, "r3");
    assert_true(is_used(SHA_A));
    assert_false(is_used(SHA_B));
    assert_int_equal(begin(next, "c2", "5"), ERR_OK); /* the counter goes on */
    assert_int_equal(got.generation, before + 2);
}

static void archives_are_told_when_the_last_user_leaves(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = version("g", SHA_B, "r2");

    (void)state;
    need_server();
    make_active("f", SHA_A);
    make_active("g", SHA_A);
    assert_int_equal(delete_fn("f"), ERR_OK);
    assert_int_equal(got.unused, 0);
    assert_true(is_used(SHA_A));
    assert_int_equal(begin(ver, "c1", "3"), ERR_OK);
    assert_true(is_used(SHA_A));
    assert_true(is_used(SHA_B));
    assert_int_equal(delete_fn("g"), ERR_OK); /* amid the change: both */
    assert_int_equal(got.unused, 2);
    assert_false(is_used(SHA_A));
    assert_false(is_used(SHA_B));
}

static void an_archive_of_another_account_counts(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = version("f", SHA_A, "r0");

    (void)state;
    need_server();
    make_active("f", SHA_A);
    fn_set_str(&ver->account, STR("111111111111"));
    enter("111111111111");
    assert_int_equal(write_with(registry_create, ver, "c0"), ERR_OK);
    assert_int_equal(got.generation, 1); /* counters are per account */
    assert_int_equal(delete_fn("f"), ERR_OK);
    assert_int_equal(got.unused, 1); /* in this account … */
    assert_true(is_used(SHA_A)); /* … but not in all */
}

static struct fn_view *got_view;

static void on_view(struct fn_view *view, const struct error *err, void *arg)
{
    (void)arg;
    got_view = view;
    store_answered(err);
}

static void what_was_read_of_a_function_is_not_written_to_a_later_one_of_its_name(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = version("f", SHA_A, "r2");
    uint64_t old_generation;
    struct fn_write *w;
    unsigned before;
    char seq[24];

    (void)state;
    need_server();
    make_active("f", SHA_A);
    old_generation = begin_generation;
    before = store.count;
    fn_view_get(store.redis, &key, STR(ACCOUNT), STR("f"), STR_NULL, 0, on_view, NULL);
    store_wait(before + 1);
    assert_int_equal(delete_fn("f"), ERR_OK);
    make_active("f", SHA_A);
    get("f");
    snprintf(seq, sizeof(seq), "%s", got.rec->seq);
    assert_string_equal(seq, got_view->rec->seq); /* it counts the same way … */
    w = fn_write_new(store.redis, &key, STR(ACCOUNT), STR("f"), got_view);
    fn_write_string(w, "x", STR("old"));
    before = store.count;
    fn_write_run(w, on_done, NULL);
    store_wait(before + 1);
    assert_int_equal(store.code, ERR_STALE); /* … and is told apart */
    fn_write_free(w);
    fn_view_free(TAKE(got_view));
    begin_generation = old_generation;
    assert_int_equal(begin(ver, "c1", seq), ERR_PRECONDITION);
}

/* @ver with the layer @sha256. */
static void add_layer(struct fn_version *ver, const char *sha256)
{
    ver->layers = calloc(1, sizeof(*ver->layers));
    ver->layers_len = 1;
    ver->layers[0].arn = str_dup(STR("arn:aws:lambda:us-east-1:000000000000:layer:l:1"));
    ver->layers[0].sha256 = str_dup(str_of(sha256));
}

static void a_layer_whose_archive_may_be_going_is_not_taken(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = version("f", SHA_A, "r0");
    CLEANUP(fn_version_freep) struct fn_version *plain = version("g", SHA_A, "r0");
    CLEANUP(fn_version_freep) struct fn_version *next = version("g", SHA_A, "r2");

    (void)state;
    need_server();
    add_layer(ver, SHA_B);
    add_layer(next, SHA_B);
    assert_int_equal(write_with(registry_create, ver, "c0"), ERR_STALE);
    assert_int_equal(get("f"), ERR_NOT_FOUND);
    make_active("g", SHA_A);
    assert_int_equal(begin(next, "c1", "3"), ERR_STALE);
    assert_false(is_used(SHA_B));
    command("SADD hearth:{" ACCOUNT "}:code:" SHA_B " layer:l:1");
    assert_int_equal(write_with(registry_create, ver, "c0"), ERR_OK);
    command("SREM hearth:{" ACCOUNT "}:code:" SHA_B " layer:l:1"); /* deleted: f has it still */
    assert_int_equal(begin(next, "c1", "3"), ERR_OK);
    assert_true(is_used(SHA_B));
}

static void generations_never_go_back(void **state)
{
    uint64_t before;

    (void)state;
    need_server();
    make_active("f", SHA_A);
    get("f");
    before = got.rec->ver->generation;
    assert_int_equal(delete_fn("f"), ERR_OK);
    make_active("f", SHA_A);
    get("f");
    assert_true(got.rec->ver->generation > before);
}

static void changes_under_way_are_found_without_looking_at_all_functions(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = version("b", SHA_A, "r2");
    CLEANUP(fn_version_freep) struct fn_version *other = version("d", SHA_A, "r0");

    (void)state;
    need_server();
    make_active("a", SHA_A);
    make_active("b", SHA_A);
    assert_int_equal(pending(), 0);
    assert_int_equal(begin(ver, "c1", "3"), ERR_OK);
    assert_int_equal(write_with(registry_create, other, "c2"), ERR_OK);
    assert_int_equal(pending(), 2);
    assert_int_equal(delete_fn("d"), ERR_OK);
    assert_int_equal(write_with(registry_switch, ver, "c1"), ERR_OK);
    assert_int_equal(pending(), 1);
    assert_string_equal(got.names[0], "b");
    assert_int_equal(write_with(registry_finish, ver, "c1"), ERR_OK);
    assert_int_equal(pending(), 0);
}

static void nothing_is_left_behind_by_a_deleted_function(void **state)
{
    (void)state;
    need_server();
    make_active("f", SHA_A);
    assert_int_equal(delete_fn("f"), ERR_OK);
    command("DEL hearth:{" ACCOUNT "}:generation hearth:accounts");
    command("DBSIZE");
    assert_int_equal(got.generation, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_created_function_is_read_back_as_it_was),
        LIVE(environments_are_sealed_and_bound_to_their_function),
        LIVE(the_old_version_serves_until_the_switch),
        LIVE(a_change_of_what_has_moved_on_is_refused),
        LIVE(a_step_of_a_change_that_is_over_is_refused),
        LIVE(a_failed_change_goes_back_to_what_served),
        LIVE(archives_are_told_when_the_last_user_leaves),
        LIVE(an_archive_of_another_account_counts),
        LIVE(generations_never_go_back),
        LIVE(what_was_read_of_a_function_is_not_written_to_a_later_one_of_its_name),
        LIVE(a_layer_whose_archive_may_be_going_is_not_taken),
        LIVE(changes_under_way_are_found_without_looking_at_all_functions),
        LIVE(nothing_is_left_behind_by_a_deleted_function),
    };

    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
