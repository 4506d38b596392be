/* SPDX-License-Identifier: Apache-2.0 */
/* version.h - what this build calls itself. Threads: any. */
#ifndef HEARTH_BASE_VERSION_H
#define HEARTH_BASE_VERSION_H

#define HEARTH_VERSION "0.1.0"

#endif
