/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile archives are made here, byte by byte: no writer would make them. */
#include "controller/code/zip_check.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include <cmocka.h>

#include "common/base/buf.h"

#define COULD_NOT "Could not unzip uploaded file. Please check your file, then try to upload again."

/* One entry of an archive under construction. */
struct entry {
    const char *name;
    size_t name_len; /* 0: strlen(name) */
    const char *data;
    size_t data_len;
    unsigned mode; /* as in stat(2); 0: a plain file */
    uint32_t says; /* size that the headers state when it is not 0 */
    bool deflate;
};

static void put(struct buf *b, uint64_t v, unsigned bytes)
{
    for (; bytes; bytes--, v >>= 8)
        assert_int_equal(buf_append_char(b, (char)(v & 255)), 0);
}

struct packed {
    struct buf bytes;
    uint32_t crc;
    uint32_t size;
};

static struct packed pack(const struct entry *e)
{
    struct packed p = {.bytes = BUF_INIT(1u << 28)};
    z_stream z = {0};

    p.crc = (uint32_t)crc32_z(0, (const Bytef *)e->data, e->data_len);
    p.size = (uint32_t)e->data_len;
    if (!e->deflate) {
        buf_append(&p.bytes, e->data, e->data_len);
        return p;
    }
    deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    buf_reserve(&p.bytes, deflateBound(&z, e->data_len));
    z.next_in = (Bytef *)(uintptr_t)e->data;
    z.avail_in = (uInt)e->data_len;
    z.next_out = (Bytef *)p.bytes.ptr;
    z.avail_out = (uInt)p.bytes.cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    p.bytes.len = z.total_out;
    deflateEnd(&z);
    return p;
}

/* What local and central headers have in common: version needed .. length of the extra field. */
static void put_common(struct buf *b, const struct entry *e, const struct packed *p,
                       size_t name_len)
{
    put(b, 20, 2);
    put(b, 0x800, 2); /* names are UTF-8 */
    put(b, e->deflate ? 8 : 0, 2);
    put(b, 0, 4);
    put(b, p->crc, 4);
    put(b, p->bytes.len, 4);
    put(b, e->says ? e->says : p->size, 4);
    put(b, name_len, 2);
    put(b, 0, 2);
}

static struct buf make_zip(const struct entry *entries, size_t len)
{
    struct buf zip = BUF_INIT(1u << 28), central = BUF_INIT(1u << 28);
    size_t i, name_len;
    uint64_t at;

    for (i = 0; i < len; i++) {
        const struct entry *e = &entries[i];
        struct packed p = pack(e);

        name_len = e->name_len ? e->name_len : strlen(e->name);
        at = zip.len;
        put(&zip, 0x04034b50, 4);
        put_common(&zip, e, &p, name_len);
        buf_append(&zip, e->name, name_len);
        buf_append_str(&zip, buf_str(&p.bytes));
        put(&central, 0x02014b50, 4);
        put(&central, 3 << 8 | 20, 2); /* made on Unix */
        put_common(&central, e, &p, name_len);
        put(&central, 0, 2 + 2 + 2);
        put(&central, (uint64_t)(e->mode ? e->mode : S_IFREG | 0644) << 16, 4);
        put(&central, at, 4);
        buf_append(&central, e->name, name_len);
        buf_done(&p.bytes);
    }
    at = zip.len;
    buf_append_str(&zip, buf_str(&central));
    put(&zip, 0x06054b50, 4);
    put(&zip, 0, 4);
    put(&zip, len > 65535 ? 65535 : len, 2);
    put(&zip, len > 65535 ? 65535 : len, 2);
    put(&zip, central.len, 4);
    put(&zip, at, 4);
    put(&zip, 0, 2);
    buf_done(&central);
    return zip;
}

static void expect(struct buf zip, const struct zip_limits *limits, const char *message,
                   const char *reason)
{
    struct error err = {.code = ERR_OK}, why = {.code = ERR_OK};
    int r = zip_check(buf_str(&zip), limits, NULL, &why, &err);

    buf_done(&zip);
    if (!message) {
        assert_string_equal(r == 0 ? "" : why.msg, "");
        assert_int_equal(r, 0);
        return;
    }
    assert_int_equal(r, -ERR_BAD_REQUEST);
    assert_string_equal(err.msg, message);
    if (reason && !strstr(why.msg, reason))
        fail_msg("\"%s\" does not say \"%s\"", why.msg, reason);
}

#define FILE_ENTRY(path, text)                                                                     \
    {                                                                                              \
        .name = path, .data = text, .data_len = sizeof(text) - 1                                   \
    }
#define LINK_ENTRY(path, target)                                                                   \
    {                                                                                              \
        .name = path, .data = target, .data_len = sizeof(target) - 1, .mode = S_IFLNK | 0777       \
    }
#define ZIP(...)                                                                                   \
    make_zip((const struct entry[]){__VA_ARGS__},                                                  \
             sizeof((const struct entry[]){__VA_ARGS__}) / sizeof(struct entry))

static void an_ordinary_archive_passes(void **state)
{
    (void)state;
    expect(ZIP(FILE_ENTRY("app.py", "def handler(e, c): return e"),
               {.name = "lib/", .mode = S_IFDIR | 0755},
               {.name = "lib/a.txt",
                .data = "aaaaaaaaaaaaaaaaaaaaaa",
                .data_len = 22,
                .deflate = true},
               LINK_ENTRY("lib/b.txt", "a.txt"), LINK_ENTRY("lib/c", "../app.py"),
               FILE_ENTRY("n\xc3\xa4me/\xe2\x82\xac", ""), FILE_ENTRY("..a/...", "dots")),
           NULL, NULL, NULL);
}

static void bytes_in_front_and_a_comment_behind_are_fine(void **state)
{
    struct buf zip = ZIP(FILE_ENTRY("a", "b")), whole = BUF_INIT(1u << 20);

    (void)state;
    zip.ptr[zip.len - 2] = 5;
    buf_printf(&whole, "#!/bin/sh\nexit 0\n");
    buf_append_str(&whole, buf_str(&zip));
    buf_append(&whole, "hello", 5);
    buf_done(&zip);
    expect(whole, NULL, NULL, NULL);
}

static void an_empty_upload_is_refused(void **state)
{
    (void)state;
    expect(BUF_INIT(0), NULL, "Uploaded file must be a non-empty zip", NULL);
    expect(make_zip(NULL, 0), NULL, "Uploaded file must be a non-empty zip", NULL);
}

static void what_is_no_archive_is_refused(void **state)
{
    struct buf text = BUF_INIT(1u << 20), zip;
    size_t i;

    (void)state;
    for (i = 0; i < 70000; i++)
        buf_append_char(&text, (char)('a' + i % 26));
    expect(text, NULL, COULD_NOT, "no end");
    text = BUF_INIT(16);
    buf_printf(&text, "PK");
    expect(text, NULL, COULD_NOT, "too short");
    for (i = 1; i < 150; i += 7) { /* cut off at every second place */
        zip = ZIP(FILE_ENTRY("app.py", "some text"), FILE_ENTRY("b", "other text"));
        zip.len = i < zip.len ? i : zip.len - 1;
        expect(zip, NULL, COULD_NOT, NULL);
    }
}

static void hostile_names_are_refused(void **state)
{
    static const char *const names[] = {"/etc/passwd", "../x",  "a/../../x",    "a/..", "..\\x",
                                        "\\x",         "c:\\x", "a\\..\\..\\b", "."};
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(names); i++)
        expect(ZIP(FILE_ENTRY("ok", "x"), {.name = names[i], .data = "x", .data_len = 1}), NULL,
               COULD_NOT, NULL);
    expect(ZIP({.name = "a\0b", .name_len = 3, .data = "x", .data_len = 1}), NULL, COULD_NOT,
           "NUL");
}

static void long_names_are_refused(void **state)
{
    char name[300];

    (void)state;
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    expect(ZIP({.name = name, .data = "x", .data_len = 1}), NULL, COULD_NOT, "299 bytes");
}

static void links_that_lead_out_are_refused(void **state)
{
    (void)state;
    expect(ZIP(LINK_ENTRY("a", "/etc/passwd")), NULL, COULD_NOT, "leads out");
    expect(ZIP(LINK_ENTRY("a", "../x")), NULL, COULD_NOT, "leads out");
    expect(ZIP(LINK_ENTRY("d/a", "../../x")), NULL, COULD_NOT, "leads out");
    expect(ZIP(LINK_ENTRY("d/a", "b/../../../x")), NULL, COULD_NOT, "leads out");
    expect(ZIP(LINK_ENTRY("d/a", "../x")), NULL, NULL, NULL);
}

static void nothing_is_written_through_a_link_or_a_file(void **state)
{
    (void)state;
    expect(ZIP(LINK_ENTRY("a", "b"), FILE_ENTRY("a/x", "1")), NULL, COULD_NOT, "no folder");
    expect(ZIP(FILE_ENTRY("a/x", "1"), LINK_ENTRY("a", "b")), NULL, COULD_NOT, "no folder");
    expect(ZIP(FILE_ENTRY("a", "b"), FILE_ENTRY("a/x", "1")), NULL, COULD_NOT, "no folder");
}

static void a_path_twice_is_refused(void **state)
{
    (void)state;
    expect(ZIP(FILE_ENTRY("a", "1"), FILE_ENTRY("a", "2")), NULL, COULD_NOT, "twice");
    expect(ZIP(FILE_ENTRY("d/a", "1"), FILE_ENTRY("d/.//a", "2")), NULL, COULD_NOT, "twice");
    expect(ZIP(FILE_ENTRY("a", "1"), LINK_ENTRY("./a", "x")), NULL, COULD_NOT, "twice");
    expect(ZIP({.name = "d/", .mode = S_IFDIR | 0755}, {.name = "d/", .mode = S_IFDIR | 0755},
               FILE_ENTRY("d/a", "1")),
           NULL, NULL, NULL);
}

static void devices_pipes_and_sockets_are_refused(void **state)
{
    static const unsigned modes[] = {S_IFCHR | 0666, S_IFBLK | 0666, S_IFIFO | 0666,
                                     S_IFSOCK | 0666};
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(modes); i++)
        expect(ZIP({.name = "x", .data = "", .mode = modes[i]}), NULL, COULD_NOT, "device");
}

static void inflated_bytes_are_counted_not_believed(void **state)
{
    const struct zip_limits small = {.unpacked_max = 100000, .entries_max = 10};
    char *zeros = calloc(1, 1000000);

    (void)state;
    expect(ZIP({.name = "z", .data = zeros, .data_len = 100000, .deflate = true}), &small, NULL,
           NULL);
    expect(ZIP({.name = "z", .data = zeros, .data_len = 100001, .deflate = true}), &small,
           "Unzipped size must be smaller than 100000 bytes", NULL);
    /* the headers state ten bytes */
    expect(ZIP({.name = "z", .data = zeros, .data_len = 1000000, .deflate = true, .says = 10}),
           &small, "Unzipped size must be smaller than 100000 bytes", NULL);
    expect(ZIP({.name = "z", .data = zeros, .data_len = 5000, .deflate = true, .says = 10}), &small,
           COULD_NOT, NULL);
    /* two that fit alone */
    expect(ZIP({.name = "y", .data = zeros, .data_len = 60000, .deflate = true},
               {.name = "z", .data = zeros, .data_len = 60000, .deflate = true}),
           &small, "Unzipped size must be smaller than 100000 bytes", NULL);
    free(zeros);
}

static void a_size_that_is_stated_too_great_is_refused(void **state)
{
    (void)state;
    expect(ZIP({.name = "z", .data = "short", .data_len = 5, .deflate = true, .says = 5000}), NULL,
           COULD_NOT, NULL);
}

static void broken_contents_are_refused(void **state)
{
    struct buf zip = ZIP(FILE_ENTRY("a", "some text"));

    (void)state;
    zip.ptr[33] ^= 1; /* a byte of the text: its checksum is wrong now */
    expect(zip, NULL, COULD_NOT, NULL);
}

static void too_many_entries_are_refused(void **state)
{
    const struct zip_limits small = {.unpacked_max = 100000, .entries_max = 2};

    (void)state;
    expect(ZIP(FILE_ENTRY("a", ""), FILE_ENTRY("b", "")), &small, NULL, NULL);
    expect(ZIP(FILE_ENTRY("a", ""), FILE_ENTRY("b", ""), FILE_ENTRY("c", "")), &small, COULD_NOT,
           "3 entries");
}

static void a_directory_that_hides_or_invents_entries_is_refused(void **state)
{
    struct buf zip = ZIP(FILE_ENTRY("a", "1"), FILE_ENTRY("b", "2"));

    (void)state;
    zip.ptr[zip.len - 14] = zip.ptr[zip.len - 12] = 3;
    expect(zip, NULL, COULD_NOT, NULL);
    zip = ZIP(FILE_ENTRY("a", "1"), FILE_ENTRY("b", "2"));
    zip.ptr[zip.len - 14] = zip.ptr[zip.len - 12] = 1;
    expect(zip, NULL, COULD_NOT, NULL);
}

static void any_changed_byte_is_survived(void **state)
{
    struct buf zip = ZIP(
        FILE_ENTRY("dir/app.py", "some text"), LINK_ENTRY("l", "dir"),
        {.name = "z", .data = "aaaaaaaaaaaaaaaa", .data_len = 16, .deflate = true});
    struct error err;
    size_t i;
    int bit;

    (void)state;
    for (i = 0; i < zip.len; i++) {
        for (bit = 0; bit < 8; bit++) {
            zip.ptr[i] = (char)(zip.ptr[i] ^ (1 << bit));
            zip_check(buf_str(&zip), NULL, NULL, NULL, &err);
            zip.ptr[i] = (char)(zip.ptr[i] ^ (1 << bit));
        }
    }
    expect(zip, NULL, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_archive_passes),
        cmocka_unit_test(bytes_in_front_and_a_comment_behind_are_fine),
        cmocka_unit_test(an_empty_upload_is_refused),
        cmocka_unit_test(what_is_no_archive_is_refused),
        cmocka_unit_test(hostile_names_are_refused),
        cmocka_unit_test(long_names_are_refused),
        cmocka_unit_test(links_that_lead_out_are_refused),
        cmocka_unit_test(nothing_is_written_through_a_link_or_a_file),
        cmocka_unit_test(a_path_twice_is_refused),
        cmocka_unit_test(devices_pipes_and_sockets_are_refused),
        cmocka_unit_test(inflated_bytes_are_counted_not_believed),
        cmocka_unit_test(a_size_that_is_stated_too_great_is_refused),
        cmocka_unit_test(broken_contents_are_refused),
        cmocka_unit_test(too_many_entries_are_refused),
        cmocka_unit_test(a_directory_that_hides_or_invents_entries_is_refused),
        cmocka_unit_test(any_changed_byte_is_survived),
    };

    setlocale(LC_CTYPE, "C.UTF-8"); /* as the controller does: names of entries are UTF-8 */
    return cmocka_run_group_tests_name("zip_check", tests, NULL, NULL);
}
