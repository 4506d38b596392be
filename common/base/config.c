/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/version.h"

#define CONFIG_FILE_MAX (1u << 20)

struct unit {
    const char *suffix;
    uint64_t factor;
};

static const struct unit byte_units[] = {{"K", 1u << 10}, {"M", 1u << 20}, {"G", 1u << 30}, {"", 1}};
static const struct unit time_units[] = {
    {"ms", 1000}, {"us", 1}, {"s", 1000000}, {"m", 60000000}, {"h", 3600000000u}};

/* A number with one of @units behind it. */
static int parse_unit(struct str text, const struct unit *units, size_t len, uint64_t *ret)
{
    struct str suffix;
    uint64_t v;
    size_t i;

    for (i = 0; i < len; i++) {
        suffix = str_of(units[i].suffix);
        if (!str_ends(text, suffix))
            continue;
        if (str_parse_u64(str_sub(text, 0, text.len - suffix.len), &v) == 0 &&
            !__builtin_mul_overflow(v, units[i].factor, ret))
            return 0;
    }
    return -ERR_CONFIG;
}

static int parse_bool(struct str text, bool *ret)
{
    if (str_is(text, "true") || str_is(text, "yes") || str_is(text, "1")) {
        *ret = true;
        return 0;
    }
    *ret = false;
    return str_is(text, "false") || str_is(text, "no") || str_is(text, "0") ? 0 : -ERR_CONFIG;
}

static const char wrong_length[] = "is too short or too long";

static bool is_text(const struct config_item *item)
{
    return item->type == CFG_STRING || item->type == CFG_SECRET;
}

const char *config_set(const struct config_item *item, struct str text, void *target)
{
    char *at = (char *)target + item->offset;
    const char *wrong;
    uint64_t v = 0;
    int r = 0;

    switch (item->type) {
    case CFG_STRING:
    case CFG_SECRET:
        v = text.len;
        break;
    case CFG_BOOL:
        return parse_bool(text, (bool *)(void *)at) < 0 ? "is not true or false" : NULL;
    case CFG_U64:
        r = str_parse_u64(text, &v);
        break;
    case CFG_BYTES:
        r = parse_unit(text, byte_units, ARRAY_LEN(byte_units), &v);
        break;
    case CFG_USEC:
        r = parse_unit(text, time_units, ARRAY_LEN(time_units), &v);
        break;
    }
    if (r < 0)
        return item->type == CFG_USEC ? "is not a time such as 250ms, 3s, 5m or 2h"
                                      : "is not a number";
    if (!is_text(item) && (v < item->min || v > item->max))
        return "is out of range";
    wrong = item->check ? item->check(text) : NULL; /* says more than that the length is wrong */
    if (wrong)
        return wrong;
    if (v < item->min || v > item->max)
        return wrong_length;
    if (is_text(item)) {
        free(*(char **)(void *)at);
        *(char **)(void *)at = str_dup(text);
    } else {
        *(uint64_t *)(void *)at = v;
    }
    return NULL;
}

/* @v in the largest unit that divides it. */
static void format_value(const struct config_item *item, uint64_t v, char *ret, size_t size)
{
    const struct unit *units = item->type == CFG_BYTES ? byte_units : time_units;
    size_t len = item->type == CFG_BYTES ? ARRAY_LEN(byte_units) : ARRAY_LEN(time_units), i, best;

    if (item->type == CFG_U64 || is_text(item)) {
        snprintf(ret, size, "%" PRIu64, v);
        return;
    }
    best = item->type == CFG_BYTES ? 3 : 1;
    for (i = 0; i < len && v; i++)
        if (v % units[i].factor == 0 && units[i].factor > units[best].factor)
            best = i;
    snprintf(ret, size, "%" PRIu64 "%s", v / units[best].factor, units[best].suffix);
}

static void range_text(const struct config_item *item, char *ret, size_t size)
{
    char lo[32], hi[32];

    if (item->type == CFG_BOOL) {
        snprintf(ret, size, "true or false");
        return;
    }
    if (is_text(item)) {
        snprintf(ret, size, "text");
        return;
    }
    format_value(item, item->min, lo, sizeof(lo));
    format_value(item, item->max, hi, sizeof(hi));
    snprintf(ret, size, "%s to %s", lo, hi);
}

static void set_or_complain(const struct config_item *item, struct str text, const char *where,
                            void *target, struct buf *problems)
{
    const char *wrong = config_set(item, text, target);
    char range[80];

    if (!wrong)
        return;
    if (is_text(item)) /* what is legal is what the check says, or the length */
        snprintf(range, sizeof(range), "%" PRIu64 " to %" PRIu64 " bytes", item->min, item->max);
    else
        range_text(item, range, sizeof(range));
    if (item->type == CFG_SECRET)
        text = STR("...");
    buf_printf(problems, "%s = \"%.*s\" (from %s) %s", item->name, STR_ARG(text), where, wrong);
    if (!is_text(item) || wrong == wrong_length)
        buf_printf(problems, "; legal: %s", range);
    buf_append_char(problems, '\n');
}

/* Finds a row by name; '-' in @name counts as '_'. */
static const struct config_item *item_find(const struct config_program *prog, struct str name)
{
    const char *n;
    size_t i, j;

    for (i = 0; i < prog->len; i++) {
        n = prog->items[i].name;
        for (j = 0; j < name.len && n[j]; j++)
            if (n[j] != (name.ptr[j] == '-' ? '_' : name.ptr[j]))
                break;
        if (j == name.len && n[j] == '\0')
            return &prog->items[i];
    }
    return NULL;
}

static void load_file(const struct config_program *prog, const char *path, void *target,
                      struct buf *problems)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(CONFIG_FILE_MAX);
    struct str rest, line, name, value;
    const struct config_item *item;
    struct error err;
    size_t eq;
    int nr = 0;
    char where[64];

    if (file_read(path, &text, &err) < 0) {
        buf_printf(problems, "%s\n", err.msg);
        return;
    }
    rest = buf_str(&text);
    while (str_split(&rest, '\n', &line)) {
        nr++;
        line = str_trim(line);
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        eq = str_find(line, '=', 0);
        name = str_trim(str_sub(line, 0, eq));
        value = str_trim(str_sub(line, eq + 1, line.len));
        item = eq < line.len ? item_find(prog, name) : NULL;
        if (!item) {
            buf_printf(problems, "%s line %d: \"%.*s\" is no setting of %s (see --help)\n", path, nr,
                       STR_ARG(name), prog->name);
            continue;
        }
        snprintf(where, sizeof(where), "configuration file line %d", nr);
        set_or_complain(item, value, where, target, problems);
    }
}

static void load_environment(const struct config_program *prog, void *target, struct buf *problems)
{
    const char *v;
    size_t i;

    for (i = 0; i < prog->len; i++) {
        v = prog->items[i].env ? getenv(prog->items[i].env) : NULL;
        if (v)
            set_or_complain(&prog->items[i], str_of(v), prog->items[i].env, target, problems);
    }
}

/* Splits --name=value or --name value; *@i moves over a value of its own. */
static bool next_flag(int argc, char **argv, int *i, struct str *name, struct str *value)
{
    struct str arg = str_of(argv[*i]);
    size_t eq;

    *value = STR_NULL;
    if (!str_starts(arg, STR("--")))
        return false;
    eq = str_find(arg, '=', 0);
    *name = str_sub(arg, 2, eq);
    if (eq < arg.len)
        *value = str_sub(arg, eq + 1, arg.len);
    else if (*i + 1 < argc)
        *value = str_of(argv[++*i]);
    return true;
}

static void load_flags(const struct config_program *prog, int argc, char **argv, void *target,
                       struct buf *problems)
{
    const struct config_item *item;
    struct str name, value;
    int i;

    for (i = 1; i < argc; i++) {
        if (!next_flag(argc, argv, &i, &name, &value)) {
            buf_printf(problems, "\"%s\" is not a flag (see --help)\n", argv[i]);
            continue;
        }
        if (str_is(name, "config"))
            continue;
        item = item_find(prog, name);
        if (!item)
            buf_printf(problems, "--%.*s is no flag of %s (see --help)\n", STR_ARG(name), prog->name);
        else if (!value.ptr)
            buf_printf(problems, "--%.*s needs a value\n", STR_ARG(name));
        else
            set_or_complain(item, value, "flag", target, problems);
    }
}

static bool printed_and_done(const struct config_program *prog, int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            config_print_help(prog, stdout);
        else if (strcmp(argv[i], "--version") == 0)
            printf("%s %s\n", prog->name, HEARTH_VERSION);
        else if (strcmp(argv[i], "--config-docs") == 0)
            config_print_markdown(prog, stdout);
        else
            continue;
        return true;
    }
    return false;
}

int config_load(const struct config_program *prog, int argc, char **argv, void *target,
                struct buf *problems)
{
    struct str name, value;
    size_t i;
    int a;

    if (printed_and_done(prog, argc, argv))
        return CONFIG_EXIT_OK;
    for (i = 0; i < prog->len; i++)
        set_or_complain(&prog->items[i], str_of(prog->items[i].def), "default", target, problems);
    for (a = 1; a < argc; a++) {
        if (next_flag(argc, argv, &a, &name, &value) && str_is(name, "config") && value.ptr) {
            CLEANUP(freep) char *path = str_dup(value);

            load_file(prog, path, target, problems);
        }
    }
    load_environment(prog, target, problems);
    load_flags(prog, argc, argv, target, problems);
    return problems->len ? -ERR_CONFIG : CONFIG_RUN;
}

void config_done(const struct config_program *prog, void *target)
{
    char **at;
    size_t i;

    for (i = 0; i < prog->len; i++) {
        if (!is_text(&prog->items[i]))
            continue;
        at = (char **)(void *)((char *)target + prog->items[i].offset);
        if (*at)
            explicit_bzero(*at, strlen(*at)); /* some are passwords */
        free(*at);
        *at = NULL;
    }
}

void config_print_help(const struct config_program *prog, FILE *to)
{
    const struct config_item *it;
    char range[80], flag[64];
    size_t i;
    char *p;

    fprintf(to, "%s - %s\n\nUsage: %s [--config FILE] [--NAME VALUE ...]\n\n", prog->name, prog->about,
            prog->name);
    for (i = 0; i < prog->len; i++) {
        it = &prog->items[i];
        range_text(it, range, sizeof(range));
        snprintf(flag, sizeof(flag), "%s", it->name);
        for (p = flag; *p; p++)
            if (*p == '_')
                *p = '-';
        fprintf(to, "  --%s VALUE\n      %s\n      default: %s; legal: %s; variable: %s\n", flag, it->help,
                it->def[0] ? it->def : "(empty)", range, it->env ? it->env : "(none)");
    }
    fprintf(to, "  --config FILE\n      lines of name = value, # comments\n  --help, --version\n");
}

void config_print_markdown(const struct config_program *prog, FILE *to)
{
    const struct config_item *it;
    char range[80];
    size_t i;

    fprintf(to, "## %s\n\n%s\n\n| setting | variable | default | legal | meaning |\n", prog->name,
            prog->about);
    fprintf(to, "| --- | --- | --- | --- | --- |\n");
    for (i = 0; i < prog->len; i++) {
        it = &prog->items[i];
        range_text(it, range, sizeof(range));
        fprintf(to, "| `%s` | `%s` | %s%s%s | %s | %s |\n", it->name, it->env ? it->env : "",
                it->def[0] ? "`" : "", it->def[0] ? it->def : "(empty)", it->def[0] ? "`" : "", range,
                it->help);
    }
    fprintf(to, "\n");
}
