/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_ref.h - the parts of a container image reference:
 *
 *   [host[:port]/]repository[:tag][@sha256:<64 hex>]      or      sha256:<64 hex>   (an image id)
 *
 * As Docker reads it, the first component is a registry's host when it has a dot, a colon, or is
 * "localhost".
 *
 * Owns:    nothing; parts point into the text.
 * Threads: any.
 * Source:  OCI distribution specification, "Pulling manifests"; Docker's reference grammar.
 */
#ifndef HEARTH_PROTO_IMAGE_REF_H
#define HEARTH_PROTO_IMAGE_REF_H

#include "common/base/error.h"
#include "common/base/str.h"

#define IMAGE_REF_MAX 1024 /* bytes of a reference */

struct image_ref {
    struct str host; /* empty: none given */
    struct str repository; /* without host; empty for an image id */
    struct str name; /* host and repository, as written; empty for an image id */
    struct str tag; /* empty: none given */
    struct str digest; /* "sha256:..."; empty: none given */
};

/** Takes @text apart; -ERR_BAD_REQUEST when it is not a reference. */
int image_ref_parse(struct str text, struct image_ref *ret, struct error *err);
/**
 * "<host>/<repository>" with what Docker leaves out: "python" is "docker.io/library/python". The
 * caller frees it.
 */
char *image_ref_full_name(const struct image_ref *ref);
/** Whether @s is "sha256:" and 64 lower-case hex digits. */
bool image_digest_is_valid(struct str s);

#endif
