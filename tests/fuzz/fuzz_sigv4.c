/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_sigv4.c - libFuzzer target: any bytes as Authorization header, as query and path, and as a
 * body in chunks. What is read lies in the input or in the struct; a request that is signed with
 * what was read verifies, with another key it does not.
 *
 * Input: a line with the Authorization header (empty: none), one with path?query, the rest is the
 * body.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/proto/sigv4.h"
#include "common/proto/sigv4_chunks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_verify(const struct sigv4_request *req, struct sigv4_auth *auth)
{
    static const unsigned char key[SHA256_BYTES] = {1}, other[SHA256_BYTES] = {2};
    char hex[SHA256_HEX_MAX], signature[SHA256_HEX_MAX];
    struct sigv4_space space;
    struct str payload;

    sigv4_space_init(&space);
    if (sigv4_payload(req, auth, hex, &payload, NULL) == 0 &&
        sigv4_canonical(req, auth, payload, &space, NULL) == 0) {
        sigv4_signature(auth, key, &space, signature);
        auth->signature = str_of(signature);
        if (sigv4_verify(req, auth, key, &space, NULL) < 0 ||
            sigv4_verify(req, auth, other, &space, NULL) == 0)
            abort();
    }
    sigv4_space_done(&space);
}

static void check_chunks(const struct sigv4_auth *auth, struct str body)
{
    static const unsigned char key[SHA256_BYTES] = {1};
    static const char *const kinds[] = {"STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                                        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"};
    struct sigv4_auth chunked;
    size_t i, len;

    memcpy(&chunked, auth, offsetof(struct sigv4_auth, space));
    for (i = 0; i < 2; i++) {
        CLEANUP(freep) char *copy = malloc(body.len + 1);

        if (body.len)
            memcpy(copy, body.ptr, body.len);
        len = body.len;
        chunked.payload = str_of(kinds[i]);
        if (sigv4_chunks_decode(&chunked, key, copy, &len, NULL) == 0 && len > body.len)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sigv4_auth auth;
    static char space[SIGV4_QUERY_VALUES_MAX];
    struct str rest = str_from(data, size), line, target;
    struct sigv4_header headers[] = {{STR("host"), STR("h")},
                                     {STR("x-amz-date"), STR("20150830T123600Z")},
                                     {STR("authorization"), STR_NULL}};
    struct sigv4_request req = {.method = STR("GET"), .headers = headers};
    struct sigv4_scope scope;
    size_t mark;

    if (!str_split(&rest, '\n', &line) || !rest.ptr || !str_split(&rest, '\n', &target))
        return 0;
    headers[2].value = line;
    req.header_count = line.len ? 3 : 2;
    mark = str_find(target, '?', 0);
    req.path = str_sub(target, 0, mark);
    req.query = str_sub(target, mark + 1, target.len);
    req.body = rest.ptr ? rest : STR("");
    sigv4_read_scope(&req, space, &scope);
    if (sigv4_read(&req, &auth, NULL) < 0)
        return 0;
    if (!auth.scope.access_key.len || auth.signature.len != 64 || strlen(auth.time) != 16)
        abort();
    check_chunks(&auth, req.body);
    check_verify(&req, &auth);
    return 0;
}
