/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - a program's settings from one table: default, file, environment, flags, in that
 * order. The same table yields --help and docs/configuration.md.
 *
 * A file holds `name = value` lines and # comments; the flag of `redis_url` is --redis-url, its
 * variable is named in the table. All mistakes are reported together.
 *
 * Owns:    strings it puts into the target struct; config_done() frees them.
 * Threads: start-up only; afterwards the struct is const.
 * Errors:  -ERR_CONFIG with every problem, one a line, in the caller's buf.
 */
#ifndef HEARTH_BASE_CONFIG_H
#define HEARTH_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/buf.h"

enum config_type {
    CFG_STRING, /* char *, owned; "" when empty */
    CFG_SECRET, /* the same, never shown: not in the report of a mistake either */
    CFG_U64, /* uint64_t, plain count */
    CFG_BYTES, /* uint64_t; suffixes K M G (powers of 1024) */
    CFG_USEC, /* uint64_t microseconds; written 250ms, 3s, 5m, 2h */
    CFG_BOOL, /* bool; true/false/yes/no/1/0 */
};

struct config_item {
    const char *name; /* snake_case */
    const char *env; /* environment variable */
    enum config_type type;
    size_t offset; /* of the member in the program's struct */
    const char *def; /* default, in the written form */
    uint64_t min, max; /* legal range of numbers; of a string: its length */
    const char *help;
    /* optional further check of the text: a static message that says what is legal, or NULL */
    const char *(*check)(struct str text);
};

struct config_program {
    const char *name; /* "hearth-gateway" */
    const char *about; /* one line */
    const struct config_item *items;
    size_t len;
};

enum config_outcome {
    CONFIG_RUN, /* settings are loaded */
    CONFIG_EXIT_OK, /* --help, --version or --config-docs was printed */
};

/**
 * Fills @target from defaults, --config FILE, environment and flags.
 *
 * @problems  gets one line for each mistake: key, value, where it came from, legal range
 *
 * Returns enum config_outcome, or -ERR_CONFIG with @problems filled.
 */
int config_load(const struct config_program *prog, int argc, char **argv, void *target,
                struct buf *problems);
/** Frees the strings in @target. */
void config_done(const struct config_program *prog, void *target);
/** Parses one written value as the table row says; a static message on failure, else NULL. */
const char *config_set(const struct config_item *item, struct str text, void *target);
/** Prints the table as text for --help. */
void config_print_help(const struct config_program *prog, FILE *to);
/** Prints the table as a Markdown section for docs/configuration.md. */
void config_print_markdown(const struct config_program *prog, FILE *to);

#endif
