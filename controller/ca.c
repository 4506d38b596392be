/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/ca.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/alloc.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/log_limit.h"
#include "common/model/lambda_input.h"
#include "common/proto/cert_authority.h"
#include "common/proto/join_token.h"

#define COMPLAINTS_A_SECOND 10 /* refused strangers fill no log */
#define OWN_PART 3 /* our own certificate is made anew after one of so many parts of its life */

struct ca {
    struct loop *loop;
    struct cert_authority authority;
    struct link_tls *tls;
    struct node_name own;
    uint64_t lifetime_s;
    struct timer renewal;
    struct log_limit complaints;
};

static uint64_t now_s(void)
{
    return wall_ms() / 1000;
}

static int issue(const struct ca *ca, EVP_PKEY *key, const struct node_name *name, X509 **ret,
                 struct error *err)
{
    return cert_authority_issue(&ca->authority, key, name, (int64_t)now_s(), ca->lifetime_s, ret, err);
}

/* ---- our own certificate: we need to ask nobody */

static int certify_self(struct ca *ca, struct error *err)
{
    CLEANUP(key_freep) EVP_PKEY *key = node_key_make();
    X509 *cert = NULL;
    int r = issue(ca, key, &ca->own, &cert, err);

    if (r == 0)
        r = link_tls_set(ca->tls, key, cert, ca->authority.certs, err);
    X509_free(cert);
    return r;
}

static void on_renewal(void *arg)
{
    struct ca *ca = arg;
    struct error err;

    if (certify_self(ca, &err) < 0)
        log_error("ca", "no new certificate of our own", KV_ERR(&err));
    timer_start(&ca->renewal, SECONDS(ca->lifetime_s) / OWN_PART);
}

/* ---- those of nodes */

static int certify(const struct ca *ca, const struct node_name *name, struct str request, cJSON **ret,
                   struct error *err)
{
    CLEANUP(buf_done) struct buf cert_pem = BUF_INIT(CERT_PEM_MAX), ca_pem = BUF_INIT(CERT_PEM_MAX);
    CLEANUP(key_freep) EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    int r = node_request_read(request, &key, err);

    if (r == 0)
        r = issue(ca, key, name, &cert, err);
    if (r == 0)
        r = cert_write(cert, &cert_pem);
    if (r == 0)
        r = cert_authority_write_certs(&ca->authority, &ca_pem);
    X509_free(cert);
    if (r < 0)
        return r;
    {
        CLEANUP(freep) char *cert_text = buf_take(&cert_pem);
        CLEANUP(freep) char *ca_text = buf_take(&ca_pem);

        *ret = cJSON_CreateObject();
        cJSON_AddStringToObject(*ret, "certificate", cert_text);
        cJSON_AddStringToObject(*ret, "authorities", ca_text);
    }
    return 0;
}

static void answer(const struct ca *ca, struct rpc_request *rpc, const cJSON *args,
                   const struct node_name *name, const char *event)
{
    struct error err;
    cJSON *ok = NULL;

    if (certify(ca, name, cjson_str(args, "request"), &ok, &err) < 0) {
        rpc_fail(rpc, &err);
        return;
    }
    log_info("ca", event, KV_STR("role", name->role), KV_STR("id", name->id));
    rpc_reply(rpc, ok, STR_NULL);
    cJSON_Delete(ok);
}

static int read_name(const cJSON *args, struct node_name *ret, struct error *err)
{
    struct str role = cjson_str(args, "role"), id = cjson_str(args, "id");
    struct node_name name = {{0}, {0}};

    if (role.len == 0 || role.len >= sizeof(name.role) || id.len == 0 || id.len >= sizeof(name.id))
        return error_set(err, ERR_BAD_REQUEST, "a node joins with its role and its id");
    memcpy(name.role, role.ptr, role.len);
    memcpy(name.id, id.ptr, id.len);
    *ret = name;
    return 0;
}

void ca_join(struct ca *ca, struct rpc_request *rpc, const cJSON *args)
{
    struct node_name name;
    struct error err;
    int r = read_name(args, &name, &err);

    if (r == 0)
        r = join_token_check(cjson_str(args, "token"), ca->authority.token_key, ca->authority.print,
                             name.role, now_s(), &err);
    if (r == 0) {
        answer(ca, rpc, args, &name, "a node has joined");
        return;
    }
    if (log_limit_take(&ca->complaints, COMPLAINTS_A_SECOND, now_us()))
        log_warn("ca", "a node that wants to join is refused", KV_ERR(&err));
    rpc_fail(rpc, &err);
}

void ca_renew(struct ca *ca, struct rpc_request *rpc, const cJSON *args)
{
    const struct link *link = rpc_request_link(rpc);
    const struct link_hello *peer = link ? link_peer(link) : NULL;
    const char *proved = link ? link_proved_id(link) : NULL;
    struct node_name name;
    struct error err;

    if (!ca) {
        error_set(&err, ERR_UNSUPPORTED, "this controller does not listen to other machines: it has no CA");
        rpc_fail(rpc, &err);
        return;
    }
    /* who it is, the link has proved, or is no secret of this machine */
    if (!peer || (strcmp(peer->role, "gateway") != 0 && strcmp(peer->role, "invoker") != 0) ||
        read_name(args, &name, NULL) < 0 || strcmp(name.role, peer->role) != 0 ||
        (proved ? strcmp(proved, name.id) != 0 : !node_id_is(name.id, peer->id))) {
        error_set(&err, ERR_ACCESS_DENIED, "a gateway or an invoker gets certificates for itself only");
        rpc_fail(rpc, &err);
        return;
    }
    answer(ca, rpc, args, &name, "a node has a new certificate");
}

/* ---- life */

static int load(struct ca *ca, const struct ca_options *options, struct error *err)
{
    CLEANUP(freep) char *dir = str_printf("%s/ca", options->data_dir);
    CLEANUP(freep) char *cert = cert_authority_cert_path(options->data_dir);
    CLEANUP(freep) char *key = cert_authority_key_path(options->data_dir);
    int r;

    if (options->cert_file[0] || options->key_file[0]) {
        if (!options->cert_file[0] || !options->key_file[0])
            return error_set(err, ERR_CONFIG, "tls_ca_cert and tls_ca_key belong together: set both");
        r = cert_authority_load(options->cert_file, options->key_file, &ca->authority, err);
        if (r == -ERR_NOT_FOUND && err)
            err->code = ERR_CONFIG; /* another start would not help */
        return r == -ERR_NOT_FOUND ? -ERR_CONFIG : r;
    }
    r = dir_make(dir, 0700, err);
    return r == 0 ? cert_authority_load_or_make(cert, key, &ca->authority, err) : r;
}

int ca_new(const struct ca_options *options, struct ca **ret, struct error *err)
{
    struct ca *ca = xcalloc(sizeof(*ca));
    int r;

    ca->loop = options->loop;
    ca->lifetime_s = options->lifetime_us / SECONDS(1);
    ca->own = (struct node_name){.role = "controller"};
    snprintf(ca->own.id, sizeof(ca->own.id), "%s", options->id);
    ca->tls = link_tls_new();
    timer_init(&ca->renewal, options->loop, on_renewal, ca);
    r = load(ca, options, err);
    if (r == 0)
        r = certify_self(ca, err);
    if (r < 0) {
        ca_free(ca);
        return r;
    }
    timer_start(&ca->renewal, SECONDS(ca->lifetime_s) / OWN_PART);
    log_info("ca", "ready", KV_STR("print", ca->authority.print));
    *ret = ca;
    return 0;
}

void ca_free(struct ca *ca)
{
    if (!ca)
        return;
    timer_stop(&ca->renewal);
    link_tls_free(ca->tls);
    cert_authority_done(&ca->authority);
    free(ca);
}

struct link_tls *ca_tls(const struct ca *ca)
{
    return ca->tls;
}
