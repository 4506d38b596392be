/* SPDX-License-Identifier: Apache-2.0 */
/* Controller and engine are two queues of questions that the test answers when it likes. */
#include "invoker/spec_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/buf.h"

#define QUESTIONS_MAX 16

struct question {
    spec_fetched_fn *on_spec;
    image_done_fn *on_image;
    void *arg;
    char name[32], version[32];
    uint64_t generation;
};

struct fake_wait {
    struct spec_wait wait;
    int answers;
    struct ready_version *ver; /* a reference */
    enum error_code failed;
};

static struct {
    struct pool *pool;
    struct image_store images;
    struct spec_cache *cache;
    struct question asked[QUESTIONS_MAX]; /* of the controller */
    int asked_count;
    struct question images_asked[QUESTIONS_MAX]; /* of the engine */
    int images_count;
} w;

/* ---- the two others */

static void fake_fetch(const struct spec_key *key, spec_fetched_fn *done, void *done_arg, void *arg)
{
    struct question *q = &w.asked[w.asked_count++];
    (void)arg;

    assert_true(w.asked_count < QUESTIONS_MAX);
    q->on_spec = done;
    q->arg = done_arg;
    q->generation = key->generation;
    snprintf(q->name, sizeof(q->name), "%.*s", STR_ARG(key->name));
    snprintf(q->version, sizeof(q->version), "%.*s", STR_ARG(key->version));
}

static void fake_prepare(struct image_store *store, const char *reference, image_done_fn *done,
                         void *arg)
{
    struct question *q = &w.images_asked[w.images_count++];
    (void)store;

    assert_string_equal(reference, "image");
    assert_true(w.images_count < QUESTIONS_MAX);
    q->on_image = done;
    q->arg = arg;
}

static const struct image_store_ops fake_images = {.name = "fake", .prepare = fake_prepare};

static struct sandbox_spec *make_spec(const struct question *q)
{
    struct sandbox_spec *spec = calloc(1, sizeof(*spec));

    spec->account = strdup("0");
    spec->region = strdup("r");
    spec->name = strdup(q->name);
    spec->version = strdup(q->version);
    spec->arn = strdup("arn");
    spec->image = strdup("image");
    spec->log_group = strdup("group");
    spec->generation = q->generation;
    spec->memory_mib = 128;
    spec->timeout_s = 3;
    return spec;
}

static void controller_answers(int i)
{
    w.asked[i].on_spec(make_spec(&w.asked[i]), NULL, w.asked[i].arg);
}

static void controller_fails(int i, enum error_code code)
{
    struct error err;

    error_set(&err, code, "failed");
    w.asked[i].on_spec(NULL, &err, w.asked[i].arg);
}

static void engine_answers(int i)
{
    static char *nothing[] = {NULL};
    char name[] = "image";
    const struct image_info info = {.reference = name,
                                    .digest = name,
                                    .architecture = name,
                                    .entry_point = nothing,
                                    .command = nothing,
                                    .env = nothing,
                                    .working_directory = name};

    w.images_asked[i].on_image(&info, NULL, w.images_asked[i].arg);
}

/* ---- asking */

static void on_done(struct spec_wait *wait, struct ready_version *ver, const struct error *err)
{
    struct fake_wait *fw = CONTAINER_OF(wait, struct fake_wait, wait);

    fw->answers++;
    if (err)
        fw->failed = err->code;
    else
        fw->ver = ready_version_ref(ver);
}

static struct spec_key key_of(const char *name, const char *version, uint64_t generation)
{
    return (struct spec_key){.account = STR("0"),
                             .name = str_of(name),
                             .version = str_of(version),
                             .generation = generation};
}

static int find_version(const char *version, uint64_t generation, struct ready_version **ret)
{
    struct spec_key key = key_of("f", version, generation);

    return spec_cache_find(w.cache, &key, ret);
}

static int find(uint64_t generation, struct ready_version **ret)
{
    return find_version("$LATEST", generation, ret);
}

static void get_version(const char *version, uint64_t generation, struct fake_wait *fw)
{
    struct spec_key key = key_of("f", version, generation);

    memset(fw, 0, sizeof(*fw));
    fw->wait.done = on_done;
    list_init(&fw->wait.node);
    spec_cache_get(w.cache, &key, &fw->wait);
}

static void get(uint64_t generation, struct fake_wait *fw)
{
    get_version("$LATEST", generation, fw);
}

/* One that is ready; its reference is the caller's. */
static struct ready_version *ready_of(const char *version, uint64_t generation)
{
    struct fake_wait fw;

    get_version(version, generation, &fw);
    controller_answers(w.asked_count - 1);
    engine_answers(w.images_count - 1);
    assert_non_null(fw.ver);
    return fw.ver;
}

static struct ready_version *ready(uint64_t generation)
{
    return ready_of("$LATEST", generation);
}

static void retire(const char *version, uint64_t generation)
{
    struct spec_key key = key_of("f", version, generation);

    spec_cache_retire(w.cache, &key);
}

static bool is_retired(const struct ready_version *ver)
{
    return pool_version_is_retired(ready_version_pool(ver));
}

static int world_make(void **state)
{
    const struct pool_options pool = {.clock = &clock_system, .memory_mib = 1024, .parallel = 4};
    struct spec_cache_options options = {.fetch = fake_fetch, .max = 2};
    (void)state;

    memset(&w, 0, sizeof(w));
    w.images.ops = &fake_images;
    w.pool = pool_new(&pool);
    options.pool = w.pool;
    options.images = &w.images;
    w.cache = spec_cache_new(&options);
    return 0;
}

static int world_end(void **state)
{
    (void)state;
    spec_cache_free(w.cache);
    pool_free(w.pool);
    return 0;
}

/* ---- tests */

static void callers_at_the_same_time_share_one_fetch(void **state)
{
    struct fake_wait a, b, c;
    struct ready_version *ver;
    (void)state;

    assert_int_equal(find(1, &ver), -ERR_NOT_FOUND);
    get(1, &a);
    get(1, &b);
    assert_int_equal(w.asked_count, 1);
    controller_answers(0);
    get(1, &c);
    assert_int_equal(w.images_count, 1);
    engine_answers(0);
    assert_int_equal(a.answers + b.answers + c.answers, 3);
    assert_int_equal(find(1, &ver), 0);
    assert_ptr_equal(ver, a.ver);
    assert_ptr_equal(a.ver, c.ver);
    ready_version_unref(a.ver);
    ready_version_unref(b.ver);
    ready_version_unref(c.ver);
}

static void failure_is_told_and_not_kept(void **state)
{
    struct fake_wait a, b;
    (void)state;

    get(1, &a);
    controller_fails(0, ERR_UNAVAILABLE);
    assert_int_equal(a.failed, ERR_UNAVAILABLE);
    get(1, &b);
    assert_int_equal(w.asked_count, 2);
    controller_answers(1);
    engine_answers(0);
    assert_int_equal(b.failed, ERR_OK);
    ready_version_unref(b.ver);
}

static void newer_generation_retires_older_ones(void **state)
{
    CLEANUP(ready_version_unrefp) struct ready_version *old = ready(1);
    struct ready_version *ver;
    (void)state;

    assert_int_equal(find(2, &ver), -ERR_NOT_FOUND);
    assert_true(is_retired(old));
    assert_int_equal(find(1, &ver), -ERR_STALE);
}

static void retirement_fences_what_is_not_even_known(void **state)
{
    struct ready_version *ver;
    (void)state;

    retire("$LATEST", 5);
    assert_int_equal(find(4, &ver), -ERR_STALE);
    assert_int_equal(find(5, &ver), -ERR_NOT_FOUND);
    retire("$LATEST", 3); /* old news */
    assert_int_equal(find(4, &ver), -ERR_STALE);
}

static void version_retired_while_it_is_made_ready_is_stale(void **state)
{
    struct fake_wait a, b;
    struct ready_version *ver;
    (void)state;

    get(1, &a);
    controller_answers(0);
    retire("$LATEST", 2);
    engine_answers(0);
    assert_int_equal(a.failed, ERR_STALE);
    get(2, &b);
    spec_cache_retire_all(w.cache, STR("0"), STR("f"));
    controller_answers(1);
    assert_int_equal(b.failed, ERR_STALE);
    assert_int_equal(find(1, &ver), -ERR_NOT_FOUND);
}

static void deleted_function_may_begin_anew(void **state)
{
    CLEANUP(ready_version_unrefp) struct ready_version *old = ready(7), *again = NULL;
    (void)state;

    spec_cache_retire_all(w.cache, STR("0"), STR("f"));
    assert_true(is_retired(old));
    again = ready(1);
    assert_ptr_not_equal(old, again);
}

static void lost_image_is_prepared_anew(void **state)
{
    CLEANUP(ready_version_unrefp) struct ready_version *old = ready(1), *again = NULL;
    struct ready_version *ver;
    (void)state;

    ready_version_set_image_lost(old);
    assert_int_equal(find(1, &ver), -ERR_NOT_FOUND);
    again = ready(1);
    assert_true(is_retired(old));
    assert_int_equal(find(1, &ver), 0);
    assert_ptr_equal(ver, again);
}

static void cancelled_wait_is_not_told(void **state)
{
    struct fake_wait a;
    (void)state;

    get(1, &a);
    spec_cache_cancel(&a.wait);
    controller_answers(0);
    engine_answers(0);
    assert_int_equal(a.answers, 0);
}

static void unused_versions_beyond_the_ceiling_go_least_used_first(void **state)
{
    struct ready_version *held = ready(1), *ver;
    struct fake_wait fw = {.wait.done = on_done};
    static const char *const names[] = {"g", "h"};
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(names); i++) {
        struct spec_key key = key_of(names[i], "$LATEST", 1);

        spec_cache_get(w.cache, &key, &fw.wait);
        controller_answers(w.asked_count - 1);
        engine_answers(w.images_count - 1);
        ready_version_unref(TAKE(fw.ver));
    }
    assert_int_equal(find(1, &ver), 0); /* the oldest, but in use */
    ready_version_unref(held);
}

static void versions_of_one_function_do_not_end_one_another(void **state)
{
    CLEANUP(ready_version_unrefp) struct ready_version *latest = ready_of("$LATEST", 4);
    CLEANUP(ready_version_unrefp) struct ready_version *one = ready_of("1", 2);
    CLEANUP(ready_version_unrefp) struct ready_version *newer = NULL;
    struct ready_version *ver;
    (void)state;

    assert_ptr_not_equal(ready_version_pool(latest), ready_version_pool(one));
    newer = ready_of("$LATEST", 5);
    assert_true(is_retired(latest));
    assert_false(is_retired(one));
    retire("$LATEST", 9);
    assert_true(is_retired(newer));
    assert_int_equal(find_version("1", 2, &ver), 0);
    assert_ptr_equal(ver, one);
    retire("1", 3); /* each is fenced by its own */
    assert_true(is_retired(one));
    assert_int_equal(find_version("1", 2, &ver), -ERR_STALE);
    assert_int_equal(find_version("2", 1, &ver), -ERR_NOT_FOUND);
}

static void deleted_version_goes_alone_and_is_forgotten(void **state)
{
    CLEANUP(ready_version_unrefp) struct ready_version *latest = ready_of("$LATEST", 4);
    CLEANUP(ready_version_unrefp) struct ready_version *one = ready_of("1", 2);
    CLEANUP(ready_version_unrefp) struct ready_version *two = ready_of("2", 3);
    struct ready_version *ver;
    (void)state;

    retire("1", 0);
    assert_true(is_retired(one));
    assert_int_equal(find_version("1", 1, &ver), -ERR_NOT_FOUND);
    assert_int_equal(find_version("2", 3, &ver), 0);
    assert_int_equal(find(4, &ver), 0);
    retire("7", 0); /* never heard of */
    spec_cache_retire_all(w.cache, STR("0"), STR("g"));
    assert_false(is_retired(two) || is_retired(latest));
    retire("2", 0);
    retire("$LATEST", 0); /* the last one takes the function along */
    assert_true(is_retired(two) && is_retired(latest));
    assert_int_equal(find(4, &ver), -ERR_NOT_FOUND);
}

static void deleted_function_takes_all_versions_along(void **state)
{
    CLEANUP(ready_version_unrefp) struct ready_version *latest = ready_of("$LATEST", 4);
    CLEANUP(ready_version_unrefp) struct ready_version *one = ready_of("1", 2);
    struct fake_wait two;
    (void)state;

    get_version("2", 3, &two);
    spec_cache_retire_all(w.cache, STR("0"), STR("f"));
    assert_true(is_retired(latest) && is_retired(one));
    controller_answers(w.asked_count - 1);
    assert_int_equal(two.failed, ERR_STALE);
}

static void note_key(const struct spec_key *key, const struct ready_version *ver, void *arg)
{
    struct buf *text = arg;

    assert_true(!ver == str_is(key->version, "2"));
    assert_int_equal(buf_printf(text, "%.*s/%.*s:%.*s@%llu ", STR_ARG(key->account),
                                STR_ARG(key->name), STR_ARG(key->version),
                                (unsigned long long)key->generation),
                     0);
}

static void what_is_known_can_be_asked_for_again(void **state)
{
    CLEANUP(ready_version_unrefp) struct ready_version *latest = ready_of("$LATEST", 4);
    CLEANUP(ready_version_unrefp) struct ready_version *one = ready_of("1", 2);
    CLEANUP(buf_done) struct buf text = BUF_INIT(256);
    struct fake_wait pending, over;
    (void)state;

    get_version("2", 3, &pending);
    get_version("3", 8, &over);
    retire("3", 9); /* its answer is still to come, and nobody is interested */
    spec_cache_each(w.cache, note_key, &text);
    assert_int_equal(buf_append_char(&text, '\0'), 0);
    assert_string_equal(text.ptr, "0/f:$LATEST@4 0/f:1@2 0/f:2@3 ");
    controller_fails(2, ERR_NOT_FOUND);
    controller_fails(3, ERR_NOT_FOUND);
}

static void image_has_no_code_and_no_layers_to_wait_for(void **state)
{
    CLEANUP(ready_version_unrefp) struct ready_version *ver = NULL;
    struct sandbox_layer *layers = calloc(1, sizeof(*layers));
    struct sandbox_spec *spec;
    struct fake_wait fw;
    (void)state;

    get(1, &fw);
    spec = make_spec(&w.asked[0]);
    layers->arn = strdup("arn");
    layers->sha256 = strdup("00");
    spec->layers = layers;
    spec->layers_len = 1;
    w.asked[0].on_spec(spec, NULL, w.asked[0].arg);
    engine_answers(0);
    ver = fw.ver;
    assert_non_null(ver);
    assert_null(ready_version_code_dir(ver));
    assert_null(ready_version_layers_dir(ver));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_make, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(callers_at_the_same_time_share_one_fetch),
        TEST(failure_is_told_and_not_kept),
        TEST(newer_generation_retires_older_ones),
        TEST(retirement_fences_what_is_not_even_known),
        TEST(version_retired_while_it_is_made_ready_is_stale),
        TEST(deleted_function_may_begin_anew),
        TEST(versions_of_one_function_do_not_end_one_another),
        TEST(deleted_version_goes_alone_and_is_forgotten),
        TEST(deleted_function_takes_all_versions_along),
        TEST(what_is_known_can_be_asked_for_again),
        TEST(image_has_no_code_and_no_layers_to_wait_for),
        TEST(lost_image_is_prepared_anew),
        TEST(cancelled_wait_is_not_told),
        TEST(unused_versions_beyond_the_ceiling_go_least_used_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
