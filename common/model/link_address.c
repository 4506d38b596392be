/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/link_address.h"

#include <string.h>

#define PORT_MAX 65535u

static const struct str unix_scheme = STR("unix:"), tcp_scheme = STR("tcp://");

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

static bool is_number6_char(char c)
{
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' ||
           c == '.';
}

/* "host:port" or "[number]:port" into its parts. */
static bool split_host(struct str text, struct str *host, struct str *port)
{
    bool has_brackets = str_starts(text, STR("["));
    size_t end = has_brackets ? str_find(text, ']', 0) : str_find(text, ':', 0), i;

    if (end == text.len)
        return false;
    *host = str_sub(text, has_brackets, end);
    text = str_sub(text, end + has_brackets, text.len);
    if (!str_starts(text, STR(":")) || host->len == 0 || host->len >= LINK_HOST_MAX)
        return false;
    *port = str_sub(text, 1, text.len);
    for (i = 0; i < host->len; i++)
        if (has_brackets ? !is_number6_char(host->ptr[i]) : !is_name_char(host->ptr[i]))
            return false;
    return !has_brackets || str_find(*host, ':', 0) < host->len;
}

int link_address_parse(struct str text, struct link_address *ret, struct error *err)
{
    struct link_address a = {0};
    struct str rest, port;
    uint64_t number;

    if (str_starts(text, unix_scheme)) {
        rest = str_sub(text, unix_scheme.len, text.len);
        if (rest.len == 0 || rest.len >= sizeof(a.path) || memchr(rest.ptr, '\0', rest.len))
            return error_set(err, ERR_CONFIG, "link address %.*s: the path must have 1 to %zu bytes",
                             STR_ARG(str_sub(text, 0, 256)), sizeof(a.path) - 1);
        memcpy(a.path, rest.ptr, rest.len);
    } else if (str_starts(text, tcp_scheme)) {
        if (!split_host(str_sub(text, tcp_scheme.len, text.len), &rest, &port) ||
            str_parse_u64(port, &number) < 0 || number > PORT_MAX)
            return error_set(err, ERR_CONFIG,
                             "link address %.*s: must be tcp://host:port, IPv6 numbers in brackets",
                             STR_ARG(str_sub(text, 0, 256)));
        a.is_tcp = true;
        memcpy(a.host, rest.ptr, rest.len);
        a.port = (uint16_t)number;
    } else {
        return error_set(err, ERR_CONFIG, "link address %.*s: must be unix:/path or tcp://host:port",
                         STR_ARG(str_sub(text, 0, 256)));
    }
    *ret = a;
    return 0;
}

int link_address_write(struct buf *b, const struct link_address *a)
{
    if (!a->is_tcp)
        return buf_printf(b, "unix:%s", a->path);
    return buf_printf(b, strchr(a->host, ':') ? "tcp://[%s]:%u" : "tcp://%s:%u", a->host,
                      (unsigned)a->port);
}

bool link_address_is_any(const struct link_address *a)
{
    return a->is_tcp && (strcmp(a->host, "0.0.0.0") == 0 || strspn(a->host, "0:") == strlen(a->host));
}

bool link_addresses_next(struct str *list, struct str *ret)
{
    if (!str_split(list, ',', ret))
        return false;
    *ret = str_trim(*ret);
    return true;
}

bool link_addresses_have_tcp(struct str list)
{
    struct str one;

    while (link_addresses_next(&list, &one))
        if (str_starts(one, tcp_scheme))
            return true;
    return false;
}
