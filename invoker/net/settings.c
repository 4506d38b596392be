/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/net/settings.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"

#define RANGE_BITS_MIN 16
#define RANGE_BITS_MAX 24

/* The node itself, or nobody: no place for packets. */
static bool is_nowhere(struct cidr to)
{
    static const struct cidr loopback = {0x7f000000, 8}, multicast = {0xe0000000, 3}, self = {0, 8};

    return to.bits > 0 && (cidr_overlaps(to, loopback) || cidr_overlaps(to, multicast) ||
                           cidr_overlaps(to, self));
}

int net_parse_allow(struct str text, struct net_rules *ret)
{
    struct net_rules rules = {calloc(NET_LIST_MAX, sizeof(*rules.list)), 0};
    struct str rest = text, word;
    int r = 0;

    if (!rules.list)
        abort();
    if (str_trim(text).len == 0)
        rest = STR_NULL;
    while (r == 0 && str_split(&rest, ',', &word)) {
        if (rules.len == NET_LIST_MAX || net_rule_parse(str_trim(word), &rules.list[rules.len]) < 0 ||
            is_nowhere(rules.list[rules.len].to))
            r = -ERR_BAD_REQUEST;
        else
            rules.len++;
    }
    if (r < 0)
        net_rules_done(&rules);
    else
        *ret = rules;
    return r;
}

int net_parse_deny(struct str text, struct cidr **ret, size_t *ret_len)
{
    struct cidr *list = calloc(NET_LIST_MAX, sizeof(*list));
    struct str rest = text, word;
    size_t len = 0;

    if (!list)
        abort();
    if (str_trim(text).len == 0)
        rest = STR_NULL;
    while (str_split(&rest, ',', &word)) {
        if (len == NET_LIST_MAX || cidr_parse(str_trim(word), &list[len++]) < 0) {
            free(list);
            return -ERR_BAD_REQUEST;
        }
    }
    *ret = list;
    *ret_len = len;
    return 0;
}

int net_parse_dns(struct str text, uint32_t ret[NET_DNS_MAX], size_t *ret_len)
{
    struct str rest = text, word;
    struct cidr c;
    size_t len = 0;

    while (str_split(&rest, ',', &word)) {
        if (len == NET_DNS_MAX || cidr_parse(str_trim(word), &c) < 0 || c.bits < 32 || is_nowhere(c))
            return -ERR_BAD_REQUEST;
        ret[len++] = c.addr;
    }
    *ret_len = len;
    return 0;
}

/* ---- */

const char *net_check_egress(struct str text)
{
    return str_is(text, "auto") || str_is(text, "on") || str_is(text, "off")
               ? NULL
               : "is not auto, on or off";
}

const char *net_check_range(struct str text)
{
    struct cidr c;

    if (str_is(text, "auto"))
        return NULL;
    return cidr_parse(text, &c) < 0 || c.bits < RANGE_BITS_MIN || c.bits > RANGE_BITS_MAX || is_nowhere(c)
               ? "is neither auto nor a range between /16 and /24 such as 10.99.0.0/20"
               : NULL;
}

const char *net_check_allow(struct str text)
{
    struct net_rules rules;

    if (net_parse_allow(text, &rules) < 0)
        return "is not a list such as 10.0.0.0/8,10.1.2.3:443 of at most 64, without loopback and "
               "multicast";
    net_rules_done(&rules);
    return NULL;
}

const char *net_check_deny(struct str text)
{
    struct cidr *list;
    size_t len;

    if (net_parse_deny(text, &list, &len) < 0)
        return "is not a list such as 52.0.0.0/8,5.6.7.8 of at most 64";
    free(list);
    return NULL;
}

const char *net_check_dns(struct str text)
{
    uint32_t list[NET_DNS_MAX];
    size_t len;

    return text.len && net_parse_dns(text, list, &len) < 0
               ? "is not a list of at most 3 addresses, none of them on the loopback"
               : NULL;
}

/* ---- the node's own */

void net_read_resolv_conf(struct str text, uint32_t ret[NET_DNS_MAX], size_t *ret_len,
                          bool *ret_loopback)
{
    const struct str key = STR("nameserver");
    struct str rest = text, line;
    struct cidr c;

    *ret_len = 0;
    *ret_loopback = false;
    while (*ret_len < NET_DNS_MAX && str_split(&rest, '\n', &line)) {
        line = str_trim(line);
        if (!str_starts(line, key) || line.len == key.len ||
            (line.ptr[key.len] != ' ' && line.ptr[key.len] != '\t'))
            continue;
        if (cidr_parse(str_trim(str_sub(line, key.len, line.len)), &c) < 0 || c.bits < 32)
            continue; /* IPv6, which sandboxes do not have */
        if (is_nowhere(c))
            *ret_loopback = true;
        else
            ret[(*ret_len)++] = c.addr;
    }
}

void net_find_dns(uint32_t ret[NET_DNS_MAX], size_t *ret_len)
{
    static const char *const files[] = {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"};
    bool loopback = false;
    size_t i;

    *ret_len = 0;
    for (i = 0; i < ARRAY_LEN(files) && *ret_len == 0; i++) {
        CLEANUP(buf_done) struct buf text = BUF_INIT(1u << 20);

        if (file_read(files[i], &text, NULL) == 0)
            net_read_resolv_conf(buf_str(&text), ret, ret_len, &loopback);
        if (!loopback) /* the second file says what the first one's loopback address stands for */
            break;
    }
}
