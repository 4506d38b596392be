/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/init_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static void parse_all(const uint8_t *buf, ssize_t len, enum init_type type, struct init_frame *f)
{
    ssize_t i;

    assert_true(len > 0);
    for (i = 0; i < len; i++)
        assert_int_equal(init_frame_parse(buf, (size_t)i, f), 0);
    assert_int_equal(init_frame_parse(buf, (size_t)len, f), 1);
    assert_int_equal(f->type, type);
    assert_int_equal(f->total, len);
}

static void test_small_messages_come_back_as_they_were(void **state)
{
    uint8_t buf[256];
    struct init_frame f;
    struct init_hello hello = {INIT_WIRE_VERSION, INIT_HAS_MEMORY_EVENTS}, hello2;
    struct init_started started = {7}, started2;
    struct init_exited exited = {7, 0x8b, 0x1122334455667788u}, exited2;
    struct init_failure failure = {INIT_STAGE_EXEC, 2, "/var/task/bootstrap"}, failure2;
    int signo;

    (void)state;
    parse_all(buf, init_hello_write(buf, sizeof(buf), &hello), INIT_HELLO, &f);
    assert_int_equal(init_hello_read(&f, &hello2), 0);
    assert_memory_equal(&hello, &hello2, sizeof(hello));
    parse_all(buf, init_started_write(buf, sizeof(buf), &started), INIT_STARTED, &f);
    assert_int_equal(init_started_read(&f, &started2), 0);
    assert_int_equal(started2.pid, 7);
    parse_all(buf, init_exited_write(buf, sizeof(buf), &exited), INIT_EXITED, &f);
    assert_int_equal(init_exited_read(&f, &exited2), 0);
    assert_int_equal(exited2.status, 0x8b);
    assert_true(exited2.oom_kills == exited.oom_kills);
    parse_all(buf, init_failure_write(buf, sizeof(buf), &failure), INIT_ERROR, &f);
    assert_int_equal(init_failure_read(&f, &failure2), 0);
    assert_string_equal(failure2.text, failure.text);
    assert_int_equal(failure2.sys_errno, 2);
    parse_all(buf, init_signal_write(buf, sizeof(buf), 15), INIT_SIGNAL, &f);
    assert_int_equal(init_signal_read(&f, &signo), 0);
    assert_int_equal(signo, 15);
    parse_all(buf, init_kill_write(buf, sizeof(buf)), INIT_KILL, &f);
    assert_int_equal(f.body_len, 0);
}

static void test_assign_says_which_mounts_come_and_who_it_is_for(void **state)
{
    const struct init_assign m = {INIT_MOUNT_TMP | INIT_MOUNT_OPT, 993, 990};
    const struct init_assign roots[] = {{0, 0, 990}, {0, 993, 0}, {8, 993, 990}, {0, ~0u, 990}};
    struct init_assign m2;
    struct init_frame f;
    uint8_t buf[64];
    size_t i;

    (void)state;
    parse_all(buf, init_assign_write(buf, sizeof(buf), &m), INIT_ASSIGN, &f);
    assert_int_equal(init_assign_read(&f, &m2), 0);
    assert_int_equal(m2.mounts, m.mounts);
    assert_int_equal(m2.uid, 993);
    assert_int_equal(m2.gid, 990);
    assert_int_equal(init_assign_fds(m.mounts), 3);
    assert_int_equal(init_assign_fds(0), 1);
    assert_int_equal(init_assign_fds(INIT_MOUNT_TMP | INIT_MOUNT_TASK | INIT_MOUNT_OPT),
                     INIT_MOUNTS_MAX);
    for (i = 0; i < ARRAY_LEN(roots); i++) { /* root, and mounts that there are not */
        parse_all(buf, init_assign_write(buf, sizeof(buf), &roots[i]), INIT_ASSIGN, &f);
        assert_int_equal(init_assign_read(&f, &m2), -1);
    }
}

static void test_start_carries_folder_arguments_and_environment(void **state)
{
    static const char *const argv[] = {"/lambda-entrypoint.sh", "", "app.handler", NULL};
    static const char *const env[] = {"A=1", "EMPTY=", "LINES=a\nb", NULL};
    const struct init_start m = {"/var/task", argv, env};
    const char *argv2[INIT_ARGV_MAX + 1], *env2[INIT_ENV_MAX + 1];
    struct init_start m2;
    struct init_frame f;
    uint8_t buf[256];
    ssize_t n = init_start_write(buf, sizeof(buf), &m);
    size_t i;

    (void)state;
    assert_int_equal(n, init_start_size(&m));
    parse_all(buf, n, INIT_START, &f);
    assert_int_equal(init_start_read(&f, argv2, env2, &m2), 0);
    assert_string_equal(m2.cwd, "/var/task");
    for (i = 0; argv[i]; i++)
        assert_string_equal(m2.argv[i], argv[i]);
    assert_null(m2.argv[i]);
    for (i = 0; env[i]; i++)
        assert_string_equal(m2.env[i], env[i]);
    assert_null(m2.env[i]);
    for (i = 0; i < (size_t)n; i++)
        assert_int_equal(init_start_write(buf, i, &m), -1);
}

static void test_start_refuses_what_breaks_a_bound(void **state)
{
    static const char *const none[] = {NULL}, *const one[] = {"a", NULL};
    static char big[INIT_FRAME_MAX];
    static const char *many[INIT_ENV_MAX + 2];
    const char *const large[] = {big, NULL};
    static uint8_t buf[INIT_FRAME_MAX];
    size_t i;

    (void)state;
    memset(big, 'x', sizeof(big) - 1);
    for (i = 0; i <= INIT_ENV_MAX; i++)
        many[i] = "A=1";
    assert_int_equal(init_start_write(buf, sizeof(buf), &(struct init_start){"/", none, one}), -1);
    assert_int_equal(init_start_write(buf, sizeof(buf), &(struct init_start){"x", one, one}), -1);
    assert_int_equal(init_start_write(buf, sizeof(buf), &(struct init_start){"/", large, one}), -1);
    assert_int_equal(init_start_write(buf, sizeof(buf), &(struct init_start){"/", one, many}), -1);
    many[INIT_ENV_MAX] = NULL;
    assert_true(init_start_write(buf, sizeof(buf), &(struct init_start){"/", one, many}) > 0);
}

/* Each row: a whole frame that a reader must refuse. */
static void test_malformed_frames_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        int parsed; /* what init_frame_parse() says */
    } rows[] = {
        {"\0\0\0\0", 4, -1}, /* no type */
        {"\xff\xff\xff\xff\1", 5, -1}, /* longer than any frame */
        {"\1\0\0\0\x63", 5, -1}, /* unknown type */
        {"\3\0\0\0\1\1\xf0", 7, 1}, /* HELLO: unknown flag */
        {"\2\0\0\0\1\1", 6, 1}, /* HELLO: short */
        {"\5\0\0\0\2\0\0\0\0", 9, 1}, /* STARTED: pid 0 */
        {"\5\0\0\0\2\0\0\0\x80", 9, 1}, /* STARTED: negative pid */
        {"\2\0\0\0\3\1", 6, 1}, /* EXITED: short */
        {"\6\0\0\0\4\7\0\0\0\0", 10, 1}, /* ERROR: unknown stage */
        {"\7\0\0\0\4\6\0\0\0\0\0", 11, 1}, /* ERROR: NUL in the text */
        {"\2\0\0\0\x11\0", 6, 1}, /* SIGNAL 0 */
        {"\2\0\0\0\x11\x41", 6, 1}, /* SIGNAL 65 */
        {"\5\0\0\0\x10\1\0\0\0", 9, 1}, /* START: short */
        {"\x0d\0\0\0\x10\1\0\0\0\0\0\0\0/\0a\0", 17, 1 /* good, see below */},
        {"\x0d\0\0\0\x10\0\0\0\0\1\0\0\0/\0a\0", 17, 1}, /* START: no arguments */
        {"\x0d\0\0\0\x10\2\0\0\0\0\0\0\0/\0a\0", 17, 1}, /* START: fewer strings than said */
        {"\x0e\0\0\0\x10\1\0\0\0\0\0\0\0/\0a\0b", 18, 1}, /* START: bytes left over */
        {"\x0d\0\0\0\x10\1\0\0\0\0\0\0\0/\0ab", 17, 1}, /* START: no NUL at the end */
        {"\x0d\0\0\0\x10\1\0\0\0\0\0\0\0x\0a\0", 17, 1}, /* START: relative folder */
        {"\x0d\0\0\0\x10\1\0\0\0\xff\xff\xff\xff/\0a\0", 17, 1}, /* START: count beyond bound */
        {"\x09\0\0\0\x10\1\0\0\0\0\0\0\0", 13, 1}, /* START: no folder */
        {"\x09\0\0\0\x20\0\1\0\0\0\1\0\0", 13, 1}, /* ASSIGN: short */
        {"\x0a\0\0\0\x20\0\1\0\0\0\0\0\0\0", 14, 1}, /* ASSIGN: group 0 */
        {"\2\0\0\0\x08\1", 6, 1}, /* EXTENSIONS: short */
        {"\7\0\0\0\x08\0\0\0\0a\0", 11, 1}, /* EXTENSIONS: more names than found */
        {"\6\0\0\0\x08\1\0\0\0a", 10, 1}, /* EXTENSIONS: no NUL at the end */
        {"\6\0\0\0\x08\1\0\0\0\0", 10, 1}, /* EXTENSIONS: empty name */
        {"\x09\0\0\0\x08\1\0\0\0a/b\0", 13, 1}, /* EXTENSIONS: a path */
        {"\7\0\0\0\x09\4\0\0\0\0a", 11, 1}, /* EXTENSION: unknown news */
        {"\6\0\0\0\x09\1\0\0\0\0", 10, 1}, /* EXTENSION: no name */
        {"\x08\0\0\0\x09\1\0\0\0\0a\0", 12, 1}, /* EXTENSION: NUL in the name */
        {"\5\0\0\0\x0a\1\0\0\0", 9, 1}, /* SOCKET: short */
        {"\x09\0\0\0\x19\1\0\0\0\0\0\0\0", 13, 1}, /* CONNECT: port 0 */
        {"\x09\0\0\0\x19\1\0\0\0\0\0\1\0", 13, 1}, /* CONNECT: port beyond 65535 */
    };
    const char *argv[INIT_ARGV_MAX + 1], *env[INIT_ENV_MAX + 1];
    struct init_hello hello;
    struct init_started started;
    struct init_exited exited;
    struct init_failure failure;
    struct init_assign assign;
    struct init_start start;
    struct init_extensions extensions;
    struct init_extension extension;
    struct init_socket sock;
    struct init_connect to;
    struct init_frame f;
    size_t i;
    int signo, r = 0;

    (void)state;
    for (i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(init_frame_parse(rows[i].bytes, rows[i].len, &f), rows[i].parsed);
        if (rows[i].parsed < 0)
            continue;
        switch (f.type) {
        case INIT_HELLO:
            r = init_hello_read(&f, &hello);
            break;
        case INIT_STARTED:
            r = init_started_read(&f, &started);
            break;
        case INIT_EXITED:
            r = init_exited_read(&f, &exited);
            break;
        case INIT_ERROR:
            r = init_failure_read(&f, &failure);
            break;
        case INIT_START:
            r = init_start_read(&f, argv, env, &start);
            break;
        case INIT_SIGNAL:
            r = init_signal_read(&f, &signo);
            break;
        case INIT_ASSIGN:
            r = init_assign_read(&f, &assign);
            break;
        case INIT_EXTENSIONS:
            r = init_extensions_read(&f, &extensions);
            break;
        case INIT_EXTENSION:
            r = init_extension_read(&f, &extension);
            break;
        case INIT_SOCKET:
            r = init_socket_read(&f, &sock);
            break;
        case INIT_CONNECT:
            r = init_connect_read(&f, &to);
            break;
        case INIT_GO:
        case INIT_KILL:
        case INIT_RESTART:
        case INIT_RESTARTED:
            fail();
        }
        assert_int_equal(r, i == 13 ? 0 : -1);
    }
}

static void test_messages_about_extensions_come_back_as_they_were(void **state)
{
    struct init_extensions found = {.found = 12, .len = 2, .names = {"a", "b c"}}, found_back;
    struct init_extension news = {INIT_EXTENSION_EXITED, 256, "b c"}, news_back;
    struct init_connect to = {7, 65535}, to_back;
    struct init_socket sock = {7, 111}, sock_back;
    uint8_t buf[256];
    struct init_frame f;

    (void)state;
    assert_int_equal(init_extensions_write(buf, sizeof(buf), &found), 5 + 4 + 2 + 4);
    assert_int_equal(init_frame_parse(buf, sizeof(buf), &f), 1);
    assert_int_equal(init_extensions_read(&f, &found_back), 0);
    assert_int_equal(found_back.found, 12);
    assert_int_equal(found_back.len, 2);
    assert_string_equal(found_back.names[1], "b c");
    assert_true(init_extension_write(buf, sizeof(buf), &news) > 0);
    assert_int_equal(init_frame_parse(buf, sizeof(buf), &f), 1);
    assert_int_equal(init_extension_read(&f, &news_back), 0);
    assert_int_equal(news_back.news, INIT_EXTENSION_EXITED);
    assert_int_equal(news_back.value, 256);
    assert_string_equal(news_back.name, "b c");
    assert_true(init_connect_write(buf, sizeof(buf), &to) > 0);
    assert_int_equal(init_frame_parse(buf, sizeof(buf), &f), 1);
    assert_int_equal(init_connect_read(&f, &to_back), 0);
    assert_int_equal(to_back.token, 7);
    assert_int_equal(to_back.port, 65535);
    assert_true(init_socket_write(buf, sizeof(buf), &sock) > 0);
    assert_int_equal(init_frame_parse(buf, sizeof(buf), &f), 1);
    assert_int_equal(init_socket_read(&f, &sock_back), 0);
    assert_int_equal(sock_back.sys_errno, 111);
    found.names[0] = "a/b";
    assert_int_equal(init_extensions_write(buf, sizeof(buf), &found), -1);
    to.port = 0;
    assert_int_equal(init_connect_write(buf, sizeof(buf), &to), -1);
}

static void test_hello_flags_tell_the_number_of_descriptors(void **state)
{
    (void)state;
    assert_int_equal(init_hello_fds(0), 3);
    assert_int_equal(init_hello_fds(INIT_HAS_MEMORY_EVENTS), 4);
    assert_int_equal(init_hello_fds(INIT_HAS_MEMORY_EVENTS | INIT_HAS_MEMORY_USAGE), INIT_FDS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_messages_come_back_as_they_were),
        cmocka_unit_test(test_assign_says_which_mounts_come_and_who_it_is_for),
        cmocka_unit_test(test_start_carries_folder_arguments_and_environment),
        cmocka_unit_test(test_start_refuses_what_breaks_a_bound),
        cmocka_unit_test(test_malformed_frames_are_refused),
        cmocka_unit_test(test_messages_about_extensions_come_back_as_they_were),
        cmocka_unit_test(test_hello_flags_tell_the_number_of_descriptors),
    };

    return cmocka_run_group_tests_name("init_wire", tests, NULL, NULL);
}
