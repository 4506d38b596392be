/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_signatures.c - verifies signed requests, for test_signatures.py, which makes them with
 * botocore. Reads standard input, a request after the other, each a row of `<length>:<bytes>`:
 * secret, Unix time, method, path, query, body, number of headers, then name and value of each.
 * Prints one letter a request: '1' it verifies, '0' it does not, and for command `sign` (region
 * and service follow the time, the access key is "AKID") the Authorization header in place of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/proto/sigv4.h"
#include "common/proto/sigv4_sign.h"

#define INPUT_MAX (1u << 30)
#define HEADERS_MAX 64

static struct str take(struct str *in)
{
    size_t colon = str_find(*in, ':', 0);
    struct str field;
    uint64_t len;

    if (str_parse_u64(str_sub(*in, 0, colon), &len) < 0 || colon + 1 + len > in->len)
        exit(2);
    field = str_sub(*in, colon + 1, colon + 1 + len);
    *in = str_sub(*in, colon + 1 + len, in->len);
    return field;
}

static uint64_t take_number(struct str *in)
{
    uint64_t n;

    if (str_parse_u64(take(in), &n) < 0)
        exit(2);
    return n;
}

static void take_request(struct str *in, struct sigv4_request *req, struct sigv4_header *headers)
{
    size_t i;

    req->method = take(in);
    req->path = take(in);
    req->query = take(in);
    req->body = take(in);
    req->header_count = take_number(in);
    req->headers = headers;
    if (req->header_count > HEADERS_MAX)
        exit(2);
    for (i = 0; i < req->header_count; i++) {
        headers[i].name = take(in);
        headers[i].value = take(in);
    }
}

static bool verifies(const struct sigv4_request *req, struct str secret, uint64_t now_s,
                     struct sigv4_space *space)
{
    static struct sigv4_auth auth;
    unsigned char key[SHA256_BYTES];

    if (sigv4_read(req, &auth, NULL) < 0 || sigv4_check_time(&auth, now_s, NULL) < 0)
        return false;
    sigv4_signing_key(secret, &auth.scope, key);
    return sigv4_verify(req, &auth, key, space, NULL) == 0;
}

static void print_signed(const struct sigv4_request *req, struct str secret, struct str region,
                         struct str service, uint64_t now_s)
{
    const struct sigv4_credentials credentials = {STR("AKID"), secret, STR_NULL};
    struct sigv4_signed s;

    if (sigv4_sign(req, &credentials, region, service, now_s, &s, NULL) < 0)
        exit(3);
    printf("%.*s\n", STR_ARG(s.headers[s.count - 1].value));
    sigv4_signed_done(&s);
}

int main(int argc, char **argv)
{
    const bool sign = argc > 1 && strcmp(argv[1], "sign") == 0;
    struct sigv4_header headers[HEADERS_MAX];
    struct buf input = BUF_INIT(INPUT_MAX);
    struct sigv4_space space;
    struct sigv4_request req;
    char piece[65536];
    size_t n;

    while ((n = fread(piece, 1, sizeof(piece), stdin)) > 0)
        if (buf_append(&input, piece, n) < 0)
            return 2;
    sigv4_space_init(&space);
    for (struct str in = buf_str(&input); in.len > 0;) {
        struct str secret = take(&in), region = STR_NULL, service = STR_NULL;
        uint64_t now_s = take_number(&in);

        if (sign) {
            region = take(&in);
            service = take(&in);
        }
        take_request(&in, &req, headers);
        if (sign)
            print_signed(&req, secret, region, service, now_s);
        else
            putchar(verifies(&req, secret, now_s, &space) ? '1' : '0');
    }
    sigv4_space_done(&space);
    buf_done(&input);
    return 0;
}
