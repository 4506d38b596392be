/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iam_managed.h - policies that AWS manages (arn:aws:iam::aws:policy/…): there to attach and to
 * read, in every account, never to change. Each has its default version only.
 *
 * Owns:    nothing; the table is const.
 * Threads: any.
 * Source:  AWS managed policy reference guide.
 */
#ifndef HEARTH_CONTROLLER_IAM_IAM_MANAGED_H
#define HEARTH_CONTROLLER_IAM_IAM_MANAGED_H

#include "common/base/cleanup.h"
#include "common/base/str.h"

struct iam_managed {
    const char *name;
    const char *path; /* "/service-role/" */
    const char *id;
    const char *version; /* "v3" */
    const char *created, *updated; /* "2015-04-09T15:03:43Z" */
    const char *document;
};

/** In the order of their names. */
extern const struct iam_managed iam_managed_table[];
extern const size_t iam_managed_len;

/** The policy with that ARN, or NULL. */
const struct iam_managed *iam_managed_find(struct str arn);

#endif
