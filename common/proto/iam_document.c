/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/iam_document.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/proto/json_check.h"

#define SHOWN 200 /* bytes of a wrong value in a message */
#define ARN_COLONS 5

struct check {
    enum iam_document_kind kind;
    struct error *err;
};

/* For one string of an element that may be a string or a list of them; 0 or a negative error. */
typedef int text_check_fn(const struct check *c, const char *element, const char *text);

static int bad(const struct check *c, const char *text)
{
    return error_set(c->err, ERR_BAD_REQUEST, "%s", text);
}

static int syntax_error(const struct check *c)
{
    return bad(c, "Syntax errors in policy.");
}

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool is_among(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* A string, or a list of strings that is not empty: @check looks at each. */
static int each_text(const struct check *c, const cJSON *value, const char *element,
                     text_check_fn *check)
{
    const cJSON *item;
    int r = 0;

    if (cJSON_IsString(value))
        return check(c, element, value->valuestring);
    if (!cJSON_IsArray(value) || !value->child)
        return syntax_error(c);
    for (item = value->child; item && r == 0; item = item->next)
        r = cJSON_IsString(item) ? check(c, element, item->valuestring) : syntax_error(c);
    return r;
}

/* ---- elements of a statement ---- */

static int check_action(const struct check *c, const char *element, const char *text)
{
    size_t vendor = strcspn(text, ":"), i;

    (void)element;
    if (strcmp(text, "*") == 0 && c->kind == IAM_IDENTITY_POLICY)
        return 0;
    if (c->kind == IAM_TRUST_POLICY)
        return strncasecmp(text, "sts:", 4) == 0
                   ? 0
                   : bad(c, "AssumeRole policy may only specify STS AssumeRole actions.");
    if (!text[vendor])
        return bad(c, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
    if (strchr(text + vendor + 1, ':'))
        return bad(c, "Actions/Condition can contain only one colon.");
    for (i = 0; i < vendor; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '-')
            break;
    if (i < vendor || vendor == 0)
        return error_set(c->err, ERR_BAD_REQUEST, "Vendor %.*s is not valid",
                         (int)(vendor < SHOWN ? vendor : SHOWN), text);
    return text[vendor + 1] ? 0 : syntax_error(c);
}

static size_t count_colons(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == ':';
    return n;
}

static int check_resource(const struct check *c, const char *element, const char *text)
{
    (void)element;
    if (strcmp(text, "*") == 0 ||
        (strncmp(text, "arn:", 4) == 0 && count_colons(text) >= ARN_COLONS))
        return 0;
    return error_set(c->err, ERR_BAD_REQUEST, "Resource %.*s must be in ARN format or \"*\".",
                     SHOWN, text);
}

static bool is_account(const char *text)
{
    return strlen(text) == 12 && strspn(text, "0123456789") == 12;
}

static int check_principal(const struct check *c, const char *kind, const char *text)
{
    bool fine = text[0] != '\0';

    if (strcmp(kind, "AWS") == 0)
        fine = strcmp(text, "*") == 0 || is_account(text) ||
               (strncmp(text, "arn:", 4) == 0 && count_colons(text) >= ARN_COLONS);
    else if (strcmp(kind, "Service") == 0)
        fine = strchr(text, '.') != NULL;
    if (fine)
        return 0;
    return error_set(c->err, ERR_BAD_REQUEST, "Invalid principal in policy: \"%s\":\"%.*s\"",
                     strcmp(kind, "Service") == 0 ? "SERVICE" : kind, SHOWN, text);
}

static int check_principals(const struct check *c, const cJSON *value)
{
    static const char *const kinds[] = {"AWS", "Service", "Federated", "CanonicalUser", NULL};
    const cJSON *item;
    int r = 0;

    if (cJSON_IsString(value) && strcmp(value->valuestring, "*") == 0)
        return 0;
    if (!cJSON_IsObject(value) || !value->child)
        return bad(c, "Invalid principal in policy.");
    for (item = value->child; item && r == 0; item = item->next)
        r = is_among(item->string, kinds) ? each_text(c, item, item->string, check_principal)
                                          : bad(c, "Invalid principal in policy.");
    return r;
}

static bool is_condition_value(const cJSON *value)
{
    const cJSON *item;

    if (!cJSON_IsArray(value))
        return cJSON_IsString(value) || cJSON_IsBool(value) || cJSON_IsNumber(value);
    cJSON_ArrayForEach(item, value)
    {
        if (cJSON_IsArray(item) || !is_condition_value(item))
            return false;
    }
    return true;
}

/* {"StringEquals": {"aws:username": "x" or ["x", …]}, …} */
static int check_condition(const struct check *c, const cJSON *condition)
{
    const cJSON *operator, *key;

    if (condition && !cJSON_IsObject(condition))
        return syntax_error(c);
    cJSON_ArrayForEach(operator, condition)
    {
        if (!cJSON_IsObject(operator))
            return syntax_error(c);
        cJSON_ArrayForEach(key, operator)
        {
            if (!is_condition_value(key))
                return syntax_error(c);
        }
    }
    return 0;
}

static int check_sid(const struct check *c, const cJSON *statement, const cJSON *all)
{
    const cJSON *sid = get(statement, "Sid"), *other;
    const char *text = cJSON_GetStringValue(sid), *p;

    if (!sid)
        return 0;
    if (!text)
        return syntax_error(c);
    for (p = text; *p; p++)
        if (!isalnum((unsigned char)*p))
            return bad(c, "Statement IDs (SID) must be alpha-numeric. Check that your input "
                          "satisfies the regular expression [0-9A-Za-z]*");
    for (other = all->child; other && other != statement; other = other->next) {
        const char *before = cJSON_GetStringValue(get(other, "Sid"));

        if (text[0] && before && strcmp(before, text) == 0)
            return bad(c, "Statement IDs (SID) in a single policy must be unique.");
    }
    return 0;
}

static int check_effect(const struct check *c, const cJSON *statement)
{
    static const char *const effects[] = {"Allow", "Deny", NULL};
    const cJSON *effect = get(statement, "Effect");

    if (!effect && c->kind == IAM_TRUST_POLICY)
        return bad(c, "Missing required field Effect");
    if (!cJSON_IsString(effect) || !is_among(effect->valuestring, effects))
        return syntax_error(c);
    return 0;
}

/* One of @name and @not_name; @missing is said when there is neither. */
static int check_either(const struct check *c, const cJSON *statement, const char *name,
                        const char *not_name, const char *missing, text_check_fn *check)
{
    const cJSON *value = get(statement, name), *not_value = get(statement, not_name);

    if (value && not_value)
        return syntax_error(c);
    if (!value && !not_value)
        return bad(c, missing);
    return each_text(c, value ? value : not_value, name, check);
}

static int check_fields(const struct check *c, const cJSON *statement)
{
    static const char *const trust[] = {"Sid", "Effect", "Principal", "Action", "NotAction",
                                        "Condition", NULL};
    static const char *const identity[] = {"Sid", "Effect", "Action", "NotAction", "Resource",
                                           "NotResource", "Condition", NULL};
    bool is_trust = c->kind == IAM_TRUST_POLICY;
    const cJSON *item;

    if (!cJSON_IsObject(statement))
        return syntax_error(c);
    cJSON_ArrayForEach(item, statement)
    {
        if (is_among(item->string, is_trust ? trust : identity))
            continue;
        if (is_trust)
            return error_set(c->err, ERR_BAD_REQUEST, "Has prohibited field %.*s", SHOWN,
                             item->string);
        if (strcmp(item->string, "Principal") == 0 || strcmp(item->string, "NotPrincipal") == 0)
            return bad(c, "Policy document should not specify a principal.");
        return syntax_error(c);
    }
    return 0;
}

static int check_statement(const struct check *c, const cJSON *statement, const cJSON *all)
{
    bool is_trust = c->kind == IAM_TRUST_POLICY;
    int r = check_fields(c, statement);

    if (r == 0)
        r = check_sid(c, statement, all);
    if (r == 0)
        r = check_effect(c, statement);
    if (r == 0 && is_trust)
        r = get(statement, "Principal") ? check_principals(c, get(statement, "Principal"))
                                        : bad(c, "Missing required field Principal");
    if (r == 0)
        r = check_either(c, statement, "Action", "NotAction",
                         is_trust ? "Missing required field Action"
                                  : "Policy statement must contain actions.",
                         check_action);
    if (r == 0 && !is_trust)
        r = check_either(c, statement, "Resource", "NotResource",
                         "Policy statement must contain resources.", check_resource);
    return r < 0 ? r : check_condition(c, get(statement, "Condition"));
}

/* ---- the whole ---- */

static int check_document(const struct check *c, const cJSON *document)
{
    static const char *const fields[] = {"Version", "Id", "Statement", NULL};
    static const char *const versions[] = {"2012-10-17", "2008-10-17", NULL};
    const cJSON *version = get(document, "Version"), *id = get(document, "Id");
    const cJSON *statements = get(document, "Statement"), *item;
    cJSON one = {.type = cJSON_Array, .child = (cJSON *)(uintptr_t)statements};
    int r = 0;

    cJSON_ArrayForEach(item, document)
    {
        if (!is_among(item->string, fields))
            return syntax_error(c);
    }
    if ((version && (!cJSON_IsString(version) || !is_among(version->valuestring, versions))) ||
        (id && !cJSON_IsString(id)))
        return syntax_error(c);
    if (cJSON_IsObject(statements))
        return check_statement(c, statements, &one);
    if (!cJSON_IsArray(statements) || !statements->child)
        return syntax_error(c);
    for (item = statements->child; item && r == 0; item = item->next)
        r = check_statement(c, item, statements);
    return r;
}

int iam_document_check(struct str text, enum iam_document_kind kind, struct error *err)
{
    const struct check c = {kind, err};
    cJSON *document = NULL;
    int r;

    if (text.len > 0 && json_check(text, NULL) == 0)
        document = cJSON_ParseWithLength(text.ptr, text.len);
    if (cJSON_IsObject(document))
        r = check_document(&c, document);
    else
        r = kind == IAM_TRUST_POLICY ? bad(&c, "This policy contains invalid Json")
                                     : syntax_error(&c);
    cJSON_Delete(document);
    return r;
}

size_t iam_document_size(struct str text)
{
    size_t i, n = 0;

    for (i = 0; i < text.len; i++)
        n += !strchr(" \t\r\n", text.ptr[i]) && ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return n;
}
