/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extension_register.h - the body of an extension's register call: {"events": ["INVOKE", …]}.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_BAD_REQUEST with the words of Go's JSON package, in which AWS's own server is
 *          written, for the commonest mistakes.
 * Source:  Lambda developer guide, "Lambda Extensions API", Register.
 */
#ifndef HEARTH_PROTO_EXTENSION_REGISTER_H
#define HEARTH_PROTO_EXTENSION_REGISTER_H

#include "common/base/error.h"
#include "common/base/str.h"

#define EXTENSION_INVOKE 0x01u
#define EXTENSION_SHUTDOWN 0x02u

struct extension_register {
    unsigned events; /* EXTENSION_* */
    char unknown[64]; /* the first event that is none of them, cut; "" when all are known */
};

int extension_register_parse(struct str body, struct extension_register *ret, struct error *err);

#endif
