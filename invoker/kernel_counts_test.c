/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/kernel_counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/file.h"

static void put(const char *dir, const char *name, const char *text)
{
    CLEANUP(freep) char *path = str_printf("%s/%s", dir, name);

    assert_int_equal(file_write_atomic(path, str_of(text), 0644, NULL), 0);
}

static void has(const char *dir, const char *name, const char *text)
{
    CLEANUP(freep) char *path = str_printf("%s/%s", dir, name);
    CLEANUP(buf_done) struct buf found = BUF_INIT(256);

    assert_int_equal(file_read(path, &found, NULL), 0);
    assert_true(str_is(str_trim(buf_str(&found)), text));
}

static void what_is_low_is_raised_and_what_is_high_stays(void **state)
{
    char dir[] = "/tmp/hearth-counts-XXXXXX";
    static const char *const folders[] = {"fs", "fs/inotify", "fs/epoll"};
    size_t i;

    (void)state;
    assert_non_null(mkdtemp(dir));
    for (i = 0; i < ARRAY_LEN(folders); i++) {
        CLEANUP(freep) char *path = str_printf("%s/%s", dir, folders[i]);

        assert_int_equal(mkdir(path, 0755), 0);
    }
    assert_int_equal(kernel_counts_raise(dir), 0); /* a kernel that has none of them */
    put(dir, "fs/inotify/max_user_instances", "128\n");
    put(dir, "fs/inotify/max_user_watches", "2147483647\n");
    put(dir, "fs/aio-max-nr", "65536\n");
    assert_int_equal(kernel_counts_raise(dir), 3);
    has(dir, "fs/inotify/max_user_instances", "16777216");
    has(dir, "fs/inotify/max_user_watches", "2147483647");
    has(dir, "fs/aio-max-nr", "1073741824");
    assert_int_equal(kernel_counts_raise(dir), 3);
    assert_int_equal(dir_remove(dir, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_low_is_raised_and_what_is_high_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
