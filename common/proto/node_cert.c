/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/node_cert.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/proto/digest.h"
#include "common/proto/uri_escape.h"

static const struct str scheme = STR("hearth://");

void key_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

void certs_free(STACK_OF(X509) *certs)
{
    sk_X509_pop_free(certs, X509_free);
}

void certs_freep(STACK_OF(X509) **certs)
{
    certs_free(*certs);
}

static void bio_freep(BIO **bio)
{
    BIO_free_all(*bio);
}

static void request_freep(X509_REQ **request)
{
    X509_REQ_free(*request);
}

/* No terminal is asked for the password of a key. */
static int no_password(char *to, int size, int writes, void *arg)
{
    (void)to;
    (void)size;
    (void)writes;
    (void)arg;
    return -1;
}

static BIO *reader(struct str pem)
{
    BIO *bio = pem.len <= CERT_PEM_MAX ? BIO_new_mem_buf(pem.ptr ? pem.ptr : "", (int)pem.len) : NULL;

    ERR_clear_error();
    return bio;
}

/* Appends what was written to @bio; @secret: and wipes it. */
static int take_written(BIO *bio, bool secret, struct buf *b)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    int r = buf_append(b, text, (size_t)len);

    if (secret)
        OPENSSL_cleanse(text, (size_t)len);
    return r;
}

EVP_PKEY *node_key_make(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    if (!key)
        abort();
    return key;
}

int node_key_write(EVP_PKEY *key, struct buf *b)
{
    CLEANUP(bio_freep) BIO *bio = BIO_new(BIO_s_mem());

    if (!bio || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        abort();
    return take_written(bio, true, b);
}

int node_key_read(struct str pem, EVP_PKEY **ret, struct error *err)
{
    CLEANUP(bio_freep) BIO *bio = reader(pem);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

    if (!key)
        return error_set(err, ERR_PROTOCOL, "no private key in PEM form, without a password");
    *ret = key;
    return 0;
}

int node_request_write(EVP_PKEY *key, struct buf *b)
{
    CLEANUP(request_freep) X509_REQ *request = X509_REQ_new();
    CLEANUP(bio_freep) BIO *bio = BIO_new(BIO_s_mem());

    if (!request || !bio || X509_REQ_set_pubkey(request, key) != 1 ||
        X509_REQ_sign(request, key, EVP_sha256()) <= 0 || PEM_write_bio_X509_REQ(bio, request) != 1)
        abort();
    return take_written(bio, false, b);
}

int node_request_read(struct str pem, EVP_PKEY **ret, struct error *err)
{
    CLEANUP(bio_freep) BIO *bio = reader(pem);
    CLEANUP(request_freep) X509_REQ *request =
        bio ? PEM_read_bio_X509_REQ(bio, NULL, no_password, NULL) : NULL;
    EVP_PKEY *key = request ? X509_REQ_get0_pubkey(request) : NULL;

    if (!key || EVP_PKEY_get_security_bits(key) < 112 || X509_REQ_verify(request, key) != 1)
        return error_set(err, ERR_PROTOCOL, "not a request for a certificate, signed with its key");
    EVP_PKEY_up_ref(key);
    *ret = key;
    return 0;
}

int certs_read(struct str pem, STACK_OF(X509) **ret, struct error *err)
{
    CLEANUP(bio_freep) BIO *bio = reader(pem);
    CLEANUP(certs_freep) STACK_OF(X509) *certs = sk_X509_new_null();
    X509 *cert;

    if (!certs)
        abort();
    while (bio && (cert = PEM_read_bio_X509(bio, NULL, no_password, NULL)))
        if (sk_X509_push(certs, cert) <= 0)
            abort();
    if (sk_X509_num(certs) == 0)
        return error_set(err, ERR_PROTOCOL, "no certificate in PEM form");
    *ret = TAKE(certs);
    return 0;
}

int cert_write(X509 *cert, struct buf *b)
{
    CLEANUP(bio_freep) BIO *bio = BIO_new(BIO_s_mem());

    if (!bio || PEM_write_bio_X509(bio, cert) != 1)
        abort();
    return take_written(bio, false, b);
}

void cert_print(const X509 *cert, char ret[CERT_PRINT_MAX])
{
    unsigned char digest[SHA256_BYTES], *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

    if (len <= 0)
        abort();
    sha256_of(str_from(der, (size_t)len), digest);
    hex_encode(digest, sizeof(digest), ret);
    OPENSSL_free(der);
}

/* ---- names */

int node_name_write(struct buf *b, const struct node_name *name)
{
    int r = buf_append_str(b, scheme);

    if (r == 0)
        r = buf_append_str(b, str_of(name->role));
    if (r == 0)
        r = buf_append_char(b, '/');
    return r == 0 ? uri_escape(b, str_of(name->id), false) : r;
}

bool node_id_is(const char *id, const char *says)
{
    size_t len = strlen(id), digits;

    if (strncmp(says, id, len) != 0)
        return false;
    if (says[len] == '\0')
        return true;
    digits = strspn(says + len + 1, "0123456789abcdef");
    return says[len] == '.' && digits >= 1 && digits <= 16 && says[len + 1 + digits] == '\0';
}

static int read_name(struct str uri, struct node_name *ret, struct error *err)
{
    CLEANUP(buf_done) struct buf id = BUF_INIT(NODE_ID_MAX - 1);
    struct node_name name = {0};
    struct str rest, role;
    size_t i;

    rest = str_sub(uri, scheme.len, uri.len);
    role = str_sub(rest, 0, str_find(rest, '/', 0));
    if (!str_starts(uri, scheme) || role.len == 0 || role.len == rest.len ||
        role.len >= sizeof(name.role) ||
        uri_unescape(&id, str_sub(rest, role.len + 1, rest.len), false) < 0 || id.len == 0 ||
        memchr(id.ptr, '\0', id.len))
        return error_set(err, ERR_PROTOCOL, "the certificate's name is not hearth://role/id");
    for (i = 0; i < role.len; i++)
        if (role.ptr[i] < 'a' || role.ptr[i] > 'z')
            return error_set(err, ERR_PROTOCOL, "the certificate's role is no word");
    memcpy(name.role, role.ptr, role.len);
    memcpy(name.id, id.ptr, id.len);
    *ret = name;
    return 0;
}

int cert_name(const X509 *cert, struct node_name *ret, struct error *err)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    const GENERAL_NAME *name = names && sk_GENERAL_NAME_num(names) == 1
                                   ? sk_GENERAL_NAME_value(names, 0)
                                   : NULL;
    int r;

    if (name && name->type == GEN_URI)
        r = read_name(str_from(ASN1_STRING_get0_data(name->d.uniformResourceIdentifier),
                               (size_t)ASN1_STRING_length(name->d.uniformResourceIdentifier)),
                      ret, err);
    else
        r = error_set(err, ERR_PROTOCOL,
                      "the certificate was not issued by a Hearth controller: it has no name "
                      "hearth://role/id");
    GENERAL_NAMES_free(names);
    return r;
}

static int64_t unix_seconds(const ASN1_TIME *time)
{
    struct tm tm;

    return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

void cert_times(const X509 *cert, int64_t *ret_from, int64_t *ret_until)
{
    *ret_from = unix_seconds(X509_get0_notBefore(cert));
    *ret_until = unix_seconds(X509_get0_notAfter(cert));
}
