/* SPDX-License-Identifier: Apache-2.0 */
/* hearth list, delete, env - small commands that are one call each. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/api.h"
#include "cli/commands.h"
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

/* The flags that all of these take; the first free argument or NULL. */
static const char *parse(int argc, char **argv, int max_free, const char *usage, int *status)
{
    static const struct option options[] = {
        {"endpoint-url", 1, NULL, 'u'}, {"help", 0, NULL, '?'}, {0}};
    int c;

    *status = EXIT_FINE;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'u')
            api_set_endpoint(optarg);
        else
            *status = EXIT_USAGE;
    }
    if (argc - optind > max_free)
        *status = EXIT_USAGE;
    if (*status != EXIT_FINE)
        fprintf(stderr, "Usage: %s\n", usage);
    return optind < argc ? argv[optind] : NULL;
}

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

    parse(argc, argv, 0, "hearth list [--endpoint-url URL]", &r);
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
    const char *name = parse(argc, argv, 1, usage, &r);

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

int cmd_env(int argc, char **argv)
{
    const char *region = getenv("HEARTH_REGION");
    int r;

    parse(argc, argv, 0, "hearth env [--endpoint-url URL]   # eval \"$(hearth env)\"", &r);
    if (r != EXIT_FINE)
        return r;
    printf("export AWS_ENDPOINT_URL=%s\nexport AWS_ACCESS_KEY_ID=${AWS_ACCESS_KEY_ID:-hearth}\n"
           "export AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY:-hearth}\nexport AWS_DEFAULT_REGION=%s\n",
           api_endpoint(), region && *region ? region : "us-east-1");
    return EXIT_FINE;
}
