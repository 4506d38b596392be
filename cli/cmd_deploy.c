/* SPDX-License-Identifier: Apache-2.0 */
/* hearth deploy - creates a function, or gives an existing one new code and settings. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/api.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "cli/package.h"
#include "common/base/base64.h"
#include "common/base/clock.h"
#include "common/base/error.h"

#define ZIP_MOST (50u * 1024u * 1024u)
#define ROLE "arn:aws:iam::000000000000:role/hearth"
#define READY_WITHIN_US MINUTES(5)

struct deploy {
    const char *name, *image, *path, *runtime, *handler, *description;
    long memory, timeout; /* 0: not given */
    cJSON *environment; /* owned; NULL: not given */
};

static void usage(FILE *to)
{
    fputs("Usage: hearth deploy NAME --image URI [options]\n"
          "       hearth deploy NAME --runtime ID --handler H PATH [options]\n\n"
          "PATH is a folder, a file or a .zip. Examples:\n"
          "  hearth deploy hello --runtime python3.13 --handler app.handler ./hello\n"
          "  hearth deploy hello --image 127.0.0.1:5000/hello:1 --memory 256\n\n"
          "  --image URI         container image\n"
          "  --runtime ID        python3.13, nodejs20.x, provided.al2023, …\n"
          "  --handler H         module.function\n"
          "  --memory MB         128 to 10240\n"
          "  --timeout S         1 to 900\n"
          "  --env NAME=VALUE    environment of the function; may be repeated\n"
          "  --description TEXT\n"
          "  --endpoint-url URL\n",
          to);
}

static int add_variable(struct deploy *d, const char *pair)
{
    struct str s = str_of(pair);
    size_t eq = str_find(s, '=', 0);
    CLEANUP(freep) char *name = str_dup(str_sub(s, 0, eq));

    if (eq == 0 || eq == s.len)
        return complain(EXIT_USAGE, NULL, "--env needs NAME=VALUE");
    if (!d->environment)
        d->environment = cJSON_CreateObject();
    cJSON_AddStringToObject(d->environment, name, pair + eq + 1);
    return EXIT_FINE;
}

static int number(const char *flag, const char *text, long *ret)
{
    uint64_t v;

    if (str_parse_u64(str_of(text), &v) < 0 || v > 1000000)
        return complain(EXIT_USAGE, NULL, "--%s needs a number, not \"%s\"", flag, text);
    *ret = (long)v;
    return EXIT_FINE;
}

static int parse(struct deploy *d, int argc, char **argv)
{
    static const struct option options[] = {
        {"image", 1, NULL, 'i'},       {"runtime", 1, NULL, 'r'},      {"handler", 1, NULL, 'h'},
        {"memory", 1, NULL, 'm'},      {"timeout", 1, NULL, 't'},      {"env", 1, NULL, 'e'},
        {"description", 1, NULL, 'd'}, {"endpoint-url", 1, NULL, 'u'}, {"help", 0, NULL, '?'},
        {0}};
    int c, r = EXIT_FINE;

    while (r == EXIT_FINE && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'i': d->image = optarg; break;
        case 'r': d->runtime = optarg; break;
        case 'h': d->handler = optarg; break;
        case 'd': d->description = optarg; break;
        case 'u': api_set_endpoint(optarg); break;
        case 'm': r = number("memory", optarg, &d->memory); break;
        case 't': r = number("timeout", optarg, &d->timeout); break;
        case 'e': r = add_variable(d, optarg); break;
        default: usage(stderr); return EXIT_USAGE;
        }
    }
    if (r != EXIT_FINE)
        return r;
    if (optind < argc)
        d->name = argv[optind++];
    if (optind < argc)
        d->path = argv[optind++];
    if (!d->name || optind < argc || !d->image == !d->path) {
        usage(stderr);
        return EXIT_USAGE;
    }
    return EXIT_FINE;
}

/* {"ImageUri":…} or {"ZipFile":…}; NULL after it has complained. */
static cJSON *code_of(const struct deploy *d)
{
    CLEANUP(buf_done) struct buf zip = BUF_INIT(ZIP_MOST);
    CLEANUP(buf_done) struct buf text = BUF_INIT(2 * ZIP_MOST);
    cJSON *code = cJSON_CreateObject();
    struct error err;

    if (d->image) {
        cJSON_AddStringToObject(code, "ImageUri", d->image);
        return code;
    }
    if (package_make(d->path, &zip, &err) < 0) {
        complain(EXIT_FAILED, NULL, "%s", err.msg);
        cJSON_Delete(code);
        return NULL;
    }
    base64_encode(&text, buf_str(&zip));
    buf_append_char(&text, '\0');
    cJSON_AddStringToObject(code, "ZipFile", text.ptr);
    return code;
}

static void add_configuration(const struct deploy *d, cJSON *to)
{
    if (d->runtime)
        cJSON_AddStringToObject(to, "Runtime", d->runtime);
    if (d->handler)
        cJSON_AddStringToObject(to, "Handler", d->handler);
    if (d->description)
        cJSON_AddStringToObject(to, "Description", d->description);
    if (d->memory)
        cJSON_AddNumberToObject(to, "MemorySize", (double)d->memory);
    if (d->timeout)
        cJSON_AddNumberToObject(to, "Timeout", (double)d->timeout);
    if (d->environment)
        cJSON_AddItemReferenceToObject(cJSON_AddObjectToObject(to, "Environment"), "Variables",
                                       d->environment);
}

/* Sends @json (deleted here); EXIT_FINE for a 2xx answer, else the complaint has been made. */
static int send_json(const char *method, const char *path, cJSON *json)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    char *text = cJSON_PrintUnformatted(json);
    struct api_answer answer;
    int r;

    cJSON_Delete(json);
    r = api_call(method, path, headers, str_of(text), 300, &answer);
    free(text);
    if (r == EXIT_FINE && answer.status >= 400)
        r = api_complain(&answer);
    api_answer_done(&answer);
    return r;
}

static const char *member(const cJSON *object, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsString(v) ? v->valuestring : "";
}

/* Waits until the last change is through. */
static int wait_ready(const char *path)
{
    CLEANUP(freep) char *where = str_printf("%s/configuration", path);
    uint64_t until = now_us() + READY_WITHIN_US;
    struct api_answer answer;
    cJSON *json;
    int r = -1;

    while (r < 0) {
        r = api_call("GET", where, NULL, STR_NULL, 30, &answer);
        if (r == EXIT_FINE && answer.status >= 400)
            r = api_complain(&answer);
        if (r == EXIT_FINE) {
            buf_append_char(&answer.body, '\0');
            json = cJSON_Parse(answer.body.ptr);
            if (strcmp(member(json, "State"), "Failed") == 0)
                r = complain(EXIT_FAILED, NULL, "the function failed: %s (%s)", member(json, "StateReason"),
                             member(json, "StateReasonCode"));
            else if (strcmp(member(json, "LastUpdateStatus"), "Failed") == 0)
                r = complain(EXIT_FAILED, "the code from before still runs", "the update failed: %s (%s)",
                             member(json, "LastUpdateStatusReason"),
                             member(json, "LastUpdateStatusReasonCode"));
            else if (strcmp(member(json, "State"), "Active") != 0 ||
                     strcmp(member(json, "LastUpdateStatus"), "InProgress") == 0)
                r = now_us() < until ? -1 : complain(EXIT_FAILED, NULL, "the function is still not ready");
            cJSON_Delete(json);
        }
        api_answer_done(&answer);
        if (r < 0)
            usleep(50000);
    }
    return r;
}

static int create(const struct deploy *d, cJSON *code)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "FunctionName", d->name);
    cJSON_AddStringToObject(json, "Role", ROLE);
    cJSON_AddStringToObject(json, "PackageType", d->image ? "Image" : "Zip");
    cJSON_AddItemToObject(json, "Code", code);
    add_configuration(d, json);
    return send_json("POST", "/2015-03-31/functions", json);
}

static int update(const struct deploy *d, const char *path, cJSON *code)
{
    CLEANUP(freep) char *code_path = str_printf("%s/code", path);
    CLEANUP(freep) char *configuration_path = str_printf("%s/configuration", path);
    cJSON *configuration = cJSON_CreateObject();
    int r = EXIT_FINE;

    add_configuration(d, configuration);
    if (configuration->child) {
        r = send_json("PUT", configuration_path, configuration);
        if (r == EXIT_FINE)
            r = wait_ready(path);
    } else {
        cJSON_Delete(configuration);
    }
    if (r == EXIT_FINE)
        return send_json("PUT", code_path, code);
    cJSON_Delete(code);
    return r;
}

static int deploy(const struct deploy *d)
{
    CLEANUP(freep) char *escaped = api_escape(d->name);
    CLEANUP(freep) char *path = str_printf("/2015-03-31/functions/%s", escaped);
    struct api_answer answer;
    uint64_t start = now_us();
    bool exists;
    cJSON *code;
    int r;

    r = api_call("GET", path, NULL, STR_NULL, 30, &answer);
    if (r == EXIT_FINE && answer.status >= 400 && answer.status != 404)
        r = api_complain(&answer);
    exists = answer.status == 200;
    api_answer_done(&answer);
    if (r != EXIT_FINE)
        return r;
    code = code_of(d);
    if (!code)
        return EXIT_FAILED;
    r = exists ? update(d, path, code) : create(d, code);
    if (r == EXIT_FINE)
        r = wait_ready(path);
    if (r == EXIT_FINE)
        fprintf(stderr, "%s %s in %.1f s; call it with:  hearth invoke %s '{}'\n", d->name,
                exists ? "updated" : "created", (double)(now_us() - start) / 1e6, d->name);
    return r;
}

int cmd_deploy(int argc, char **argv)
{
    struct deploy d = {0};
    int r = parse(&d, argc, argv);

    if (r == EXIT_FINE)
        r = deploy(&d);
    cJSON_Delete(d.environment);
    return r;
}
