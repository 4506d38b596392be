/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_driver.c - the invoker's function logs without an invoker: child processes print numbered
 * lines into pipes, the real log module takes them. For tests/integration/test_kafka_logs.py and
 * for measuring.
 *
 *   log-driver name=value…
 *
 *   folder=PATH        the spool (required)
 *   brokers=, topic=   Kafka; none when brokers is empty
 *   functions=3        child processes, f0, f1, …
 *   lines=1000         printed by each: "<function> line <n> " and padding
 *   size=100           bytes of a line, newline included
 *   rate=0             lines a second of each; 0: as fast as the pipe takes them
 *   first=0            number of the first line
 *   json=0             1: a line is a JSON object with level INFO, as AWS's clients write it
 *   least=0            lines below this level are left out: 0 TRACE, which looks at none, … 3 WARN
 *   spool_bytes=, segment_bytes=, sync=auto|on|off    as in struct logs_options
 *   close_s=60         how long closing may wait for Kafka
 *   invocations=0      instead of children: that many invocations with START, `lines` lines, END
 *                      and REPORT, printed and drained by ourselves, one after the other
 *
 * Prints a line of JSON with the counters five times a second and one at the end, which has
 * "done":true, the CPU time that the log module cost (all threads of this process) and that of its
 * loop's thread.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "invoker/logs.h"

#define FUNCTIONS_MAX 64
#define LINE_MAX_BYTES 65536

struct settings {
    struct logs_options logs;
    uint64_t functions, lines, size, rate, first, json, least, close_s, invocations;
};

struct driver {
    struct settings set;
    struct loop *loop;
    struct logs *logs;
    struct log_source *sources[FUNCTIONS_MAX];
    int pipes[FUNCTIONS_MAX][2];
    size_t children;
    int go_fd;
    struct timer status, retry;
    struct logs_counters last;
    uint64_t invoked;
    bool lines_are_done;
    char text[LINE_MAX_BYTES];
    uint64_t start_us, start_cpu_us, lines_done_us;
};

static void die(const char *what)
{
    fprintf(stderr, "log-driver: %s\n", what);
    exit(2);
}

/* ---- children ---- */

static void print_lines(const struct settings *s, size_t f, int fd, int go_fd)
{
    static const char head[] = "{\"timestamp\":\"2026-11-26T20:00:00.123Z\",\"level\":\"INFO\","
                               "\"requestId\":\"00000000-0000-4000-8000-000000000000\","
                               "\"message\":\"";
    char line[LINE_MAX_BYTES];
    uint64_t n, start, due, now;
    size_t at;
    FILE *out = fdopen(fd, "w");
    ssize_t r = read(go_fd, line, 1);

    if (!out || r != 0)
        _exit(1);
    setvbuf(out, NULL, s->rate ? _IOLBF : _IOFBF, 4096);
    start = now_us();
    memset(line, '.', sizeof(line));
    for (n = 0; n < s->lines; n++) {
        at = (size_t)snprintf(line, sizeof(line), "%sf%zu line %" PRIu64 " ", s->json ? head : "",
                              f, s->first + n);
        line[at] = '.';
        at = at + 2 < s->size ? s->size : at + 3;
        memcpy(line + at - 3, s->json ? "\"}\n" : "..\n", 3);
        if (fwrite(line, 1, at, out) != at)
            _exit(1);
        memset(line + at - 3, '.', 3);
        due = s->rate ? start + (n + 1) * 1000000 / s->rate : 0;
        now = s->rate ? now_us() : 0;
        if (due > now)
            usleep((useconds_t)(due - now));
    }
    _exit(fclose(out) == 0 ? 0 : 1);
}

/* Before any thread exists; the children print when go_fd is closed. */
static void children_start(struct driver *d)
{
    int go[2];
    pid_t pid;
    size_t f;

    if (pipe2(go, 0) < 0)
        die("no pipe");
    d->go_fd = go[1];
    for (f = 0; f < d->set.functions; f++) {
        if (pipe2(d->pipes[f], 0) < 0)
            die("no pipe");
        pid = fork();
        if (pid < 0)
            die("no child process");
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(go[1]);
            close(d->pipes[f][0]);
            print_lines(&d->set, f, d->pipes[f][1], go[0]);
        }
        close(d->pipes[f][1]);
        d->children++;
    }
    close(go[0]);
}

static struct log_source *source_new(struct driver *d, size_t f, int fd)
{
    char name[32], sandbox[32], stream[LOGS_STREAM_NAME_MAX], request[64];
    const struct log_identity id = {
        .account = "000000000000",
        .region = "us-east-1",
        .function = name,
        .version = "$LATEST",
        .log_group = "/aws/lambda/test",
        .log_stream = stream,
        .sandbox = sandbox,
        .least = (enum fn_log_level)d->set.least,
    };
    struct log_source *src;

    snprintf(name, sizeof(name), "f%zu", f);
    snprintf(sandbox, sizeof(sandbox), "sb-%zu", f);
    snprintf(request, sizeof(request), "00000000-0000-4000-8000-%012zu", f);
    logs_stream_name(NULL, "$LATEST", stream);
    src = log_source_new(d->logs, &id, fd, -1);
    log_source_begin(src, str_of(request), false);
    return src;
}

/* ---- counters ---- */

static uint64_t cpu_us(int who)
{
    struct rusage u;

    getrusage(who, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000u +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void print_counters(const struct driver *d, bool done)
{
    const struct logs_counters *c = &d->last;

    printf("{\"done\":%s,\"lines\":%" PRIu64 ",\"bytes_read\":%" PRIu64
           ",\"bytes_spooled\":%" PRIu64 ",\"batches\":%" PRIu64 ",\"shipped\":%" PRIu64
           ",\"resent\":%" PRIu64 ",\"filtered\":%" PRIu64
           ",\"undeliverable\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"write_errors\":%" PRIu64
           ",\"blocked\":%" PRIu64 ",\"is_blocked\":%s,\"memory_bytes\":%" PRIu64
           ",\"segment_bytes\":%" PRIu64 ",\"unshipped_bytes\":%" PRIu64 ",\"wall_us\":%" PRIu64
           ",\"lines_wall_us\":%" PRIu64 ",\"cpu_us\":%" PRIu64 ",\"loop_cpu_us\":%" PRIu64 "}\n",
           done ? "true" : "false", c->lines, c->bytes_read, c->bytes_spooled, c->batches,
           c->shipped, c->resent, c->filtered, c->undeliverable, c->dropped, c->write_errors,
           c->blocked, c->is_blocked ? "true" : "false", c->memory_bytes, c->segment_bytes,
           c->unshipped_bytes, now_us() - d->start_us, d->lines_done_us - d->start_us,
           cpu_us(RUSAGE_SELF) - d->start_cpu_us, cpu_us(RUSAGE_THREAD));
    fflush(stdout);
}

static void on_closed(void *arg)
{
    struct driver *d = arg;

    print_counters(d, true);
    loop_stop(d->loop);
}

/* All is printed; the children's last lines may still be in the pipes. */
static void lines_end(struct driver *d)
{
    size_t f;

    for (f = 0; f < FUNCTIONS_MAX; f++) {
        log_source_free(d->sources[f]);
        d->sources[f] = NULL;
    }
    d->lines_done_us = now_us();
    d->lines_are_done = true;
}

static void on_status(void *arg)
{
    struct driver *d = arg;
    int status;

    while (d->children && waitpid(-1, &status, WNOHANG) > 0) {
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            die("a child failed");
        if (--d->children == 0)
            lines_end(d);
    }
    logs_counters_get(d->logs, &d->last);
    if (d->lines_are_done && ((d->last.memory_bytes == 0 && d->last.unshipped_bytes == 0) ||
                              now_us() - d->lines_done_us > SECONDS(d->set.close_s))) {
        logs_close(d->logs, 0, on_closed, d);
        return;
    }
    print_counters(d, false);
    timer_start(&d->status, MSEC(200));
}

/* ---- invocations ---- */

/* False when it was refused: the disk is behind. */
static bool invoke(struct driver *d, uint64_t number)
{
    struct log_source *src = d->sources[0];
    char id[64];
    uint64_t n;

    snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012" PRIu64, number);
    if (log_source_begin(src, str_of(id), false) < 0)
        return false;
    log_source_platform(src, STR("START RequestId: 00000000-0000-4000-8000-000000000000 "
                                 "Version: $LATEST"));
    for (n = 0; n < d->set.lines; n++)
        if (write(d->pipes[0][1], d->text, d->set.size) < 0)
            die("the pipe is full");
    log_source_drain(src);
    log_source_platform(src, STR("END RequestId: 00000000-0000-4000-8000-000000000000"));
    log_source_platform(src, STR("REPORT RequestId: 00000000-0000-4000-8000-000000000000\t"
                                 "Duration: 1.23 ms\tBilled Duration: 2 ms\t"
                                 "Memory Size: 128 MB\tMax Memory Used: 30 MB"));
    log_source_end(src);
    return true;
}

static void on_invoke(void *arg)
{
    struct driver *d = arg;
    size_t i;

    for (i = 0; i < 50 && d->invoked < d->set.invocations; i++)
        if (invoke(d, d->invoked))
            d->invoked++;
        else
            i = 50;
    if (d->invoked == d->set.invocations)
        lines_end(d);
    else if (i > 50)
        timer_start(&d->retry, MSEC(5));
    else
        loop_defer(d->loop, on_invoke, d);
}

static void invocations_start(struct driver *d)
{
    memset(d->text, '.', d->set.size);
    d->text[d->set.size - 1] = '\n';
    if (pipe2(d->pipes[0], O_CLOEXEC) < 0)
        die("no pipe");
    d->sources[0] = source_new(d, 0, d->pipes[0][0]);
    timer_init(&d->retry, d->loop, on_invoke, d);
    loop_defer(d->loop, on_invoke, d);
}

/* ---- settings ---- */

static bool set_text(struct settings *s, struct str key, const char *value)
{
    if (str_is(key, "folder"))
        s->logs.folder = value;
    else if (str_is(key, "brokers"))
        s->logs.kafka_brokers = value;
    else if (str_is(key, "topic"))
        s->logs.kafka_topic = value;
    else if (str_is(key, "sync"))
        s->logs.sync = str_is(str_of(value), "on")    ? LOGS_SYNC_ON
                       : str_is(str_of(value), "off") ? LOGS_SYNC_OFF
                                                      : LOGS_SYNC_AUTO;
    else
        return false;
    return true;
}

static void settings_read(struct settings *s, int argc, char **argv)
{
    struct {
        const char *key;
        uint64_t *to;
    } numbers[] = {
        {"functions", &s->functions},   {"lines", &s->lines},
        {"size", &s->size},             {"rate", &s->rate},
        {"first", &s->first},           {"json", &s->json},
        {"least", &s->least},           {"close_s", &s->close_s},
        {"invocations", &s->invocations}, {"spool_bytes", &s->logs.spool_bytes},
        {"segment_bytes", &s->logs.segment_bytes},
    };
    struct str arg, key;
    size_t k;
    int i;

    *s = (struct settings){.functions = 3, .lines = 1000, .size = 100, .close_s = 60};
    s->logs.node = "test";
    for (i = 1; i < argc; i++) {
        arg = str_of(argv[i]);
        key = str_sub(arg, 0, str_find(arg, '=', 0));
        arg = str_sub(arg, key.len + 1, arg.len);
        for (k = 0; k < ARRAY_LEN(numbers) && !str_is(key, numbers[k].key); k++)
            ;
        if (k < ARRAY_LEN(numbers) ? str_parse_u64(arg, numbers[k].to) < 0
                                   : !set_text(s, key, arg.ptr))
            die(argv[i]);
    }
    if (!s->logs.folder || s->functions > FUNCTIONS_MAX || s->size < 2 ||
        s->size > LINE_MAX_BYTES || s->least > FN_LOG_FATAL)
        die("folder is missing or a number is out of range");
}

int main(int argc, char **argv)
{
    static struct driver d;
    struct error err;
    size_t f;

    settings_read(&d.set, argc, argv);
    log_init("log-driver", LOG_INFO);
    if (!d.set.invocations)
        children_start(&d);
    d.loop = loop_new();
    if (logs_new(d.loop, &d.set.logs, &d.logs, &err) < 0)
        die(err.msg);
    d.start_us = d.lines_done_us = now_us();
    d.start_cpu_us = cpu_us(RUSAGE_SELF);
    timer_init(&d.status, d.loop, on_status, &d);
    timer_start(&d.status, 0);
    if (d.set.invocations) {
        invocations_start(&d);
    } else {
        for (f = 0; f < d.set.functions; f++)
            d.sources[f] = source_new(&d, f, d.pipes[f][0]);
        close(d.go_fd);
    }
    loop_run(d.loop);
    loop_free(d.loop);
    return 0;
}
