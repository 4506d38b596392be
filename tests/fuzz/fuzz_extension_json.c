/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_extension_json.c - libFuzzer target: what extensions send. The first byte chooses the API;
 * whatever is accepted is within its bounds, whatever is refused has a message.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/proto/extension_register.h"
#include "common/proto/telemetry_subscription.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void subscribe(enum telemetry_api api, struct str body)
{
    struct telemetry_subscription sub;
    struct error err = {0};

    if (telemetry_subscription_parse(api, body, &sub, &err) < 0) {
        if (!err.msg[0])
            abort();
        return;
    }
    if (!sub.types || !sub.port || sub.port == TELEMETRY_RESERVED_PORT || sub.path[0] != '/' ||
        strpbrk(sub.path, " \r\n") || sub.max_items < 1000 || sub.max_items > 10000 ||
        sub.max_bytes < 262144 || sub.max_bytes > 1048576 || sub.timeout_ms < 25 ||
        sub.timeout_ms > 30000 || telemetry_schema_is_logs(sub.schema) != (api != TELEMETRY_API))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct extension_register wanted;
    struct error err = {0};
    struct str body;

    if (size < 1)
        return 0;
    body = str_from(data + 1, size - 1);
    if (data[0] % 3 == 0)
        subscribe(TELEMETRY_API, body);
    else if (data[0] % 3 == 1)
        subscribe(TELEMETRY_LOGS_API, body);
    else if (extension_register_parse(body, &wanted, &err) < 0 && !err.msg[0])
        abort();
    return 0;
}
