/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_complaint.h - what is wrong with a payload, in the words of the parser that Lambda uses
 * (Jackson): the cold half of json_check.h, which alone uses it.
 *
 * Each function fills the scan's error and returns -ERR_BAD_CONTENT. Positions are offsets of
 * bytes; messages tell line and column (in bytes, from 1), of the byte at fault or of the one
 * behind it, as Jackson does.
 *
 * Owns:    nothing.
 * Threads: any.
 * Source:  recorded AWS answers; messages of Jackson 2.17's UTF8StreamJsonParser.
 */
#ifndef HEARTH_PROTO_JSON_COMPLAINT_H
#define HEARTH_PROTO_JSON_COMPLAINT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/proto/json_check.h"

/* One run over a payload. */
struct json_scan {
    const unsigned char *ptr;
    size_t len;
    struct error *err;
    unsigned depth; /* containers that are open */
    uint32_t open_at[JSON_CHECK_DEPTH]; /* where they were opened */
};

enum json_place {
    JSON_IN_STRING,
    JSON_IN_NAME,
    JSON_BEFORE_NAME, /* the payload ends at the name's quote */
};

/* A byte that is none of what may stand there. */
int json_complain_value(const struct json_scan *s, size_t at);
int json_complain_name(const struct json_scan *s, size_t at);
int json_complain_colon(const struct json_scan *s, size_t at);
int json_complain_comma(const struct json_scan *s, size_t at);
int json_complain_close(const struct json_scan *s, size_t at);
int json_complain_root_space(const struct json_scan *s, size_t at);
int json_complain_trailing(const struct json_scan *s, size_t at);

/* A literal that goes wrong after its first @good bytes; whether one goes on behind its end. */
int json_complain_token(const struct json_scan *s, size_t at, size_t good);
bool json_token_goes_on(const struct json_scan *s, size_t at);

/* Numbers: @at is where a digit should be, or the end. */
int json_complain_minus(const struct json_scan *s, size_t at);
int json_complain_leading_zero(const struct json_scan *s, size_t at);
int json_complain_number(const struct json_scan *s, size_t at, const char *what);

/* Strings. */
int json_complain_utf8_start(const struct json_scan *s, size_t at);
int json_complain_utf8_middle(const struct json_scan *s, size_t at);
int json_complain_unquoted(const struct json_scan *s, size_t at, enum json_place place);
int json_complain_escape(const struct json_scan *s, size_t at);
int json_complain_hex_digit(const struct json_scan *s, size_t at);
int json_complain_escape_end(const struct json_scan *s);
int json_complain_string_end(const struct json_scan *s, enum json_place place);

/* The end, too early; or too much. */
int json_complain_between(const struct json_scan *s);
int json_complain_unclosed(const struct json_scan *s);
int json_complain_empty(const struct json_scan *s);
int json_complain_depth(const struct json_scan *s);
int json_complain_length(const struct json_scan *s);

#endif
