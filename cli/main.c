/* SPDX-License-Identifier: Apache-2.0 */
/* hearth - the command line: one table of subcommands. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "common/base/cleanup.h"
#include "common/base/version.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} commands[] = {
    {"up", cmd_up, "run Hearth on this machine, in the foreground"},
    {"deploy", cmd_deploy, "create a function or give it new code: an image, a zip, a folder"},
    {"invoke", cmd_invoke, "call a function and print its answer"},
    {"logs", cmd_logs, "print what a function has logged"},
    {"list", cmd_list, "list the functions"},
    {"delete", cmd_delete, "delete a function"},
    {"token", cmd_token, "make a token that lets a new machine into the cluster"},
    {"env", cmd_env, "print the variables that point AWS tools to Hearth"},
};

static int help(FILE *to)
{
    size_t i;

    fprintf(to, "hearth - your own AWS Lambda\n\nUsage: hearth COMMAND [--help] ...\n\n");
    for (i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(to, "  %-10s%s\n", commands[i].name, commands[i].about);
    fprintf(to, "\nThe endpoint is --endpoint-url URL, else AWS_ENDPOINT_URL_LAMBDA, else AWS_ENDPOINT_URL, else\n"
                "http://127.0.0.1:9000.\n\n"
                "Exit status: 0 fine, 1 failed, 2 usage, 3 the function failed, 4 not found, 5 not allowed,\n"
                "6 throttled, 7 Hearth cannot be reached.\n");
    return EXIT_FINE;
}

int main(int argc, char **argv)
{
    size_t i;

    if (argc < 2)
        return help(stderr), EXIT_USAGE;
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)
        return help(stdout);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
        printf("hearth %s\n", HEARTH_VERSION);
        return EXIT_FINE;
    }
    for (i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return complain(EXIT_USAGE, "`hearth help` lists the commands", "there is no command \"%s\"",
                    argv[1]);
}
