/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern.h - the API model's regular expressions, which are Java's: compiled once, matched as a
 * whole, bounded in effort so that no input can make one expensive.
 *
 * Owns:    compiled patterns, made on first use and kept until pattern_done().
 * Threads: one (the loop thread).
 * Source:  botocore service model; java.util.regex.Pattern.
 */
#ifndef HEARTH_MODEL_PATTERN_H
#define HEARTH_MODEL_PATTERN_H

#include "common/base/str.h"

/**
 * Whether all of @s (UTF-8) matches @pattern: 1 or 0. -ERR_TOO_LARGE when the effort went beyond
 * its bound, -ERR_INTERNAL when @pattern itself is wrong.
 */
int pattern_match(const char *pattern, struct str s);
/** Frees the compiled patterns. */
void pattern_done(void);

#endif
