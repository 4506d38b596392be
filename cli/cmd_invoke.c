/* SPDX-License-Identifier: Apache-2.0 */
/* hearth invoke - calls a function: the answer on standard output, its log on standard error. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/api.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "common/base/error.h"
#include "common/base/file.h"

#define PAYLOAD_MOST (6u * 1024u * 1024u)
#define WAIT_S 960

static void usage(void)
{
    fputs("Usage: hearth invoke NAME [PAYLOAD | @FILE | -] [--qualifier Q] [--no-log] [--endpoint-url URL]\n\n"
          "PAYLOAD is JSON; @FILE reads it from a file, - from standard input; without it: {}.\n"
          "Exit status 3 when the function failed.\n",
          stderr);
}

static int payload_read(const char *given, struct buf *payload)
{
    struct error err;
    int r = 0;

    if (!given)
        r = buf_append_str(payload, STR("{}"));
    else if (given[0] == '@')
        r = file_read(given + 1, payload, &err);
    else if (strcmp(given, "-") == 0)
        r = file_read("/dev/stdin", payload, &err);
    else
        buf_append_str(payload, str_of(given));
    return r < 0 ? complain(EXIT_USAGE, NULL, "%s", err.msg) : EXIT_FINE;
}

static int invoke(const char *name, const char *qualifier, struct str payload, bool log)
{
    CLEANUP(freep) char *escaped = api_escape(name);
    CLEANUP(freep) char *escaped_qualifier = api_escape(qualifier ? qualifier : "");
    CLEANUP(freep) char *path =
        str_printf("/2015-03-31/functions/%s/invocations%s%s", escaped,
                   qualifier ? "?Qualifier=" : "", escaped_qualifier);
    const char *const headers[] = {"Content-Type: application/json",
                                   log ? "X-Amz-Log-Type: Tail" : "X-Amz-Log-Type: None", NULL};
    struct api_answer answer;
    int r = api_call("POST", path, headers, payload, WAIT_S, &answer);

    if (r == EXIT_FINE && answer.status >= 400) {
        r = api_complain(&answer);
    } else if (r == EXIT_FINE) {
        terminal_write(stderr, buf_str(&answer.log_result));
        fwrite(answer.body.ptr, 1, answer.body.len, stdout);
        if (answer.body.len && answer.body.ptr[answer.body.len - 1] != '\n')
            fputc('\n', stdout);
        if (answer.function_error[0])
            r = EXIT_FUNCTION_ERROR;
    }
    api_answer_done(&answer);
    return r;
}

int cmd_invoke(int argc, char **argv)
{
    static const struct option options[] = {{"qualifier", 1, NULL, 'q'},
                                            {"no-log", 0, NULL, 'n'},
                                            {"endpoint-url", 1, NULL, 'u'},
                                            {"help", 0, NULL, '?'},
                                            {0}};
    CLEANUP(buf_done) struct buf payload = BUF_INIT(PAYLOAD_MOST);
    const char *qualifier = NULL;
    bool log = true;
    int c, r;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'q': qualifier = optarg; break;
        case 'n': log = false; break;
        case 'u': api_set_endpoint(optarg); break;
        default: usage(); return EXIT_USAGE;
        }
    }
    if (optind >= argc || argc - optind > 2) {
        usage();
        return EXIT_USAGE;
    }
    r = payload_read(optind + 1 < argc ? argv[optind + 1] : NULL, &payload);
    return r == EXIT_FINE ? invoke(argv[optind], qualifier, buf_str(&payload), log) : r;
}
