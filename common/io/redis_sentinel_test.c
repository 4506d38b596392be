/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis client against real servers that change their roles: a master, its replica, a sentinel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/io/redis.h"
#include "common/io/redis_url.h"
#include "common/io/redis_votes.h"

#define SERVER "/usr/bin/redis-server"
#define WAIT_US SECONDS(30)

/* A process on a port of its own. */
struct server {
    pid_t pid;
    unsigned port;
};

static char dir[64];
static struct server primary, replica, sentinel;
static struct loop *loop;
static struct redis *r;
static struct redis_votes *votes;
static struct {
    unsigned ups, downs, answers;
    enum error_code code;
    char text[300], why[1100];
} got;

/* ---- servers ---- */

static unsigned free_port(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(to);

    assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &len), 0);
    close(fd);
    return ntohs(to.sin_port);
}

static bool answers(const struct server *s)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)s->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), bad;

    bad = connect(fd, (struct sockaddr *)&to, sizeof(to));
    close(fd);
    return bad == 0;
}

static void run_server(struct server *s, const char *const *argv)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    uint64_t end = now_us() + WAIT_US;
    int fd;

    s->pid = fork();
    if (s->pid == 0) {
        fd = open("/dev/null", O_WRONLY);
        dup2(fd, 1);
        dup2(fd, 2);
        execv(SERVER, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    while (!answers(s) && now_us() < end)
        nanosleep(&pause, NULL);
    assert_true(answers(s));
}

static void start_redis(struct server *s, const struct server *of)
{
    CLEANUP(freep) char *port = str_printf("%u", s->port = s->port ? s->port : free_port());
    CLEANUP(freep) char *of_port = str_printf("%u", of ? of->port : 0);
    const char *argv[] = {SERVER,   "--port",     port,  "--bind",     "127.0.0.1", "--dir", dir,
                          "--save", "",           "--repl-diskless-sync-delay",     "0",
                          of ? "--replicaof" : NULL, "127.0.0.1", of_port, NULL};

    run_server(s, argv);
}

static void start_sentinel(void)
{
    CLEANUP(freep) char *file = str_printf("%s/sentinel.conf", dir);
    CLEANUP(freep) char *text = NULL;
    const char *argv[] = {SERVER, file, "--sentinel", NULL};

    sentinel.port = free_port();
    text = str_printf("port %u\nbind 127.0.0.1\ndir %s\n"
                      "sentinel monitor main 127.0.0.1 %u 1\n"
                      "sentinel down-after-milliseconds main 300\n"
                      "sentinel failover-timeout main 2000\n",
                      sentinel.port, dir, primary.port);
    assert_int_equal(file_write_atomic(file, str_of(text), 0600, NULL), 0);
    run_server(&sentinel, argv);
}

static void stop(struct server *s)
{
    if (s->pid <= 0)
        return;
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

/* ---- the client ---- */

static void on_state(bool up, const struct error *why, void *arg)
{
    (void)arg;
    if (up) {
        got.ups++;
    } else {
        got.downs++;
        snprintf(got.why, sizeof(got.why), "%s", why->msg);
    }
    loop_stop(loop);
}

static void on_answer(const struct redis_value *value, const struct error *err, void *arg)
{
    (void)arg;
    got.answers++;
    got.code = err ? err->code : ERR_OK;
    snprintf(got.text, sizeof(got.text), "%.*s", STR_ARG(err ? str_of(err->msg) : value->str));
    loop_stop(loop);
}

static void on_tick(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void turn(void)
{
    struct timer tick;

    timer_init(&tick, loop, on_tick, NULL);
    timer_start(&tick, MSEC(20));
    loop_run(loop);
    timer_stop(&tick);
}

#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        uint64_t until_ = now_us() + WAIT_US;                                                      \
        while (!(condition)) {                                                                     \
            if (now_us() > until_)                                                                 \
                fail_msg("waited too long for %s; %s", #condition, got.why);                       \
            turn();                                                                                \
        }                                                                                          \
    } while (0)

static void connect_to(const char *url)
{
    struct redis_options options = {
        .url = url, .command_timeout_us = SECONDS(2), .on_state = on_state};

    assert_int_equal(redis_new(loop, &options, &r, NULL), 0);
}

/* Words with blanks between; true when Redis has done it. */
static bool command(const char *text)
{
    struct str words[8], rest = str_of(text);
    unsigned before = got.answers;
    size_t n = 0;

    while (n < ARRAY_LEN(words) && str_split(&rest, ' ', &words[n]))
        n++;
    redis_command(r, words, n, on_answer, NULL);
    WAIT_FOR(got.answers > before);
    return got.code == ERR_OK;
}

/* Whether the replica has all that was written; so that what is promoted has it. */
static bool has_replica(void)
{
    return command("WAIT 1 1000") && command("INFO replication") &&
           strstr(got.text, "connected_slaves:1");
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/hearth-sentinel-XXXXXX");
    memset(&got, 0, sizeof(got));
    primary = replica = sentinel = (struct server){0};
    loop = loop_new();
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    redis_votes_free(votes);
    votes = NULL;
    redis_free(r);
    r = NULL;
    loop_free(loop);
    stop(&sentinel);
    stop(&replica);
    stop(&primary);
    dir_remove(dir, NULL);
    return 0;
}

static void need_server(void)
{
    if (access(SERVER, X_OK) == 0)
        return;
    print_message("skipped: there is no " SERVER "\n");
    skip();
}

/* ---- tests ---- */

static void the_sentinels_are_asked_in_turn_and_their_choice_is_followed(void **state)
{
    CLEANUP(freep) char *url = NULL;

    (void)state;
    need_server();
    start_redis(&primary, NULL);
    start_redis(&replica, &primary);
    start_sentinel();
    /* one is a port where nobody is, one a Redis, which knows nothing of masters; names are looked up */
    url = str_printf("sentinel://127.0.0.1:%u,localhost:%u,localhost:%u/main/1", free_port(),
                     primary.port, sentinel.port);
    connect_to(url);
    WAIT_FOR(got.ups == 1);
    WAIT_FOR(has_replica());
    assert_true(command("SET k before"));
    WAIT_FOR(has_replica());
    stop(&primary);
    WAIT_FOR(got.ups == 2);
    assert_int_equal(got.downs, 1);
    assert_true(command("GET k"));
    assert_string_equal(got.text, "before");
    assert_true(command("SET k after"));
}

static void a_master_that_nobody_knows_is_told(void **state)
{
    CLEANUP(freep) char *url = NULL;

    (void)state;
    need_server();
    start_redis(&primary, NULL);
    start_sentinel();
    url = str_printf("sentinel://:sEcReT@127.0.0.1:%u/other", sentinel.port);
    connect_to(url);
    WAIT_FOR(got.downs == 1);
    assert_non_null(strstr(got.why, "other"));
    assert_non_null(strstr(got.why, "knows no master of this name"));
    assert_null(strstr(got.why, "sEcReT"));
    assert_int_equal(got.ups, 0);
}

static void a_silent_sentinel_is_passed_over(void **state)
{
    CLEANUP(freep) char *url = NULL;
    struct server silent = {0};

    (void)state;
    need_server();
    start_redis(&primary, NULL);
    start_sentinel();
    start_redis(&silent, NULL);
    kill(silent.pid, SIGSTOP);
    url = str_printf("sentinel://127.0.0.1:%u,127.0.0.1:%u/main", sentinel.port, silent.port);
    connect_to(url); /* begins with the second one */
    WAIT_FOR(got.ups == 1);
    assert_int_equal(got.downs, 0);
    stop(&silent);
}

/* The sentinel has another master of that name from now on. */
static void sentinel_names(const struct server *other)
{
    CLEANUP(freep)
    char *line = str_printf("redis-cli -p %u SENTINEL REMOVE main >/dev/null && "
                            "redis-cli -p %u SENTINEL MONITOR main 127.0.0.1 %u 1 >/dev/null",
                            sentinel.port, sentinel.port, other->port);

    assert_int_equal(system(line), 0);
}

static void a_redis_that_most_sentinels_name_is_told_from_one_that_they_do_not(void **state)
{
    CLEANUP(freep) char *url = NULL;
    uint64_t end;

    (void)state;
    need_server();
    start_redis(&primary, NULL);
    start_redis(&replica, NULL); /* a master too: one that has been promoted on the other side */
    start_sentinel();
    url = str_printf("sentinel://127.0.0.1:%u/main", sentinel.port);
    connect_to(url);
    assert_int_equal(redis_votes_new(loop, url, r, &votes, NULL), 0);
    assert_true(redis_votes_age_us(votes) == UINT64_MAX);
    WAIT_FOR(redis_votes_age_us(votes) < SECONDS(1));
    for (end = now_us() + SECONDS(3); now_us() < end; turn())
        assert_true(redis_votes_age_us(votes) < SECONDS(2)); /* asked again and again */
    assert_int_equal(got.downs, 0);
    assert_true(command("SET is primary"));
    sentinel_names(&replica);
    WAIT_FOR(got.downs == 1); /* it is not waited for that the old one ends */
    assert_non_null(strstr(got.why, "most sentinels name another master"));
    WAIT_FOR(got.ups == 2);
    assert_true(command("GET is") && got.text[0] == '\0');
    WAIT_FOR(redis_votes_age_us(votes) < SECONDS(1));
    stop(&sentinel);
    WAIT_FOR(redis_votes_age_us(votes) > SECONDS(3)); /* nobody says so any more */
    assert_true(redis_is_up(r));
}

static void a_minority_of_sentinels_says_nothing(void **state)
{
    CLEANUP(freep) char *url = NULL;
    uint64_t end;

    (void)state;
    need_server();
    start_redis(&primary, NULL);
    start_sentinel();
    url = str_printf("sentinel://127.0.0.1:%u,127.0.0.1:%u,127.0.0.1:%u/main", sentinel.port, free_port(), free_port());
    connect_to(url);
    assert_int_equal(redis_votes_new(loop, url, r, &votes, NULL), 0);
    WAIT_FOR(got.ups == 1);
    for (end = now_us() + SECONDS(3); now_us() < end; turn())
        assert_true(redis_votes_age_us(votes) == UINT64_MAX);
    assert_int_equal(got.downs, 0);
}

static void without_sentinels_nobody_is_asked(void **state)
{
    (void)state;
    connect_to("redis://127.0.0.1:1");
    assert_int_equal(redis_votes_new(loop, "redis://127.0.0.1:1", r, &votes, NULL), 0);
    assert_null(votes);
    assert_int_equal(redis_votes_age_us(votes), 0);
}

static void a_server_that_becomes_a_replica_is_away_until_it_is_none(void **state)
{
    static struct redis_script set = {.name = "set",
                                      .source = "return redis.call('SET', KEYS[1], 'v')"};
    CLEANUP(freep) char *url = NULL;
    struct str key = STR("k");

    (void)state;
    need_server();
    start_redis(&primary, NULL);
    url = str_printf("redis://127.0.0.1:%u", primary.port);
    connect_to(url);
    WAIT_FOR(got.ups == 1);
    assert_true(command("REPLICAOF 127.0.0.1 1"));
    redis_eval(r, &set, &key, 1, NULL, 0, on_answer, NULL);
    WAIT_FOR(got.downs == 1);
    assert_int_equal(got.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(got.text, "READONLY"));
    assert_false(redis_is_up(r));
    WAIT_FOR(strstr(got.why, "READONLY"));
    for (int i = 0; i < 10; i++)
        turn(); /* it tries, and does not come up */
    assert_int_equal(got.ups, 1);
    stop(&primary); /* back as what it was */
    start_redis(&primary, NULL);
    WAIT_FOR(got.ups == 2);
    assert_true(command("SET k v"));
}

static void urls_with_sentinels_are_read(void **state)
{
    struct redis_address a;
    char *text;

    (void)state;
    assert_int_equal(
        redis_url_parse(STR("sentinel://u:p%40x@one,[::1]:7000,two:26380/my-main.1/3"), &a, NULL),
        0);
    assert_int_equal(a.sentinels_len, 3);
    assert_string_equal(a.sentinels[0].host, "one");
    assert_int_equal(a.sentinels[0].port, 26379);
    assert_string_equal(a.sentinels[1].host, "::1");
    assert_int_equal(a.sentinels[1].port, 7000);
    assert_int_equal(a.sentinels[2].port, 26380);
    assert_string_equal(a.master, "my-main.1");
    assert_string_equal(a.user, "u");
    assert_string_equal(a.password, "p@x");
    assert_int_equal(a.db, 3);
    assert_null(a.host);
    text = redis_address_text(&a);
    assert_string_equal(text, "master my-main.1");
    free(text);
    redis_address_done(&a);
}

static void urls_with_sentinels_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {"sentinel://",
                                      "sentinel://one",
                                      "sentinel://one/",
                                      "sentinel:///main",
                                      "sentinel://one,/main",
                                      "sentinel://one:0/main",
                                      "sentinel://one:x/main",
                                      "sentinel://one/ma in",
                                      "sentinel://one/main/x",
                                      "sentinel://sEcReT@one/main",
                                      "sentinel://u:@one/main",
                                      "sentinel://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17/main"};
    struct redis_address a;
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(redis_url_parse(str_of(bad[i]), &a, &err), -ERR_CONFIG);
        assert_null(strstr(err.msg, "sEcReT"));
        assert_non_null(redis_url_check(str_of(bad[i])));
    }
    assert_null(redis_url_check(STR("sentinel://one/main")));
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(the_sentinels_are_asked_in_turn_and_their_choice_is_followed),
        LIVE(a_master_that_nobody_knows_is_told),
        LIVE(a_silent_sentinel_is_passed_over),
        LIVE(a_redis_that_most_sentinels_name_is_told_from_one_that_they_do_not),
        LIVE(a_minority_of_sentinels_says_nothing),
        LIVE(without_sentinels_nobody_is_asked),
        LIVE(a_server_that_becomes_a_replica_is_away_until_it_is_none),
        cmocka_unit_test(urls_with_sentinels_are_read),
        cmocka_unit_test(urls_with_sentinels_that_are_none_are_refused),
    };

    log_init("redis_sentinel_test", LOG_ERROR);
    return cmocka_run_group_tests_name("redis_sentinel", tests, NULL, NULL);
}
