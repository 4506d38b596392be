/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/auth.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "common/proto/http1.h"
#include "common/proto/sigv4_chunks.h"

#define SIGNERS_MAX 10000 /* kept; a session's takes some 2 KiB */
#define TOKEN_INVALID "The security token included in the request is invalid."

static const char *const service_names[AUTH_SERVICES] = {
    [AUTH_LAMBDA] = "lambda",
    [AUTH_SCALING] = "application-autoscaling",
    [AUTH_STS] = "sts",
    [AUTH_IAM] = "iam"};

struct day_key {
    char date[9], region[33]; /* as in the scope; "" when there is none yet */
    unsigned char key[SHA256_BYTES];
};

/* Somebody whose signatures can be checked: a credential, or a session that was opened. */
struct signer {
    char *secret;
    char *token; /* NULL: no session */
    uint64_t expires_s;
    struct caller caller;
    struct day_key keys[AUTH_SERVICES];
};

struct auth {
    struct credentials *credentials; /* NULL: signatures are not checked */
    const char *account, *region;
    struct seal_key process_key; /* seals sessions while there are no credentials */
    struct seal_key function_key; /* the controller's, for sessions of functions' roles */
    enum { FUNCTION_KEY_AWAITED, FUNCTION_KEY_NONE, FUNCTION_KEY_KNOWN } function_key_is;
    uint64_t (*now_ms)(void);
    struct map signers; /* by access key id */
    struct sigv4_space space;
    /* of the request at hand */
    struct sigv4_header headers[HTTP1_FIELDS_MAX];
    struct sigv4_auth signature;
    struct caller anyone;
};

/* ---- signers ---- */

static void signer_free(void *arg)
{
    struct signer *s = arg;

    explicit_bzero(s->secret, strlen(s->secret));
    free(s->secret);
    free(s->token);
    explicit_bzero(s->keys, sizeof(s->keys));
    free(s);
}

static struct signer *signer_new(const char *secret, struct str token, const struct caller *caller)
{
    struct signer *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->secret = str_dup(str_of(secret));
    s->token = token.ptr ? str_dup(token) : NULL;
    s->caller = *caller;
    return s;
}

static void forget_signers(struct auth *auth)
{
    map_done(&auth->signers);
    map_init(&auth->signers, signer_free);
}

static void keep_signer(struct auth *auth, struct str access_key, struct signer *s)
{
    if (auth->signers.len >= SIGNERS_MAX) /* all are made again at need */
        forget_signers(auth);
    map_put(&auth->signers, access_key, s);
}

static void set_session_caller(struct caller *caller, const struct session *session,
                               const struct credential *credential)
{
    snprintf(caller->arn, sizeof(caller->arn), "%s", session->arn);
    snprintf(caller->user_id, sizeof(caller->user_id), "%s", session->user_id);
    caller->credential = credential;
    caller->is_session = true;
}

/* What opens @token, of a credential or of functions (*@ret_credential is NULL then). */
static int find_session_key(const struct auth *auth, struct str token, const struct seal_key **ret,
                            const struct credential **ret_credential, struct error *err)
{
    struct str parent = session_parent(token);
    const struct credential *credential = NULL;

    if (parent.ptr && str_is(parent, SESSION_OF_FUNCTION)) {
        if (auth->function_key_is == FUNCTION_KEY_AWAITED)
            return error_set(err, ERR_UNAVAILABLE,
                             "The controller cannot be reached; is hearth-controller running?");
        if (auth->function_key_is == FUNCTION_KEY_KNOWN) {
            *ret = &auth->function_key;
            *ret_credential = NULL;
            return 0;
        }
    } else if (parent.ptr && auth->credentials) {
        credential = credentials_find(auth->credentials, parent);
    }
    if (!credential)
        return error_set(err, ERR_UNKNOWN_CLIENT, TOKEN_INVALID);
    *ret = &credential->session_key;
    *ret_credential = credential;
    return 0;
}

static int open_session(struct auth *auth, struct str access_key, struct str token,
                        struct signer **ret, struct error *err)
{
    const struct credential *credential = NULL;
    const struct seal_key *key = NULL;
    struct caller caller = {.arn = ""};
    struct session session;
    int r;

    r = find_session_key(auth, token, &key, &credential, err);
    if (r == 0)
        r = session_open(key, token, &session, err);
    if (r < 0)
        return r;
    if (!str_is(access_key, session.access_key)) {
        r = error_set(err, ERR_UNKNOWN_CLIENT, TOKEN_INVALID);
    } else {
        set_session_caller(&caller, &session, credential);
        caller.is_function = key == &auth->function_key;
        *ret = signer_new(session.secret, token, &caller);
        (*ret)->expires_s = session.expires_s;
        keep_signer(auth, access_key, *ret);
    }
    explicit_bzero(&session, sizeof(session));
    return r;
}

static int find_signer(struct auth *auth, const struct sigv4_auth *signature, struct signer **ret,
                       struct error *err)
{
    struct str key = signature->scope.access_key, token = signature->token;
    struct signer *s = map_get(&auth->signers, key);
    const struct credential *credential;
    int r;

    if (!s && !token.ptr) {
        credential = credentials_find(auth->credentials, key);
        if (credential) {
            s = signer_new(credential->secret, STR_NULL, &credential->caller);
            keep_signer(auth, key, s);
        }
    } else if (token.ptr && (!s || !s->token || !str_is(token, s->token))) {
        r = open_session(auth, key, token, &s, err);
        if (r < 0)
            return r;
    }
    if (!s || (s->token && !token.ptr))
        return error_set(err, ERR_UNKNOWN_CLIENT, TOKEN_INVALID);
    if (s->token && auth_now_s(auth) >= s->expires_s)
        return error_set(err, ERR_EXPIRED_TOKEN,
                         "The security token included in the request is expired");
    *ret = s;
    return 0;
}

/* ---- a request's signature ---- */

/* Whether it was made for this service and region: a signature for another is one for somebody
 * else. STS and IAM are called in us-east-1, too, wherever the client is. */
static int check_scope(const struct auth *auth, const struct sigv4_scope *scope,
                       enum auth_service service, struct error *err)
{
    if (!str_is(scope->service, service_names[service]))
        return error_set(err, ERR_BAD_SIGNATURE,
                         "Credential should be scoped to correct service: '%s'.",
                         service_names[service]);
    if (!str_is(scope->region, auth->region) &&
        ((service != AUTH_STS && service != AUTH_IAM) || !str_is(scope->region, "us-east-1")))
        return error_set(err, ERR_BAD_SIGNATURE,
                         "Credential should be scoped to a valid region, not '%.*s'.",
                         STR_ARG(str_sub(scope->region, 0, 64)));
    return 0;
}

static const unsigned char *signing_key(struct signer *s, enum auth_service service,
                                        const struct sigv4_scope *scope)
{
    struct day_key *kept = &s->keys[service];

    if (!str_is(scope->date, kept->date) || !str_is(scope->region, kept->region)) {
        sigv4_signing_key(str_of(s->secret), scope, kept->key);
        snprintf(kept->date, sizeof(kept->date), "%.*s", STR_ARG(scope->date));
        snprintf(kept->region, sizeof(kept->region), "%.*s", STR_ARG(scope->region));
    }
    return kept->key;
}

/* The request in the signature's terms; but for the body. */
static struct sigv4_request view(struct auth *auth, const struct http_req *req)
{
    struct sigv4_request r = {.method = http_method(req),
                              .path = http_path(req),
                              .query = http_query(req),
                              .headers = auth->headers};
    struct http_header h;

    while (r.header_count < ARRAY_LEN(auth->headers) && http_header_at(req, r.header_count, &h))
        auth->headers[r.header_count++] = (struct sigv4_header){h.name, h.value};
    return r;
}

static int decode_chunks(struct auth *auth, struct http_req *req, const unsigned char *key,
                         struct error *err)
{
    struct str said = http_header(req, "x-amz-decoded-content-length");
    size_t len = http_body(req).len;
    uint64_t expected;
    int r;

    r = sigv4_chunks_decode(&auth->signature, key, http_body_edit(req), &len, err);
    if (r < 0)
        return r;
    if (str_parse_u64(said, &expected) < 0 || expected != len)
        return error_set(err, ERR_HALF_SIGNED,
                         "x-amz-decoded-content-length is not the length of the decoded body.");
    http_body_cut(req, len);
    return 0;
}

static int verify(struct auth *auth, struct http_req *req, enum auth_service service,
                  const struct caller **ret, struct error *err)
{
    struct sigv4_request view_of = view(auth, req);
    struct sigv4_auth *signature = &auth->signature;
    const unsigned char *key;
    struct signer *signer;
    int r;

    view_of.body = http_body(req);
    r = sigv4_read(&view_of, signature, err);
    if (r == 0)
        r = find_signer(auth, signature, &signer, err);
    if (r == 0)
        r = check_scope(auth, &signature->scope, service, err);
    if (r == 0)
        r = sigv4_check_time(signature, auth_now_s(auth), err);
    if (r < 0)
        return r;
    key = signing_key(signer, service, &signature->scope);
    r = sigv4_verify(&view_of, signature, key, &auth->space, err);
    if (r == 0 && sigv4_is_chunked(signature))
        r = decode_chunks(auth, req, key, err);
    if (r == 0 && ret)
        *ret = &signer->caller;
    return r;
}

/* ---- without credentials ---- */

/* Whether @token opens: a session of this process, or of a function. */
static bool open_unchecked(const struct auth *auth, struct str token, struct session *ret)
{
    if (!token.ptr)
        return false;
    return session_open(&auth->process_key, token, ret, NULL) == 0 ||
           (auth->function_key_is == FUNCTION_KEY_KNOWN &&
            session_open(&auth->function_key, token, ret, NULL) == 0);
}

/* Who a request that nobody checks says it is: a session, or the account's root. All may do
 * everything. */
static const struct caller *believe(struct auth *auth, const struct http_req *req)
{
    struct sigv4_request view_of = view(auth, req);
    struct caller *caller = &auth->anyone;
    struct str token = sigv4_header(&view_of, "x-amz-security-token");
    struct session session;
    struct sigv4_scope scope;

    *caller = (struct caller){.arn = ""};
    if (open_unchecked(auth, token, &session)) {
        set_session_caller(caller, &session, NULL);
        explicit_bzero(&session, sizeof(session));
        return caller;
    }
    snprintf(caller->arn, sizeof(caller->arn), "arn:aws:iam::%s:root", auth->account);
    if (sigv4_read_scope(&view_of, auth->signature.space, &scope))
        snprintf(caller->user_id, sizeof(caller->user_id), "%.*s",
                 STR_ARG(str_sub(scope.access_key, 0, CALLER_ID_MAX - 1)));
    else
        snprintf(caller->user_id, sizeof(caller->user_id), "%s", auth->account);
    return caller;
}

/* ---- the whole ---- */

int auth_check(struct auth *auth, struct http_req *req, enum auth_service service,
               const struct caller **ret, struct error *err)
{
    if (auth->credentials)
        return verify(auth, req, service, ret, err);
    if (ret)
        *ret = believe(auth, req);
    return 0;
}

int auth_check_head(struct auth *auth, const struct http_req *req, struct error *err)
{
    struct sigv4_request view_of;
    struct signer *signer;
    int r;

    if (!auth->credentials)
        return 0;
    view_of = view(auth, req);
    r = sigv4_read(&view_of, &auth->signature, err);
    return r == 0 ? find_signer(auth, &auth->signature, &signer, err) : r;
}

struct str auth_service_of(struct auth *auth, const struct http_req *req)
{
    struct sigv4_request view_of = view(auth, req);
    struct sigv4_scope scope;

    return sigv4_read_scope(&view_of, auth->signature.space, &scope) ? scope.service : STR("");
}

void auth_issue(struct auth *auth, const struct caller *by, struct session *session,
                struct buf *token)
{
    const struct credential *credential = by->credential;

    if (credential)
        session_issue(&credential->session_key, str_of(credential->access_key), session, token);
    else
        session_issue(&auth->process_key, STR(SESSION_NO_CREDENTIAL), session, token);
}

uint64_t auth_now_s(const struct auth *auth)
{
    return auth->now_ms() / 1000;
}

void auth_set_function_key(struct auth *auth, const struct seal_key *key)
{
    forget_signers(auth); /* some may have been opened with another one */
    seal_key_wipe(&auth->function_key);
    if (key)
        auth->function_key = *key;
    auth->function_key_is = key ? FUNCTION_KEY_KNOWN : FUNCTION_KEY_NONE;
}

void auth_set_clock(struct auth *auth, uint64_t (*now_ms)(void))
{
    auth->now_ms = now_ms;
}

int auth_new(const char *path, const char *account, const char *region, struct auth **ret,
             struct error *err)
{
    unsigned char key[SEAL_KEY_BYTES];
    struct auth *auth = calloc(1, sizeof(*auth));
    int r;

    if (!auth || getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
        abort();
    auth->account = account;
    auth->region = region;
    auth->now_ms = wall_ms;
    seal_key_init(&auth->process_key, key);
    explicit_bzero(key, sizeof(key));
    map_init(&auth->signers, signer_free);
    sigv4_space_init(&auth->space);
    if (path[0]) {
        r = credentials_load(path, account, &auth->credentials, err);
        if (r < 0) {
            auth_free(auth);
            return r;
        }
        log_info("auth", "signatures are checked",
                 KV_U64("credentials", credentials_len(auth->credentials)));
    }
    *ret = auth;
    return 0;
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    map_done(&auth->signers);
    credentials_free(auth->credentials);
    sigv4_space_done(&auth->space);
    seal_key_wipe(&auth->process_key);
    seal_key_wipe(&auth->function_key);
    free(auth);
}
