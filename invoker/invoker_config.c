/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/invoker_config.h"

#include "common/base/clock.h"
#include "common/model/setting_checks.h"
#include "invoker/net/settings.h"

#define HOURS(n) MINUTES((uint64_t)(n) * 60u)
#define GIB (1024ull * 1024u * 1024u)

static const char *check_folder(struct str text)
{
    return text.len && text.ptr[0] == '/' ? NULL : "is not an absolute path";
}

/* Part of container labels and of file names. */
static const char *check_node_id(struct str text)
{
    size_t i;
    char c;

    for (i = 0; i < text.len; i++) {
        c = text.ptr[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.')
            return "has other characters than a-z, 0-9, - and .";
    }
    return NULL;
}

static const char *check_sync(struct str text)
{
    return str_is(text, "auto") || str_is(text, "on") || str_is(text, "off")
               ? NULL
               : "is not auto, on or off";
}

static const char *check_keep_alive(struct str text)
{
    return str_is(text, "fixed") || str_is(text, "histogram") ? NULL : "is not fixed or histogram";
}

static const char *check_launcher(struct str text)
{
    return str_is(text, "auto") || str_is(text, "docker") || str_is(text, "native")
               ? NULL
               : "is not auto, docker or native";
}

static const char *check_tmp(struct str text)
{
    return str_is(text, "auto") || str_is(text, "memory") ? NULL : "is not auto or memory";
}

static const char *check_advertise(struct str text)
{
    return text.len == 0 || (str_find(text, ',', 0) == text.len && !setting_check_link_addresses(text))
               ? NULL
               : "is not one tcp://host:port or unix:/path";
}

static const char *check_program(struct str text)
{
    return text.len == 0 || text.ptr[0] == '/' ? NULL : "is not an absolute path";
}

#define STRING_ITEM(member, env, def, least, most, check, help)                                    \
    {#member, env, CFG_STRING, offsetof(struct invoker_config, member), def, least, most, help,    \
     check}
#define NUMBER_ITEM(type, name, env, member, def, least, most, help)                               \
    {name, env, type, offsetof(struct invoker_config, member), def, least, most, help, NULL}

static const struct config_item items[] = {
    STRING_ITEM(controller, "HEARTH_CONTROLLER", "unix:/run/hearth/controller.sock", 7, 2048,
                setting_check_link_addresses,
                "where the controller is: unix:/path or tcp://host:port; of several controllers all, with "
                "commas between"),
    STRING_ITEM(listen, "HEARTH_INVOKER_LISTEN", "unix:/run/hearth/invoker.sock", 7, 2048,
                setting_check_link_addresses,
                "where this node listens for gateways: unix:/path, tcp://0.0.0.0:7401 (the host a "
                "number), or both with a comma between"),
    STRING_ITEM(advertise, "HEARTH_ADVERTISE", "", 0, 512, check_advertise,
                "where gateways are told to reach this node: tcp://host:port or unix:/path; empty: where "
                "it listens, tcp:// first; of a host that stands for all addresses, the one that it "
                "reaches the controller from"),
    {"join_token", "HEARTH_JOIN_TOKEN", CFG_SECRET, offsetof(struct invoker_config, join_token), "", 0,
     1024,
     "what `hearth token create` has printed: for the first link over tcp://; better in a file", NULL},
    STRING_ITEM(join_token_file, "HEARTH_JOIN_TOKEN_FILE", "", 0, 1024, NULL,
                "file with that token; read again at each try"),
    STRING_ITEM(node_id, "HEARTH_NODE_ID", "", 0, 63, check_node_id,
                "name of this node, unique in the cluster and on its engine; empty: one is made "
                "and kept in the data folder"),
    STRING_ITEM(data_dir, "HEARTH_DATA_DIR", "/var/lib/hearth", 1, 1024, check_folder,
                "folder whose invoker/ keeps unpacked code and function logs; containers mount "
                "from it"),
    STRING_ITEM(run_dir, "HEARTH_RUN_DIR", "/run/hearth", 1, 60, check_folder,
                "folder whose sb/ holds the sockets of sandboxes; short, emptied at start"),
    STRING_ITEM(image_store, "HEARTH_IMAGE_STORE", "docker", 1, 16, setting_check_image_store,
                "where images come from: docker, or containerd (its CRI image service; for the "
                "native launcher, and no Docker engine is needed)"),
    STRING_ITEM(docker_socket, "HEARTH_DOCKER_SOCKET", "/var/run/docker.sock", 1, 107, NULL,
                "socket of the Docker engine"),
    STRING_ITEM(docker_config, "HEARTH_DOCKER_CONFIG", "", 0, 1024, NULL,
                "Docker's config.json with the credentials of registries; empty: anonymous pulls"),
    STRING_ITEM(containerd_socket, "HEARTH_CONTAINERD_SOCKET", "/run/containerd/containerd.sock", 1,
                107, NULL, "socket of the containerd whose images are used"),
    STRING_ITEM(containerd_snapshotter, "HEARTH_CONTAINERD_SNAPSHOTTER", "overlayfs", 1, 64, NULL,
                "the snapshotter that containerd's CRI unpacks images with; it must keep layers as "
                "folders"),
    STRING_ITEM(init_path, "HEARTH_INIT_PATH", "/usr/lib/hearth/hearth-init", 1, 1024, check_folder,
                "the static hearth-init, PID 1 of every sandbox"),
    STRING_ITEM(egress, "HEARTH_EGRESS", "auto", 2, 4, net_check_egress,
                "whether functions reach the internet, and no private addresses: auto: where this "
                "node can give them a network (root, nftables); on: else do not start; off: they "
                "reach nothing"),
    STRING_ITEM(egress_range, "HEARTH_EGRESS_RANGE", "auto", 4, 18, net_check_range,
                "addresses of this node's sandboxes, /16 to /24, seen on this node only; auto: a "
                "free /20 of 100.64.0.0/10"),
    STRING_ITEM(egress_allow, "HEARTH_EGRESS_ALLOW", "", 0, 2048, net_check_allow,
                "what functions reach beside the internet: 10.0.0.0/8,10.1.2.3:443; this node's own "
                "addresses only one by one"),
    STRING_ITEM(egress_deny, "HEARTH_EGRESS_DENY", "", 0, 2048, net_check_deny,
                "public addresses that functions do not reach: 52.1.0.0/16,5.6.7.8"),
    STRING_ITEM(egress_dns, "HEARTH_EGRESS_DNS", "", 0, 47, net_check_dns,
                "name servers that functions ask, up to 3; empty: those of this node's resolv.conf"),
    STRING_ITEM(launcher, "HEARTH_LAUNCHER", "docker", 4, 6, check_launcher,
                "what makes sandboxes: docker, native (an OCI runtime, without an engine's delay; "
                "needs root), or auto: native where the host allows it"),
    STRING_ITEM(oci_runtime, "HEARTH_OCI_RUNTIME", "", 0, 1024, check_program,
                "crun or runc for the native launcher; empty: crun, else runc, where found"),
    NUMBER_ITEM(CFG_U64, "blank_sandboxes", "HEARTH_BLANK_SANDBOXES", blank_sandboxes, "32", 0,
                1000,
                "native sandboxes kept ready at most, before it is known whose they will be; 0: "
                "none"),
    STRING_ITEM(tmp, "HEARTH_TMP", "auto", 4, 6, check_tmp,
                "what /tmp of native sandboxes is: auto: a disk where the host has loop devices and "
                "mkfs.ext4; memory: it counts towards the function's"),
    NUMBER_ITEM(CFG_BYTES, "node_memory", "HEARTH_NODE_MEMORY", node_memory, "0", 0, UINT64_MAX,
                "memory for all sandboxes together; 0: 80 % of the machine's"),
    NUMBER_ITEM(CFG_U64, "start_parallel", "HEARTH_START_PARALLEL", start_parallel, "0", 0, 1000,
                "sandboxes being created at once; 0: twice the CPUs"),
    NUMBER_ITEM(CFG_U64, "scaling_rate", "HEARTH_SCALING_RATE", scaling_rate, "1000", 0, 1000000,
                "how many sandboxes each function may begin in 10 s, over all nodes of the cluster, provisioned ones not "
                "counted; 0: as many as it can"),
    STRING_ITEM(keep_alive, "HEARTH_KEEP_ALIVE", "fixed", 5, 9, check_keep_alive,
                "how long a function's last idle sandbox is kept: fixed: for idle_ttl; histogram: as "
                "the function's pauses have been, and begun ahead of its next invocation"),
    NUMBER_ITEM(CFG_U64, "cold_start_worth", "HEARTH_COLD_START_WORTH", cold_start_worth, "80", 1,
                10000,
                "histogram: how many minutes of an idle sandbox a cold start that is avoided is worth"),
    NUMBER_ITEM(CFG_USEC, "idle_ttl", "HEARTH_IDLE_TTL", idle_ttl_us, "10m", MSEC(100), HOURS(24),
                "how long a sandbox is kept without an invocation"),
    NUMBER_ITEM(CFG_USEC, "create_limit", "HEARTH_CREATE_LIMIT", create_limit_us, "1m", SECONDS(1),
                MINUTES(30), "how long the engine may take to create a sandbox"),
    NUMBER_ITEM(CFG_USEC, "init_limit", "HEARTH_INIT_LIMIT", init_limit_us, "10s", MSEC(100),
                MINUTES(15),
                "how long the init phase may last before it counts as an invocation's"),
    NUMBER_ITEM(CFG_USEC, "freeze_after", "HEARTH_FREEZE_AFTER", freeze_after_us, "100ms",
                0, HOURS(24),
                "sandboxes are stopped (cgroup freezer) when idle for so long, until the next event; "
                "0: never"),
    NUMBER_ITEM(CFG_USEC, "drain_limit", "HEARTH_DRAIN_LIMIT", drain_limit_us, "8s", 0, MINUTES(16),
                "how long running invocations may go on after SIGTERM"),
    NUMBER_ITEM(CFG_BYTES, "stream_limit", "HEARTH_STREAM_LIMIT", stream_limit, "200M", 1,
                UINT64_MAX, "the greatest response that a function may stream"),
    NUMBER_ITEM(CFG_BYTES, "code_cache_size", "HEARTH_CODE_CACHE_SIZE", code_cache_bytes, "10G", 0,
                UINT64_MAX, "unpacked zip code and layers kept; what is in use may exceed it"),
    STRING_ITEM(kafka_brokers, "HEARTH_KAFKA_BROKERS", "", 0, 4096, NULL,
                "host:port,... of the Kafka that gets function logs; empty: they stay here"),
    STRING_ITEM(kafka_topic, "HEARTH_KAFKA_TOPIC", "hearth-logs", 1, 249, NULL,
                "Kafka topic of function logs"),
    STRING_ITEM(kafka_properties, "HEARTH_KAFKA_PROPERTIES", "", 0, 1024, NULL,
                "file of further librdkafka settings, key=value lines (TLS, SASL); empty: none"),
    NUMBER_ITEM(CFG_USEC, "log_retention", "HEARTH_LOG_RETENTION", log_retention_us, "168h",
                SECONDS(1), HOURS(24u * 3660u), "how long function logs are kept on this node"),
    NUMBER_ITEM(CFG_BYTES, "log_retention_size", "HEARTH_LOG_RETENTION_SIZE", log_retention_bytes,
                "1G", 1u << 20, UINT64_MAX, "function logs kept on this node, the oldest go first"),
    NUMBER_ITEM(CFG_BYTES, "log_spool_size", "HEARTH_LOG_SPOOL_SIZE", log_spool_bytes, "4G",
                1u << 20, UINT64_MAX, "lines that wait for Kafka before functions have to"),
    NUMBER_ITEM(CFG_BYTES, "log_rate", "HEARTH_LOG_RATE", log_rate_bytes, "16M", 0, 1u << 30,
                "bytes a second that are read of what one sandbox prints; one that prints more waits; "
                "0: as many as the disk takes"),
    STRING_ITEM(log_sync, "HEARTH_LOG_SYNC", "auto", 2, 4, check_sync,
                "function logs are forced to the disk: on, off, or auto (with Kafka only)"),
    STRING_ITEM(log_level, "HEARTH_LOG_LEVEL", "info", 1, 8, setting_check_log_level,
                "debug, info, warn or error"),
};

const struct config_program invoker_program = {
    .name = "hearth-invoker",
    .about = "Runs the sandboxes of one host.",
    .items = items,
    .len = ARRAY_LEN(items),
};
