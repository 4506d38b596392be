/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h - one question to an image registry: which digest does a name have now? Nothing is
 * pulled. For the image store of an engine that cannot ask by itself.
 *
 * HTTPS with the system's certificates; plain HTTP for a registry on loopback, as engines do. What
 * else an engine may be told about a registry (mirrors, certificates of its own) is not known here.
 *
 * Owns:    a question until its callback. Borrows: http_client.
 * Threads: loop thread only.
 * Errors:  ERR_NOT_FOUND, ERR_ACCESS_DENIED (401, 403), ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_PROTOCOL
 *          (an answer that is not a registry's), ERR_INTERNAL (another status).
 * Source:  OCI distribution specification 1.1, "Pulling manifests"; Docker's token authentication.
 */
#ifndef HEARTH_IO_REGISTRY_H
#define HEARTH_IO_REGISTRY_H

#include "common/io/http_client.h"
#include "common/proto/image_ref.h"

struct registry_question;

/** Exactly once. @err NULL: @digest ("sha256:...") is borrowed for the call. */
typedef void registry_done_fn(const char *digest, const struct error *err, void *arg);

/**
 * The digest of the manifest, or index, that @ref stands for: its digest, else its tag, else
 * "latest". @auth_file: Docker's config.json; "": anonymous. Both are read during the call only.
 */
struct registry_question *registry_ask(struct http_client *http, const struct image_ref *ref,
                                       const char *auth_file, registry_done_fn *done, void *arg);
/** Ends it without its callback. Not inside its own callback. */
void registry_cancel(struct registry_question *q);

#endif
