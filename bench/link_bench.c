/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_bench - what a link costs: round trips of small LINK_INVOKE messages between two processes
 * over a Unix socket and over TCP with TLS, with 1 and with 32 of them under way, and large ones.
 *
 *   link_bench [round trips] [payload bytes]
 *
 * Prints for each: round trips a second, mean wall time of one, and the processor time of one,
 * both processes together; in the end how TLS compares with the Unix socket, measured in turns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/io/link.h"
#include "common/io/link_test_pki.h"
#include "common/proto/invoke_wire.h"

#define ROUNDS 5u

static struct {
    struct loop *loop;
    struct link *link;
    uint64_t left, to_open;
    size_t payload;
    char bytes[65536];
    struct buf head;
    struct link_hello server, client;
} b;

/* Of one round trip, microseconds. */
struct cost {
    double wall, cpu;
};

static void on_data(struct link_stream *s, struct str bytes, void *arg)
{
    (void)arg;
    link_stream_consumed(s, bytes.len);
}

static void on_reset(struct link_stream *s, const struct error *why, void *arg)
{
    (void)s;
    (void)arg;
    if (b.left == 0)
        return;
    fprintf(stderr, "link_bench: reset: %s\n", why->msg);
    exit(1);
}

/* ---- the invoker's side */

static void on_question_end(struct link_stream *s, void *arg)
{
    const struct result_head head = {.outcome = INVOKE_OK, .executed_version = STR("$LATEST")};

    (void)arg;
    buf_clear(&b.head);
    if (result_head_write(&b.head, &head) < 0)
        abort();
    link_stream_answer(s, buf_str(&b.head), str_from(b.bytes, b.payload), true);
}

static const struct link_stream_ops server_stream = {
    .on_data = on_data, .on_end = on_question_end, .on_reset = on_reset};

static void on_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                      struct str bytes, void *arg)
{
    struct invoke_head head;

    (void)link;
    (void)kind;
    (void)arg;
    if (invoke_head_read(bytes, &head) == 0)
        link_stream_accept(s, &server_stream, NULL);
}

static void on_server_up(struct link *link, const struct link_hello *peer, void *arg)
{
    (void)link;
    (void)peer;
    (void)arg;
}

static void on_server_down(struct link *link, const struct error *why, void *arg)
{
    (void)link;
    (void)why;
    (void)arg;
    loop_stop(b.loop);
}

/* ---- the gateway's side */

static void ask(void);

static void on_result(struct link_stream *s, struct str bytes, void *arg)
{
    struct result_head head;

    (void)s;
    (void)arg;
    if (result_head_read(bytes, &head) < 0)
        abort();
}

static void on_answer_end(struct link_stream *s, void *arg)
{
    (void)s;
    (void)arg;
    if (--b.left == 0)
        loop_stop(b.loop);
    ask();
}

static const struct link_stream_ops client_stream = {
    .on_head = on_result, .on_data = on_data, .on_end = on_answer_end, .on_reset = on_reset};

static void ask(void)
{
    const struct invoke_head head = {
        .generation = 1,
        .wait_ms = 1000,
        .request_id = STR("8f5ee9d4-2f0a-4d3b-9c8e-0a1b2c3d4e5f"),
        .account = STR("000000000000"),
        .name = STR("hello"),
        .version = STR("$LATEST"),
        .invoked_arn = STR("arn:aws:lambda:us-east-1:000000000000:function:hello"),
    };

    if (b.to_open == 0)
        return;
    b.to_open--;
    buf_clear(&b.head);
    if (invoke_head_write(&b.head, &head) < 0 ||
        !link_open(b.link, LINK_INVOKE, buf_str(&b.head), str_from(b.bytes, b.payload), true,
                   &client_stream, NULL))
        abort();
}

static void on_client_up(struct link *link, const struct link_hello *peer, void *arg)
{
    (void)link;
    (void)peer;
    (void)arg;
    loop_stop(b.loop);
}

/* ---- */

static uint64_t cpu_us(int who)
{
    struct rusage use;

    getrusage(who, &use);
    return (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000u +
           (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

static int serve(const char *address)
{
    static const struct link_ops ops = {
        .on_up = on_server_up, .on_stream = on_stream, .on_down = on_server_down};
    struct link_server *server;
    struct error err;

    b.loop = loop_new();
    if (link_listen(b.loop, address, &b.server, &ops, NULL, &server, &err) < 0) {
        fprintf(stderr, "link_bench: %s\n", err.msg);
        return 1;
    }
    loop_run(b.loop);
    link_server_free(server);
    loop_free(b.loop);
    return 0;
}

static struct cost measure(const char *address, unsigned at_once, uint64_t count)
{
    static const struct link_ops ops = {
        .on_up = on_client_up, .on_stream = on_stream, .on_down = on_server_down};
    uint64_t start, wall, cpu, child;
    struct error err;
    unsigned i;
    pid_t pid;

    pid = fork();
    if (pid == 0)
        _exit(serve(address));
    b.loop = loop_new();
    if (link_connect(b.loop, address, &b.client, &ops, NULL, &b.link, &err) < 0)
        abort();
    loop_run(b.loop);
    child = cpu_us(RUSAGE_CHILDREN);
    cpu = cpu_us(RUSAGE_SELF);
    start = now_us();
    b.left = b.to_open = count;
    for (i = 0; i < at_once; i++)
        ask();
    loop_run(b.loop);
    wall = now_us() - start;
    cpu = cpu_us(RUSAGE_SELF) - cpu;
    link_free(b.link);
    loop_free(b.loop);
    waitpid(pid, NULL, 0);
    child = cpu_us(RUSAGE_CHILDREN) - child;
    printf("%-4.4s %2u at once, %5zu bytes: %8.0f round trips/s, %6.2f us wall, CPU %6.2f us "
           "(asking %5.2f, answering %5.2f)\n",
           address, at_once, b.payload, (double)count * 1e6 / (double)wall, (double)wall / (double)count,
           (double)(cpu + child) / (double)count, (double)cpu / (double)count,
           (double)child / (double)count);
    fflush(stdout);
    return (struct cost){(double)wall / (double)count, (double)(cpu + child) / (double)count};
}

static int by_size(const void *a, const void *other)
{
    double x = *(const double *)a, y = *(const double *)other;

    return (x > y) - (x < y);
}

/* Both transports in turns, so that a slow moment of the machine is shared. */
static void compare(const char *local, const char *tcp, unsigned at_once, uint64_t count)
{
    double wall[ROUNDS], cpu[ROUNDS];
    struct cost a, c;
    size_t i;

    for (i = 0; i < ROUNDS; i++) {
        a = measure(local, at_once, count / ROUNDS);
        c = measure(tcp, at_once, count / ROUNDS);
        wall[i] = c.wall / a.wall;
        cpu[i] = c.cpu / a.cpu;
    }
    qsort(wall, ROUNDS, sizeof(wall[0]), by_size);
    qsort(cpu, ROUNDS, sizeof(cpu[0]), by_size);
    printf("figure=link_tls_ratio at_once=%u bytes=%zu wall=%.2f cpu=%.2f\n", at_once, b.payload,
           wall[ROUNDS / 2], cpu[ROUNDS / 2]);
}

/* A certificate for each end, of a CA that is forgotten afterwards. */
static void certify(void)
{
    struct cert_authority ca;

    pki_new(&ca);
    b.server = (struct link_hello){.role = "invoker", .id = "bench"};
    b.client = (struct link_hello){.role = "gateway", .id = "bench"};
    b.server.tls = pki_node(&ca, b.server.role, b.server.id);
    b.client.tls = pki_node(&ca, b.client.role, b.client.id);
    cert_authority_done(&ca);
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
    size_t payload = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
    char dir[] = "/tmp/link-bench-XXXXXX", local[64], tcp[64];

    if (payload > sizeof(b.bytes) || count < ROUNDS || !mkdtemp(dir))
        return 1;
    log_least = LOG_ERROR; /* the first tries may come before the listener */
    buf_init(&b.head, 4096);
    certify();
    snprintf(local, sizeof(local), "unix:%s/s", dir);
    snprintf(tcp, sizeof(tcp), "tcp://127.0.0.1:%d", 20000 + (int)getpid() % 10000);
    b.payload = payload;
    compare(local, tcp, 1, count);
    compare(local, tcp, 32, count);
    b.payload = sizeof(b.bytes);
    compare(local, tcp, 1, count / 10);
    rmdir(dir);
    link_tls_free(b.server.tls);
    link_tls_free(b.client.tls);
    buf_done(&b.head);
    return 0;
}
