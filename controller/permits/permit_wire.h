/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permit_wire.h - what gateways and invokers say of permits, read from the JSON of their calls and checked:
 * questions and statements about pools, and what runs on nobody's lease.
 *
 * Owns:    lists are the caller's and have their own strings.
 * Threads: any.
 * Errors:  -ERR_BAD_REQUEST, saying which member is wrong; then nothing is returned.
 * Source:  docs/internals/links.md, permits.*.
 */
#ifndef HEARTH_CONTROLLER_PERMITS_PERMIT_WIRE_H
#define HEARTH_CONTROLLER_PERMITS_PERMIT_WIRE_H

#include <cjson/cJSON.h>

#include "common/base/error.h"
#include "controller/permits/ledger.h"

#define PERMIT_POOLS_MAX 1000u /* of one call */
#define PERMIT_NAME_MAX 200u /* of an account, pool or incarnation, bytes */
#define PERMIT_NUMBER_MAX ((1ull << 53) - 1) /* what JSON carries exactly */

/* What a gateway says of one pool, and what becomes of it. */
struct permit_item {
    char *account, *pool;
    uint64_t seq;
    uint64_t held; /* permits that it has */
    uint64_t want; /* that it wants to have; a statement: as many as held */
    uint64_t need; /* that it must have for those who wait now */
    uint64_t most; /* that it is given: what it wants, less where others are short */
    bool moved;
    bool is_none; /* there is no such pool, and never are there permits of it */
    struct ledger_answer answer;
    bool is_short; /* it has fewer than needed */
    bool dry; /* and there are no more */
};

struct permit_items {
    struct permit_item *all; /* by account, then pool: "*" first */
    size_t len;
};

/** The list `pools` of permits.ask; no pool comes twice. */
int permit_items_parse(const cJSON *args, struct permit_items *ret, struct error *err);
/** The same of an answer to permits.recall: nothing is wanted. */
int permit_statements_parse(const cJSON *ok, struct permit_items *ret, struct error *err);
/** Frees the list; it is empty then. */
void permit_items_done(struct permit_items *items);

/* So many run of a pool. */
struct permit_count {
    char *account, *pool;
    uint64_t count;
};

/* All that runs at a node on nobody's lease, as of a message. */
struct permit_orphans {
    uint64_t seq; /* of the message; 0: none has come */
    struct permit_count *all; /* no pool twice */
    size_t len;
};

/** `seq` and the list `orphans` of permits.orphans, or of an answer to permits.fence. */
int permit_orphans_parse(const cJSON *json, struct permit_orphans *ret, struct error *err);
void permit_orphans_done(struct permit_orphans *orphans);
/** A copy; the caller's. */
struct permit_orphans permit_orphans_copy(const struct permit_orphans *orphans);
/** Adds what runs of one pool; on top of what is there of it. */
void permit_orphans_add(struct permit_orphans *orphans, struct str account, struct str pool,
                        uint64_t count);
/** Whether anything of @account is in it. */
bool permit_orphans_has(const struct permit_orphans *orphans, const char *account);
/** Those of @account as the ledger takes them, borrowed from @orphans; the caller frees the array. */
struct ledger_count *permit_orphans_of(const struct permit_orphans *orphans, const char *account,
                                       size_t *ret_len);

/** A name from a peer: 1 to PERMIT_NAME_MAX printable bytes without blanks. */
bool permit_name_is_valid(struct str name);
/** The member @name, a whole number up to PERMIT_NUMBER_MAX. */
int permit_number(const cJSON *json, const char *name, uint64_t *ret, struct error *err);
/** "<function>" of a pool's name; "" for "*". */
struct str permit_pool_function(struct str pool);

#endif
