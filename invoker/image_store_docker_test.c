/* SPDX-License-Identifier: Apache-2.0 */
/* The engine is a script of answers; a real registry is met by the integration tests. */
#include "invoker/image_store_docker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/log.h"
#include "common/io/http_script.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define ANSWER(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body "\n"
#define VERSION ANSWER("200 OK", "{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}")
#define PULLED ANSWER("200 OK", "{\"status\":\"Digest: sha256:" HEX64 "\"}")
#define NO_IMAGE ANSWER("404 Not Found", "{\"message\":\"No such image\"}")
#define IMAGE(digests, architecture)                                                               \
    ANSWER("200 OK",                                                                               \
           "{\"Id\":\"sha256:" OTHER "\",\"RepoDigests\":" digests                                 \
           ",\"Architecture\":\"" architecture "\",\"Os\":\"linux\",\"Size\":4294967296,"          \
           "\"GraphDriver\":{\"Name\":\"overlay2\",\"Data\":{\"LowerDir\":\"/l/b:/l/c\","           \
           "\"UpperDir\":\"/l/a\"}},"                                                             \
           "\"Config\":{\"Entrypoint\":[\"/e\"],\"Cmd\":null,\"Env\":[\"A=1\"],"                   \
           "\"WorkingDir\":\"/w\",\"Volumes\":{\"/v\":{}}}}")
#if defined(__x86_64__)
#define OURS "amd64"
#define FOREIGN "arm64"
#else
#define OURS "arm64"
#define FOREIGN "amd64"
#endif

struct fixture {
    struct loop *loop;
    struct http_client *http;
    struct docker *docker;
    struct image_store *store;
    struct http_script script;
    struct image_info *info;
    struct error err;
    int done, expect;
};

static void begin(struct fixture *f, const char *const *answers)
{
    log_least = LOG_ERROR;
    *f = (struct fixture){.loop = loop_new(), .expect = 1};
    http_script_start(&f->script, answers);
    f->http = http_client_new(f->loop);
    f->docker = docker_new(
        &(struct docker_options){.loop = f->loop, .http = f->http, .socket = f->script.path});
    f->store = image_store_docker_new(f->loop, f->docker);
}

static void end(struct fixture *f)
{
    image_info_free(f->info);
    image_store_free(f->store);
    docker_free(f->docker);
    http_client_free(f->http);
    http_script_stop(&f->script);
    loop_free(f->loop);
}

static void on_image(const struct image_info *info, const struct error *err, void *arg)
{
    struct fixture *f = arg;

    image_info_free(f->info);
    f->info = info ? image_info_copy(info) : NULL;
    f->err = err ? *err : (struct error){0};
    if (++f->done == f->expect)
        loop_stop(f->loop);
}

static void prepare(struct fixture *f, const char *reference)
{
    f->expect = f->done + 1;
    image_prepare(f->store, reference, on_image, f);
    assert_int_equal(f->done, f->expect - 1);
    loop_run(f->loop);
}

static void test_a_tag_of_a_registry_is_pulled_each_time_and_run_by_digest(void **state)
{
    static const char *const answers[] = {
        VERSION,
        PULLED,
        IMAGE("[\"r.example/b@sha256:" OTHER "\",\"r.example/a@sha256:" HEX64 "\"]", OURS),
        PULLED,
        IMAGE("[\"r.example/a@sha256:" OTHER "\"]", OURS),
        NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    prepare(&f, "r.example/a:1");
    assert_non_null(f.info);
    assert_string_equal(f.info->reference, "r.example/a@sha256:" HEX64);
    assert_string_equal(f.info->digest, "sha256:" HEX64);
    assert_true(f.info->size_bytes == 4294967296u);
    assert_string_equal(f.info->entry_point[0], "/e");
    assert_null(f.info->command[0]);
    assert_string_equal(f.info->env[0], "A=1");
    assert_string_equal(f.info->working_directory, "/w");
    assert_string_equal(f.info->volumes[0], "/v");
    assert_null(f.info->volumes[1]);
    assert_string_equal(f.info->layers[0], "/l/a");
    assert_string_equal(f.info->layers[1], "/l/b");
    assert_string_equal(f.info->layers[2], "/l/c");
    assert_null(f.info->layers[3]);
    assert_non_null(strstr(f.script.seen[1], "/images/create?fromImage=r.example%2Fa&tag=1 "));
    prepare(&f, "r.example/a:1");
    assert_string_equal(f.info->reference, "r.example/a@sha256:" OTHER);
    end(&f);
}

static void test_a_digest_that_is_here_and_a_local_name_are_not_pulled(void **state)
{
    static const char *const answers[] = {
        VERSION, IMAGE("[\"r.example/a@sha256:" OTHER "\",\"r.example/a@sha256:" HEX64 "\"]", OURS),
        IMAGE("[]", OURS), IMAGE("null", OURS), NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    prepare(&f, "r.example/a:1@sha256:" HEX64);
    assert_string_equal(f.info->reference, "r.example/a@sha256:" HEX64);
    assert_non_null(strstr(f.script.seen[1], "/images/r.example/a@sha256:" HEX64 "/json "));
    prepare(&f, "hearth/python:3.13");
    assert_string_equal(f.info->reference, "sha256:" OTHER);
    assert_string_equal(f.info->digest, "sha256:" OTHER);
    prepare(&f, "sha256:" OTHER);
    assert_string_equal(f.info->reference, "sha256:" OTHER);
    end(&f);
}

static void test_what_is_not_here_is_pulled_once(void **state)
{
    static const char *const answers[] = {VERSION, NO_IMAGE, PULLED,
                                          IMAGE("[\"a@sha256:" HEX64 "\"]", OURS), NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    f.expect = 3;
    image_prepare(f.store, "a:1", on_image, &f);
    image_prepare(f.store, "a:1", on_image, &f);
    image_prepare(f.store, "a:1", on_image, &f);
    loop_run(f.loop);
    assert_int_equal(f.script.n, 4);
    assert_string_equal(f.info->reference, "a@sha256:" HEX64);
    end(&f);
}

static void test_failures_speak_aws(void **state)
{
    static const char *const answers[] = {
        VERSION,
        ANSWER("404 Not Found", "{\"message\":\"manifest for r.example/a:1 not found\"}"),
        ANSWER("500 Oh", "{\"message\":\"Head https://r.example: no basic auth credentials\"}"),
        ANSWER("500 Oh", "{\"message\":\"dial tcp 192.0.2.1:443: connect: connection refused\"}"),
        NO_IMAGE,
        IMAGE("[]", FOREIGN),
        NULL};
    static const struct {
        const char *reference;
        enum error_code code;
        const char *words;
    } rows[] = {
        {"r.example/a:1", ERR_BAD_REQUEST,
         "InvalidImage: Source image r.example/a:1 does not exist. Provide a valid source image."},
        {"r.example/a:1", ERR_BAD_REQUEST, "ImageAccessDenied: "},
        {"r.example/a:1", ERR_UNAVAILABLE, "InternalError: "},
        {"sha256:" HEX64, ERR_BAD_REQUEST, "ImageDeleted: "},
        {"local", ERR_BAD_REQUEST, "InvalidImage: The image local is for linux/" FOREIGN},
        {"no reference", ERR_BAD_REQUEST, "InvalidImage: "},
    };
    struct fixture f;
    size_t i;

    (void)state;
    begin(&f, answers);
    for (i = 0; i < ARRAY_LEN(rows); i++) {
        prepare(&f, rows[i].reference);
        assert_null(f.info);
        assert_int_equal(f.err.code, rows[i].code);
        if (strncmp(f.err.msg, rows[i].words, strlen(rows[i].words)) != 0)
            fail_msg("row %zu: %s", i, f.err.msg);
    }
    end(&f);
}

static void test_a_base_image_that_was_not_built_is_never_pulled(void **state)
{
    static const char *const answers[] = {VERSION, NO_IMAGE,           NO_IMAGE,
                                          PULLED,  IMAGE("[]", OURS), NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    prepare(&f, "hearth/nodejs:20");
    assert_null(f.info);
    assert_int_equal(f.err.code, ERR_BAD_REQUEST);
    assert_string_equal(f.err.msg, "InvalidImage: The image hearth/nodejs:20 is not on this node; "
                                   "build it with images/build.sh nodejs:20");
    assert_int_equal(f.script.n, 2);
    prepare(&f, "hearthlike:1"); /* another name is pulled as ever: the script's next answers */
    assert_int_equal(f.script.n, 5);
    end(&f);
}

static void on_resolved(const char *reference, const char *digest, const struct error *err,
                        void *arg)
{
    struct image_info info = {.reference = (char *)reference,
                              .digest = (char *)digest,
                              .architecture = (char *)"",
                              .working_directory = (char *)""};

    on_image(err ? NULL : &info, err, arg);
}

static void resolve(struct fixture *f, const char *reference)
{
    f->expect = f->done + 1;
    image_resolve(f->store, reference, on_resolved, f);
    assert_int_equal(f->done, f->expect - 1);
    loop_run(f->loop);
}

#define DISTRIBUTION ANSWER("200 OK", "{\"Descriptor\":{\"digest\":\"sha256:" HEX64 "\"}}")
#define UNKNOWN ANSWER("404 Not Found", "{\"message\":\"manifest unknown: manifest unknown\"}")
#define DENIED ANSWER("500 Oh", "{\"message\":\"Head https://r: no basic auth credentials\"}")
#define AWAY ANSWER("500 Oh", "{\"message\":\"Get https://r: connect: connection refused\"}")

static void test_what_a_reference_is_now_is_told_without_a_pull(void **state)
{
    static const struct {
        const char *reference;
        const char *answers[4];
        const char *found; /* its end is the digest */
        const char *seen; /* the last path asked for */
    } rows[] = {
        {"r.example/a:1", {VERSION, DISTRIBUTION}, "r.example/a@sha256:" HEX64,
         "/distribution/r.example/a:1/json "},
        {"hearth/mine:1", {VERSION, IMAGE("[]", OURS)}, "sha256:" OTHER,
         "/images/hearth/mine:1/json "},
        {"here:1", {VERSION, IMAGE("[\"here@sha256:" HEX64 "\"]", FOREIGN)}, "here@sha256:" HEX64,
         "/images/here:1/json "},
        {"else:1", {VERSION, NO_IMAGE, DISTRIBUTION}, "else@sha256:" HEX64,
         "/distribution/else:1/json "},
        {"r.example/a:1@sha256:" HEX64, {VERSION, NO_IMAGE, DISTRIBUTION},
         "r.example/a@sha256:" HEX64, "/distribution/r.example/a@sha256:" HEX64 "/json "},
        {"r.example/a@sha256:" OTHER, {VERSION, NO_IMAGE, AWAY}, "r.example/a@sha256:" OTHER,
         "/distribution/r.example/a@sha256:" OTHER "/json "},
        {"sha256:" OTHER, {VERSION, IMAGE("[]", OURS)}, "sha256:" OTHER,
         "/images/sha256:" OTHER "/json "},
    };
    struct fixture f;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(rows); i++) {
        begin(&f, rows[i].answers);
        resolve(&f, rows[i].reference);
        assert_non_null(f.info);
        assert_string_equal(f.info->reference, rows[i].found);
        assert_string_equal(f.info->digest, strstr(rows[i].found, "sha256:"));
        assert_non_null(strstr(f.script.seen[f.script.n - 1], rows[i].seen));
        end(&f);
    }
}

static void test_what_cannot_be_resolved_says_why(void **state)
{
    static const struct {
        const char *reference;
        const char *answers[4];
        enum error_code code;
        const char *words;
    } rows[] = {
        {"r.example/a:1", {VERSION, UNKNOWN}, ERR_BAD_REQUEST,
         "InvalidImage: Source image r.example/a:1 does not exist. Provide a valid source image."},
        {"r.example/a:1", {VERSION, DENIED}, ERR_BAD_REQUEST, "ImageAccessDenied: "},
        {"r.example/a:1", {VERSION, AWAY}, ERR_UNAVAILABLE, "InternalError: "},
        {"r.example/a:1",
         {VERSION, ANSWER("400 No", "{\"message\":\"invalid reference format\"}")},
         ERR_BAD_REQUEST,
         "InvalidImage: Source image r.example/a:1 is not valid. Provide a valid source image."},
        {"r.example/a:1",
         {VERSION, ANSWER("200 OK", "{\"Descriptor\":{\"digest\":\"md5:1\"}}")},
         ERR_UNAVAILABLE, "InternalError: "},
        {"sha256:" HEX64, {VERSION, NO_IMAGE}, ERR_BAD_REQUEST, "ImageDeleted: "},
        {"hearth/nodejs:20", {VERSION, NO_IMAGE}, ERR_BAD_REQUEST,
         "InvalidImage: The image hearth/nodejs:20 is not on"},
        {"r.example/a@sha256:" HEX64, {VERSION, NO_IMAGE, UNKNOWN}, ERR_BAD_REQUEST,
         "ImageDeleted: "},
        {"no reference", {NULL}, ERR_BAD_REQUEST,
         "InvalidImage: Source image no reference is not valid. Provide a valid source image."},
    };
    struct fixture f;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(rows); i++) {
        begin(&f, rows[i].answers);
        resolve(&f, rows[i].reference);
        assert_null(f.info);
        if (f.err.code != rows[i].code ||
            strncmp(f.err.msg, rows[i].words, strlen(rows[i].words)) != 0)
            fail_msg("row %zu: %s", i, f.err.msg);
        end(&f);
    }
}

static void test_resolving_and_preparing_one_reference_are_apart(void **state)
{
    static const char *const answers[] = {
        VERSION, DISTRIBUTION, PULLED, IMAGE("[\"r.example/a@sha256:" HEX64 "\"]", OURS), NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    f.expect = 3;
    image_resolve(f.store, "r.example/a:1", on_resolved, &f);
    image_prepare(f.store, "r.example/a:1", on_image, &f);
    image_resolve(f.store, "r.example/a:1", on_resolved, &f);
    loop_run(f.loop);
    assert_int_equal(f.script.n, 4); /* those who resolve share one question */
    end(&f);
}

static void test_freeing_the_store_drops_those_who_wait(void **state)
{
    static const char *const answers[] = {VERSION, "HTTP/1.1 200 OK\r\nX-Hang: 1\r\n\r\n", NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    image_prepare(f.store, "r.example/a:1", on_image, &f);
    image_prepare(f.store, "no reference", on_image, &f);
    image_resolve(f.store, "no reference", on_resolved, &f);
    image_resolve(f.store, "r.example/a:1", on_resolved, &f);
    end(&f);
    assert_int_equal(f.done, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tag_of_a_registry_is_pulled_each_time_and_run_by_digest),
        cmocka_unit_test(test_a_digest_that_is_here_and_a_local_name_are_not_pulled),
        cmocka_unit_test(test_what_is_not_here_is_pulled_once),
        cmocka_unit_test(test_failures_speak_aws),
        cmocka_unit_test(test_a_base_image_that_was_not_built_is_never_pulled),
        cmocka_unit_test(test_what_a_reference_is_now_is_told_without_a_pull),
        cmocka_unit_test(test_what_cannot_be_resolved_says_why),
        cmocka_unit_test(test_resolving_and_preparing_one_reference_are_apart),
        cmocka_unit_test(test_freeing_the_store_drops_those_who_wait),
    };

    return cmocka_run_group_tests_name("image_store_docker", tests, NULL, NULL);
}
