/* SPDX-License-Identifier: Apache-2.0 */
/* hearth list, delete, logs, env - small commands that are one call each. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/api.h"
#include "cli/commands.h"
#include "common/base/clock.h"
#include "common/base/error.h"

static const char *text(const cJSON *object, const char *name, const char *otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsString(v) ? v->valuestring : otherwise;
}

static int number(const cJSON *object, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsNumber(v) ? (int)v->valuedouble : 0;
}

/* Flags that all of these take; the first free argument or NULL, -1 in *@status on wrong use. */
static const char *parse(int argc, char **argv, const struct option *options, int max_free,
                         void (*on_flag)(int flag), const char *usage, int *status)
{
    int c;

    *status = EXIT_FINE;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'u')
            api_set_endpoint(optarg);
        else if (c != '?' && on_flag)
            on_flag(c);
        else
            *status = EXIT_USAGE;
    }
    if (argc - optind > max_free)
        *status = EXIT_USAGE;
    if (*status != EXIT_FINE)
        fprintf(stderr, "Usage: %s\n", usage);
    return optind < argc ? argv[optind] : NULL;
}

static const struct option endpoint_only[] = {{"endpoint-url", 1, NULL, 'u'}, {"help", 0, NULL, '?'}, {0}};

/* Prints one page; the marker of the next (owned) or NULL. */
static char *print_page(const struct api_answer *answer)
{
    cJSON *json = cJSON_ParseWithLength(answer->body.ptr, answer->body.len);
    const cJSON *fn, *all = cJSON_GetObjectItemCaseSensitive(json, "Functions");
    const char *marker = text(json, "NextMarker", NULL);
    char *next = marker ? str_dup(str_of(marker)) : NULL;

    cJSON_ArrayForEach(fn, all)
    {
        printf("%-40s %-16s %5d MB %4d s  %s\n", text(fn, "FunctionName", ""),
               text(fn, "Runtime", text(fn, "PackageType", "")), number(fn, "MemorySize"),
               number(fn, "Timeout"), text(fn, "LastModified", ""));
    }
    cJSON_Delete(json);
    return next;
}

int cmd_list(int argc, char **argv)
{
    char *marker = NULL, *path, *escaped;
    struct api_answer answer;
    int r;

    parse(argc, argv, endpoint_only, 0, NULL, "hearth list [--endpoint-url URL]", &r);
    while (r == EXIT_FINE) {
        escaped = api_escape(marker ? marker : "");
        path = str_printf("/2015-03-31/functions?MaxItems=50%s%s", marker ? "&Marker=" : "", escaped);
        free(marker);
        marker = NULL;
        r = api_call("GET", path, NULL, STR_NULL, 30, &answer);
        if (r == EXIT_FINE)
            r = answer.status >= 400 ? api_complain(&answer) : EXIT_FINE;
        if (r == EXIT_FINE)
            marker = print_page(&answer);
        api_answer_done(&answer);
        free(escaped);
        free(path);
        if (!marker)
            break;
    }
    return r;
}

int cmd_delete(int argc, char **argv)
{
    const char *usage = "hearth delete NAME [--endpoint-url URL]";
    struct api_answer answer;
    int r;
    const char *name = parse(argc, argv, endpoint_only, 1, NULL, usage, &r);

    if (r != EXIT_FINE)
        return r;
    if (!name) {
        fprintf(stderr, "Usage: %s\n", usage);
        return EXIT_USAGE;
    }
    CLEANUP(freep) char *escaped = api_escape(name);
    CLEANUP(freep) char *path = str_printf("/2015-03-31/functions/%s", escaped);

    r = api_call("DELETE", path, NULL, STR_NULL, 60, &answer);
    if (r == EXIT_FINE && answer.status >= 400)
        r = api_complain(&answer);
    api_answer_done(&answer);
    return r;
}

static const char *logs_request_id, *logs_since;

static void on_logs_flag(int flag)
{
    if (flag == 'r')
        logs_request_id = optarg;
    else if (flag == 's')
        logs_since = optarg;
}

/* "10m" to Unix milliseconds; 0 when it is not a time. */
static uint64_t since_ms(const char *written)
{
    struct str s = str_of(written);
    uint64_t n, unit;

    if (s.len < 2 || str_parse_u64(str_sub(s, 0, s.len - 1), &n) < 0 || n > 1000000)
        return 0;
    unit = s.ptr[s.len - 1] == 's' ? 1 : s.ptr[s.len - 1] == 'm' ? 60 : s.ptr[s.len - 1] == 'h' ? 3600 : 0;
    if (s.ptr[s.len - 1] == 'd')
        unit = 86400;
    return unit ? wall_ms() - n * unit * 1000 : 0;
}

/* Each line of the answer is one record: its time and message are for people. */
static void print_records(struct str all)
{
    char time[CLOCK_ISO_MAX];
    const cJSON *ms;
    struct str line;
    cJSON *json;

    while (str_split(&all, '\n', &line)) {
        json = cJSON_ParseWithLength(line.ptr, line.len);
        ms = cJSON_GetObjectItemCaseSensitive(json, "time");
        clock_format_iso(cJSON_IsNumber(ms) ? (uint64_t)ms->valuedouble : 0, time);
        if (json)
            printf("%s %s\n", time, text(json, "message", ""));
        cJSON_Delete(json);
    }
}

int cmd_logs(int argc, char **argv)
{
    static const struct option options[] = {{"request-id", 1, NULL, 'r'},
                                            {"since", 1, NULL, 's'},
                                            {"endpoint-url", 1, NULL, 'u'},
                                            {"help", 0, NULL, '?'},
                                            {0}};
    const char *usage = "hearth logs NAME [--since 10m] [--request-id ID] [--endpoint-url URL]";
    struct api_answer answer;
    uint64_t since;
    int r;
    const char *name = parse(argc, argv, options, 1, on_logs_flag, usage, &r);

    if (r != EXIT_FINE)
        return r;
    since = since_ms(logs_since ? logs_since : "1d");
    if (!name || since == 0) {
        fprintf(stderr, "Usage: %s\n(a time is a number with s, m, h or d)\n", usage);
        return EXIT_USAGE;
    }
    CLEANUP(freep) char *escaped = api_escape(name);
    CLEANUP(freep) char *id = api_escape(logs_request_id ? logs_request_id : "");
    CLEANUP(freep) char *path = str_printf("/_hearth/v1/logs/%s?since=%llu%s%s", escaped,
                                           (unsigned long long)since, logs_request_id ? "&request-id=" : "", id);

    r = api_call("GET", path, NULL, STR_NULL, 60, &answer);
    if (r == EXIT_FINE && answer.status >= 400)
        r = api_complain(&answer);
    else if (r == EXIT_FINE)
        print_records(buf_str(&answer.body));
    api_answer_done(&answer);
    return r;
}

int cmd_env(int argc, char **argv)
{
    const char *region = getenv("HEARTH_REGION");
    int r;

    parse(argc, argv, endpoint_only, 0, NULL, "hearth env [--endpoint-url URL]   # eval \"$(hearth env)\"", &r);
    if (r != EXIT_FINE)
        return r;
    printf("export AWS_ENDPOINT_URL=%s\nexport AWS_ACCESS_KEY_ID=${AWS_ACCESS_KEY_ID:-hearth}\n"
           "export AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY:-hearth}\nexport AWS_DEFAULT_REGION=%s\n",
           api_endpoint(), region && *region ? region : "us-east-1");
    return EXIT_FINE;
}
