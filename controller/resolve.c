/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "controller/prepare.h"

/* A question to all invokers; it lives until the last has answered. */
struct question {
    char *image;
    unsigned waiting; /* answers that will come */
    bool over; /* @done was called */
    bool unknown; /* one of them could not tell */
    struct error refusal; /* the last; code ERR_OK: none */
    resolve_done_fn *done;
    void *arg;
};

static void question_free(struct question *q)
{
    free(q->image);
    free(q);
}

/* The invoker's refusal in the words that AWS has for the client. */
static void refuse(const struct question *q, struct error *ret)
{
    char code[64];
    const char *text;

    log_info("resolve", "the image is refused", KV_STR("image", q->image), KV_ERR(&q->refusal));
    prepare_reason(&q->refusal, code, sizeof(code), &text);
    if (strcmp(code, "ImageAccessDenied") == 0)
        error_set(ret, ERR_ACCESS_DENIED,
                  "Lambda does not have permission to access the ECR image. Check the ECR "
                  "permissions.");
    else
        error_set(ret, ERR_BAD_REQUEST, "%s", text);
}

/* Nobody knew it. */
static void fail(struct question *q)
{
    struct error err;

    q->over = true;
    if (q->refusal.code == ERR_OK || q->unknown)
        error_set(&err, ERR_UNAVAILABLE, "no invoker can tell what %s is", q->image);
    else
        refuse(q, &err);
    q->done(STR_NULL, STR_NULL, &err, q->arg);
}

static void on_answer(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct question *q = arg;
    struct str reference = cjson_str(ok, "reference"), digest = cjson_str(ok, "digest");

    (void)body;
    q->waiting--;
    if (err && err->code == ERR_BAD_REQUEST) {
        q->refusal = *err;
    } else if (err || !reference.len || !digest.len) {
        log_debug("resolve", "an invoker cannot tell", KV_STR("image", q->image),
                  KV_STR("why", err ? err->msg : "no digest in its answer"));
        q->unknown = true;
    } else if (!q->over) {
        q->over = true;
        q->done(reference, digest, NULL, q->arg);
    }
    if (q->waiting)
        return;
    if (!q->over)
        fail(q);
    question_free(q);
}

static void on_nobody(void *arg)
{
    fail(arg);
    question_free(arg);
}

void resolve_image(struct peers *peers, const char *image, uint64_t timeout_us,
                   resolve_done_fn *done, void *arg)
{
    struct question *q = calloc(1, sizeof(*q));
    cJSON *args = cJSON_CreateObject();
    struct peer *peer = NULL;

    if (!q)
        abort();
    q->image = str_dup(str_of(image));
    q->done = done;
    q->arg = arg;
    cJSON_AddStringToObject(args, "image", image);
    while ((peer = peers_next(peers, peer))) {
        if (!peer_takes_work(peer))
            continue;
        q->waiting++;
        peers_ask(peers, peer, "image.resolve", args, timeout_us, on_answer, q);
    }
    if (q->waiting == 0)
        loop_defer(peers_loop(peers), on_nobody, q);
    cJSON_Delete(args);
}
