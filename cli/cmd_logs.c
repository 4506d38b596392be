/* SPDX-License-Identifier: Apache-2.0 */
/* hearth logs - what a function has logged: the newest lines, or all since a time, page by page. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/api.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "common/base/clock.h"
#include "common/base/error.h"

#define PAGE_LINES 10000

struct reading {
    const char *name, *request_id;
    uint64_t since_ms; /* 0: the newest lines */
    uint64_t last_ms; /* time of the last line shown */
    size_t at_last; /* lines shown that have this time: the next page begins with them again */
    size_t shown;
};

static void usage(void)
{
    fputs("Usage: hearth logs NAME [--since 10m] [--request-id ID] [--endpoint-url URL]\n\n"
          "Without --since the newest 1000 lines; a time is a number with s, m, h or d.\n",
          stderr);
}

/* "10m" to Unix milliseconds; 0 when it is not a time. */
static uint64_t parse_since(const char *written)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    struct str s = str_of(written);
    uint64_t n;
    size_t i;

    if (s.len < 2 || str_parse_u64(str_sub(s, 0, s.len - 1), &n) < 0 || n > 1000000)
        return 0;
    for (i = 0; i < ARRAY_LEN(units); i++)
        if (s.ptr[s.len - 1] == units[i].unit)
            return wall_ms() - n * units[i].seconds * 1000;
    return 0;
}

static void show(struct reading *r, const cJSON *record, uint64_t ms)
{
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(record, "message");
    char time[CLOCK_ISO_MAX];

    clock_format_iso(ms, time);
    printf("%s ", time);
    terminal_write(stdout, str_of(cJSON_GetStringValue(message)));
    putchar('\n');
    r->at_last = ms == r->last_ms ? r->at_last + 1 : 1;
    r->last_ms = ms;
    r->shown++;
}

/* Shows the lines of one page; how many of them were new. */
static size_t show_page(struct reading *r, struct str all)
{
    size_t skip = r->at_last, before = r->shown;
    uint64_t seen_ms = r->last_ms, ms;
    struct str line;
    const cJSON *time;
    cJSON *record;

    while (str_split(&all, '\n', &line)) {
        record = cJSON_ParseWithLength(line.ptr, line.len);
        time = cJSON_GetObjectItemCaseSensitive(record, "time");
        ms = cJSON_IsNumber(time) ? (uint64_t)time->valuedouble : 0;
        if (record && skip && ms == seen_ms)
            skip--; /* stood at the end of the page before */
        else if (record)
            show(r, record, ms);
        cJSON_Delete(record);
    }
    return r->shown - before;
}

static int read_page(struct reading *r, struct api_answer *answer)
{
    CLEANUP(freep) char *escaped = api_escape(r->name);
    CLEANUP(freep) char *id = api_escape(r->request_id ? r->request_id : "");
    CLEANUP(freep) char *since = str_printf("&since=%" PRIu64 "&limit=%d", r->last_ms, PAGE_LINES);
    CLEANUP(freep) char *path = str_printf("/_hearth/v1/logs/%s?%s%s%s", escaped,
                                           r->request_id ? "request-id=" : "", id, r->since_ms ? since : "");
    int status = api_call("GET", path, NULL, STR_NULL, 60, answer);

    if (status == EXIT_FINE && answer->status >= 400)
        status = api_complain(answer);
    return status;
}

/* A name without lines may be a quiet function, one that is gone, or a mistake. */
static int check_function(const struct reading *r)
{
    CLEANUP(freep) char *escaped = api_escape(r->name);
    CLEANUP(freep) char *path = str_printf("/2015-03-31/functions/%s/configuration", escaped);
    struct api_answer answer;
    int status = api_call("GET", path, NULL, STR_NULL, 30, &answer);

    if (status == EXIT_FINE && answer.status >= 400)
        status = api_complain(&answer);
    api_answer_done(&answer);
    return status;
}

static int read_all(struct reading *r)
{
    struct api_answer answer;
    bool more = true;
    size_t fresh;
    int status = EXIT_FINE;

    r->last_ms = r->since_ms;
    while (status == EXIT_FINE && more) {
        status = read_page(r, &answer);
        if (status == EXIT_FINE) {
            fresh = show_page(r, buf_str(&answer.body));
            more = answer.more && r->since_ms && fresh > 0;
            if (answer.more && !r->since_ms)
                fputs("(older lines: --since)\n", stderr);
        }
        api_answer_done(&answer);
    }
    if (status == EXIT_FINE && r->shown == 0)
        status = check_function(r);
    return status;
}

int cmd_logs(int argc, char **argv)
{
    static const struct option options[] = {{"request-id", 1, NULL, 'r'},
                                            {"since", 1, NULL, 's'},
                                            {"endpoint-url", 1, NULL, 'u'},
                                            {"help", 0, NULL, '?'},
                                            {0}};
    struct reading r = {0};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'r': r.request_id = optarg; break;
        case 'u': api_set_endpoint(optarg); break;
        case 's':
            r.since_ms = parse_since(optarg);
            if (r.since_ms)
                break;
            return complain(EXIT_USAGE, "write 30s, 10m, 2h or 1d", "\"%s\" is not a time", optarg);
        default: usage(); return EXIT_USAGE;
        }
    }
    if (argc - optind != 1) {
        usage();
        return EXIT_USAGE;
    }
    r.name = argv[optind];
    return read_all(&r);
}
