/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/redis_url.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/base/buf.h"

#define REDIS_PORT 6379
#define SENTINEL_PORT 26379
#define MASTER_NAME_MAX 128u
#define REDIS_DB_MAX 1000000u
#define SECRET_MAX 4096u

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Undoes %XX; NULL when it is malformed, too long or contains a NUL. */
static char *percent_decode(struct str s)
{
    struct buf b = BUF_INIT(SECRET_MAX);
    int high, low, r = 0;
    size_t i;
    char c;

    for (i = 0; i < s.len && r == 0; i++) {
        c = s.ptr[i];
        if (c == '%') {
            high = i + 1 < s.len ? hex_value(s.ptr[i + 1]) : -1;
            low = i + 2 < s.len ? hex_value(s.ptr[i + 2]) : -1;
            c = high < 0 || low < 0 ? '\0' : (char)(high * 16 + low);
            i += 2;
        }
        r = c == '\0' ? -ERR_CONFIG : buf_append_char(&b, c);
    }
    if (r == 0)
        return buf_take(&b);
    buf_done(&b);
    return NULL;
}

static int set_secret(char **to, struct str text, struct error *err)
{
    if (text.len == 0)
        return 0;
    free(*to);
    *to = percent_decode(text);
    return *to ? 0 : error_set(err, ERR_CONFIG, "user or password of the Redis URL is malformed");
}

static int set_db(struct redis_address *a, struct str text, struct error *err)
{
    uint64_t db;

    if (str_parse_u64(text, &db) < 0 || db > REDIS_DB_MAX)
        return error_set(err, ERR_CONFIG, "the database of the Redis URL is not a number");
    a->db = (uint32_t)db;
    return 0;
}

static int parse_unix(struct str rest, struct redis_address *a, struct error *err)
{
    size_t mark = str_find(rest, '?', 0), eq;
    struct str path = str_sub(rest, 0, mark), pairs = str_sub(rest, mark + 1, rest.len), pair, key;
    int r = 0;

    if (path.len == 0 || path.ptr[0] != '/' ||
        path.len >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return error_set(err, ERR_CONFIG,
                         "a Redis socket is unix:/path, at most 107 bytes of path");
    a->unix_path = str_dup(path);
    while (r == 0 && mark < rest.len && str_split(&pairs, '&', &pair)) {
        eq = str_find(pair, '=', 0);
        key = str_sub(pair, 0, eq);
        pair = str_sub(pair, eq + 1, pair.len);
        if (str_is(key, "password"))
            r = set_secret(&a->password, pair, err);
        else if (str_is(key, "user"))
            r = set_secret(&a->user, pair, err);
        else if (str_is(key, "db"))
            r = set_db(a, pair, err);
        else
            r = error_set(err, ERR_CONFIG, "a Redis socket takes password, user and db, no others");
    }
    return r;
}

/* host, host:port, [::1], [::1]:port */
static int parse_host(struct str text, uint64_t port, struct redis_host *ret, struct error *err)
{
    size_t end = str_find(text, ':', 0);
    struct str host;

    if (str_starts(text, STR("["))) {
        end = str_find(text, ']', 0);
        host = str_sub(text, 1, end);
        end++;
    } else {
        host = str_sub(text, 0, end);
    }
    if (host.len == 0 || host.len > 255 || end > text.len)
        return error_set(err, ERR_CONFIG, "the Redis URL has no host");
    if (end < text.len &&
        (text.ptr[end] != ':' || str_parse_u64(str_sub(text, end + 1, text.len), &port) < 0 ||
         port == 0 || port > 65535))
        return error_set(err, ERR_CONFIG, "the port of the Redis URL is not 1 to 65535");
    *ret = (struct redis_host){str_dup(host), (uint16_t)port};
    return 0;
}

/* [[user]:password@], cut off @rest. */
static int parse_login(struct str *rest_of, struct redis_address *a, struct error *err)
{
    struct str rest = *rest_of, login;
    size_t at = rest.len, colon;
    int r;

    while (at > 0 && rest.ptr[at - 1] != '@') /* the last one: a password may contain others */
        at--;
    if (at > 0) {
        login = str_sub(rest, 0, at - 1);
        colon = str_find(login, ':', 0);
        if (colon == login.len)
            return error_set(err, ERR_CONFIG,
                             "log-in of the Redis URL is :password or user:password");
        r = set_secret(&a->user, str_sub(login, 0, colon), err);
        if (r == 0)
            r = set_secret(&a->password, str_sub(login, colon + 1, login.len), err);
        if (r < 0)
            return r;
        *rest_of = str_sub(rest, at, rest.len);
    }
    return 0;
}

static bool is_master_name(struct str name)
{
    static const char legal[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t i;

    for (i = 0; i < name.len; i++)
        if (!memchr(legal, name.ptr[i], sizeof(legal) - 1))
            return false;
    return name.len > 0 && name.len <= MASTER_NAME_MAX;
}

static int parse_sentinel(struct str rest, struct redis_address *a, struct error *err)
{
    struct str hosts, path, host, name;
    size_t slash;
    int r = parse_login(&rest, a, err);

    slash = str_find(rest, '/', 0);
    hosts = str_sub(rest, 0, slash);
    path = str_sub(rest, slash + 1, rest.len);
    while (r == 0 && str_split(&hosts, ',', &host)) {
        if (a->sentinels_len == REDIS_SENTINELS_MAX)
            return error_set(err, ERR_CONFIG, "the Redis URL names more than %d sentinels",
                             REDIS_SENTINELS_MAX);
        r = parse_host(host, SENTINEL_PORT, &a->sentinels[a->sentinels_len], err);
        a->sentinels_len += r == 0;
    }
    if (r < 0)
        return r;
    slash = str_find(path, '/', 0);
    name = str_sub(path, 0, slash);
    path = str_sub(path, slash + 1, path.len);
    if (!is_master_name(name))
        return error_set(err, ERR_CONFIG,
                         "a Redis URL with sentinels ends with /<name of the master>[/db]");
    a->master = str_dup(name);
    return path.len ? set_db(a, path, err) : 0;
}

static int parse_tcp(struct str rest, struct redis_address *a, struct error *err)
{
    struct redis_host at = {NULL, 0};
    struct str db;
    size_t slash;
    int r = parse_login(&rest, a, err);

    slash = str_find(rest, '/', 0);
    if (r == 0)
        r = parse_host(str_sub(rest, 0, slash), REDIS_PORT, &at, err);
    a->host = at.host;
    a->port = at.port;
    db = str_sub(rest, slash + 1, rest.len);
    return r == 0 && db.len ? set_db(a, db, err) : r;
}

int redis_url_parse(struct str url, struct redis_address *ret, struct error *err)
{
    struct redis_address a = {0};
    int r;

    if (memchr(url.ptr ? url.ptr : "", '\0', url.len))
        r = error_set(err, ERR_CONFIG, "the Redis URL contains a NUL byte");
    else if (str_starts(url, STR("unix:")))
        r = parse_unix(str_sub(url, 5, url.len), &a, err);
    else if (str_starts(url, STR("redis://")))
        r = parse_tcp(str_sub(url, 8, url.len), &a, err);
    else if (str_starts(url, STR("sentinel://")))
        r = parse_sentinel(str_sub(url, 11, url.len), &a, err);
    else
        r = error_set(err, ERR_CONFIG, "a Redis URL begins with redis://, sentinel:// or unix:/");
    if (r == 0 && a.user && !a.password)
        r = error_set(err, ERR_CONFIG, "the Redis URL has a user but no password");
    if (r < 0) {
        redis_address_done(&a);
        return r;
    }
    *ret = a;
    return 0;
}

const char *redis_url_check(struct str url)
{
    static struct error err;
    struct redis_address address;

    if (redis_url_parse(url, &address, &err) < 0)
        return err.msg;
    redis_address_done(&address);
    return NULL;
}

char *redis_address_text(const struct redis_address *address)
{
    if (address->unix_path)
        return str_printf("unix:%s", address->unix_path);
    if (address->master)
        return str_printf("master %s", address->master);
    return redis_host_text(address->host, address->port);
}

char *redis_host_text(const char *host, uint16_t port)
{
    return str_printf(strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}

void redis_address_done(struct redis_address *address)
{
    if (address->password)
        explicit_bzero(address->password, strlen(address->password));
    free(address->password);
    free(address->user);
    free(address->host);
    free(address->unix_path);
    free(address->master);
    while (address->sentinels_len)
        free(address->sentinels[--address->sentinels_len].host);
    *address = (struct redis_address){0};
}
