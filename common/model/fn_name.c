/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/fn_name.h"

#include <string.h>

#include "common/model/lambda_ops.h"

#define ACCOUNT_DIGITS 12
#define SHOWN_MAX 512 /* bytes of a wrong value in a message: the rest must fit behind it */
#define SHOWN_TWICE_MAX 280 /* the same where the value is told twice */

/* What a part of the text may be made of. */
enum { NAME = 1, DIGIT = 2, LOWER = 4, ALPHA = 8 };

static unsigned char_class(char c)
{
    if (c >= '0' && c <= '9')
        return NAME | DIGIT;
    if (c >= 'a' && c <= 'z')
        return NAME | LOWER | ALPHA;
    if (c >= 'A' && c <= 'Z')
        return NAME | ALPHA;
    return c == '-' || c == '_' ? NAME : 0;
}

static bool all_of(struct str s, unsigned class)
{
    size_t i;

    for (i = 0; i < s.len; i++)
        if (!(char_class(s.ptr[i]) & class))
            return false;
    return s.len > 0;
}

/* Whether @s is "us-east-1", "us-gov-west-1", "eusc-de-east-1", "us-isob-east-1" and the like. */
static bool is_region(struct str s)
{
    struct str rest = s, part;

    if (str_starts(rest, STR("eusc-")))
        rest = str_sub(rest, 5, rest.len);
    if (rest.len < 6 || !all_of(str_sub(rest, 0, 2), LOWER) || rest.ptr[2] != '-')
        return false;
    rest = str_sub(rest, 3, rest.len);
    part = str_sub(rest, 0, str_find(rest, '-', 0));
    if (str_is(part, "gov") || (str_starts(part, STR("iso")) && part.len <= 4)) {
        /* a marker only when a further part follows: "us-gov-1" has none */
        struct str after = str_sub(rest, part.len + 1, rest.len);

        if (str_find(after, '-', 0) < after.len)
            rest = after;
    }
    if (rest.len < 3 || rest.ptr[rest.len - 2] != '-')
        return false;
    return all_of(str_sub(rest, 0, rest.len - 2), LOWER) &&
           all_of(str_sub(rest, rest.len - 1, rest.len), DIGIT);
}

/* Cuts "<part>:" off @rest when its part satisfies the test. */
static bool cut_part(struct str *rest, bool (*is)(struct str part), struct str *ret)
{
    size_t colon = str_find(*rest, ':', 0);
    struct str part = str_sub(*rest, 0, colon);

    if (colon == rest->len || !is(part))
        return false;
    *rest = str_sub(*rest, colon + 1, rest->len);
    *ret = part;
    return true;
}

static bool is_account(struct str s)
{
    return s.len == ACCOUNT_DIGITS && all_of(s, DIGIT);
}

static bool is_function_word(struct str s)
{
    return str_is(s, "function");
}

/* Cuts "arn:aws:lambda:", "arn:aws-cn:lambda:", "arn::lambda:". */
static bool cut_arn(struct str *rest)
{
    struct str after, partition;
    size_t colon, i;

    if (!str_starts(*rest, STR("arn:")))
        return false;
    after = str_sub(*rest, 4, rest->len);
    colon = str_find(after, ':', 0);
    partition = str_sub(after, 0, colon);
    after = str_sub(after, colon, after.len);
    if (partition.len > 0 && !str_starts(partition, STR("aws")))
        return false;
    for (i = 3; i < partition.len; i++)
        if (!(char_class(partition.ptr[i]) & ALPHA) && partition.ptr[i] != '-')
            return false;
    if (!str_starts(after, STR(":lambda:")))
        return false;
    *rest = str_sub(after, 8, after.len);
    return true;
}

static bool is_name(struct str s, enum fn_name_kind kind)
{
    size_t i;

    for (i = 0; i < s.len; i++)
        if (!(char_class(s.ptr[i]) & NAME) && !(kind == FN_NAME_NAMESPACED && s.ptr[i] == '.'))
            return false;
    return s.len > 0;
}

static bool is_name_qualifier(struct str s, enum fn_name_kind kind)
{
    return all_of(s, NAME) || str_is(s, FN_LATEST) ||
           (kind == FN_NAME_NAMESPACED && str_is(s, FN_LATEST ".PUBLISHED"));
}

/* Splits what is left behind the prefixes: a name and perhaps a qualifier. */
static bool split_tail(struct str rest, enum fn_name_kind kind, struct fn_name *n)
{
    size_t colon = str_find(rest, ':', 0);

    n->name = str_sub(rest, 0, colon);
    n->qualifier = colon < rest.len ? str_sub(rest, colon + 1, rest.len) : STR_NULL;
    return is_name(n->name, kind) && (!n->qualifier.ptr || is_name_qualifier(n->qualifier, kind));
}

enum prefix { PREFIX_ARN, PREFIX_REGION, PREFIX_ACCOUNT, PREFIX_FUNCTION, PREFIX_MAX };

/*
 * Splits by the pattern, each optional prefix first taken, then left: "function:x" names x, but in
 * "function:$LATEST" the word is the name. At most one more step for each prefix left.
 */
static bool split(struct str text, enum prefix prefix, enum fn_name_kind kind, struct fn_name *n)
{
    struct str rest = text, part = STR_NULL;
    bool cut = false;

    switch (prefix) {
    case PREFIX_ARN:
        cut = cut_arn(&rest);
        break;
    case PREFIX_REGION:
        cut = cut_part(&rest, is_region, &part);
        break;
    case PREFIX_ACCOUNT:
        cut = cut_part(&rest, is_account, &part);
        break;
    case PREFIX_FUNCTION:
        cut = cut_part(&rest, is_function_word, &part);
        break;
    case PREFIX_MAX:
        return split_tail(text, kind, n);
    }
    if (cut && split(rest, prefix + 1, kind, n)) {
        if (prefix == PREFIX_REGION)
            n->region = part;
        else if (prefix == PREFIX_ACCOUNT)
            n->account = part;
        return true;
    }
    return split(text, prefix + 1, kind, n);
}

/* The shape of FunctionName, for its pattern and length: the texts have one home. */
static const struct lambda_shape *name_shape(enum fn_name_kind kind)
{
    enum lambda_op_id id = kind == FN_NAME_PLAIN ? LAMBDA_OP_CreateFunction : LAMBDA_OP_Invoke;

    return lambda_shape_member(lambda_input_shape(id), STR("FunctionName"))->shape;
}

#define VIOLATION "Value '%.*s' at 'functionName' failed to satisfy constraint: Member must "
#define PATTERN "satisfy regular expression pattern: %s"
#define LENGTH "have length less than or equal to %zu"

static int length_error(struct error *err, enum error_code code, struct str value, size_t max)
{
    return error_set(err, code, "1 validation error detected: " VIOLATION LENGTH, STR_ARG(value),
                     max);
}

/* @text does not have the pattern; it may be too long besides. */
static int pattern_error(struct error *err, struct str text, enum fn_name_kind kind, size_t max)
{
    struct str shown = str_sub(text, 0, text.len > max ? SHOWN_TWICE_MAX : SHOWN_MAX);
    const char *pattern = name_shape(kind)->pattern;

    if (text.len > max)
        return error_set(err, ERR_VALIDATION,
                         "2 validation errors detected: " VIOLATION PATTERN "; " VIOLATION LENGTH,
                         STR_ARG(shown), pattern, STR_ARG(shown), max);
    return error_set(err, ERR_VALIDATION, "1 validation error detected: " VIOLATION PATTERN,
                     STR_ARG(shown), pattern);
}

int fn_name_parse(struct str text, enum fn_name_kind kind, struct fn_name *ret, struct error *err)
{
    const size_t max = kind == FN_NAME_PLAIN ? 140 : 256;
    struct str shown = str_sub(text, 0, SHOWN_MAX);
    struct fn_name n = {STR_NULL, STR_NULL, STR_NULL, STR_NULL};

    if (!split(text, PREFIX_ARN, kind, &n))
        return pattern_error(err, text, kind, max);
    if (text.len > max)
        return length_error(err, ERR_VALIDATION, shown, max);
    *ret = n;
    return 0;
}

int fn_name_check_new(const struct fn_name *name, struct error *err)
{
    if (name->name.len <= FN_NAME_MAX)
        return 0;
    return length_error(err, ERR_BAD_REQUEST, name->name, FN_NAME_MAX);
}

int fn_name_resolve(struct str text, enum fn_name_kind kind, struct str qualifier,
                    const struct fn_home *home, struct fn_name *ret, struct error *err)
{
    struct fn_name n;
    int r;

    r = fn_name_parse(text, kind, &n, err);
    if (r < 0)
        return r;
    if (n.region.ptr && !str_eq(n.region, home->region))
        return error_set(err, ERR_NOT_FOUND,
                         "Functions from '%.*s' are not reachable in this region ('%.*s')",
                         STR_ARG(n.region), STR_ARG(home->region));
    if (n.account.ptr && !str_eq(n.account, home->account))
        return error_set(err, ERR_ACCESS_DENIED, "%s", "");
    if (qualifier.len > 0) {
        if (n.qualifier.ptr && !str_eq(n.qualifier, qualifier))
            return error_set(err, ERR_BAD_REQUEST,
                             "The derived qualifier from the function name does not match the "
                             "specified qualifier.");
        n.qualifier = qualifier;
    }
    n.region = home->region;
    n.account = home->account;
    *ret = n;
    return 0;
}

bool fn_version_number_is_valid(struct str s)
{
    uint64_t number;

    return s.len > 0 && s.len <= 15 && str_parse_u64(s, &number) == 0;
}

bool fn_qualifier_is_valid(struct str s)
{
    size_t i;

    if (s.len == 0 || s.len > FN_QUALIFIER_MAX)
        return false;
    if (str_is(s, FN_LATEST ".PUBLISHED"))
        return true;
    for (i = 0; i < s.len; i++)
        if (!(char_class(s.ptr[i]) & NAME) && s.ptr[i] != '$')
            return false;
    return true;
}

const char *fn_arn_partition(struct str region)
{
    if (str_starts(region, STR("cn-")))
        return "aws-cn";
    if (str_starts(region, STR("us-gov-")))
        return "aws-us-gov";
    return "aws";
}

int fn_arn_append(struct buf *b, struct str region, struct str account, struct str name,
                  struct str qualifier)
{
    return buf_printf(b, "arn:%s:lambda:%.*s:%.*s:function:%.*s%s%.*s", fn_arn_partition(region),
                      STR_ARG(region), STR_ARG(account), STR_ARG(name),
                      qualifier.len > 0 ? ":" : "", STR_ARG(qualifier));
}

char *fn_arn_new(struct str region, struct str account, struct str name, struct str qualifier)
{
    return str_printf("arn:%s:lambda:%.*s:%.*s:function:%.*s%s%.*s", fn_arn_partition(region),
                      STR_ARG(region), STR_ARG(account), STR_ARG(name),
                      qualifier.len > 0 ? ":" : "", STR_ARG(qualifier));
}
