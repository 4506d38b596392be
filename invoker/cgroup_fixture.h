/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_fixture.h - folders that play the cgroup file systems, for tests: what is written and
 * removed is what counts.
 *
 * Owns:    the folder. Threads: one. Included once by each test, by tests only.
 */
#ifndef HEARTH_INVOKER_CGROUP_FIXTURE_H
#define HEARTH_INVOKER_CGROUP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/file.h"

struct fixture {
    char dir[64];
    char *mountinfo; /* the file's path */
};

static inline void make_folder(const struct fixture *f, const char *path)
{
    CLEANUP(freep) char *whole = str_printf("%s/%s", f->dir, path);

    assert_int_equal(dir_make(whole, 0755, NULL), 0);
}

static inline void put(const struct fixture *f, const char *path, const char *text)
{
    CLEANUP(freep) char *whole = str_printf("%s/%s", f->dir, path);
    CLEANUP(freep) char *folder = str_dup(str_of(whole));

    *strrchr(folder, '/') = '\0';
    assert_int_equal(dir_make(folder, 0755, NULL), 0);
    assert_int_equal(file_write_atomic(whole, str_of(text), 0644, NULL), 0);
}

static inline void assert_holds(const struct fixture *f, const char *path, const char *text)
{
    CLEANUP(freep) char *whole = str_printf("%s/%s", f->dir, path);
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);

    assert_int_equal(file_read(whole, &b, NULL), 0);
    b.ptr[b.len < strlen(text) ? b.len : strlen(text)] = '\0'; /* no truncation: as the kernel's */
    assert_string_equal(b.ptr, text);
}

static inline bool there(const struct fixture *f, const char *path)
{
    CLEANUP(freep) char *whole = str_printf("%s/%s", f->dir, path);
    struct stat st;

    return stat(whole, &st) == 0;
}

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    snprintf(f->dir, sizeof(f->dir), "/tmp/hearth-cgroup-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->mountinfo = str_printf("%s/mountinfo", f->dir);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(dir_remove(f->dir, NULL), 0);
    free(f->mountinfo);
    free(f);
    return 0;
}

/* Version 1, and beside it a version 2 that has none of our controllers. */
static inline void make_v1(const struct fixture *f)
{
    CLEANUP(freep)
    char *text = str_printf("25 1 0:20 / / rw - ext4 /dev/vda rw\n"
                            "30 25 0:25 / %s/memory rw shared:9 - cgroup cgroup rw,memory\n"
                            "31 25 0:26 / %s/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
                            "32 25 0:27 / %s/pids rw - cgroup cgroup rw,pids\n"
                            "33 25 0:28 / %s/freezer rw - cgroup cgroup rw,freezer\n"
                            "34 25 0:29 / %s/unified rw - cgroup2 cgroup2 rw\n",
                            f->dir, f->dir, f->dir, f->dir, f->dir);

    put(f, "mountinfo", text);
    put(f, "unified/cgroup.controllers", "hugetlb\n");
}

/* Version 2 alone, at a path that mountinfo has to escape. */
static inline void make_v2(const struct fixture *f)
{
    CLEANUP(freep)
    char *text = str_printf("34 25 0:29 / %s/u\\040x rw - cgroup2 cgroup2 rw\n", f->dir);

    put(f, "mountinfo", text);
    put(f, "u x/cgroup.controllers", "cpuset cpu io memory pids\n");
}

#endif
