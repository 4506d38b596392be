/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/networks.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NETWORK "\"office\":{\"vpc\":\"vpc-1\",\"allow\":[\"10.20.0.0/16\"]}"
#define FILE_OF(networks, subnets, groups)                                                         \
    "{\"networks\":{" networks "},\"subnets\":{" subnets "},\"security_groups\":{" groups "}}"

static struct networks *parsed(const char *text)
{
    struct networks *networks;
    struct error err;

    if (networks_parse(str_of(text), &networks, &err) < 0)
        fail_msg("%s", err.msg);
    return networks;
}

static void test_what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "not JSON"},
        {"[]", "not an object"},
        {"{\"networks\":{},\"subnets\":{}}", "security_groups: not an object"},
        {"{\"networks\":{},\"subnets\":{},\"security_groups\":{},\"vpcs\":{}}",
         "there is no member vpcs"},
        {FILE_OF("\"a\":{}", "", ""), "networks: a: (none) is no id of a VPC"},
        {FILE_OF("\"a\":{\"vpc\":\"vpc-1\",\"nat\":true}", "", ""),
         "networks: a: there is no member nat"},
        {FILE_OF("\"a\":{\"vpc\":\"vpc-1\",\"internet\":1}", "", ""),
         "networks: a: internet: neither true nor false"},
        {FILE_OF("\"a\":{\"vpc\":\"vpc-1\",\"allow\":[\"10.0.0.1/8\"]}", "", ""),
         "networks: a: allow: 10.0.0.1/8 is no range of IPv4 addresses such as 10.0.0.0/8"},
        {FILE_OF("\"a\":{\"vpc\":\"vpc-1\",\"allow\":[7]}", "", ""),
         "networks: a: allow: a range of addresses is no string"},
        {FILE_OF(NETWORK "," NETWORK, "", ""), "networks: office: there are two of that name"},
        {FILE_OF(NETWORK, "\"subnet-1\":\"home\"", ""),
         "subnets: subnet-1: not the name of one of the networks"},
        {FILE_OF(NETWORK, "\"net-1\":\"office\"", ""), "subnets: net-1: net-1 is no id of a subnet"},
        {FILE_OF("", "", "\"sg-1\":{}"), "security_groups: sg-1: egress: not a list of at most 64"},
        {FILE_OF("", "", "\"sg-\":{\"egress\":[]}"),
         "security_groups: sg-: sg- is no id of a security group"},
        {FILE_OF("", "", "\"sg-1\":{\"egress\":[{\"protocol\":\"tcp\"}]}"),
         "security_groups: sg-1: egress: a range of addresses is no string"},
        {FILE_OF("", "", "\"sg-1\":{\"egress\":[{\"cidr\":\"1.2.3.4\",\"protocol\":\"icmp\"}]}"),
         "security_groups: sg-1: egress: protocol: not tcp, udp or all"},
        {FILE_OF("", "", "\"sg-1\":{\"egress\":[{\"cidr\":\"1.2.3.4\",\"ports\":\"9-8\"}]}"),
         "security_groups: sg-1: egress: ports: neither a number such as 443 nor \"443-445\""},
        {FILE_OF("", "", "\"sg-1\":{\"egress\":[{\"cidr\":\"1.2.3.4\",\"ports\":0}]}"),
         "security_groups: sg-1: egress: ports: neither a number such as 443 nor \"443-445\""},
        {FILE_OF("", "", "\"sg-1\":{\"egress\":[{\"cidr\":\"::/0\"}]}"),
         "security_groups: sg-1: egress: ::/0 is no range of IPv4 addresses such as 10.0.0.0/8"},
    };
    struct networks *networks;
    struct error err;
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(networks_parse(str_of(rows[i].text), &networks, &err), -ERR_CONFIG);
        assert_string_equal(err.msg, rows[i].message);
    }
}

static void test_a_function_may_what_its_network_and_groups_say(void **state)
{
    struct networks *networks =
        parsed(FILE_OF(NETWORK, "\"subnet-1\":\"office\",\"subnet-2\":\"office\"",
                       "\"sg-1\":{\"egress\":[{\"cidr\":\"10.20.1.0/24\",\"protocol\":\"tcp\","
                       "\"ports\":5432}]},\"sg-2\":{\"vpc\":\"vpc-1\",\"egress\":[{\"cidr\":"
                       "\"0.0.0.0/0\"},{\"cidr\":\"1.2.3.4\",\"protocol\":\"udp\",\"ports\":\"1-9\"}]}"));
    char *subnets[] = {(char *)"subnet-1", (char *)"subnet-2", NULL};
    char *groups[] = {(char *)"sg-1", (char *)"sg-2", NULL};
    struct net_policy *policy, *again;
    const char *vpc;
    cJSON *json;
    char *text;
    (void)state;

    assert_int_equal(networks_check(networks, subnets, groups, &vpc, NULL), 0);
    assert_string_equal(vpc, "vpc-1");
    assert_int_equal(networks_policy(networks, subnets, groups, &policy, NULL), 0);
    networks_free(networks);
    json = net_policy_to_json(policy);
    net_policy_free(policy);
    assert_int_equal(net_policy_from_json(json, &again, NULL), 0);
    cJSON_Delete(json);
    json = net_policy_to_json(again);
    text = cJSON_PrintUnformatted(json);
    assert_string_equal(
        text, "{\"network\":\"office\",\"internet\":false,\"allow\":[\"10.20.0.0/16\"],\"egress\":["
              "{\"cidr\":\"10.20.1.0/24\",\"protocol\":\"tcp\",\"ports\":\"5432-5432\"},"
              "{\"cidr\":\"0.0.0.0/0\",\"protocol\":\"all\",\"ports\":\"1-65535\"},"
              "{\"cidr\":\"1.2.3.4\",\"protocol\":\"udp\",\"ports\":\"1-9\"}]}");
    assert_int_equal(again->egress.list[0].protocol, IPPROTO_TCP);
    cJSON_free(text);
    cJSON_Delete(json);
    net_policy_free(again);
}

static void test_ids_that_are_unknown_or_do_not_belong_together(void **state)
{
    struct networks *networks =
        parsed(FILE_OF(NETWORK ",\"home\":{\"vpc\":\"vpc-2\"}",
                       "\"subnet-1\":\"office\",\"subnet-2\":\"home\"",
                       "\"sg-1\":{\"egress\":[]},\"sg-2\":{\"vpc\":\"vpc-2\",\"egress\":[]}"));
    static const struct {
        const char *subnets[3], *groups[3], *message;
        bool file;
    } rows[] = {
        {{"subnet-3"}, {"sg-1"},
         "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error "
         "Message: The subnet ID 'subnet-3' does not exist", true},
        {{"subnet-1"}, {"sg-1"},
         "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error "
         "Message: The subnet ID 'subnet-1' does not exist", false},
        {{"subnet-1"}, {"sg-1", "sg-3"},
         "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 "
         "Error Message: The security group 'sg-3' does not exist", true},
        {{"subnet-1", "subnet-2"}, {"sg-1"},
         "The subnets of a function must belong to one network: subnet-2 is of home, another one of "
         "office.", true},
        {{"subnet-1"}, {"sg-2"},
         "The security groups and subnets of a function must belong to one VPC: sg-2 is of vpc-2.", true},
    };
    struct net_policy *policy;
    struct error err;
    const char *vpc;
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(rows); i++) {
        const struct networks *of = rows[i].file ? networks : NULL;
        char *const *subnets = (char *const *)rows[i].subnets;
        char *const *groups = (char *const *)rows[i].groups;

        assert_int_equal(networks_check(of, subnets, groups, &vpc, &err), -ERR_BAD_REQUEST);
        assert_string_equal(err.msg, rows[i].message);
        assert_int_equal(networks_policy(of, subnets, groups, &policy, &err), -ERR_BAD_REQUEST);
    }
    networks_free(networks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_a_function_may_what_its_network_and_groups_say),
        cmocka_unit_test(test_ids_that_are_unknown_or_do_not_belong_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
