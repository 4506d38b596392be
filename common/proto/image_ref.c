/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/image_ref.h"

#define REPOSITORY_MAX 255
#define TAG_MAX 128

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
    return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

bool image_digest_is_valid(struct str s)
{
    size_t i;

    if (!str_starts(s, STR("sha256:")) || s.len != 7 + 64)
        return false;
    for (i = 7; i < s.len; i++)
        if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
            return false;
    return true;
}

static bool is_tag(struct str s)
{
    size_t i;

    if (s.len < 1 || s.len > TAG_MAX)
        return false;
    for (i = 0; i < s.len; i++)
        if (!is_alnum(s.ptr[i]) && s.ptr[i] != '_' &&
            (i == 0 || (s.ptr[i] != '.' && s.ptr[i] != '-')))
            return false;
    return true;
}

/* Components of lower-case letters and digits, with single '.', one or two '_', or '-'s between. */
static bool is_repository(struct str s)
{
    size_t i, run = 0;
    char c, before = '/';

    if (s.len < 1 || s.len > REPOSITORY_MAX)
        return false;
    for (i = 0; i < s.len; i++) {
        c = s.ptr[i];
        run = c == before ? run + 1 : 1;
        if (is_lower_alnum(c)) {
            before = c;
            continue;
        }
        if (c != '/' && c != '.' && c != '_' && c != '-')
            return false;
        /* a separator follows a letter or digit, or is one more of "__" and "---" */
        if (!is_lower_alnum(before) && !(c == before && (c == '-' || (c == '_' && run <= 2))))
            return false;
        before = c;
    }
    return is_lower_alnum(before);
}

/* A name or address with an optional port; IPv6 in brackets. */
static bool is_host(struct str s)
{
    struct str name = s;
    size_t i, colon;
    uint64_t port;

    if (s.len && s.ptr[0] == '[') {
        i = str_find(s, ']', 0);
        if (i == s.len)
            return false;
        name = str_sub(s, 1, i);
        colon = i + 1;
        if (colon < s.len && s.ptr[colon] != ':')
            return false;
    } else {
        colon = str_find(s, ':', 0);
        name = str_sub(s, 0, colon);
    }
    if (colon < s.len &&
        (str_parse_u64(str_sub(s, colon + 1, s.len), &port) < 0 || port < 1 || port > 65535))
        return false;
    for (i = 0; i < name.len; i++)
        if (!is_alnum(name.ptr[i]) && name.ptr[i] != '-' &&
            !(name.ptr[i] == '.' && i > 0 && name.ptr[i - 1] != '.') &&
            !(name.ptr[i] == ':' && name.ptr != s.ptr))
            return false;
    return name.len > 0;
}

static bool looks_like_host(struct str s)
{
    return str_find(s, '.', 0) < s.len || str_find(s, ':', 0) < s.len || str_is(s, "localhost");
}

int image_ref_parse(struct str text, struct image_ref *ret, struct error *err)
{
    struct image_ref r = {0};
    size_t at, slash, colon;

    if (text.len < 1 || text.len > IMAGE_REF_MAX)
        goto bad;
    if (image_digest_is_valid(text)) {
        r.digest = text;
        *ret = r;
        return 0;
    }
    at = str_find(text, '@', 0);
    r.name = str_sub(text, 0, at);
    if (at < text.len) {
        r.digest = str_sub(text, at + 1, text.len);
        if (!image_digest_is_valid(r.digest))
            goto bad;
    }
    slash = str_find(r.name, '/', 0);
    if (slash < r.name.len && looks_like_host(str_sub(r.name, 0, slash)))
        r.host = str_sub(r.name, 0, slash);
    r.repository = r.host.len ? str_sub(r.name, slash + 1, r.name.len) : r.name;
    colon = str_find(r.repository, ':', 0);
    if (colon < r.repository.len) {
        r.tag = str_sub(r.repository, colon + 1, r.repository.len);
        r.name = str_sub(r.name, 0, r.name.len - r.tag.len - 1);
        r.repository = str_sub(r.repository, 0, colon);
        if (!is_tag(r.tag))
            goto bad;
    }
    if (!is_repository(r.repository) || (r.host.len && !is_host(r.host)))
        goto bad;
    *ret = r;
    return 0;
bad:
    return error_set(err, ERR_BAD_REQUEST, "%.*s is not an image reference",
                     text.len > 200 ? 200 : (int)text.len, text.ptr ? text.ptr : "");
}

char *image_ref_full_name(const struct image_ref *ref)
{
    const struct str host = ref->host.len ? ref->host : STR("docker.io");
    const bool is_library = str_is(host, "docker.io") &&
                            str_find(ref->repository, '/', 0) == ref->repository.len;

    return str_printf("%.*s/%s%.*s", STR_ARG(host), is_library ? "library/" : "",
                      STR_ARG(ref->repository));
}
