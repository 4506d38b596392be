/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials.h - the access keys that may use this Hearth, from a file in the form of the AWS
 * CLI's:
 *
 *      [alice]
 *      aws_access_key_id = AKIAIOSFODNN7EXAMPLE
 *      aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
 *      aws_account_id = 000000000000                             (optional: the only one there is)
 *      principal_arn = arn:aws:iam::000000000000:user/alice      (optional: this is the default)
 *
 * Owns:    the credentials; wiped when freed.
 * Threads: loop thread only. Reading the file blocks: at start.
 * Errors:  -ERR_CONFIG with file and line; no message holds a secret.
 */
#ifndef HEARTH_GATEWAY_CREDENTIALS_H
#define HEARTH_GATEWAY_CREDENTIALS_H

#include "common/base/error.h"
#include "common/base/str.h"
#include "common/proto/sessions.h"

/** Who asks. */
struct caller {
    char arn[CALLER_ARN_MAX];
    char user_id[CALLER_ID_MAX]; /* "AIDA…", of a session "AROA…:name" */
    const struct credential *credential; /* that it goes back to; NULL: there is none */
    bool is_session;
    bool is_function; /* a session of a function's role: see authorization.h */
};

struct credential {
    char *access_key, *secret;
    struct caller caller;
    struct seal_key session_key; /* seals the sessions that it leads to */
};

struct credentials;

/** @account  the only one that credentials may be of */
int credentials_load(const char *path, const char *account, struct credentials **ret,
                     struct error *err);
/** The same of text in memory; @path is for messages. */
int credentials_parse(struct str text, const char *path, const char *account,
                      struct credentials **ret, struct error *err);
void credentials_free(struct credentials *credentials);
/** The credential with that access key id, or NULL. */
const struct credential *credentials_find(const struct credentials *credentials,
                                          struct str access_key);
size_t credentials_len(const struct credentials *credentials);

#endif
