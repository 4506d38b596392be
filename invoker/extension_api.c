/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/extension_api.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define EXTENSIONS_PREFIX "/2020-01-01/extension/"
#define TELEMETRY_PATH "/2022-07-01/telemetry"
#define LOGS_PATH "/2020-08-15/logs"

#define BIT(n) (1u << (n))
#define ALIVE (BIT(EXTENSION_REGISTERED) | BIT(EXTENSION_READY) | BIT(EXTENSION_RUNNING))

/* From which states a call may move an extension. */
static const unsigned may_come_from[EXTENSION_STATE_MAX] = { /* absent = forbidden */
    [EXTENSION_REGISTERED] = BIT(EXTENSION_STARTED),
    [EXTENSION_READY] = ALIVE,
    [EXTENSION_INIT_ERROR] = BIT(EXTENSION_REGISTERED),
    [EXTENSION_EXIT_ERROR] = ALIVE,
};

static const char *const state_names[EXTENSION_STATE_MAX] = {
    [EXTENSION_STARTED] = "Started",       [EXTENSION_REGISTERED] = "Registered",
    [EXTENSION_READY] = "Ready",           [EXTENSION_RUNNING] = "Running",
    [EXTENSION_INIT_ERROR] = "InitError",  [EXTENSION_EXIT_ERROR] = "ExitError",
    [EXTENSION_LAUNCH_ERROR] = "LaunchError", [EXTENSION_EXITED] = "Exited",
};

enum route {
    ROUTE_REGISTER,
    ROUTE_NEXT,
    ROUTE_INIT_ERROR,
    ROUTE_EXIT_ERROR,
    ROUTE_TELEMETRY,
    ROUTE_LOGS,
    ROUTE_NONE,
};

static const struct {
    const char *path, *method;
} routes[ROUTE_NONE] = {
    [ROUTE_REGISTER] = {EXTENSIONS_PREFIX "register", "POST"},
    [ROUTE_NEXT] = {EXTENSIONS_PREFIX "event/next", "GET"},
    [ROUTE_INIT_ERROR] = {EXTENSIONS_PREFIX "init/error", "POST"},
    [ROUTE_EXIT_ERROR] = {EXTENSIONS_PREFIX "exit/error", "POST"},
    [ROUTE_TELEMETRY] = {TELEMETRY_PATH, "PUT"},
    [ROUTE_LOGS] = {LOGS_PATH, "PUT"},
};

void extension_api_init(struct extension_api *api, const struct sandbox_spec *spec)
{
    memset(api, 0, sizeof(*api));
    api->spec = spec;
}

const char *extension_state_name(enum extension_state state)
{
    return state_names[state];
}

/* AWS's documentation has the two subscription paths with a slash at their end, too. */
static enum route route_find(struct str path)
{
    enum route route;

    if (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    for (route = 0; route < ROUTE_NONE; route++)
        if (str_is(path, routes[route].path))
            break;
    return route;
}

bool extension_api_has_path(struct str path)
{
    return route_find(path) != ROUTE_NONE;
}

/* ---- answers */

static void answer(struct extension_answer *ret, int status, const char *content_type,
                   struct str body)
{
    ret->status = status;
    ret->content_type = content_type;
    buf_clear(&ret->body);
    (void)buf_append_str(&ret->body, body);
}

static enum extension_event deny(struct extension_answer *ret, int status, const char *type,
                                 struct str message)
{
    answer(ret, status, "application/json", STR("{\"errorMessage\":\""));
    (void)buf_append_json(&ret->body, message);
    (void)buf_printf(&ret->body, "\",\"errorType\":\"%s\"}\n", type);
    return EXTENSION_EVENT_NONE;
}

static enum extension_event deny_move(struct extension_answer *ret, const struct extension *ext,
                                      enum extension_state to)
{
    CLEANUP(freep) char *text = str_printf(
        "State transition from %s to %s failed for extension %s. Error: State transition is not "
        "allowed",
        state_names[ext->state], state_names[to], ext->name);

    return deny(ret, 403, "Extension.InvalidExtensionState", str_of(text));
}

static void answer_ok(struct extension_answer *ret)
{
    answer(ret, 202, "application/json", STR("{\"status\":\"OK\"}\n"));
}

static bool may_go(const struct extension *ext, enum extension_state to)
{
    return may_come_from[to] & BIT(ext->state);
}

/* ---- register */

static struct extension *find_by_name(struct extension_api *api, struct str name)
{
    size_t i;

    for (i = 0; i < api->len; i++)
        if (str_is(name, api->list[i].name))
            return &api->list[i];
    return NULL;
}

struct extension *extension_api_find(struct extension_api *api, const char *name)
{
    struct extension *ext = find_by_name(api, str_of(name));

    return ext && ext->is_external ? ext : NULL;
}

static struct extension *add(struct extension_api *api, struct str name)
{
    struct extension *ext = &api->list[api->len++];

    memset(ext, 0, sizeof(*ext));
    snprintf(ext->name, sizeof(ext->name), "%.*s", STR_ARG(name));
    return ext;
}

int extension_api_add(struct extension_api *api, const char *name)
{
    if (api->len == EXTENSIONS_MAX)
        return -ERR_TOO_LARGE;
    add(api, str_of(name))->is_external = true;
    return 0;
}

static void answer_registered(const struct extension_api *api, const struct extension_request *req,
                              const struct extension *ext, struct extension_answer *ret)
{
    const struct sandbox_spec *spec = api->spec;
    bool wants_account = false;
    struct str rest = req->accept_feature, feature;

    answer(ret, 200, "application/json", STR("{\"functionName\":\""));
    (void)buf_append_json(&ret->body, str_of(spec->name));
    (void)buf_printf(&ret->body, "\",\"functionVersion\":\"%s\",\"handler\":\"", spec->version);
    (void)buf_append_json(&ret->body, str_of(spec->handler));
    while (rest.ptr && str_split(&rest, ',', &feature))
        wants_account = wants_account || str_is(str_trim(feature), "accountId");
    if (wants_account)
        (void)buf_printf(&ret->body, "\",\"accountId\":\"%s", spec->account);
    (void)buf_append_str(&ret->body, STR("\"}\n"));
    ret->identifier = ext->id;
}

static enum extension_event deny_event(struct extension_answer *ret, const char *event,
                                       const char *why)
{
    CLEANUP(freep) char *text = str_printf("%s: %s", event, why);

    return deny(ret, 403, "Extension.InvalidEventType", str_of(text));
}

static enum extension_event on_register(struct extension_api *api,
                                        const struct extension_request *req,
                                        struct extension_answer *ret)
{
    struct extension *ext = find_by_name(api, req->name);
    struct extension_register wanted;
    struct error err;

    if (req->name.len == 0)
        return deny(ret, 403, "Extension.InvalidExtensionName", STR("Empty extension name"));
    if (req->name.len >= INIT_NAME_MAX)
        return deny(ret, 403, "Extension.InvalidExtensionName", STR("Extension name is too long"));
    if (extension_register_parse(req->body, &wanted, &err) < 0)
        return deny(ret, 403, "InvalidRequestFormat", str_of(err.msg));
    if (wanted.unknown[0])
        return deny_event(ret, wanted.unknown, "ErrorInvalidEventType");
    if (api->registration_closed)
        return deny(ret, 403, "Extension.RegistrationClosed",
                    STR("Extension registration closed already"));
    if (!(ext && ext->is_external) && (wanted.events & EXTENSION_SHUTDOWN))
        return deny_event(ret, "SHUTDOWN", "ShutdownEventNotSupportedForInternalExtension");
    if (ext && !may_go(ext, EXTENSION_REGISTERED))
        return deny_move(ret, ext, EXTENSION_REGISTERED);
    if (!ext && api->len == EXTENSIONS_MAX)
        return deny(ret, 403, "Extension.TooManyExtensions", STR("Extension limit (10) reached"));
    if (!ext)
        ext = add(api, req->name);
    ext->events = wanted.events;
    ext->state = EXTENSION_REGISTERED;
    uuid_make(ext->id);
    ret->at = (size_t)(ext - api->list);
    answer_registered(api, req, ext, ret);
    return EXTENSION_EVENT_REGISTERED;
}

/* ---- the calls of registered ones */

static struct extension *find_caller(struct extension_api *api, const struct extension_request *req,
                                     struct extension_answer *ret)
{
    char text[32 + UUID_MAX];
    size_t i;

    if (req->identifier.len == 0) {
        deny(ret, 403, "Extension.MissingExtensionIdentifier",
             STR("Missing Lambda-Extension-Identifier header"));
        return NULL;
    }
    if (!uuid_is_valid(req->identifier)) {
        deny(ret, 403, "Extension.InvalidExtensionIdentifier",
             STR("Invalid Lambda-Extension-Identifier"));
        return NULL;
    }
    for (i = 0; i < api->len; i++) {
        ret->at = i;
        if (api->list[i].id[0] && str_eq_nocase(req->identifier, str_of(api->list[i].id)))
            return &api->list[i];
    }
    snprintf(text, sizeof(text), "Unknown extension %.*s", STR_ARG(req->identifier));
    deny(ret, 403, "Extension.UnknownExtensionIdentifier", str_of(text));
    return NULL;
}

static enum extension_event on_next(struct extension *ext, struct extension_answer *ret)
{
    if (!may_go(ext, EXTENSION_READY))
        return deny_move(ret, ext, EXTENSION_READY);
    ext->state = EXTENSION_READY;
    return EXTENSION_EVENT_NEXT;
}

static enum extension_event on_error(struct extension *ext, const struct extension_request *req,
                                     enum extension_state to, struct extension_answer *ret)
{
    if (req->error_type.len == 0)
        return deny(ret, 403, "Extension.MissingHeader",
                    STR("Lambda-Extension-Function-Error-Type not found"));
    if (!may_go(ext, to))
        return deny_move(ret, ext, to);
    ext->state = to;
    snprintf(ext->error_type, sizeof(ext->error_type), "%.*s", STR_ARG(req->error_type));
    answer_ok(ret);
    return to == EXTENSION_INIT_ERROR ? EXTENSION_EVENT_INIT_FAILED : EXTENSION_EVENT_EXIT_FAILED;
}

static enum extension_event on_subscribe(const struct extension_api *api, struct extension *ext,
                                         const struct extension_request *req, bool is_logs,
                                         struct extension_answer *ret)
{
    const char *wrong = is_logs ? "Logs.ValidationError" : "ValidationError";
    struct error err;

    if (api->subscription_closed)
        return is_logs ? deny(ret, 403, "Logs.SubscriptionClosed",
                              STR("Logs API subscription is closed already"))
                       : deny(ret, 403, "Telemetry.SubscriptionClosed",
                              STR("Telemetry API subscription is closed already"));
    if (telemetry_subscription_parse(is_logs ? TELEMETRY_LOGS_API : TELEMETRY_API, req->body,
                                     &ret->subscription, &err) < 0)
        return deny(ret, 400, wrong, str_of(err.msg));
    if (ext->has_subscribed && ext->is_logs != is_logs)
        return deny(ret, 400, wrong, STR("the extension has subscribed by the other API"));
    ext->has_subscribed = true;
    ext->is_logs = is_logs;
    answer(ret, 200, "application/json", STR("\"OK\""));
    return EXTENSION_EVENT_SUBSCRIBED;
}

enum extension_event extension_api_request(struct extension_api *api,
                                           const struct extension_request *req,
                                           struct extension_answer *ret)
{
    enum route route = route_find(req->path);
    struct extension *ext;

    assert(route != ROUTE_NONE);
    ret->content_type = ret->allow = ret->identifier = NULL;
    if (!str_is(req->method, routes[route].method)) {
        answer(ret, 405, NULL, STR(""));
        ret->allow = routes[route].method;
        return EXTENSION_EVENT_NONE;
    }
    if (route == ROUTE_REGISTER)
        return on_register(api, req, ret);
    ext = find_caller(api, req, ret);
    if (!ext)
        return EXTENSION_EVENT_NONE;
    switch (route) {
    case ROUTE_NEXT:
        return on_next(ext, ret);
    case ROUTE_INIT_ERROR:
        return on_error(ext, req, EXTENSION_INIT_ERROR, ret);
    case ROUTE_EXIT_ERROR:
        return on_error(ext, req, EXTENSION_EXIT_ERROR, ret);
    case ROUTE_TELEMETRY:
    case ROUTE_LOGS:
        return on_subscribe(api, ext, req, route == ROUTE_LOGS, ret);
    case ROUTE_REGISTER:
    case ROUTE_NONE:
        break;
    }
    return EXTENSION_EVENT_NONE;
}

void extension_api_given(struct extension *ext)
{
    if (ext->state == EXTENSION_READY)
        ext->state = EXTENSION_RUNNING;
}

/* ---- all of them */

bool extension_api_is_registered(const struct extension_api *api)
{
    size_t i;

    for (i = 0; i < api->len; i++)
        if (api->list[i].state == EXTENSION_STARTED)
            return false;
    return true;
}

bool extension_api_is_ready(const struct extension_api *api)
{
    size_t i;

    for (i = 0; i < api->len; i++)
        if (api->list[i].state != EXTENSION_READY)
            return false;
    return true;
}

bool extension_api_has_external(const struct extension_api *api)
{
    size_t i;

    for (i = 0; i < api->len; i++)
        if (api->list[i].is_external)
            return true;
    return false;
}
