/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setting_checks.h - checks of written settings that several programs' tables share (the `check` of
 * a struct config_item). Each returns NULL, or a static message that says what is wrong.
 *
 * Threads: any.
 */
#ifndef HEARTH_MODEL_SETTING_CHECKS_H
#define HEARTH_MODEL_SETTING_CHECKS_H

#include "common/base/str.h"

/** Twelve digits. */
const char *setting_check_account(struct str text);
/** Lower-case letters, digits and dashes, as in us-east-1. */
const char *setting_check_region(struct str text);
/** debug, info, warn or error. */
const char *setting_check_log_level(struct str text);
/** docker or containerd. */
const char *setting_check_image_store(struct str text);
/** unix:/path or tcp://host:port, the address of a link; or several, with commas. */
const char *setting_check_link_addresses(struct str text);

#endif
