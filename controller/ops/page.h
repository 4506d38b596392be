/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.h - lists in pages: MaxItems, Marker and NextMarker, as every list of the API has them.
 *
 * A marker is the name of the last item that was shown, in base64: pages go on from there, also
 * when that item has gone meanwhile.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_BAD_REQUEST for a marker that is none.
 * Source:  Lambda API reference, the List operations.
 */
#ifndef HEARTH_CONTROLLER_OPS_PAGE_H
#define HEARTH_CONTROLLER_OPS_PAGE_H

#include <cjson/cJSON.h>

#include "common/base/buf.h"
#include "common/base/error.h"

#define PAGE_MAX 50u /* AWS: never more in one answer, whatever MaxItems says */
#define PAGE_MARKER_MAX 1024u

/** How many items the answer to @input may have: MaxItems, at most @max. */
uint32_t page_limit(const cJSON *input, uint32_t max);
/** The name behind which the page begins, empty for the first one. */
int page_marker(const cJSON *input, struct buf *ret, struct error *err);
/** Adds NextMarker: the last item of this page is @last. */
void page_add_marker(cJSON *json, struct str last);
/**
 * One page of @all (an object whose members are the items), in the order of their names: copies of
 * the items that @keep (NULL: all) wants are added as an array under @name, NextMarker if there are
 * more.
 */
int page_add_items(cJSON *json, const char *name, const cJSON *all, const cJSON *input,
                   bool (*keep)(const cJSON *item, const void *arg), const void *arg,
                   struct error *err);

#endif
