/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

const struct cidr cidr_special[] = {
    {IP(0, 0, 0, 0), 8}, /* this network */
    {IP(10, 0, 0, 0), 8}, /* private */
    {IP(100, 64, 0, 0), 10}, /* shared address space */
    {IP(127, 0, 0, 0), 8}, /* loopback */
    {IP(168, 63, 129, 16), 32}, /* Azure's metadata and DHCP: public by its number only */
    {IP(169, 254, 0, 0), 16}, /* link-local; metadata of most clouds */
    {IP(172, 16, 0, 0), 12}, /* private */
    {IP(192, 0, 0, 0), 24}, /* IETF protocol assignments; Oracle's metadata */
    {IP(192, 0, 2, 0), 24}, /* documentation */
    {IP(192, 88, 99, 0), 24}, /* 6to4 relays */
    {IP(192, 168, 0, 0), 16}, /* private */
    {IP(198, 18, 0, 0), 15}, /* benchmarks */
    {IP(198, 51, 100, 0), 24}, /* documentation */
    {IP(203, 0, 113, 0), 24}, /* documentation */
    {IP(224, 0, 0, 0), 4}, /* multicast */
    {IP(240, 0, 0, 0), 4}, /* reserved; broadcast */
};
const unsigned cidr_special_len = ARRAY_LEN(cidr_special);

static uint32_t mask_of(uint8_t bits)
{
    return bits ? ~0u << (32 - bits) : 0;
}

int cidr_parse(struct str text, struct cidr *ret)
{
    size_t slash = str_find(text, '/', 0);
    struct str address = str_sub(text, 0, slash);
    uint64_t bits = 32;
    char copy[16];
    struct in_addr in;
    uint32_t addr;

    if (address.len == 0 || address.len >= sizeof(copy) || memchr(address.ptr, '\0', address.len))
        return -ERR_BAD_REQUEST;
    memcpy(copy, address.ptr, address.len);
    copy[address.len] = '\0';
    if (slash < text.len && (str_parse_u64(str_sub(text, slash + 1, text.len), &bits) < 0 || bits > 32))
        return -ERR_BAD_REQUEST;
    if (inet_pton(AF_INET, copy, &in) != 1)
        return -ERR_BAD_REQUEST;
    addr = ntohl(in.s_addr);
    if (addr & ~mask_of((uint8_t)bits))
        return -ERR_BAD_REQUEST;
    *ret = (struct cidr){addr, (uint8_t)bits};
    return 0;
}

void cidr_format(struct cidr cidr, char ret[CIDR_TEXT_MAX])
{
    uint32_t a = cidr.addr;
    int n = snprintf(ret, CIDR_TEXT_MAX, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);

    if (cidr.bits < 32)
        snprintf(ret + n, (size_t)(CIDR_TEXT_MAX - n), "/%u", cidr.bits);
}

bool cidr_overlaps(struct cidr a, struct cidr b)
{
    return ((a.addr ^ b.addr) & mask_of(a.bits < b.bits ? a.bits : b.bits)) == 0;
}

bool cidr_holds(struct cidr outer, struct cidr inner)
{
    return inner.bits >= outer.bits && cidr_overlaps(outer, inner);
}
