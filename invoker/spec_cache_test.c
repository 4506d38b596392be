/* SPDX-License-Identifier: Apache-2.0 */
/* Controller and engine are two queues of questions that the test answers when it likes. */
#include "invoker/spec_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

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

static struct spec_key key_of(const char *name, uint64_t generation)
{
    return (struct spec_key){.account = STR("0"),
                             .name = str_of(name),
                             .version = STR("$LATEST"),
                             .generation = generation};
}

static int find(uint64_t generation, struct ready_version **ret)
{
    struct spec_key key = key_of("f", generation);

    return spec_cache_find(w.cache, &key, ret);
}

static void get(uint64_t generation, struct fake_wait *fw)
{
    struct spec_key key = key_of("f", generation);

    memset(fw, 0, sizeof(*fw));
    fw->wait.done = on_done;
    list_init(&fw->wait.node);
    spec_cache_get(w.cache, &key, &fw->wait);
}

/* A ready version of @generation, whose reference is the caller's. */
static struct ready_version *ready(uint64_t generation)
{
    struct fake_wait fw;

    get(generation, &fw);
    controller_answers(w.asked_count - 1);
    engine_answers(w.images_count - 1);
    assert_non_null(fw.ver);
    return fw.ver;
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
    assert_true(pool_version_is_retired(ready_version_pool(old)));
    assert_int_equal(find(1, &ver), -ERR_STALE);
}

static void retirement_fences_what_is_not_even_known(void **state)
{
    struct ready_version *ver;
    (void)state;

    spec_cache_retire(w.cache, STR("0"), STR("f"), 5);
    assert_int_equal(find(4, &ver), -ERR_STALE);
    assert_int_equal(find(5, &ver), -ERR_NOT_FOUND);
    spec_cache_retire(w.cache, STR("0"), STR("f"), 3); /* old news */
    assert_int_equal(find(4, &ver), -ERR_STALE);
}

static void version_retired_while_it_is_made_ready_is_stale(void **state)
{
    struct fake_wait a, b;
    struct ready_version *ver;
    (void)state;

    get(1, &a);
    controller_answers(0);
    spec_cache_retire(w.cache, STR("0"), STR("f"), 2);
    engine_answers(0);
    assert_int_equal(a.failed, ERR_STALE);
    get(2, &b);
    spec_cache_retire(w.cache, STR("0"), STR("f"), 0);
    controller_answers(1);
    assert_int_equal(b.failed, ERR_STALE);
    assert_int_equal(find(1, &ver), -ERR_NOT_FOUND);
}

static void deleted_function_may_begin_anew(void **state)
{
    CLEANUP(ready_version_unrefp) struct ready_version *old = ready(7), *again = NULL;
    (void)state;

    spec_cache_retire(w.cache, STR("0"), STR("f"), 0);
    assert_true(pool_version_is_retired(ready_version_pool(old)));
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
    assert_true(pool_version_is_retired(ready_version_pool(old)));
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
        struct spec_key key = key_of(names[i], 1);

        spec_cache_get(w.cache, &key, &fw.wait);
        controller_answers(w.asked_count - 1);
        engine_answers(w.images_count - 1);
        ready_version_unref(TAKE(fw.ver));
    }
    assert_int_equal(find(1, &ver), 0); /* the oldest, but in use */
    ready_version_unref(held);
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
        TEST(lost_image_is_prepared_anew),
        TEST(cancelled_wait_is_not_told),
        TEST(unused_versions_beyond_the_ceiling_go_least_used_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
