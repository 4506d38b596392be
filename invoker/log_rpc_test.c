/* SPDX-License-Identifier: Apache-2.0 */
/* logs.read over a real link whose two ends are in this loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/clock.h"
#include "invoker/logs.h"

static char folder[] = "/tmp/hearth-log-rpc-XXXXXX";

static struct world {
    struct loop *loop;
    struct logs *logs;
    struct log_source *src;
    struct link_server *server;
    struct link *link;
    char *address;
    /* the last answer */
    int r;
    bool more;
    char *body;
} w;

static void on_server_up(struct link *link, const struct link_hello *peer, void *arg)
{
    (void)link;
    (void)peer;
    (void)arg;
}

static void on_client_up(struct link *link, const struct link_hello *peer, void *arg)
{
    (void)link;
    (void)peer;
    (void)arg;
    loop_stop(w.loop);
}

static void on_down(struct link *link, const struct error *why, void *arg)
{
    (void)link;
    (void)why;
    (void)arg;
}

static void on_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                      struct str head, void *arg)
{
    static const struct rpc_method methods[] = {{"logs.read", logs_rpc_read}, {NULL, NULL}};

    (void)link;
    (void)arg;
    assert_int_equal(kind, LINK_CALL);
    rpc_serve(w.loop, s, head, methods, w.logs);
}

static const struct link_ops server_ops = {
    .on_up = on_server_up, .on_stream = on_stream, .on_down = on_down};
static const struct link_ops client_ops = {.on_up = on_client_up, .on_down = on_down};

static int setup(void **state)
{
    const struct logs_options options = {.folder = folder, .node = "n1"};
    const struct log_identity id = {"1", "r", "hello", "1", "g", "s", "sb", FN_LOG_TRACE};
    const struct link_hello me = {.role = "gateway", .id = "g1"},
                            other = {.role = "invoker", .id = "n1"};

    (void)state;
    memset(&w, 0, sizeof(w));
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    if (!mkdtemp(folder))
        return -1;
    w.loop = loop_new();
    w.address = str_printf("unix:%s/link", folder);
    assert_int_equal(logs_new(w.loop, &options, &w.logs, NULL), 0);
    w.src = log_source_new(w.logs, &id, -1, -1);
    assert_int_equal(link_listen(w.loop, w.address, &other, &server_ops, NULL, &w.server, NULL), 0);
    assert_int_equal(link_connect(w.loop, w.address, &me, &client_ops, NULL, &w.link, NULL), 0);
    loop_run(w.loop);
    return 0;
}

static void on_closed(void *arg)
{
    loop_stop(arg);
}

static int teardown(void **state)
{
    (void)state;
    log_source_free(w.src);
    link_free(w.link);
    link_server_free(w.server);
    logs_close(w.logs, 0, on_closed, w.loop);
    loop_run(w.loop);
    loop_free(w.loop);
    free(w.address);
    free(w.body);
    return dir_remove(folder, NULL);
}

static void on_answer(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    (void)arg;
    free(w.body);
    w.body = str_dup(body);
    w.r = err ? -(int)err->code : 0;
    w.more = !err && cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(ok, "more"));
    loop_stop(w.loop);
}

static void ask(const char *json)
{
    cJSON *args = cJSON_Parse(json);

    assert_non_null(args);
    rpc_call(w.link, "logs.read", args, STR(""), SECONDS(10), on_answer, NULL);
    loop_run(w.loop);
    cJSON_Delete(args);
}

static void lines_that_were_just_printed_are_in_the_answer(void **state)
{
    const char *second;

    (void)state;
    assert_int_equal(log_source_begin(w.src, STR("r1"), false), 0);
    log_source_platform(w.src, STR("one"));
    assert_int_equal(log_source_begin(w.src, STR("r2"), false), 0);
    log_source_platform(w.src, STR("two"));
    log_source_platform(w.src, STR("three"));
    ask("{\"account\":\"1\",\"name\":\"hello\",\"request_id\":\"r2\"}");
    assert_int_equal(w.r, 0);
    assert_false(w.more);
    assert_null(strstr(w.body, "\"message\":\"one\"}\n"));
    assert_non_null(strstr(w.body, "\"message\":\"two\"}\n"));
    second = strstr(w.body, "\"message\":\"three\"}\n");
    assert_non_null(second);
    assert_int_equal(strlen(second), strlen("\"message\":\"three\"}\n"));
    ask("{\"account\":\"1\",\"name\":\"hello\",\"since_ms\":1,\"limit\":1}");
    assert_true(w.more);
    assert_non_null(strstr(w.body, "\"message\":\"one\"}\n"));
    ask("{\"account\":\"2\",\"name\":\"hello\"}");
    assert_int_equal(w.r, 0);
    assert_string_equal(w.body, "");
}

static void questions_that_make_no_sense_are_refused(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"account\":\"1\"}",
        "{\"account\":\"\",\"name\":\"hello\"}",
        "{\"account\":1,\"name\":\"hello\"}",
        "{\"account\":\"1\",\"name\":\"hello\",\"request_id\":7}",
        "{\"account\":\"1\",\"name\":\"hello\",\"since_ms\":-1}",
        "{\"account\":\"1\",\"name\":\"hello\",\"since_ms\":1.5}",
        "{\"account\":\"1\",\"name\":\"hello\",\"since_ms\":1e300}",
        "{\"account\":\"1\",\"name\":\"hello\",\"limit\":10001}",
        "{\"account\":\"1\",\"name\":\"hello\",\"limit\":\"1\"}",
    };
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(bad); i++) {
        ask(bad[i]);
        if (w.r != -ERR_BAD_REQUEST)
            fail_msg("%s gave %d", bad[i], w.r);
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_that_were_just_printed_are_in_the_answer),
        TEST(questions_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
