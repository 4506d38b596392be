/* SPDX-License-Identifier: Apache-2.0 */
/*
 * banned.h - turns library functions that invite mistakes into build errors.
 *
 * Included by the build (-include) in every file of ours; use str.h, buf.h and clock.h instead.
 */
#ifndef HEARTH_BASE_BANNED_H
#define HEARTH_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* with _FORTIFY_SOURCE clang has these as macros, which cannot be poisoned */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets
#pragma GCC poison atoi atol atoll gmtime localtime ctime asctime tmpnam mktemp

#endif
