/* SPDX-License-Identifier: Apache-2.0 */
/* Against a real redis-server of our own: a Unix socket in a temporary folder, no TCP port. */
#include "common/io/redis.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/io/redis_url.h"

#define WAIT_US SECONDS(20) /* for what takes milliseconds on an idle machine */
#define SERVER "/usr/bin/redis-server"

static char dir[64];
static pid_t server = -1;
static struct loop *loop;
static struct redis *r;
static uint64_t patience_us;

/* What came back last. */
static struct {
    unsigned answers, ups, downs;
    enum error_code code;
    char text[256];
    int64_t integer;
    size_t len;
    enum redis_reply_type type;
    char why[ERROR_MSG_MAX];
    enum error_code why_code;
} got;

static bool late;

static void on_late(void *arg)
{
    (void)arg;
    late = true;
    loop_stop(loop);
}

/* Runs the loop until *@what is at least @least. */
static void wait_until(const unsigned *what, unsigned least)
{
    struct timer guard;

    late = false;
    timer_init(&guard, loop, on_late, NULL);
    timer_start(&guard, WAIT_US);
    while (*what < least && !late)
        loop_run(loop);
    timer_stop(&guard);
    assert_false(late);
}

static void on_answer(const struct redis_value *value, const struct error *err, void *arg)
{
    (void)arg;
    got.answers++;
    got.code = err ? err->code : ERR_OK;
    got.text[0] = '\0';
    if (err) {
        snprintf(got.text, sizeof(got.text), "%.200s", err->msg);
    } else {
        got.type = value->type;
        got.integer = value->integer;
        got.len = value->len;
        snprintf(got.text, sizeof(got.text), "%.*s", STR_ARG(value->str));
        if (value->type == REDIS_ARRAY && value->len)
            snprintf(got.text, sizeof(got.text), "%.*s", STR_ARG(value->items[0].str));
    }
    loop_stop(loop);
}

static void on_state(bool up, const struct error *why, void *arg)
{
    (void)arg;
    if (up) {
        got.ups++;
    } else {
        got.downs++;
        got.why_code = why->code;
        snprintf(got.why, sizeof(got.why), "%s", why->msg);
    }
    loop_stop(loop);
}

/* Whether something listens on the server's socket. */
static bool server_listens(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), bad;

    snprintf(to.sun_path, sizeof(to.sun_path), "%s/s", dir);
    bad = connect(fd, (struct sockaddr *)&to, sizeof(to));
    close(fd);
    return bad == 0;
}

static void server_start(const char *password)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    uint64_t end = now_us() + WAIT_US;
    char sock[96];
    int fd;

    snprintf(sock, sizeof(sock), "%s/s", dir);
    server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        fd = open("/dev/null", O_WRONLY);
        dup2(fd, 1);
        dup2(fd, 2);
        execl(SERVER, SERVER, "--port", "0", "--unixsocket", sock, "--dir", dir, "--save", "",
              "--enable-debug-command", "yes", "--daemonize", "no",
              password ? "--requirepass" : (char *)NULL, password, (char *)NULL);
        _exit(127);
    }
    while (!server_listens() && now_us() < end)
        nanosleep(&pause, NULL);
    assert_true(server_listens());
}

static void server_stop(void)
{
    if (server < 0)
        return;
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    server = -1;
}

static void connect_with(const char *query, uint64_t timeout_us)
{
    struct redis_options options = {
        .command_timeout_us = timeout_us, .patience_us = patience_us, .on_state = on_state};
    struct error err;
    char url[160];

    memset(&got, 0, sizeof(got));
    snprintf(url, sizeof(url), "unix:%s/s%s", dir, query);
    options.url = url;
    assert_int_equal(redis_new(loop, &options, &r, &err), 0);
}

static void run(const char *line)
{
    struct str rest = str_of(line), words[16];
    size_t n = 0;

    while (n < ARRAY_LEN(words) && str_split(&rest, ' ', &words[n]))
        n++;
    redis_command(r, words, n, on_answer, NULL);
}

static void run_and_wait(const char *line)
{
    unsigned before = got.answers;

    run(line);
    assert_int_equal(got.answers, before); /* never inside the call */
    wait_until(&got.answers, before + 1);
}

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/hearth-redis-test-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    loop = loop_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    redis_free(r);
    r = NULL;
    loop_free(loop);
    server_stop();
    return dir_remove(dir, NULL);
}

static void need_server(void)
{
    if (access(SERVER, X_OK) == 0)
        return;
    print_message("skipped: there is no %s\n", SERVER);
    skip();
}

/* ---- tests ---- */

static void commands_are_answered_with_their_values(void **state)
{
    (void)state;
    need_server();
    server_start(NULL);
    connect_with("?db=3", SECONDS(10));
    wait_until(&got.ups, 1);
    assert_true(redis_is_up(r));
    run_and_wait("SET k v");
    assert_int_equal(got.code, ERR_OK);
    assert_string_equal(got.text, "OK");
    run_and_wait("GET k");
    assert_int_equal(got.type, REDIS_STRING);
    assert_string_equal(got.text, "v");
    run_and_wait("GET nothing");
    assert_int_equal(got.type, REDIS_NIL);
    run_and_wait("INCRBY n 42");
    assert_int_equal(got.type, REDIS_INTEGER);
    assert_int_equal(got.integer, 42);
    run_and_wait("MGET k n");
    assert_int_equal(got.type, REDIS_ARRAY);
    assert_int_equal(got.len, 2);
    run_and_wait("NOSUCHCOMMAND");
    assert_int_equal(got.code, ERR_INTERNAL);
    run_and_wait("INCR k");
    assert_int_equal(got.code, ERR_INTERNAL);
    assert_non_null(strstr(got.text, "not an integer"));
}

static void many_commands_at_once_are_answered_in_order(void **state)
{
    unsigned i;

    (void)state;
    need_server();
    server_start(NULL);
    connect_with("", SECONDS(10));
    wait_until(&got.ups, 1);
    for (i = 0; i < 1000; i++)
        run("INCR n");
    wait_until(&got.answers, 1000);
    assert_int_equal(got.code, ERR_OK);
    assert_int_equal(got.integer, 1000);
}

static struct redis_script script = {.name = "test",
                                     .source = "return {KEYS[1] .. ARGV[1] .. ARGV[2], 2}"};

static void eval(void)
{
    struct str key = STR("key"), args[] = {STR("-a"), STR("-b")};
    unsigned before = got.answers;

    redis_eval(r, &script, &key, 1, args, 2, on_answer, NULL);
    wait_until(&got.answers, before + 1);
    assert_int_equal(got.code, ERR_OK);
    assert_string_equal(got.text, "key-a-b");
}

static void scripts_survive_a_flush_and_a_restart_of_the_server(void **state)
{
    (void)state;
    need_server();
    server_start(NULL);
    connect_with("", SECONDS(10));
    wait_until(&got.ups, 1);
    eval();
    eval();
    run_and_wait("SCRIPT FLUSH");
    eval();
    server_stop();
    wait_until(&got.downs, 1);
    server_start(NULL);
    wait_until(&got.ups, 2);
    eval();
}

static void eval_guarded(struct redis_script *s, enum error_code code)
{
    struct str keys[] = {STR("k"), STR("l")}, args[] = {STR("a")};
    unsigned before = got.answers;

    redis_eval(r, s, keys, 2, args, 1, on_answer, NULL);
    wait_until(&got.answers, before + 1);
    assert_int_equal(got.code, code);
}

static void a_guard_holds_scripts_back_and_is_not_seen_by_them(void **state)
{
    static struct redis_script set = {
        .name = "set",
        .source = "redis.call('SET', KEYS[1], ARGV[1]) return #KEYS .. #ARGV"};
    static struct redis_script open = {
        .name = "open", .source = "return #KEYS .. #ARGV", .is_free = true};

    (void)state;
    need_server();
    server_start(NULL);
    connect_with("", SECONDS(10));
    wait_until(&got.ups, 1);
    redis_guard_set(r, "term", "7");
    eval_guarded(&set, ERR_UNAVAILABLE); /* there is no such key */
    eval_guarded(&open, ERR_OK);
    run_and_wait("EXISTS k");
    assert_int_equal(got.integer, 0);
    run_and_wait("SET term 7");
    eval_guarded(&set, ERR_OK);
    assert_string_equal(got.text, "21");
    run_and_wait("GET k");
    assert_string_equal(got.text, "a");
    run_and_wait("SET term 8");
    eval_guarded(&set, ERR_UNAVAILABLE);
    assert_non_null(strstr(got.text, "DEPOSED"));
    redis_guard_set(r, "term", "8");
    eval_guarded(&set, ERR_OK);
    redis_guard_set(r, NULL, NULL);
    run_and_wait("SET term 9");
    eval_guarded(&set, ERR_OK);
    assert_string_equal(got.text, "21");
}

static void a_killed_server_is_told_once_and_reconnected_to(void **state)
{
    unsigned i;

    (void)state;
    need_server();
    server_start(NULL);
    connect_with("", SECONDS(10));
    wait_until(&got.ups, 1);
    run_and_wait("PING");
    server_stop();
    wait_until(&got.downs, 1);
    assert_false(redis_is_up(r));
    assert_int_equal(got.why_code, ERR_UNAVAILABLE);
    for (i = 0; i < 5; i++) {
        run_and_wait("PING");
        assert_int_equal(got.code, ERR_UNAVAILABLE);
    }
    server_start(NULL);
    wait_until(&got.ups, 2);
    assert_int_equal(got.downs, 1);
    run_and_wait("PING");
    assert_int_equal(got.code, ERR_OK);
}

static void commands_under_way_fail_when_the_server_dies(void **state)
{
    (void)state;
    need_server();
    server_start(NULL);
    connect_with("", SECONDS(10));
    wait_until(&got.ups, 1);
    kill(server, SIGSTOP);
    run("PING");
    run("PING");
    server_stop();
    wait_until(&got.answers, 2);
    assert_int_equal(got.code, ERR_UNAVAILABLE);
}

static void a_server_that_is_not_there_is_told_once(void **state)
{
    (void)state;
    need_server();
    connect_with("", SECONDS(10));
    run_and_wait("PING"); /* before the first try */
    assert_int_equal(got.code, ERR_UNAVAILABLE);
    wait_until(&got.downs, 1);
    server_start(NULL);
    wait_until(&got.ups, 1);
    assert_int_equal(got.downs, 1);
}

static void with_patience_commands_wait_for_the_connection(void **state)
{
    unsigned i;

    (void)state;
    need_server();
    patience_us = SECONDS(10);
    server_start(NULL);
    connect_with("", SECONDS(10));
    for (i = 0; i < 3; i++)
        run("INCR n"); /* nothing is connected yet */
    wait_until(&got.answers, 3);
    assert_int_equal(got.integer, 3);
    server_stop();
    wait_until(&got.downs, 1);
    run("SET k v");
    server_start(NULL);
    wait_until(&got.answers, 4);
    assert_int_equal(got.code, ERR_OK);
    server_stop();
    redis_free(r);
    patience_us = MSEC(100); /* and no longer */
    connect_with("", SECONDS(10));
    run("PING");
    wait_until(&got.answers, 1);
    assert_int_equal(got.code, ERR_UNAVAILABLE);
    run_and_wait("PING");
    assert_int_equal(got.code, ERR_UNAVAILABLE);
    patience_us = 0;
}

static void a_password_logs_in(void **state)
{
    (void)state;
    need_server();
    server_start("p w@%");
    connect_with("?password=p%20w@%25&user=default", SECONDS(10));
    wait_until(&got.ups, 1);
    run_and_wait("PING");
    assert_int_equal(got.code, ERR_OK);
}

static void a_wrong_password_is_told_and_never_shown(void **state)
{
    (void)state;
    need_server();
    server_start("right");
    connect_with("?password=sEcReT", SECONDS(10));
    wait_until(&got.downs, 1);
    assert_int_equal(got.why_code, ERR_ACCESS_DENIED);
    assert_null(strstr(got.why, "sEcReT"));
    assert_int_equal(got.ups, 0);
    run_and_wait("PING");
    assert_int_equal(got.code, ERR_UNAVAILABLE);
}

static void a_missing_password_is_told(void **state)
{
    (void)state;
    need_server();
    server_start("right");
    connect_with("", SECONDS(10));
    wait_until(&got.downs, 1);
    assert_int_equal(got.why_code, ERR_ACCESS_DENIED);
    assert_int_equal(got.ups, 0);
}

static void a_silent_server_times_out_and_comes_back(void **state)
{
    uint64_t begin;

    (void)state;
    need_server();
    server_start(NULL);
    connect_with("", MSEC(300));
    wait_until(&got.ups, 1);
    run("CLIENT PAUSE 1500 ALL");
    begin = now_us();
    run("GET k"); /* its answer waits for the pause to end */
    wait_until(&got.answers, 2);
    assert_int_equal(got.code, ERR_TIMEOUT);
    assert_in_range(now_us() - begin, MSEC(290), WAIT_US);
    wait_until(&got.downs, 1);
    wait_until(&got.ups, 2);
    run_and_wait("PING");
    assert_int_equal(got.code, ERR_OK);
}

static void a_busy_server_times_out(void **state)
{
    (void)state;
    need_server();
    server_start(NULL);
    connect_with("", MSEC(200));
    wait_until(&got.ups, 1);
    run_and_wait("DEBUG SLEEP 1");
    assert_int_equal(got.code, ERR_TIMEOUT);
    wait_until(&got.ups, 2);
}

static void on_answer_free(const struct redis_value *value, const struct error *err, void *arg)
{
    on_answer(value, err, arg);
    redis_free(r);
    r = NULL;
}

static void free_ends_what_waits_and_works_in_a_callback(void **state)
{
    struct str ping = STR("PING");

    (void)state;
    need_server();
    server_start(NULL);
    connect_with("", SECONDS(10));
    wait_until(&got.ups, 1);
    redis_command(r, &ping, 1, on_answer_free, NULL);
    run("PING");
    run("PING");
    wait_until(&got.answers, 3);
    assert_int_equal(got.ups, 1);
    connect_with("", SECONDS(10));
    wait_until(&got.ups, 1);
    run("PING");
    redis_free(r);
    r = NULL;
    assert_int_equal(got.answers, 1);
    assert_int_equal(got.code, ERR_CLOSED);
}

/* ---- the URL, without a server ---- */

static void urls_are_read(void **state)
{
    struct redis_address a;
    char *text;

    (void)state;
    assert_int_equal(redis_url_parse(STR("redis://cache"), &a, NULL), 0);
    assert_string_equal(a.host, "cache");
    assert_int_equal(a.port, 6379);
    assert_null(a.password);
    redis_address_done(&a);

    assert_int_equal(redis_url_parse(STR("redis://u:p%40@x@[::1]:7000/12"), &a, NULL), 0);
    assert_string_equal(a.host, "::1");
    assert_int_equal(a.port, 7000);
    assert_int_equal(a.db, 12);
    assert_string_equal(a.user, "u");
    assert_string_equal(a.password, "p@@x");
    text = redis_address_text(&a);
    assert_string_equal(text, "[::1]:7000");
    free(text);
    redis_address_done(&a);

    assert_int_equal(redis_url_parse(STR("unix:/run/r.sock?db=2&password=a"), &a, NULL), 0);
    assert_string_equal(a.unix_path, "/run/r.sock");
    assert_int_equal(a.db, 2);
    assert_string_equal(a.password, "a");
    redis_address_done(&a);
}

static void urls_that_are_none_are_refused_without_being_repeated(void **state)
{
    static const char *const bad[] = {"",
                                      "http://x",
                                      "redis://",
                                      "redis://:sEcReT@",
                                      "redis://h:0",
                                      "redis://h:70000",
                                      "redis://h/x",
                                      "redis://[::1",
                                      "redis://u:@h",
                                      "redis://sEcReT@h",
                                      "redis://:%zz@h",
                                      "redis://:%00@h",
                                      "unix:",
                                      "unix:run/x",
                                      "unix:/x?y=sEcReT",
                                      "unix:/x?db=-1"};
    struct redis_address a;
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(redis_url_parse(str_of(bad[i]), &a, &err), -ERR_CONFIG);
        assert_null(strstr(err.msg, "sEcReT"));
    }
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(commands_are_answered_with_their_values),
        LIVE(many_commands_at_once_are_answered_in_order),
        LIVE(scripts_survive_a_flush_and_a_restart_of_the_server),
        LIVE(a_guard_holds_scripts_back_and_is_not_seen_by_them),
        LIVE(a_killed_server_is_told_once_and_reconnected_to),
        LIVE(commands_under_way_fail_when_the_server_dies),
        LIVE(a_server_that_is_not_there_is_told_once),
        LIVE(with_patience_commands_wait_for_the_connection),
        LIVE(a_password_logs_in),
        LIVE(a_wrong_password_is_told_and_never_shown),
        LIVE(a_missing_password_is_told),
        LIVE(a_silent_server_times_out_and_comes_back),
        LIVE(a_busy_server_times_out),
        LIVE(free_ends_what_waits_and_works_in_a_callback),
        cmocka_unit_test(urls_are_read),
        cmocka_unit_test(urls_that_are_none_are_refused_without_being_repeated),
    };

    return cmocka_run_group_tests_name("redis", tests, NULL, NULL);
}
