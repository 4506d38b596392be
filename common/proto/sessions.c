/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/sessions.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/base64.h"
#include "common/proto/digest.h"

#define BOUND_TO STR("sts session")
#define ROLE_NAME_MAX 64

/* The secret follows from the access key id: it needs no place in the token. */
static void make_secret(const struct seal_key *key, const char *access_key,
                        char ret[SESSION_SECRET_MAX])
{
    CLEANUP(freep) char *text = str_printf("secret of %s", access_key);
    struct buf b = BUF_INIT(64);
    unsigned char mac[SHA256_BYTES];

    hmac_sha256(str_from(key->bytes, sizeof(key->bytes)), str_of(text), mac);
    base64_encode(&b, str_from(mac, 30)); /* 40 characters, as AWS's */
    memcpy(ret, b.ptr, SESSION_SECRET_MAX - 1);
    ret[SESSION_SECRET_MAX - 1] = '\0';
    explicit_bzero(mac, sizeof(mac));
    seal_wipe_buf(&b);
}

void session_issue(const struct seal_key *key, struct str parent, struct session *session,
                   struct buf *token)
{
    cJSON *json = cJSON_CreateObject();
    char *text;

    access_key_id_make("ASIA", session->access_key);
    make_secret(key, session->access_key, session->secret);
    cJSON_AddStringToObject(json, "key", session->access_key);
    cJSON_AddStringToObject(json, "arn", session->arn);
    cJSON_AddStringToObject(json, "id", session->user_id);
    cJSON_AddNumberToObject(json, "expires", (double)session->expires_s);
    text = cJSON_PrintUnformatted(json);
    if (!text || buf_append_str(token, parent) < 0 || buf_append_char(token, '.') < 0 ||
        seal_text(key, BOUND_TO, parent, str_of(text), token, NULL) < 0)
        abort(); /* all of it has a length that fits */
    cJSON_free(text);
    cJSON_Delete(json);
}

struct str session_parent(struct str token)
{
    size_t dot = str_find(token, '.', 0);

    return dot > 0 && dot < token.len ? str_sub(token, 0, dot) : STR_NULL;
}

static bool copy_text(const cJSON *json, const char *name, char *ret, size_t size)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

    if (!text || strlen(text) >= size)
        return false;
    memcpy(ret, text, strlen(text) + 1);
    return true;
}

static bool read_session(const cJSON *json, struct session *ret)
{
    const cJSON *expires = cJSON_GetObjectItemCaseSensitive(json, "expires");

    if (!cJSON_IsNumber(expires) || expires->valuedouble < 0 || expires->valuedouble > 1e15)
        return false;
    ret->expires_s = (uint64_t)expires->valuedouble;
    return copy_text(json, "key", ret->access_key, sizeof(ret->access_key)) &&
           copy_text(json, "arn", ret->arn, sizeof(ret->arn)) &&
           copy_text(json, "id", ret->user_id, sizeof(ret->user_id));
}

int session_open(const struct seal_key *key, struct str token, struct session *ret,
                 struct error *err)
{
    CLEANUP(buf_done) struct buf plain = BUF_INIT(SESSION_TOKEN_MAX);
    struct str parent = session_parent(token);
    bool fine = false;
    cJSON *json;

    if (parent.ptr && token.len <= SESSION_TOKEN_MAX &&
        unseal_text(key, BOUND_TO, parent, str_sub(token, parent.len + 1, token.len), &plain,
                    NULL) == 0) {
        json = cJSON_ParseWithLength(plain.ptr, plain.len);
        fine = read_session(json, ret);
        cJSON_Delete(json);
    }
    if (!fine)
        return error_set(err, ERR_UNKNOWN_CLIENT,
                         "The security token included in the request is invalid.");
    make_secret(key, ret->access_key, ret->secret);
    return 0;
}

/* ---- roles ---- */

struct str session_role_name(struct str role_arn, struct str *ret_account)
{
    static const struct str prefix = STR("arn:aws:iam::");
    struct str rest = str_sub(role_arn, prefix.len, role_arn.len), name = STR_NULL;

    if (!str_starts(role_arn, prefix) || !str_split(&rest, ':', ret_account) ||
        ret_account->len != 12 || !str_starts(rest, STR("role/")))
        return STR_NULL;
    rest = str_sub(rest, strlen("role/"), rest.len);
    while (str_split(&rest, '/', &name))
        ;
    return name.len > 0 && name.len <= ROLE_NAME_MAX ? name : STR_NULL;
}

void session_name_role(struct session *session, struct str account, struct str role_arn,
                       struct str role, struct str name)
{
    char role_id[PRINCIPAL_ID_MAX];

    principal_id_of("AROA", role_arn, role_id);
    snprintf(session->user_id, sizeof(session->user_id), "%s:%.*s", role_id, STR_ARG(name));
    snprintf(session->arn, sizeof(session->arn), "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s",
             STR_ARG(account), STR_ARG(role), STR_ARG(name));
}

void session_function_key(const struct seal_key *controller_key, struct seal_key *ret)
{
    unsigned char bytes[SEAL_KEY_BYTES];

    hmac_sha256(str_from(controller_key->bytes, sizeof(controller_key->bytes)),
                STR("sessions of functions' roles"), bytes);
    seal_key_init(ret, bytes);
    explicit_bzero(bytes, sizeof(bytes));
}
