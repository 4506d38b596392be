/* SPDX-License-Identifier: Apache-2.0 */
/* Archives are signed here as a person would with openssl: CMS over the manifest. */
#include "controller/code/code_signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "common/base/file.h"

#define PROFILE "arn:aws:signer:us-east-1:000000000000:/signing-profiles/test/abc"
#define PROFILE_FILE "arn:aws:signer:us-east-1:000000000000:%2Fsigning-profiles%2Ftest%2Fabc.pem"

static char dir[64];

struct signer {
    EVP_PKEY *key;
    X509 *cert;
};
static struct signer allowed, stranger, expired;

static struct signer signer_new(const char *name, long until_s)
{
    struct signer s = {EVP_EC_gen("P-256"), X509_new()};
    X509_NAME *subject = X509_get_subject_name(s.cert);

    X509_set_version(s.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(s.cert), 7);
    X509_gmtime_adj(X509_getm_notBefore(s.cert), -7200);
    X509_gmtime_adj(X509_getm_notAfter(s.cert), until_s);
    X509_set_pubkey(s.cert, s.key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(s.cert, subject);
    assert_true(X509_sign(s.cert, s.key, EVP_sha256()) > 0);
    return s;
}

static void profile_write(const struct signer *s)
{
    CLEANUP(freep) char *path = str_printf("%s/%s", dir, PROFILE_FILE);
    BIO *file = BIO_new_file(path, "w");

    assert_non_null(file);
    assert_int_equal(PEM_write_bio_X509(file, s->cert), 1);
    BIO_free(file);
}

struct entry {
    const char *path, *data;
    size_t len; /* 0: strlen() */
    bool is_link;
};

static void zip_of(struct buf *ret, const struct entry *entries, size_t len)
{
    struct archive *a = archive_write_new();
    size_t used = 0, i;

    *ret = BUF_INIT(1u << 20);
    buf_reserve(ret, 1u << 19);
    archive_write_set_format_zip(a);
    assert_int_equal(archive_write_open_memory(a, ret->ptr, ret->cap, &used), ARCHIVE_OK);
    for (i = 0; i < len; i++) {
        struct archive_entry *e = archive_entry_new();
        size_t bytes = entries[i].len ? entries[i].len : strlen(entries[i].data);

        archive_entry_set_pathname(e, entries[i].path);
        archive_entry_set_filetype(e, entries[i].is_link ? AE_IFLNK : AE_IFREG);
        archive_entry_set_perm(e, 0644);
        if (entries[i].is_link)
            archive_entry_set_symlink(e, entries[i].data);
        else
            archive_entry_set_size(e, (int64_t)bytes);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        if (!entries[i].is_link)
            archive_write_data(a, entries[i].data, bytes);
        archive_entry_free(e);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
    ret->len = used;
}

static const struct entry code[] = {
    {"b.py", "def handler(e, c): return e\n", 0, false},
    {"a/lib.so", "\x7f" "ELF", 0, false},
    {"a/link", "lib.so", 0, true},
};

/* @files with a signature of their manifest behind them. */
static void sign(struct buf *ret, const struct signer *s, const struct entry *files,
                 const struct entry *signed_files, unsigned flags)
{
    struct buf plain, manifest = BUF_INIT(CODE_MANIFEST_MAX), none = BUF_INIT(1);
    struct entry all[4] = {files[0], files[1], files[2], {CODE_SIGNATURE_ENTRY, NULL, 0, false}};
    CMS_ContentInfo *cms;
    unsigned char *der = NULL;
    BIO *data;
    int len;

    zip_of(&plain, signed_files, 3);
    assert_int_equal(code_manifest(buf_str(&plain), &manifest, &none, NULL), 0);
    data = BIO_new_mem_buf(manifest.ptr, (int)manifest.len);
    cms = CMS_sign(s->cert, s->key, NULL, data, CMS_BINARY | CMS_DETACHED | flags);
    assert_non_null(cms);
    len = i2d_CMS_ContentInfo(cms, &der);
    all[3].data = (const char *)der;
    all[3].len = (size_t)len;
    zip_of(ret, all, 4);
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    BIO_free(data);
    buf_done(&plain);
    buf_done(&manifest);
    buf_done(&none);
}

static int check(struct buf *zip, struct error *why)
{
    cJSON *profiles = cJSON_Parse("[\"" PROFILE "\"]");
    struct error err;
    int r = code_signature_check(buf_str(zip), dir, profiles, why, &err);

    cJSON_Delete(profiles);
    buf_done(zip);
    return r;
}

static void what_an_allowed_profile_signed_is_good(void **state)
{
    struct error why = {.msg = ""};
    struct buf zip;

    (void)state;
    profile_write(&allowed);
    sign(&zip, &allowed, code, code, 0);
    if (check(&zip, &why) < 0)
        fail_msg("%s", why.msg);
    sign(&zip, &allowed, code, code, CMS_NOCERTS);
    assert_int_equal(check(&zip, &why), 0);
}

static void the_manifest_is_as_the_header_says(void **state)
{
    struct buf zip, manifest = BUF_INIT(4096), none = BUF_INIT(1);

    (void)state;
    zip_of(&zip, code, 3);
    assert_int_equal(code_manifest(buf_str(&zip), &manifest, &none, NULL), 0);
    assert_true(str_is(buf_str(&manifest),
                       "3bdbb4fe8397cd2b842430b39ccff01a8663c751945ef5e9a09e267fb8b1d359 file a/lib.so\n"
                       "f5143155c2b915e11da8b428e11c0c095871818b8bc6c1ba28ef2084c6afba17 link a/link\n"
                       "03a3f79588bc79f5c918123ee248fcabc7c07978698465675df4d86fbcf327f9 file b.py\n"));
    buf_done(&zip);
    buf_done(&manifest);
    buf_done(&none);
}

static void nobody_else_may_sign(void **state)
{
    struct error why;
    struct buf zip;

    (void)state;
    profile_write(&allowed);
    zip_of(&zip, code, 3);
    assert_int_equal(check(&zip, &why), -ERR_CODE_UNVERIFIED);
    sign(&zip, &stranger, code, code, 0); /* its certificate comes along */
    assert_int_equal(check(&zip, &why), -ERR_CODE_UNVERIFIED);
    sign(&zip, &stranger, code, code, CMS_NOCERTS);
    assert_int_equal(check(&zip, &why), -ERR_CODE_UNVERIFIED);
    profile_write(&expired);
    sign(&zip, &expired, code, code, 0);
    assert_int_equal(check(&zip, &why), -ERR_CODE_UNVERIFIED);
    dir_remove(dir, NULL);
    sign(&zip, &allowed, code, code, 0);
    assert_int_equal(check(&zip, &why), -ERR_CODE_UNVERIFIED);
    mkdir(dir, 0700);
}

static void changed_contents_are_refused(void **state)
{
    struct entry changed[3];
    struct error why;
    struct buf zip;

    (void)state;
    profile_write(&allowed);
    memcpy(changed, code, sizeof(changed));
    changed[0].data = "def handler(e, c): return 'evil'\n";
    sign(&zip, &allowed, changed, code, 0);
    assert_int_equal(check(&zip, &why), -ERR_CODE_SIGNATURE);
    memcpy(changed, code, sizeof(changed));
    changed[0].path = "c.py";
    sign(&zip, &allowed, changed, code, 0);
    assert_int_equal(check(&zip, &why), -ERR_CODE_SIGNATURE);
    memcpy(changed, code, sizeof(changed));
    changed[2].is_link = false; /* a file with the target's name in it */
    sign(&zip, &allowed, changed, code, 0);
    assert_int_equal(check(&zip, &why), -ERR_CODE_SIGNATURE);
    memcpy(changed, code, sizeof(changed));
    changed[0].data = "other";
    sign(&zip, &stranger, changed, code, 0);
    assert_int_equal(check(&zip, &why), -ERR_CODE_SIGNATURE);
}

static void what_is_no_signature_is_refused(void **state)
{
    const struct entry files[] = {code[0], {CODE_SIGNATURE_ENTRY, "nonsense", 0, false}};
    struct error why;
    struct buf zip;

    (void)state;
    profile_write(&allowed);
    zip_of(&zip, files, 2);
    assert_int_equal(check(&zip, &why), -ERR_CODE_SIGNATURE);
}

static int begin(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/hearth-profiles-XXXXXX");
    allowed = signer_new("allowed", 3600);
    stranger = signer_new("stranger", 3600);
    expired = signer_new("expired", -3600);
    return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
    struct signer *const all[] = {&allowed, &stranger, &expired};
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        EVP_PKEY_free(all[i]->key);
        X509_free(all[i]->cert);
    }
    dir_remove(dir, NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_allowed_profile_signed_is_good),
        cmocka_unit_test(the_manifest_is_as_the_header_says),
        cmocka_unit_test(nobody_else_may_sign),
        cmocka_unit_test(changed_contents_are_refused),
        cmocka_unit_test(what_is_no_signature_is_refused),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
