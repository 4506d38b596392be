/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/code/zip_check.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>

#include "controller/code/zip_names.h"

#define COULD_NOT_UNZIP                                                                            \
    "Could not unzip uploaded file. Please check your file, then try to upload again."

/* APPNOTE: signatures and sizes of the records that we read by ourselves. */
#define END_SIGNATURE 0x06054b50u
#define END_BYTES 22u
#define END64_LOCATOR_SIGNATURE 0x07064b50u
#define END64_LOCATOR_BYTES 20u
#define END64_SIGNATURE 0x06064b50u
#define END64_BYTES 56u
#define ENTRY_SIGNATURE 0x02014b50u
#define ENTRY_BYTES 46u

static uint64_t le(struct str s, size_t at, unsigned bytes)
{
    uint64_t v = 0;
    unsigned i;

    for (i = 0; i < bytes; i++)
        v |= (uint64_t)(unsigned char)s.ptr[at + i] << (8 * i);
    return v;
}

static bool is_at(struct str s, uint64_t at, size_t bytes, uint32_t signature)
{
    return at <= s.len && s.len - at >= bytes && le(s, at, 4) == signature;
}

struct directory {
    uint64_t at; /* of the first entry */
    uint64_t bytes;
    uint64_t entries;
};

static int no_zip(struct error *err, const char *what)
{
    return error_set(err, ERR_BAD_REQUEST, "%s", what);
}

/* The end record may have a comment of up to 64 KiB behind it. */
static int find_directory(struct str zip, struct directory *ret, struct error *err)
{
    size_t end, least, at;
    uint64_t at64;

    if (zip.len < END_BYTES)
        return no_zip(err, "too short for an archive");
    end = zip.len - END_BYTES;
    least = end > 65535 ? end - 65535 : 0;
    for (at = end; !is_at(zip, at, END_BYTES, END_SIGNATURE); at--)
        if (at == least)
            return no_zip(err, "no end of a central directory");
    *ret = (struct directory){le(zip, at + 16, 4), le(zip, at + 12, 4), le(zip, at + 10, 2)};
    if (at >= END64_LOCATOR_BYTES &&
        is_at(zip, at - END64_LOCATOR_BYTES, END64_LOCATOR_BYTES, END64_LOCATOR_SIGNATURE)) {
        at64 = le(zip, at - END64_LOCATOR_BYTES + 8, 8);
        if (!is_at(zip, at64, END64_BYTES, END64_SIGNATURE))
            return no_zip(err, "no 64-bit end of the central directory");
        *ret = (struct directory){le(zip, at64 + 48, 8), le(zip, at64 + 40, 8),
                                  le(zip, at64 + 32, 8)};
        at = at64;
    }
    /* Some bytes may stand before an archive (self-extracting ones): the directory ends here. */
    if (ret->bytes > at)
        return no_zip(err, "the central directory is longer than the archive");
    if (ret->at != at - ret->bytes && !is_at(zip, ret->at, 4, ENTRY_SIGNATURE))
        ret->at = at - ret->bytes;
    if (ret->at > zip.len || ret->bytes > zip.len - ret->at)
        return no_zip(err, "the central directory lies outside");
    return 0;
}

/* Readers differ in what they make of an odd type: here it is refused by its number. */
static int check_type(struct str zip, uint64_t at, struct error *err)
{
    unsigned host = (unsigned char)zip.ptr[at + 5]; /* whose attributes: 3 Unix, 19 macOS */
    mode_t type = (mode_t)(le(zip, at + 40, 2) & S_IFMT);

    if ((host != 3 && host != 19) || type == 0 || type == S_IFREG || type == S_IFDIR ||
        type == S_IFLNK)
        return 0;
    return error_set(err, ERR_BAD_REQUEST, "a device or the like (type %o)", (unsigned)type);
}

/* Names with a NUL byte would end early for every reader that follows. */
static int check_directory(struct str zip, const struct zip_limits *limits, uint64_t *ret_entries,
                           struct error *err)
{
    struct directory dir = {0};
    uint64_t at, end, i, name, rest;
    int r;

    r = find_directory(zip, &dir, err);
    if (r < 0)
        return r;
    if (dir.entries > limits->entries_max)
        return error_set(err, ERR_BAD_REQUEST, "%llu entries", (unsigned long long)dir.entries);
    at = dir.at;
    end = dir.at + dir.bytes;
    for (i = 0; i < dir.entries; i++) {
        if (!is_at(str_sub(zip, 0, end), at, ENTRY_BYTES, ENTRY_SIGNATURE))
            return no_zip(err, "a broken entry of the central directory");
        name = le(zip, at + 28, 2);
        rest = le(zip, at + 30, 2) + le(zip, at + 32, 2); /* extra field, comment */
        if (end - at - ENTRY_BYTES < name + rest)
            return no_zip(err, "an entry longer than the central directory");
        r = zip_name_check(str_sub(zip, at + ENTRY_BYTES, at + ENTRY_BYTES + name), err);
        if (r == 0)
            r = check_type(zip, at, err);
        if (r < 0)
            return r;
        at += ENTRY_BYTES + name + rest;
    }
    *ret_entries = dir.entries;
    return 0;
}

static int archive_failed(struct archive *a, struct error *err)
{
    const char *text = archive_error_string(a);

    return error_set(err, ERR_BAD_REQUEST, "%s", text ? text : "unreadable");
}

/* Inflates the entry, whatever it says of its size. */
static int count_bytes(struct archive *a, uint64_t max, uint64_t *total, struct error *err)
{
    const void *block;
    size_t len;
    int64_t offset;
    int r;

    for (;;) {
        r = archive_read_data_block(a, &block, &len, &offset);
        if (r == ARCHIVE_EOF)
            return 0;
        if (r != ARCHIVE_OK)
            return archive_failed(a, err);
        *total += len;
        if (*total > max)
            return error_set(err, ERR_TOO_LARGE, "more than %llu bytes", (unsigned long long)max);
    }
}

static int check_entry(struct archive *a, struct archive_entry *entry, struct zip_names *names,
                       const struct zip_limits *limits, uint64_t *total, struct error *err)
{
    struct str path = str_of(archive_entry_pathname(entry));
    mode_t type = archive_entry_filetype(entry);
    struct str target;
    int r;

    if (!path.ptr || archive_entry_hardlink(entry))
        return error_set(err, ERR_BAD_REQUEST, "an entry without a path of its own");
    if (archive_entry_is_encrypted(entry))
        return error_set(err, ERR_BAD_REQUEST, "an encrypted entry");
    if (type == S_IFDIR)
        return zip_names_add(names, path, ZIP_FOLDER, err);
    if (type == S_IFLNK) {
        target = str_of(archive_entry_symlink(entry));
        r = zip_link_check(path, target, err);
        return r < 0 ? r : zip_names_add(names, path, ZIP_LINK, err);
    }
    if (type != S_IFREG)
        return error_set(err, ERR_BAD_REQUEST, "\"%.*s\" is a device or the like", STR_ARG(path));
    r = zip_names_add(names, path, ZIP_FILE, err);
    return r < 0 ? r : count_bytes(a, limits->unpacked_max, total, err);
}

static int check_entries(struct archive *a, const struct zip_limits *limits,
                         struct zip_names *names, uint64_t expected, uint64_t *ret_total,
                         struct error *err)
{
    struct archive_entry *entry;
    uint64_t total = 0, seen = 0;
    int r;

    while ((r = archive_read_next_header(a, &entry)) == ARCHIVE_OK || r == ARCHIVE_WARN) {
        if (++seen > expected)
            return error_set(err, ERR_BAD_REQUEST, "more entries than its directory lists");
        r = check_entry(a, entry, names, limits, &total, err);
        if (r < 0)
            return r;
    }
    if (r != ARCHIVE_EOF)
        return archive_failed(a, err);
    if (seen != expected)
        return error_set(err, ERR_BAD_REQUEST, "fewer entries than its directory lists");
    *ret_total = total;
    return zip_names_finish(names, err);
}

static int check_contents(struct str zip, const struct zip_limits *limits, uint64_t entries,
                          uint64_t *ret_total, struct error *err)
{
    struct archive *a = archive_read_new();
    struct zip_names names;
    int r;

    if (!a)
        abort();
    zip_names_init(&names);
    archive_read_support_format_zip_seekable(a);
    /* the archive's bytes are only read; the library's type says otherwise */
    if (archive_read_open_memory(a, (void *)(uintptr_t)zip.ptr, zip.len) != ARCHIVE_OK)
        r = archive_failed(a, err);
    else
        r = check_entries(a, limits, &names, entries, ret_total, err);
    zip_names_done(&names);
    archive_read_free(a);
    return r;
}

int zip_check(struct str zip, const struct zip_limits *limits, uint64_t *ret_unpacked,
              struct error *why, struct error *err)
{
    static const struct zip_limits usual = {ZIP_UNPACKED_MAX, ZIP_ENTRIES_MAX};
    struct error wrong = {.code = ERR_OK};
    uint64_t entries = 0, total = 0;
    int r;

    if (!limits)
        limits = &usual;
    if (zip.len == 0)
        return error_set(err, ERR_BAD_REQUEST, "Uploaded file must be a non-empty zip");
    r = check_directory(zip, limits, &entries, &wrong);
    if (r == 0 && entries == 0)
        return error_set(err, ERR_BAD_REQUEST, "Uploaded file must be a non-empty zip");
    if (r == 0)
        r = check_contents(zip, limits, entries, &total, &wrong);
    if (r == 0 && ret_unpacked)
        *ret_unpacked = total;
    if (r == 0)
        return 0;
    if (why)
        *why = wrong;
    if (wrong.code == ERR_TOO_LARGE)
        return error_set(err, ERR_BAD_REQUEST, "Unzipped size must be smaller than %llu bytes",
                         (unsigned long long)limits->unpacked_max);
    return error_set(err, ERR_BAD_REQUEST, COULD_NOT_UNZIP);
}
