/* SPDX-License-Identifier: Apache-2.0 */
/* The spec cache holds the version of the fixture's sandbox; the test is the controller. */
#include "invoker/sandbox_fixture.h"

#include "invoker/role_renewal.h"

#define HOURS(n) ((uint64_t)(n)*3600u)
#define BEGAN_S 1000000u

static struct {
    uint64_t now_s;
    struct image_store images;
    struct spec_cache *specs;
    struct role_renewal *renewal;
    struct spec_wait wait;
    spec_fetched_fn *on_spec;
    image_done_fn *on_image;
    void *on_spec_arg, *on_image_arg;
    int asked;
} role;

static uint64_t fake_now_ms(void)
{
    return role.now_s * 1000;
}

static void fake_fetch(const struct spec_key *key, spec_fetched_fn *done, void *done_arg, void *arg)
{
    (void)key;
    (void)arg;
    role.on_spec = done;
    role.on_spec_arg = done_arg;
}

static void fake_prepare(struct image_store *store, const char *reference, image_done_fn *done,
                         void *arg)
{
    (void)store;
    (void)reference;
    role.on_image = done;
    role.on_image_arg = arg;
}

static const struct image_store_ops fake_images = {.name = "fake", .prepare = fake_prepare};

static void on_version(struct spec_wait *wait, struct ready_version *ver, const struct error *err)
{
    (void)wait;
    assert_null(err);
    ready_version_unref(w.ver);
    w.ver = ready_version_ref(ver);
}

static void note_ask(const struct spec_key *key, void *arg)
{
    (void)arg;
    assert_true(str_is(key->name, "f") && key->generation == 1);
    role.asked++;
}

static struct role_credentials *credentials_until(uint64_t end_s)
{
    return role_credentials_new(STR("ASIA"), STR("secret"), STR("token"), end_s);
}

static const struct spec_key key = {STR("0"), STR("f"), STR("$LATEST"), 1};

static int roles_make(void **state)
{
    struct spec_cache_options specs = {.images = &role.images, .fetch = fake_fetch, .max = 2};
    struct sandbox_spec *spec;
    struct image_info *image;

    world_make(state);
    memset(&role, 0, sizeof(role));
    role.now_s = BEGAN_S;
    role.images.ops = &fake_images;
    specs.pool = w.pool;
    role.specs = spec_cache_new(&specs);
    role.wait.done = on_version;
    spec_cache_get(role.specs, &key, &role.wait);
    spec = make_spec();
    spec->generation = 1;
    spec->credentials = credentials_until(BEGAN_S + HOURS(12));
    role.on_spec(spec, NULL, role.on_spec_arg);
    image = make_image();
    role.on_image(image, NULL, role.on_image_arg);
    image_info_free(image);
    role.renewal = role_renewal_new(&(struct role_renewal_options){.loop = w.loop,
                                                                   .specs = role.specs,
                                                                   .host = &w.host,
                                                                   .ask = note_ask,
                                                                   .now_ms = fake_now_ms});
    return 0;
}

static int roles_end(void **state)
{
    if (w.sb) {
        sandbox_stop(w.sb, "end of the test");
        run_until(&w.gone, 1);
    }
    role_renewal_free(role.renewal);
    spec_cache_free(role.specs);
    return world_end(state);
}

static void look_at(uint64_t after_s)
{
    role.now_s = BEGAN_S + after_s;
    role_renewal_look(role.renewal);
}

static void a_version_is_asked_for_once_half_of_its_time_is_over(void **state)
{
    (void)state;
    look_at(0);
    look_at(HOURS(6) - 1);
    assert_int_equal(role.asked, 0);
    look_at(HOURS(6));
    assert_int_equal(role.asked, 1);
    look_at(HOURS(6) + 60); /* no answer came */
    assert_int_equal(role.asked, 2);
    spec_cache_renew(role.specs, &key, credentials_until(BEGAN_S + HOURS(18)));
    look_at(HOURS(6) + 120);
    assert_int_equal(role.asked, 2);
    assert_int_equal(ready_version_spec(w.ver)->credentials->expires_s, BEGAN_S + HOURS(18));
}

static void a_sandbox_gives_way_before_its_credentials_end(void **state)
{
    uint64_t after_s = HOURS(9);
    (void)state;

    w.sb = sandbox_start(&w.host, w.ver, false);
    look_at(HOURS(11)); /* nothing newer is known */
    assert_false(sandbox_pool(w.sb)->outdated);
    spec_cache_renew(role.specs, &key, credentials_until(BEGAN_S + HOURS(18)));
    while (!sandbox_pool(w.sb)->outdated && after_s < HOURS(12))
        look_at(after_s += 60);
    assert_in_range(after_s, HOURS(10), HOURS(11));
}

static void newer_ones_are_for_sandboxes_that_begin_later(void **state)
{
    (void)state;
    spec_cache_renew(role.specs, &key, credentials_until(BEGAN_S + HOURS(18)));
    w.sb = sandbox_start(&w.host, w.ver, false);
    look_at(HOURS(12));
    assert_false(sandbox_pool(w.sb)->outdated);
}

static void what_is_not_ready_here_any_more_takes_nothing(void **state)
{
    const struct spec_key other = {STR("0"), STR("f"), STR("$LATEST"), 2};
    const struct spec_key unknown = {STR("0"), STR("g"), STR("$LATEST"), 1};
    (void)state;

    spec_cache_renew(role.specs, &other, credentials_until(1));
    spec_cache_renew(role.specs, &unknown, credentials_until(1));
    assert_int_equal(ready_version_spec(w.ver)->credentials->expires_s, BEGAN_S + HOURS(12));
}

#define ROLE_TEST(name) cmocka_unit_test_setup_teardown(name, roles_make, roles_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROLE_TEST(a_version_is_asked_for_once_half_of_its_time_is_over),
        ROLE_TEST(a_sandbox_gives_way_before_its_credentials_end),
        ROLE_TEST(newer_ones_are_for_sandboxes_that_begin_later),
        ROLE_TEST(what_is_not_ready_here_any_more_takes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
