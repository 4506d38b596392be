/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands.h - the subcommands of `hearth`: one function each, and what they share.
 *
 * A command gets argv with its own name in argv[0] and returns the exit status. Results go to
 * standard output, messages to standard error.
 *
 * Threads: one.
 */
#ifndef HEARTH_CLI_COMMANDS_H
#define HEARTH_CLI_COMMANDS_H

#include "common/base/str.h"

/* Exit statuses, the same for every command; `hearth help` lists them. */
enum exit_status {
    EXIT_FINE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_FUNCTION_ERROR = 3,
    EXIT_NOT_FOUND = 4,
    EXIT_AUTH = 5,
    EXIT_THROTTLED = 6,
    EXIT_UNREACHABLE = 7,
};

int cmd_up(int argc, char **argv);
int cmd_deploy(int argc, char **argv);
int cmd_invoke(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_delete(int argc, char **argv);
int cmd_logs(int argc, char **argv);
int cmd_env(int argc, char **argv);
int cmd_token(int argc, char **argv);

#endif
