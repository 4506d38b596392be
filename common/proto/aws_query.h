/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws_query.h - the AWS query protocol (STS, IAM): a form of flattened names goes in
 * (`Action=CreateRole&Tags.member.1.Key=a`), XML comes out.
 *
 * Owns:    a struct aws_query owns the decoded names and values; aws_query_done(). Values are good
 *          until then.
 * Threads: any.
 * Errors:  parsing: -ERR_BAD_REQUEST (AWS's MalformedQueryString), -ERR_TOO_LARGE. Writing:
 *          -ERR_TOO_LARGE beyond the buf's ceiling; such a buf takes nothing more, so that it is
 *          enough to look at the last call's answer (aws_query_answer_end()).
 * Source:  AWS query protocol, "Smithy awsQuery"; XML 1.0 section 2.2.
 */
#ifndef HEARTH_PROTO_AWS_QUERY_H
#define HEARTH_PROTO_AWS_QUERY_H

#include "common/base/buf.h"
#include "common/base/error.h"

#define AWS_QUERY_PARAMS_MAX 2000u /* above any list that AWS allows */

#define STS_XMLNS "https://sts.amazonaws.com/doc/2011-06-15/"
#define IAM_XMLNS "https://iam.amazonaws.com/doc/2010-05-08/"

struct aws_query_param {
    struct str name, value; /* decoded; UTF-8 without NUL */
};

struct aws_query {
    char *text;
    struct aws_query_param *params; /* sorted by name; of one name the first given comes first */
    size_t len;
};

/**
 * Decodes a form: a POST's body, or what stands behind '?' of a GET. Empty pairs are skipped; a
 * name without '=' has an empty value.
 */
int aws_query_parse(struct str form, struct aws_query *ret, struct error *err);
/** Wipes (values may be secrets) and frees. */
void aws_query_done(struct aws_query *q);
/** The value of the parameter @name; a NULL ptr when it is absent. */
struct str aws_query_get(const struct aws_query *q, const char *name);
/** The same with a name such as "Tags.member.%zu.Key" (at most 255 bytes). */
struct str aws_query_getf(const struct aws_query *q, const char *fmt, ...) PRINTF_FORMAT(2, 3);
/**
 * How many members the list @name has: @name.member.1, .2, … as far as they follow one another,
 * each there itself or with something below it (`Tags.member.1.Key`).
 */
size_t aws_query_members(const struct aws_query *q, const char *name);

/* ---- XML ---- */

/** <@name> */
int xml_open(struct buf *b, const char *name);
/** </@name> */
int xml_close(struct buf *b, const char *name);
/** <@name>@text, escaped</@name>. What XML cannot hold (controls, bytes not UTF-8) becomes U+FFFD. */
int xml_text(struct buf *b, const char *name, struct str text);
/** The same, unless @text has a NULL ptr: then nothing. */
int xml_text_maybe(struct buf *b, const char *name, struct str text);
int xml_u64(struct buf *b, const char *name, uint64_t value);
int xml_bool(struct buf *b, const char *name, bool value);
/** Appends @text escaped, without tags. */
int xml_escape(struct buf *b, struct str text);

/** `<@opResponse xmlns="@xmlns"><@opResult>` */
int aws_query_answer_begin(struct buf *b, const char *xmlns, const char *op);
/** `</@opResult><ResponseMetadata>…</@opResponse>`; fails when anything before it did not fit. */
int aws_query_answer_end(struct buf *b, const char *op, const char *request_id);
/** An answer of an operation that has no result: `<@opResponse xmlns><ResponseMetadata>…`. */
int aws_query_answer_empty(struct buf *b, const char *xmlns, const char *op,
                           const char *request_id);
/**
 * An error document.
 *
 * @code         AWS's name of it, "ValidationError"
 * @http_status  tells Sender (below 500) from Receiver
 */
int aws_query_error(struct buf *b, const char *xmlns, const char *code, struct str message,
                    int http_status, const char *request_id);

#endif
