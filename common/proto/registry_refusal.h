/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_refusal.h - what a registry's refusal means when only its words arrive: engines hand
 * them on, in many wordings.
 *
 * Owns: nothing. Threads: any. Errors: none.
 */
#ifndef HEARTH_PROTO_REGISTRY_REFUSAL_H
#define HEARTH_PROTO_REGISTRY_REFUSAL_H

#include "common/base/error.h"

/** The code for the words in @text; @otherwise when they are not known. */
enum error_code registry_refusal_code(const char *text, enum error_code otherwise);

#endif
