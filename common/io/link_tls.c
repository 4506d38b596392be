/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/link_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/alloc.h"
#include "common/base/clock.h"
#include "common/io/link_session.h"

/* AES-128 first: it costs least where the processor knows AES, and no TLS 1.3 suite is weak. */
#define SUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

struct link_tls {
    SSL_CTX *ctx; /* NULL: no certificate yet */
    char ca_print[CERT_PRINT_MAX]; /* of a joiner */
};

struct link_session {
    SSL *ssl;
    struct str in; /* fed and not yet read */
    struct buf out;
    char wrong[512]; /* what is wrong with the peer's certificate; "": nothing is known */
    char scratch[LINK_RECORD_BYTES]; /* small pieces become one record here */
};

/* ---- where OpenSSL reads and writes: the bytes fed, and the bytes for the socket */

static int on_bio_read(BIO *bio, char *to, size_t size, size_t *ret)
{
    struct link_session *session = BIO_get_data(bio);
    size_t n = session->in.len < size ? session->in.len : size;

    BIO_clear_retry_flags(bio);
    if (n == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(to, session->in.ptr, n);
    session->in = str_from(session->in.ptr + n, session->in.len - n);
    *ret = n;
    return 1;
}

static int on_bio_write(BIO *bio, const char *from, size_t size, size_t *ret)
{
    struct link_session *session = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (buf_append(&session->out, from, size) < 0)
        return 0;
    *ret = size;
    return 1;
}

static long on_bio_ctrl(BIO *bio, int what, long number, void *ptr)
{
    (void)bio;
    (void)number;
    (void)ptr;
    return what == BIO_CTRL_FLUSH; /* there is nothing else to it */
}

static BIO_METHOD *bio_method(void)
{
    static BIO_METHOD *method; /* for all sessions, until the program ends */

    if (method)
        return method;
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "link");
    if (!method || BIO_meth_set_read_ex(method, on_bio_read) != 1 ||
        BIO_meth_set_write_ex(method, on_bio_write) != 1 ||
        BIO_meth_set_ctrl(method, on_bio_ctrl) != 1)
        abort();
    return method;
}

/* ---- whom to believe */

static void describe_times(X509 *cert, const char *what, char *ret, size_t size)
{
    char from[CLOCK_ISO_MAX], until[CLOCK_ISO_MAX], now[CLOCK_ISO_MAX];
    int64_t from_s, until_s;

    cert_times(cert, &from_s, &until_s);
    clock_format_iso((uint64_t)from_s * 1000, from);
    clock_format_iso((uint64_t)until_s * 1000, until);
    clock_format_iso(wall_ms(), now);
    snprintf(ret, size,
             "the peer's certificate %s: it is good from %s to %s, and this machine's clock says %s; "
             "set the clocks right, or let the peer get a new one",
             what, from, until, now);
}

static void describe(struct link_session *session, X509_STORE_CTX *ctx)
{
    X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
    int code = X509_STORE_CTX_get_error(ctx);

    if (session->wrong[0])
        return;
    if (cert && code == X509_V_ERR_CERT_HAS_EXPIRED)
        describe_times(cert, "has expired", session->wrong, sizeof(session->wrong));
    else if (cert && code == X509_V_ERR_CERT_NOT_YET_VALID)
        describe_times(cert, "is not good yet", session->wrong, sizeof(session->wrong));
    else if (code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
             code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
             code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
             code == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
             code == X509_V_ERR_CERT_SIGNATURE_FAILURE)
        snprintf(session->wrong, sizeof(session->wrong),
                 "the peer's certificate is of another cluster: its CA is not ours");
    else
        snprintf(session->wrong, sizeof(session->wrong), "the peer's certificate: %s",
                 X509_verify_cert_error_string(code));
}

static struct link_session *session_of(X509_STORE_CTX *ctx)
{
    return SSL_get_app_data(X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx()));
}

/* Of each certificate of the chain. */
static int on_verify(int good, X509_STORE_CTX *ctx)
{
    struct node_name name;
    struct error err;

    if (!good) {
        describe(session_of(ctx), ctx);
        return 0;
    }
    if (X509_STORE_CTX_get_error_depth(ctx) == 0 &&
        cert_name(X509_STORE_CTX_get_current_cert(ctx), &name, &err) < 0) {
        snprintf(session_of(ctx)->wrong, sizeof(session_of(ctx)->wrong), "%.480s", err.msg);
        X509_STORE_CTX_set_error(ctx, X509_V_ERR_APPLICATION_VERIFICATION);
        return 0;
    }
    return 1;
}

/* A joiner's: the CA is the one with the known public key, among the certificates that came. */
static int on_joiner_verify(X509_STORE_CTX *ctx, void *arg)
{
    const struct link_tls *tls = arg;
    STACK_OF(X509) *came = X509_STORE_CTX_get0_untrusted(ctx), *believed;
    struct link_session *session = session_of(ctx);
    char print[CERT_PRINT_MAX];
    int i, r;

    for (i = 0; i < sk_X509_num(came); i++) {
        cert_print(sk_X509_value(came, i), print);
        if (strcmp(print, tls->ca_print) == 0)
            break;
    }
    if (i == sk_X509_num(came)) {
        snprintf(session->wrong, sizeof(session->wrong),
                 "the controller is of another cluster than the join token: its CA is not the token's "
                 "(%.16s...); look at HEARTH_CONTROLLER, or make a token where that controller is",
                 tls->ca_print);
        X509_STORE_CTX_set_error(ctx, X509_V_ERR_APPLICATION_VERIFICATION);
        return 0;
    }
    believed = sk_X509_new_null();
    if (!believed || sk_X509_push(believed, sk_X509_value(came, i)) <= 0)
        abort();
    X509_STORE_CTX_set0_trusted_stack(ctx, believed);
    r = X509_verify_cert(ctx);
    X509_STORE_CTX_set0_trusted_stack(ctx, NULL);
    sk_X509_free(believed);
    return r;
}

/* ---- the program's part */

static SSL_CTX *make_ctx(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(ctx, SUITES) != 1 || SSL_CTX_set_num_tickets(ctx, 0) != 1)
        abort();
    /* each link shows its certificate anew */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_verify);
    /* any certificate of the CA that is given is believed, self-signed or not */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
    return ctx;
}

struct link_tls *link_tls_new(void)
{
    return xcalloc(sizeof(struct link_tls));
}

struct link_tls *link_tls_new_joiner(const char *ca_print)
{
    struct link_tls *tls = link_tls_new();

    snprintf(tls->ca_print, sizeof(tls->ca_print), "%s", ca_print);
    tls->ctx = make_ctx();
    SSL_CTX_set_cert_verify_callback(tls->ctx, on_joiner_verify, tls);
    return tls;
}

void link_tls_free(struct link_tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->ctx);
    free(tls);
}

static int fill_ctx(SSL_CTX *ctx, EVP_PKEY *key, X509 *cert, STACK_OF(X509) *authorities,
                    struct error *err)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    int i;

    ERR_clear_error();
    if (SSL_CTX_use_certificate(ctx, cert) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1)
        return error_set(err, ERR_CONFIG, "the certificate is not of the key");
    for (i = 0; i < sk_X509_num(authorities); i++) {
        /* sent with ours, so that a joiner can compare the CA with what its token names */
        if (X509_STORE_add_cert(store, sk_X509_value(authorities, i)) != 1 ||
            SSL_CTX_add1_chain_cert(ctx, sk_X509_value(authorities, i)) != 1)
            return error_set(err, ERR_CONFIG, "the CA's certificates cannot be used");
    }
    return 0;
}

int link_tls_set(struct link_tls *tls, EVP_PKEY *key, X509 *cert, STACK_OF(X509) *authorities,
                 struct error *err)
{
    SSL_CTX *ctx = make_ctx();
    int r = fill_ctx(ctx, key, cert, authorities, err);

    if (r < 0) {
        SSL_CTX_free(ctx);
        return r;
    }
    SSL_CTX_free(tls->ctx); /* sessions keep theirs */
    tls->ctx = ctx;
    return 0;
}

bool link_tls_is_ready(const struct link_tls *tls)
{
    return tls && tls->ctx;
}

/* ---- sessions */

struct link_session *link_session_new(struct link_tls *tls, bool connects, bool may_join,
                                      size_t out_max)
{
    struct link_session *session = malloc(sizeof(*session));
    BIO *bio = BIO_new(bio_method());

    if (!session || !bio)
        abort();
    memset(session, 0, offsetof(struct link_session, scratch));
    buf_init(&session->out, out_max);
    session->ssl = SSL_new(tls->ctx);
    if (!session->ssl)
        abort();
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    SSL_set_bio(session->ssl, bio, bio);
    SSL_set_app_data(session->ssl, session);
    if (connects)
        SSL_set_connect_state(session->ssl);
    else
        SSL_set_accept_state(session->ssl);
    if (may_join)
        SSL_set_verify(session->ssl, SSL_VERIFY_PEER, on_verify);
    return session;
}

void link_session_free(struct link_session *session)
{
    if (!session)
        return;
    SSL_free(session->ssl);
    buf_done(&session->out);
    free(session);
}

void link_session_feed(struct link_session *session, struct str bytes)
{
    session->in = bytes;
}

struct buf *link_session_out(struct link_session *session)
{
    return &session->out;
}

/* What a peer says of us when it ends the handshake. */
static const char *alert_text(int reason)
{
    switch (reason) {
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR: /* a CA of that name has another key there */
        return "the peer does not believe our certificate: it is of another cluster";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        return "the peer says that our certificate has expired: set the clocks right, or get a new one";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return "the peer wants a certificate, and we have shown none";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        return "the peer does not accept our certificate; its log says why";
    default:
        return NULL;
    }
}

static int explain(struct link_session *session, struct error *err)
{
    unsigned long code = ERR_peek_error();
    int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
    const char *alert = alert_text(reason), *text = ERR_reason_error_string(code);

    ERR_clear_error();
    if (session->wrong[0])
        return error_set(err, ERR_ACCESS_DENIED, "%s", session->wrong);
    if (alert)
        return error_set(err, ERR_ACCESS_DENIED, "%s", alert);
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
        return error_set(err, ERR_ACCESS_DENIED, "the peer shows no certificate");
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
        reason == SSL_R_HTTPS_PROXY_REQUEST || reason == SSL_R_BAD_RECORD_TYPE)
        return error_set(err, ERR_PROTOCOL, "the peer does not speak TLS");
    if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)
        return error_set(err, ERR_PROTOCOL, "the peer does not speak TLS 1.3");
    return error_set(err, ERR_PROTOCOL, "TLS: %s", text ? text : "the library failed");
}

int link_session_shake(struct link_session *session, struct error *err)
{
    int r;

    ERR_clear_error();
    r = SSL_do_handshake(session->ssl);
    if (r == 1)
        return 0;
    return SSL_get_error(session->ssl, r) == SSL_ERROR_WANT_READ ? 1 : explain(session, err);
}

bool link_session_peer(const struct link_session *session, struct node_name *ret)
{
    const X509 *cert = SSL_get0_peer_certificate(session->ssl);

    return cert && cert_name(cert, ret, NULL) == 0;
}

int link_session_open(struct link_session *session, char *to, size_t size, struct error *err)
{
    size_t n;
    int r;

    ERR_clear_error();
    if (SSL_read_ex(session->ssl, to, size, &n) == 1)
        return (int)n;
    r = SSL_get_error(session->ssl, 0);
    if (r == SSL_ERROR_WANT_READ)
        return 0;
    if (r == SSL_ERROR_ZERO_RETURN)
        return error_set(err, ERR_CLOSED, "the peer has closed the link");
    return explain(session, err);
}

static int write_record(struct link_session *session, const char *ptr, size_t len, struct error *err)
{
    size_t n;

    ERR_clear_error();
    if (SSL_write_ex(session->ssl, ptr, len, &n) == 1)
        return 0;
    if (session->out.len + len > session->out.max)
        return error_set(err, ERR_TOO_LARGE, "the peer does not read");
    return explain(session, err);
}

int link_session_seal(struct link_session *session, const uv_buf_t *bufs, unsigned count,
                      struct error *err)
{
    size_t used = 0, left, n;
    const char *at;
    unsigned i;
    int r = 0;

    for (i = 0; i < count && r == 0; i++) {
        for (at = bufs[i].base, left = bufs[i].len; left > 0 && r == 0; at += n, left -= n) {
            if (used == 0 && left >= LINK_RECORD_BYTES) {
                n = LINK_RECORD_BYTES;
                r = write_record(session, at, n, err); /* no copy */
                continue;
            }
            n = left < LINK_RECORD_BYTES - used ? left : LINK_RECORD_BYTES - used;
            memcpy(session->scratch + used, at, n);
            used += n;
            if (used == LINK_RECORD_BYTES) {
                r = write_record(session, session->scratch, used, err);
                used = 0;
            }
        }
    }
    return r == 0 && used > 0 ? write_record(session, session->scratch, used, err) : r;
}
