/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/code/code_signature.h"

#include <archive.h>
#include <archive_entry.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "controller/code/zip_check.h"

#define UNVERIFIED                                                                                 \
    "Lambda cannot deploy the function. The function or layer might be signed using a signature "  \
    "that the client is not configured to accept. Check the provided signature for unsigned."
#define BROKEN                                                                                     \
    "Lambda cannot deploy the function. The code signature does not match the contents of the "    \
    "archive."
#define CERTIFICATES_MAX 16u /* in one profile */

static int broken(struct error *why, const char *what)
{
    return error_set(why, ERR_CODE_SIGNATURE, "%s", what);
}

/* ---- the manifest ---- */

struct line {
    char *text; /* behind the hash: "file a/b" */
    char hash[65];
};

struct lines {
    struct line *list;
    size_t len, cap;
    uint64_t bytes; /* inflated so far */
};

static void lines_done(struct lines *lines)
{
    while (lines->len)
        free(lines->list[--lines->len].text);
    free(lines->list);
}

static struct line *lines_add(struct lines *lines, const char *kind, const char *path)
{
    if (lines->len == lines->cap) {
        lines->cap = lines->cap ? lines->cap * 2 : 64;
        lines->list = reallocarray(lines->list, lines->cap, sizeof(*lines->list));
        if (!lines->list)
            abort();
    }
    lines->list[lines->len] = (struct line){str_printf("%s %s", kind, path), ""};
    return &lines->list[lines->len++];
}

/* By path: "file " and "link " are as long as each other. */
static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct line *)a)->text + 5, ((const struct line *)b)->text + 5);
}

static void hash_end(EVP_MD_CTX *ctx, char *ret)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    EVP_DigestFinal_ex(ctx, digest, &len);
    hex_encode(digest, len, ret);
}

/* Goes through an entry's contents; they go to @keep as well unless that is NULL. */
static int read_contents(struct archive *a, uint64_t *total, EVP_MD_CTX *ctx, struct buf *keep,
                         struct error *why)
{
    const void *block;
    size_t len;
    int64_t offset;
    int r;

    for (;;) {
        r = archive_read_data_block(a, &block, &len, &offset);
        if (r == ARCHIVE_EOF)
            return 0;
        if (r != ARCHIVE_OK)
            return broken(why, "an entry cannot be read");
        *total += len;
        if (*total > ZIP_UNPACKED_MAX)
            return broken(why, "the archive is too large");
        EVP_DigestUpdate(ctx, block, len);
        if (keep && buf_append(keep, block, len) < 0)
            return broken(why, "the signature is too long");
    }
}

static int add_entry(struct archive *a, struct archive_entry *entry, EVP_MD_CTX *ctx,
                     struct lines *lines, struct buf *signature, struct error *why)
{
    const char *path = archive_entry_pathname(entry), *target;
    mode_t type = archive_entry_filetype(entry);
    struct line *line;
    int r = 0;

    if (!path || strchr(path, '\n'))
        return broken(why, "an entry has no path, or one of several lines");
    if (type == S_IFDIR)
        return 0;
    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    if (type == S_IFREG && strcmp(path, CODE_SIGNATURE_ENTRY) == 0)
        return signature->len ? broken(why, "there are two signatures")
                              : read_contents(a, &lines->bytes, ctx, signature, why);
    line = lines_add(lines, type == S_IFLNK ? "link" : "file", path);
    if (type == S_IFLNK) {
        target = archive_entry_symlink(entry);
        EVP_DigestUpdate(ctx, target ? target : "", target ? strlen(target) : 0);
    } else if (type == S_IFREG) {
        r = read_contents(a, &lines->bytes, ctx, NULL, why);
    } else {
        r = broken(why, "an entry is a device or the like");
    }
    hash_end(ctx, line->hash);
    return r;
}

static int write_lines(struct lines *lines, struct buf *ret, struct error *why)
{
    size_t i;

    if (lines->len)
        qsort(lines->list, lines->len, sizeof(*lines->list), by_path);
    for (i = 0; i < lines->len; i++)
        if (buf_printf(ret, "%s ", lines->list[i].hash) < 0 ||
            buf_append_str(ret, str_of(lines->list[i].text)) < 0 || buf_append_char(ret, '\n') < 0)
            return broken(why, "the archive has too many or too long paths");
    return 0;
}

static int read_entries(struct archive *a, struct buf *manifest, struct buf *signature,
                        struct error *why)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct lines lines = {0};
    struct archive_entry *entry;
    int r = 0, step;

    if (!ctx)
        abort();
    while ((step = archive_read_next_header(a, &entry)) == ARCHIVE_OK || step == ARCHIVE_WARN) {
        r = lines.len < ZIP_ENTRIES_MAX ? add_entry(a, entry, ctx, &lines, signature, why)
                                        : broken(why, "the archive has too many entries");
        if (r < 0)
            break;
    }
    if (r == 0 && step != ARCHIVE_EOF)
        r = broken(why, "the archive cannot be read");
    if (r == 0)
        r = write_lines(&lines, manifest, why);
    lines_done(&lines);
    EVP_MD_CTX_free(ctx);
    return r;
}

int code_manifest(struct str zip, struct buf *ret_manifest, struct buf *ret_signature,
                  struct error *why)
{
    struct archive *a = archive_read_new();
    int r;

    if (!a)
        abort();
    archive_read_support_format_zip_seekable(a);
    /* the archive's bytes are only read; the library's type says otherwise */
    if (archive_read_open_memory(a, (void *)(uintptr_t)zip.ptr, zip.len) != ARCHIVE_OK)
        r = broken(why, "the archive cannot be opened");
    else
        r = read_entries(a, ret_manifest, ret_signature, why);
    archive_read_free(a);
    return r;
}

/* ---- profiles ---- */

static char *profile_path(const char *dir, const char *arn)
{
    struct buf path = BUF_INIT(PATH_MAX);
    const char *p;
    int r = buf_printf(&path, "%s/", dir);

    for (p = arn; *p && r == 0; p++)
        r = *p == '%' || *p == '/' ? buf_printf(&path, "%%%02X", (unsigned)*p)
                                   : buf_append_char(&path, *p);
    if (r == 0)
        r = buf_append_str(&path, STR(".pem"));
    if (r < 0)
        buf_clear(&path);
    return buf_take(&path); /* "": too long to be a file's */
}

static bool is_in_force(const X509 *cert)
{
    return X509_cmp_current_time(X509_get0_notBefore(cert)) < 0 &&
           X509_cmp_current_time(X509_get0_notAfter(cert)) > 0;
}

static void add_certificates(STACK_OF(X509) *certs, const char *dir, const char *arn)
{
    CLEANUP(freep) char *path = profile_path(dir, arn);
    BIO *file = BIO_new_file(path, "r");
    unsigned i;

    for (i = 0; file && i < CERTIFICATES_MAX; i++) {
        X509 *cert = PEM_read_bio_X509(file, NULL, NULL, NULL);

        if (!cert)
            break;
        if (!is_in_force(cert) || sk_X509_push(certs, cert) <= 0)
            X509_free(cert);
    }
    BIO_free(file);
}

/* The certificates of @profiles that count today. */
static STACK_OF(X509) *certificates_new(const char *dir, const cJSON *profiles)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    const cJSON *arn;

    if (!certs)
        abort();
    cJSON_ArrayForEach(arn, profiles)
    {
        if (dir[0] && cJSON_IsString(arn))
            add_certificates(certs, dir, arn->valuestring);
    }
    return certs;
}

/* ---- the signature ---- */

static CMS_ContentInfo *cms_new(struct str der)
{
    const unsigned char *p = (const unsigned char *)der.ptr;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.len);

    if (cms && p == (const unsigned char *)der.ptr + der.len &&
        OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed && CMS_is_detached(cms) == 1)
        return cms;
    CMS_ContentInfo_free(cms);
    return NULL;
}

/*
 * Whether every signer's certificate is found (in @certs; in the signature too unless @flags say
 * not) and fits. The signature is read anew each time: a certificate that was found once sticks.
 */
static bool verifies(struct str der, STACK_OF(X509) *certs, struct str manifest, unsigned flags)
{
    CMS_ContentInfo *cms = cms_new(der);
    BIO *data = BIO_new_mem_buf(manifest.ptr ? manifest.ptr : "", (int)manifest.len);
    bool ok;

    if (!data)
        abort();
    ERR_clear_error();
    ok = cms && CMS_verify(cms, certs, NULL, data, NULL,
                           CMS_BINARY | CMS_DETACHED | CMS_NO_SIGNER_CERT_VERIFY | flags) == 1;
    BIO_free(data);
    CMS_ContentInfo_free(cms);
    return ok;
}

static bool lacks_a_signer(void)
{
    return ERR_GET_REASON(ERR_peek_last_error()) == CMS_R_SIGNER_CERTIFICATE_NOT_FOUND;
}

static int check_signers(struct str der, STACK_OF(X509) *certs, struct str manifest,
                         struct error *why)
{
    /* first whether it is true at all, whoever has signed */
    if (!verifies(der, certs, manifest, 0) && !lacks_a_signer())
        return broken(why, "the signature is not one of these contents");
    if (sk_X509_num(certs) == 0)
        return error_set(why, ERR_CODE_UNVERIFIED,
                         "no certificate of an allowed profile is there and in force");
    if (!verifies(der, certs, manifest, CMS_NOINTERN))
        return error_set(why, ERR_CODE_UNVERIFIED, "it is signed by no allowed profile");
    return 0;
}

static int check(struct str zip, const char *dir, const cJSON *profiles, struct error *why)
{
    CLEANUP(buf_done) struct buf manifest = BUF_INIT(CODE_MANIFEST_MAX);
    CLEANUP(buf_done) struct buf signature = BUF_INIT(CODE_SIGNATURE_MAX);
    STACK_OF(X509) *certs;
    CMS_ContentInfo *cms;
    int r = code_manifest(zip, &manifest, &signature, why);

    if (r < 0)
        return r;
    if (signature.len == 0)
        return error_set(why, ERR_CODE_UNVERIFIED, "there is no " CODE_SIGNATURE_ENTRY);
    cms = cms_new(buf_str(&signature));
    if (!cms)
        return broken(why, CODE_SIGNATURE_ENTRY " is no detached CMS signature");
    CMS_ContentInfo_free(cms);
    certs = certificates_new(dir, profiles);
    r = check_signers(buf_str(&signature), certs, buf_str(&manifest), why);
    sk_X509_pop_free(certs, X509_free);
    return r;
}

int code_signature_check(struct str zip, const char *profiles_dir, const cJSON *profiles,
                         struct error *why, struct error *err)
{
    struct error own;
    int r;

    ERR_clear_error();
    r = check(zip, profiles_dir, profiles, why ? why : &own);
    ERR_clear_error(); /* the queue belongs to the thread */
    if (r == -ERR_CODE_UNVERIFIED)
        return error_set(err, ERR_CODE_UNVERIFIED, UNVERIFIED);
    return r < 0 ? error_set(err, ERR_CODE_SIGNATURE, BROKEN) : 0;
}
