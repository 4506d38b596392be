/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/init_wire.h"

#include <stdbool.h>
#include <string.h>

/* Writes into a caller's array; @ok turns false instead of running over its end. */
struct cursor {
    uint8_t *at;
    size_t left;
    bool ok;
};

static void put(struct cursor *c, const void *bytes, size_t len)
{
    if (!c->ok || len > c->left) {
        c->ok = false;
        return;
    }
    memcpy(c->at, bytes, len);
    c->at += len;
    c->left -= len;
}

static void put_u8(struct cursor *c, uint8_t v)
{
    put(c, &v, 1);
}

static void put_u32(struct cursor *c, uint32_t v)
{
    uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};

    put(c, b, sizeof(b));
}

static void put_u64(struct cursor *c, uint64_t v)
{
    put_u32(c, (uint32_t)v);
    put_u32(c, (uint32_t)(v >> 32));
}

static uint32_t get_u32(const uint8_t *b)
{
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static uint64_t get_u64(const uint8_t *b)
{
    return get_u32(b) | (uint64_t)get_u32(b + 4) << 32;
}

/* Begins a frame whose body has @body_len bytes. */
static struct cursor frame_begin(void *buf, size_t cap, enum init_type type, size_t body_len)
{
    struct cursor c = {buf, cap < INIT_FRAME_MAX ? cap : INIT_FRAME_MAX, true};

    if (body_len > INIT_FRAME_MAX)
        c.ok = false;
    put_u32(&c, (uint32_t)(body_len + 1));
    put_u8(&c, (uint8_t)type);
    return c;
}

static ssize_t frame_end(const struct cursor *c, const void *buf)
{
    return c->ok ? (ssize_t)(c->at - (const uint8_t *)buf) : -1;
}

int init_frame_parse(const void *bytes, size_t len, struct init_frame *ret)
{
    const uint8_t *b = bytes;
    uint32_t n;

    if (len < 4)
        return 0;
    n = get_u32(b);
    if (n < 1 || n > INIT_FRAME_MAX - 4)
        return -1;
    if (len < 4 + (size_t)n)
        return 0;
    switch (b[4]) {
    case INIT_HELLO:
    case INIT_STARTED:
    case INIT_EXITED:
    case INIT_ERROR:
    case INIT_START:
    case INIT_SIGNAL:
    case INIT_KILL:
    case INIT_ASSIGN:
    case INIT_EXTENSIONS:
    case INIT_EXTENSION:
    case INIT_SOCKET:
    case INIT_GO:
    case INIT_CONNECT:
    case INIT_RESTART:
    case INIT_RESTARTED:
        break;
    default:
        return -1;
    }
    ret->type = (enum init_type)b[4];
    ret->body = b + INIT_HEADER;
    ret->body_len = n - 1;
    ret->total = 4 + (size_t)n;
    return 1;
}

ssize_t init_hello_write(void *buf, size_t cap, const struct init_hello *m)
{
    struct cursor c = frame_begin(buf, cap, INIT_HELLO, 2);

    put_u8(&c, m->version);
    put_u8(&c, m->flags);
    return frame_end(&c, buf);
}

int init_hello_read(const struct init_frame *f, struct init_hello *ret)
{
    if (f->body_len != 2 || (f->body[1] & ~(INIT_HAS_MEMORY_USAGE | INIT_HAS_MEMORY_EVENTS)))
        return -1;
    ret->version = f->body[0];
    ret->flags = f->body[1];
    return 0;
}

int init_hello_fds(uint8_t flags)
{
    return 3 + !!(flags & INIT_HAS_MEMORY_USAGE) + !!(flags & INIT_HAS_MEMORY_EVENTS);
}

ssize_t init_started_write(void *buf, size_t cap, const struct init_started *m)
{
    struct cursor c = frame_begin(buf, cap, INIT_STARTED, 4);

    put_u32(&c, (uint32_t)m->pid);
    return frame_end(&c, buf);
}

int init_started_read(const struct init_frame *f, struct init_started *ret)
{
    if (f->body_len != 4)
        return -1;
    ret->pid = (int32_t)get_u32(f->body);
    return ret->pid > 0 ? 0 : -1;
}

ssize_t init_exited_write(void *buf, size_t cap, const struct init_exited *m)
{
    struct cursor c = frame_begin(buf, cap, INIT_EXITED, 16);

    put_u32(&c, (uint32_t)m->pid);
    put_u32(&c, (uint32_t)m->status);
    put_u64(&c, m->oom_kills);
    return frame_end(&c, buf);
}

int init_exited_read(const struct init_frame *f, struct init_exited *ret)
{
    if (f->body_len != 16)
        return -1;
    ret->pid = (int32_t)get_u32(f->body);
    ret->status = (int32_t)get_u32(f->body + 4);
    ret->oom_kills = get_u64(f->body + 8);
    return ret->pid > 0 ? 0 : -1;
}

ssize_t init_failure_write(void *buf, size_t cap, const struct init_failure *m)
{
    size_t len = strnlen(m->text, sizeof(m->text) - 1);
    struct cursor c = frame_begin(buf, cap, INIT_ERROR, 5 + len);

    put_u8(&c, m->stage);
    put_u32(&c, (uint32_t)m->sys_errno);
    put(&c, m->text, len);
    return frame_end(&c, buf);
}

static bool stage_is_known(uint8_t stage)
{
    return (stage >= INIT_STAGE_LISTEN && stage <= INIT_STAGE_EXEC) || stage == INIT_STAGE_ROOT ||
           stage == INIT_STAGE_DROP;
}

int init_failure_read(const struct init_frame *f, struct init_failure *ret)
{
    size_t len;

    if (f->body_len < 5 || f->body_len > 5 + sizeof(ret->text) - 1)
        return -1;
    if (!stage_is_known(f->body[0]))
        return -1;
    len = f->body_len - 5;
    if (memchr(f->body + 5, '\0', len))
        return -1;
    ret->stage = f->body[0];
    ret->sys_errno = (int32_t)get_u32(f->body + 1);
    memcpy(ret->text, f->body + 5, len);
    ret->text[len] = '\0';
    return 0;
}

/* Body of START: u32 argc | u32 envc | cwd NUL | argc strings, each with NUL | envc the same. */
static ssize_t strings_size(const char *const *strings, size_t max, uint32_t *ret_count)
{
    size_t size = 0, n;

    for (n = 0; strings[n]; n++) {
        size += strlen(strings[n]) + 1;
        if (n == max || size > INIT_FRAME_MAX)
            return -1;
    }
    *ret_count = (uint32_t)n;
    return (ssize_t)size;
}

static ssize_t start_body_size(const struct init_start *m, uint32_t *argc, uint32_t *envc)
{
    ssize_t args = strings_size(m->argv, INIT_ARGV_MAX, argc);
    ssize_t env = strings_size(m->env, INIT_ENV_MAX, envc);
    size_t size;

    if (args < 0 || env < 0 || *argc == 0 || m->cwd[0] != '/')
        return -1;
    size = 8 + strlen(m->cwd) + 1 + (size_t)args + (size_t)env;
    return size + INIT_HEADER <= INIT_FRAME_MAX ? (ssize_t)size : -1;
}

ssize_t init_start_size(const struct init_start *m)
{
    uint32_t argc, envc;
    ssize_t body = start_body_size(m, &argc, &envc);

    return body < 0 ? -1 : body + (ssize_t)INIT_HEADER;
}

ssize_t init_start_write(void *buf, size_t cap, const struct init_start *m)
{
    uint32_t argc, envc;
    ssize_t body = start_body_size(m, &argc, &envc);
    struct cursor c;
    size_t i;

    if (body < 0)
        return -1;
    c = frame_begin(buf, cap, INIT_START, (size_t)body);
    put_u32(&c, argc);
    put_u32(&c, envc);
    put(&c, m->cwd, strlen(m->cwd) + 1);
    for (i = 0; i < argc; i++)
        put(&c, m->argv[i], strlen(m->argv[i]) + 1);
    for (i = 0; i < envc; i++)
        put(&c, m->env[i], strlen(m->env[i]) + 1);
    return frame_end(&c, buf);
}

/* The next NUL-terminated string of [*at, end), or NULL. */
static const char *next_string(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *nul = *at < end ? memchr(*at, '\0', (size_t)(end - *at)) : NULL;
    const char *s = (const char *)*at;

    if (!nul)
        return NULL;
    *at = nul + 1;
    return s;
}

static int read_strings(const uint8_t **at, const uint8_t *end, uint32_t n, const char **ret)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        ret[i] = next_string(at, end);
        if (!ret[i])
            return -1;
    }
    ret[n] = NULL;
    return 0;
}

int init_start_read(const struct init_frame *f, const char **argv, const char **env,
                    struct init_start *ret)
{
    const uint8_t *at = f->body + 8, *end = f->body + f->body_len;
    uint32_t argc, envc;

    if (f->body_len < 8)
        return -1;
    argc = get_u32(f->body);
    envc = get_u32(f->body + 4);
    if (argc < 1 || argc > INIT_ARGV_MAX || envc > INIT_ENV_MAX)
        return -1;
    ret->cwd = next_string(&at, end);
    if (!ret->cwd || ret->cwd[0] != '/')
        return -1;
    if (read_strings(&at, end, argc, argv) < 0 || read_strings(&at, end, envc, env) < 0)
        return -1;
    if (at != end)
        return -1;
    ret->argv = argv;
    ret->env = env;
    return 0;
}

ssize_t init_signal_write(void *buf, size_t cap, int signo)
{
    struct cursor c = frame_begin(buf, cap, INIT_SIGNAL, 1);

    if (signo < 1 || signo > 64)
        return -1;
    put_u8(&c, (uint8_t)signo);
    return frame_end(&c, buf);
}

int init_signal_read(const struct init_frame *f, int *ret_signo)
{
    if (f->body_len != 1 || f->body[0] < 1 || f->body[0] > 64)
        return -1;
    *ret_signo = f->body[0];
    return 0;
}

ssize_t init_kill_write(void *buf, size_t cap)
{
    struct cursor c = frame_begin(buf, cap, INIT_KILL, 0);

    return frame_end(&c, buf);
}

ssize_t init_assign_write(void *buf, size_t cap, const struct init_assign *m)
{
    struct cursor c = frame_begin(buf, cap, INIT_ASSIGN, 9);

    put_u8(&c, m->mounts);
    put_u32(&c, m->uid);
    put_u32(&c, m->gid);
    return frame_end(&c, buf);
}

int init_assign_read(const struct init_frame *f, struct init_assign *ret)
{
    if (f->body_len != 9 || (f->body[0] & ~(INIT_MOUNT_TMP | INIT_MOUNT_TASK | INIT_MOUNT_OPT)))
        return -1;
    ret->mounts = f->body[0];
    ret->uid = get_u32(f->body + 1);
    ret->gid = get_u32(f->body + 5);
    return ret->uid && ret->gid && (int32_t)ret->uid > 0 && (int32_t)ret->gid > 0 ? 0 : -1;
}

int init_assign_fds(uint8_t mounts)
{
    return 1 + !!(mounts & INIT_MOUNT_TMP) + !!(mounts & INIT_MOUNT_TASK) +
           !!(mounts & INIT_MOUNT_OPT);
}

ssize_t init_go_write(void *buf, size_t cap)
{
    struct cursor c = frame_begin(buf, cap, INIT_GO, 0);

    return frame_end(&c, buf);
}

ssize_t init_restart_write(void *buf, size_t cap)
{
    struct cursor c = frame_begin(buf, cap, INIT_RESTART, 0);

    return frame_end(&c, buf);
}

ssize_t init_restarted_write(void *buf, size_t cap)
{
    struct cursor c = frame_begin(buf, cap, INIT_RESTARTED, 0);

    return frame_end(&c, buf);
}

/* A file's name: it becomes part of a path and of log lines. */
static bool is_name(const char *name)
{
    size_t len = strnlen(name, INIT_NAME_MAX);

    return len > 0 && len < INIT_NAME_MAX && !memchr(name, '/', len);
}

/* Body of EXTENSIONS: u32 found | names, each with NUL. */
ssize_t init_extensions_write(void *buf, size_t cap, const struct init_extensions *m)
{
    struct cursor c;
    size_t size = 4;
    uint32_t i;

    if (m->len > INIT_EXTENSIONS_MAX || m->len > m->found)
        return -1;
    for (i = 0; i < m->len; i++) {
        if (!is_name(m->names[i]))
            return -1;
        size += strlen(m->names[i]) + 1;
    }
    c = frame_begin(buf, cap, INIT_EXTENSIONS, size);
    put_u32(&c, m->found);
    for (i = 0; i < m->len; i++)
        put(&c, m->names[i], strlen(m->names[i]) + 1);
    return frame_end(&c, buf);
}

int init_extensions_read(const struct init_frame *f, struct init_extensions *ret)
{
    const uint8_t *at = f->body + 4, *end = f->body + f->body_len;

    if (f->body_len < 4)
        return -1;
    ret->found = get_u32(f->body);
    for (ret->len = 0; at < end; ret->len++) {
        if (ret->len == INIT_EXTENSIONS_MAX)
            return -1;
        ret->names[ret->len] = next_string(&at, end);
        if (!ret->names[ret->len] || !is_name(ret->names[ret->len]))
            return -1;
    }
    return ret->len <= ret->found ? 0 : -1;
}

/* Body of EXTENSION: u8 news | i32 value | name. */
ssize_t init_extension_write(void *buf, size_t cap, const struct init_extension *m)
{
    size_t len = strnlen(m->name, sizeof(m->name));
    struct cursor c = frame_begin(buf, cap, INIT_EXTENSION, 5 + len);

    if (!is_name(m->name))
        return -1;
    put_u8(&c, m->news);
    put_u32(&c, (uint32_t)m->value);
    put(&c, m->name, len);
    return frame_end(&c, buf);
}

int init_extension_read(const struct init_frame *f, struct init_extension *ret)
{
    size_t len;

    if (f->body_len < 6 || f->body_len > 5 + sizeof(ret->name) - 1)
        return -1;
    if (f->body[0] < INIT_EXTENSION_STARTED || f->body[0] > INIT_EXTENSION_EXITED)
        return -1;
    len = f->body_len - 5;
    if (memchr(f->body + 5, '\0', len))
        return -1;
    ret->news = f->body[0];
    ret->value = (int32_t)get_u32(f->body + 1);
    memcpy(ret->name, f->body + 5, len);
    ret->name[len] = '\0';
    return is_name(ret->name) ? 0 : -1;
}

ssize_t init_connect_write(void *buf, size_t cap, const struct init_connect *m)
{
    struct cursor c = frame_begin(buf, cap, INIT_CONNECT, 8);

    if (m->port == 0)
        return -1;
    put_u32(&c, m->token);
    put_u32(&c, m->port);
    return frame_end(&c, buf);
}

int init_connect_read(const struct init_frame *f, struct init_connect *ret)
{
    uint32_t port;

    if (f->body_len != 8)
        return -1;
    ret->token = get_u32(f->body);
    port = get_u32(f->body + 4);
    if (port == 0 || port > UINT16_MAX)
        return -1;
    ret->port = (uint16_t)port;
    return 0;
}

ssize_t init_socket_write(void *buf, size_t cap, const struct init_socket *m)
{
    struct cursor c = frame_begin(buf, cap, INIT_SOCKET, 8);

    put_u32(&c, m->token);
    put_u32(&c, (uint32_t)m->sys_errno);
    return frame_end(&c, buf);
}

int init_socket_read(const struct init_frame *f, struct init_socket *ret)
{
    if (f->body_len != 8)
        return -1;
    ret->token = get_u32(f->body);
    ret->sys_errno = (int32_t)get_u32(f->body + 4);
    return 0;
}
