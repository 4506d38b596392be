/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_signature.h - whether an archive is signed by somebody who may.
 *
 * The signature is the archive's entry META-INF/hearth-signature.p7s: a detached CMS SignedData
 * (DER) over the archive's manifest. The manifest has a line for each other file and symbolic link,
 * in the order of their paths' bytes:
 *
 *     <SHA-256 of the contents, 64 lower-case hex digits> <"file" or "link"> <path>\n
 *
 * The contents of a link are its target. Folders, times and permissions are not signed.
 *
 * A signing profile is a file <profile version ARN>.pem in a folder, with "%" written as %25 and
 * "/" as %2F in the ARN; it holds the certificates whose keys sign for it. These are what is
 * trusted, by themselves: no authority stands above them. A certificate counts from its notBefore
 * to its notAfter.
 *
 * Owns:    nothing.
 * Threads: any; takes up to seconds: worker threads only.
 * Errors:  -ERR_CODE_UNVERIFIED: not signed, or by nobody who may: refused where a configuration
 *          enforces; -ERR_CODE_SIGNATURE: signed, but not these contents: refused always;
 *          -ERR_SYSTEM. What a person should see is in @why.
 * Source:  Lambda developer guide, "Code signing"; RFC 5652.
 */
#ifndef HEARTH_CONTROLLER_CODE_CODE_SIGNATURE_H
#define HEARTH_CONTROLLER_CODE_CODE_SIGNATURE_H

#include <cjson/cJSON.h>

#include "common/base/buf.h"
#include "common/base/error.h"

#define CODE_SIGNATURE_ENTRY "META-INF/hearth-signature.p7s"
#define CODE_SIGNATURE_MAX (256u * 1024u) /* bytes of a signature */
#define CODE_MANIFEST_MAX (64u * 1024u * 1024u)

/**
 * Checks @zip, an archive that zip_check() has let through.
 *
 * @profiles_dir  folder of the signing profiles; "" or one that is not there: there are none
 * @profiles      the ARNs of those whose signatures are good: an array of strings
 * @why           the reason in our words; may be NULL
 */
int code_signature_check(struct str zip, const char *profiles_dir, const cJSON *profiles,
                         struct error *why, struct error *err);
/**
 * The manifest of @zip and the bytes of its signature.
 *
 * @ret_manifest   ceiling CODE_MANIFEST_MAX
 * @ret_signature  empty: there is none; ceiling CODE_SIGNATURE_MAX
 *
 * Returns 0 or -ERR_CODE_SIGNATURE.
 */
int code_manifest(struct str zip, struct buf *ret_manifest, struct buf *ret_signature,
                  struct error *why);

#endif
