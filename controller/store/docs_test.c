/* SPDX-License-Identifier: Apache-2.0 */
/* Batches against a real Redis: reads of one moment, commits that write all or nothing. */
#include "controller/store/docs.h"

#include "controller/store/store_fixture.h"

static char got[4096]; /* the values, as show() writes them */

/* "text", -, 7, [a b c] */
static void show(struct buf *b, const struct redis_value *value)
{
    size_t i;

    if (value->type == REDIS_STRING) {
        buf_append_str(b, value->str);
    } else if (value->type == REDIS_INTEGER) {
        buf_printf(b, "%lld", (long long)value->integer);
    } else if (value->type == REDIS_ARRAY) {
        buf_append_char(b, '[');
        for (i = 0; i < value->len; i++) {
            if (i)
                buf_append_char(b, ' ');
            show(b, &value->items[i]);
        }
        buf_append_char(b, ']');
    } else {
        buf_append_char(b, '-');
    }
}

static void on_values(const struct redis_value *values, size_t len, const struct error *err,
                      void *arg)
{
    struct buf b = BUF_INIT(sizeof(got) - 1);
    size_t i;

    (void)arg;
    for (i = 0; i < len; i++) {
        if (i)
            buf_append_char(&b, ' ');
        show(&b, &values[i]);
    }
    snprintf(got, sizeof(got), "%.*s", STR_ARG(buf_str(&b)));
    buf_done(&b);
    store_answered(err);
}

static void on_committed(const struct error *err, void *arg)
{
    (void)arg;
    store_answered(err);
}

static const char *run_read(struct docs_read *read)
{
    unsigned before = store.count;

    docs_read_run(read, on_values, NULL);
    assert_int_equal(store.count, before); /* never inside the call */
    store_wait(before + 1);
    return got;
}

static enum error_code run(struct docs_commit *commit)
{
    unsigned before = store.count;

    docs_commit_run(commit, on_committed, NULL);
    assert_int_equal(store.count, before);
    store_wait(before + 1);
    return store.code;
}

static struct docs_read *read_new(void)
{
    need_server();
    return docs_read_new(store.redis, STR(ACCOUNT));
}

static struct docs_commit *commit_new(void)
{
    need_server();
    return docs_commit_new(store.redis, STR(ACCOUNT));
}

static const char *field(const char *key, const char *name)
{
    struct docs_read *read = read_new();

    docs_read_field(read, key, str_of(name));
    return run_read(read);
}

static void set(const char *key, const char *name, const char *value)
{
    struct docs_commit *commit = commit_new();

    docs_set(commit, key, str_of(name), str_of(value));
    assert_int_equal(run(commit), ERR_OK);
}

static int setup(void **state)
{
    (void)state;
    return store_open();
}

static int teardown(void **state)
{
    (void)state;
    store_close();
    return 0;
}

/* ---- reading ---- */

static void a_batch_answers_each_read_in_order(void **state)
{
    struct docs_commit *commit = commit_new();
    struct docs_read *read = read_new();

    (void)state;
    docs_set(commit, "h", STR("a"), STR("1"));
    docs_set(commit, "h", STR("b"), STR("2"));
    docs_set(commit, "h", STR(""), STR("")); /* empty is not absent */
    docs_add_name(commit, "names", STR("b"));
    docs_add_name(commit, "names", STR("a"));
    docs_add_name(commit, "names", STR("c"));
    docs_count(commit, "n", 7);
    docs_count(commit, "n", -3);
    docs_count_field(commit, "h", STR("count"), -5);
    assert_int_equal(run(commit), ERR_OK);

    docs_read_field(read, "h", STR("b"));
    docs_read_field(read, "h", STR("nothing"));
    docs_read_field(read, "h", STR(""));
    docs_read_size(read, "names");
    docs_read_size(read, "nothing");
    docs_read_counter(read, "n");
    docs_read_counter(read, "nothing");
    docs_read_hash(read, "nothing");
    docs_read_page(read, "names", "h", STR(""), 2);
    docs_read_page(read, "names", "h", STR("b"), 2);
    docs_read_page(read, "names", "h", STR("c"), 2);
    docs_read_field(read, "h", STR("count"));
    assert_string_equal(run_read(read), "2 -  3 0 4 - [] [a 1 b 2] [c -] [] -5");
}

static void a_batch_without_reads_has_no_values(void **state)
{
    (void)state;
    assert_string_equal(run_read(read_new()), "");
    assert_int_equal(store.code, ERR_OK);
    docs_read_free(read_new());
    docs_read_free(NULL);
}

static void a_batch_sees_one_moment(void **state)
{
    struct redis *other = NULL;
    struct redis_options options = store_options();
    unsigned i;

    (void)state;
    need_server();
    assert_int_equal(redis_new(store.loop, &options, &other, NULL), 0);
    for (i = 1; i <= 100; i++) { /* a writer and a reader on two connections, never in step */
        struct docs_commit *commit = docs_commit_new(other, STR(ACCOUNT));
        struct docs_read *read = read_new();
        CLEANUP(freep) char *text = str_printf("%u", i);
        char a[32] = "", b[32] = "";
        unsigned before = store.count;

        docs_set(commit, "a", STR("x"), str_of(text));
        docs_set(commit, "b", STR("x"), str_of(text));
        docs_read_field(read, "a", STR("x"));
        docs_read_field(read, "b", STR("x"));
        docs_commit_run(commit, on_committed, NULL);
        docs_read_run(read, on_values, NULL);
        store_wait(before + 2);
        sscanf(got, "%31s %31s", a, b);
        assert_string_equal(a, b);
    }
    redis_free(other);
}

static void a_hash_becomes_json_without_what_is_none(void **state)
{
    static const struct redis_value items[] = {
        {.type = REDIS_STRING, .str = STR("a")},
        {.type = REDIS_STRING, .str = STR("{\"n\":1}")},
        {.type = REDIS_STRING, .str = STR("broken")},
        {.type = REDIS_STRING, .str = STR("{\"n\":")},
        {.type = REDIS_STRING, .str = STR("nil")},
        {.type = REDIS_NIL},
        {.type = REDIS_STRING, .str = STR("b")},
        {.type = REDIS_STRING, .str = STR("2")},
    };
    const struct redis_value hash = {.type = REDIS_ARRAY, .items = (void *)(uintptr_t)items,
                                     .len = ARRAY_LEN(items)};
    const struct redis_value nil = {.type = REDIS_NIL};
    cJSON *json = docs_hash_json(&hash);
    char *text = cJSON_PrintUnformatted(json);

    (void)state;
    assert_string_equal(text, "{\"a\":{\"n\":1},\"b\":2}");
    assert_null(docs_json(&nil));
    cJSON_free(text);
    cJSON_Delete(json);
    json = docs_hash_json(&nil);
    assert_int_equal(cJSON_GetArraySize(json), 0);
    cJSON_Delete(json);
}

/* ---- writing ---- */

static void what_was_written_can_be_taken_back(void **state)
{
    struct docs_commit *commit = commit_new();
    struct docs_read *read = read_new();

    (void)state;
    assert_true(docs_commit_is_empty(commit));
    docs_expect(commit, "h", STR("a"), STR_NULL); /* an expectation writes nothing */
    assert_true(docs_commit_is_empty(commit));
    docs_set(commit, "h", STR("a"), STR("1"));
    assert_false(docs_commit_is_empty(commit));
    docs_set(commit, "gone", STR("a"), STR("1"));
    docs_add_name(commit, "names", STR("a"));
    docs_add_member(commit, "set", STR("m"));
    assert_int_equal(run(commit), ERR_OK);
    commit = commit_new();
    docs_unset(commit, "h", STR("a"));
    docs_drop(commit, "gone");
    docs_remove_name(commit, "names", STR("a"));
    docs_remove_member(commit, "set", STR("m"));
    assert_int_equal(run(commit), ERR_OK);
    docs_read_hash(read, "h");
    docs_read_hash(read, "gone");
    docs_read_size(read, "names");
    docs_read_hash(read, "set"); /* empty sets are no keys: no WRONGTYPE */
    assert_string_equal(run_read(read), "[] [] 0 []");
    assert_int_equal(store.code, ERR_OK);
}

static void expectation_holds(struct docs_commit *commit, bool holds, const char *what)
{
    set("probe", "p", "before");
    docs_set(commit, "probe", STR("p"), STR("after"));
    if (run(commit) != (holds ? ERR_OK : ERR_STALE))
        fail_msg("%s: ended with %s", what, error_code_name(store.code));
    assert_string_equal(field("probe", "p"), holds ? "after" : "before");
}

static void a_commit_writes_only_when_all_expectations_hold(void **state)
{
    static const struct {
        const char *key, *field, *value; /* value NULL: absent */
        bool holds;
    } fields[] = {
        {"h", "a", "1", true},    {"h", "a", "2", false},      {"h", "a", "", false},
        {"h", "a", NULL, false},  {"h", "nothing", NULL, true}, {"h", "nothing", "", false},
        {"h", "empty", "", true}, {"h", "empty", NULL, false},  {"no", "a", NULL, true},
    };
    struct docs_commit *commit;
    size_t i;

    (void)state;
    set("h", "a", "1");
    set("h", "empty", "");
    for (i = 0; i < ARRAY_LEN(fields); i++) {
        commit = commit_new();
        docs_expect(commit, fields[i].key, str_of(fields[i].field),
                    fields[i].value ? str_of(fields[i].value) : STR_NULL);
        expectation_holds(commit, fields[i].holds, fields[i].field);
    }
    for (i = 0; i < 4; i++) {
        commit = commit_new();
        docs_expect_key(commit, i & 1 ? "h" : "no", (i & 2) != 0);
        expectation_holds(commit, (i & 1) == (i >> 1), "key");
    }
    commit = commit_new(); /* the last of several */
    docs_expect(commit, "h", STR("a"), STR("1"));
    docs_expect_key(commit, "no", false);
    docs_expect(commit, "h", STR("a"), STR("3"));
    expectation_holds(commit, false, "last");
    commit = commit_new(); /* named after a write: looked at before it all the same */
    docs_set(commit, "h", STR("a"), STR("3"));
    docs_expect(commit, "h", STR("a"), STR("3"));
    expectation_holds(commit, false, "behind a write");
    assert_string_equal(field("h", "a"), "1");
}

static void of_two_writers_who_read_the_same_one_wins(void **state)
{
    unsigned i, before = store.count;
    struct docs_commit *commits[2];

    (void)state;
    set("h", "a", "0");
    before = store.count;
    for (i = 0; i < 2; i++) {
        commits[i] = commit_new();
        docs_expect(commits[i], "h", STR("a"), STR("0"));
        docs_set(commits[i], "h", STR("a"), i ? STR("2") : STR("1"));
    }
    docs_commit_run(commits[0], on_committed, NULL);
    docs_commit_run(commits[1], on_committed, NULL);
    store_wait(before + 2);
    assert_int_equal(store.code, ERR_STALE);
    assert_string_equal(field("h", "a"), "1");
}

static void any_bytes_survive(void **state)
{
    static const char bytes[] = "a\0b\xff\n\"}{ *$1";
    struct docs_commit *commit = commit_new();
    struct str value = {bytes, sizeof(bytes) - 1};

    (void)state;
    docs_set(commit, "h", value, value);
    assert_int_equal(run(commit), ERR_OK);
    commit = commit_new();
    docs_expect(commit, "h", value, value);
    docs_set(commit, "h", STR("seen"), STR("yes"));
    assert_int_equal(run(commit), ERR_OK);
    assert_string_equal(field("h", "seen"), "yes");
}

static void too_many_words_are_refused_whole(void **state)
{
    struct docs_commit *commit = commit_new();
    struct docs_read *read = read_new();
    unsigned i;

    (void)state;
    docs_set(commit, "h", STR("first"), STR("1"));
    for (i = 0; i < 400; i++)
        docs_set(commit, "h", STR("more"), STR("1"));
    assert_int_equal(run(commit), ERR_INTERNAL);
    assert_string_equal(field("h", "first"), "-");
    for (i = 0; i < 400; i++)
        docs_read_field(read, "h", STR("a"));
    run_read(read);
    assert_int_equal(store.code, ERR_INTERNAL);
    commit = commit_new(); /* neither half is too long, both together are */
    for (i = 0; i < 90; i++) {
        docs_expect(commit, "h", STR("x"), STR_NULL);
        docs_set(commit, "h", STR("first"), STR("1"));
    }
    assert_int_equal(run(commit), ERR_OK);
    commit = commit_new();
    for (i = 0; i < 120; i++) {
        docs_expect(commit, "h", STR("x"), STR_NULL);
        docs_set(commit, "h", STR("second"), STR("1"));
    }
    assert_int_equal(run(commit), ERR_INTERNAL);
    assert_string_equal(field("h", "second"), "-");
}

static void without_redis_both_end_with_an_error(void **state)
{
    struct docs_commit *commit = commit_new();
    struct docs_read *read = read_new();
    unsigned before = store.count;

    (void)state;
    docs_set(commit, "h", STR("a"), STR("1"));
    docs_read_field(read, "h", STR("a"));
    docs_commit_run(commit, on_committed, NULL);
    docs_read_run(read, on_values, NULL);
    redis_free(TAKE(store.redis));
    assert_int_equal(store.count, before + 2);
    assert_int_equal(store.code, ERR_CLOSED);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_batch_answers_each_read_in_order),
        LIVE(a_batch_without_reads_has_no_values),
        LIVE(a_batch_sees_one_moment),
        cmocka_unit_test(a_hash_becomes_json_without_what_is_none),
        LIVE(what_was_written_can_be_taken_back),
        LIVE(a_commit_writes_only_when_all_expectations_hold),
        LIVE(of_two_writers_who_read_the_same_one_wins),
        LIVE(any_bytes_survive),
        LIVE(too_many_words_are_refused_whole),
        LIVE(without_redis_both_end_with_an_error),
    };

    return cmocka_run_group_tests_name("docs", tests, NULL, NULL);
}
