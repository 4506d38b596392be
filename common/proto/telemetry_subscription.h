/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry_subscription.h - what an extension asks of the Telemetry API (PUT 2022-07-01/telemetry)
 * or of the older Logs API (PUT 2020-08-15/logs): which events, how they are buffered, where they
 * go.
 *
 * Owns:    nothing; all of it is values.
 * Threads: any.
 * Errors:  -ERR_BAD_REQUEST; the message has all that is wrong, in a line, as AWS tells it.
 * Source:  Lambda developer guide, "Lambda Telemetry API reference" and "Using the Lambda Logs
 *          API".
 */
#ifndef HEARTH_PROTO_TELEMETRY_SUBSCRIPTION_H
#define HEARTH_PROTO_TELEMETRY_SUBSCRIPTION_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/base/str.h"

#define TELEMETRY_PATH_MAX 256u /* bytes with NUL */
#define TELEMETRY_RESERVED_PORT 9001u /* the sandbox's own APIs */

enum telemetry_api { TELEMETRY_API, TELEMETRY_LOGS_API };

/* Later versions of one API only add to the earlier ones. */
enum telemetry_schema {
    TELEMETRY_LOGS_2020_08_15,
    TELEMETRY_LOGS_2021_03_18, /* and platform.runtimeDone */
    TELEMETRY_2022_07_01,
    TELEMETRY_2022_12_13,
    TELEMETRY_2025_01_29,
};

/* Kinds of events: bits of `types`. */
#define TELEMETRY_PLATFORM 0x01u
#define TELEMETRY_FUNCTION 0x02u
#define TELEMETRY_EXTENSION 0x04u

struct telemetry_subscription {
    enum telemetry_schema schema;
    unsigned types; /* TELEMETRY_*, at least one */
    bool is_tcp; /* NDJSON on one connection; else HTTP */
    bool is_put; /* HTTP: PUT instead of POST */
    uint16_t port; /* of the sandbox's 127.0.0.1 */
    char path[TELEMETRY_PATH_MAX]; /* HTTP: with '/' and query; visible ASCII */
    uint32_t max_items; /* 1000..10000 */
    uint32_t max_bytes; /* 262144..1048576 */
    uint32_t timeout_ms; /* 25..30000 */
};

int telemetry_subscription_parse(enum telemetry_api api, struct str body,
                                 struct telemetry_subscription *ret, struct error *err);
/** "platform", "function" or "extension". */
const char *telemetry_type_name(unsigned type);
bool telemetry_schema_is_logs(enum telemetry_schema schema);

#endif
