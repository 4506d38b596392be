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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_have_their_known_digests),
        cmocka_unit_test(pieces_give_the_digest_of_the_whole),
        cmocka_unit_test(base64_is_as_code_sha256_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
