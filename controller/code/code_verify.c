/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/code/code_verify.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "controller/code/code_signature.h"
#include "controller/ops/code_signing.h"

struct verifying {
    struct controller *c;
    struct code_pin pin;
    char *what;
    char *profiles_dir;
    cJSON *config;
    struct buf zip; /* a copy: the store's is borrowed */
    int r;
    struct error err, why;
    code_verify_fn *done;
    void *arg;
};

static void end(struct verifying *v, const struct error *err)
{
    v->done(err, v->arg);
    cJSON_Delete(v->config);
    buf_done(&v->zip);
    free(v->what);
    free(v->profiles_dir);
    free(v);
}

static void work(void *arg)
{
    struct verifying *v = arg;

    v->r = code_signature_check(buf_str(&v->zip), v->profiles_dir,
                                code_signing_profiles(v->config), &v->why, &v->err);
}

static void on_checked(void *arg)
{
    struct verifying *v = arg;
    struct controller *c = v->c;
    bool enforced = code_signing_is_enforced(v->config);

    if (c->closing)
        error_set(&v->err, ERR_CLOSED, "the controller ends");
    if (v->r < 0 && !c->closing)
        log_warn("code", v->r == -ERR_CODE_UNVERIFIED && !enforced
                             ? "an archive without a good signature is taken"
                             : "an archive is refused for its signature",
                 KV_STR("function", v->what), KV_STR("sha256", v->pin.sha256), KV_ERR(&v->why));
    if (c->closing || (v->r < 0 && (enforced || v->r != -ERR_CODE_UNVERIFIED)))
        end(v, &v->err);
    else
        end(v, NULL);
    controller_unref(c);
}

static void on_bytes(const struct buf *bytes, const struct error *err, void *arg)
{
    struct verifying *v = arg;

    if (err) {
        end(v, err);
        return;
    }
    v->zip = BUF_INIT(bytes->len + 1);
    buf_append_str(&v->zip, buf_str(bytes));
    v->c->refs++;
    loop_work(v->c->loop, work, on_checked, v);
}

static void on_config(const cJSON *config, struct str text, const struct error *err, void *arg)
{
    struct verifying *v = arg;

    (void)text;
    if (err) {
        end(v, err);
        return;
    }
    v->config = cJSON_Duplicate(config, 1);
    code_store_read_pinned(v->c->store, &v->pin, on_bytes, v);
}

void code_verify(struct controller *c, struct str account, struct str arn,
                 const struct code_pin *pin, struct str what, code_verify_fn *done, void *arg)
{
    struct verifying *v = calloc(1, sizeof(*v));

    if (!v)
        abort();
    v->c = c;
    v->pin = *pin;
    v->what = str_dup(what);
    v->profiles_dir = str_dup(str_of(c->config->signing_profiles));
    v->done = done;
    v->arg = arg;
    code_signing_get(c->redis, account, arn, on_config, v);
}
