/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/controller_config.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/model/setting_checks.h"
#include "common/io/redis_url.h"
#include "controller/async/aws_client.h"
#include "controller/code/code_s3.h"

#if defined(__aarch64__)
#define OWN_ARCHITECTURE "arm64"
#else
#define OWN_ARCHITECTURE "x86_64"
#endif

static const char *check_architecture(struct str text)
{
    return str_is(text, "x86_64") || str_is(text, "arm64") ? NULL : "is not x86_64 or arm64";
}

static bool is_domain_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
}

static const char *check_url_domain(struct str text)
{
    size_t scheme = str_starts(text, STR("https://")) ? 8 : str_starts(text, STR("http://")) ? 7 : 0;
    struct str host = str_sub(text, scheme, text.len);
    size_t colon = str_find(host, ':', 0), i;
    uint64_t port = 1;

    if (colon < host.len && (str_parse_u64(str_sub(host, colon + 1, host.len), &port) < 0 ||
                             port < 1 || port > 65535))
        return "has a wrong port";
    for (i = 0; i < colon; i++)
        if (!is_domain_char(host.ptr[i]))
            return "is not [http[s]://]domain[:port]";
    return colon > 0 ? NULL : "has no domain";
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
    STRING_ITEM(listen, "HEARTH_CONTROLLER", "unix:/run/hearth/controller.sock", 7, 2048,
                "where gateways and invokers reach the controller: unix:/path, tcp://0.0.0.0:7400 (the "
                "host a number), or several with commas between",
                setting_check_link_addresses),
    STRING_ITEM(redis_url, "HEARTH_REDIS_URL", "redis://127.0.0.1:6379", 1, 4096,
                "redis://[[user]:password@]host:port[/db], unix:/path[?password=...&db=n], or "
                "sentinel://[[user]:password@]host:port,host:port/master[/db]",
                redis_url_check),
    STRING_ITEM(data_dir, "HEARTH_DATA_DIR", "/var/lib/hearth", 1, 1024,
                "folder of zip archives (code/) and of the key that seals environments", NULL),
    STRING_ITEM(
        key_file, "HEARTH_KEY_FILE", "", 0, 1024,
        "file with the 32 bytes that seal environments; empty: key in the data folder, made "
        "when absent",
        NULL),
    STRING_ITEM(tls_ca_cert, "HEARTH_TLS_CA_CERT", "", 0, 1024,
                "file with the certificate of the cluster's CA (PEM; further ones in it are believed "
                "too), for links over tcp://; several controllers share one; empty: ca/ in the data "
                "folder, made when absent",
                NULL),
    STRING_ITEM(tls_ca_key, "HEARTH_TLS_CA_KEY", "", 0, 1024,
                "file with the key of that certificate (PEM, mode 0600)", NULL),
    USEC_ITEM("tls_cert_lifetime", "HEARTH_TLS_CERT_LIFETIME", tls_cert_lifetime_us, "720h", SECONDS(3),
              MINUTES(60 * 24 * 366),
              "how long the certificates that nodes get are good; they are renewed when a third is left"),
    STRING_ITEM(runtimes, "HEARTH_RUNTIMES", "/usr/share/hearth/runtimes.json", 1, 1024,
                "JSON file: runtime identifiers and their images", NULL),
    STRING_ITEM(networks, "HEARTH_NETWORKS", "", 0, 1024,
                "JSON file: what the subnets and security groups of a VpcConfig mean; empty: none is "
                "known",
                NULL),
    STRING_ITEM(account_id, "HEARTH_ACCOUNT_ID", "000000000000", 12, 12,
                "account id of requests, twelve digits", setting_check_account),
    STRING_ITEM(region, "HEARTH_REGION", "us-east-1", 1, 64, "region name in every ARN",
                setting_check_region),
    STRING_ITEM(architecture, "HEARTH_ARCHITECTURE", OWN_ARCHITECTURE, 1, 16,
                "architecture of functions that do not name one: x86_64 or arm64",
                check_architecture),
    STRING_ITEM(url_domain, "HEARTH_URL_DOMAIN", "localhost", 1, 300,
                "what stands behind the region in function URLs: [http[s]://]domain[:port]; without "
                "a scheme, scheme and port are those that the client called",
                check_url_domain),
    STRING_ITEM(signing_profiles, "HEARTH_SIGNING_PROFILES", "/etc/hearth/signing-profiles", 0, 1024,
                "folder with the certificates of each signing profile (code signing)", NULL),
    STRING_ITEM(log_level, "HEARTH_LOG_LEVEL", "info", 1, 8, "debug, info, warn or error",
                setting_check_log_level),
    {"account_concurrency", "HEARTH_ACCOUNT_CONCURRENCY", CFG_U64,
     offsetof(struct controller_config, account_concurrency), "1000", 1, 1000000,
     "invocations that one account may have at once: what functions can reserve a share of", NULL},
    STRING_ITEM(s3_endpoint, "HEARTH_S3_ENDPOINT", "", 0, 1024,
                "S3-compatible store that S3Bucket and S3Key mean, http://host:port or "
                "https://host:port, buckets in the path; empty: none",
                code_s3_check_endpoint),
    STRING_ITEM(s3_region, "HEARTH_S3_REGION", "", 0, 64,
                "region that requests to the store are signed for; empty: that of region",
                setting_check_region),
    STRING_ITEM(s3_access_key_id, "HEARTH_S3_ACCESS_KEY_ID", "", 0, 128,
                "access key id for the store; empty: requests are not signed, only public objects "
                "can be had",
                NULL),
    {"s3_secret_access_key", "HEARTH_S3_SECRET_ACCESS_KEY", CFG_SECRET,
     offsetof(struct controller_config, s3_secret_access_key), "", 0, 1024,
     "secret of that access key; better in a file", NULL},
    STRING_ITEM(s3_secret_file, "HEARTH_S3_SECRET_FILE", "", 0, 1024,
                "file with the secret of that access key", NULL),
    USEC_ITEM("s3_timeout", "HEARTH_S3_TIMEOUT", s3_timeout_us, "50s", MSEC(100), MINUTES(10),
              "how long the store may take to send an archive, from the question to the last byte"),
    {"code_storage_max", "HEARTH_CODE_STORAGE_MAX", CFG_BYTES,
     offsetof(struct controller_config, code_storage_max), "75G", 1024 * 1024, 1ull << 50,
     "bytes that the archives of one account's functions and layers may have together", NULL},
    {"async_in_flight", "HEARTH_ASYNC_IN_FLIGHT", CFG_U64,
     offsetof(struct controller_config, async_in_flight), "500", 1, 10000,
     "asynchronous invocations and messages to destinations that are under way at once", NULL},
    {"async_function_max", "HEARTH_ASYNC_FUNCTION_MAX", CFG_U64,
     offsetof(struct controller_config, async_function_max), "100", 1, 10000,
     "asynchronous invocations of one function that are under way at once; never more than it has "
     "reserved",
     NULL},
    {"async_queue_max", "HEARTH_ASYNC_QUEUE_MAX", CFG_BYTES,
     offsetof(struct controller_config, async_queue_max), "1G", 1024 * 1024, 1ull << 44,
     "bytes of events that one account may have waiting in Redis; more are refused (429)", NULL},
    USEC_ITEM("async_lease", "HEARTH_ASYNC_LEASE", async_lease_us, "30s", SECONDS(1), MINUTES(60),
              "after how long events of a controller that has died are taken up by another one"),
    USEC_ITEM("async_retry_wait", "HEARTH_ASYNC_RETRY_WAIT", async_retry_wait_us, "60s", MSEC(10),
              MINUTES(60),
              "how long the first retry of an asynchronous invocation that failed waits; the second "
              "one waits twice as long"),
    USEC_ITEM("async_backoff", "HEARTH_ASYNC_BACKOFF", async_backoff_us, "1s", MSEC(10),
              MINUTES(5),
              "how long an asynchronous invocation that was throttled waits at first; doubled each "
              "time"),
    USEC_ITEM("async_backoff_max", "HEARTH_ASYNC_BACKOFF_MAX", async_backoff_max_us, "5m",
              MSEC(10), MINUTES(60), "how long it waits at most"),
    USEC_ITEM("async_delivery_age", "HEARTH_ASYNC_DELIVERY_AGE", async_delivery_age_us, "6h",
              SECONDS(1), MINUTES(60 * 24 * 14),
              "how long a destination or dead letter queue that takes no messages is tried before "
              "they are given up"),
    STRING_ITEM(aws_endpoint, "HEARTH_AWS_ENDPOINT", "", 0, 1024,
                "SQS, SNS and EventBridge for destinations and dead letter queues: http://host:port "
                "or https://host:port, in which {service} and {region} may stand; empty: none",
                aws_client_check_endpoint),
    STRING_ITEM(aws_access_key_id, "HEARTH_AWS_ACCESS_KEY_ID", "", 0, 128,
                "access key id for these services; empty: requests are not signed", NULL),
    {"aws_secret_access_key", "HEARTH_AWS_SECRET_ACCESS_KEY", CFG_SECRET,
     offsetof(struct controller_config, aws_secret_access_key), "", 0, 1024,
     "secret of that access key; better in a file", NULL},
    STRING_ITEM(aws_secret_file, "HEARTH_AWS_SECRET_FILE", "", 0, 1024,
                "file with the secret of that access key", NULL),
    USEC_ITEM("aws_timeout", "HEARTH_AWS_TIMEOUT", aws_timeout_us, "30s", MSEC(100), MINUTES(10),
              "how long one of these services may take to answer"),
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
              "how long an invoker that the controller does not hear of keeps its share of what is "
              "provisioned"),
    USEC_ITEM("node_fence", "HEARTH_NODE_FENCE", node_fence_us, "30s", MSEC(500), MINUTES(10),
              "after how long without an answer of the controller (of several: of one that Redis confirms) "
              "an invoker ends all that it runs; a tenth later what it ran counts no more, and gateways forget it"),
    USEC_ITEM("gateway_grace", "HEARTH_GATEWAY_GRACE", gateway_grace_us, "3s", MSEC(100),
              MINUTES(10),
              "how long a gateway that the controller does not hear of keeps its permits"),
    USEC_ITEM("scaling_period", "HEARTH_SCALING_PERIOD", scaling_period_us, "60s", SECONDS(1), MINUTES(60),
              "time between two datapoints of target tracking (Application Auto Scaling): three above the "
              "target scale out, fifteen below scale in"),
};

const struct config_program controller_program = {
    .name = "hearth-controller",
    .about = "Keeps what functions exist and leads every change of them.",
    .items = items,
    .len = ARRAY_LEN(items),
};
