/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gateway_config.h"

#include "common/base/clock.h"
#include "common/model/setting_checks.h"

#define STRING_ITEM(member, env, def, least, most, help, check)                                    \
    {                                                                                              \
#member, env, CFG_STRING, offsetof(struct gateway_config, member), def, least, most, help, \
            check                                                                                  \
    }
#define NUMBER_ITEM(name, env, type, member, def, least, most, help)                               \
    {                                                                                              \
        name, env, type, offsetof(struct gateway_config, member), def, least, most, help, NULL     \
    }

static const struct config_item items[] = {
    STRING_ITEM(listen, "HEARTH_LISTEN", "127.0.0.1:9000", 3, 128,
                "address that clients use as endpoint: host:port, the host a number such as "
                "0.0.0.0 or [::1]",
                NULL),
    STRING_ITEM(controller, "HEARTH_CONTROLLER", "unix:/run/hearth/controller.sock", 7, 2048,
                "where the controller is reached: unix:/path or tcp://host:port; of several "
                "controllers all, with commas between",
                setting_check_link_addresses),
    STRING_ITEM(data_dir, "HEARTH_DATA_DIR", "/var/lib/hearth", 1, 1024,
                "folder whose gateway/ keeps the certificate for links over tcp://", NULL),
    {"join_token", "HEARTH_JOIN_TOKEN", CFG_SECRET, offsetof(struct gateway_config, join_token), "", 0,
     1024,
     "what `hearth token create --role gateway` has printed: for the first link over tcp://; better in "
     "a file",
     NULL},
    STRING_ITEM(join_token_file, "HEARTH_JOIN_TOKEN_FILE", "", 0, 1024,
                "file with that token; read again at each try", NULL),
    STRING_ITEM(account_id, "HEARTH_ACCOUNT_ID", "000000000000", 12, 12,
                "account of every request, twelve digits", setting_check_account),
    STRING_ITEM(region, "HEARTH_REGION", "us-east-1", 1, 32, "region name, part of every ARN",
                setting_check_region),
    STRING_ITEM(credentials_file, "HEARTH_CREDENTIALS_FILE", "", 0, 4096,
                "file of the access keys that may use Hearth, in the form of the AWS CLI's "
                "credentials file; requests must then be signed; empty: signatures are not checked",
                NULL),
    STRING_ITEM(log_level, "HEARTH_LOG_LEVEL", "info", 1, 8, "debug, info, warn or error",
                setting_check_log_level),
    STRING_ITEM(id, "HEARTH_GATEWAY_ID", "gateway", 1, 63,
                "name of this gateway in logs and towards its peers", NULL),
    NUMBER_ITEM("request_rate_factor", "HEARTH_REQUEST_RATE_FACTOR", CFG_U64, request_rate_factor, "10",
                0, 1000000,
                "how many times the concurrency of a function (reserved, else the account's) may be "
                "invoked a second; more are throttled (429); 0: at any rate"),
    NUMBER_ITEM("invoke_wait", "HEARTH_INVOKE_WAIT", CFG_USEC, invoke_wait_us, "60s", MSEC(1),
                MINUTES(15),
                "how long an invocation may wait for a node and a sandbox before it is refused"),
    NUMBER_ITEM("gateway_drain", "HEARTH_GATEWAY_DRAIN", CFG_USEC, drain_us, "10s", 0, MINUTES(60),
                "how long requests in flight may take to finish when the gateway is told to stop"),
    NUMBER_ITEM("route_cache_max", "HEARTH_ROUTE_CACHE_MAX", CFG_U64, route_cache_max, "10000", 1,
                10000000, "functions whose routes are kept in memory"),
};

const struct config_program gateway_config_program = {
    "hearth-gateway", "serves the Lambda API to clients", items, ARRAY_LEN(items)};
