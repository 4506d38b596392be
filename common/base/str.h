/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.h - a borrowed run of bytes: pointer and length, passed by value, no NUL assumed.
 *
 * Owns:    nothing; the bytes belong to whoever made the str.
 * Threads: any.
 */
#ifndef HEARTH_BASE_STR_H
#define HEARTH_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *ptr;
    size_t len;
};

/** A str of a string literal. */
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_NULL ((struct str){NULL, 0})
/** For printf: "%.*s" with STR_ARG(s). */
#define STR_ARG(s) (int)(s).len, (s).ptr

/** A str of the NUL-terminated @s; NULL gives the empty str with a NULL pointer. */
struct str str_of(const char *s);
struct str str_from(const void *ptr, size_t len);
bool str_is(struct str s, const char *literal);
bool str_eq(struct str a, struct str b);
/** ASCII letters compared without case. */
bool str_eq_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/** The bytes [from, to) of @s; bounds beyond the end are cut. */
struct str str_sub(struct str s, size_t from, size_t to);
/** Offset of the first @c at or after @from, or s.len when there is none. */
size_t str_find(struct str s, char c, size_t from);
/** Cuts the part of *@rest before the first @sep, moves *@rest behind it; false when *@rest was NULL. */
bool str_split(struct str *rest, char sep, struct str *ret);
/** @s without blanks, tabs, CR and LF at both ends. */
struct str str_trim(struct str s);
/** Decimal digits only, no sign, no blanks, no overflow; 0 or -ERR_BAD_REQUEST. */
int str_parse_u64(struct str s, uint64_t *ret);
/** A NUL-terminated copy; the caller frees it. Aborts when memory is gone. */
char *str_dup(struct str s);
/** asprintf() that aborts when memory is gone; the caller frees the result. */
char *str_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** Whether @s is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool str_is_utf8(struct str s);
/** 2 * @len lower-case hex digits and a NUL into @ret. */
void hex_encode(const void *bytes, size_t len, char *ret);

#endif
