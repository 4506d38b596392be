/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/role_sessions.h"

#include <string.h>

#include "common/base/base64.h"
#include "common/model/lambda_input.h"
#include "controller/serve.h"

struct role_credentials *role_session_new(const struct seal_key *key, struct str role_arn,
                                          struct str name, uint64_t now_s)
{
    struct session session = {.expires_s = now_s + ROLE_SESSION_LIFE_S};
    CLEANUP(buf_done) struct buf token = BUF_INIT(SESSION_TOKEN_MAX);
    struct role_credentials *ret;
    struct seal_key sealing;
    struct str account, role = session_role_name(role_arn, &account);

    if (!role.ptr)
        return NULL;
    session_name_role(&session, account, role_arn, role, name);
    session_function_key(key, &sealing);
    session_issue(&sealing, STR(SESSION_OF_FUNCTION), &session, &token);
    ret = role_credentials_new(str_of(session.access_key), str_of(session.secret), buf_str(&token),
                               session.expires_s);
    seal_key_wipe(&sealing);
    explicit_bzero(&session, sizeof(session));
    explicit_bzero(token.ptr, token.len);
    return ret;
}

void serve_function_key(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    struct controller *c = arg;
    const struct peer *peer = peers_by_link(c->peers, rpc_request_link(rpc));
    struct buf text = BUF_INIT(2 * SEAL_KEY_BYTES);
    struct seal_key sealing;
    struct error err;
    cJSON *ok;
    (void)args;
    (void)body;

    if (!peer || peer->role != PEER_GATEWAY) {
        error_set(&err, ERR_ACCESS_DENIED, "the key of functions' sessions is for gateways");
        rpc_fail(rpc, &err);
        return;
    }
    session_function_key(&c->key, &sealing);
    base64_encode(&text, str_from(sealing.bytes, sizeof(sealing.bytes)));
    (void)buf_append_char(&text, '\0');
    ok = cJSON_CreateObject();
    cJSON_AddStringToObject(ok, "key", text.ptr);
    rpc_reply(rpc, ok, STR_NULL);
    cjson_wipe_strings(ok);
    cJSON_Delete(ok);
    seal_key_wipe(&sealing);
    seal_wipe_buf(&text);
}
