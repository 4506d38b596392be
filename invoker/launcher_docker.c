/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before it is READY, one launch goes through the phases of enum phase, in their order. Two things
 * run beside each other: the engine's answers and the socket of PID 1, which is often ready before
 * the engine has answered `start`.
 */
#include "invoker/launcher_docker.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/id.h"
#include "common/model/record.h"
#include "invoker/docker_container.h"
#include "invoker/docker_outage.h"
#include "invoker/docker_pause.h"
#include "invoker/docker_removal.h"
#include "invoker/docker_sweep.h"
#include "invoker/launch_base.h"
#include "invoker/launch_network.h"
#include "invoker/process_death.h"
#include "invoker/sandbox_limits.h"

/* The engine removes an ended container by itself; when it is silent that long, we ask. */
#define REMOVAL_PATIENCE_US SECONDS(2)

enum phase {
    QUEUED, /* waits for its turn */
    CREATING,
    STARTING,
    CONNECTING, /* started, HELLO has not come */
    CONNECTED, /* HELLO has come: its network is made */
};

struct docker_launcher {
    struct launcher_base base;
    struct docker *docker;
    struct docker_events *events;
    struct docker_sweep *sweep;
    struct docker_outage outage; /* starts are made one at a time then, with pauses */
    char *node, *run_dir, *init_path;
    char **name_servers;
    char life[33]; /* random: tells our containers from those of earlier lives */
    struct cgroup_fs *cgroups; /* NULL: they cannot be seen from here */
    uint32_t starts_max, starts; /* allowed and running at once */
    uint64_t connect_us;
    struct list_node queue;
};

struct docker_launch {
    struct launch_base base;
    struct docker_launcher *launcher;
    char *dir; /* its run folder */
    char *name; /* of the container */
    cJSON *config; /* until it is created */
    struct docker_call *call; /* the one that runs */
    struct docker_call *limiting; /* beside it */
    struct cgroup cgroup; /* that the engine made; from HELLO on */
    struct process_death death; /* of PID 1, where it can be seen from here */
    struct launch_fds fds; /* from HELLO until it is ready */
    struct net_policy *policy; /* the same */
    struct launch_network *networking; /* being connected */
    struct network_port *port; /* NULL: it has no network */
    enum phase phase;
    bool holds_start; /* counts in launcher->starts */
    bool created; /* or perhaps: the engine has heard of it */
    bool started; /* the engine will remove it by itself */
    bool destroyed; /* and says that it did */
    uint64_t phase_us;
    struct docker_removal removal;
    struct docker_pause pause;
    struct timer timer; /* to connect, to be gone */
    struct list_node node; /* in launcher->queue */
};

static void launch_pump(struct docker_launcher *launcher);
static void engine_answers(struct docker_launcher *launcher);

static struct docker_launcher *launcher_of(struct launcher *base)
{
    return CONTAINER_OF(base, struct docker_launcher, base.base);
}

static struct docker_launch *launch_of(struct launch_base *base)
{
    return CONTAINER_OF(base, struct docker_launch, base);
}

static bool is_ending(const struct docker_launch *l)
{
    return l->base.stage >= LAUNCH_ENDING;
}

/* ---- the end */

static void docker_free_launch(struct launch_base *base)
{
    struct docker_launch *l = launch_of(base);

    launch_base_done(base);
    list_remove(&l->node);
    timer_stop(&l->timer);
    docker_removal_stop(&l->removal);
    docker_pause_done(&l->pause);
    process_death_done(&l->death);
    if (l->call)
        docker_call_cancel(l->call);
    if (l->limiting)
        docker_call_cancel(l->limiting);
    cgroup_done(&l->cgroup);
    launch_network_cancel(l->networking);
    network_detach(l->port);
    net_policy_free(l->policy);
    launch_fds_close(&l->fds);
    init_link_free(base->link);
    rmdir(l->dir);
    cJSON_Delete(l->config);
    free(l->dir);
    free(l->name);
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

static void on_removed(void *arg)
{
    struct docker_launch *l = arg;

    launch_base_gone(&l->base);
}

static void on_engine_answer(void *arg)
{
    engine_answers(arg);
}

/* Sees to the container; the end's only step that waits for a call's answer. */
static void remove_container(struct docker_launch *l)
{
    if (l->call)
        return; /* its answer comes back here */
    if (!l->created || l->destroyed)
        timer_start(&l->timer, 0);
    else
        docker_removal_start(&l->removal, l->started ? REMOVAL_PATIENCE_US : 0);
}

/*
 * Closes the socket, by which everything in the sandbox dies, and sees to the container. Killing by
 * the cgroup comes before: PID 1 may be one of a thousand that want its CPU time.
 */
static void docker_end(struct launch_base *base)
{
    struct docker_launch *l = launch_of(base);

    if (base->cgroup)
        (void)cgroup_kill(base->cgroup);
    init_link_free(TAKE(base->link));
    launch_network_cancel(TAKE(l->networking));
    (void)docker_pause_end(&l->pause); /* for PID 1 to see that */
    list_remove(&l->node);
    process_death_watch(&l->death);
    remove_container(l);
}

static void on_dead(void *arg)
{
    launch_base_dead(&((struct docker_launch *)arg)->base);
}

/* In an outage of the engine, which was told, it is no news. */
static void launch_fail(struct docker_launch *l, enum launch_failure failure,
                        const struct error *err)
{
    launch_base_fail(&l->base, docker_outage_is_on(&l->launcher->outage) ? LOG_DEBUG : LOG_WARN,
                     failure, err);
}

static void on_timer(void *arg)
{
    struct docker_launch *l = arg;
    struct error err;

    if (is_ending(l)) {
        launch_base_gone(&l->base);
    } else {
        error_set(&err, ERR_TIMEOUT, "the sandbox's PID 1 did not connect within %llu ms",
                  (unsigned long long)(l->launcher->connect_us / 1000));
        launch_fail(l, LAUNCH_FAILED_TIMEOUT, &err);
    }
}

static void ready(struct docker_launch *l)
{
    const struct launch_fds fds = l->fds;

    l->fds = LAUNCH_FDS_NONE;
    lease_guard_add(l->base.launcher->guard, process_death_pidfd(&l->death));
    launch_base_ready(&l->base, l->name, &fds);
}

static void on_connected(struct network_port *port, const struct error *err, void *arg)
{
    struct docker_launch *l = arg;

    l->networking = NULL;
    l->port = port;
    if (err)
        launch_fail(l, LAUNCH_FAILED_ENGINE, err);
    else
        ready(l);
}

static void docker_hello(struct launch_base *base, const struct launch_fds *fds)
{
    struct docker_launch *l = launch_of(base);
    uint64_t now = now_us();

    timer_stop(&l->timer);
    if (l->phase == STARTING)
        base->times.start_us = now - l->phase_us;
    else
        base->times.connect_us = now - l->phase_us;
    l->phase = CONNECTED;
    if (cgroup_of_container(l->launcher->cgroups, init_link_pid(base->link), &l->cgroup) == 0)
        base->cgroup = &l->cgroup;
    process_death_note(&l->death, init_link_pid(base->link));
    l->fds = *fds;
    if (base->launcher->network)
        l->networking =
            launch_network_begin(base->launcher->loop, base->launcher->network,
                                 init_link_pid(base->link), NULL, l->policy, on_connected, l);
    else
        ready(l);
}

/* Where the cgroup cannot be reached. */
static bool docker_pause(struct launch_base *base)
{
    return docker_pause_begin(&launch_of(base)->pause);
}

static int docker_unpause(struct launch_base *base)
{
    return docker_pause_end(&launch_of(base)->pause);
}

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
    while (map_next(&launcher->base.launches, &at, &key, &value)) {
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
    if (is_ending(l))
        remove_container(l);
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
    if (is_ending(l)) {
        remove_container(l);
        return;
    }
    if (!l->started) {
        launch_fail(l, LAUNCH_FAILED_ENGINE, err);
        return;
    }
    if (l->base.stage != LAUNCH_MAKING || l->phase == CONNECTED) /* HELLO came before */
        return;
    l->phase = CONNECTING;
    l->base.times.start_us = now - l->phase_us;
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
        if (is_ending(l))
            remove_container(l);
        else
            launch_fail(
                l, err->code == ERR_NOT_FOUND ? LAUNCH_FAILED_NO_IMAGE : LAUNCH_FAILED_ENGINE, err);
        return;
    }
    if (is_ending(l)) {
        give_start_back(l);
        remove_container(l);
        return;
    }
    l->base.times.create_us = now - l->phase_us;
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
        l->base.times.queued_us = l->phase_us - l->base.began_us;
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
    struct launch_base *base = map_get(&launcher->base.launches, str_of(sandbox));
    struct docker_launch *l;
    struct error err;

    (void)id;
    if (!base)
        return;
    l = launch_of(base);
    if (strcmp(action, "destroy") == 0) {
        l->destroyed = true;
        if (is_ending(l) && !l->call)
            launch_base_gone(base);
    } else if (strcmp(action, "die") == 0 && base->stage == LAUNCH_MAKING && l->phase >= STARTING) {
        error_set(&err, ERR_SYSTEM, "the sandbox's PID 1 ended with status %s before it connected",
                  code ? code : "?");
        launch_fail(l, LAUNCH_FAILED_DIED, &err);
    } else if (strcmp(action, "die") == 0 && is_ending(l)) {
        launch_base_dead(base); /* which was seen before, unless it cannot be from here */
    } else if (strcmp(action, "kill") == 0) {
        (void)launch_thaw(&base->base); /* whatever signal it was: for PID 1 to see it */
    } else if (strcmp(action, "oom") == 0) {
        log_info("launcher", "out of memory", KV_STR("sandbox", base->id));
    }
}

/* ---- launcher.h */

static void make_config(struct docker_launch *l, const struct launch_options *o)
{
    const struct docker_launcher *launcher = l->launcher;

    l->config = docker_container_config(&(struct docker_container_options){
        .node = launcher->node,
        .life = launcher->life,
        .sandbox_id = l->base.id,
        .spec = o->spec,
        .image = o->image->reference,
        .volumes = o->image->volumes,
        .name_servers = launcher->name_servers,
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
    return init_link_new(l->base.launcher->loop, path, &launch_base_link_handler, &l->base,
                         &l->base.link, err);
}

static int docker_start(struct launcher *base, const struct launch_options *o, struct launch **ret,
                        struct error *err)
{
    struct docker_launcher *launcher = launcher_of(base);
    struct docker_launch *l = calloc(1, sizeof(*l));
    int r;

    if (!l)
        abort();
    r = launch_base_init(&l->base, &launcher->base, o, err);
    if (r < 0) {
        free(l);
        return r;
    }
    l->launcher = launcher;
    l->fds = LAUNCH_FDS_NONE;
    l->policy = net_policy_copy(o->spec->network);
    l->dir = str_printf("%s/%s", launcher->run_dir, l->base.id);
    l->name = str_printf("hearth-%s", l->base.id);
    list_init(&l->node);
    timer_init(&l->timer, launcher->base.loop, on_timer, l);
    docker_removal_init(&l->removal, launcher->base.loop,
                        &(struct docker_removal_options){.docker = launcher->docker,
                                                         .outage = &launcher->outage,
                                                         .container = l->name,
                                                         .sandbox = l->base.id,
                                                         .engine_answers = on_engine_answer,
                                                         .engine_arg = launcher,
                                                         .removed = on_removed,
                                                         .arg = l});
    process_death_init(&l->death, launcher->base.loop, on_dead, l);
    docker_pause_init(&l->pause, &(struct docker_pause_options){.docker = launcher->docker,
                                                                .container = l->name,
                                                                .launch = &l->base});
    r = open_link(l, err);
    if (r < 0) {
        docker_free_launch(&l->base);
        return r;
    }
    make_config(l, o);
    list_append(&launcher->queue, &l->node);
    launch_pump(launcher);
    *ret = &l->base.base;
    return 0;
}

static void on_limited(const struct error *err, void *arg)
{
    struct docker_launch *l = arg;

    l->limiting = NULL;
    if (err) /* its share of the CPU is limited all the same */
        log_warn("launcher", "no limit of CPU time", KV_STR("sandbox", l->base.id), KV_ERR(err));
}

static void docker_limit_cpu(struct launch_base *base, uint32_t quota_us)
{
    struct docker_launch *l = launch_of(base);

    l->limiting = docker_container_limit_cpu(l->launcher->docker, l->name, quota_us,
                                             SANDBOX_CPU_PERIOD_US, on_limited, l);
}

static void docker_swept(struct launcher *base, void (*done)(void *arg), void *arg)
{
    docker_sweep_when_done(launcher_of(base)->sweep, done, arg);
}

static void docker_launcher_free(struct launcher *base)
{
    struct docker_launcher *launcher = launcher_of(base);

    launcher_base_done(&launcher->base);
    thaw_janitor_free(launcher->base.janitor);
    cgroup_fs_free(launcher->cgroups);
    docker_events_free(launcher->events);
    docker_sweep_free(launcher->sweep);
    docker_outage_done(&launcher->outage);
    free(launcher->node);
    free(launcher->run_dir);
    free(launcher->init_path);
    strv_free(launcher->name_servers);
    free(launcher);
}

static const struct launcher_ops docker_ops = {
    .name = "docker",
    .start = docker_start,
    LAUNCH_BASE_TABLE,
    .swept = docker_swept,
    .stop = launcher_base_stop,
    .free = docker_launcher_free,
};

static const struct launch_base_ops base_ops = {
    .hello = docker_hello,
    .end = docker_end,
    .free = docker_free_launch,
    .limit_cpu = docker_limit_cpu,
    .pause = docker_pause,
    .unpause = docker_unpause,
};

static int check_options(const struct launcher_docker_options *o, struct error *err)
{
    if (o->init_path[0] != '/' || access(o->init_path, X_OK) < 0)
        return error_set_errno(err, ERR_CONFIG, errno, "hearth-init at %s", o->init_path);
    return 0;
}

int launcher_docker_new(const struct launcher_docker_options *o, struct launcher **ret,
                        struct error *err)
{
    CLEANUP(freep) char *label = str_printf(LABEL_NODE "=%s", o->node);
    struct docker_launcher *launcher;
    int r = check_options(o, err);

    if (r == 0)
        r = docker_sweep_run_dir(o->run_dir, err);
    if (r < 0)
        return r;
    launcher = calloc(1, sizeof(*launcher));
    if (!launcher)
        abort();
    r = o->freezes ? thaw_janitor_new(o->docker_socket, &launcher->base.janitor, err) : 0;
    if (r < 0) {
        free(launcher);
        return r;
    }
    launcher_base_init(&launcher->base, o->loop, o->network, &docker_ops, &base_ops);
    launcher->base.guard = o->guard;
    launcher->docker = o->docker;
    launcher->node = str_dup(str_of(o->node));
    launcher->run_dir = str_dup(str_of(o->run_dir));
    launcher->init_path = str_dup(str_of(o->init_path));
    launcher->name_servers = network_name_servers(o->network);
    launcher->starts_max = o->starts_max ? o->starts_max : launcher_base_parallel(&launcher->base);
    launcher->connect_us = o->connect_us ? o->connect_us : LAUNCH_CONNECT_US_DEFAULT;
    (void)cgroup_fs_new(NULL, &launcher->cgroups, NULL);
    token_make(16, launcher->life);
    list_init(&launcher->queue);
    docker_outage_init(&launcher->outage, o->loop, o->docker_socket, on_pause_over, launcher);
    launcher->events = docker_events_new(o->docker, label, on_event, launcher);
    launcher->sweep = docker_sweep_new(o->loop, o->docker, o->node, launcher->life);
    *ret = &launcher->base.base;
    return 0;
}
