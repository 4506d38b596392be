/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/api.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "common/base/base64.h"
#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/proto/sigv4_sign.h"

#define ANSWER_MAX (96u * 1024u * 1024u)

static const char *endpoint_given;

void api_set_endpoint(const char *url)
{
    endpoint_given = url;
}

const char *api_endpoint(void)
{
    const char *url = endpoint_given;

    if (!url || !*url)
        url = getenv("AWS_ENDPOINT_URL_LAMBDA");
    if (!url || !*url)
        url = getenv("AWS_ENDPOINT_URL");
    return url && *url ? url : "http://127.0.0.1:9000";
}

static size_t on_body(char *ptr, size_t size, size_t n, void *arg)
{
    struct api_answer *a = arg;

    return buf_append(&a->body, ptr, size * n) == 0 ? size * n : 0;
}

static void keep(struct str value, char *to, size_t size)
{
    snprintf(to, size, "%.*s", STR_ARG(value));
}

static size_t on_header(char *ptr, size_t size, size_t n, void *arg)
{
    struct api_answer *a = arg;
    struct str line = str_from(ptr, size * n), name, value;
    size_t colon = str_find(line, ':', 0);

    name = str_sub(line, 0, colon);
    value = str_trim(str_sub(line, colon + 1, line.len));
    if (str_eq_nocase(name, STR("x-amzn-errortype")))
        keep(value, a->error_type, sizeof(a->error_type));
    else if (str_eq_nocase(name, STR("x-amz-function-error")))
        keep(value, a->function_error, sizeof(a->function_error));
    else if (str_eq_nocase(name, STR("x-hearth-more")))
        a->more = str_is(value, "true");
    else if (str_eq_nocase(name, STR("x-amz-log-result")))
        base64_decode(&a->log_result, value);
    return size * n;
}

/* "host:port" of a URL, and its path and query behind that. */
static void split_url(const char *url, struct str *host, struct str *path, struct str *query)
{
    const char *at = strstr(url, "://");
    struct str rest = str_of(at ? at + 3 : url);
    size_t slash = str_find(rest, '/', 0), mark;

    *host = str_sub(rest, 0, slash);
    rest = str_sub(rest, slash, rest.len);
    mark = str_find(rest, '?', 0);
    *path = str_sub(rest, 0, mark);
    *query = str_sub(rest, mark + 1, rest.len);
}

static struct str env(const char *name, const char *other, const char *otherwise)
{
    const char *value = getenv(name);

    if ((!value || !*value) && other)
        value = getenv(other);
    return str_of(value && *value ? value : otherwise);
}

/* Signs with the access key in the environment, as the AWS tools do; without one nothing is. */
static struct curl_slist *add_signature(struct curl_slist *list, const char *method,
                                        const char *url, struct str body)
{
    const struct sigv4_credentials credentials = {env("AWS_ACCESS_KEY_ID", NULL, NULL),
                                                  env("AWS_SECRET_ACCESS_KEY", NULL, NULL),
                                                  env("AWS_SESSION_TOKEN", NULL, NULL)};
    struct sigv4_header host = {.name = STR("host")};
    struct sigv4_request req = {
        .method = str_of(method), .headers = &host, .header_count = 1, .body = body};
    struct sigv4_signed s;
    size_t i;

    if (!credentials.access_key.ptr || !credentials.secret.ptr)
        return list;
    split_url(url, &host.value, &req.path, &req.query);
    if (sigv4_sign(&req, &credentials, env("AWS_REGION", "AWS_DEFAULT_REGION", "us-east-1"),
                   STR("lambda"), wall_ms() / 1000, &s, NULL) < 0)
        return list;
    for (i = 0; i < s.count; i++) {
        CLEANUP(freep)
        char *line = str_printf("%.*s: %.*s", STR_ARG(s.headers[i].name), STR_ARG(s.headers[i].value));

        list = curl_slist_append(list, line);
    }
    sigv4_signed_done(&s);
    return list;
}

int api_call(const char *method, const char *path, const char *const *headers, struct str body,
             long timeout_s, struct api_answer *ret)
{
    CLEANUP(freep) char *url = str_printf("%s%s", api_endpoint(), path);
    char problem[CURL_ERROR_SIZE] = "";
    struct curl_slist *list = NULL;
    long status = 0;
    CURL *curl = curl_easy_init();
    CURLcode r;
    size_t i;

    memset(ret, 0, sizeof(*ret));
    buf_init(&ret->body, ANSWER_MAX);
    buf_init(&ret->log_result, 65536);
    if (!curl)
        abort();
    for (i = 0; headers && headers[i]; i++)
        list = curl_slist_append(list, headers[i]);
    list = curl_slist_append(list, "Expect:");
    list = add_signature(list, method, url, body);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, timeout_s);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, ret);
    if (body.ptr || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.ptr ? body.ptr : "");
    }
    r = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    ret->status = (int)status;
    curl_slist_free_all(list);
    curl_easy_cleanup(curl);
    if (r == CURLE_OK)
        return 0;
    ret->status = 0;
    return complain(EXIT_UNREACHABLE,
                    r == CURLE_COULDNT_CONNECT ? "start it with `hearth up`, or name it with --endpoint-url" : NULL,
                    "no answer from %s: %s", api_endpoint(), problem[0] ? problem : curl_easy_strerror(r));
}

void api_answer_done(struct api_answer *a)
{
    buf_done(&a->body);
    buf_done(&a->log_result);
}

int api_complain(const struct api_answer *a)
{
    CLEANUP(freep) char *text = str_dup(buf_str(&a->body));
    cJSON *json = cJSON_Parse(text);
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(json, "message");
    int status = EXIT_FAILED;

    if (!message)
        message = cJSON_GetObjectItemCaseSensitive(json, "Message");
    if (a->status == 404)
        status = EXIT_NOT_FOUND;
    else if (a->status == 401 || a->status == 403)
        status = EXIT_AUTH;
    else if (a->status == 429)
        status = EXIT_THROTTLED;
    complain(status, NULL, "%s: %s", a->error_type[0] ? a->error_type : "HTTP error",
             cJSON_IsString(message) ? message->valuestring : text);
    cJSON_Delete(json);
    return status;
}

char *api_escape(const char *s)
{
    char *escaped = curl_easy_escape(NULL, s, 0);
    char *copy;

    if (!escaped)
        abort();
    copy = str_dup(str_of(escaped));
    curl_free(escaped);
    return copy;
}
