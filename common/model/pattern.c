/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/base/error.h"
#include "common/base/map.h"

/*
 * The longest legal values (policies of 20 KB, ARNs) need a few steps for each byte; runaway
 * backtracking hits these bounds within milliseconds.
 */
#define MATCH_STEPS_MAX 1000000
#define MATCH_HEAP_KIB_MAX 4096

static struct map compiled; /* pattern text -> pcre2_code */
static pcre2_compile_context *compile_context;
static pcre2_match_context *match_context;
static pcre2_match_data *match_data;

static void code_free(void *code)
{
    pcre2_code_free(code);
}

static void pattern_init(void)
{
    map_init(&compiled, code_free);
    compile_context = pcre2_compile_context_create(NULL);
    match_context = pcre2_match_context_create(NULL);
    match_data = pcre2_match_data_create(1, NULL);
    if (!compile_context || !match_context || !match_data)
        abort();
    pcre2_set_newline(compile_context, PCRE2_NEWLINE_ANY); /* what Java's dot stops at */
    pcre2_set_match_limit(match_context, MATCH_STEPS_MAX);
    pcre2_set_heap_limit(match_context, MATCH_HEAP_KIB_MAX);
}

static pcre2_code *code_for(const char *pattern)
{
    pcre2_code *code = map_get(&compiled, str_of(pattern));
    PCRE2_SIZE offset;
    int error;

    if (code)
        return code;
    code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                         PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY |
                             PCRE2_ALT_BSUX, /* \u0041 and \x41 */
                         &error, &offset, compile_context);
    if (code)
        map_put(&compiled, str_of(pattern), code);
    return code;
}

int pattern_match(const char *pattern, struct str s)
{
    pcre2_code *code;
    int r;

    if (!compile_context)
        pattern_init();
    code = code_for(pattern);
    if (!code)
        return -ERR_INTERNAL;
    r = pcre2_match(code, (PCRE2_SPTR)(s.ptr ? s.ptr : ""), s.len, 0, 0, match_data, match_context);
    if (r >= 0)
        return 1;
    if (r == PCRE2_ERROR_MATCHLIMIT || r == PCRE2_ERROR_DEPTHLIMIT || r == PCRE2_ERROR_HEAPLIMIT)
        return -ERR_TOO_LARGE;
    return 0;
}

void pattern_done(void)
{
    if (!compile_context)
        return;
    map_done(&compiled);
    pcre2_match_data_free(match_data);
    pcre2_match_context_free(match_context);
    pcre2_compile_context_free(compile_context);
    compile_context = NULL;
}
