/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"

#define BACKOFF_FIRST_US MSEC(100)
#define BACKOFF_MOST_US SECONDS(5)
#define STEADY_US SECONDS(10) /* a life this long forgives earlier deaths */
#define LINE_MAX_BYTES 16384
#define LAST_WORDS_BYTES 4096
#define STATUS_WRONG_SETTINGS 2

enum child_state { CHILD_IDLE, CHILD_WAITING, CHILD_RUNNING, CHILD_STOPPING, CHILD_STOPPED };

struct child {
    struct loop *loop;
    char *name;
    char **argv;
    char **env;
    enum child_state state;
    pid_t pid;
    int out_fd;
    struct watch *out_watch;
    struct buf line;
    bool quiet;
    struct buf last_words; /* of a quiet one: what it wrote last */
    struct timer timer; /* back-off while waiting, SIGKILL while stopping */
    uint64_t started_us;
    uint64_t backoff_us;
    bool hopeless;
    child_stopped_fn *on_stopped;
    void *on_stopped_arg;
};

static char **strings_copy(const char *const *from)
{
    size_t n = 0, i;
    char **to;

    while (from && from[n])
        n++;
    to = calloc(n + 1, sizeof(*to));
    if (!to)
        abort();
    for (i = 0; i < n; i++)
        to[i] = str_dup(str_of(from[i]));
    return to;
}

static void strings_free(char **v)
{
    size_t i;

    for (i = 0; v && v[i]; i++)
        free(v[i]);
    free(v);
}

static void print_line(struct child *c, struct str line)
{
    if (c->quiet) {
        while (c->last_words.len && c->last_words.len + line.len + 1 > LAST_WORDS_BYTES)
            buf_consume(&c->last_words, str_find(buf_str(&c->last_words), '\n', 0) + 1);
        if (buf_append_str(&c->last_words, line) == 0)
            buf_append_char(&c->last_words, '\n');
        return;
    }
    fprintf(stderr, "%-10s | %.*s\n", c->name, STR_ARG(line));
}

static void print_last_words(struct child *c)
{
    struct str rest = buf_str(&c->last_words), line;

    while (c->quiet && rest.len && str_split(&rest, '\n', &line))
        fprintf(stderr, "%-10s | %.*s\n", c->name, STR_ARG(line));
    buf_clear(&c->last_words);
}

static void print_lines(struct child *c, bool flush)
{
    struct str all = buf_str(&c->line);
    size_t from = 0, nl;

    for (;;) {
        nl = str_find(all, '\n', from);
        if (nl >= all.len)
            break;
        print_line(c, str_sub(all, from, nl));
        from = nl + 1;
    }
    if (from < all.len && (flush || all.len - from >= LINE_MAX_BYTES / 2)) {
        print_line(c, str_sub(all, from, all.len));
        from = all.len;
    }
    buf_consume(&c->line, from);
}

static void close_output(struct child *c)
{
    if (c->out_watch)
        watch_free(c->out_watch);
    c->out_watch = NULL;
    if (c->out_fd >= 0)
        close(c->out_fd);
    c->out_fd = -1;
}

/* False once the pipe has ended. */
static bool read_output(struct child *c)
{
    char chunk[4096];
    ssize_t n;

    for (;;) {
        n = read(c->out_fd, chunk, sizeof(chunk));
        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        if (buf_append(&c->line, chunk, (size_t)n) < 0) {
            print_lines(c, true);
            buf_append(&c->line, chunk, (size_t)n);
        }
        print_lines(c, false);
    }
}

static void on_output(int fd, int events, void *arg)
{
    struct child *c = arg;

    (void)fd;
    (void)events;
    if (!read_output(c)) {
        print_lines(c, true);
        close_output(c);
    }
}

/* In the new process: no allocation, no stdio. */
static void exec_child(struct child *c, pid_t parent, int out)
{
    int null = open("/dev/null", O_RDONLY);
    sigset_t none;
    size_t i;

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(126); /* the supervisor died before the line above */
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    for (i = 0; c->env[i]; i++)
        putenv(c->env[i]);
    execvp(c->argv[0], c->argv);
    dprintf(STDERR_FILENO, "cannot start %s: %s\n", c->argv[0], strerror(errno));
    _exit(127);
}

static void schedule(struct child *c)
{
    if (now_us() - c->started_us > STEADY_US)
        c->backoff_us = BACKOFF_FIRST_US;
    c->state = CHILD_WAITING;
    timer_start(&c->timer, c->backoff_us);
    c->backoff_us = c->backoff_us * 2 > BACKOFF_MOST_US ? BACKOFF_MOST_US : c->backoff_us * 2;
}

void child_start(struct child *c)
{
    pid_t self = getpid();
    int fds[2];

    c->started_us = now_us();
    if (pipe2(fds, O_CLOEXEC) < 0) {
        fprintf(stderr, "%-10s | cannot start: %s\n", c->name, strerror(errno));
        schedule(c);
        return;
    }
    c->pid = fork();
    if (c->pid == 0)
        exec_child(c, self, fds[1]);
    close(fds[1]);
    if (c->pid < 0) {
        fprintf(stderr, "%-10s | cannot start: %s\n", c->name, strerror(errno));
        close(fds[0]);
        schedule(c);
        return;
    }
    close_output(c);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    c->out_fd = fds[0];
    c->out_watch = watch_new(c->loop, c->out_fd, on_output, c);
    watch_set(c->out_watch, WATCH_READ);
    c->state = CHILD_RUNNING;
}

static void on_timer(void *arg)
{
    struct child *c = arg;

    if (c->state == CHILD_WAITING)
        child_start(c);
    else if (c->state == CHILD_STOPPING)
        child_kill(c);
}

struct child *child_new(struct loop *loop, const char *name, const char *const *argv,
                        const char *const *env)
{
    struct child *c = calloc(1, sizeof(*c));

    if (!c)
        abort();
    c->loop = loop;
    c->name = str_dup(str_of(name));
    c->argv = strings_copy(argv);
    c->env = strings_copy(env);
    c->out_fd = -1;
    c->backoff_us = BACKOFF_FIRST_US;
    buf_init(&c->line, LINE_MAX_BYTES);
    buf_init(&c->last_words, LAST_WORDS_BYTES + 1);
    timer_init(&c->timer, loop, on_timer, c);
    return c;
}

void child_set_quiet(struct child *c)
{
    c->quiet = true;
}

static void report_stopped(void *arg)
{
    struct child *c = arg;

    if (c->on_stopped)
        c->on_stopped(c, c->on_stopped_arg);
}

static void become_stopped(struct child *c)
{
    timer_stop(&c->timer);
    c->state = CHILD_STOPPED;
    loop_defer(c->loop, report_stopped, c);
}

void child_stop(struct child *c, uint64_t grace_us, child_stopped_fn *on_stopped, void *arg)
{
    c->on_stopped = on_stopped;
    c->on_stopped_arg = arg;
    if (c->state != CHILD_RUNNING) {
        become_stopped(c);
        return;
    }
    c->state = CHILD_STOPPING;
    kill(c->pid, SIGTERM);
    timer_start(&c->timer, grace_us);
}

void child_kill(struct child *c)
{
    if (c->state == CHILD_STOPPING)
        kill(c->pid, SIGKILL);
}

void child_reap(struct child *c)
{
    char how[64];
    int status;

    if (c->state != CHILD_RUNNING && c->state != CHILD_STOPPING)
        return;
    if (waitpid(c->pid, &status, WNOHANG) != c->pid)
        return;
    if (c->out_fd >= 0) {
        read_output(c);
        print_lines(c, true);
        close_output(c);
    }
    if (c->state == CHILD_STOPPING) {
        become_stopped(c);
        return;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_WRONG_SETTINGS) {
        c->hopeless = true;
        c->state = CHILD_STOPPED;
        print_last_words(c);
        return;
    }
    if (WIFSIGNALED(status))
        snprintf(how, sizeof(how), "was killed by signal %d", WTERMSIG(status));
    else
        snprintf(how, sizeof(how), "ended with exit status %d", WEXITSTATUS(status));
    schedule(c);
    print_last_words(c);
    fprintf(stderr, "%-10s | %s %s; starting it again\n", "hearth", c->name, how);
}

bool child_is_hopeless(const struct child *c)
{
    return c->hopeless;
}

void child_free(struct child *c)
{
    if (!c)
        return;
    timer_stop(&c->timer);
    close_output(c);
    buf_done(&c->line);
    buf_done(&c->last_words);
    strings_free(c->argv);
    strings_free(c->env);
    free(c->name);
    free(c);
}
