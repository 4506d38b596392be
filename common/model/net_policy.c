/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/net_policy.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/record.h"

#define PORT_MAX 65535

int net_check_members(const cJSON *json, const char *const *names, struct error *err)
{
    const char *const *name;
    const cJSON *member;

    if (!cJSON_IsObject(json))
        return error_set(err, ERR_BAD_REQUEST, "not an object");
    cJSON_ArrayForEach(member, json)
    {
        for (name = names; *name && strcmp(*name, member->string) != 0; name++)
            ;
        if (!*name)
            return error_set(err, ERR_BAD_REQUEST, "there is no member %.64s", member->string);
    }
    return 0;
}

/* ---- one rule */

static int parse_ports(struct str text, struct net_rule *rule)
{
    size_t dash = str_find(text, '-', 0);
    uint64_t from, to;

    if (str_parse_u64(str_sub(text, 0, dash), &from) < 0)
        return -ERR_BAD_REQUEST;
    to = from;
    if (dash < text.len && str_parse_u64(str_sub(text, dash + 1, text.len), &to) < 0)
        return -ERR_BAD_REQUEST;
    if (from < 1 || to > PORT_MAX || from > to)
        return -ERR_BAD_REQUEST;
    rule->port_from = (uint16_t)from;
    rule->port_to = (uint16_t)to;
    return 0;
}

int net_rule_parse(struct str text, struct net_rule *ret)
{
    size_t colon = str_find(text, ':', 0);
    struct net_rule rule = {.port_from = 1, .port_to = PORT_MAX};

    if (cidr_parse(str_sub(text, 0, colon), &rule.to) < 0)
        return -ERR_BAD_REQUEST;
    if (colon < text.len && parse_ports(str_sub(text, colon + 1, text.len), &rule) < 0)
        return -ERR_BAD_REQUEST;
    *ret = rule;
    return 0;
}

static int read_cidr(const cJSON *json, struct cidr *ret, struct error *err)
{
    const char *text = cJSON_GetStringValue(json);

    if (!text)
        return error_set(err, ERR_BAD_REQUEST, "a range of addresses is no string");
    if (cidr_parse(str_of(text), ret) < 0)
        return error_set(err, ERR_BAD_REQUEST,
                         "%.64s is no range of IPv4 addresses such as 10.0.0.0/8", text);
    return 0;
}

static int read_ports(const cJSON *json, struct net_rule *rule, struct error *err)
{
    const char *text = cJSON_GetStringValue(json);

    rule->port_from = 1;
    rule->port_to = PORT_MAX;
    if (!json)
        return 0;
    if (cJSON_IsNumber(json) && json->valuedouble >= 1 && json->valuedouble <= PORT_MAX &&
        json->valuedouble == (double)(uint16_t)json->valuedouble) {
        rule->port_from = rule->port_to = (uint16_t)json->valuedouble;
        return 0;
    }
    if (!text || parse_ports(str_of(text), rule) < 0)
        return error_set(err, ERR_BAD_REQUEST, "ports: neither a number such as 443 nor \"443-445\"");
    return 0;
}

static int read_protocol(const cJSON *json, uint8_t *ret, struct error *err)
{
    const char *text = cJSON_GetStringValue(json);

    *ret = 0;
    if (!json || (text && strcmp(text, "all") == 0))
        return 0;
    if (text && strcmp(text, "tcp") == 0)
        *ret = IPPROTO_TCP;
    else if (text && strcmp(text, "udp") == 0)
        *ret = IPPROTO_UDP;
    else
        return error_set(err, ERR_BAD_REQUEST, "protocol: not tcp, udp or all");
    return 0;
}

static int read_rule(const cJSON *json, struct net_rule *ret, struct error *err)
{
    static const char *const names[] = {"cidr", "protocol", "ports", NULL};
    int r = net_check_members(json, names, err);

    if (r == 0)
        r = read_cidr(cJSON_GetObjectItemCaseSensitive(json, "cidr"), &ret->to, err);
    if (r == 0)
        r = read_protocol(cJSON_GetObjectItemCaseSensitive(json, "protocol"), &ret->protocol, err);
    if (r == 0)
        r = read_ports(cJSON_GetObjectItemCaseSensitive(json, "ports"), ret, err);
    return r;
}

/* ---- lists */

static int check_list(const cJSON *json, const char *name, struct error *err)
{
    if (!cJSON_IsArray(json) || cJSON_GetArraySize(json) > (int)NET_LIST_MAX)
        return error_set(err, ERR_BAD_REQUEST, "%s: not a list of at most %u", name, NET_LIST_MAX);
    return 0;
}

int net_rules_from_json(const cJSON *json, struct net_rules *ret, struct error *err)
{
    struct net_rules rules = {NULL, 0};
    const cJSON *item;
    int r = check_list(json, "egress", err);

    if (r < 0)
        return r;
    rules.list = calloc(NET_LIST_MAX, sizeof(*rules.list));
    if (!rules.list)
        abort();
    cJSON_ArrayForEach(item, json)
        if (r == 0)
            r = read_rule(item, &rules.list[rules.len++], err);
    if (r < 0) {
        net_rules_done(&rules);
        return error_wrap(err, r, "egress");
    }
    *ret = rules;
    return 0;
}

void net_rules_done(struct net_rules *rules)
{
    free(rules->list);
    *rules = (struct net_rules){NULL, 0};
}

int net_reach_from_json(const cJSON *json, struct net_reach *ret, struct error *err)
{
    const cJSON *internet = cJSON_GetObjectItemCaseSensitive(json, "internet");
    const cJSON *allow = cJSON_GetObjectItemCaseSensitive(json, "allow"), *item;
    struct net_reach reach = {0};
    int r = allow ? check_list(allow, "allow", err) : 0;

    if (internet && !cJSON_IsBool(internet))
        return error_set(err, ERR_BAD_REQUEST, "internet: neither true nor false");
    if (r < 0)
        return r;
    reach.internet = cJSON_IsTrue(internet);
    reach.allow = calloc(NET_LIST_MAX, sizeof(*reach.allow));
    if (!reach.allow)
        abort();
    cJSON_ArrayForEach(item, allow)
        if (r == 0)
            r = read_cidr(item, &reach.allow[reach.allow_len++], err);
    if (r < 0) {
        net_reach_done(&reach);
        return error_wrap(err, r, "allow");
    }
    *ret = reach;
    return 0;
}

void net_reach_done(struct net_reach *reach)
{
    free(reach->allow);
    *reach = (struct net_reach){0};
}

/* ---- the whole */

static cJSON *rule_to_json(const struct net_rule *rule)
{
    cJSON *json = cJSON_CreateObject();
    char text[CIDR_TEXT_MAX], ports[16];

    cidr_format(rule->to, text);
    cJSON_AddStringToObject(json, "cidr", text);
    cJSON_AddStringToObject(json, "protocol",
                            rule->protocol == IPPROTO_TCP   ? "tcp"
                            : rule->protocol == IPPROTO_UDP ? "udp"
                                                            : "all");
    snprintf(ports, sizeof(ports), "%u-%u", rule->port_from, rule->port_to);
    cJSON_AddStringToObject(json, "ports", ports);
    return json;
}

cJSON *net_policy_to_json(const struct net_policy *policy)
{
    cJSON *json = cJSON_CreateObject(), *list;
    char text[CIDR_TEXT_MAX];
    size_t i;

    record_add_str(json, "network", policy->network);
    cJSON_AddBoolToObject(json, "internet", policy->reach.internet);
    list = cJSON_AddArrayToObject(json, "allow");
    for (i = 0; i < policy->reach.allow_len; i++) {
        cidr_format(policy->reach.allow[i], text);
        cJSON_AddItemToArray(list, cJSON_CreateString(text));
    }
    list = cJSON_AddArrayToObject(json, "egress");
    for (i = 0; i < policy->egress.len; i++)
        cJSON_AddItemToArray(list, rule_to_json(&policy->egress.list[i]));
    return json;
}

/* Those of up to five groups: the limit is a group's. */
static int read_all_rules(const cJSON *json, struct net_rules *ret, struct error *err)
{
    const cJSON *item;
    int r = 0;

    if (!cJSON_IsArray(json))
        return error_set(err, ERR_BAD_REQUEST, "egress: not a list");
    ret->list = calloc((size_t)cJSON_GetArraySize(json) + 1, sizeof(*ret->list));
    if (!ret->list)
        abort();
    cJSON_ArrayForEach(item, json)
        if (r == 0)
            r = read_rule(item, &ret->list[ret->len++], err);
    return r;
}

int net_policy_from_json(const cJSON *json, struct net_policy **ret, struct error *err)
{
    static const char *const names[] = {"network", "internet", "allow", "egress", NULL};
    struct net_policy *policy;
    int r = net_check_members(json, names, err);

    if (r < 0)
        return r;
    policy = calloc(1, sizeof(*policy));
    if (!policy)
        abort();
    r = record_str(json, "network", &policy->network, err);
    if (r == 0)
        r = net_reach_from_json(json, &policy->reach, err);
    if (r == 0)
        r = read_all_rules(cJSON_GetObjectItemCaseSensitive(json, "egress"), &policy->egress, err);
    if (r < 0) {
        net_policy_free(policy);
        return r;
    }
    *ret = policy;
    return 0;
}

static void *copy_of(const void *from, size_t len, size_t size)
{
    void *to = calloc(len + 1, size);

    if (!to)
        abort();
    if (len)
        memcpy(to, from, len * size);
    return to;
}

struct net_policy *net_policy_copy(const struct net_policy *from)
{
    struct net_policy *to = from ? copy_of(from, 1, sizeof(*from)) : NULL;

    if (!from)
        return NULL;
    to->network = str_dup(str_of(from->network));
    to->reach.allow = copy_of(from->reach.allow, from->reach.allow_len, sizeof(*to->reach.allow));
    to->egress.list = copy_of(from->egress.list, from->egress.len, sizeof(*to->egress.list));
    return to;
}

void net_policy_free(struct net_policy *policy)
{
    if (!policy)
        return;
    free(policy->network);
    net_reach_done(&policy->reach);
    net_rules_done(&policy->egress);
    free(policy);
}
