/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_verify.h - an archive that has come for a function, held against the function's code signing
 * configuration before anything refers to it.
 *
 * Owns:    nothing but the requests under way.
 * Borrows: the controller.
 * Threads: loop thread only; the signature is checked on a worker. The callback never runs inside
 *          the call and comes exactly once, unless the controller ends meanwhile.
 * Errors:  ERR_NO_CODE_SIGNING: there is no such configuration; ERR_CODE_SIGNATURE;
 *          ERR_CODE_UNVERIFIED where the configuration enforces (else it is logged); those of
 *          docs.h and code_store.h.
 */
#ifndef HEARTH_CONTROLLER_CODE_CODE_VERIFY_H
#define HEARTH_CONTROLLER_CODE_CODE_VERIFY_H

#include "controller/controller.h"

/** @err NULL: the archive may be deployed. */
typedef void code_verify_fn(const struct error *err, void *arg);
/**
 * Checks the archive that @pin holds (copied; it must hold until @done) by the configuration @arn.
 *
 * @what  whose archive it is, for the log: the function's name
 */
void code_verify(struct controller *c, struct str account, struct str arn,
                 const struct code_pin *pin, struct str what, code_verify_fn *done, void *arg);

#endif
