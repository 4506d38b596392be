/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iam_document.h - is this text a policy document that IAM takes? Its form is checked, not whether
 * what it names exists.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_BAD_REQUEST (AWS's MalformedPolicyDocument), in AWS's words.
 * Source:  IAM user guide, "Grammar of the IAM JSON policy language", "IAM and AWS STS quotas".
 */
#ifndef HEARTH_PROTO_IAM_DOCUMENT_H
#define HEARTH_PROTO_IAM_DOCUMENT_H

#include "common/base/error.h"
#include "common/base/str.h"

enum iam_document_kind {
    IAM_IDENTITY_POLICY, /* inline and managed: has resources, no principal */
    IAM_TRUST_POLICY, /* who may assume a role: has a principal, no resources */
};

int iam_document_check(struct str text, enum iam_document_kind kind, struct error *err);
/** Its length in characters as quotas count it: without white space. */
size_t iam_document_size(struct str text);

#endif
