/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admission.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/map.h"

struct admission {
    uint64_t account_limit;
    struct map leases; /* account -> struct lease */
};

struct admission *admission_new(uint64_t account_limit)
{
    struct admission *a = calloc(1, sizeof(*a));

    if (!a)
        abort();
    a->account_limit = account_limit;
    map_init(&a->leases, free);
    return a;
}

void admission_free(struct admission *a)
{
    if (!a)
        return;
    map_done(&a->leases);
    free(a);
}

static struct lease *lease_of(struct admission *a, struct str account)
{
    struct lease *lease = map_get(&a->leases, account);

    if (lease)
        return lease;
    lease = calloc(1, sizeof(*lease));
    if (!lease)
        abort();
    lease->permits = a->account_limit;
    map_put(&a->leases, account, lease);
    return lease;
}

int lease_take(struct admission *a, struct str account, struct lease **ret, struct error *err)
{
    struct lease *lease = lease_of(a, account);

    if (lease->in_use >= lease->permits)
        return error_set(err, ERR_THROTTLED, "Rate Exceeded.");
    lease->in_use++;
    *ret = lease;
    return 0;
}

void lease_return(struct lease *lease)
{
    if (!lease)
        return;
    assert(lease->in_use > 0);
    lease->in_use--;
}
