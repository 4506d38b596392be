/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip_fixture.h - archives for the controller's tests.
 */
#ifndef HEARTH_CONTROLLER_ZIP_FIXTURE_H
#define HEARTH_CONTROLLER_ZIP_FIXTURE_H

#include <stdio.h>
#include <sys/stat.h>

#include "common/base/base64.h"
#include "controller/controller_fixture.h"

/* A stored archive with one file; base64. @text makes its content. */
static inline void zip_base64(const char *text, char *ret, size_t size)
{
    CLEANUP(freep)
    char *script = str_printf(
        "python3 -c \"import zipfile,io,base64,sys;b=io.BytesIO();z=zipfile.ZipFile(b,'w');"
        "z.writestr(zipfile.ZipInfo('app.py'),sys.argv[1]);z.close();"
        "sys.stdout.write(base64.b64encode(b.getvalue()).decode())\" '%s'",
        text);
    FILE *p = popen(script, "r");
    size_t n;

    assert_non_null(p);
    n = fread(ret, 1, size - 1, p);
    ret[n] = '\0';
    assert_int_equal(pclose(p), 0);
}

/* The hash of a base64 text's bytes, in hex. */
static inline void zip_sha256(const char *zip, char ret[SHA256_HEX_MAX])
{
    CLEANUP(buf_done) struct buf bytes = BUF_INIT(1u << 16);

    assert_int_equal(base64_decode(&bytes, str_of(zip)), 0);
    sha256_hex(buf_str(&bytes), ret);
}

static inline bool archive_exists(const char *sha256)
{
    CLEANUP(freep) char *path = str_printf("%s/code/%.2s/%s.zip", config.data_dir, sha256, sha256);
    struct stat st;

    return stat(path, &st) == 0;
}

/* Waits until the archive is gone. */
static inline void archive_wait_gone(const char *sha256)
{
    uint64_t end = now_us() + WAIT_US;

    while (archive_exists(sha256)) {
        assert_true(now_us() < end);
        lambda("GET", FN, "", "");
    }
}

#endif
