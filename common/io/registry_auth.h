/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_auth.h - the credentials for a registry in Docker's config.json ("auths").
 *
 * Owns:    struct registry_auth its strings; registry_auth_done() wipes and frees them.
 * Threads: any. Reads the file anew each time, as whoever logs in changes it: a small local file
 *          against a registry's answer.
 * Errors:  a file that cannot be used is said in the log, and the answer is "none".
 */
#ifndef HEARTH_IO_REGISTRY_AUTH_H
#define HEARTH_IO_REGISTRY_AUTH_H

#include <stdbool.h>

#include "common/base/str.h"

/** NULL: it is not told. */
struct registry_auth {
    char *username, *password, *identity_token, *registry_token;
    char *server; /* the file's key for it */
};

/** @file "": none; @host "": Docker's own registry. False: anonymous, and @ret is not to be used. */
bool registry_auth_load(const char *file, struct str host, struct registry_auth *ret);
void registry_auth_done(struct registry_auth *auth);

#endif
