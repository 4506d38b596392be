/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis_url.h - where a Redis is and how to log in there, read from one URL:
 * redis://[[user]:password@]host[:port][/db], unix:/path[?password=…&user=…&db=n], or
 * sentinel://[[user]:password@]host[:port],host[:port],…/master[/db]: the Redis that the sentinels name
 * so, logged in to with user and password; the sentinels are asked without. Bytes of user and password may be written as %XX.
 *
 * Owns:    its strings; redis_address_done() wipes the password.
 * Threads: any.
 * Errors:  -ERR_CONFIG; the message never repeats the URL, which may hold a password.
 */
#ifndef HEARTH_IO_REDIS_URL_H
#define HEARTH_IO_REDIS_URL_H

#include "common/base/error.h"
#include "common/base/str.h"

#define REDIS_SENTINELS_MAX 16

struct redis_host {
    char *host; /* name or number without brackets */
    uint16_t port;
};

struct redis_address {
    char *unix_path; /* NULL for TCP */
    char *host; /* as in struct redis_host; NULL for a Unix socket, and with sentinels */
    uint16_t port;
    struct redis_host sentinels[REDIS_SENTINELS_MAX];
    size_t sentinels_len; /* 0: none */
    char *master; /* the name that the sentinels know; NULL without them */
    char *user; /* NULL: the default user */
    char *password; /* NULL: none */
    uint32_t db;
};

/** Reads @url into @ret. */
int redis_url_parse(struct str url, struct redis_address *ret, struct error *err);
/** As a setting's check: NULL when @url can be read, else what is wrong, good until the next call.
 * For start-up, which has one thread. */
const char *redis_url_check(struct str url);
/** "host:port", "unix:/path" or "master <name>": fit for a log. The caller frees it. */
char *redis_address_text(const struct redis_address *address);
/** "host:port", with brackets around an IPv6 number. The caller frees it. */
char *redis_host_text(const char *host, uint16_t port);
void redis_address_done(struct redis_address *address);

#endif
