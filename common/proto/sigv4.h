/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigv4.h - AWS Signature Version 4: read from a request, checked against a key. Both forms, in the
 * Authorization header and in the query (a presigned URL).
 *
 * The order for who checks: sigv4_read(), sigv4_check_time(), find the secret of auth->access_key,
 * sigv4_signing_key() (may be kept: it holds for a day, a region and a service), sigv4_verify(),
 * and when sigv4_is_chunked(), sigv4_chunks_decode() (sigv4_chunks.h), without which the body is
 * not proven.
 *
 * As AWS does for all services but S3, headers that the client left out of SignedHeaders are not
 * demanded, `host` is. The body counts unless the client says otherwise (UNSIGNED-PAYLOAD).
 *
 * Owns:    a struct sigv4_space its memory; a struct sigv4_auth borrows from the request and from
 *          itself: it must not be copied.
 * Threads: any; a space one at a time.
 * Errors:  AWS's: -ERR_NO_TOKEN (no signature), -ERR_HALF_SIGNED (malformed), -ERR_BAD_SIGNATURE
 *          (wrong, or out of time). No message holds a secret or a signature.
 * Source:  AWS general reference, "Signature Version 4 signing process" and "Troubleshooting".
 */
#ifndef HEARTH_PROTO_SIGV4_H
#define HEARTH_PROTO_SIGV4_H

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/proto/digest.h"

#define SIGV4_SKEW_S 900u /* how far a client's clock may be off */
#define SIGV4_EXPIRES_MAX_S 604800u /* a presigned URL's longest life: 7 days */
#define SIGV4_TIME_MAX 17 /* "20150830T123600Z" and a NUL */
#define SIGV4_QUERY_VALUES_MAX 8192 /* bytes of a presigned URL's decoded X-Amz-… values */

struct sigv4_header {
    struct str name, value; /* names in any case */
};

struct sigv4_request {
    struct str method;
    struct str path; /* as sent, escapes not decoded, without the query */
    struct str query; /* raw, without '?' */
    const struct sigv4_header *headers; /* a name may stand there several times */
    size_t header_count;
    struct str body;
};

/** What a credential is for: `access key/date/region/service/aws4_request`. */
struct sigv4_scope {
    struct str access_key;
    struct str date; /* "20150830" */
    struct str region, service;
};

struct sigv4_auth {
    struct sigv4_scope scope;
    struct str signed_headers; /* "host;x-amz-date" */
    struct str signature; /* 64 hex digits */
    struct str token; /* X-Amz-Security-Token; a NULL ptr: none */
    struct str payload; /* X-Amz-Content-Sha256; a NULL ptr: none */
    bool in_query;
    bool has_expires;
    uint64_t expires_s; /* life of a presigned URL */
    uint64_t time_s; /* when it was signed, Unix time */
    char time[SIGV4_TIME_MAX]; /* the same as signed */
    char space[SIGV4_QUERY_VALUES_MAX]; /* decoded values of the query form */
};

/** Scratch memory, to be used for many requests. */
struct sigv4_space {
    struct buf canonical; /* the canonical request of the last call */
    struct buf query;
};

void sigv4_space_init(struct sigv4_space *space);
void sigv4_space_done(struct sigv4_space *space);

/** The value of the first header @name (lower case); a NULL ptr when there is none. */
struct str sigv4_header(const struct sigv4_request *req, const char *name);

/** Reads the signature that @req carries; checks its form, nothing else. */
int sigv4_read(const struct sigv4_request *req, struct sigv4_auth *ret, struct error *err);
/**
 * Only the scope, of whatever looks like a signature; @space holds decoded bytes. false: there is
 * none. For choosing the service when signatures are not checked.
 */
bool sigv4_read_scope(const struct sigv4_request *req, char space[SIGV4_QUERY_VALUES_MAX],
                      struct sigv4_scope *ret);
/** -ERR_BAD_SIGNATURE unless the signature is of about now (Unix time @now_s) or still lives. */
int sigv4_check_time(const struct sigv4_auth *auth, uint64_t now_s, struct error *err);
/** The key that signs in @scope (its access key is not looked at); wipe it after use. */
void sigv4_signing_key(struct str secret, const struct sigv4_scope *scope,
                       unsigned char ret[SHA256_BYTES]);
/** 0 when @auth's signature is that of @req under @key. */
int sigv4_verify(const struct sigv4_request *req, const struct sigv4_auth *auth,
                 const unsigned char key[SHA256_BYTES], struct sigv4_space *space,
                 struct error *err);
/** Whether the body comes in chunks (STREAMING-…), to be decoded and, mostly, verified. */
bool sigv4_is_chunked(const struct sigv4_auth *auth);

/* ---- the steps of it, for signing and tests ---- */

/**
 * The hashed payload of the canonical request: what @auth says, once it is found true of the body,
 * else the body's digest, which is put into @hex.
 */
int sigv4_payload(const struct sigv4_request *req, const struct sigv4_auth *auth,
                  char hex[SHA256_HEX_MAX], struct str *ret, struct error *err);
/** Writes the canonical request to space->canonical. */
int sigv4_canonical(const struct sigv4_request *req, const struct sigv4_auth *auth,
                    struct str payload, struct sigv4_space *space, struct error *err);
/** The signature, hex, of space->canonical. */
void sigv4_signature(const struct sigv4_auth *auth, const unsigned char key[SHA256_BYTES],
                     const struct sigv4_space *space, char ret[SHA256_HEX_MAX]);
/** "20150830T123600Z" of Unix time @s. */
void sigv4_format_time(uint64_t s, char ret[SIGV4_TIME_MAX]);

#endif
