/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/base64.h"
#include "common/base/file.h"
#include "common/proto/digest.h"

#define NONCE_BYTES 12
#define TAG_BYTES 16
#define PLAIN_MAX (1u << 20) /* bytes of one secret: far above any environment */

void seal_key_init(struct seal_key *key, const unsigned char bytes[SEAL_KEY_BYTES])
{
    /* the label keeps the id apart from any other use of the key's digest */
    unsigned char labelled[4 + SEAL_KEY_BYTES] = "id:";
    unsigned char digest[SHA256_BYTES];

    memcpy(key->bytes, bytes, SEAL_KEY_BYTES);
    memcpy(labelled + 4, bytes, SEAL_KEY_BYTES);
    sha256_of(str_from(labelled, sizeof(labelled)), digest);
    hex_encode(digest, (SEAL_KEY_ID_MAX - 1) / 2, key->id);
    explicit_bzero(labelled, sizeof(labelled));
}

void seal_key_wipe(struct seal_key *key)
{
    explicit_bzero(key, sizeof(*key));
}

static void random_bytes(void *to, size_t len)
{
    if (getrandom(to, len, 0) != (ssize_t)len)
        abort(); /* up to 256 bytes never come short */
}

static int key_file_read(const char *path, unsigned char bytes[SEAL_KEY_BYTES], struct error *err)
{
    unsigned char extra;
    struct stat st;
    ssize_t n;
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return error_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, errno,
                               "key file %s", path);
    if (fstat(fd, &st) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "key file %s", path);
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return error_set(err, ERR_CONFIG, "key file %s: others may read it; chmod 600 it", path);
    n = read(fd, bytes, SEAL_KEY_BYTES);
    if (n != SEAL_KEY_BYTES || read(fd, &extra, 1) != 0)
        return error_set(err, ERR_CONFIG, "key file %s: it must hold %d bytes", path,
                         SEAL_KEY_BYTES);
    return 0;
}

/*
 * Makes the key file with fresh bytes. Of several programs that start at once one wins: the file
 * gets its name complete, and never takes another's.
 */
static int key_file_create(const char *path, struct error *err)
{
    CLEANUP(freep) char *temporary = str_printf("%s.%ld", path, (long)getpid());
    unsigned char bytes[SEAL_KEY_BYTES];
    int r;

    random_bytes(bytes, sizeof(bytes));
    r = file_write_atomic(temporary, str_from(bytes, sizeof(bytes)), 0600, err);
    explicit_bzero(bytes, sizeof(bytes));
    if (r < 0)
        return r;
    if (link(temporary, path) < 0 && errno != EEXIST)
        r = error_set_errno(err, ERR_SYSTEM, errno, "key file %s", path);
    unlink(temporary);
    return r;
}

int seal_key_load(const char *path, struct seal_key *ret, struct error *err)
{
    unsigned char bytes[SEAL_KEY_BYTES];
    int r;

    r = key_file_read(path, bytes, err);
    if (r == -ERR_NOT_FOUND) {
        r = key_file_create(path, err);
        if (r == 0)
            r = key_file_read(path, bytes, err);
    }
    if (r == 0)
        seal_key_init(ret, bytes);
    explicit_bzero(bytes, sizeof(bytes));
    return r;
}

/* What a text is bound to; the lengths keep ("ab", "c") and ("a", "bc") apart. */
static int bind_context(EVP_CIPHER_CTX *ctx, bool encrypt, struct str account, struct str function)
{
    CLEANUP(freep) char *bound = NULL;
    int len;

    bound = str_printf("hearth-v1:%zu:%.*s:%zu:%.*s", account.len, STR_ARG(account), function.len,
                       STR_ARG(function));
    return encrypt ? EVP_EncryptUpdate(ctx, NULL, &len, (unsigned char *)bound, (int)strlen(bound))
                   : EVP_DecryptUpdate(ctx, NULL, &len, (unsigned char *)bound, (int)strlen(bound));
}

static void ctx_freep(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx);
}

/* Encrypts @plain to @to, which has room for nonce, text and tag. */
static int encrypt(const struct seal_key *key, struct str account, struct str function,
                   struct str plain, unsigned char *to)
{
    CLEANUP(ctx_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char *text = to + NONCE_BYTES;
    int len, last;

    random_bytes(to, NONCE_BYTES);
    if (!ctx || EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, to) != 1 ||
        bind_context(ctx, true, account, function) != 1 ||
        EVP_EncryptUpdate(ctx, text, &len, (const unsigned char *)plain.ptr, (int)plain.len) != 1 ||
        EVP_EncryptFinal_ex(ctx, text + len, &last) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, text + plain.len) != 1)
        return -ERR_SYSTEM;
    return 0;
}

/* The reverse; @to has room for @len - nonce - tag bytes. */
static int decrypt(const struct seal_key *key, struct str account, struct str function,
                   unsigned char *from, size_t len, unsigned char *to)
{
    CLEANUP(ctx_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    size_t text_len = len - NONCE_BYTES - TAG_BYTES;
    unsigned char *text = from + NONCE_BYTES;
    int n, last;

    if (!ctx || EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, from) != 1 ||
        bind_context(ctx, false, account, function) != 1 ||
        EVP_DecryptUpdate(ctx, to, &n, text, (int)text_len) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, text + text_len) != 1)
        return -ERR_SYSTEM;
    return EVP_DecryptFinal_ex(ctx, to + n, &last) == 1 ? 0 : -ERR_ACCESS_DENIED;
}

int seal_text(const struct seal_key *key, struct str account, struct str function, struct str plain,
              struct buf *ret, struct error *err)
{
    CLEANUP(freep) unsigned char *sealed = NULL;
    size_t len = NONCE_BYTES + plain.len + TAG_BYTES, start = ret->len;
    int r;

    if (plain.len > PLAIN_MAX)
        return error_set(err, ERR_TOO_LARGE, "a secret of more than %u bytes", PLAIN_MAX);
    if (!plain.ptr)
        plain = STR("");
    sealed = malloc(len);
    if (!sealed)
        abort();
    if (encrypt(key, account, function, plain, sealed) < 0)
        return error_set(err, ERR_SYSTEM, "the cryptographic library failed");
    r = buf_printf(ret, "v1.%s.", key->id);
    if (r == 0)
        r = base64_encode(ret, str_from(sealed, len));
    if (r < 0) {
        ret->len = start;
        return error_set(err, ERR_TOO_LARGE, "no room for the sealed text");
    }
    return 0;
}

int unseal_text(const struct seal_key *key, struct str account, struct str function,
                struct str sealed, struct buf *ret, struct error *err)
{
    CLEANUP(buf_done) struct buf raw = BUF_INIT(NONCE_BYTES + PLAIN_MAX + TAG_BYTES + 2);
    struct str rest = sealed, version, id;
    size_t text_len;
    int r;

    if (!str_split(&rest, '.', &version) || !str_is(version, "v1") ||
        !str_split(&rest, '.', &id) || !rest.ptr)
        return error_set(err, ERR_PROTOCOL, "not a sealed text");
    if (!str_is(id, key->id))
        return error_set(err, ERR_CONFIG, "sealed with key %.*s, but the key in use is %s",
                         STR_ARG(str_sub(id, 0, SEAL_KEY_ID_MAX)), key->id);
    if (base64_decode(&raw, rest) < 0 || raw.len < NONCE_BYTES + TAG_BYTES)
        return error_set(err, ERR_PROTOCOL, "not a sealed text");
    text_len = raw.len - NONCE_BYTES - TAG_BYTES;
    if (buf_reserve(ret, text_len + 1) < 0)
        return error_set(err, ERR_TOO_LARGE, "no room for the unsealed text");
    r = decrypt(key, account, function, (unsigned char *)raw.ptr, raw.len,
                (unsigned char *)ret->ptr + ret->len);
    if (r < 0) {
        explicit_bzero(ret->ptr + ret->len, text_len);
        return error_set(err, (enum error_code)-r,
                         "the sealed text was changed, or belongs to something else");
    }
    ret->len += text_len;
    return 0;
}

void seal_wipe_buf(struct buf *b)
{
    if (b->ptr)
        explicit_bzero(b->ptr, b->cap);
    buf_done(b);
}
