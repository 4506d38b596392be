/* SPDX-License-Identifier: Apache-2.0 */
/* The CA's files, what it signs, and who a certificate says that a node is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/proto/cert_authority.h"
#include "common/proto/seal.h"

static struct {
    char dir[64], cert[96], key[96];
} t;

static int set_up(void **state)
{
    (void)state;
    memcpy(t.dir, "/tmp/ca-test-XXXXXX", 20);
    assert_non_null(mkdtemp(t.dir));
    snprintf(t.cert, sizeof(t.cert), "%s/ca.pem", t.dir);
    snprintf(t.key, sizeof(t.key), "%s/ca.key", t.dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return dir_remove(t.dir, NULL);
}

static void check_chain(const struct cert_authority *ca, X509 *cert, int expected)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();

    assert_int_equal(X509_STORE_add_cert(store, sk_X509_value(ca->certs, 0)), 1);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, cert, NULL), 1);
    assert_int_equal(X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT), 1);
    assert_int_equal(X509_verify_cert(ctx), expected);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
}

static void a_ca_that_is_made_is_the_same_when_it_is_read_again(void **state)
{
    struct cert_authority made, again;
    struct stat st;

    (void)state;
    assert_int_equal(cert_authority_load(t.cert, t.key, &made, NULL), -ERR_NOT_FOUND);
    assert_int_equal(cert_authority_load_or_make(t.cert, t.key, &made, NULL), 0);
    assert_int_equal(stat(t.key, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(cert_authority_load(t.cert, t.key, &again, NULL), 0);
    assert_string_equal(made.print, again.print);
    assert_memory_equal(made.token_key, again.token_key, sizeof(made.token_key));
    cert_authority_done(&again);

    /* a start that ended between the two files */
    assert_int_equal(remove(t.cert), 0);
    assert_int_equal(cert_authority_load_or_make(t.cert, t.key, &again, NULL), 0);
    assert_string_equal(made.print, again.print);
    cert_authority_done(&again);
    cert_authority_done(&made);
}

static void what_it_issues_names_the_node_and_is_verified(void **state)
{
    static const struct node_name names[] = {{"invoker", "node-0a1b"}, {"gateway", "edge \"7\"/ä,URI:x"}};
    int64_t now_s = (int64_t)(wall_ms() / 1000), from, until;
    struct cert_authority ca;
    size_t i;

    (void)state;
    assert_int_equal(cert_authority_load_or_make(t.cert, t.key, &ca, NULL), 0);
    for (i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(key_freep) EVP_PKEY *key = node_key_make();
        struct node_name name;
        X509 *cert;

        assert_int_equal(cert_authority_issue(&ca, key, &names[i], now_s, 600, &cert, NULL), 0);
        assert_int_equal(cert_name(cert, &name, NULL), 0);
        assert_string_equal(name.role, names[i].role);
        assert_string_equal(name.id, names[i].id);
        cert_times(cert, &from, &until);
        assert_int_equal(from, now_s - CERT_BACKDATE_S);
        assert_int_equal(until, now_s + 600);
        assert_int_equal(X509_check_private_key(cert, key), 1);
        check_chain(&ca, cert, 1);
        X509_free(cert);
        assert_int_equal(cert_authority_issue(&ca, key, &names[i], now_s - 700, 600, &cert, NULL), 0);
        check_chain(&ca, cert, 0); /* over */
        X509_free(cert);
    }
    cert_authority_done(&ca);
}

static void requests_prove_their_key_and_nothing_else(void **state)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(CERT_PEM_MAX);
    CLEANUP(key_freep) EVP_PKEY *key = node_key_make(), *read = NULL;
    size_t i;

    (void)state;
    assert_int_equal(node_request_write(key, &pem), 0);
    assert_int_equal(node_request_read(buf_str(&pem), &read, NULL), 0);
    assert_int_equal(EVP_PKEY_eq(key, read), 1);
    for (i = 60; i < pem.len - 60; i += 7) {
        EVP_PKEY *none = NULL;
        char kept = pem.ptr[i];

        if (kept == '\n')
            continue;
        pem.ptr[i] = kept == 'A' ? 'B' : 'A';
        if (node_request_read(buf_str(&pem), &none, NULL) == 0)
            assert_int_equal(EVP_PKEY_eq(key, none), 1); /* what base64 does not tell apart */
        EVP_PKEY_free(none);
        pem.ptr[i] = kept;
    }
    assert_int_equal(node_request_read(STR("x"), &read, NULL), -ERR_PROTOCOL);
    assert_int_equal(node_request_read(STR_NULL, &read, NULL), -ERR_PROTOCOL);
}

static void files_that_do_not_serve_are_refused_by_name(void **state)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(CERT_PEM_MAX);
    CLEANUP(key_freep) EVP_PKEY *key = node_key_make();
    struct cert_authority ca;
    struct error err;

    (void)state;
    assert_int_equal(cert_authority_load_or_make(t.cert, t.key, &ca, NULL), 0);
    cert_authority_done(&ca);
    assert_int_equal(chmod(t.key, 0640), 0);
    assert_int_equal(cert_authority_load(t.cert, t.key, &ca, &err), -ERR_CONFIG);
    assert_non_null(strstr(err.msg, "chmod 600"));

    assert_int_equal(remove(t.key), 0);
    assert_int_equal(node_key_write(key, &pem), 0);
    assert_int_equal(file_write_atomic(t.key, buf_str(&pem), 0600, NULL), 0);
    seal_wipe_buf(&pem);
    assert_int_equal(cert_authority_load_or_make(t.cert, t.key, &ca, &err), -ERR_CONFIG);
    assert_non_null(strstr(err.msg, "not of the CA's key"));

    assert_int_equal(file_write_atomic(t.key, STR("nonsense"), 0600, NULL), 0);
    assert_int_equal(cert_authority_load_or_make(t.cert, t.key, &ca, &err), -ERR_CONFIG);
    assert_non_null(strstr(err.msg, t.key));
}

/* An operator's own: RSA, and one key that is no CA's. */
static void other_kinds_of_keys_serve_too(void **state)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(CERT_PEM_MAX);
    CLEANUP(key_freep) EVP_PKEY *rsa = EVP_RSA_gen(2048), *node = node_key_make();
    const struct node_name name = {"invoker", "n"};
    struct cert_authority ca;
    struct error err;
    X509 *cert;

    (void)state;
    assert_int_equal(node_key_write(rsa, &pem), 0);
    assert_int_equal(file_write_atomic(t.key, buf_str(&pem), 0600, NULL), 0);
    seal_wipe_buf(&pem);
    assert_int_equal(cert_authority_load_or_make(t.cert, t.key, &ca, NULL), 0);
    assert_int_equal(cert_authority_issue(&ca, node, &name, (int64_t)(wall_ms() / 1000), 60, &cert, NULL),
                     0);
    check_chain(&ca, cert, 1);

    /* a node's key and certificate are no CA */
    assert_int_equal(node_key_write(node, &pem), 0);
    assert_int_equal(file_write_atomic(t.key, buf_str(&pem), 0600, NULL), 0);
    seal_wipe_buf(&pem);
    assert_int_equal(cert_write(cert, &pem), 0);
    assert_int_equal(file_write_atomic(t.cert, buf_str(&pem), 0644, NULL), 0);
    X509_free(cert);
    cert_authority_done(&ca);
    assert_int_equal(cert_authority_load(t.cert, t.key, &ca, &err), -ERR_CONFIG);
    assert_non_null(strstr(err.msg, "not a CA's"));
}

static void a_certificate_without_our_name_is_nobodys(void **state)
{
    struct cert_authority ca;
    struct node_name name;

    (void)state;
    assert_int_equal(cert_authority_load_or_make(t.cert, t.key, &ca, NULL), 0);
    assert_int_equal(cert_name(sk_X509_value(ca.certs, 0), &name, NULL), -ERR_PROTOCOL);
    cert_authority_done(&ca);
}

static void a_program_may_add_its_start_to_its_nodes_id(void **state)
{
    (void)state;
    assert_true(node_id_is("edge", "edge"));
    assert_true(node_id_is("edge", "edge.0"));
    assert_true(node_id_is("edge", "edge.0123456789abcdef"));
    assert_false(node_id_is("edge", "edge."));
    assert_false(node_id_is("edge", "edge.0123456789abcdef0"));
    assert_false(node_id_is("edge", "edge.0G"));
    assert_false(node_id_is("edge", "edge.0.1"));
    assert_false(node_id_is("edge", "edge0"));
    assert_false(node_id_is("edge", "edg"));
    assert_false(node_id_is("edge.0", "edge"));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_ca_that_is_made_is_the_same_when_it_is_read_again),
        TEST(what_it_issues_names_the_node_and_is_verified),
        TEST(requests_prove_their_key_and_nothing_else),
        TEST(files_that_do_not_serve_are_refused_by_name),
        TEST(other_kinds_of_keys_serve_too),
        TEST(a_certificate_without_our_name_is_nobodys),
        cmocka_unit_test(a_program_may_add_its_start_to_its_nodes_id),
    };

    return cmocka_run_group_tests_name("cert_authority", tests, NULL, NULL);
}
