/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_doc.h - a version of a function as the text that the registry keeps: JSON, its environment
 * sealed and bound to account and function.
 *
 * Owns:    nothing.
 * Threads: loop thread only.
 * Errors:  -ERR_PROTOCOL for a text that is wrong, seal.h's for a lost key.
 */
#ifndef HEARTH_CONTROLLER_STORE_FN_DOC_H
#define HEARTH_CONTROLLER_STORE_FN_DOC_H

#include "common/model/fn.h"
#include "common/proto/seal.h"

/** The text of @ver; the caller frees *@ret. */
int fn_doc_write(const struct seal_key *key, const struct fn_version *ver, char **ret,
                 struct error *err);
/**
 * Reads a text. With @forgive, an environment that cannot be unsealed is left out: one function
 * with a lost key must not hide the others of a list.
 */
int fn_doc_read(const struct seal_key *key, struct str text, bool forgive, struct fn_version **ret,
                struct error *err);
/** The archives @ver refers to, its own and its layers', separated by blanks; the caller frees it. */
char *fn_doc_code(const struct fn_version *ver);

#endif
