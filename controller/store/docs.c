/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/store/docs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 900u /* of one script's arguments */
#define DEPTH_JSON_MAX (1024u * 1024u)

/*
 * Both scripts get the account's prefix and then commands one after the other, each with the number
 * of its words in front: 3 HGET layer:utils 7. The second word of each is a key without prefix.
 */
#define NEXT_COMMAND                                                                               \
    "local at = 2\n"                                                                               \
    "local function next_command()\n"                                                              \
    "  local n = tonumber(ARGV[at])\n"                                                             \
    "  local words = {}\n"                                                                         \
    "  for i = 1, n do words[i] = ARGV[at + i] end\n"                                              \
    "  at = at + n + 1\n"                                                                          \
    "  words[2] = ARGV[1] .. words[2]\n"                                                           \
    "  return words\n"                                                                             \
    "end\n"

static struct redis_script lua_read = {
    .name = "docs.read",
    .source = NEXT_COMMAND
    "local out = {}\n"
    "while at <= #ARGV do\n"
    "  local w = next_command()\n"
    "  if w[1] == 'PAGE' then\n"
    "    local names = redis.call('ZRANGEBYLEX', w[2], w[4], '+', 'LIMIT', 0, w[5])\n"
    "    local page = {}\n"
    "    for i, name in ipairs(names) do\n"
    "      page[2 * i - 1] = name\n"
    "      page[2 * i] = redis.call('HGET', ARGV[1] .. w[3], name)\n"
    "    end\n"
    "    out[#out + 1] = page\n"
    "  else\n"
    "    out[#out + 1] = redis.call(unpack(w))\n"
    "  end\n"
    "end\n"
    "return out\n"};

/* Expectations come first and are all looked at before the first write. */
static struct redis_script lua_commit = {
    .name = "docs.commit",
    .source = NEXT_COMMAND
    "while at <= #ARGV do\n"
    "  local from = at\n"
    "  local w = next_command()\n"
    "  if w[1] == '=' then\n"
    "    if redis.call('HGET', w[2], w[3]) ~= w[4] then return 0 end\n"
    "  elseif w[1] == '!' then\n"
    "    if redis.call('HEXISTS', w[2], w[3]) == 1 then return 0 end\n"
    "  elseif w[1] == '?' then\n"
    "    if redis.call('EXISTS', w[2]) ~= tonumber(w[3]) then return 0 end\n"
    "  elseif w[1] == '#' then\n"
    "    if (redis.call('GET', w[2]) or '0') ~= w[3] then return 0 end\n"
    "  else\n"
    "    at = from\n"
    "    break\n"
    "  end\n"
    "end\n"
    "while at <= #ARGV do redis.call(unpack(next_command())) end\n"
    "return 1\n"};

/* The arguments of a script while they are collected. */
struct words {
    struct redis *redis;
    struct str *list; /* each a copy of ours */
    size_t len, cap;
    bool full; /* more than a script may have: refused when it is run */
};

static void words_add(struct words *w, struct str word)
{
    if (w->len >= WORDS_MAX) {
        w->full = true;
        return;
    }
    if (w->len == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 32;
        w->list = realloc(w->list, w->cap * sizeof(*w->list));
        if (!w->list)
            abort();
    }
    w->list[w->len++] = str_from(str_dup(word), word.len);
}

static void words_add_number(struct words *w, int64_t n)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, n);
    words_add(w, str_of(text));
}

/* One command: its name, its key, its other words. */
static void words_command(struct words *w, const char *name, const char *key,
                          const struct str *more, size_t more_len)
{
    size_t i;

    words_add_number(w, (int64_t)(2 + more_len));
    words_add(w, str_of(name));
    words_add(w, str_of(key));
    for (i = 0; i < more_len; i++)
        words_add(w, more[i]);
}

static void words_init(struct words *w, struct redis *redis, struct str account)
{
    CLEANUP(freep) char *prefix = str_printf("hearth:{%.*s}:", STR_ARG(account));

    w->redis = redis;
    words_add(w, str_of(prefix));
}

static void words_done(struct words *w)
{
    size_t i;

    for (i = 0; i < w->len; i++) {
        explicit_bzero((char *)w->list[i].ptr, w->list[i].len);
        free((char *)w->list[i].ptr);
    }
    free(w->list);
}

/* ---- reading ---- */

struct docs_read {
    struct words words;
    docs_read_fn *done;
    void *arg;
};

struct docs_read *docs_read_new(struct redis *redis, struct str account)
{
    struct docs_read *read = calloc(1, sizeof(*read));

    if (!read)
        abort();
    words_init(&read->words, redis, account);
    return read;
}

void docs_read_free(struct docs_read *read)
{
    if (!read)
        return;
    words_done(&read->words);
    free(read);
}

void docs_read_field(struct docs_read *read, const char *key, struct str field)
{
    words_command(&read->words, "HGET", key, &field, 1);
}

void docs_read_hash(struct docs_read *read, const char *key)
{
    words_command(&read->words, "HGETALL", key, NULL, 0);
}

void docs_read_size(struct docs_read *read, const char *key)
{
    words_command(&read->words, "ZCARD", key, NULL, 0);
}

void docs_read_counter(struct docs_read *read, const char *key)
{
    words_command(&read->words, "GET", key, NULL, 0);
}

void docs_read_page(struct docs_read *read, const char *names, const char *key, struct str after,
                    uint32_t limit)
{
    CLEANUP(freep) char *from = after.len ? str_printf("(%.*s", STR_ARG(after)) : str_printf("-");
    char count[16];
    struct str more[] = {str_of(key), str_of(from), STR_NULL};

    snprintf(count, sizeof(count), "%" PRIu32, limit);
    more[2] = str_of(count);
    words_command(&read->words, "PAGE", names, more, ARRAY_LEN(more));
}

static void on_read(const struct redis_value *value, const struct error *err, void *arg)
{
    struct docs_read *read = arg;

    read->done(err ? NULL : value->items, err ? 0 : value->len, err, read->arg);
    docs_read_free(read);
}

void docs_read_run(struct docs_read *read, docs_read_fn *done, void *arg)
{
    read->done = done;
    read->arg = arg;
    /* too many words are refused by redis_eval(), later */
    redis_eval(read->words.redis, &lua_read, NULL, 0, read->words.list,
               read->words.full ? SIZE_MAX / 2 : read->words.len, on_read, read);
}

cJSON *docs_json(const struct redis_value *value)
{
    if (value->type != REDIS_STRING || value->str.len > DEPTH_JSON_MAX)
        return NULL;
    return cJSON_ParseWithLength(value->str.ptr, value->str.len);
}

cJSON *docs_hash_json(const struct redis_value *value)
{
    cJSON *json = cJSON_CreateObject(), *member;
    size_t i;

    for (i = 0; value->type == REDIS_ARRAY && i + 1 < value->len; i += 2) {
        CLEANUP(freep) char *name = str_dup(value->items[i].str);

        member = docs_json(&value->items[i + 1]);
        if (member)
            cJSON_AddItemToObject(json, name, member);
    }
    return json;
}

/* ---- writing ---- */

struct docs_commit {
    struct words expected, writes;
    docs_commit_fn *done;
    void *arg;
};

struct docs_commit *docs_commit_new(struct redis *redis, struct str account)
{
    struct docs_commit *commit = calloc(1, sizeof(*commit));

    if (!commit)
        abort();
    words_init(&commit->expected, redis, account);
    return commit;
}

void docs_commit_free(struct docs_commit *commit)
{
    if (!commit)
        return;
    words_done(&commit->expected);
    words_done(&commit->writes);
    free(commit);
}

bool docs_commit_is_empty(const struct docs_commit *commit)
{
    return commit->writes.len == 0;
}

void docs_expect(struct docs_commit *commit, const char *key, struct str field, struct str value)
{
    struct str more[] = {field, value};

    words_command(&commit->expected, value.ptr ? "=" : "!", key, more, value.ptr ? 2 : 1);
}

void docs_expect_key(struct docs_commit *commit, const char *key, bool exists)
{
    struct str more = exists ? STR("1") : STR("0");

    words_command(&commit->expected, "?", key, &more, 1);
}

void docs_expect_counter(struct docs_commit *commit, const char *key, int64_t value)
{
    char text[24];
    struct str more;

    snprintf(text, sizeof(text), "%" PRId64, value);
    more = str_of(text);
    words_command(&commit->expected, "#", key, &more, 1);
}

void docs_set(struct docs_commit *commit, const char *key, struct str field, struct str value)
{
    struct str more[] = {field, value};

    words_command(&commit->writes, "HSET", key, more, ARRAY_LEN(more));
}

void docs_set_json(struct docs_commit *commit, const char *key, struct str field,
                   const cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);

    if (!text)
        abort();
    docs_set(commit, key, field, str_of(text));
    cJSON_free(text);
}

void docs_unset(struct docs_commit *commit, const char *key, struct str field)
{
    words_command(&commit->writes, "HDEL", key, &field, 1);
}

void docs_drop(struct docs_commit *commit, const char *key)
{
    words_command(&commit->writes, "DEL", key, NULL, 0);
}

void docs_add_name(struct docs_commit *commit, const char *key, struct str name)
{
    struct str more[] = {STR("0"), name};

    words_command(&commit->writes, "ZADD", key, more, ARRAY_LEN(more));
}

void docs_remove_name(struct docs_commit *commit, const char *key, struct str name)
{
    words_command(&commit->writes, "ZREM", key, &name, 1);
}

void docs_add_member(struct docs_commit *commit, const char *key, struct str member)
{
    words_command(&commit->writes, "SADD", key, &member, 1);
}

void docs_remove_member(struct docs_commit *commit, const char *key, struct str member)
{
    words_command(&commit->writes, "SREM", key, &member, 1);
}

void docs_count_field(struct docs_commit *commit, const char *key, struct str field, int64_t by)
{
    char text[24];
    struct str more[] = {field, STR_NULL};

    snprintf(text, sizeof(text), "%" PRId64, by);
    more[1] = str_of(text);
    words_command(&commit->writes, "HINCRBY", key, more, ARRAY_LEN(more));
}

void docs_count(struct docs_commit *commit, const char *key, int64_t by)
{
    char text[24];
    struct str more;

    snprintf(text, sizeof(text), "%" PRId64, by);
    more = str_of(text);
    words_command(&commit->writes, "INCRBY", key, &more, 1);
}

static void on_committed(const struct redis_value *value, const struct error *err, void *arg)
{
    struct docs_commit *commit = arg;
    struct error own;

    if (!err && value->integer != 1) {
        error_set(&own, ERR_STALE, "it was changed meanwhile");
        err = &own;
    }
    commit->done(err, commit->arg);
    docs_commit_free(commit);
}

void docs_commit_run(struct docs_commit *commit, docs_commit_fn *done, void *arg)
{
    struct words *all = &commit->expected, *writes = &commit->writes;
    bool full = all->full || writes->full;
    size_t i;

    for (i = 0; i < writes->len; i++) {
        words_add(all, writes->list[i]);
        full = full || all->full;
    }
    commit->done = done;
    commit->arg = arg;
    redis_eval(all->redis, &lua_commit, NULL, 0, all->list, full ? SIZE_MAX / 2 : all->len,
               on_committed, commit);
}
