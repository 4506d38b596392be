/* SPDX-License-Identifier: Apache-2.0 */
/* Scalable targets and their tags. */
#include <stdlib.h>
#include <string.h>

#include "common/base/id.h"
#include "common/model/lambda_input.h"
#include "controller/scaling/scaling.h"

#define ID_BYTES 18 /* 36 hexadecimal digits */

/* ---- tags ---- */

/* Puts @tags (NULL: none) into @doc. */
static int put_tags(struct scaling_request *req, cJSON *doc, const cJSON *tags)
{
    cJSON *all = scaling_object(doc, "tags");
    const cJSON *tag;

    cJSON_ArrayForEach(tag, tags)
    {
        if (strncmp(tag->string, "aws:", 4) == 0)
            return scaling_refuse(req, SCALING_ValidationException,
                                  "Tag keys that begin with aws: are reserved.");
        scaling_put_sorted(all, tag->string, cJSON_Duplicate(tag, 1));
    }
    if (cJSON_GetArraySize(all) <= SCALING_TAGS_MAX)
        return 0;
    return scaling_refuse(req, SCALING_TooManyTagsException,
                          "A scalable target cannot have more than %d tags.", SCALING_TAGS_MAX);
}

/* -1: what the ARN named has gone meanwhile. */
static int check_tagged(struct scaling_request *req, const cJSON *doc)
{
    if (doc)
        return 0;
    return scaling_refuse(req, SCALING_ResourceNotFoundException, "The specified resource doesn't exist: %.*s",
                          STR_ARG(str_sub(cjson_str(req->input, "ResourceARN"), 0, 900)));
}

int scaling_tag(struct scaling_request *req, cJSON **doc)
{
    int r = check_tagged(req, *doc);

    if (r == 0)
        r = put_tags(req, *doc, scaling_member(req, "Tags"));
    return r < 0 ? r : 1;
}

int scaling_untag(struct scaling_request *req, cJSON **doc)
{
    const cJSON *key;
    int r = check_tagged(req, *doc);

    if (r < 0)
        return r;
    cJSON_ArrayForEach(key, scaling_member(req, "TagKeys"))
        cJSON_DeleteItemFromObjectCaseSensitive(scaling_object(*doc, "tags"), key->valuestring);
    return 1;
}

int scaling_list_tags(struct scaling_request *req, cJSON **doc)
{
    const cJSON *tags = cJSON_GetObjectItemCaseSensitive(*doc, "tags");
    int r = check_tagged(req, *doc);

    if (r < 0)
        return r;
    req->answer = cJSON_CreateObject();
    cJSON_AddItemToObject(req->answer, "Tags", tags ? cJSON_Duplicate(tags, 1) : cJSON_CreateObject());
    return 0;
}

/* ---- targets ---- */

/* Takes the member @name over as @kept; a target must have it from the beginning. */
static int put_capacity(struct scaling_request *req, cJSON *doc, const char *name, const char *kept)
{
    const cJSON *value = scaling_member(req, name);

    if (!value && cJSON_HasObjectItem(doc, kept))
        return 0;
    if (!value)
        return scaling_refuse(req, SCALING_ValidationException,
                              "%s must be specified when registering a new scalable target", name);
    if (value->valuedouble < 0)
        return scaling_refuse(req, SCALING_ValidationException, "%s cannot be less than 0", name);
    cJSON_DeleteItemFromObjectCaseSensitive(doc, kept);
    cJSON_AddNumberToObject(doc, kept, value->valuedouble);
    return 0;
}

static void put_suspended(const struct scaling_request *req, cJSON *doc)
{
    static const char *const names[][2] = {{"DynamicScalingInSuspended", "in"},
                                           {"DynamicScalingOutSuspended", "out"},
                                           {"ScheduledScalingSuspended", "scheduled"}};
    const cJSON *asked = scaling_member(req, "SuspendedState"), *value;
    cJSON *state = scaling_object(doc, "suspended");
    size_t i;

    for (i = 0; i < ARRAY_LEN(names); i++) {
        value = cJSON_GetObjectItemCaseSensitive(asked, names[i][0]);
        if (!cJSON_IsBool(value))
            continue;
        cJSON_DeleteItemFromObjectCaseSensitive(state, names[i][1]);
        cJSON_AddBoolToObject(state, names[i][1], cJSON_IsTrue(value));
    }
}

static cJSON *target_new(void)
{
    cJSON *doc = cJSON_CreateObject();
    char id[2 * ID_BYTES + 1];

    token_make(ID_BYTES, id);
    cJSON_AddStringToObject(doc, "id", id);
    cJSON_AddNumberToObject(doc, "created", scaling_now());
    return doc;
}

static int check_exists(struct scaling_request *req)
{
    CLEANUP(freep)
    char *arn = str_printf("arn:aws:lambda:%s:%s:%s", req->c->config->region, req->account, req->resource);

    if (str_is(req->qualifier, FN_LATEST))
        return scaling_refuse(req, SCALING_ValidationException,
                              "Provisioned concurrency cannot be scaled for $LATEST: name a version or an alias.");
    if (req->exists)
        return 0;
    return scaling_refuse(req, SCALING_ValidationException, "Function not found: %s", arn);
}

int scaling_register(struct scaling_request *req, cJSON **doc)
{
    bool is_new = !*doc;
    int r = check_exists(req);

    if (r < 0)
        return r;
    if (!is_new && scaling_member(req, "Tags"))
        return scaling_refuse(req, SCALING_ValidationException,
                              "Tags can only be given to a new scalable target: use TagResource.");
    if (is_new)
        *doc = target_new();
    r = put_capacity(req, *doc, "MinCapacity", "min");
    if (r == 0)
        r = put_capacity(req, *doc, "MaxCapacity", "max");
    if (r == 0 && scaling_number(*doc, "min", 0) > scaling_number(*doc, "max", 0))
        r = scaling_refuse(req, SCALING_ValidationException,
                           "Maximum capacity cannot be less than minimum capacity");
    if (r == 0)
        r = put_tags(req, *doc, scaling_member(req, "Tags"));
    if (r < 0)
        return r;
    put_suspended(req, *doc);
    scaling_wants_adjusting(*doc);
    {
        CLEANUP(freep) char *arn = scaling_target_arn(req->c->config->region, req->account, *doc);

        req->answer = cJSON_CreateObject();
        cJSON_AddStringToObject(req->answer, "ScalableTargetARN", arn);
    }
    return 1;
}

int scaling_deregister(struct scaling_request *req, cJSON **doc)
{
    if (!*doc)
        return scaling_not_registered(req);
    cJSON_Delete(TAKE(*doc));
    return 1;
}
