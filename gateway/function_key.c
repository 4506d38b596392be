/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/function_key.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/base64.h"
#include "common/base/log.h"

#define ASK_LIMIT_US SECONDS(5)
#define ASK_AGAIN_US SECONDS(1)

struct function_key {
    struct leader_link *controller;
    struct auth *auth;
    struct timer again;
};

/* Whether the answer holds a key. */
static bool take_key(struct auth *auth, const cJSON *ok)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(ok, "key"));
    struct buf bytes = BUF_INIT(2 * SEAL_KEY_BYTES);
    struct seal_key key;
    bool good = text && base64_decode(&bytes, str_of(text)) == 0 && bytes.len == SEAL_KEY_BYTES;

    if (good) {
        seal_key_init(&key, (const unsigned char *)bytes.ptr);
        auth_set_function_key(auth, &key);
        seal_key_wipe(&key);
    }
    seal_wipe_buf(&bytes);
    return good;
}

static void on_key(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct function_key *fk = arg;
    (void)body;

    if (!err && take_key(fk->auth, ok))
        return;
    if (err && err->code == ERR_NO_OPERATION) {
        auth_set_function_key(fk->auth, NULL);
        log_info("auth", "the controller gives functions no credentials of their roles yet");
        return;
    }
    if (!leader_link_is_up(fk->controller)) /* it is asked when it is here again */
        return;
    if (err)
        log_warn("auth", "the key of functions' sessions is not here, asking again", KV_ERR(err));
    else
        log_error("auth", "the controller's key of functions' sessions is malformed, asking again");
    timer_start(&fk->again, ASK_AGAIN_US);
}

static void ask_again(void *arg)
{
    function_key_ask(arg);
}

void function_key_ask(struct function_key *fk)
{
    timer_stop(&fk->again);
    if (leader_link_is_up(fk->controller))
        rpc_call(leader_link_get(fk->controller), "function.key", NULL, STR_NULL, ASK_LIMIT_US, on_key, fk);
}

struct function_key *function_key_new(struct loop *loop, struct leader_link *controller, struct auth *auth)
{
    struct function_key *fk = calloc(1, sizeof(*fk));

    if (!fk)
        abort();
    fk->controller = controller;
    fk->auth = auth;
    timer_init(&fk->again, loop, ask_again, fk);
    return fk;
}

void function_key_free(struct function_key *fk)
{
    if (!fk)
        return;
    timer_stop(&fk->again);
    free(fk);
}
