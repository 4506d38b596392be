/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/controller_config.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/model/setting_checks.h"
#include "common/io/redis_url.h"

#if defined(__aarch64__)
#define OWN_ARCHITECTURE "arm64"
#else
#define OWN_ARCHITECTURE "x86_64"
#endif

static const char *check_architecture(struct str text)
{
    return str_is(text, "x86_64") || str_is(text, "arm64") ? NULL : "is not x86_64 or arm64";
}

#define STRING_ITEM(member, env, def, least, most, help, check)                                    \
    {                                                                                              \
#member, env, CFG_STRING, offsetof(struct controller_config, member), def, least, most,    \
            help, check                                                                            \
    }
#define USEC_ITEM(name, env, member, def, least, most, help)                                       \
    {                                                                                              \
        name, env, CFG_USEC, offsetof(struct controller_config, member), def, least, most, help,   \
            NULL                                                                                   \
    }

static const struct config_item items[] = {
    STRING_ITEM(listen, "HEARTH_CONTROLLER", "unix:/run/hearth/controller.sock", 7, 112,
                "where gateways and invokers reach the controller: unix:/path", setting_check_link_address),
    STRING_ITEM(redis_url, "HEARTH_REDIS_URL", "redis://127.0.0.1:6379", 1, 4096,
                "redis://[[user]:password@]host:port[/db] or unix:/path[?password=...&db=n]",
                redis_url_check),
    STRING_ITEM(data_dir, "HEARTH_DATA_DIR", "/var/lib/hearth", 1, 1024,
                "folder of zip archives (code/) and of the key that seals environments", NULL),
    STRING_ITEM(
        key_file, "HEARTH_KEY_FILE", "", 0, 1024,
        "file with the 32 bytes that seal environments; empty: key in the data folder, made "
        "when absent",
        NULL),
    STRING_ITEM(runtimes, "HEARTH_RUNTIMES", "/usr/share/hearth/runtimes.json", 1, 1024,
                "JSON file: runtime identifiers and their images", NULL),
    STRING_ITEM(account_id, "HEARTH_ACCOUNT_ID", "000000000000", 12, 12,
                "account id of requests, twelve digits", setting_check_account),
    STRING_ITEM(region, "HEARTH_REGION", "us-east-1", 1, 64, "region name in every ARN",
                setting_check_region),
    STRING_ITEM(architecture, "HEARTH_ARCHITECTURE", OWN_ARCHITECTURE, 1, 16,
                "architecture of functions that do not name one: x86_64 or arm64",
                check_architecture),
    STRING_ITEM(log_level, "HEARTH_LOG_LEVEL", "info", 1, 8, "debug, info, warn or error",
                setting_check_log_level),
    USEC_ITEM("redis_timeout", "HEARTH_REDIS_TIMEOUT", redis_timeout_us, "5s", MSEC(50), MINUTES(1),
              "how long Redis may take to answer a command"),
    USEC_ITEM("prepare_timeout", "HEARTH_PREPARE_TIMEOUT", prepare_timeout_us, "10m", SECONDS(1),
              MINUTES(120),
              "how long a change may wait for an invoker that has its image or code ready"),
    USEC_ITEM("resolve_timeout", "HEARTH_RESOLVE_TIMEOUT", resolve_timeout_us, "10s", MSEC(100),
              SECONDS(50),
              "how long a client waits for an invoker to tell what an image reference is"),
    USEC_ITEM("peer_timeout", "HEARTH_PEER_TIMEOUT", peer_timeout_us, "5s", MSEC(100), MINUTES(1),
              "how long a gateway or invoker may take to give up an old version"),
    USEC_ITEM("node_grace", "HEARTH_NODE_GRACE", node_grace_us, "10s", MSEC(100), MINUTES(60),
              "how long gateways keep an invoker that the controller does not hear of"),
};

const struct config_program controller_program = {
    .name = "hearth-controller",
    .about = "Keeps what functions exist and leads every change of them.",
    .items = items,
    .len = ARRAY_LEN(items),
};
