/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/io/docker_request.h"

#define RETRY_MIN_US MSEC(100)
#define RETRY_MAX_US SECONDS(5)

struct docker_events {
    struct docker *docker;
    char *label;
    void (*on_event)(const char *action, const char *id, const cJSON *attributes, void *arg);
    void *arg;
    struct docker_call *call; /* NULL while waiting to connect again */
    struct timer retry;
    uint64_t retry_us;
    uint64_t since_ms; /* Unix time up to which events are known; 0: from now on */
    struct list_node node;
};

static void events_open(void *arg);

static void on_line(struct str line, void *arg)
{
    struct docker_events *events = arg;
    cJSON *json = cJSON_ParseWithLength(line.ptr, line.len);
    const cJSON *actor = cJSON_GetObjectItemCaseSensitive(json, "Actor");
    const cJSON *nano = cJSON_GetObjectItemCaseSensitive(json, "timeNano");
    const char *action = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "Action"));
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(actor, "ID"));

    events->retry_us = RETRY_MIN_US;
    /* a double has room for milliseconds, not for nanoseconds: so it is cut, and one event may
     * repeat */
    if (cJSON_IsNumber(nano) && nano->valuedouble > 0)
        events->since_ms = (uint64_t)(nano->valuedouble / 1e6);
    if (action && id)
        events->on_event(action, id, cJSON_GetObjectItemCaseSensitive(actor, "Attributes"),
                         events->arg);
    cJSON_Delete(json);
}

static void on_end(const struct error *err, void *arg)
{
    struct docker_events *events = arg;

    events->call = NULL;
    log_warn("docker", "events ended, connecting again",
             KV_STR("error", err ? err->msg : "the engine closed the stream"),
             KV_U64("wait_us", events->retry_us));
    timer_start(&events->retry, events->retry_us);
    events->retry_us = events->retry_us * 2 < RETRY_MAX_US ? events->retry_us * 2 : RETRY_MAX_US;
}

static void events_open(void *arg)
{
    struct docker_events *events = arg;
    static const char *const actions[] = {"kill", "die", "oom", "destroy"};
    CLEANUP(buf_done) struct buf path = BUF_INIT(16384);
    CLEANUP(freep) char *text = NULL;
    cJSON *filters = cJSON_CreateObject(), *list;

    cJSON_AddItemToArray(cJSON_AddArrayToObject(filters, "type"), cJSON_CreateString("container"));
    cJSON_AddItemToArray(cJSON_AddArrayToObject(filters, "label"),
                         cJSON_CreateString(events->label));
    list = cJSON_AddArrayToObject(filters, "event");
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(actions[i]));
    text = cJSON_PrintUnformatted(filters);
    cJSON_Delete(filters);
    if (!text)
        abort();
    if (events->since_ms == 0)
        events->since_ms = wall_ms();
    buf_printf(&path,
               "/events?since=%llu.%03u&filters=", (unsigned long long)(events->since_ms / 1000),
               (unsigned)(events->since_ms % 1000));
    docker_encode(&path, str_of(text));
    buf_append_char(&path, '\0');
    events->call = docker_request(
        events->docker,
        &(struct docker_request){
            .method = "GET", .path = path.ptr, .done = on_end, .on_line = on_line, .arg = events});
}

struct docker_events *docker_events_new(struct docker *docker, const char *label,
                                        void (*on_event)(const char *action, const char *id,
                                                         const cJSON *attributes, void *arg),
                                        void *arg)
{
    struct docker_events *events = calloc(1, sizeof(*events));

    if (!events)
        abort();
    events->docker = docker;
    events->label = str_dup(str_of(label));
    events->on_event = on_event;
    events->arg = arg;
    events->retry_us = RETRY_MIN_US;
    timer_init(&events->retry, docker->loop, events_open, events);
    list_append(&docker->events, &events->node);
    events_open(events);
    return events;
}

struct docker_events *docker_events_first(struct docker *docker)
{
    return LIST_FIRST(&docker->events, struct docker_events, node);
}

void docker_events_free(struct docker_events *events)
{
    if (!events)
        return;
    if (events->call)
        docker_call_cancel(events->call);
    timer_stop(&events->retry);
    list_remove(&events->node);
    free(events->label);
    free(events);
}
