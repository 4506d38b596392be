/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One launch goes through the phases of enum phase, in their order, leaving some out. Two things
 * run beside each other: the engine's answers and the socket of PID 1, which is often ready before
 * the engine has answered `start`.
 */
#include "invoker/launcher_docker.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "invoker/docker_container.h"
#include "invoker/docker_outage.h"
#include "invoker/docker_removal.h"
#include "invoker/docker_sweep.h"
#include "invoker/init_link.h"
#include "invoker/sandbox_cgroup.h"
#include "invoker/sandbox_env.h"

#define ID_MAX 32
#define RUN_DIR_MAX (107 - 1 - ID_MAX - (int)sizeof("/init.sock") + 1)
#define CONNECT_US_DEFAULT SECONDS(10)
/* The engine removes an ended container by itself; when it is silent that long, we ask. */
#define REMOVAL_PATIENCE_US SECONDS(2)

enum phase {
    QUEUED, /* waits for its turn */
    CREATING,
    STARTING,
    CONNECTING, /* started, HELLO has not come */
    READY, /* HELLO was handed over */
    RUNNING, /* launch_run() was called */
    ENDING, /* the socket is closed; the container is going */
    GONE, /* on_gone is due */
};

struct docker_launcher {
    struct launcher base;
    struct loop *loop;
    struct docker *docker;
    struct docker_events *events;
    struct docker_sweep *sweep;
    struct docker_outage outage; /* starts are made one at a time then, with pauses */
    char *node, *run_dir, *init_path, *network;
    char life[33]; /* random: tells our containers from those of earlier lives */
    uint32_t cpus;
    uint32_t starts_max, starts; /* allowed and running at once */
    uint64_t connect_us;
    struct map launches; /* by sandbox id */
    struct list_node queue;
    void (*stopped)(void *arg);
    void *stopped_arg;
    struct timer stop_timer;
};

struct docker_launch {
    struct launch base;
    struct docker_launcher *launcher;
    const struct launch_handler *handler;
    void *arg;
    char id[ID_MAX + 1];
    char *dir; /* its run folder */
    char *name; /* of the container */
    char *image;
    cJSON *config; /* until it is created */
    struct sandbox_env *env; /* until it runs */
    struct init_link *link;
    struct docker_call *call; /* the one that runs */
    struct docker_call *limiting; /* beside it */
    struct sandbox_cgroup cgroup; /* from HELLO on; empty: the engine has to be asked */
    uint32_t cpu_quota_us; /* of each CPU_PERIOD_US; 0: more than the node has, or limited */
    enum phase phase;
    bool holds_start; /* counts in launcher->starts */
    bool created; /* or perhaps: the engine has heard of it */
    bool started; /* the engine will remove it by itself */
    bool destroyed; /* and says that it did */
    bool failed, exited; /* was reported */
    struct launch_times times;
    uint64_t began_us, phase_us;
    struct docker_removal removal;
    struct timer timer; /* to connect, to be gone */
    struct list_node node; /* in launcher->queue */
};

static void launch_pump(struct docker_launcher *launcher);
static void engine_answers(struct docker_launcher *launcher);

static struct docker_launcher *launcher_of(struct launcher *base)
{
    return CONTAINER_OF(base, struct docker_launcher, base);
}

static struct docker_launch *launch_of(struct launch *base)
{
    return CONTAINER_OF(base, struct docker_launch, base);
}

/* ---- the end */

static void launch_free(struct docker_launch *l)
{
    map_remove(&l->launcher->launches, str_of(l->id));
    list_remove(&l->node);
    timer_stop(&l->timer);
    docker_removal_stop(&l->removal);
    if (l->call)
        docker_call_cancel(l->call);
    if (l->limiting)
        docker_call_cancel(l->limiting);
    sandbox_cgroup_done(&l->cgroup);
    init_link_free(l->link);
    if (l->dir)
        rmdir(l->dir);
    cJSON_Delete(l->config);
    sandbox_env_free(l->env);
    free(l->dir);
    free(l->name);
    free(l->image);
    free(l);
}

static void give_start_back(struct docker_launch *l)
{
    if (!l->holds_start)
        return;
    l->holds_start = false;
    l->launcher->starts--;
    launch_pump(l->launcher);
}

static void tell_stopped(void *arg)
{
    struct docker_launcher *launcher = arg;
    void (*stopped)(void *) = TAKE(launcher->stopped);

    if (stopped)
        stopped(launcher->stopped_arg);
}

static void launch_gone(struct docker_launch *l)
{
    struct docker_launcher *launcher = l->launcher;

    log_debug("launcher", "gone", KV_STR("sandbox", l->id));
    l->phase = GONE;
    l->handler->on_gone(&l->base, l->arg);
    launch_free(l);
    if (launcher->stopped && launcher->launches.len == 0)
        timer_start(&launcher->stop_timer, 0);
}

static void on_removed(void *arg)
{
    launch_gone(arg);
}

static void on_engine_answer(void *arg)
{
    engine_answers(arg);
}

/*
 * Closes the socket, by which everything in the sandbox dies, and sees to the container. Killing by
 * the cgroup comes before: PID 1 may be one of a thousand that want its CPU time.
 */
static void launch_ending(struct docker_launch *l)
{
    if (l->phase >= READY)
        (void)sandbox_cgroup_kill(&l->cgroup);
    l->phase = ENDING;
    init_link_free(TAKE(l->link));
    list_remove(&l->node);
    if (l->call)
        return; /* its answer comes back here, by launch_settle() */
    if (!l->created || l->destroyed)
        timer_start(&l->timer, 0);
    else
        docker_removal_start(&l->removal, l->started ? REMOVAL_PATIENCE_US : 0);
}

static void launch_fail(struct docker_launch *l, enum launch_failure failure,
                        const struct error *err)
{
    if (l->phase >= ENDING)
        return;
    if (!l->failed && !l->exited) {
        l->failed = true;
        if (docker_outage_is_on(&l->launcher->outage)) /* which was told */
            log_debug("launcher", "failed", KV_STR("sandbox", l->id), KV_ERR(err));
        else
            log_warn("launcher", "failed", KV_STR("sandbox", l->id), KV_ERR(err));
        l->handler->on_failed(&l->base, failure, err, l->arg);
    }
    if (l->phase < ENDING) /* on_failed may have ended it */
        launch_ending(l);
}

static void on_timer(void *arg)
{
    struct docker_launch *l = arg;
    struct error err;

    if (l->phase == ENDING) {
        launch_gone(l);
    } else {
        error_set(&err, ERR_TIMEOUT, "the sandbox's PID 1 did not connect within %llu ms",
                  (unsigned long long)(l->launcher->connect_us / 1000));
        launch_fail(l, LAUNCH_FAILED_TIMEOUT, &err);
    }
}

/* ---- PID 1 */

static void on_hello(const struct launch_fds *fds, void *arg)
{
    struct docker_launch *l = arg;
    uint64_t now = now_us();

    timer_stop(&l->timer);
    if (l->phase == STARTING)
        l->times.start_us = now - l->phase_us;
    else
        l->times.connect_us = now - l->phase_us;
    l->times.total_us = now - l->began_us;
    l->phase = READY;
    (void)sandbox_cgroup_find(&l->cgroup, init_link_pid(l->link));
    log_info("launcher", "sandbox ready", KV_STR("sandbox", l->id),
             KV_U64("queued_us", l->times.queued_us), KV_U64("create_us", l->times.create_us),
             KV_U64("start_us", l->times.start_us), KV_U64("connect_us", l->times.connect_us),
             KV_U64("total_us", l->times.total_us));
    l->handler->on_ready(&l->base, fds, &l->times, l->arg);
}

static void on_started(const struct init_started *m, void *arg)
{
    struct docker_launch *l = arg;

    log_debug("launcher", "main process started", KV_STR("sandbox", l->id), KV_I64("pid", m->pid));
}

static void on_exited(const struct init_exited *m, void *arg)
{
    struct docker_launch *l = arg;
    const struct launch_exit how = {m->status, m->oom_kills};

    if (l->exited)
        return;
    l->exited = true;
    l->handler->on_exited(&l->base, &how, l->arg);
}

static void on_failure(const struct init_failure *m, void *arg)
{
    struct docker_launch *l = arg;
    enum launch_failure failure = LAUNCH_FAILED_ENGINE;
    struct error err;

    if (m->stage == INIT_STAGE_EXEC && l->env) {
        failure = LAUNCH_FAILED_ENTRYPOINT;
        error_set_errno(&err, ERR_BAD_REQUEST, m->sys_errno, "fork/exec %s", l->env->argv[0]);
    } else if (m->stage == INIT_STAGE_CHDIR && l->env) {
        failure = LAUNCH_FAILED_WORKDIR;
        error_set_errno(&err, ERR_BAD_REQUEST, m->sys_errno, "chdir %s", l->env->cwd);
    } else {
        error_set_errno(&err, ERR_SYSTEM, m->sys_errno, "hearth-init, step %u: %s", m->stage,
                        m->text);
    }
    launch_fail(l, failure, &err);
}

static void on_extensions(const struct init_extensions *m, int log_fd, void *arg)
{
    struct docker_launch *l = arg;

    l->handler->on_extensions(&l->base, m, log_fd, l->arg);
}

static void on_extension(const struct init_extension *m, void *arg)
{
    struct docker_launch *l = arg;

    l->handler->on_extension(&l->base, m, l->arg);
}

static void on_socket(const struct init_socket *m, int fd, void *arg)
{
    struct docker_launch *l = arg;

    l->handler->on_socket(&l->base, m->token, fd, m->sys_errno, l->arg);
}

static void on_closed(const struct error *err, void *arg)
{
    launch_fail(arg, LAUNCH_FAILED_DIED, err);
}

static const struct init_link_handler link_handler = {
    .on_hello = on_hello,
    .on_started = on_started,
    .on_exited = on_exited,
    .on_failure = on_failure,
    .on_closed = on_closed,
    .on_extensions = on_extensions,
    .on_extension = on_extension,
    .on_socket = on_socket,
};

/* ---- the engine */

/* Removals that were put off for long are tried soon. */
static void engine_answers(struct docker_launcher *launcher)
{
    struct docker_launch *l;
    struct str key;
    size_t at = 0;
    void *value;

    if (!docker_outage_end(&launcher->outage))
        return;
    while (map_next(&launcher->launches, &at, &key, &value)) {
        l = value;
        docker_removal_hurry(&l->removal);
    }
    launch_pump(launcher);
}

/*
 * The engine was not there for @l. Those in the queue fail with it, so that their invocations may
 * be tried on another node; whoever comes from now on waits for the next try.
 */
static void engine_is_away(struct docker_launch *l, const struct error *err)
{
    struct docker_launcher *launcher = l->launcher;
    struct list_node queued;
    struct docker_launch *other;
    struct error own;

    docker_outage_begin(&launcher->outage, err);
    docker_outage_error(&launcher->outage, &own);
    list_init(&queued);
    while ((other = LIST_FIRST(&launcher->queue, struct docker_launch, node))) {
        list_remove(&other->node);
        list_append(&queued, &other->node);
    }
    give_start_back(l);
    if (l->phase == ENDING)
        launch_ending(l);
    else
        launch_fail(l, LAUNCH_FAILED_ENGINE, &own);
    while ((other = LIST_FIRST(&queued, struct docker_launch, node)))
        launch_fail(other, LAUNCH_FAILED_ENGINE, &own); /* takes it off the list */
}

static void on_pause_over(void *arg)
{
    launch_pump(arg);
}

static void on_engine_started(const struct error *err, void *arg)
{
    struct docker_launch *l = arg;
    uint64_t now = now_us();

    l->call = NULL;
    l->started = !err;
    if (docker_outage_tells(err)) {
        engine_is_away(l, err);
        return;
    }
    engine_answers(l->launcher);
    give_start_back(l);
    if (l->phase == ENDING) {
        launch_ending(l);
        return;
    }
    if (!l->started) {
        launch_fail(l, LAUNCH_FAILED_ENGINE, err);
        return;
    }
    if (l->phase != STARTING)
        return;
    l->phase = CONNECTING;
    l->times.start_us = now - l->phase_us;
    l->phase_us = now;
    timer_start(&l->timer, l->launcher->connect_us);
}

static void on_engine_created(const cJSON *answer, const struct error *err, void *arg)
{
    struct docker_launch *l = arg;
    uint64_t now = now_us();

    (void)answer; /* its id; the name does as well, and is known without an answer */
    l->call = NULL;
    if (docker_outage_tells(err)) {
        l->created = !docker_outage_is_unheard(err);
        engine_is_away(l, err);
        return;
    }
    engine_answers(l->launcher);
    if (err) {
        /* these tell for sure that there is none; anything else may have come too late to us */
        l->created =
            err->code != ERR_NOT_FOUND && err->code != ERR_BAD_REQUEST && err->code != ERR_CONFLICT;
        give_start_back(l);
        if (l->phase == ENDING)
            launch_ending(l);
        else
            launch_fail(
                l, err->code == ERR_NOT_FOUND ? LAUNCH_FAILED_NO_IMAGE : LAUNCH_FAILED_ENGINE, err);
        return;
    }
    if (l->phase == ENDING) {
        give_start_back(l);
        launch_ending(l);
        return;
    }
    l->times.create_us = now - l->phase_us;
    l->phase = STARTING;
    l->phase_us = now;
    l->call = docker_container_start(l->launcher->docker, l->name, on_engine_started, l);
}

/* Takes the next ones from the queue as far as starts_max allows; in an outage one at a time. */
static void launch_pump(struct docker_launcher *launcher)
{
    struct docker_launch *l;

    while (!docker_outage_is_pausing(&launcher->outage) &&
           launcher->starts < (docker_outage_is_on(&launcher->outage) ? 1 : launcher->starts_max) &&
           (l = LIST_FIRST(&launcher->queue, struct docker_launch, node))) {
        list_remove(&l->node);
        launcher->starts++;
        l->holds_start = true;
        l->created = true;
        l->phase = CREATING;
        l->phase_us = now_us();
        l->times.queued_us = l->phase_us - l->began_us;
        l->call =
            docker_container_create(launcher->docker, l->name, l->config, on_engine_created, l);
        cJSON_Delete(TAKE(l->config));
    }
}

static void on_event(const char *action, const char *id, const cJSON *attributes, void *arg)
{
    struct docker_launcher *launcher = arg;
    const char *sandbox =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(attributes, LABEL_SANDBOX));
    const char *code =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(attributes, "exitCode"));
    struct docker_launch *l = map_get(&launcher->launches, str_of(sandbox));
    struct error err;

    (void)id;
    if (!l)
        return;
    if (strcmp(action, "destroy") == 0) {
        l->destroyed = true;
        if (l->phase == ENDING && !l->call)
            launch_gone(l);
    } else if (strcmp(action, "die") == 0 && l->phase >= STARTING && l->phase <= CONNECTING) {
        error_set(&err, ERR_SYSTEM, "the sandbox's PID 1 ended with status %s before it connected",
                  code ? code : "?");
        launch_fail(l, LAUNCH_FAILED_DIED, &err);
    } else if (strcmp(action, "oom") == 0) {
        log_info("launcher", "out of memory", KV_STR("sandbox", l->id));
    }
}

/* ---- launcher.h */

static bool id_is_valid(const char *id)
{
    size_t len = strlen(id);

    return len >= 1 && len <= ID_MAX &&
           strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && id[0] != '-';
}

static void make_config(struct docker_launch *l, const struct launch_options *o)
{
    const struct docker_launcher *launcher = l->launcher;

    l->config = docker_container_config(&(struct docker_container_options){
        .node = launcher->node,
        .life = launcher->life,
        .sandbox_id = l->id,
        .spec = o->spec,
        .image = o->image->reference,
        .volumes = o->image->volumes,
        .network = launcher->network,
        .init_path = launcher->init_path,
        .run_dir = l->dir,
        .code_dir = o->code_dir,
        .layers_dir = o->layers_dir,
    });
}

static int open_link(struct docker_launch *l, struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s/init.sock", l->dir);

    if (mkdir(l->dir, 0755) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "making %s", l->dir);
    return init_link_new(l->launcher->loop, path, &link_handler, l, &l->link, err);
}

static int docker_start(struct launcher *base, const struct launch_options *o, struct launch **ret,
                        struct error *err)
{
    struct docker_launcher *launcher = launcher_of(base);
    struct sandbox_env *env;
    struct docker_launch *l;
    int r;

    if (!id_is_valid(o->sandbox_id) || map_get(&launcher->launches, str_of(o->sandbox_id)))
        return error_set(err, ERR_BAD_REQUEST, "%s is no id for a new sandbox", o->sandbox_id);
    r = sandbox_env_new(o->spec, o->image, o->log_stream, &env, err);
    if (r < 0)
        return r;
    l = calloc(1, sizeof(*l));
    if (!l)
        abort();
    l->base.launcher = base;
    l->launcher = launcher;
    l->handler = o->handler;
    l->arg = o->arg;
    l->env = env;
    snprintf(l->id, sizeof(l->id), "%s", o->sandbox_id);
    l->dir = str_printf("%s/%s", launcher->run_dir, l->id);
    l->name = str_printf("hearth-%s", l->id);
    l->began_us = now_us();
    list_init(&l->node);
    timer_init(&l->timer, launcher->loop, on_timer, l);
    docker_removal_init(&l->removal, launcher->loop,
                        &(struct docker_removal_options){.docker = launcher->docker,
                                                         .outage = &launcher->outage,
                                                         .container = l->name,
                                                         .sandbox = l->id,
                                                         .engine_answers = on_engine_answer,
                                                         .engine_arg = launcher,
                                                         .removed = on_removed,
                                                         .arg = l});
    map_put(&launcher->launches, str_of(l->id), l);
    r = open_link(l, err);
    if (r < 0) {
        launch_free(l);
        return r;
    }
    make_config(l, o);
    l->cpu_quota_us = sandbox_cgroup_quota(o->spec->memory_mib);
    if (l->cpu_quota_us >= launcher->cpus * CPU_PERIOD_US)
        l->cpu_quota_us = 0;
    list_append(&launcher->queue, &l->node);
    launch_pump(launcher);
    *ret = &l->base;
    return 0;
}

static void docker_run(struct launch *base)
{
    struct docker_launch *l = launch_of(base);

    if (l->phase != READY)
        return;
    l->phase = RUNNING;
    init_link_start(l->link, &(struct init_start){l->env->cwd, (const char *const *)l->env->argv,
                                                  (const char *const *)l->env->env});
}

static void on_limited(const struct error *err, void *arg)
{
    struct docker_launch *l = arg;

    l->limiting = NULL;
    if (err) /* its share of the CPU is limited all the same */
        log_warn("launcher", "no limit of CPU time", KV_STR("sandbox", l->id), KV_ERR(err));
}

static void docker_settled(struct launch *base)
{
    struct docker_launch *l = launch_of(base);
    uint32_t quota_us = l->cpu_quota_us;

    l->cpu_quota_us = 0;
    if (l->phase != RUNNING || quota_us == 0)
        return;
    if (sandbox_cgroup_limit_cpu(&l->cgroup, quota_us) < 0)
        l->limiting = docker_container_limit_cpu(l->launcher->docker, l->name, quota_us,
                                                 CPU_PERIOD_US, on_limited, l);
}

static void docker_signal(struct launch *base, int signo)
{
    struct docker_launch *l = launch_of(base);

    if (l->phase == RUNNING)
        init_link_signal(l->link, signo);
}

static void docker_kill(struct launch *base)
{
    struct docker_launch *l = launch_of(base);

    if (l->phase == RUNNING)
        init_link_kill(l->link);
}

static void docker_go(struct launch *base)
{
    struct docker_launch *l = launch_of(base);

    if (l->phase == RUNNING)
        init_link_go(l->link);
}

static void docker_connect(struct launch *base, uint32_t token, uint16_t port)
{
    struct docker_launch *l = launch_of(base);

    if (l->phase == RUNNING)
        init_link_connect(l->link, token, port);
}

static void docker_end(struct launch *base)
{
    struct docker_launch *l = launch_of(base);

    if (l->phase < ENDING)
        launch_ending(l);
}

static void docker_stop(struct launcher *base, void (*done)(void *arg), void *arg)
{
    struct docker_launcher *launcher = launcher_of(base);
    struct str key;
    size_t at = 0;
    void *l;

    launcher->stopped = done;
    launcher->stopped_arg = arg;
    while (map_next(&launcher->launches, &at, &key, &l))
        docker_end(&((struct docker_launch *)l)->base);
    if (launcher->launches.len == 0)
        timer_start(&launcher->stop_timer, 0);
}

static void docker_launcher_free(struct launcher *base)
{
    struct docker_launcher *launcher = launcher_of(base);
    struct str key;
    size_t at;
    void *l;

    while (at = 0, map_next(&launcher->launches, &at, &key, &l))
        launch_free(l);
    map_done(&launcher->launches);
    docker_events_free(launcher->events);
    docker_sweep_free(launcher->sweep);
    timer_stop(&launcher->stop_timer);
    docker_outage_done(&launcher->outage);
    free(launcher->node);
    free(launcher->run_dir);
    free(launcher->init_path);
    free(launcher->network);
    free(launcher);
}

static const struct launcher_ops docker_ops = {
    .name = "docker",
    .start = docker_start,
    .run = docker_run,
    .settled = docker_settled,
    .signal = docker_signal,
    .kill = docker_kill,
    .end = docker_end,
    .go = docker_go,
    .connect = docker_connect,
    .stop = docker_stop,
    .free = docker_launcher_free,
};

static int check_options(const struct launcher_docker_options *o, struct error *err)
{
    const char *network = o->network ? o->network : "none";

    if (o->run_dir[0] != '/' || strlen(o->run_dir) > RUN_DIR_MAX)
        return error_set(
            err, ERR_CONFIG,
            "the run folder %s must be absolute and at most %d bytes long, as the path "
            "of a Unix socket is limited to 107",
            o->run_dir, RUN_DIR_MAX);
    if (o->init_path[0] != '/' || access(o->init_path, X_OK) < 0)
        return error_set_errno(err, ERR_CONFIG, errno, "hearth-init at %s", o->init_path);
    if (strcmp(network, "host") == 0 || str_starts(str_of(network), STR("container:")))
        return error_set(err, ERR_CONFIG,
                         "network %s: every sandbox needs a network namespace of its own", network);
    return 0;
}

/* Removes the folders of sandboxes of an earlier life. Only what looks like one: the setting may
 * name a folder that others use. */
static int clean_run_dir(const char *path, struct error *err)
{
    struct dirent *e;
    DIR *dir;
    int r = dir_make(path, 0711, err);

    if (r < 0)
        return r;
    dir = opendir(path);
    if (!dir)
        return error_set_errno(err, ERR_SYSTEM, errno, "reading %s", path);
    while ((e = readdir(dir))) {
        CLEANUP(freep) char *folder = str_printf("%s/%s", path, e->d_name);
        CLEANUP(freep) char *socket = str_printf("%s/init.sock", folder);

        if (!id_is_valid(e->d_name))
            continue;
        unlink(socket);
        rmdir(folder);
    }
    closedir(dir);
    return 0;
}

int launcher_docker_new(const struct launcher_docker_options *o, struct launcher **ret,
                        struct error *err)
{
    CLEANUP(freep) char *label = str_printf(LABEL_NODE "=%s", o->node);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    struct docker_launcher *launcher;
    int r = check_options(o, err);

    if (r == 0)
        r = clean_run_dir(o->run_dir, err);
    if (r < 0)
        return r;
    launcher = calloc(1, sizeof(*launcher));
    if (!launcher)
        abort();
    launcher->base.ops = &docker_ops;
    launcher->loop = o->loop;
    launcher->docker = o->docker;
    launcher->node = str_dup(str_of(o->node));
    launcher->run_dir = str_dup(str_of(o->run_dir));
    launcher->init_path = str_dup(str_of(o->init_path));
    launcher->network = str_dup(o->network && *o->network ? str_of(o->network) : STR("none"));
    launcher->cpus = cpus > 0 ? (uint32_t)cpus : 1;
    launcher->starts_max = o->starts_max ? o->starts_max : 2 * launcher->cpus;
    launcher->connect_us = o->connect_us ? o->connect_us : CONNECT_US_DEFAULT;
    token_make(16, launcher->life);
    map_init(&launcher->launches, NULL);
    list_init(&launcher->queue);
    timer_init(&launcher->stop_timer, o->loop, tell_stopped, launcher);
    docker_outage_init(&launcher->outage, o->loop, o->docker_socket, on_pause_over, launcher);
    launcher->events = docker_events_new(o->docker, label, on_event, launcher);
    launcher->sweep = docker_sweep_new(o->loop, o->docker, o->node, launcher->life);
    *ret = &launcher->base;
    return 0;
}
