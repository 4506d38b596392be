/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h - what the ledger of permits must do, said plainly: one account in fixed arrays, no sums that are kept,
 * nothing clever. tests/ledger compares every answer of the scripts with it.
 *
 * Owns:    nothing.
 * Threads: one. Limits, names: as in controller/permits/ledger.h; names are numbers here.
 * Errors:  none but assert(): a rule of the protocol that the model itself would break.
 */
#ifndef HEARTH_TESTS_LEDGER_MODEL_H
#define HEARTH_TESTS_LEDGER_MODEL_H

#include "common/base/error.h"
#include "controller/permits/ledger.h"

enum {
    FNS = 3,
    VERSIONS = 3,
    ALIASES = 2,
    QUALIFIERS = VERSIONS + ALIASES, /* versions 1 .. VERSIONS, then the aliases */
    PER_FN = 1 + VERSIONS, /* its plain pool, its classes */
    POOLS = 1 + FNS * PER_FN, /* 0: "*" */
    GATEWAYS = 20,
    NODES = 3,
    PROCESSES = 6, /* incarnations of a node */
    QUESTIONS_MAX = 5,
};

enum gateway_is { GATEWAY_UNKNOWN, GATEWAY_JOINED, GATEWAY_GIVEN_UP };

struct model_fn {
    int64_t reserved; /* -1: nothing */
    int64_t provisioned[QUALIFIERS]; /* -1: no document */
    int leads_to[ALIASES]; /* 1 .. VERSIONS; 0: there is no such alias */
};

struct model {
    struct model_fn fns[FNS];
    uint64_t term, epoch, run; /* epoch 0: never opened */
    struct {
        enum gateway_is is;
        uint64_t seq[POOLS], lease[POOLS];
    } gateways[GATEWAYS];
    struct {
        bool is_known;
        int process;
        bool was[PROCESSES];
        uint64_t seq, orphans[POOLS];
    } nodes[NODES];
};

/* What a call carries. */
struct model_at {
    uint64_t limit, term, epoch;
};

struct model_question {
    int pool;
    uint64_t seq, held, want;
    bool moved, again;
};

struct model_orphans {
    int node, process;
    uint64_t seq, counts[POOLS];
};

void model_init(struct model *m);
uint64_t model_pool_total(const struct model *m, int pool);
uint64_t model_fn_total(const struct model *m, int fn);
uint64_t model_total(const struct model *m);
int64_t model_limit(const struct model *m, uint64_t account_limit, int pool);
/* The function of a pool; -1 for "*". */
int model_fn_of(int pool);
/* Its class's version; 0: a plain pool. */
int model_version_of(int pool);
int model_class(int fn, int version);

enum error_code model_state(struct model *m, const struct model_at *at, int gateway,
                            const struct model_question *questions, size_t len,
                            struct ledger_answer *answers);
enum error_code model_join(struct model *m, const struct model_at *at, int gateway);
enum error_code model_give_up(struct model *m, const struct model_at *at, int gateway);
enum error_code model_set_orphans(struct model *m, const struct model_at *at,
                                  const struct model_orphans *o);
enum error_code model_open(struct model *m, const struct model_at *at, uint64_t run,
                           const struct model_orphans *nodes, size_t len);
enum error_code model_read(struct model *m, const struct model_at *at);
enum error_code model_ready(struct model *m, const struct model_at *at, int fn, int version,
                            bool *ret);

#endif
