/* SPDX-License-Identifier: Apache-2.0 */
/* The registry against a real Redis: what each script compares, writes and tells. */
#include "controller/store/registry.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "controller/store/fn_write.h"
#include "controller/redis_fixture.h"

#define WAIT_US SECONDS(20)
#define ACCOUNT "000000000000"
#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct redis_fixture server;
static struct loop *loop;
static struct redis *redis;
static struct registry *reg;
static struct seal_key key;
static bool late;

static struct {
    unsigned count;
    enum error_code code;
    struct fn_record *rec;
    uint64_t generation;
    size_t unused;
    char unused_code[2][80];
    size_t len;
    bool more, used;
    char names[64][80];
    char text[8192];
} got;

static void on_late(void *arg)
{
    (void)arg;
    late = true;
    loop_stop(loop);
}

static void wait_answer(unsigned before)
{
    struct timer guard;

    late = false;
    timer_init(&guard, loop, on_late, NULL);
    timer_start(&guard, WAIT_US);
    while (got.count == before && !late)
        loop_run(loop);
    timer_stop(&guard);
    assert_false(late);
}

static void arrived(const struct error *err)
{
    got.count++;
    got.code = err ? err->code : ERR_OK;
    loop_stop(loop);
}

static void on_record(struct fn_record *rec, const struct error *err, void *arg)
{
    (void)arg;
    fn_record_free(got.rec);
    got.rec = rec;
    arrived(err);
}

static void on_change(const struct registry_change *change, const struct error *err, void *arg)
{
    size_t i;

    (void)arg;
    got.generation = change ? change->generation : 0;
    got.unused = change ? change->unused_code_len : 0;
    for (i = 0; i < got.unused; i++)
        snprintf(got.unused_code[i], 80, "%.*s", STR_ARG(change->unused_code[i]));
    arrived(err);
}

static void on_page(struct fn_version *const *vers, size_t len, bool more, const struct error *err,
                    void *arg)
{
    size_t i;

    (void)arg;
    got.len = len;
    got.more = more;
    for (i = 0; i < len && i < ARRAY_LEN(got.names); i++)
        snprintf(got.names[i], 80, "%s", vers[i]->name);
    arrived(err);
}

static void on_pending(struct str account, struct str name, void *arg)
{
    (void)arg;
    assert_true(str_is(account, ACCOUNT));
    snprintf(got.names[got.len++], 80, "%.*s", STR_ARG(name));
}

static void on_done(const struct error *err, void *arg)
{
    (void)arg;
    arrived(err);
}

static void on_used(bool used, const struct error *err, void *arg)
{
    (void)arg;
    got.used = used;
    arrived(err);
}

static void on_text(const struct redis_value *value, const struct error *err, void *arg)
{
    (void)arg;
    got.generation = value && value->type == REDIS_INTEGER ? (uint64_t)value->integer : 0;
    snprintf(got.text, sizeof(got.text), "%.*s", value ? (int)value->str.len : 0,
             value && value->str.ptr ? value->str.ptr : "");
    arrived(err);
}

/* ---- short forms; each waits for its answer and returns its code ---- */

static enum error_code get(const char *name)
{
    unsigned before = got.count;

    registry_get(reg, STR(ACCOUNT), str_of(name), on_record, NULL);
    wait_answer(before);
    return got.code;
}

typedef void write_fn(struct registry *r, const struct registry_write *w, registry_change_fn *done,
                      void *arg);

static enum error_code write_with(write_fn *fn, const struct fn_version *ver, const char *change)
{
    const struct registry_write w = {.ver = ver, .change = change};
    unsigned before = got.count;

    fn(reg, &w, on_change, NULL);
    wait_answer(before);
    return got.code;
}

static uint64_t begin_generation; /* that the function must have; make_active() sets it */

/* @seq: where the function must be; make_active() leaves it at "3". */
static enum error_code begin(const struct fn_version *ver, const char *change, const char *seq)
{
    const struct registry_write w = {
        .ver = ver, .change = change, .seq = seq, .generation = begin_generation};
    unsigned before = got.count;

    registry_begin(reg, &w, on_change, NULL);
    wait_answer(before);
    return got.code;
}

static void enter(const char *account)
{
    unsigned before = got.count;

    registry_enter(reg, account, on_done, NULL);
    wait_answer(before);
    assert_int_equal(got.code, ERR_OK);
}

static enum error_code delete_fn(const char *name)
{
    unsigned before = got.count;

    registry_delete(reg, STR(ACCOUNT), str_of(name), on_change, NULL);
    wait_answer(before);
    return got.code;
}

static bool is_used(const char *sha256)
{
    unsigned before = got.count;

    registry_code_used(reg, sha256, on_used, NULL);
    wait_answer(before);
    assert_int_equal(got.code, ERR_OK);
    return got.used;
}

static size_t pending(void)
{
    unsigned before = got.count;

    got.len = 0;
    registry_pending(reg, on_pending, on_done, NULL);
    wait_answer(before);
    assert_int_equal(got.code, ERR_OK);
    return got.len;
}

static const char *command(const char *line)
{
    struct str rest = str_of(line), words[8];
    unsigned before = got.count;
    size_t n = 0;

    while (n < ARRAY_LEN(words) && str_split(&rest, ' ', &words[n]))
        n++;
    redis_command(redis, words, n, on_text, NULL);
    wait_answer(before);
    return got.text;
}

/* A zip function with one secret in its environment. */
static struct fn_version *version(const char *name, const char *sha256, const char *revision)
{
    static const char env[] = "{\"PASSWORD\":\"hunter2\"}";
    struct fn_version *ver = fn_version_new();

    fn_set_str(&ver->account, STR(ACCOUNT));
    fn_set_str(&ver->region, STR("us-east-1"));
    fn_set_str(&ver->name, str_of(name));
    fn_set_str(&ver->role, STR("arn:aws:iam::000000000000:role/r"));
    fn_set_str(&ver->description, STR(""));
    fn_set_str(&ver->architecture, STR("x86_64"));
    fn_set_str(&ver->runtime, STR("python3.13"));
    fn_set_str(&ver->handler, STR("a.h"));
    fn_set_str(&ver->log_group, STR("/aws/lambda/x"));
    fn_set_str(&ver->code_sha256, str_of(sha256));
    fn_set_str(&ver->revision_id, str_of(revision));
    ver->package = FN_ZIP;
    ver->memory_mib = 128;
    ver->timeout_s = 3;
    ver->ephemeral_mib = 512;
    ver->created_ms = ver->modified_ms = 1;
    ver->has_env = true;
    assert_int_equal(fn_env_from_text(ver, str_of(env), NULL), 0);
    fn_version_set_state(ver, FN_PENDING, FN_REASON_CREATING, FN_REASON_CREATING_TEXT);
    return ver;
}

/* @name as an Active function of revision "r1". */
static void make_active(const char *name, const char *sha256)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = version(name, sha256, "r0");

    enter(ACCOUNT);
    assert_int_equal(write_with(registry_create, ver, "c0"), ERR_OK);
    begin_generation = got.generation;
    assert_int_equal(write_with(registry_switch, ver, "c0"), ERR_OK);
    fn_version_set_state(ver, FN_ACTIVE, NULL, NULL);
    fn_version_set_update(ver, FN_UPDATE_SUCCESSFUL, NULL, NULL);
    fn_set_str(&ver->revision_id, STR("r1"));
    assert_int_equal(write_with(registry_finish, ver, "c0"), ERR_OK);
}

static int setup(void **state)
{
    static const unsigned char bytes[SEAL_KEY_BYTES] = {1, 2, 3};
    struct redis_options options = {.command_timeout_us = SECONDS(10), .patience_us = SECONDS(10)};

    (void)state;
    if (!fixture_is_possible())
        return 0;
    if (!fixture_new(&server) || !fixture_start(&server))
        return -1;
    memset(&got, 0, sizeof(got));
    options.url = server.url;
    seal_key_init(&key, bytes);
    loop = loop_new();
    if (redis_new(loop, &options, &redis, NULL) < 0)
        return -1;
    reg = registry_new(loop, redis, &key);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (!fixture_is_possible())
        return 0;
    redis_free(redis);
    registry_free(reg);
    loop_free(loop);
    fn_record_free(got.rec);
    got.rec = NULL;
    fixture_done(&server);
    return 0;
}

static void need_server(void)
{
    if (fixture_is_possible())
        return;
    print_message("skipped: there is no " FIXTURE_SERVER "\n");
    skip();
}

/* ---- tests ---- */

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
        unsigned before = got.count;

        registry_list(reg, STR(ACCOUNT), STR_NULL, 10, on_page, NULL);
        wait_answer(before);
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
    arrived(err);
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
    before = got.count;
    fn_view_get(redis, &key, STR(ACCOUNT), STR("f"), STR_NULL, 0, on_view, NULL);
    wait_answer(before);
    assert_int_equal(delete_fn("f"), ERR_OK);
    make_active("f", SHA_A);
    get("f");
    snprintf(seq, sizeof(seq), "%s", got.rec->seq);
    assert_string_equal(seq, got_view->rec->seq); /* it counts the same way … */
    w = fn_write_new(redis, &key, STR(ACCOUNT), STR("f"), got_view);
    fn_write_string(w, "x", STR("old"));
    before = got.count;
    fn_write_run(w, on_done, NULL);
    wait_answer(before);
    assert_int_equal(got.code, ERR_STALE); /* … and is told apart */
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

static void list_all(const char *after, const char *behind, uint32_t limit)
{
    unsigned before = got.count;

    registry_list_all(reg, STR(ACCOUNT), str_of(after), str_of(behind), limit, on_page, NULL);
    wait_answer(before);
    assert_int_equal(got.code, ERR_OK);
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

static void list_page(const char *after, uint32_t limit)
{
    unsigned before = got.count;

    registry_list(reg, STR(ACCOUNT), str_of(after), limit, on_page, NULL);
    wait_answer(before);
    assert_int_equal(got.code, ERR_OK);
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

#define LIVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

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
        LIVE(a_list_of_versions_goes_on_behind_a_function_that_is_gone),
        LIVE(a_list_of_versions_is_not_at_its_end_while_functions_follow),
        LIVE(changes_under_way_are_found_without_looking_at_all_functions),
        LIVE(pages_are_in_order_and_survive_changes_between_them),
        LIVE(nothing_is_left_behind_by_a_deleted_function),
        LIVE(a_document_made_by_hand_is_survived),
    };

    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
