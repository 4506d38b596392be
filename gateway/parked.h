/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parked.h - a request that waits for somebody's answer, where the work goes on when its client
 * leaves: management calls, readings of logs, downloads. First member of what works for it.
 *
 * Owns:    nothing; the request stays the HTTP engine's until answered.
 * Threads: loop thread only.
 */
#ifndef HEARTH_GATEWAY_PARKED_H
#define HEARTH_GATEWAY_PARKED_H

#include "common/base/id.h"
#include "common/base/list.h"
#include "common/io/http_server.h"
#include "gateway/pending.h"

struct parked {
    struct pending pending; /* first: http_user() */
    struct list_node node; /* in the list of its kind */
    struct http_req *req; /* NULL: nobody waits for the answer any more */
    char request_id[UUID_MAX];
};

/** @req waits from now on; @parked joins @all. */
void parked_begin(struct parked *parked, struct list_node *all, struct http_req *req,
                  const char *request_id);
/** Leaves the list; the request has been answered, or its client has gone. */
void parked_end(struct parked *parked);

#endif
