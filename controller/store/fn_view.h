/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_view.h - a function as it stood in the registry at one moment: $LATEST and the change under
 * way, the version or alias that a qualifier names, and what is kept beside them.
 *
 * Beside a function lie hashes of JSON texts (docs.h), one for each kind: enum fn_kind. A commit
 * that is made from a view expects the view's @seq, which every write of the function moves on:
 * so who decides on an old view writes nothing (fn_write.h).
 *
 * Owns:    all that it holds; fn_view_free().
 * Borrows: redis, the sealing key.
 * Threads: loop thread only; the callback never runs inside the call and comes exactly once.
 * Errors:  those of redis.h, ERR_NOT_FOUND: there is no such function, ERR_PROTOCOL.
 * Keys:    docs/internals/redis.md.
 */
#ifndef HEARTH_CONTROLLER_STORE_FN_VIEW_H
#define HEARTH_CONTROLLER_STORE_FN_VIEW_H

#include "common/base/id.h"
#include "common/io/redis.h"
#include "common/model/fn.h"
#include "common/proto/seal.h"

enum fn_stage { FN_STAGE_NONE, FN_STAGE_PREPARE, FN_STAGE_SWITCH };

/* A function as it stands in the registry. */
struct fn_record {
    struct fn_version *ver; /* what the API shows of $LATEST */
    struct fn_version *serving; /* runs while @ver is being prepared; NULL in other stages */
    struct fn_version *publish; /* the version that the change under way publishes; NULL: none */
    enum fn_stage stage;
    char change[UUID_MAX]; /* of the change under way; "" when there is none */
    char seq[24]; /* moves with every write of the function or of what is kept beside it */
};

void fn_record_free(struct fn_record *rec);
/** For CLEANUP. */
void fn_record_freep(struct fn_record **rec);
/** The version that invocations get; NULL: there is none (being created, failed). Borrowed. */
const struct fn_version *fn_record_running(const struct fn_record *rec);

/* What is kept beside a function: a hash for each. Texts are JSON. */
enum fn_kind {
    FN_SETTINGS, /* "reserved", "tags", "code_signing", "recursion", "next_version", ... */
    FN_VERSIONS, /* number → document (fn_doc.h): read one by one, never as a whole */
    FN_ALIASES, /* name → as the API shows it */
    FN_POLICIES, /* qualifier or "$LATEST" → resource policy */
    FN_URLS, /* qualifier or "$LATEST" → URL configuration */
    FN_EVENT_CONFIGS, /* qualifier or "$LATEST" → event invoke configuration */
    FN_PROVISIONED, /* qualifier → provisioned concurrency */
    FN_RUNTIME_CONFIGS, /* qualifier or "$LATEST" → runtime management configuration */
    FN_VERSION_CODE, /* number → archives it refers to, as fn_doc_code() has it */
    FN_VERSION_BYTES, /* number → size of its archive */
    FN_KIND_MAX,
};
#define FN_WANT(kind) (1u << (kind))
#define FN_WANT_LAST (1u << FN_KIND_MAX) /* the version that was published last */
#define FN_WANT_ACCOUNT (1u << (FN_KIND_MAX + 1)) /* the account's counters */

/* The account's counters (FN_WANT_ACCOUNT), without the account's prefix. */
#define FN_RESERVED_KEY "reserved" /* all functions' reserved concurrency */
#define FN_CODE_BYTES_KEY "code_bytes" /* the sizes of all archives */
#define FN_PROVISIONED_KEY "provisioned" /* provisioned by functions without a reservation */

/** The last part of the key of @kind; static. */
const char *fn_kind_name(enum fn_kind kind);
/** The key of @kind beside function @name, without the account's prefix; the caller frees it. */
char *fn_kind_key(struct str name, enum fn_kind kind);

/* A function, or a version or alias of one, beside the one that is read. */
struct fn_other {
    struct str name;
    struct str qualifier; /* empty: none */
};
#define FN_OTHERS_MAX 2u

struct fn_view {
    struct fn_record *rec;
    cJSON *settings; /* FN_SETTINGS: always there */
    cJSON *kinds[FN_KIND_MAX]; /* those that were wanted: {field: document} */
    cJSON *alias; /* that the qualifier names, else NULL */
    struct fn_version *version; /* published, that qualifier or alias names, else NULL */
    struct fn_version *second; /* that the alias routes to as well, else NULL */
    struct fn_version *last; /* published last, when it was wanted and is still there */
    int64_t reserved, provisioned, code_bytes; /* the account's counters, when wanted */
    bool others[FN_OTHERS_MAX]; /* whether each of the others exists */
};

void fn_view_free(struct fn_view *view);

/** @err NULL: @view is the receiver's. */
typedef void fn_view_fn(struct fn_view *view, const struct error *err, void *arg);
/**
 * Reads function @name.
 *
 * @qualifier  a version number, an alias, $LATEST or empty: what of it is there is in the view
 * @wants      FN_WANT() of the kinds to read whole, FN_WANT_LAST
 */
void fn_view_get(struct redis *redis, const struct seal_key *key, struct str account,
                 struct str name, struct str qualifier, unsigned wants, fn_view_fn *done,
                 void *arg);

/** The same; it is looked up in the same moment whether each of @others (FN_OTHERS_MAX) exists. */
void fn_view_get_with(struct redis *redis, const struct seal_key *key, struct str account,
                      struct str name, struct str qualifier, unsigned wants,
                      const struct fn_other *others, size_t others_len, fn_view_fn *done,
                      void *arg);

/** The number of @view's setting @name, or @otherwise. */
double fn_view_number(const struct fn_view *view, const char *name, double otherwise);
/** The document of @kind (wanted) under @field, or NULL. */
const cJSON *fn_view_doc(const struct fn_view *view, enum fn_kind kind, struct str field);

#endif
