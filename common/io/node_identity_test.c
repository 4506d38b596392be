/* SPDX-License-Identifier: Apache-2.0 */
/* How a node gets its certificate, keeps it and renews it; the controller here is a CA behind a link. */
#include "common/io/link_test_ends.h"

#include <sys/stat.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/io/node_identity.h"
#include "common/io/rpc.h"
#include "common/proto/join_token.h"

static struct {
    struct node_identity *identity;
    char dir[96], file[128], token[JOIN_TOKEN_MAX];
    int asked;
    uint64_t lifetime_s; /* of what the CA gives */
    struct node_name gives; /* for whom */
    struct error refuses; /* code ERR_OK: it does not */
    struct link *up; /* the node's link to the controller */
} n;

static void answer_certificate(struct rpc_request *req, const cJSON *args)
{
    const char *request = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "request"));
    CLEANUP(buf_done) struct buf cert_pem = BUF_INIT(CERT_PEM_MAX), ca_pem = BUF_INIT(CERT_PEM_MAX);
    CLEANUP(key_freep) EVP_PKEY *key = NULL;
    cJSON *ok = cJSON_CreateObject();
    char *text;
    X509 *cert;

    assert_int_equal(node_request_read(str_of(request), &key, NULL), 0);
    assert_int_equal(cert_authority_issue(&pki, key, &n.gives, (int64_t)(wall_ms() / 1000), n.lifetime_s,
                                          &cert, NULL),
                     0);
    assert_int_equal(cert_write(cert, &cert_pem), 0);
    assert_int_equal(cert_authority_write_certs(&pki, &ca_pem), 0);
    X509_free(cert);
    text = buf_take(&cert_pem);
    cJSON_AddStringToObject(ok, "certificate", text);
    free(text);
    text = buf_take(&ca_pem);
    cJSON_AddStringToObject(ok, "authorities", text);
    free(text);
    rpc_reply(req, ok, STR_NULL);
    cJSON_Delete(ok);
}

static void handle(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    (void)body;
    (void)arg;
    n.asked++;
    if (n.refuses.code)
        rpc_fail(req, &n.refuses);
    else
        answer_certificate(req, args);
}

static void handle_join(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    const char *token = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "token"));

    assert_string_equal(token, n.token);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "role")), "invoker");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "id")), "n-1");
    handle(req, args, body, arg);
}

static const struct rpc_method join_methods[] = {{"node.join", handle_join}, {NULL, NULL}};
static const struct rpc_method up_methods[] = {{"node.certificate", handle}, {NULL, NULL}};

static void on_ca_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                         struct str head, void *arg)
{
    bool joins = strcmp(link_peer(link)->role, LINK_JOINER) == 0;

    (void)kind;
    rpc_serve(t.loop, s, head, joins ? join_methods : up_methods, arg);
}

static void on_ca_up(struct link *link, const struct link_hello *peer, void *arg)
{
    (void)link;
    (void)peer;
    (void)arg;
}

static void on_ca_down(struct link *link, const struct error *why, void *arg)
{
    (void)link;
    (void)why;
    (void)arg;
}

static const struct link_ops ca_ops = {.on_up = on_ca_up,
                                       .on_stream = on_ca_stream,
                                       .on_down = on_ca_down,
                                       .peers = "invoker " LINK_JOINER};

/* ---- the node's own link to the controller, as its program has one */

static void on_node_up(struct link *link, const struct link_hello *peer, void *arg)
{
    (void)peer;
    (void)arg;
    n.up = link;
    node_identity_link(n.identity, link);
}

static void on_node_down(struct link *link, const struct error *why, void *arg)
{
    (void)link;
    (void)why;
    (void)arg;
    n.up = NULL;
    node_identity_link(n.identity, NULL);
}

static const struct link_ops node_ops = {
    .on_up = on_node_up, .on_stream = on_stream, .on_down = on_node_down, .peers = "controller"};

static int set_up_group(void **state)
{
    log_least = LOG_ERROR + 1; /* what is refused here is meant to be */
    server_hello = (struct link_hello){.role = "controller", .id = "c"};
    return set_up_tcp_group(state);
}

static void listen_as_ca(void)
{
    assert_int_equal(link_listen(t.loop, t.address, &server_hello, &ca_ops, NULL, &t.server, NULL), 0);
}

static int set_up_node(void **state)
{
    set_up_unlinked(state);
    memset(&n, 0, sizeof(n));
    snprintf(n.dir, sizeof(n.dir), "%s/tls", t.dir);
    snprintf(n.file, sizeof(n.file), "%s/node.pem", n.dir);
    n.lifetime_s = 3600;
    n.gives = (struct node_name){"invoker", "n-1"};
    assert_int_equal(join_token_make(pki.token_key, pki.print, "invoker", wall_ms() / 1000 + 60, n.token,
                                     NULL),
                     0);
    listen_as_ca();
    return 0;
}

static int tear_down_node(void **state)
{
    link_free(TAKE(t.client));
    node_identity_free(n.identity);
    settle();
    WAIT_FOR(((uv_loop_t *)loop_uv(t.loop))->active_reqs.count == 0); /* the file that is written */
    dir_remove(n.dir, NULL);
    return tear_down(state);
}

static int begin_with(const char *token, const char *token_file, struct error *err)
{
    const struct node_identity_options options = {.loop = t.loop,
                                                  .role = "invoker",
                                                  .id = "n-1",
                                                  .dir = n.dir,
                                                  .controllers = t.address,
                                                  .token = token,
                                                  .token_file = token_file};

    return node_identity_new(&options, &n.identity, err);
}

static void begin_joining(void)
{
    assert_int_equal(begin_with(n.token, "", NULL), 0);
}

static bool is_ready(void)
{
    return link_tls_is_ready(node_identity_tls(n.identity));
}

static void connect_node(void)
{
    struct link_hello me = {.role = "invoker", .id = "n-1"};

    me.tls = node_identity_tls(n.identity);
    assert_int_equal(link_connect(t.loop, t.address, &me, &node_ops, NULL, &t.client, NULL), 0);
    WAIT_FOR(n.up);
}

static void end_node(void)
{
    link_free(TAKE(t.client));
    n.up = NULL;
    node_identity_free(TAKE(n.identity));
    settle();
}

/* ---- */

static void a_token_brings_a_certificate_that_is_kept_for_the_next_start(void **state)
{
    struct stat st;

    (void)state;
    begin_joining();
    assert_false(is_ready());
    WAIT_FOR(is_ready());
    connect_node();
    WAIT_FOR(stat(n.file, &st) == 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(n.asked, 1);
    end_node();

    assert_int_equal(begin_with("", "", NULL), 0);
    assert_true(is_ready());
    connect_node();
    settle();
    assert_int_equal(n.asked, 1);
}

static void without_certificate_and_token_the_start_says_what_to_do(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(begin_with("", "", &err), -ERR_CONFIG);
    assert_non_null(strstr(err.msg, "hearth token create --role invoker"));
    assert_int_equal(begin_with("x", "y", &err), -ERR_CONFIG);
}

static void a_token_in_a_file_may_be_replaced_while_the_node_tries(void **state)
{
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/token", n.dir);
    assert_int_equal(dir_make(n.dir, 0700, NULL), 0);
    assert_int_equal(file_write_atomic(path, STR("nonsense\n"), 0600, NULL), 0);
    assert_int_equal(begin_with("", path, NULL), 0);
    settle();
    assert_int_equal(n.asked, 0);
    assert_int_equal(file_write_atomic(path, str_of(n.token), 0600, NULL), 0);
    WAIT_FOR(is_ready());
}

static void a_refused_node_tries_again(void **state)
{
    (void)state;
    error_set(&n.refuses, ERR_ACCESS_DENIED, "the join token expired");
    begin_joining();
    WAIT_FOR(n.asked == 1);
    settle();
    assert_false(is_ready());
    n.refuses.code = ERR_OK;
    WAIT_FOR(is_ready());
    assert_int_equal(n.asked, 2);
}

static void a_certificate_for_somebody_else_is_not_taken(void **state)
{
    (void)state;
    n.gives = (struct node_name){"invoker", "n-2"};
    begin_joining();
    WAIT_FOR(n.asked == 1);
    settle();
    assert_false(is_ready());
    n.gives = (struct node_name){"invoker", "n-1"};
    WAIT_FOR(is_ready());
}

static void the_token_goes_to_no_controller_of_another_cluster(void **state)
{
    struct cert_authority other;

    (void)state;
    pki_new(&other);
    pki_certify_at(&other, server_hello.tls, "controller", "c", 0, 3600);
    begin_joining();
    WAIT_FOR(!LIST_FIRST(&t.server->links, struct link, node) || n.asked);
    settle();
    assert_int_equal(n.asked, 0);
    assert_false(is_ready());
    pki_certify_at(&pki, server_hello.tls, "controller", "c", 0, 3600);
    WAIT_FOR(is_ready());
    cert_authority_done(&other);
}

static void a_certificate_is_renewed_over_the_link_before_it_ends(void **state)
{
    CLEANUP(buf_done) struct buf before = BUF_INIT(CERT_PEM_MAX), after = BUF_INIT(CERT_PEM_MAX);
    struct stat st;

    (void)state;
    n.lifetime_s = 3;
    begin_joining();
    WAIT_FOR(is_ready() && stat(n.file, &st) == 0);
    assert_int_equal(file_read(n.file, &before, NULL), 0);
    connect_node();
    n.lifetime_s = 3600;
    WAIT_FOR(n.asked == 2);
    do {
        settle();
        buf_clear(&after);
        assert_int_equal(file_read(n.file, &after, NULL), 0);
    } while (str_eq(buf_str(&before), buf_str(&after)));
    assert_non_null(n.up); /* nothing was cut for it */
    end_node();
    assert_int_equal(begin_with("", "", NULL), 0);
    connect_node(); /* what was kept is what is good now */
}

static void a_certificate_that_has_ended_takes_a_token_again(void **state)
{
    struct error err;
    struct stat st;

    (void)state;
    n.lifetime_s = 1;
    begin_joining();
    WAIT_FOR(is_ready() && stat(n.file, &st) == 0);
    end_node();
    n.lifetime_s = 3600;
    while (begin_with("", "", &err) == 0) /* until its second is over */
        end_node();
    assert_non_null(strstr(err.msg, "the certificate ended at "));
    assert_non_null(strstr(err.msg, "hearth token create"));
    begin_joining();
    WAIT_FOR(is_ready());
}

static void a_token_of_another_cluster_moves_the_node_there(void **state)
{
    struct stat st;

    (void)state;
    begin_joining();
    WAIT_FOR(is_ready() && stat(n.file, &st) == 0);
    end_node();
    begin_joining();
    assert_true(is_ready()); /* the same cluster: its certificate serves */
    end_node();
    cert_authority_done(&pki);
    pki_new(&pki);
    pki_certify_at(&pki, server_hello.tls, "controller", "c", 0, 3600);
    pki_certify_at(&pki, client_hello.tls, client_hello.role, client_hello.id, 0, 3600);
    assert_int_equal(join_token_make(pki.token_key, pki.print, "invoker", wall_ms() / 1000 + 60, n.token,
                                     NULL),
                     0);
    begin_joining();
    assert_false(is_ready());
    WAIT_FOR(is_ready());
    connect_node();
}

static void a_file_that_is_damaged_is_said_and_replaced(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(dir_make(n.dir, 0700, NULL), 0);
    assert_int_equal(file_write_atomic(n.file, STR("-----BEGIN"), 0600, NULL), 0);
    assert_int_equal(begin_with("", "", &err), -ERR_CONFIG);
    assert_non_null(strstr(err.msg, n.file));
    begin_joining();
    WAIT_FOR(is_ready());
}

static void behind_a_unix_socket_no_token_is_needed(void **state)
{
    char tcp[sizeof(t.address)];

    (void)state;
    link_server_free(t.server);
    settle();
    memcpy(tcp, t.address, sizeof(tcp));
    snprintf(t.address, sizeof(t.address), "unix:%s/s", t.dir);
    listen_as_ca();
    assert_int_equal(begin_with("", "", NULL), 0);
    error_set(&n.refuses, ERR_UNSUPPORTED, "it has no CA");
    connect_node();
    WAIT_FOR(n.asked == 1);
    settle();
    assert_false(is_ready());
    end_node();
    n.refuses.code = ERR_OK;
    assert_int_equal(begin_with("", "", NULL), 0);
    connect_node();
    WAIT_FOR(is_ready());
    memcpy(t.address, tcp, sizeof(tcp));
}

static void it_may_end_at_any_moment(void **state)
{
    int turns, i;

    (void)state;
    for (turns = 0; turns < 40; turns++) {
        begin_joining();
        for (i = 0; i < turns && !is_ready(); i++)
            uv_run(loop_uv(t.loop), UV_RUN_NOWAIT);
        node_identity_free(TAKE(n.identity));
        settle();
        dir_remove(n.dir, NULL);
    }
}

int main(void)
{
#define TEST_NODE(fn) cmocka_unit_test_setup_teardown(fn, set_up_node, tear_down_node)
    const struct CMUnitTest tests[] = {
        TEST_NODE(a_token_brings_a_certificate_that_is_kept_for_the_next_start),
        TEST_NODE(without_certificate_and_token_the_start_says_what_to_do),
        TEST_NODE(a_token_in_a_file_may_be_replaced_while_the_node_tries),
        TEST_NODE(a_refused_node_tries_again),
        TEST_NODE(a_certificate_for_somebody_else_is_not_taken),
        TEST_NODE(the_token_goes_to_no_controller_of_another_cluster),
        TEST_NODE(a_certificate_is_renewed_over_the_link_before_it_ends),
        TEST_NODE(a_certificate_that_has_ended_takes_a_token_again),
        TEST_NODE(a_token_of_another_cluster_moves_the_node_there),
        TEST_NODE(a_file_that_is_damaged_is_said_and_replaced),
        TEST_NODE(behind_a_unix_socket_no_token_is_needed),
        TEST_NODE(it_may_end_at_any_moment),
    };

    return cmocka_run_group_tests_name("node_identity", tests, set_up_group, tear_down_tcp_group);
}
