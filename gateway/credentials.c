/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "common/base/map.h"
#include "common/proto/digest.h"
#include "common/proto/principal_id.h"

#define FILE_MAX_BYTES (1u << 20)
#define ACCESS_KEY_MAX 128
#define SECRET_MIN 16
#define SECRET_MAX 128

struct credentials {
    struct map by_key;
};

/* What a section has said so far. */
struct section {
    struct str name; /* a NULL ptr: none has begun */
    size_t line;
    struct str access_key, secret, account, arn;
};

struct reader {
    const char *path, *account;
    struct credentials *credentials;
    struct section section;
    struct error *err;
};

static void credential_free(void *arg)
{
    struct credential *c = arg;

    if (c->secret)
        explicit_bzero(c->secret, strlen(c->secret));
    free(c->access_key);
    free(c->secret);
    seal_key_wipe(&c->session_key);
    free(c);
}

void credentials_free(struct credentials *credentials)
{
    if (!credentials)
        return;
    map_done(&credentials->by_key);
    free(credentials);
}

const struct credential *credentials_find(const struct credentials *credentials,
                                          struct str access_key)
{
    return map_get(&credentials->by_key, access_key);
}

size_t credentials_len(const struct credentials *credentials)
{
    return credentials->by_key.len;
}

static int complain(const struct reader *r, size_t line, const char *what)
{
    return error_set(r->err, ERR_CONFIG, "credentials file %s, line %zu: %s", r->path, line, what);
}

/* ---- checks ---- */

static bool is_word_char(char c, const char *more)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr(more, c));
}

static bool is_word(struct str s, size_t min, size_t max, const char *more)
{
    size_t i;

    if (s.len < min || s.len > max)
        return false;
    for (i = 0; i < s.len; i++)
        if (!is_word_char(s.ptr[i], more))
            return false;
    return true;
}

/* The account's root or one of its users. */
static bool is_principal(struct str arn, const char *account)
{
    CLEANUP(freep) char *root = str_printf("arn:aws:iam::%s:root", account);
    CLEANUP(freep) char *user = str_printf("arn:aws:iam::%s:user/", account);

    return str_is(arn, root) ||
           (str_starts(arn, str_of(user)) && arn.ptr[arn.len - 1] != '/' &&
            is_word(str_sub(arn, strlen(user), arn.len), 1, 512, "/_+=,.@-"));
}

static const char *check_section(const struct reader *r)
{
    const struct section *s = &r->section;

    if (!s->access_key.ptr)
        return "the section has no aws_access_key_id";
    if (!s->secret.ptr)
        return "the section has no aws_secret_access_key";
    if (!is_word(s->access_key, 3, ACCESS_KEY_MAX, "_"))
        return "aws_access_key_id is not 3 to 128 letters and digits";
    if (str_starts(s->access_key, STR("ASIA")))
        return "aws_access_key_id begins with ASIA, as those of sessions do";
    if (!is_word(s->secret, SECRET_MIN, SECRET_MAX, "/+=_.-"))
        return "aws_secret_access_key is not 16 to 128 letters, digits and /+=_.-";
    if (s->account.ptr && !str_is(s->account, r->account))
        return "aws_account_id is not the account that this Hearth serves (HEARTH_ACCOUNT_ID); it "
               "serves one";
    if (s->arn.ptr && !is_principal(s->arn, r->account))
        return "principal_arn is not arn:aws:iam::ACCOUNT:root or :user/NAME of the account that "
               "this Hearth serves";
    if (!s->arn.ptr && !is_word(s->name, 1, 64, "_+=,.@-"))
        return "the section's name is no name of a user; give it a principal_arn";
    if (credentials_find(r->credentials, s->access_key))
        return "aws_access_key_id is given twice";
    return NULL;
}

/* ---- sections ---- */

static void set_caller(struct credential *c, const struct section *s, const char *account)
{
    struct caller *caller = &c->caller;

    if (s->arn.ptr)
        snprintf(caller->arn, sizeof(caller->arn), "%.*s", STR_ARG(s->arn));
    else
        snprintf(caller->arn, sizeof(caller->arn), "arn:aws:iam::%s:user/%.*s", account,
                 STR_ARG(s->name));
    caller->credential = c;
    if (str_ends(str_of(caller->arn), STR(":root")))
        snprintf(caller->user_id, sizeof(caller->user_id), "%s", account);
    else
        principal_id_of("AIDA", str_of(caller->arn), caller->user_id);
}

static int end_section(struct reader *r)
{
    struct section *s = &r->section;
    unsigned char key[SHA256_BYTES];
    struct credential *c;
    const char *bad;

    if (!s->name.ptr)
        return 0;
    bad = check_section(r);
    if (bad)
        return complain(r, s->line, bad);
    c = calloc(1, sizeof(*c));
    if (!c)
        abort();
    c->access_key = str_dup(s->access_key);
    c->secret = str_dup(s->secret);
    set_caller(c, s, r->account);
    hmac_sha256(s->secret, STR("hearth session v1"), key);
    seal_key_init(&c->session_key, key);
    explicit_bzero(key, sizeof(key));
    map_put(&r->credentials->by_key, s->access_key, c);
    return 0;
}

static int read_setting(struct reader *r, struct str text, size_t line)
{
    size_t eq = str_find(text, '=', 0), i;
    struct str name = str_trim(str_sub(text, 0, eq));
    struct str value = str_trim(str_sub(text, eq + 1, text.len));
    const struct {
        const char *name;
        struct str *value;
    } settings[] = {
        {"aws_access_key_id", &r->section.access_key},
        {"aws_secret_access_key", &r->section.secret},
        {"aws_account_id", &r->section.account},
        {"principal_arn", &r->section.arn},
    };

    if (eq == text.len)
        return complain(r, line, "neither [name] nor name = value");
    if (!r->section.name.ptr)
        return complain(r, line, "it stands before the first [name]");
    for (i = 0; i < ARRAY_LEN(settings); i++) {
        if (!str_is(name, settings[i].name))
            continue;
        if (settings[i].value->ptr)
            return complain(r, line, "the section has this setting twice");
        *settings[i].value = value;
        return 0;
    }
    return complain(r, line,
                    "an unknown setting; known are aws_access_key_id, aws_secret_access_key, "
                    "aws_account_id and principal_arn");
}

static int read_line(struct reader *r, struct str text, size_t line)
{
    int failed;

    text = str_trim(text);
    if (text.len == 0 || text.ptr[0] == '#' || text.ptr[0] == ';')
        return 0;
    if (text.ptr[0] != '[')
        return read_setting(r, text, line);
    if (text.len < 3 || text.ptr[text.len - 1] != ']')
        return complain(r, line, "a section's name stands in brackets: [name]");
    failed = end_section(r);
    if (failed < 0)
        return failed;
    r->section = (struct section){.name = str_trim(str_sub(text, 1, text.len - 1)), .line = line};
    return 0;
}

int credentials_parse(struct str text, const char *path, const char *account,
                      struct credentials **ret, struct error *err)
{
    struct reader r = {.path = path, .account = account, .err = err};
    struct str line;
    size_t number = 0;
    int failed = 0;

    r.credentials = calloc(1, sizeof(*r.credentials));
    if (!r.credentials)
        abort();
    map_init(&r.credentials->by_key, credential_free);
    while (failed == 0 && str_split(&text, '\n', &line))
        failed = read_line(&r, line, ++number);
    if (failed == 0)
        failed = end_section(&r);
    if (failed == 0 && credentials_len(r.credentials) == 0)
        failed = error_set(err, ERR_CONFIG, "credentials file %s: it holds no credentials", path);
    if (failed < 0) {
        credentials_free(r.credentials);
        return failed;
    }
    *ret = r.credentials;
    return 0;
}

int credentials_load(const char *path, const char *account, struct credentials **ret,
                     struct error *err)
{
    CLEANUP(seal_wipe_buf) struct buf text = BUF_INIT(FILE_MAX_BYTES);
    struct error why;
    struct stat st;

    if (stat(path, &st) < 0)
        return error_set_errno(err, ERR_CONFIG, errno, "credentials file %s", path);
    if (st.st_mode & (S_IRWXO | S_IWGRP))
        return error_set(err, ERR_CONFIG,
                         "credentials file %s: others may read or write it (mode %04o); chmod 600 it",
                         path, (unsigned)(st.st_mode & 07777));
    if (file_read(path, &text, &why) < 0)
        return error_set(err, ERR_CONFIG, "credentials file %s: %s", path, why.msg);
    return credentials_parse(buf_str(&text), path, account, ret, err);
}
