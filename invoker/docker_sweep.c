/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/docker_sweep.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "invoker/docker_container.h"
#include "invoker/launch_base.h"

#define RUN_DIR_MAX (107 - 1 - LAUNCH_ID_MAX - (int)sizeof("/init.sock") + 1)
#define RETRY_MIN_US MSEC(200)
#define RETRY_MAX_US SECONDS(10)

struct docker_sweep {
    struct docker *docker;
    char *label;
    char *life;
    cJSON *found; /* ids that are left of the last listing */
    uint64_t removed;
    bool told; /* that listing goes wrong */
    struct docker_call *call;
    struct timer retry;
    uint64_t retry_us;
    bool done; /* nothing is left */
    loop_fn *on_done;
    void *done_arg;
};

static void remove_next(struct docker_sweep *sweep);

static void list_containers(void *arg);

static void tell_done(void *arg)
{
    struct docker_sweep *sweep = arg;
    loop_fn *on_done = TAKE(sweep->on_done);

    if (on_done)
        on_done(sweep->done_arg);
}

void docker_sweep_when_done(struct docker_sweep *sweep, loop_fn *done, void *arg)
{
    sweep->on_done = done;
    sweep->done_arg = arg;
    if (sweep->done)
        timer_start(&sweep->retry, 0);
}

static void list_later(struct docker_sweep *sweep)
{
    timer_start(&sweep->retry, sweep->retry_us);
    sweep->retry_us = sweep->retry_us * 2 < RETRY_MAX_US ? sweep->retry_us * 2 : RETRY_MAX_US;
}

static void on_removed(const struct error *err, void *arg)
{
    struct docker_sweep *sweep = arg;

    sweep->call = NULL;
    /* a conflict: the engine is removing it already; the next listing tells */
    if (err && err->code != ERR_NOT_FOUND && err->code != ERR_CONFLICT)
        log_warn("launcher", "container of an earlier life not removed", KV_ERR(err));
    else
        sweep->removed++;
    remove_next(sweep);
}

static void remove_next(struct docker_sweep *sweep)
{
    cJSON *id = cJSON_DetachItemFromArray(sweep->found, 0);

    if (id)
        sweep->call =
            docker_container_remove(sweep->docker, cJSON_GetStringValue(id), on_removed, sweep);
    else
        list_later(sweep); /* until a listing is empty */
    cJSON_Delete(id);
}

static void on_list(const cJSON *answer, const struct error *err, void *arg)
{
    struct docker_sweep *sweep = arg;
    const cJSON *container, *life;
    const char *id;

    sweep->call = NULL;
    if (err) {
        if (!sweep->told)
            log_warn("launcher", "containers of an earlier life not listed, trying again",
                     KV_ERR(err));
        sweep->told = true;
        list_later(sweep);
        return;
    }
    sweep->told = false;
    cJSON_Delete(sweep->found);
    sweep->found = cJSON_CreateArray();
    cJSON_ArrayForEach(container, answer)
    {
        id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(container, "Id"));
        life = cJSON_GetObjectItemCaseSensitive(
            cJSON_GetObjectItemCaseSensitive(container, "Labels"), LABEL_LIFE);
        if (id && !(cJSON_IsString(life) && strcmp(life->valuestring, sweep->life) == 0))
            cJSON_AddItemToArray(sweep->found, cJSON_CreateString(id));
    }
    if (cJSON_GetArraySize(sweep->found) > 0) {
        remove_next(sweep);
        return;
    }
    if (sweep->removed > 0)
        log_info("launcher", "containers of an earlier life removed",
                 KV_U64("count", sweep->removed));
    sweep->done = true;
    tell_done(sweep);
}

static void list_containers(void *arg)
{
    struct docker_sweep *sweep = arg;
    const char *const labels[] = {sweep->label, NULL};

    if (sweep->done) { /* somebody asked later */
        tell_done(sweep);
        return;
    }
    sweep->call = docker_container_list(sweep->docker, labels, on_list, sweep);
}

struct docker_sweep *docker_sweep_new(struct loop *loop, struct docker *docker, const char *node,
                                      const char *life)
{
    struct docker_sweep *sweep = calloc(1, sizeof(*sweep));

    if (!sweep)
        abort();
    sweep->docker = docker;
    sweep->label = str_printf(LABEL_NODE "=%s", node);
    sweep->life = str_dup(str_of(life));
    sweep->retry_us = RETRY_MIN_US;
    timer_init(&sweep->retry, loop, list_containers, sweep);
    list_containers(sweep);
    return sweep;
}

void docker_sweep_free(struct docker_sweep *sweep)
{
    if (!sweep)
        return;
    if (sweep->call)
        docker_call_cancel(sweep->call);
    timer_stop(&sweep->retry);
    cJSON_Delete(sweep->found);
    free(sweep->label);
    free(sweep->life);
    free(sweep);
}

/* Only what looks like a sandbox's: the setting may name a folder that others use. */
int docker_sweep_run_dir(const char *path, struct error *err)
{
    struct dirent *e;
    DIR *dir;
    int r;

    if (path[0] != '/' || strlen(path) > RUN_DIR_MAX)
        return error_set(
            err, ERR_CONFIG,
            "the run folder %s must be absolute and at most %d bytes long, as the path "
            "of a Unix socket is limited to 107",
            path, RUN_DIR_MAX);
    r = dir_make(path, 0711, err);
    if (r < 0)
        return r;
    dir = opendir(path);
    if (!dir)
        return error_set_errno(err, ERR_SYSTEM, errno, "reading %s", path);
    while ((e = readdir(dir))) {
        CLEANUP(freep) char *folder = str_printf("%s/%s", path, e->d_name);
        CLEANUP(freep) char *socket = str_printf("%s/init.sock", folder);

        if (!launch_id_is_valid(e->d_name))
            continue;
        unlink(socket);
        rmdir(folder);
    }
    closedir(dir);
    return 0;
}
