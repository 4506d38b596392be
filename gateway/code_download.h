/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_download.h - GET /_hearth/v1/code/<sha256>.zip?expires=…&signature=…: the archive behind
 * GetFunction's Code.Location. The controller checks the signature.
 *
 * Owns:    the downloads under way.
 * Threads: loop thread only.
 * Errors:  all go to the client; 403 for a link that is wrong or too old.
 * Source:  docs/internals/links.md, method `code.download`.
 */
#ifndef HEARTH_GATEWAY_CODE_DOWNLOAD_H
#define HEARTH_GATEWAY_CODE_DOWNLOAD_H

#include "common/io/http_server.h"
#include "common/io/leader_link.h"

struct downloads;

/** @controller: borrowed, outlives it. */
struct downloads *downloads_new(struct leader_link *controller);
/** Forgets all of them, without answers. After link_free() of the controller's link. */
void downloads_free(struct downloads *downloads);
/** Serves @req for the file @name ("<sha256>.zip"). */
void downloads_serve(struct downloads *downloads, struct http_req *req, struct str name,
                     const char *request_id);

#endif
