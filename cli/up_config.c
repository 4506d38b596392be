/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/up_config.h"

#include <libgen.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/io/redis_url.h"
#include "common/model/setting_checks.h"

/* host:port with the host as a number: what the gateway takes. */
static const char *check_listen(struct str s)
{
    static const char *const wrong =
        "is not an address such as 127.0.0.1:9000, 0.0.0.0:9000 or [::1]:9000";
    static const char legal[] = "0123456789abcdefABCDEF.:[]";
    size_t at = s.len, i;
    uint64_t port;

    while (at > 0 && s.ptr[at - 1] != ':')
        at--;
    if (at < 2 || str_parse_u64(str_sub(s, at, s.len), &port) < 0 || port < 1 || port > 65535)
        return wrong;
    for (i = 0; i < at; i++)
        if (!memchr(legal, s.ptr[i], sizeof(legal) - 1))
            return wrong;
    return NULL;
}

static const char *check_redis(struct str s)
{
    return s.len ? redis_url_check(s) : NULL; /* empty: a private one */
}

#define UP_STRING(name, env, def, min, check, help)                                                \
    {#name, env, CFG_STRING, offsetof(struct up_config, name), def, min, 4096, help, check}

static const struct config_item items[] = {
    UP_STRING(listen, "HEARTH_LISTEN", "127.0.0.1:9000", 0, check_listen,
              "address of the gateway: what clients use as endpoint"),
    UP_STRING(data_dir, "HEARTH_DATA_DIR", "", 0, NULL,
              "folder for all that must survive; empty: /var/lib/hearth as root, else ~/.local/share/hearth"),
    UP_STRING(run_dir, "HEARTH_RUN_DIR", "", 0, NULL,
              "folder for sockets; short; empty: /run/hearth as root, else $XDG_RUNTIME_DIR/hearth"),
    UP_STRING(bin_dir, "HEARTH_BIN_DIR", "", 0, NULL,
              "where the other programs are; empty: beside this one"),
    UP_STRING(redis_url, "HEARTH_REDIS_URL", "", 0, check_redis,
              "a Redis to use, redis://[:password@]host:port[/db], unix:/path, or "
              "sentinel://[:password@]host:port,host:port/master[/db]; empty: a private one"),
    UP_STRING(image_store, "HEARTH_IMAGE_STORE", "docker", 1, setting_check_image_store,
              "where images come from: docker or containerd"),
    UP_STRING(docker_socket, "HEARTH_DOCKER_SOCKET", "", 0, NULL,
              "socket of the Docker engine; empty: DOCKER_HOST's, else /var/run/docker.sock"),
    UP_STRING(containerd_socket, "HEARTH_CONTAINERD_SOCKET", "/run/containerd/containerd.sock", 1, NULL,
              "socket of the containerd whose images are used"),
    UP_STRING(kafka_brokers, "HEARTH_KAFKA_BROKERS", "", 0, NULL,
              "host:port,… to which functions' logs are sent; empty: local segment files only"),
    UP_STRING(runtimes, "HEARTH_RUNTIMES", "", 0, NULL,
              "JSON file of runtime identifiers and their images; empty: the one that comes with Hearth"),
    UP_STRING(account_id, "HEARTH_ACCOUNT_ID", "000000000000", 0, setting_check_account, "account id, twelve digits"),
    UP_STRING(region, "HEARTH_REGION", "us-east-1", 1, setting_check_region, "region name"),
    UP_STRING(credentials_file, "HEARTH_CREDENTIALS_FILE", "", 0, NULL,
              "file of the access keys that may use Hearth; requests must then be signed; empty: no signatures are checked"),
    UP_STRING(log_level, "HEARTH_LOG_LEVEL", "info", 0, setting_check_log_level, "debug, info, warn or error"),
    {"stop_grace", "HEARTH_STOP_GRACE", CFG_USEC, offsetof(struct up_config, stop_grace_us), "15s", 0,
     MINUTES(60), "how long each program may take to finish what runs when Hearth stops", NULL},
};

static const struct config_program program = {
    "hearth up", "all of Hearth on this machine, in the foreground", items, ARRAY_LEN(items)};

/* Folder of the running program; "." when it cannot be told. */
static char *own_folder(void)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (n <= 0)
        return str_dup(STR("."));
    path[n] = '\0';
    return str_dup(str_of(dirname(path)));
}

static void replace(char **at, char *with)
{
    free(*at);
    *at = with;
}

/* The daemons want absolute paths. */
static void make_absolute(char **path)
{
    CLEANUP(freep) char *here = getcwd(NULL, 0);

    if ((*path)[0] != '/' && here)
        replace(path, str_printf("%s/%s", here, *path));
}

static void fill_defaults(struct up_config *c)
{
    const char *home = getenv("HOME"), *xdg = getenv("XDG_RUNTIME_DIR");
    struct str docker = str_of(getenv("DOCKER_HOST"));
    bool root = geteuid() == 0;

    if (!c->bin_dir[0])
        replace(&c->bin_dir, own_folder());
    if (!c->data_dir[0])
        replace(&c->data_dir, root ? str_dup(STR("/var/lib/hearth"))
                                   : str_printf("%s/.local/share/hearth", home ? home : "/tmp"));
    if (!c->run_dir[0])
        replace(&c->run_dir, root ? str_dup(STR("/run/hearth"))
                                  : str_printf("%s/hearth", xdg ? xdg : c->data_dir));
    if (!c->docker_socket[0] && str_starts(docker, STR("unix://")))
        replace(&c->docker_socket, str_dup(str_sub(docker, strlen("unix://"), docker.len)));
    else if (!c->docker_socket[0])
        replace(&c->docker_socket, str_dup(STR("/var/run/docker.sock")));
    make_absolute(&c->data_dir);
    make_absolute(&c->run_dir);
    make_absolute(&c->bin_dir);
    if (c->credentials_file[0])
        make_absolute(&c->credentials_file);
    if (!c->runtimes[0]) { /* installed beside share/, or in the source tree beside build/ */
        replace(&c->runtimes, str_printf("%s/../share/hearth/runtimes.json", c->bin_dir));
        if (access(c->runtimes, R_OK) < 0)
            replace(&c->runtimes, str_printf("%s/../images/runtimes.json", c->bin_dir));
        if (access(c->runtimes, R_OK) < 0)
            replace(&c->runtimes, str_printf("%s/../../images/runtimes.json", c->bin_dir));
    }
}

int up_config_load(struct up_config *config, int argc, char **argv)
{
    CLEANUP(buf_done) struct buf problems = BUF_INIT(65536);
    int r = config_load(&program, argc, argv, config, &problems);

    if (r < 0) {
        fputs("error: these settings are wrong:\n", stderr);
        fwrite(problems.ptr, 1, problems.len, stderr);
        return EXIT_USAGE;
    }
    if (r == CONFIG_RUN)
        fill_defaults(config);
    return EXIT_FINE;
}

void up_config_done(struct up_config *config)
{
    config_done(&program, config);
}
