/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/setting_checks.h"

#include "common/base/log.h"
#include "common/model/link_address.h"

const char *setting_check_account(struct str text)
{
    size_t i;

    for (i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return "is not twelve digits";
    return text.len == 12 ? NULL : "is not twelve digits";
}

const char *setting_check_region(struct str text)
{
    size_t i;
    char c;

    for (i = 0; i < text.len; i++) {
        c = text.ptr[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-')
            return "is not a region such as us-east-1";
    }
    return NULL;
}

const char *setting_check_log_level(struct str text)
{
    return log_level_parse(text) < 0 ? "is not debug, info, warn or error" : NULL;
}

const char *setting_check_image_store(struct str text)
{
    return str_is(text, "docker") || str_is(text, "containerd") ? NULL
                                                                : "is not docker or containerd";
}

const char *setting_check_link_addresses(struct str text)
{
    struct link_address address;
    struct str one;

    while (link_addresses_next(&text, &one))
        if (link_address_parse(one, &address, NULL) < 0 ||
            (address.is_tcp ? address.port == 0 : address.path[0] != '/'))
            return "is not unix:/path or tcp://host:port, or several with commas";
    return NULL;
}
