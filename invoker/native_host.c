/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/native_host.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/model/record.h"
#include "invoker/janitor.h"

#define SWEEP_STEP_US 20000u
#define TRIAL_ID "trial"
#define TRIAL_STEP_US 1000u
#define START_SWEEP_US SECONDS(5) /* sandboxes of an earlier life die at once */
#define JANITOR_US SECONDS(30)

/* Again and again until all is gone; what is killed needs a moment. */
static int sweep(const struct cgroup_life *cg, bool earlier, uint64_t limit_us, struct error *err)
{
    uint64_t until = now_us() + limit_us;
    int r;

    while ((r = cgroup_life_sweep(cg, earlier, err)) < 0 && now_us() < until)
        usleep(SWEEP_STEP_US);
    return r;
}

/* In the janitor's process, when this one is gone. */
static void sweep_all(const void *arg)
{
    const struct native_host *host = arg;

    (void)sweep(host->cgroups, false, JANITOR_US, NULL);
    (void)dir_remove(host->dir, NULL);
}

/* ---- */

/* Folders of earlier lives: eight hexadecimal digits. */
static void remove_earlier(const char *parent, const char *life)
{
    DIR *dir = opendir(parent);
    struct dirent *e;

    while (dir && (e = readdir(dir))) {
        CLEANUP(freep) char *path = str_printf("%s/%s", parent, e->d_name);

        if (strlen(e->d_name) == 8 && strspn(e->d_name, "0123456789abcdef") == 8 &&
            strcmp(e->d_name, life) != 0)
            (void)dir_remove(path, NULL);
    }
    if (dir)
        closedir(dir);
}

/* What is left of the trial, whose PID 1 was killed; its cgroup is empty a moment later. */
static int remove_trial(const struct native_host *host, struct error *err)
{
    uint64_t until = now_us() + START_SWEEP_US;
    int r;

    while ((r = cgroup_life_remove(host->cgroups, TRIAL_ID, err)) < 0 && now_us() < until)
        usleep(TRIAL_STEP_US);
    return r == 0 ? oci_runtime_forget(host->runtime, TRIAL_ID, err) : r;
}

/* Makes a blank and ends it: whether the runtime works here is known before functions need it. */
static int try_runtime(const struct native_host *host, struct error *err)
{
    CLEANUP(closep) int pidfd = -1;
    siginfo_t info;
    int pair[2], r;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "a socket for a sandbox");
    r = oci_runtime_run(host->runtime, TRIAL_ID, pair[1], &pidfd, err);
    if (pidfd >= 0) {
        struct pollfd death = {pidfd, POLLIN, 0};

        pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
        (void)poll(&death, 1, START_SWEEP_US / 1000);
        (void)waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG); /* ours where there is no init */
    }
    close(pair[0]);
    close(pair[1]);
    if (r == 0)
        return remove_trial(host, err);
    (void)sweep(host->cgroups, false, START_SWEEP_US, NULL); /* no janitor will do it */
    return error_wrap(err, r, "making a sandbox with %s", oci_runtime_program(host->runtime));
}

static int make_parts(struct native_host *host, const struct native_host_options *o,
                      struct error *err)
{
    const struct cgroup_life_options cgroups = {.node = o->node, .life = host->life};
    struct oci_runtime_options runtime = {
        .program = o->program, .dir = host->dir, .init_path = o->init_path};
    CLEANUP(freep) char *mounts = str_printf("%s/layers", host->dir);
    char **name_servers;
    int r;

    if (geteuid() != 0)
        return error_set(err, ERR_UNSUPPORTED, "native sandboxes need root");
    if (o->init_path[0] != '/' || access(o->init_path, X_OK) < 0)
        return error_set_errno(err, ERR_CONFIG, errno, "hearth-init at %s", o->init_path);
    r = cgroup_life_new(&cgroups, &host->cgroups, err);
    if (r == 0)
        r = cgroup_life_check(host->cgroups, err);
    if (r < 0)
        return r;
    host->swept = sweep(host->cgroups, true, START_SWEEP_US, err) == 0;
    if (!host->swept)
        log_warn("launcher", "an earlier life's cgroups stay, the node registers when they are gone", KV_ERR(err));
    remove_earlier(o->dir, host->life);
    runtime.cgroups = host->cgroups;
    r = oci_runtime_new(&runtime, &host->runtime, err);
    if (r == 0)
        r = try_runtime(host, err);
    name_servers = network_name_servers(host->network);
    if (r == 0)
        r = rootfs_mounts_new(mounts, o->scratch_dir, name_servers, &host->mounts, err);
    strv_free(name_servers);
    return r == 0 ? janitor_start(sweep_all, host, &host->janitor, err) : r;
}

int native_host_new(const struct native_host_options *o, struct native_host **ret,
                    struct error *err)
{
    struct native_host *host = calloc(1, sizeof(*host));
    struct error own;
    int r;

    if (!host)
        abort();
    host->loop = o->loop;
    host->network = o->network;
    host->refs = 1;
    host->janitor = -1;
    token_make(4, host->life);
    host->dir = str_printf("%s/%s", o->dir, host->life);
    r = dir_make(host->dir, 0700, &own);
    if (r == 0)
        r = make_parts(host, o, &own);
    if (r < 0) {
        if (err)
            *err = own;
        (void)dir_remove(host->dir, NULL);
        native_host_unref(host);
        return r;
    }
    *ret = host;
    return 0;
}

bool native_host_sweep(struct native_host *host)
{
    host->swept = host->swept || cgroup_life_sweep(host->cgroups, true, NULL) == 0;
    return host->swept;
}

struct native_host *native_host_ref(struct native_host *host)
{
    host->refs++;
    return host;
}

void native_host_unref(struct native_host *host)
{
    if (!host || --host->refs)
        return;
    rootfs_mounts_free(host->mounts);
    oci_runtime_free(host->runtime);
    cgroup_life_free(host->cgroups);
    closep(&host->janitor);
    free(host->dir);
    free(host);
}
