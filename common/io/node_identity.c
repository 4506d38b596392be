/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/node_identity.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/alloc.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/io/rpc.h"
#include "common/model/link_address.h"
#include "common/proto/join_token.h"
#include "common/proto/seal.h"

#define JOIN_LIMIT_US SECONDS(15) /* for one try at one controller */
#define ASK_LIMIT_US SECONDS(10)
#define BACKOFF_MIN_US MSEC(250)
#define BACKOFF_MAX_US MINUTES(1)
#define LOOK_MAX_US MINUTES(60) /* a clock may be set meanwhile */
#define RENEW_PART 3 /* renewed when one of so many parts of its life is left */

struct node_identity {
    struct loop *loop;
    struct node_name name;
    char *dir, *path;
    char *controllers;
    char *token, *token_file;
    struct link_tls *tls;
    int64_t until_s; /* Unix time; 0: there is no certificate */
    int64_t lifetime_s;
    struct timer timer; /* the next look or try */
    uint64_t backoff_us;

    struct link *controller; /* NULL: not up */
    bool asking; /* it for a new certificate */
    EVP_PKEY *key; /* of the certificate that is asked for */

    struct link *joining; /* NULL: not under way */
    struct link_tls *joiner; /* of that link */
    unsigned tries;
    char token_now[JOIN_TOKEN_MAX]; /* of this try */
};

static int64_t now_s(void)
{
    return (int64_t)(wall_ms() / 1000);
}

static bool has_token(const struct node_identity *identity)
{
    return identity->token[0] || identity->token_file[0];
}

/* ---- a certificate that is here */

/* Whether @certs and @key are this node's, and good now. */
static int check(const struct node_identity *identity, EVP_PKEY *key, STACK_OF(X509) *certs,
                 struct error *err)
{
    X509 *own = sk_X509_value(certs, 0);
    struct node_name name;
    int64_t from, until;
    int r = cert_name(own, &name, err);

    if (r < 0)
        return r;
    if (strcmp(name.role, identity->name.role) != 0 || strcmp(name.id, identity->name.id) != 0)
        return error_set(err, ERR_CONFIG, "the certificate is for %s %s, and this is %s %s", name.role,
                         name.id, identity->name.role, identity->name.id);
    if (sk_X509_num(certs) < 2 || X509_check_private_key(own, key) != 1)
        return error_set(err, ERR_CONFIG, "key and certificates do not fit together");
    cert_times(own, &from, &until);
    if (now_s() >= until || now_s() < from) {
        char text[2][CLOCK_ISO_MAX];

        clock_format_iso((uint64_t)(now_s() < from ? from : until) * 1000, text[0]);
        clock_format_iso(wall_ms(), text[1]);
        return error_set(err, ERR_CONFIG, "the certificate %s at %s, and this machine's clock says %s",
                         now_s() < from ? "begins" : "ended", text[0], text[1]);
    }
    return 0;
}

static void look_later(struct node_identity *identity);

/* Uses @certs: first the node's own, then the CA's. */
static int use(struct node_identity *identity, EVP_PKEY *key, STACK_OF(X509) *certs, struct error *err)
{
    CLEANUP(certs_freep) STACK_OF(X509) *authorities = sk_X509_deep_copy(certs, X509_dup, X509_free);
    int64_t from;
    X509 *own;
    int r;

    if (!authorities)
        abort();
    own = sk_X509_shift(authorities);
    r = link_tls_set(identity->tls, key, own, authorities, err);
    if (r == 0) {
        cert_times(own, &from, &identity->until_s);
        identity->lifetime_s = identity->until_s - from - CERT_BACKDATE_S;
        identity->backoff_us = BACKOFF_MIN_US;
        look_later(identity);
    }
    X509_free(own);
    return r;
}

static int read_token(struct node_identity *identity, struct join_token *ret, struct error *err);

/* A join token of another cluster means that the node is to go there. */
static int check_cluster(struct node_identity *identity, STACK_OF(X509) *certs, struct error *err)
{
    char print[CERT_PRINT_MAX];
    struct join_token token;
    int i;

    if (!has_token(identity) || read_token(identity, &token, NULL) < 0)
        return 0; /* it is not needed: the certificate is here */
    for (i = 1; i < sk_X509_num(certs); i++) {
        cert_print(sk_X509_value(certs, i), print);
        if (strcmp(print, token.ca) == 0)
            return 0;
    }
    return error_set(err, ERR_CONFIG, "the certificate is of another cluster than the join token");
}

static int load(struct node_identity *identity, struct error *err)
{
    CLEANUP(seal_wipe_buf) struct buf pem = BUF_INIT(CERT_PEM_MAX);
    CLEANUP(certs_freep) STACK_OF(X509) *certs = NULL;
    CLEANUP(key_freep) EVP_PKEY *key = NULL;
    int r;

    (void)buf_reserve(&pem, CERT_PEM_MAX); /* so that it never moves, and can be wiped */
    r = file_read(identity->path, &pem, err);
    if (r == 0)
        r = node_key_read(buf_str(&pem), &key, err);
    if (r == 0)
        r = certs_read(buf_str(&pem), &certs, err);
    if (r == 0)
        r = check(identity, key, certs, err);
    if (r == 0)
        r = check_cluster(identity, certs, err);
    return r == 0 ? use(identity, key, certs, err) : r;
}

/* ---- keeping it */

struct keep {
    char *dir, *path;
    struct buf pem;
    struct error err;
    int r;
};

static void keep_work(void *arg)
{
    struct keep *keep = arg;

    keep->r = dir_make(keep->dir, 0700, &keep->err);
    if (keep->r == 0)
        keep->r = file_write_atomic(keep->path, buf_str(&keep->pem), 0600, &keep->err);
}

static void on_kept(void *arg)
{
    struct keep *keep = arg;

    if (keep->r < 0)
        log_error("identity", "the certificate is not kept: the next start needs a join token again",
                  KV_STR("file", keep->path), KV_ERR(&keep->err));
    seal_wipe_buf(&keep->pem);
    free(keep->dir);
    free(keep->path);
    free(keep);
}

static void keep(struct node_identity *identity, EVP_PKEY *key, STACK_OF(X509) *certs)
{
    struct keep *k = xcalloc(sizeof(*k));
    int i, r;

    k->dir = str_dup(str_of(identity->dir));
    k->path = str_dup(str_of(identity->path));
    k->pem = BUF_INIT(CERT_PEM_MAX);
    (void)buf_reserve(&k->pem, CERT_PEM_MAX);
    r = node_key_write(key, &k->pem);
    for (i = 0; r == 0 && i < sk_X509_num(certs); i++)
        r = cert_write(sk_X509_value(certs, i), &k->pem);
    if (r == 0) {
        loop_work(identity->loop, keep_work, on_kept, k);
    } else {
        k->r = error_set(&k->err, ERR_TOO_LARGE, "the certificates are too long");
        on_kept(k);
    }
}

/* ---- a certificate that comes */

static struct str answer_text(const cJSON *ok, const char *name)
{
    return str_of(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(ok, name)));
}

/* The controller's answer to node.join or node.certificate. */
static int take_answer(struct node_identity *identity, const cJSON *ok, struct error *err)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(CERT_PEM_MAX);
    CLEANUP(certs_freep) STACK_OF(X509) *certs = NULL;
    CLEANUP(key_freep) EVP_PKEY *key = TAKE(identity->key);
    char until[CLOCK_ISO_MAX];
    int r = buf_append_str(&pem, answer_text(ok, "certificate"));

    if (r == 0)
        r = buf_append_str(&pem, answer_text(ok, "authorities"));
    if (r == 0)
        r = certs_read(buf_str(&pem), &certs, err);
    if (r == 0)
        r = check(identity, key, certs, err);
    if (r == 0)
        r = use(identity, key, certs, err);
    if (r < 0)
        return r;
    clock_format_iso((uint64_t)identity->until_s * 1000, until);
    log_info("identity", "certificate", KV_STR("role", identity->name.role),
             KV_STR("id", identity->name.id), KV_STR("until", until));
    keep(identity, key, certs);
    return 0;
}

/* Who we are, and a request for a fresh key's certificate. */
static cJSON *request_args(struct node_identity *identity)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(CERT_PEM_MAX);
    CLEANUP(freep) char *text = NULL;
    cJSON *args = cJSON_CreateObject();

    EVP_PKEY_free(identity->key);
    identity->key = node_key_make();
    (void)node_request_write(identity->key, &pem); /* it fits */
    text = buf_take(&pem);
    cJSON_AddStringToObject(args, "role", identity->name.role);
    cJSON_AddStringToObject(args, "id", identity->name.id);
    cJSON_AddStringToObject(args, "request", text);
    return args;
}

static void back_off(struct node_identity *identity)
{
    timer_start(&identity->timer, identity->backoff_us);
    identity->backoff_us *= 2;
    if (identity->backoff_us > BACKOFF_MAX_US)
        identity->backoff_us = BACKOFF_MAX_US;
}

/* ---- renewing */

static void on_renewed(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct node_identity *identity = arg;
    struct error wrong;
    (void)body;

    identity->asking = false;
    if (!err && take_answer(identity, ok, &wrong) < 0)
        err = &wrong;
    if (!err)
        return;
    if (!identity->until_s && (err->code == ERR_UNSUPPORTED || err->code == ERR_NO_OPERATION)) {
        log_debug("identity", "the controller has no CA: links to this machine only", KV_ERR(err));
        return;
    }
    log_warn("identity", "no new certificate, trying again", KV_ERR(err));
    back_off(identity);
}

static void end_try(struct node_identity *identity);

static void renew(struct node_identity *identity)
{
    cJSON *args;

    if (identity->joining)
        end_try(identity); /* another controller is nearer: no token is needed */
    args = request_args(identity);
    identity->asking = true;
    rpc_call(identity->controller, "node.certificate", args, STR_NULL, ASK_LIMIT_US, on_renewed,
             identity);
    cJSON_Delete(args);
}

static bool is_due(const struct node_identity *identity)
{
    return identity->until_s - now_s() <= identity->lifetime_s / RENEW_PART;
}

static void look_later(struct node_identity *identity)
{
    int64_t left = identity->until_s - now_s() - identity->lifetime_s / RENEW_PART;
    uint64_t wait_us = left > 0 ? SECONDS(left) : 0;

    timer_start(&identity->timer, wait_us < LOOK_MAX_US ? wait_us : LOOK_MAX_US);
}

/* ---- joining */

static void end_try(struct node_identity *identity)
{
    link_free(TAKE(identity->joining)); /* its question is forgotten */
    link_tls_free(TAKE(identity->joiner));
    explicit_bzero(identity->token_now, sizeof(identity->token_now));
}

static void on_joined(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct node_identity *identity = arg;
    struct error wrong;
    (void)body;

    end_try(identity);
    if (!err && take_answer(identity, ok, &wrong) < 0)
        err = &wrong;
    if (!err)
        return;
    log_error("identity", "this node cannot join the cluster, trying again", KV_ERR(err));
    back_off(identity);
}

static void on_join_up(struct link *link, const struct link_hello *peer, void *arg)
{
    struct node_identity *identity = arg;
    cJSON *args = request_args(identity);
    (void)peer;

    cJSON_AddStringToObject(args, "token", identity->token_now);
    rpc_call(link, "node.join", args, STR_NULL, ASK_LIMIT_US, on_joined, identity);
    cJSON_Delete(args);
}

static void on_join_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                           struct str head, void *arg)
{
    (void)link;
    (void)s;
    (void)kind;
    (void)head;
    (void)arg;
}

static void on_join_down(struct link *link, const struct error *why, void *arg)
{
    (void)link;
    (void)why;
    (void)arg; /* what was asked has failed by it */
}

static const struct link_ops join_ops = {.on_up = on_join_up,
                                         .on_stream = on_join_stream,
                                         .on_down = on_join_down,
                                         .peers = "controller"};

/* The controllers over TCP, one after another. */
static char *next_controller(struct node_identity *identity)
{
    struct str list = str_of(identity->controllers), one;
    unsigned count = 0, want;

    while (link_addresses_next(&list, &one))
        count += link_addresses_have_tcp(one);
    want = identity->tries++ % count;
    list = str_of(identity->controllers);
    while (link_addresses_next(&list, &one))
        if (link_addresses_have_tcp(one) && want-- == 0)
            break;
    return str_dup(one);
}

/* The token, of this moment, into token_now. */
static int read_token(struct node_identity *identity, struct join_token *ret, struct error *err)
{
    CLEANUP(seal_wipe_buf) struct buf text = BUF_INIT(4096);
    struct str token = str_of(identity->token);
    int r;

    (void)buf_reserve(&text, 4096);
    if (identity->token_file[0]) {
        r = file_read(identity->token_file, &text, err);
        if (r < 0)
            return error_wrap(err, r, "HEARTH_JOIN_TOKEN_FILE");
        token = buf_str(&text);
    }
    token = str_trim(token);
    r = join_token_parse(token, ret, err);
    if (r < 0)
        return error_wrap(err, r, identity->token_file[0] ? "HEARTH_JOIN_TOKEN_FILE" : "HEARTH_JOIN_TOKEN");
    memcpy(identity->token_now, token.ptr, token.len);
    identity->token_now[token.len] = '\0';
    return 0;
}

static void try_to_join(struct node_identity *identity)
{
    struct link_hello me = {.role = LINK_JOINER};
    CLEANUP(freep) char *address = NULL;
    struct join_token token;
    struct error err;
    int r = read_token(identity, &token, &err);

    if (r == 0) {
        address = next_controller(identity);
        memcpy(me.id, identity->name.id, sizeof(me.id));
        me.tls = identity->joiner = link_tls_new_joiner(token.ca);
        r = link_connect(identity->loop, address, &me, &join_ops, identity, &identity->joining, &err);
    }
    if (r < 0) {
        end_try(identity);
        log_error("identity", "this node cannot join the cluster, trying again", KV_ERR(&err));
        back_off(identity);
        return;
    }
    timer_start(&identity->timer, JOIN_LIMIT_US);
}

/* ---- */

static void on_timer(void *arg)
{
    struct node_identity *identity = arg;
    bool is_over = identity->until_s <= now_s();

    if (identity->joining) { /* nobody there: the link has said why */
        end_try(identity);
        back_off(identity);
    } else if (identity->until_s && !is_due(identity)) {
        look_later(identity);
    } else if (identity->asking) {
        back_off(identity);
    } else if (identity->controller) {
        renew(identity);
    } else if (is_over && has_token(identity) &&
               link_addresses_have_tcp(str_of(identity->controllers))) {
        try_to_join(identity);
    } else {
        if (is_over && identity->until_s)
            log_error("identity", "the certificate has expired, and the controller cannot be reached: "
                                  "links over TCP fail until there is a join token (HEARTH_JOIN_TOKEN)");
        back_off(identity);
    }
}

void node_identity_link(struct node_identity *identity, struct link *link)
{
    identity->controller = link;
    identity->asking = false;
    if (link && is_due(identity))
        renew(identity); /* or the first one, where no token is needed */
}

struct link_tls *node_identity_tls(const struct node_identity *identity)
{
    return identity->tls;
}

/* What is there at the start, or how it is to be got. */
static int begin(struct node_identity *identity, struct error *err)
{
    struct error why;
    int r = load(identity, &why);

    if (r == 0)
        return 0;
    if (r != -ERR_NOT_FOUND && (has_token(identity) || !link_addresses_have_tcp(str_of(identity->controllers))))
        log_warn("identity", "the certificate that is kept is not used",
                 KV_STR("file", identity->path), KV_ERR(&why));
    if (!link_addresses_have_tcp(str_of(identity->controllers)))
        return 0; /* asked for when the link is up */
    if (!has_token(identity) && r == -ERR_NOT_FOUND)
        return error_set(err, ERR_CONFIG,
                         "HEARTH_CONTROLLER is on another machine (tcp://), and this %s has neither a "
                         "certificate (%s) nor a join token: make one with `hearth token create --role %s` "
                         "where a controller is, and set HEARTH_JOIN_TOKEN_FILE or HEARTH_JOIN_TOKEN",
                         identity->name.role, identity->path, identity->name.role);
    if (!has_token(identity))
        return error_set(err, ERR_CONFIG,
                         "%s: %s; make a join token with `hearth token create --role %s` where a "
                         "controller is, and set HEARTH_JOIN_TOKEN_FILE or HEARTH_JOIN_TOKEN",
                         identity->path, why.msg, identity->name.role);
    r = dir_make(identity->dir, 0700, err);
    if (r == 0)
        timer_start(&identity->timer, 0);
    return r;
}

int node_identity_new(const struct node_identity_options *options, struct node_identity **ret,
                      struct error *err)
{
    struct node_identity *identity = xcalloc(sizeof(*identity));
    int r;

    if (options->token[0] && options->token_file[0]) {
        free(identity);
        return error_set(err, ERR_CONFIG, "join_token and join_token_file are both set: leave one out");
    }
    identity->loop = options->loop;
    snprintf(identity->name.role, sizeof(identity->name.role), "%s", options->role);
    snprintf(identity->name.id, sizeof(identity->name.id), "%s", options->id);
    identity->dir = str_dup(str_of(options->dir));
    identity->path = str_printf("%s/node.pem", options->dir);
    identity->controllers = str_dup(str_of(options->controllers));
    identity->token = str_dup(str_of(options->token));
    identity->token_file = str_dup(str_of(options->token_file));
    identity->tls = link_tls_new();
    identity->backoff_us = BACKOFF_MIN_US;
    timer_init(&identity->timer, options->loop, on_timer, identity);
    r = begin(identity, err);
    if (r < 0)
        node_identity_free(identity);
    else
        *ret = identity;
    return r;
}

void node_identity_free(struct node_identity *identity)
{
    if (!identity)
        return;
    timer_stop(&identity->timer);
    end_try(identity);
    EVP_PKEY_free(identity->key);
    link_tls_free(identity->tls);
    explicit_bzero(identity->token, strlen(identity->token));
    free(identity->token);
    free(identity->token_file);
    free(identity->controllers);
    free(identity->dir);
    free(identity->path);
    free(identity);
}
