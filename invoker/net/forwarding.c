/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/net/forwarding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/str.h"
#include "invoker/janitor.h"
#include "invoker/net/netns.h"
#include "invoker/run_program.h"

#define RUN_LIMIT_MS 10000

/* Docker keeps what is in the first over its own restarts. */
static const char *const chains[] = {"DOCKER-USER", "FORWARD"};

static char *find_iptables(void)
{
    static const char *const paths[] = {"/usr/sbin/iptables", "/sbin/iptables", "/usr/bin/iptables",
                                        "/usr/local/sbin/iptables"};
    size_t i;

    for (i = 0; i < ARRAY_LEN(paths); i++)
        if (access(paths[i], X_OK) == 0)
            return str_dup(str_of(paths[i]));
    return NULL;
}

/* @what: -I, -D or -C; @direction: -i or -o. */
static int rule(const struct forwarding *f, const char *what, const char *chain,
                const char *direction, struct error *err)
{
    const char *argv[] = {f->iptables, "-w", "5", what, chain, direction, f->link, "-j", "ACCEPT", NULL};

    return run_program(&(struct run_program){argv, -1, NULL, RUN_LIMIT_MS}, err);
}

static int set_forwarding(const char *link, const char *value, struct error *err)
{
    CLEANUP(freep) char *name = str_printf("ipv4/conf/%s/forwarding", link);

    return netns_set(name, value, err);
}

static int is_forwarding(const char *link)
{
    CLEANUP(freep) char *name = str_printf("ipv4/conf/%s/forwarding", link);

    return netns_get(name) != 0; /* one that cannot be read is left alone */
}

/* Whether another invoker has a link to a router of its own. */
static bool others_are_here(const struct forwarding *f)
{
    struct if_nameindex *all = if_nameindex(), *one;
    bool found = false;

    for (one = all; one && one->if_index; one++)
        found = found || (str_starts(str_of(one->if_name), STR(FORWARDING_LINK)) &&
                          strcmp(one->if_name, f->link) != 0);
    if_freenameindex(all);
    return found;
}

/* In the janitor's process. */
static void take_back(const void *arg)
{
    const struct forwarding *f = arg;
    size_t i;

    /* else someone else wants it by now */
    if (f->uplink[0] && netns_get("ipv4/ip_forward") == 0 && !others_are_here(f))
        (void)set_forwarding(f->uplink, "0", NULL);
    for (i = 0; f->iptables && i < ARRAY_LEN(chains); i++) {
        (void)rule(f, "-D", chains[i], "-i", NULL);
        (void)rule(f, "-D", chains[i], "-o", NULL);
    }
}

int forwarding_start(struct forwarding *f, const char *link, const char *uplink, struct error *err)
{
    int r = set_forwarding(link, "1", err);

    *f = (struct forwarding){.janitor = -1};
    if (r < 0)
        return r;
    snprintf(f->link, sizeof(f->link), "%s", link);
    if (*uplink && (!is_forwarding(uplink) ||
                    (netns_get("ipv4/ip_forward") == 0 && others_are_here(f))))
        snprintf(f->uplink, sizeof(f->uplink), "%s", uplink);
    f->iptables = find_iptables();
    r = janitor_start(take_back, f, &f->janitor, err);
    if (r == 0 && f->uplink[0])
        r = set_forwarding(f->uplink, "1", err);
    if (r < 0)
        forwarding_stop(f);
    return r;
}

void forwarding_keep(const struct forwarding *f)
{
    if (f->uplink[0] && !is_forwarding(f->uplink))
        (void)set_forwarding(f->uplink, "1", NULL);
}

void forwarding_stop(struct forwarding *f)
{
    closep(&f->janitor);
    free(f->iptables);
    f->iptables = NULL;
}

int forwarding_let_through(struct forwarding *f, struct error *err)
{
    size_t i;
    int r = -ERR_SYSTEM;

    if (!f->iptables)
        return error_set(err, ERR_SYSTEM, "there is no iptables program to make an exception with");
    for (i = 0; r < 0 && i < ARRAY_LEN(chains); i++) {
        r = rule(f, "-C", chains[i], "-i", NULL) == 0 ? 0 : rule(f, "-I", chains[i], "-i", err);
        if (r == 0 && rule(f, "-C", chains[i], "-o", NULL) < 0)
            r = rule(f, "-I", chains[i], "-o", err);
        if (r == 0)
            log_info("network", "iptables lets packets of sandboxes through",
                     KV_STR("chain", chains[i]), KV_STR("link", f->link));
    }
    return r;
}
