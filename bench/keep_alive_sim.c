/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep_alive_sim.c - the keep-alive policies of the invoker (keep_alive.h, the same code) on a trace of
 * invocations per function and minute: cold starts that could have been avoided, and what idle
 * sandboxes cost, against a fixed time of 10 minutes.
 *
 * Usage: keep_alive_sim INVOCATIONS.csv MEMORY.csv
 *
 * A function's first cold start cannot be avoided and does not count. One sandbox a function; a call
 * in a minute in which none is there is a cold start. Idle memory is counted by the minute, with each
 * function's average memory (the median function's where the trace has none).
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invoker/keep_alive.h"

#define MINUTES_MAX 1440
#define HASH_MAX 80
#define LINE_MAX_BYTES (1 << 16)

struct trace_fn {
    char hash[HASH_MAX];
    unsigned char called[MINUTES_MAX]; /* in that minute: yes or no */
    double mib;
};

struct figures {
    unsigned long cold; /* that could have been avoided */
    double idle; /* MiB x minutes */
};

static struct trace_fn *fns;
static size_t fns_len;
static unsigned minutes;

static void die(const char *what)
{
    fprintf(stderr, "keep_alive_sim: %s\n", what);
    exit(1);
}

/* The next field of *@line, cut off in place; NULL at the end. */
static char *field(char **line)
{
    return strsep(line, ",\r\n");
}

static void read_invocations(const char *path)
{
    FILE *f = fopen(path, "r");
    char *buf = malloc(LINE_MAX_BYTES), *line, *value;
    unsigned column, minute;
    struct trace_fn *fn;

    if (!f || !buf || !fgets(buf, LINE_MAX_BYTES, f))
        die("the file of invocations cannot be read");
    while (fgets(buf, LINE_MAX_BYTES, f)) {
        fns = reallocarray(fns, fns_len + 1, sizeof(*fns));
        if (!fns)
            abort();
        fn = &fns[fns_len++];
        memset(fn, 0, sizeof(*fn));
        line = buf;
        for (column = minute = 0; (value = field(&line)) && minute < MINUTES_MAX; column++) {
            if (column == 2)
                snprintf(fn->hash, sizeof(fn->hash), "%s", value);
            if (column >= 4 && (*value || line))
                fn->called[minute++] = strtoul(value, NULL, 10) > 0;
        }
        if (minute > minutes)
            minutes = minute;
    }
    fclose(f);
    free(buf);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void read_memory(const char *path)
{
    FILE *f = fopen(path, "r");
    char *buf = malloc(LINE_MAX_BYTES), *line, *hash, *mib = NULL;
    double *known = calloc(fns_len + 1, sizeof(*known));
    size_t i, known_len = 0;
    unsigned column;

    if (!f || !buf || !known || !fgets(buf, LINE_MAX_BYTES, f))
        die("the file of memory cannot be read");
    while (fgets(buf, LINE_MAX_BYTES, f)) {
        line = buf;
        hash = field(&line);
        for (column = 1; column <= 4; column++)
            mib = field(&line);
        for (i = 0; i < fns_len && mib; i++)
            if (strcmp(fns[i].hash, hash) == 0)
                fns[i].mib = strtod(mib, NULL);
    }
    for (i = 0; i < fns_len; i++)
        if (fns[i].mib > 0)
            known[known_len++] = fns[i].mib;
    qsort(known, known_len, sizeof(*known), by_size);
    for (i = 0; i < fns_len; i++)
        if (fns[i].mib <= 0)
            fns[i].mib = known_len ? known[known_len / 2] : 128;
    fclose(f);
    free(known);
    free(buf);
}

/* @worth 0: the fixed policy, @ttl minutes. */
static struct figures simulate(unsigned ttl, unsigned worth)
{
    struct figures sum = {0};
    struct keep_alive *ka;
    unsigned minute, pause;
    bool seen, warm;
    size_t i;

    for (i = 0; i < fns_len; i++) {
        ka = keep_alive_new();
        for (minute = pause = 0, seen = false; minute < minutes; minute++, pause++) {
            warm = seen && (worth ? keep_alive_is_warm(ka, pause, worth) : pause <= ttl);
            if (fns[i].called[minute]) {
                sum.cold += seen && !warm;
                if (seen)
                    keep_alive_learn(ka, pause);
                seen = true;
                pause = UINT_MAX; /* the next minute is the first of a pause: 0 */
            } else if (warm) {
                sum.idle += fns[i].mib;
            }
        }
        keep_alive_unref(ka);
    }
    return sum;
}

int main(int argc, char **argv)
{
    static const struct {
        unsigned ttl, worth;
    } runs[] = {{5, 0}, {10, 0}, {20, 0}, {60, 0}, {0, 10}, {0, 20}, {0, 40}, {0, 50}, {0, 60}, {0, 80}, {0, 100}};
    struct figures base, now;
    char name[64];
    size_t i;

    if (argc != 3)
        die("usage: keep_alive_sim INVOCATIONS.csv MEMORY.csv");
    read_invocations(argv[1]);
    read_memory(argv[2]);
    base = simulate(10, 0);
    printf("%zu functions, %u minutes; against fixed 10 minutes: %lu avoidable cold starts, %.0f GiB x minutes\n", fns_len,
           minutes, base.cold, base.idle / 1024);
    for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        now = simulate(runs[i].ttl, runs[i].worth);
        snprintf(name, sizeof(name), runs[i].worth ? "histogram_worth_%u" : "fixed_%u",
                 runs[i].worth ? runs[i].worth : runs[i].ttl);
        printf("figure=keep_alive_%s_cold value=%lu unit=starts against=fixed_10 ratio=%.3f\n", name, now.cold,
               (double)now.cold / (double)base.cold);
        printf("figure=keep_alive_%s_idle value=%.0f unit=GiB_minutes against=fixed_10 ratio=%.3f\n", name,
               now.idle / 1024, now.idle / base.idle);
    }
    free(fns);
    return 0;
}
