/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/lead.h"

#include <stdio.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/proto/digest.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define SEAT_BYTES 16 /* hex digits of its name */

/* ---- peers are told ---- */

/* That it leads another one, or that its link is down, comes to us by other ways. */
static void on_told(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    (void)ok;
    (void)body;
    (void)arg;
    if (err && err->code != ERR_NO_OPERATION && err->code != ERR_CLOSED)
        log_debug("leader", "a peer does not take us for the leader", KV_ERR(err));
}

static void tell(struct controller *c, struct peer *peer)
{
    cJSON *args = cJSON_CreateObject();

    cJSON_AddNumberToObject(args, "term", (double)c->term);
    peers_ask(c->peers, peer, "leader.is", args, c->config->peer_timeout_us, on_told, NULL);
    cJSON_Delete(args);
}

/* A peer knows of a greater term, or of ours by another one. */
static void on_term(uint64_t term, void *arg)
{
    struct controller *c = arg;

    leadership_heard(c->leadership, term);
}

/* What a leader does for a peer as soon as it is there. */
static void serve_peer(struct controller *c, struct peer *peer)
{
    if (peer->role != PEER_GATEWAY)
        return; /* it registers */
    nodes_tell(c->nodes);
    async_gateway_here(c->async);
}

void lead_peer_here(struct controller *c, struct peer *peer)
{
    tell(c, peer);
    if (c->term)
        serve_peer(c, peer);
}

/* ---- leading ---- */

static void begin(struct controller *c)
{
    struct peer *peer = NULL;

    while ((peer = peers_next(c->peers, peer)))
        serve_peer(c, peer);
    code_gc_start(c->gc, c->store);
}

/* Redis is there, and we lead by its word. */
static void take_up(struct controller *c)
{
    permits_start(c->permits, c->term);
    nodes_sync(c->nodes);
    fn_changes_resume(c->changes);
    code_gc_sweep(c->gc); /* an answer that was lost may have told of archives */
    async_redis_here(c->async);
    provisioner_redis_here(c->provisioner);
    scaler_redis_here(c->scaler);
}

static void on_lead(uint64_t term, void *arg)
{
    struct controller *c = arg;
    bool is_first = c->term == 0, is_new = c->term != term;
    struct peer *peer = NULL;

    c->term = term;
    while (is_new && (peer = peers_next(c->peers, peer)))
        tell(c, peer);
    if (is_first)
        begin(c);
    take_up(c);
}

static void on_over(const struct error *why, void *arg)
{
    struct controller *c = arg;

    log_error("leader", why->code == ERR_STALE ? "this controller ends; started again, it stands by"
                                               : "this controller cannot take part", KV_ERR(why));
    c->term = 0;
    permits_stop(c->permits);
    c->over = why->code;
    loop_stop(c->loop);
}

void lead_redis(struct controller *c, bool up, const struct error *why)
{
    if (up) {
        log_info("redis", "connected");
        leadership_redis_here(c->leadership);
    } else {
        log_warn("redis", "away; requests are answered 503 and it is tried again until it is there",
                 KV_ERR(why));
        permits_redis_away(c->permits);
    }
}

static void on_resigned(void *arg)
{
    struct controller *c = arg;

    loop_stop(c->loop);
}

void lead_stop(struct controller *c)
{
    if (c->stopping || c->over) {
        loop_stop(c->loop);
        return;
    }
    c->stopping = true;
    c->term = 0;
    permits_stop(c->permits);
    leadership_resign(c->leadership, on_resigned, c);
}

/* ---- the seat: this host since it was booted, and where we listen, where only one process can ---- */

static void name_seat(struct controller *c)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(4096);
    char host[256] = "", hex[SHA256_HEX_MAX];

    gethostname(host, sizeof(host) - 1);
    (void)file_read(BOOT_ID, &text, NULL); /* without it: one host has one name */
    (void)buf_printf(&text, "\n%s\n%s", host, c->config->listen);
    sha256_hex(buf_str(&text), hex);
    snprintf(c->seat, sizeof(c->seat), "%.*s", SEAT_BYTES, hex);
}

void lead_start(struct controller *c)
{
    uint64_t lease_us = c->config->lease_us;
    struct leadership_options options = {
        .loop = c->loop,
        .redis = c->redis,
        .id = c->id,
        .key_id = c->key.id,
        .seat = c->seat,
        .lease_us = lease_us ? lease_us : LEADERSHIP_LEASE_US,
        .renew_us = lease_us ? lease_us / 3 : LEADERSHIP_RENEW_US,
        .look_us = lease_us ? lease_us / 6 : LEADERSHIP_LOOK_US,
        .on_lead = on_lead,
        .on_over = on_over,
        .arg = c,
    };
    char token[17];

    name_seat(c);
    token_make(8, token);
    snprintf(c->id, sizeof(c->id), "%s-%s", c->seat, token);
    peers_on_term(c->peers, on_term, c);
    c->leadership = leadership_new(&options);
}
