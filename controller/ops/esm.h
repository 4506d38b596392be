/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esm.h - an event source mapping as a document: {"Mapping": as the API shows it, "Enabled",
 * "Transition", "Until"}. Its state is no member of it: while @now is before Until (Unix ms) it is
 * the transition, afterwards Enabled or Disabled.
 *
 * What each kind of source offers, and what it is when a request does not say, are tables here;
 * whether values may be what they are is esm_check.h's business.
 *
 * Owns:    nothing; documents are their holders'.
 * Threads: any.
 * Errors:  AWS's, in AWS's words where they are known.
 * Source:  Lambda API reference, EventSourceMappingConfiguration; developer guide, parameters of each
 *          event source; recorded answers.
 */
#ifndef HEARTH_CONTROLLER_OPS_ESM_H
#define HEARTH_CONTROLLER_OPS_ESM_H

#include <cjson/cJSON.h>

#include "common/base/error.h"
#include "common/base/str.h"

enum esm_source {
    ESM_SQS,
    ESM_SQS_FIFO,
    ESM_KINESIS,
    ESM_DYNAMODB, /* a table's stream */
    ESM_MSK,
    ESM_KAFKA, /* self-managed */
    ESM_MQ,
    ESM_DOCUMENTDB,
    ESM_SOURCE_MAX,
};
#define ESM_IS(source) (1u << (source))
#define ESM_ANY_SQS (ESM_IS(ESM_SQS) | ESM_IS(ESM_SQS_FIFO))
#define ESM_STREAMS (ESM_IS(ESM_KINESIS) | ESM_IS(ESM_DYNAMODB))
#define ESM_ANY_KAFKA (ESM_IS(ESM_MSK) | ESM_IS(ESM_KAFKA))
#define ESM_ALL (ESM_IS(ESM_SOURCE_MAX) - 1u)

#define ESM_TRANSITION_MS 1000u /* how long Creating, Updating, … show */

/**
 * The kind of source of @json, a mapping or the request for one.
 *
 * Returns 0 or -ERR_BAD_REQUEST "Unrecognized event source."
 */
int esm_source_of(const cJSON *json, enum esm_source *ret, struct error *err);
/** The sources that offer the parameter @name, as ESM_IS() bits; ESM_ALL for an unknown one. */
unsigned esm_parameter_sources(const char *name);
/** Whether @value says nothing: null, "", [], {}, or an object of such. */
bool esm_is_nothing(const cJSON *value);

/** A new document of @source, before esm_apply(). */
cJSON *esm_new(enum esm_source source, struct str uuid, struct str arn);
/** Takes over what @input says, whose values have been checked. */
void esm_apply(cJSON *esm, enum esm_source source, const cJSON *input, struct str function_arn);
/** After esm_apply(): what it was about, at Unix time @now_ms. @is_new: it has just been made. */
void esm_begin_transition(cJSON *esm, const cJSON *input, bool is_new, uint64_t now_ms);

/** The part that the API shows, borrowed; never NULL for a document of ours. */
cJSON *esm_mapping(const cJSON *esm);
/** As the API shows it at Unix time @now_ms; @state NULL: the state that it has. */
cJSON *esm_to_aws(const cJSON *esm, uint64_t now_ms, const char *state);

#endif
