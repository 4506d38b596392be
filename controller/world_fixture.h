/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world_fixture.h - beside controller_fixture.h: looks at what a controller has left in Redis and in
 * its code store, and says what cannot be (tests/world.lua).
 *
 * Owns:    nothing beyond a call.
 * Threads: one. Included once, by tests only.
 */
#ifndef HEARTH_CONTROLLER_WORLD_FIXTURE_H
#define HEARTH_CONTROLLER_WORLD_FIXTURE_H

#include <stdio.h>

#include "controller/controller_fixture.h"
#include "controller/zip_fixture.h"

#define PREFIX "hearth:{000000000000}:"

static struct buf world_text; /* the answer that came last */
static FILE *world_to, *world_from; /* a connection of its own, which blocks */

static inline void world_connect(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(to.sun_path, sizeof(to.sun_path), "%s/redis", server.dir);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    world_to = fdopen(dup(fd), "w");
    world_from = fdopen(fd, "r");
    assert_true(world_to && world_from);
    if (!world_text.max)
        world_text = BUF_INIT(1u << 20);
}

/* One answer of Redis: each text and number of it on a line of its own. */
static inline void world_answer(void)
{
    char line[8192], byte;
    long n;

    assert_non_null(fgets(line, sizeof(line), world_from));
    n = strtol(line + 1, NULL, 10);
    if (line[0] == '*') {
        while (n-- > 0)
            world_answer();
    } else if (line[0] == '$' && n >= 0) {
        while (n-- > 0 && fread(&byte, 1, 1, world_from) == 1)
            buf_append_char(&world_text, byte);
        assert_non_null(fgets(line, sizeof(line), world_from));
        buf_append_char(&world_text, '\n');
    } else if (line[0] != '$') {
        buf_printf(&world_text, "%.*s\n", (int)strcspn(line + 1, "\r"), line + 1);
    }
}

/* Asks Redis with the words of @list (ends with NULL); what it answers, without the last newline. */
static inline const char *world_ask(const char *const *list)
{
    size_t n = 0, i;

    while (list[n])
        n++;
    if (!world_to)
        world_connect();
    fprintf(world_to, "*%zu\r\n", n);
    for (i = 0; i < n; i++)
        fprintf(world_to, "$%zu\r\n%s\r\n", strlen(list[i]), list[i]);
    fflush(world_to);
    buf_clear(&world_text);
    world_answer();
    if (world_text.len)
        world_text.len--;
    return buf_append_char(&world_text, '\0') == 0 ? world_text.ptr : NULL;
}
#define WORLD(...) world_ask((const char *const[]){__VA_ARGS__, NULL})

static inline long world_number(const char *command, const char *key)
{
    return strtol(WORLD(command, key), NULL, 10);
}

/* What must hold at every moment. @what: says where we are when it does not. */
static inline void world_check(const char *what)
{
    CLEANUP(buf_done) struct buf script = BUF_INIT(1u << 16);
    const char *bad;

    assert_int_equal(file_read("tests/world.lua", &script, NULL), 0);
    buf_append_char(&script, '\0');
    bad = WORLD("EVAL", script.ptr, "0", PREFIX);
    if (bad[0])
        fail_msg("%s:\n%s", what, bad);
}

/* Waits until no change is under way. */
static inline void world_settle(void)
{
    uint64_t end = now_us() + 3 * WAIT_US;

    while (world_number("SCARD", PREFIX "changes") > 0) {
        assert_true(now_us() < end);
        lambda("GET", FN "/nobody", "", "");
    }
}

/* Waits until the code store has just what Redis refers to. */
static inline void world_check_archives(void)
{
    static const char shell[] =
        "have=$(cd %s/code && find . -type f | sed 's/.*\\///; s/\\.zip$//' | sort);"
        "want=$(redis-cli -s %s/redis --raw KEYS '*:code:*' | sed 's/.*://' | sort -u | grep . );"
        "test \"$have\" = \"$want\"";
    CLEANUP(freep) char *line = str_printf(shell, config.data_dir, server.dir);
    uint64_t end = now_us() + 2 * WAIT_US;

    while (system(line) != 0) {
        if (now_us() > end) {
            CLEANUP(freep)
            char *list = str_printf("find %s/code -type f; redis-cli -s %s/redis KEYS '*code*'",
                                    config.data_dir, server.dir);

            (void)!system(list);
            fail_msg("archives and references differ");
        }
        lambda("GET", FN "/nobody", "", "");
    }
}

/* Nothing of function @name is in Redis. */
static inline void world_check_gone(const char *name)
{
    CLEANUP(freep) char *own = str_printf(PREFIX "fn:%s", name);
    CLEANUP(freep) char *beside = str_printf("%s:*", own);

    assert_string_equal(WORLD("KEYS", own), "");
    assert_string_equal(WORLD("KEYS", beside), "");
}

static inline void world_done(void)
{
    buf_done(&world_text);
    if (world_to) {
        fclose(world_to);
        fclose(world_from);
    }
    world_to = world_from = NULL;
}

static inline int world_teardown(void **state)
{
    world_done();
    return teardown(state);
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, setup, world_teardown)

/* ---- functions ---- */

static inline int create_zip(const char *name, const char *zip, const char *more)
{
    CLEANUP(freep)
    char *body = str_printf(
        "{\"FunctionName\":\"%s\",\"Runtime\":\"python3.13\",\"Handler\":\"app.h\"," ROLE
        ",\"Code\":{\"ZipFile\":\"%s\"}%s}",
        name, zip, more);

    return lambda("POST", FN, "", body);
}

/* As lambda(), with "%s" of @path replaced by @name; the status. */
static inline int on_fn(const char *method, const char *name, const char *rest, const char *query,
                        const char *body)
{
    CLEANUP(freep) char *path = str_printf(FN "/%s%s", name, rest);

    return lambda(method, path, query, body);
}

#endif
