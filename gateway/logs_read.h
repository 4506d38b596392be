/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logs_read.h - GET /_hearth/v1/logs/NAME: what a function has logged, gathered from all invokers.
 *
 * Query: since (Unix milliseconds), request-id, limit. The answer is log records, one JSON line each
 * (log_record.h), in the order of their times; X-Hearth-More: true when the limit cut some off, and
 * X-Hearth-Missing-Nodes: N when N invokers did not answer.
 *
 * Owns:    the readings under way.
 * Threads: loop thread only.
 * Errors:  all go to the client, as AWS's.
 */
#ifndef HEARTH_GATEWAY_LOGS_READ_H
#define HEARTH_GATEWAY_LOGS_READ_H

#include "common/io/http_server.h"
#include "gateway/nodes.h"

struct log_reads;

/** @nodes, @account: borrowed, outlive it. */
struct log_reads *log_reads_new(struct nodes *nodes, const char *account);
/** Forgets all readings, without answers. After nodes_free(), which ends their callbacks. */
void log_reads_free(struct log_reads *reads);
/** Serves @req for the function @name. */
void log_reads_serve(struct log_reads *reads, struct http_req *req, struct str name,
                     const char *request_id);

#endif
