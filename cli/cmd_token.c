/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hearth token create - prints what lets a new gateway or invoker into the cluster. It is made from
 * the CA's key, where a controller has it: nothing is asked, and nothing kept.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/proto/cert_authority.h"
#include "common/proto/join_token.h"

#define DATA_DIR "/var/lib/hearth" /* as the controller's own default */

static void usage(void)
{
    fputs("Usage: hearth token create [--role invoker|gateway] [--ttl 1h] [--data-dir FOLDER]\n\n"
          "Where a controller is: reads the CA's key of HEARTH_TLS_CA_CERT and HEARTH_TLS_CA_KEY, else of\n"
          "ca/ in the data folder (HEARTH_DATA_DIR). The token is a secret, good until it expires: give it to\n"
          "the new node as HEARTH_JOIN_TOKEN_FILE or HEARTH_JOIN_TOKEN.\n",
          stderr);
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static int load_authority(const char *data_dir, struct cert_authority *ret, struct error *err)
{
    const char *given_cert = variable("HEARTH_TLS_CA_CERT"), *given_key = variable("HEARTH_TLS_CA_KEY");
    CLEANUP(freep) char *cert = cert_authority_cert_path(data_dir);
    CLEANUP(freep) char *key = cert_authority_key_path(data_dir);

    if (!given_cert != !given_key)
        return error_set(err, ERR_CONFIG, "HEARTH_TLS_CA_CERT and HEARTH_TLS_CA_KEY belong together");
    return cert_authority_load(given_cert ? given_cert : cert, given_key ? given_key : key, ret, err);
}

static int create(const char *role, uint64_t ttl_us, const char *data_dir)
{
    char token[JOIN_TOKEN_MAX], until[CLOCK_ISO_MAX];
    uint64_t expires_s = (wall_ms() + ttl_us / 1000) / 1000;
    struct cert_authority ca;
    struct error err;
    int r = load_authority(data_dir, &ca, &err);

    if (r < 0)
        return complain(r == -ERR_NOT_FOUND ? EXIT_NOT_FOUND : EXIT_FAILED,
                        r == -ERR_NOT_FOUND ? "run this where a controller that listens on tcp:// has been "
                                              "started, as its user; --data-dir names its data folder"
                                            : NULL,
                        "%s", err.msg);
    r = join_token_make(ca.token_key, ca.print, role, expires_s, token, &err);
    cert_authority_done(&ca);
    if (r < 0)
        return complain(EXIT_USAGE, NULL, "%s", err.msg);
    clock_format_iso(expires_s * 1000, until);
    fprintf(stderr, "a token for the role %s, good until %s:\n", role, until);
    puts(token);
    explicit_bzero(token, sizeof(token));
    return EXIT_FINE;
}

/* A written time; 0 when it is none. */
static uint64_t parse_ttl(const char *text)
{
    const struct config_item item = {"ttl", "", CFG_USEC, 0, "", SECONDS(1), MINUTES(60 * 24 * 366), "", NULL};
    uint64_t ttl_us = 0;

    return config_set(&item, str_of(text), &ttl_us) ? 0 : ttl_us;
}

int cmd_token(int argc, char **argv)
{
    static const struct option options[] = {{"role", 1, NULL, 'r'},
                                            {"ttl", 1, NULL, 't'},
                                            {"data-dir", 1, NULL, 'd'},
                                            {"help", 0, NULL, '?'},
                                            {0}};
    const char *role = "invoker", *data_dir = variable("HEARTH_DATA_DIR");
    uint64_t ttl_us = MINUTES(60);
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'r': role = optarg; break;
        case 'd': data_dir = optarg; break;
        case 't':
            ttl_us = parse_ttl(optarg);
            if (ttl_us)
                break;
            return complain(EXIT_USAGE, "write 10m, 1h or 24h, up to a year", "\"%s\" is not a time", optarg);
        default: usage(); return EXIT_USAGE;
        }
    }
    if (argc - optind != 1 || strcmp(argv[optind], "create") != 0) {
        usage();
        return EXIT_USAGE;
    }
    return create(role, ttl_us, data_dir ? data_dir : DATA_DIR);
}
