/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/docker_container.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"
#include "invoker/seccomp_profile.h"

static void add_strings(cJSON *to, const char *name, const char *const *strings)
{
    cJSON *array = cJSON_AddArrayToObject(to, name);

    for (; *strings; strings++)
        cJSON_AddItemToArray(array, cJSON_CreateString(*strings));
}

static void add_bind(cJSON *mounts, const char *source, const char *target)
{
    cJSON *mount = cJSON_CreateObject();

    cJSON_AddStringToObject(mount, "Type", "bind");
    cJSON_AddStringToObject(mount, "Source", source);
    cJSON_AddStringToObject(mount, "Target", target);
    cJSON_AddTrueToObject(mount, "ReadOnly");
    cJSON_AddItemToArray(mounts, mount);
}

/* The same folder, however many slashes it is written with. */
static bool is_path(const char *path, const char *wanted)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        len--;
    return len == strlen(wanted) && strncmp(path, wanted, len) == 0;
}

/*
 * Lambda ignores VOLUME. The engine does not: it would mount a folder of the host's disk there,
 * without a limit and writable, and refuses to make such a one read-only. So an empty, read-only
 * folder goes there instead; the image's content below it is not seen.
 */
static void add_volumes(cJSON *tmpfs, const struct docker_container_options *o)
{
    char *const *v;

    for (v = o->volumes; v && *v; v++) {
        if (is_path(*v, "/tmp") || (o->code_dir && is_path(*v, "/var/task")) ||
            (o->layers_dir && is_path(*v, "/opt")))
            continue; /* ours goes there */
        cJSON_AddStringToObject(tmpfs, *v, "ro,noexec,nosuid,nodev,size=4k,mode=755");
    }
}

static void add_ulimit(cJSON *ulimits, const char *name, double limit)
{
    cJSON *u = cJSON_CreateObject();

    cJSON_AddStringToObject(u, "Name", name);
    cJSON_AddNumberToObject(u, "Soft", limit);
    cJSON_AddNumberToObject(u, "Hard", limit);
    cJSON_AddItemToArray(ulimits, u);
}

static void add_labels(cJSON *config, const struct docker_container_options *o)
{
    cJSON *labels = cJSON_AddObjectToObject(config, "Labels");

    cJSON_AddStringToObject(labels, LABEL_NODE, o->node);
    cJSON_AddStringToObject(labels, LABEL_LIFE, o->life);
    cJSON_AddStringToObject(labels, LABEL_SANDBOX, o->sandbox_id);
    cJSON_AddStringToObject(labels, "hearth.account", o->spec->account);
    cJSON_AddStringToObject(labels, "hearth.function", o->spec->name);
    cJSON_AddStringToObject(labels, "hearth.version", o->spec->version);
}

static void add_resources(cJSON *host, const struct sandbox_spec *spec)
{
    double memory = (double)spec->memory_mib * 1024 * 1024;
    cJSON *ulimits;

    cJSON_AddNumberToObject(host, "Memory", memory);
    cJSON_AddNumberToObject(host, "MemorySwap", memory); /* the sum of both: no swap */
    cJSON_AddNumberToObject(host, "CpuShares", sandbox_cpu_shares(spec->memory_mib));
    cJSON_AddNumberToObject(host, "PidsLimit", SANDBOX_PIDS_MAX);
    cJSON_AddNumberToObject(host, "OomScoreAdj", SANDBOX_OOM_SCORE_ADJ);
    ulimits = cJSON_AddArrayToObject(host, "Ulimits");
    add_ulimit(ulimits, "nofile", SANDBOX_FILES_MAX);
    add_ulimit(ulimits, "core", 0);
}

static void add_file_systems(cJSON *host, const struct docker_container_options *o)
{
    cJSON *mounts = cJSON_AddArrayToObject(host, "Mounts"), *tmpfs;
    char options[96];

    cJSON_AddTrueToObject(host, "ReadonlyRootfs");
    add_bind(mounts, o->init_path, "/.hearth/init");
    add_bind(mounts, o->run_dir, "/.hearth/run");
    if (o->code_dir)
        add_bind(mounts, o->code_dir, "/var/task");
    if (o->layers_dir)
        add_bind(mounts, o->layers_dir, "/opt");
    /* Docker's default is noexec; Lambda's functions may run what they put there. Root owns it, as
     * in Lambda, but an image function's own image may have a /tmp that is closed to others: runc
     * before 1.2 gives the mount that mode, and then the owner counts. */
    snprintf(options, sizeof(options), "rw,exec,nosuid,nodev,size=%um,mode=1777,uid=%u,gid=%u",
             o->spec->ephemeral_mib, o->code_dir ? 0 : SANDBOX_UID, o->code_dir ? 0 : SANDBOX_GID);
    tmpfs = cJSON_AddObjectToObject(host, "Tmpfs");
    cJSON_AddStringToObject(tmpfs, "/tmp", options);
    add_volumes(tmpfs, o);
}

/* Docker takes a profile's text where its command line takes the name of a file. */
static void add_security(cJSON *host)
{
    cJSON *profile = seccomp_profile(), *array = cJSON_AddArrayToObject(host, "SecurityOpt");
    char *text = cJSON_PrintUnformatted(profile);
    CLEANUP(freep) char *option = text ? str_printf("seccomp=%s", text) : NULL;

    if (!option)
        abort();
    cJSON_AddItemToArray(array, cJSON_CreateString("no-new-privileges"));
    cJSON_AddItemToArray(array, cJSON_CreateString(option));
    cJSON_free(text);
    cJSON_Delete(profile);
}

static void add_isolation(cJSON *host, const struct docker_container_options *o)
{
    cJSON *log;

    cJSON_AddStringToObject(host, "NetworkMode", "none"); /* a link comes from us, if any */
    /* without these /etc/resolv.conf shows the host's */
    add_strings(host, "Dns", (const char *const *)o->name_servers);
    add_strings(host, "DnsSearch", (const char *const[]){".", NULL});
    /* what extensions give as their address, to be told of telemetry */
    add_strings(host, "ExtraHosts",
                (const char *const[]){"sandbox.localdomain:127.0.0.1", "sandbox:127.0.0.1", NULL});
    cJSON_AddStringToObject(host, "IpcMode", "none"); /* as in Lambda there is no /dev/shm */
    cJSON_AddStringToObject(host, "CgroupnsMode", "private");
    add_strings(host, "CapDrop", (const char *const[]){"ALL", NULL});
    add_security(host);
    cJSON_AddFalseToObject(host, "Init");
    cJSON_AddTrueToObject(host, "AutoRemove");
    log = cJSON_AddObjectToObject(host, "LogConfig");
    cJSON_AddStringToObject(log, "Type", "none");
}

cJSON *docker_container_config(const struct docker_container_options *o)
{
    cJSON *config = cJSON_CreateObject(), *host;
    CLEANUP(freep) char *user = str_printf("%u:%u", SANDBOX_UID, SANDBOX_GID);

    if (!config)
        abort();
    cJSON_AddStringToObject(config, "Image", o->image);
    cJSON_AddStringToObject(config, "User", user);
    cJSON_AddStringToObject(config, "Hostname",
                            "sandbox"); /* not the host's, not the container id */
    cJSON_AddStringToObject(config, "WorkingDir", "/");
    add_strings(config, "Entrypoint", (const char *const[]){"/.hearth/init", NULL});
    add_strings(config, "Cmd", (const char *const[]){NULL});
    /* an image's own health check would start processes that are not the function's */
    add_strings(cJSON_AddObjectToObject(config, "Healthcheck"), "Test",
                (const char *const[]){"NONE", NULL});
    add_labels(config, o);
    host = cJSON_AddObjectToObject(config, "HostConfig");
    add_resources(host, o->spec);
    add_file_systems(host, o);
    add_isolation(host, o);
    return config;
}
