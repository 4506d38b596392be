/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_config.h - what an image says about its main process, in the JSON that OCI's configurations
 * and Docker's answers share.
 *
 * Owns:    the arrays it fills in; their strings, and the rest, are borrowed from the JSON.
 * Threads: any.
 * Errors:  none: what is missing or of another kind is left empty.
 * Source:  OCI image specification, "config"; Docker Engine API, ImageInspect.
 */
#ifndef HEARTH_INVOKER_IMAGE_CONFIG_H
#define HEARTH_INVOKER_IMAGE_CONFIG_H

#include <cjson/cJSON.h>

#include "invoker/image_store.h"

/** Sets entry point, command, environment, working directory and volumes of @info. */
void image_config_borrow(const cJSON *config, struct image_info *info);
/** Frees what that has allocated. */
void image_config_done(struct image_info *info);
/** A string member; "" when there is none. */
const char *image_config_string(const cJSON *json, const char *key);

#endif
