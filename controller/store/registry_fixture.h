/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_fixture.h - what the tests of the registry share: one over a Redis of its own, short
 * forms of its calls that wait for the answer, and functions to write.
 *
 * Owns:    all of it; LIVE() makes and ends it around a test.
 * Threads: one. Included by tests only, once in a program.
 */
#ifndef HEARTH_CONTROLLER_REGISTRY_FIXTURE_H
#define HEARTH_CONTROLLER_REGISTRY_FIXTURE_H

#include "controller/store/registry.h"
#include "controller/store/store_fixture.h"

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct registry *reg;
static struct seal_key key;

static struct {
    struct fn_record *rec;
    uint64_t generation;
    size_t unused;
    char unused_code[2][80];
    size_t len;
    bool more, used;
    char names[64][80];
    char text[8192];
} got;

static inline void on_record(struct fn_record *rec, const struct error *err, void *arg)
{
    (void)arg;
    fn_record_free(got.rec);
    got.rec = rec;
    store_answered(err);
}

static inline void on_change(const struct registry_change *change, const struct error *err,
                             void *arg)
{
    size_t i;

    (void)arg;
    got.generation = change ? change->generation : 0;
    got.unused = change ? change->unused_code_len : 0;
    for (i = 0; i < got.unused; i++)
        snprintf(got.unused_code[i], 80, "%.*s", STR_ARG(change->unused_code[i]));
    store_answered(err);
}

static inline void on_page(struct fn_version *const *vers, size_t len, bool more,
                           const struct error *err, void *arg)
{
    size_t i;

    (void)arg;
    got.len = len;
    got.more = more;
    for (i = 0; i < len && i < ARRAY_LEN(got.names); i++)
        snprintf(got.names[i], 80, "%s", vers[i]->name);
    store_answered(err);
}

static inline void on_pending(struct str account, struct str name, void *arg)
{
    (void)arg;
    assert_true(str_is(account, ACCOUNT));
    snprintf(got.names[got.len++], 80, "%.*s", STR_ARG(name));
}

static inline void on_done(const struct error *err, void *arg)
{
    (void)arg;
    store_answered(err);
}

static inline void on_used(bool used, const struct error *err, void *arg)
{
    (void)arg;
    got.used = used;
    store_answered(err);
}

static inline void on_text(const struct redis_value *value, const struct error *err, void *arg)
{
    (void)arg;
    got.generation = value && value->type == REDIS_INTEGER ? (uint64_t)value->integer : 0;
    snprintf(got.text, sizeof(got.text), "%.*s", value ? (int)value->str.len : 0,
             value && value->str.ptr ? value->str.ptr : "");
    store_answered(err);
}

/* ---- short forms; each waits for its answer and returns its code ---- */

static inline enum error_code get(const char *name)
{
    unsigned before = store.count;

    registry_get(reg, STR(ACCOUNT), str_of(name), on_record, NULL);
    store_wait(before + 1);
    return store.code;
}

typedef void write_fn(struct registry *r, const struct registry_write *w, registry_change_fn *done,
                      void *arg);

static inline enum error_code write_with(write_fn *fn, const struct fn_version *ver,
                                         const char *change)
{
    const struct registry_write w = {.ver = ver, .change = change};
    unsigned before = store.count;

    fn(reg, &w, on_change, NULL);
    store_wait(before + 1);
    return store.code;
}

static uint64_t begin_generation; /* that the function must have; make_active() sets it */

/* @seq: where the function must be; make_active() leaves it at "3". */
static inline enum error_code begin(const struct fn_version *ver, const char *change,
                                    const char *seq)
{
    const struct registry_write w = {
        .ver = ver, .change = change, .seq = seq, .generation = begin_generation};
    unsigned before = store.count;

    registry_begin(reg, &w, on_change, NULL);
    store_wait(before + 1);
    return store.code;
}

static inline void enter(const char *account)
{
    unsigned before = store.count;

    registry_enter(reg, account, on_done, NULL);
    store_wait(before + 1);
    assert_int_equal(store.code, ERR_OK);
}

static inline enum error_code delete_fn(const char *name)
{
    unsigned before = store.count;

    registry_delete(reg, STR(ACCOUNT), str_of(name), on_change, NULL);
    store_wait(before + 1);
    return store.code;
}

static inline bool is_used(const char *sha256)
{
    unsigned before = store.count;

    registry_code_used(reg, sha256, on_used, NULL);
    store_wait(before + 1);
    assert_int_equal(store.code, ERR_OK);
    return got.used;
}

static inline size_t pending(void)
{
    unsigned before = store.count;

    got.len = 0;
    registry_pending(reg, on_pending, on_done, NULL);
    store_wait(before + 1);
    assert_int_equal(store.code, ERR_OK);
    return got.len;
}

static inline const char *command(const char *line)
{
    struct str rest = str_of(line), words[8];
    unsigned before = store.count;
    size_t n = 0;

    while (n < ARRAY_LEN(words) && str_split(&rest, ' ', &words[n]))
        n++;
    redis_command(store.redis, words, n, on_text, NULL);
    store_wait(before + 1);
    return got.text;
}

/* A zip function with one secret in its environment. */
static inline struct fn_version *version(const char *name, const char *sha256, const char *revision)
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
static inline void make_active(const char *name, const char *sha256)
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

static inline int setup(void **state)
{
    static const unsigned char bytes[SEAL_KEY_BYTES] = {1, 2, 3};

    (void)state;
    if (store_open() < 0)
        return -1;
    if (!fixture_is_possible())
        return 0;
    memset(&got, 0, sizeof(got));
    seal_key_init(&key, bytes);
    reg = registry_new(store.loop, store.redis, &key);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    redis_free(TAKE(store.redis)); /* what waits is told before the registry goes */
    registry_free(TAKE(reg));
    fn_record_free(TAKE(got.rec));
    store_close();
    return 0;
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
