/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_name.h - the ways to name a function: name, name:qualifier, account:function:name, full ARN,
 * each with or without a qualifier; and the ARNs we write.
 *
 * Owns:    nothing; a struct fn_name borrows from the text it was read from.
 * Threads: any. No allocation, no regular expressions: Invoke comes through here.
 * Errors:  AWS's, in AWS's words: VALIDATION (pattern, length), BAD_REQUEST (a new function's name
 *          over 64 characters, conflicting qualifiers), NOT_FOUND (another region), ACCESS_DENIED
 *          (another account; its message is empty, as AWS's is null).
 * Source:  Lambda API reference, FunctionName, NamespacedFunctionName; recorded AWS answers.
 */
#ifndef HEARTH_MODEL_FN_NAME_H
#define HEARTH_MODEL_FN_NAME_H

#include "common/base/buf.h"
#include "common/base/error.h"

#define FN_NAME_MAX 64 /* characters of the name part */
#define FN_QUALIFIER_MAX 128
#define FN_LATEST "$LATEST"

struct fn_name {
    struct str region; /* ptr NULL when the text has none */
    struct str account; /* ptr NULL when the text has none */
    struct str name;
    struct str qualifier; /* ptr NULL when there is none */
};

/* Which of AWS's two shapes the operation's FunctionName has. */
enum fn_name_kind {
    FN_NAME_PLAIN, /* FunctionName: 140 characters */
    FN_NAME_NAMESPACED, /* NamespacedFunctionName: 256 characters (Invoke, GetFunction, ...) */
};

/* Who we are: what a name without account or region means. Borrowed. */
struct fn_home {
    struct str account; /* 12 digits */
    struct str region; /* "us-east-1" */
};

/** Splits @text; checks shape and lengths only. */
int fn_name_parse(struct str text, enum fn_name_kind kind, struct fn_name *ret, struct error *err);
/**
 * Whether a function may be created with this name, which has passed fn_name_parse():
 * -ERR_BAD_REQUEST over 64 characters. Elsewhere such a name is only that of no function.
 */
int fn_name_check_new(const struct fn_name *name, struct error *err);
/**
 * As fn_name_parse(), then: region and account must be @home's, @qualifier (ptr NULL or empty: none
 * given) must agree with the one in @text. In *@ret region and account are filled from @home.
 */
int fn_name_resolve(struct str text, enum fn_name_kind kind, struct str qualifier,
                    const struct fn_home *home, struct fn_name *ret, struct error *err);
/** Whether @s is a legal Qualifier: $LATEST, a version or an alias name, 1..128 characters. */
bool fn_qualifier_is_valid(struct str s);
/** Whether @s is the number of a published version. */
bool fn_version_number_is_valid(struct str s);
/** Appends "arn:aws:lambda:REGION:ACCOUNT:function:NAME", and ":QUALIFIER" unless that is empty. */
int fn_arn_append(struct buf *b, struct str region, struct str account, struct str name,
                  struct str qualifier);
/** The same as a NUL-terminated string; the caller frees it. */
char *fn_arn_new(struct str region, struct str account, struct str name, struct str qualifier);
/** The partition that @region belongs to: "aws", "aws-cn", "aws-us-gov"; static. */
const char *fn_arn_partition(struct str region);

#endif
