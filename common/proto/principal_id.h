/* SPDX-License-Identifier: Apache-2.0 */
/*
 * principal_id.h - the unique ids of IAM: a prefix that tells the kind (AIDA user, AROA role, ASIA
 * key of a session …) and 17 (keys: 16) characters. Here those of users and roles follow from their
 * ARN, so that all programs say the same without asking.
 *
 * Owns:    nothing.
 * Threads: any.
 * Source:  IAM user guide, "Unique identifiers".
 */
#ifndef HEARTH_PROTO_PRINCIPAL_ID_H
#define HEARTH_PROTO_PRINCIPAL_ID_H

#include "common/base/str.h"

#define PRINCIPAL_ID_MAX 22 /* 21 characters and a NUL */
#define ACCESS_KEY_ID_MAX 21 /* 20 characters and a NUL */

/** The id of what @arn names; @prefix has 4 letters. */
void principal_id_of(const char *prefix, struct str arn, char ret[PRINCIPAL_ID_MAX]);
/** A random access key id; @prefix has 4 letters. */
void access_key_id_make(const char *prefix, char ret[ACCESS_KEY_ID_MAX]);

#endif
