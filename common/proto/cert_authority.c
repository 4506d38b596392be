/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/cert_authority.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/proto/seal.h"

#define YEARS_S(n) ((int64_t)(n) * 366 * 24 * 3600)
#define SERIAL_BYTES 16
#define SECRET_PART_MAX 1024 /* bytes of a key's secret number: RSA with 8192 bits */

static void cert_freep(X509 **cert)
{
    X509_free(*cert);
}

static void bignum_freep(BIGNUM **n)
{
    BN_clear_free(*n);
}

char *cert_authority_cert_path(const char *data_dir)
{
    return str_printf("%s/ca/ca.pem", data_dir);
}

char *cert_authority_key_path(const char *data_dir)
{
    return str_printf("%s/ca/ca.key", data_dir);
}

/* ---- certificates */

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509_EXTENSION *extension;
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (!extension || X509_add_ext(cert, extension, -1) != 1)
        abort();
    X509_EXTENSION_free(extension);
}

/* Everything but extensions, issuer and signature. */
static X509 *begin_cert(EVP_PKEY *key, const char *common_name, int64_t from_s, int64_t until_s)
{
    unsigned char serial[SERIAL_BYTES];
    CLEANUP(bignum_freep) BIGNUM *number = NULL;
    X509 *cert = X509_new();

    if (!cert || RAND_bytes(serial, sizeof(serial)) != 1)
        abort();
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* positive, never 0 */
    number = BN_bin2bn(serial, sizeof(serial), NULL);
    if (!number || X509_set_version(cert, 2) != 1 ||
        !BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) ||
        !ASN1_TIME_set(X509_getm_notBefore(cert), from_s) ||
        !ASN1_TIME_set(X509_getm_notAfter(cert), until_s) || X509_set_pubkey(cert, key) != 1 ||
        X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                                   (const unsigned char *)common_name, -1, -1, 0) != 1)
        abort();
    return cert;
}

/* Ed25519 signs without a digest of its own choice. */
static const EVP_MD *digest_for(EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
}

static X509 *make_own(EVP_PKEY *key)
{
    int64_t now_s = (int64_t)(wall_ms() / 1000);
    X509 *cert = begin_cert(key, "Hearth", now_s - CERT_BACKDATE_S, now_s + YEARS_S(20));
    char print[CERT_PRINT_MAX], name[17];

    /* each CA has a name of its own, so that two that are believed at once are told apart */
    cert_print(cert, print);
    snprintf(name, sizeof(name), "%.16s", print);
    if (X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "OU", MBSTRING_ASC,
                                   (const unsigned char *)name, -1, -1, 0) != 1 ||
        X509_set_issuer_name(cert, X509_get_subject_name(cert)) != 1)
        abort();
    add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert, cert, NID_key_usage, "critical,keyCertSign");
    add_extension(cert, cert, NID_subject_key_identifier, "hash");
    if (X509_sign(cert, key, digest_for(key)) <= 0)
        abort();
    return cert;
}

int cert_authority_issue(const struct cert_authority *ca, EVP_PKEY *key, const struct node_name *name,
                         int64_t now_s, uint64_t lifetime_s, X509 **ret, struct error *err)
{
    CLEANUP(buf_done) struct buf uri = BUF_INIT(512);
    X509 *issuer = sk_X509_value(ca->certs, 0);
    CLEANUP(cert_freep) X509 *cert = NULL;

    if (buf_append_str(&uri, STR("URI:")) < 0 || node_name_write(&uri, name) < 0 ||
        buf_append_char(&uri, '\0') < 0)
        return error_set(err, ERR_TOO_LARGE, "the name of the node is too long");
    cert = begin_cert(key, name->role, now_s - CERT_BACKDATE_S, now_s + (int64_t)lifetime_s);
    if (X509_set_issuer_name(cert, X509_get_subject_name(issuer)) != 1)
        abort();
    add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature");
    add_extension(cert, issuer, NID_ext_key_usage, "serverAuth,clientAuth");
    add_extension(cert, issuer, NID_subject_alt_name, uri.ptr);
    if (X509_get0_subject_key_id(issuer))
        add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always");
    if (X509_sign(cert, ca->key, digest_for(ca->key)) <= 0)
        return error_set(err, ERR_CONFIG, "the CA's key cannot sign certificates");
    *ret = TAKE(cert);
    return 0;
}

int cert_authority_write_certs(const struct cert_authority *ca, struct buf *b)
{
    int i, r = 0;

    for (i = 0; i < sk_X509_num(ca->certs) && r == 0; i++)
        r = cert_write(sk_X509_value(ca->certs, i), b);
    return r;
}

/* ---- files */

static int read_key(const char *path, EVP_PKEY **ret, struct error *err)
{
    CLEANUP(seal_wipe_buf) struct buf pem = BUF_INIT(CERT_PEM_MAX);
    struct stat st;
    int r;

    if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)))
        return error_set(err, ERR_CONFIG, "CA key %s: others may read it; chmod 600 it", path);
    (void)buf_reserve(&pem, CERT_PEM_MAX); /* so that it never moves, and can be wiped */
    r = file_read(path, &pem, err);
    if (r < 0)
        return error_wrap(err, r, "CA key %s", path);
    if (node_key_read(buf_str(&pem), ret, err) < 0)
        return error_set(err, ERR_CONFIG, "CA key %s: no private key in PEM form, without a password",
                         path);
    return 0;
}

/* Of several programs that start at once one wins: the file gets its name complete, and never takes
 * another's. */
static int create_file(const char *path, struct str bytes, mode_t mode, struct error *err)
{
    CLEANUP(freep) char *temporary = str_printf("%s.%ld", path, (long)getpid());
    int r = file_write_atomic(temporary, bytes, mode, err);

    if (r < 0)
        return r;
    if (link(temporary, path) < 0 && errno != EEXIST)
        r = error_set_errno(err, ERR_SYSTEM, errno, "making %s", path);
    unlink(temporary);
    return r;
}

static int create_key(const char *path, struct error *err)
{
    CLEANUP(seal_wipe_buf) struct buf pem = BUF_INIT(CERT_PEM_MAX);
    CLEANUP(key_freep) EVP_PKEY *key = node_key_make();
    int r;

    (void)buf_reserve(&pem, CERT_PEM_MAX);
    r = node_key_write(key, &pem);
    return r == 0 ? create_file(path, buf_str(&pem), 0600, err) : r;
}

static int create_cert(const char *path, EVP_PKEY *key, struct error *err)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(CERT_PEM_MAX);
    CLEANUP(cert_freep) X509 *cert = make_own(key);
    int r = cert_write(cert, &pem);

    return r == 0 ? create_file(path, buf_str(&pem), 0644, err) : r;
}

static int read_certs(const char *path, EVP_PKEY *key, STACK_OF(X509) **ret, struct error *err)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(CERT_PEM_MAX);
    CLEANUP(certs_freep) STACK_OF(X509) *certs = NULL;
    X509 *first;
    int r = file_read(path, &pem, err);

    if (r < 0)
        return error_wrap(err, r, "CA certificate %s", path);
    if (certs_read(buf_str(&pem), &certs, err) < 0)
        return error_set(err, ERR_CONFIG, "CA certificate %s: no certificate in PEM form", path);
    first = sk_X509_value(certs, 0);
    if (X509_check_private_key(first, key) != 1)
        return error_set(err, ERR_CONFIG,
                         "CA certificate %s: the first one in it is not of the CA's key", path);
    if (X509_check_ca(first) != 1)
        return error_set(err, ERR_CONFIG,
                         "CA certificate %s: it is not a CA's (basic constraints CA:TRUE)", path);
    *ret = TAKE(certs);
    return 0;
}

/* ---- the whole */

/* The secret number of @key, however its file was written. */
static size_t secret_part(EVP_PKEY *key, unsigned char ret[SECRET_PART_MAX])
{
    CLEANUP(bignum_freep) BIGNUM *n = NULL;
    size_t len = SECRET_PART_MAX;

    if (EVP_PKEY_get_raw_private_key(key, ret, &len) == 1)
        return len;
    if (EVP_PKEY_get_bn_param(key, EVP_PKEY_is_a(key, "RSA") ? OSSL_PKEY_PARAM_RSA_D
                                                             : OSSL_PKEY_PARAM_PRIV_KEY,
                              &n) != 1 ||
        BN_num_bytes(n) > SECRET_PART_MAX)
        return 0;
    return (size_t)BN_bn2bin(n, ret);
}

static int finish(struct cert_authority *ca, const char *key_path, struct error *err)
{
    unsigned char secret[SECRET_PART_MAX];
    size_t len = secret_part(ca->key, secret);

    if (len == 0)
        return error_set(err, ERR_CONFIG, "CA key %s: must be an EC, RSA or Ed25519 key", key_path);
    /* the label keeps it apart from any other use of the key */
    hmac_sha256(str_from(secret, len), STR("hearth join tokens, version 1"), ca->token_key);
    explicit_bzero(secret, sizeof(secret));
    cert_print(sk_X509_value(ca->certs, 0), ca->print);
    return 0;
}

static int load(const char *cert_path, const char *key_path, bool make, struct cert_authority *ret,
                struct error *err)
{
    struct cert_authority ca = {0};
    int r = read_key(key_path, &ca.key, err);

    if (r == -ERR_NOT_FOUND && make) {
        r = create_key(key_path, err);
        if (r == 0)
            r = read_key(key_path, &ca.key, err);
    }
    if (r == 0)
        r = read_certs(cert_path, ca.key, &ca.certs, err);
    if (r == -ERR_NOT_FOUND && make && ca.key) {
        r = create_cert(cert_path, ca.key, err);
        if (r == 0)
            r = read_certs(cert_path, ca.key, &ca.certs, err);
    }
    if (r == 0)
        r = finish(&ca, key_path, err);
    if (r < 0)
        cert_authority_done(&ca);
    else
        *ret = ca;
    return r;
}

int cert_authority_load(const char *cert_path, const char *key_path, struct cert_authority *ret,
                        struct error *err)
{
    return load(cert_path, key_path, false, ret, err);
}

int cert_authority_load_or_make(const char *cert_path, const char *key_path,
                                struct cert_authority *ret, struct error *err)
{
    return load(cert_path, key_path, true, ret, err);
}

void cert_authority_done(struct cert_authority *ca)
{
    EVP_PKEY_free(ca->key);
    certs_free(ca->certs);
    explicit_bzero(ca, sizeof(*ca));
}
