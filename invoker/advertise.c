/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/advertise.h"

static bool all_are_tcp(struct str list)
{
    struct str one;

    while (link_addresses_next(&list, &one))
        if (!link_addresses_have_tcp(one))
            return false;
    return true;
}

int advertise_choose(const char *advertise, const char *listen, const char *controllers,
                     struct link_address *ret, struct error *err)
{
    struct str list = str_of(advertise[0] ? advertise : listen), one;
    struct link_address address, best;
    bool found = false;
    int r;

    while (link_addresses_next(&list, &one)) {
        r = link_address_parse(one, &address, err);
        if (r < 0)
            return r;
        if (!found || (address.is_tcp && !best.is_tcp))
            best = address;
        found = true;
    }
    if (found && (!link_address_is_any(&best) || (!advertise[0] && all_are_tcp(str_of(controllers))))) {
        *ret = best;
        return 0;
    }
    return error_set(err, ERR_CONFIG,
                     "HEARTH_ADVERTISE must say where gateways reach this node (tcp://host:port): it "
                     "listens on all addresses of the machine");
}
