/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth_challenge.h - what a registry wants when it answers 401: the value of WWW-Authenticate.
 *
 * Owns:    a struct auth_challenge is a value.
 * Threads: any.
 * Errors:  -ERR_PROTOCOL: no challenge that is known, or a part that is too long.
 * Source:  RFC 9110 section 11.6.1; distribution specification, "Token Authentication".
 */
#ifndef HEARTH_PROTO_AUTH_CHALLENGE_H
#define HEARTH_PROTO_AUTH_CHALLENGE_H

#include <stdbool.h>

#include "common/base/error.h"
#include "common/base/str.h"

#define AUTH_CHALLENGE_MAX 1024

struct auth_challenge {
    bool bearer; /* a token from @realm; else Basic */
    char realm[AUTH_CHALLENGE_MAX]; /* of a bearer: an http or https URL, never empty */
    char service[AUTH_CHALLENGE_MAX]; /* "": none */
    char scope[AUTH_CHALLENGE_MAX]; /* "": none */
};

int auth_challenge_parse(struct str value, struct auth_challenge *ret, struct error *err);

#endif
