/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iam.h - one call of the IAM API, from the form to its one answer.
 *
 * iam_api.c reads the input, then the role and the policy that the operation's row names, and calls
 * its handler (iam_roles.c, iam_role_policies.c, iam_policies.c, iam_policy_versions.c,
 * iam_tags.c, iam_lists.c). A handler answers at once, or gives a commit to iam_commit(): when
 * what was read has changed meanwhile, all begins again with reading.
 *
 * Policies are kept exactly and given back; nothing is allowed or denied by them.
 *
 * Owns:    a struct iam_request belongs to its handler; answering frees it.
 * Threads: loop thread only.
 * Errors:  what is ours (Redis) reaches the client as ServiceUnavailable or ServiceFailure without
 *          details, and the log with them.
 * Keys:    docs/internals/redis.md. Names of roles and policies differ by more than case, so fields
 *          and members are names in lower case.
 * Source:  IAM API reference and user guide ("IAM and AWS STS quotas").
 */
#ifndef HEARTH_CONTROLLER_IAM_IAM_H
#define HEARTH_CONTROLLER_IAM_IAM_H

#include "common/proto/iam_document.h"
#include "common/proto/iam_input.h"
#include "controller/controller.h"
#include "controller/store/docs.h"
#include "controller/iam/iam_managed.h"

#define IAM_ROLES "iam:roles" /* names */
#define IAM_ROLE "iam:role" /* name → JSON */
#define IAM_POLICIES "iam:policies"
#define IAM_POLICY "iam:policy"
/* + ARN of a policy: names of roles that have it attached, or as their boundary */
#define IAM_ATTACHED "iam:attached:"
#define IAM_BOUNDED "iam:bounded:"

/* A role or policy as it was read; all NULL when the operation does not name one. */
struct iam_entity {
    char *key; /* its name in lower case */
    char *text; /* as it is kept; NULL: there is none */
    cJSON *json; /* of @text; the handler may change it */
};

struct iam_request {
    struct controller *c;
    struct rpc_request *rpc;
    const struct iam_op *op;
    cJSON *input;
    char *account, *request_id;
    char *caller_arn; /* "…:root" when nobody says */
    unsigned tries;
    struct iam_entity role, policy;
    const struct iam_managed *managed; /* the policy is one of AWS's */
    char *policy_arn;
    uint64_t attached, bounded; /* how often the policy is in use */
    struct buf answer; /* what the answer's result has inside */
    void *list; /* of iam_lists.c */
};

typedef void iam_handler_fn(struct iam_request *req);

/* iam_roles.c */
iam_handler_fn iam_create_role, iam_get_role, iam_update_role, iam_update_role_description,
    iam_update_assume_role_policy, iam_delete_role, iam_put_role_boundary,
    iam_delete_role_boundary;
/* iam_role_policies.c */
iam_handler_fn iam_put_role_policy, iam_get_role_policy, iam_delete_role_policy,
    iam_list_role_policies, iam_attach_role_policy, iam_detach_role_policy,
    iam_list_attached_role_policies;
/* iam_policies.c */
iam_handler_fn iam_create_policy, iam_get_policy, iam_delete_policy;
/* iam_policy_versions.c */
iam_handler_fn iam_create_policy_version, iam_get_policy_version, iam_list_policy_versions,
    iam_delete_policy_version, iam_set_default_policy_version;
/* iam_tags.c */
iam_handler_fn iam_tag_role, iam_untag_role, iam_list_role_tags, iam_tag_policy, iam_untag_policy,
    iam_list_policy_tags;
/* iam_lists.c */
iam_handler_fn iam_list_roles, iam_list_policies, iam_list_entities_for_policy;

/* ---- errors, as the query protocol names them ---- */

#define IAM_ERROR_MAP(X)                                                                           \
    X(NoSuchEntity, 404)                                                                           \
    X(EntityAlreadyExists, 409)                                                                    \
    X(DeleteConflict, 409)                                                                         \
    X(LimitExceeded, 409)                                                                          \
    X(ConcurrentModification, 409)                                                                 \
    X(MalformedPolicyDocument, 400)                                                                \
    X(InvalidInput, 400)                                                                           \
    X(ValidationError, 400)                                                                        \
    X(MalformedInput, 400)                                                                         \
    X(InvalidAction, 400)                                                                          \
    X(MissingAction, 400)                                                                          \
    X(MalformedQueryString, 404)                                                                   \
    X(AccessDenied, 403)                                                                           \
    X(ServiceFailure, 500)                                                                         \
    X(ServiceUnavailable, 503)

enum iam_error {
#define IAM_ERROR_ENUM_(code, http) IAM_##code,
    IAM_ERROR_MAP(IAM_ERROR_ENUM_)
#undef IAM_ERROR_ENUM_
};

/** Answers an error. */
void iam_fail(struct iam_request *req, enum iam_error code, const char *fmt, ...)
    PRINTF_FORMAT(3, 4);
void iam_fail_text(struct iam_request *req, enum iam_error code, struct str message);
/** Answers an error of ours, of Redis. */
void iam_fail_ours(struct iam_request *req, const struct error *err);
/** "Policy <ARN> was not found." */
void iam_fail_no_policy(struct iam_request *req);
/** False: answered, the policy is one of AWS's and cannot be changed. */
bool iam_is_ours(struct iam_request *req);

/* ---- answers ---- */

/** Answers success with what is in req->answer. */
void iam_reply(struct iam_request *req);
/** A commit that expects the role and the policy to be as they were read. */
struct docs_commit *iam_commit_new(struct iam_request *req);
/** Adds req->role or req->policy, as the handler has changed it, to @commit. */
void iam_save_role(struct iam_request *req, struct docs_commit *commit);
void iam_save_policy(struct iam_request *req, struct docs_commit *commit);
/** Runs the commit, then iam_reply(); from the beginning when it was stale. */
void iam_commit(struct iam_request *req, struct docs_commit *commit);

/* ---- reading the input ---- */

/** The text of the member @name; a NULL ptr when it is absent. */
struct str iam_text(const struct iam_request *req, const char *name);
const cJSON *iam_member(const struct iam_request *req, const char *name);
/** @name in lower case, as roles and policies are kept; the caller frees it. */
char *iam_key(struct str name);
/** False: answered, the member @name is no document of that kind, or longer than AWS's quota. */
bool iam_check_document(struct iam_request *req, const char *name, enum iam_document_kind kind);
/** Sets the member @name of @json to @text, or removes it when its ptr is NULL. */
void iam_set_text(cJSON *json, const char *name, struct str text);
/** Puts @item before the item @at of @list, an array or (with its name) an object. */
void iam_insert(cJSON *list, int at, cJSON *item);
/** "2026-01-31T12:00:00Z" of now; IAM_DATE_MAX bytes. */
void iam_now(char *ret);
#define IAM_DATE_MAX 32

/* ---- pages ---- */

/*
 * A page of a list that lies in one document: the items [from, to). Its marker is a position, so a
 * list that is changed between two pages may show an item twice or miss one.
 */
struct iam_page {
    size_t from, to, total;
};

#define IAM_PAGE_DEFAULT 100u

/** MaxItems, or IAM_PAGE_DEFAULT. */
uint32_t iam_max_items(const struct iam_request *req);
/** False: answered, the marker is none of ours. */
bool iam_page_begin(struct iam_request *req, size_t total, struct iam_page *ret);
/** Writes IsTruncated and Marker. */
void iam_page_end(struct iam_request *req, const struct iam_page *page);
/** Reads Marker: @ret_kind is its first byte ('\0': there is none), @ret what follows. */
bool iam_marker_read(struct iam_request *req, char *ret_kind, struct buf *ret);
/** Writes IsTruncated and, unless @kind is '\0', Marker. */
void iam_marker_write(struct iam_request *req, char kind, struct str text);

/* ---- XML (iam_xml.c) ---- */

enum iam_detail { IAM_CREATED, IAM_LISTED, IAM_WHOLE };

/** A role's members. */
void iam_xml_role(struct buf *b, const char *account, const cJSON *role, enum iam_detail detail);
/** A policy's members; @json NULL: of @managed. */
void iam_xml_policy(struct buf *b, const char *account, const cJSON *json,
                    const struct iam_managed *managed, uint64_t attached, uint64_t bounded,
                    enum iam_detail detail);
/** The members of a version of a customer's policy (@with_document). */
void iam_xml_version(struct buf *b, const cJSON *policy, const cJSON *version, bool with_document);
/** The same of a policy of AWS's. */
void iam_xml_managed_version(struct buf *b, const struct iam_managed *managed, bool with_document);
/** <@name>, the document escaped for a URL as IAM has it, </@name> */
void iam_xml_document(struct buf *b, const char *name, struct str text);
/** One <member> for each of the tags [from, to). */
void iam_xml_tags(struct buf *b, const cJSON *tags, size_t from, size_t to);
/** Its ARN; the caller frees it. */
char *iam_role_arn(const char *account, const cJSON *role);
char *iam_policy_arn(const char *account, const cJSON *policy);

/* ---- tags (iam_tags.c) ---- */

/** Puts the member Tags of the input into @json. False: answered. */
bool iam_tags_put(struct iam_request *req, cJSON *json);

#endif
