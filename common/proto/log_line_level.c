/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/log_line_level.h"

#include <ctype.h>
#include <string.h>

/* What is left of the line. */
struct cursor {
    const char *at, *end;
};

enum outcome {
    GOES_ON,
    IS_OVER, /* the bytes end in the middle of something */
    IS_WRONG, /* this is no JSON */
};

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\r'))
        c->at++;
}

/* A string whose quotation mark is next; @ret: what is between the marks, as it stands. */
static enum outcome read_string(struct cursor *c, struct str *ret)
{
    const char *begin = ++c->at;

    for (; c->at < c->end; c->at++) {
        if (*c->at == '"') {
            *ret = str_from(begin, (size_t)(c->at++ - begin));
            return GOES_ON;
        }
        if ((unsigned char)*c->at < 0x20)
            return IS_WRONG;
        if (*c->at == '\\' && ++c->at == c->end)
            break;
    }
    return IS_OVER;
}

/* An array or object: as many brackets are closed as are opened; strings hide theirs. */
static enum outcome skip_brackets(struct cursor *c)
{
    enum outcome outcome;
    struct str text;
    size_t open = 0;

    while (c->at < c->end) {
        switch (*c->at) {
        case '"':
            outcome = read_string(c, &text);
            if (outcome != GOES_ON)
                return outcome;
            continue;
        case '{':
        case '[':
            open++;
            break;
        case '}':
        case ']':
            open--;
            break;
        default:
            break;
        }
        c->at++;
        if (open == 0)
            return GOES_ON;
    }
    return IS_OVER;
}

/* A number or a word. */
static enum outcome skip_scalar(struct cursor *c)
{
    const char *begin = c->at;

    while (c->at < c->end && (isalnum((unsigned char)*c->at) || strchr("+-.", *c->at)) && *c->at)
        c->at++;
    if (c->at == c->end)
        return IS_OVER;
    return c->at > begin ? GOES_ON : IS_WRONG;
}

/* @ret: what a string holds; empty for other values. */
static enum outcome read_value(struct cursor *c, struct str *ret)
{
    *ret = STR("");
    if (c->at == c->end)
        return IS_OVER;
    if (*c->at == '"')
        return read_string(c, ret);
    return *c->at == '{' || *c->at == '[' ? skip_brackets(c) : skip_scalar(c);
}

static enum outcome expect(struct cursor *c, char wanted)
{
    skip_space(c);
    if (c->at == c->end)
        return IS_OVER;
    if (*c->at != wanted)
        return IS_WRONG;
    c->at++;
    skip_space(c);
    return GOES_ON;
}

/* Two digits from @at on, in their range; false beyond the end, too. */
static bool is_two_digits(struct str s, size_t at, int least, int most)
{
    int value;

    if (at + 2 > s.len || !isdigit((unsigned char)s.ptr[at]) ||
        !isdigit((unsigned char)s.ptr[at + 1]))
        return false;
    value = (s.ptr[at] - '0') * 10 + s.ptr[at + 1] - '0';
    return value >= least && value <= most;
}

static bool is_at(struct str s, size_t at, const char *any_of)
{
    return at < s.len && s.ptr[at] && strchr(any_of, s.ptr[at]);
}

static bool is_offset(struct str s)
{
    if (s.len == 1)
        return is_at(s, 0, "Zz");
    return s.len == 6 && is_at(s, 0, "+-") && is_two_digits(s, 1, 0, 23) && is_at(s, 3, ":") &&
           is_two_digits(s, 4, 0, 59);
}

/* "2024-11-02T16:51:31.587199Z", "2024-11-02 16:51:31+01:00" */
static bool is_time(struct str s)
{
    size_t at = 19;

    if (!is_two_digits(s, 0, 0, 99) || !is_two_digits(s, 2, 0, 99) || !is_at(s, 4, "-") ||
        !is_two_digits(s, 5, 1, 12) || !is_at(s, 7, "-") || !is_two_digits(s, 8, 1, 31) ||
        !is_at(s, 10, "Tt ") || !is_two_digits(s, 11, 0, 23) || !is_at(s, 13, ":") ||
        !is_two_digits(s, 14, 0, 59) || !is_at(s, 16, ":") || !is_two_digits(s, 17, 0, 60))
        return false;
    if (is_at(s, at, ".")) {
        if (!is_at(s, ++at, "0123456789"))
            return false;
        while (is_at(s, at, "0123456789"))
            at++;
    }
    return is_offset(str_sub(s, at, s.len));
}

/* What the members have told so far. */
struct told {
    int level;
    bool has_time;
};

static void note(struct told *told, struct str name, struct str value)
{
    if (str_eq_nocase(name, STR("level")))
        told->level = fn_log_level_find(value);
    else if (str_eq_nocase(name, STR("timestamp")) || str_eq_nocase(name, STR("time")) ||
             str_eq_nocase(name, STR("@timestamp")))
        told->has_time = is_time(value);
}

static enum outcome read_member(struct cursor *c, struct told *told)
{
    struct str name, value;
    enum outcome outcome;

    if (c->at == c->end)
        return IS_OVER;
    if (*c->at != '"')
        return IS_WRONG;
    outcome = read_string(c, &name);
    if (outcome == GOES_ON)
        outcome = expect(c, ':');
    if (outcome == GOES_ON)
        outcome = read_value(c, &value);
    if (outcome == GOES_ON)
        note(told, name, value);
    return outcome;
}

/* All members; GOES_ON when the object is closed and nothing is behind it. */
static enum outcome read_object(struct cursor *c, struct told *told)
{
    enum outcome outcome = expect(c, '{');

    if (outcome == GOES_ON && c->at < c->end && *c->at == '}')
        c->at++;
    else if (outcome == GOES_ON)
        for (;;) {
            outcome = read_member(c, told);
            if (outcome != GOES_ON)
                return outcome;
            if (expect(c, ',') == GOES_ON)
                continue;
            outcome = expect(c, '}');
            break;
        }
    skip_space(c);
    return outcome == GOES_ON && c->at < c->end ? IS_WRONG : outcome;
}

int log_line_level(struct str line, bool is_whole)
{
    struct cursor c = {line.ptr, line.ptr + line.len};
    struct told told = {.level = -1};
    enum outcome outcome;

    if (line.len == 0)
        return -1;
    outcome = read_object(&c, &told);
    if (outcome == IS_WRONG || (outcome == IS_OVER && is_whole))
        return -1;
    return told.level >= 0 && told.has_time ? told.level : FN_LOG_INFO;
}
