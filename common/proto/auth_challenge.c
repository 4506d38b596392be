/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/auth_challenge.h"

#include <string.h>

static bool is_token(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static struct str take_token(struct str *rest)
{
    size_t n = 0;
    struct str token;

    while (n < rest->len && is_token(rest->ptr[n]))
        n++;
    token = str_sub(*rest, 0, n);
    *rest = str_sub(*rest, n, rest->len);
    return token;
}

static void skip(struct str *rest, const char *set)
{
    size_t n = 0;

    while (n < rest->len && rest->ptr[n] && strchr(set, rest->ptr[n]))
        n++;
    *rest = str_sub(*rest, n, rest->len);
}

/* A quoted string or a token into @ret; false when it is neither, too long, or not printable. */
static bool take_value(struct str *rest, char ret[AUTH_CHALLENGE_MAX])
{
    size_t i, n = 0;
    struct str token;

    if (rest->len == 0 || rest->ptr[0] != '"') {
        token = take_token(rest);
        if (token.len == 0 || token.len >= AUTH_CHALLENGE_MAX)
            return false;
        memcpy(ret, token.ptr, token.len);
        ret[token.len] = '\0';
        return true;
    }
    for (i = 1; i < rest->len && rest->ptr[i] != '"'; i++) {
        if (rest->ptr[i] == '\\' && ++i == rest->len)
            return false;
        if (rest->ptr[i] < ' ' || rest->ptr[i] > '~' || n + 1 == AUTH_CHALLENGE_MAX)
            return false;
        ret[n++] = rest->ptr[i];
    }
    if (i >= rest->len)
        return false;
    ret[n] = '\0';
    *rest = str_sub(*rest, i + 1, rest->len);
    return true;
}

/* The parameters of a scheme; those that are not known are left out. */
static bool take_parameters(struct str *rest, struct auth_challenge *c)
{
    char ignored[AUTH_CHALLENGE_MAX], *to;
    struct str name;

    while (skip(rest, " \t,"), rest->len) {
        name = take_token(rest);
        skip(rest, " \t");
        if (name.len == 0 || rest->len == 0 || rest->ptr[0] != '=')
            return false;
        *rest = str_sub(*rest, 1, rest->len);
        skip(rest, " \t");
        to = str_eq_nocase(name, STR("realm"))     ? c->realm
             : str_eq_nocase(name, STR("service")) ? c->service
             : str_eq_nocase(name, STR("scope"))   ? c->scope
                                                   : ignored;
        if (!take_value(rest, to))
            return false;
    }
    return true;
}

int auth_challenge_parse(struct str value, struct auth_challenge *ret, struct error *err)
{
    struct auth_challenge c = {0};
    struct str rest = str_trim(value), scheme = take_token(&rest);

    c.bearer = str_eq_nocase(scheme, STR("Bearer"));
    if (!c.bearer && !str_eq_nocase(scheme, STR("Basic")))
        return error_set(err, ERR_PROTOCOL,
                         "the registry asks for a way of signing in that is not known here");
    if (!take_parameters(&rest, &c) && c.bearer)
        return error_set(err, ERR_PROTOCOL, "the registry's challenge cannot be read");
    if (c.bearer && !str_starts(str_of(c.realm), STR("https://")) &&
        !str_starts(str_of(c.realm), STR("http://")))
        return error_set(err, ERR_PROTOCOL, "the registry's challenge names no address for tokens");
    *ret = c;
    return 0;
}
