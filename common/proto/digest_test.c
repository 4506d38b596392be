/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* FIPS 180-4 examples. */
static const struct {
    const char *text, *hex;
} cases[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void known_texts_have_their_known_digests(void **state)
{
    char hex[SHA256_HEX_MAX];
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        sha256_hex(str_of(cases[i].text), hex);
        assert_string_equal(hex, cases[i].hex);
    }
    sha256_hex(STR_NULL, hex);
    assert_string_equal(hex, cases[0].hex);
}

static void pieces_give_the_digest_of_the_whole(void **state)
{
    unsigned char whole[SHA256_BYTES], pieces[SHA256_BYTES];
    struct sha256 h;
    int round;

    (void)state;
    sha256_of(STR("abc"), whole);
    sha256_init(&h);
    for (round = 0; round < 2; round++) { /* final starts over */
        sha256_update(&h, "a", 1);
        sha256_update(&h, "", 0);
        sha256_update(&h, "bc", 2);
        sha256_final(&h, pieces);
        assert_memory_equal(whole, pieces, SHA256_BYTES);
    }
    sha256_done(&h);
}

static void base64_is_as_code_sha256_has_it(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(64);
    unsigned char digest[SHA256_BYTES];

    (void)state;
    sha256_of(STR("abc"), digest);
    assert_int_equal(sha256_base64(&b, digest), 0);
    assert_true(str_is(buf_str(&b), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="));
}

/* RFC 4231, test cases 2 and 6; HMAC of nothing under nothing. */
static void hmacs_are_those_of_the_rfc(void **state)
{
    static char long_key[131];
    struct {
        struct str key, text;
        const char *hex;
    } const macs[] = {
        {STR("Jefe"), STR("what do ya want for nothing?"),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {str_from(long_key, sizeof(long_key)),
         STR("Test Using Larger Than Block-Size Key - Hash Key First"),
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {STR_NULL, STR_NULL, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    unsigned char mac[SHA256_BYTES];
    char hex[SHA256_HEX_MAX];
    size_t i;

    (void)state;
    memset(long_key, 0xaa, sizeof(long_key));
    for (i = 0; i < ARRAY_LEN(macs); i++) {
        hmac_sha256(macs[i].key, macs[i].text, mac);
        hex_encode(mac, sizeof(mac), hex);
        assert_string_equal(hex, macs[i].hex);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_have_their_known_digests),
        cmocka_unit_test(pieces_give_the_digest_of_the_whole),
        cmocka_unit_test(hmacs_are_those_of_the_rfc),
        cmocka_unit_test(base64_is_as_code_sha256_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
