/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/oci_runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "invoker/run_program.h"
#include "invoker/sandbox_limits.h"

#define RUN_LIMIT_MS 20000

struct oci_runtime {
    char *program, *dir, *init_path;
    char *rootfs, *state;
    const struct cgroup_life *cgroups;
};

/* ---- config.json */

static void add_strings(cJSON *to, const char *name, const char *const *strings)
{
    cJSON *array = cJSON_AddArrayToObject(to, name);

    for (; *strings; strings++)
        cJSON_AddItemToArray(array, cJSON_CreateString(*strings));
}

/* What hearth-init needs to enter the function's file system and to give all of this up. */
static void add_capabilities(cJSON *process)
{
    static const char *const needed[] = {"CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID",
                                         "CAP_SETPCAP", NULL};
    cJSON *capabilities = cJSON_AddObjectToObject(process, "capabilities");

    add_strings(capabilities, "bounding", needed);
    add_strings(capabilities, "effective", needed);
    add_strings(capabilities, "permitted", needed);
}

static void add_rlimit(cJSON *rlimits, const char *type, double limit)
{
    cJSON *rlimit = cJSON_CreateObject();

    cJSON_AddStringToObject(rlimit, "type", type);
    cJSON_AddNumberToObject(rlimit, "soft", limit);
    cJSON_AddNumberToObject(rlimit, "hard", limit);
    cJSON_AddItemToArray(rlimits, rlimit);
}

static void add_process(cJSON *config)
{
    cJSON *process = cJSON_AddObjectToObject(config, "process"), *user, *rlimits;

    cJSON_AddFalseToObject(process, "terminal");
    user = cJSON_AddObjectToObject(process, "user");
    cJSON_AddNumberToObject(user, "uid", 0);
    cJSON_AddNumberToObject(user, "gid", 0);
    add_strings(process, "args", (const char *const[]){"/init", "--blank", NULL});
    add_strings(process, "env", (const char *const[]){NULL});
    cJSON_AddStringToObject(process, "cwd", "/");
    add_capabilities(process);
    rlimits = cJSON_AddArrayToObject(process, "rlimits");
    add_rlimit(rlimits, "RLIMIT_NOFILE", SANDBOX_FILES_MAX);
    add_rlimit(rlimits, "RLIMIT_CORE", 0);
    cJSON_AddTrueToObject(process, "noNewPrivileges");
    cJSON_AddNumberToObject(process, "oomScoreAdj", SANDBOX_OOM_SCORE_ADJ);
}

static void add_mount(cJSON *mounts, const char *destination, const char *type, const char *source,
                      const char *const *options)
{
    cJSON *mount = cJSON_CreateObject();

    cJSON_AddStringToObject(mount, "destination", destination);
    cJSON_AddStringToObject(mount, "type", type);
    cJSON_AddStringToObject(mount, "source", source);
    add_strings(mount, "options", options);
    cJSON_AddItemToArray(mounts, mount);
}

/* Those that belong to the sandbox's namespaces; they move into the function's file system. */
static void add_mounts(cJSON *config, const struct oci_runtime *rt)
{
    cJSON *mounts = cJSON_AddArrayToObject(config, "mounts");

    add_mount(mounts, "/proc", "proc", "proc",
              (const char *const[]){"nosuid", "noexec", "nodev", NULL});
    add_mount(mounts, "/dev", "tmpfs", "tmpfs",
              (const char *const[]){"nosuid", "noexec", "strictatime", "mode=755", "size=64k",
                                    NULL});
    add_mount(mounts, "/dev/pts", "devpts", "devpts",
              (const char *const[]){"nosuid", "noexec", "newinstance", "ptmxmode=0666",
                                    "mode=0620", NULL});
    add_mount(mounts, "/sys", "sysfs", "sysfs",
              (const char *const[]){"nosuid", "noexec", "nodev", "ro", NULL});
    /* runtimes of languages look there for how much memory they have */
    add_mount(mounts, "/sys/fs/cgroup", "cgroup", "cgroup",
              (const char *const[]){"nosuid", "noexec", "nodev", "relatime", "ro", NULL});
    add_mount(mounts, "/init", "bind", rt->init_path,
              (const char *const[]){"bind", "ro", "nosuid", "nodev", NULL});
}

static void add_linux(cJSON *config, const struct oci_runtime *rt, const char *id)
{
    static const char *const namespaces[] = {"pid",  "network", "ipc", "uts",
                                             "mount", "cgroup",  NULL};
    static const char *const masked[] = {
        "/proc/acpi",          "/proc/asound",     "/proc/kcore",
        "/proc/keys",          "/proc/interrupts", "/proc/scsi",
        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
        "/proc/sched_debug",   "/sys/firmware",    "/sys/devices/virtual/powercap",
        NULL};
    static const char *const read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                            "/proc/sysrq-trigger", NULL};
    CLEANUP(freep) char *path = str_printf("%s/%s", cgroup_life_parent(rt->cgroups), id);
    cJSON *lin = cJSON_AddObjectToObject(config, "linux"), *resources, *list, *item;
    const char *const *n;

    cJSON_AddStringToObject(lin, "cgroupsPath", path);
    resources = cJSON_AddObjectToObject(lin, "resources");
    list = cJSON_AddArrayToObject(resources, "devices");
    cJSON_AddItemToArray(list, item = cJSON_CreateObject());
    cJSON_AddFalseToObject(item, "allow"); /* but null, zero, full, random, urandom, tty, pts */
    cJSON_AddStringToObject(item, "access", "rwm");
    cJSON_AddNumberToObject(cJSON_AddObjectToObject(resources, "pids"), "limit", SANDBOX_PIDS_MAX);
    list = cJSON_AddArrayToObject(lin, "namespaces");
    for (n = namespaces; *n; n++) {
        cJSON_AddItemToArray(list, item = cJSON_CreateObject());
        cJSON_AddStringToObject(item, "type", *n);
    }
    add_strings(lin, "maskedPaths", masked);
    add_strings(lin, "readonlyPaths", read_only);
}

cJSON *oci_blank_config(const struct oci_runtime *rt, const char *id)
{
    cJSON *config = cJSON_CreateObject(), *root;

    if (!config)
        abort();
    cJSON_AddStringToObject(config, "ociVersion", "1.0.0");
    add_process(config);
    root = cJSON_AddObjectToObject(config, "root");
    cJSON_AddStringToObject(root, "path", rt->rootfs);
    cJSON_AddTrueToObject(root, "readonly");
    cJSON_AddStringToObject(config, "hostname", SANDBOX_HOSTNAME);
    add_mounts(config, rt);
    add_linux(config, rt, id);
    return config;
}

/* ---- running it: --preserve-fds keeps descriptor 3; the cgroup version that is not used is hidden,
 * because crun refuses to see both and runc would make cgroups in both */

static int write_small(const char *path, const char *text, struct error *err)
{
    CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        return error_set_errno(err, ERR_SYSTEM, errno, "writing %s", path);
    return 0;
}

/* Whether process @pid is the one that was made as @id: its number may be another's by now. */
static bool is_in_cgroup(const struct oci_runtime *rt, pid_t pid, const char *id)
{
    CLEANUP(freep) char *path = str_printf("/proc/%d/cgroup", (int)pid);
    CLEANUP(freep) char *end = str_printf("%s/%s\n", cgroup_life_parent(rt->cgroups), id);
    CLEANUP(buf_done) struct buf text = BUF_INIT(65536);

    if (file_read(path, &text, NULL) < 0 || buf_append_char(&text, '\0') < 0)
        return false;
    return strstr(text.ptr, end) != NULL;
}

static int open_process(const struct oci_runtime *rt, const char *bundle, const char *id,
                        int *ret_pidfd, struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s/pid", bundle);
    CLEANUP(buf_done) struct buf text = BUF_INIT(64);
    CLEANUP(closep) int fd = -1;
    uint64_t pid;
    int r = file_read(path, &text, err);

    if (r < 0)
        return r;
    if (str_parse_u64(str_trim(buf_str(&text)), &pid) < 0 || pid < 2)
        return error_set(err, ERR_SYSTEM, "%s did not tell the sandbox's pid", rt->program);
    fd = pidfd_open((pid_t)pid, 0);
    if (fd < 0 && errno != ESRCH)
        return error_set_errno(err, ERR_SYSTEM, errno, "opening the blank sandbox's process");
    if (fd < 0 || !is_in_cgroup(rt, (pid_t)pid, id))
        return error_set(err, ERR_SYSTEM, "the blank sandbox ended at once");
    *ret_pidfd = TAKE_FD(fd);
    return 0;
}

/* What the runtime wrote to its log, behind @err's message. */
static void add_log(const char *path, struct error *err)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(4096);
    struct str s;

    if (!err || file_read(path, &text, NULL) < 0 || text.len == 0)
        return;
    s = str_trim(buf_str(&text));
    s = str_sub(s, s.len > 300 ? s.len - 300 : 0, s.len);
    snprintf(err->msg + strlen(err->msg), sizeof(err->msg) - strlen(err->msg), ": %.*s",
             STR_ARG(s));
}

static int run_bundle(const struct oci_runtime *rt, const char *bundle, const char *id, int socket,
                      int *ret_pidfd, struct error *err)
{
    CLEANUP(freep) char *file = str_printf("%s/config.json", bundle);
    CLEANUP(freep) char *pid_file = str_printf("%s/pid", bundle);
    CLEANUP(freep) char *log = str_printf("%s/log", bundle);
    cJSON *config = oci_blank_config(rt, id);
    CLEANUP(freep) char *text = cJSON_PrintUnformatted(config);
    const char *argv[] = {rt->program, "--root", rt->state, "--log", log, "run", "--detach",
                          "--preserve-fds", "1", "--pid-file", pid_file, "--bundle", bundle, id,
                          NULL};
    int r;

    cJSON_Delete(config);
    r = write_small(file, text, err);
    if (r == 0)
        r = run_program(&(struct run_program){argv, socket, cgroup_life_unused_mount(rt->cgroups),
                                              RUN_LIMIT_MS},
                        err);
    if (r < 0)
        add_log(log, err);
    return r < 0 ? r : open_process(rt, bundle, id, ret_pidfd, err);
}

int oci_runtime_run(const struct oci_runtime *rt, const char *id, int socket, int *ret_pidfd,
                    struct error *err)
{
    CLEANUP(freep) char *bundle = str_printf("%s/bundles/%s", rt->dir, id);
    int r = dir_make(bundle, 0700, err);

    if (r == 0)
        r = run_bundle(rt, bundle, id, socket, ret_pidfd, err);
    (void)dir_remove(bundle, NULL);
    return r;
}

int oci_runtime_forget(const struct oci_runtime *rt, const char *id, struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s/%s", rt->state, id);

    return dir_remove(path, err);
}

/* ---- */

static char *find_program(const char *wanted)
{
    static const char *const names[] = {"crun", "runc"};
    static const char *const folders[] = {"/usr/bin", "/usr/sbin", "/usr/local/bin",
                                          "/usr/local/sbin", "/sbin", "/bin"};
    size_t i, j;

    if (wanted)
        return access(wanted, X_OK) == 0 ? str_dup(str_of(wanted)) : NULL;
    for (i = 0; i < ARRAY_LEN(names); i++) {
        for (j = 0; j < ARRAY_LEN(folders); j++) {
            char *path = str_printf("%s/%s", folders[j], names[i]);

            if (access(path, X_OK) == 0)
                return path;
            free(path);
        }
    }
    return NULL;
}

/* A setting that is wrong, or a host that has none that works. */
static int check_program(const struct oci_runtime_options *o, const char *program, struct error *err)
{
    const char *argv[] = {program, "--version", NULL};
    struct error why;

    if (!program && o->program)
        return error_set_errno(err, ERR_CONFIG, errno, "oci_runtime %s", o->program);
    if (!program)
        return error_set(err, ERR_UNSUPPORTED, "there is no OCI runtime: install crun or runc");
    if (run_program(&(struct run_program){argv, -1, NULL, RUN_LIMIT_MS}, &why) == 0)
        return 0;
    return error_set(err, o->program ? ERR_CONFIG : ERR_UNSUPPORTED,
                     "oci_runtime %s does not tell its version, as crun and runc do: %s", program,
                     why.msg);
}

/* The blank's file system: places to mount on, nothing else. */
static int make_folders(const struct oci_runtime *rt, struct error *err)
{
    static const char *const below[] = {"rootfs",      "rootfs/proc", "rootfs/sys", "rootfs/dev",
                                        "rootfs/root", "bundles",     "state"};
    CLEANUP(freep) char *init = str_printf("%s/init", rt->rootfs);
    size_t i;

    for (i = 0; i < ARRAY_LEN(below); i++) {
        CLEANUP(freep) char *path = str_printf("%s/%s", rt->dir, below[i]);
        int r = dir_make(path, 0755, err);

        if (r < 0)
            return r;
    }
    return write_small(init, "", err);
}

int oci_runtime_new(const struct oci_runtime_options *o, struct oci_runtime **ret,
                    struct error *err)
{
    char *program = find_program(o->program);
    struct oci_runtime *rt;
    int r = check_program(o, program, err);

    if (r < 0) {
        free(program);
        return r;
    }
    rt = calloc(1, sizeof(*rt));
    if (!rt)
        abort();
    rt->program = program;
    rt->dir = str_dup(str_of(o->dir));
    rt->init_path = str_dup(str_of(o->init_path));
    rt->rootfs = str_printf("%s/rootfs", o->dir);
    rt->state = str_printf("%s/state", o->dir);
    rt->cgroups = o->cgroups;
    r = make_folders(rt, err);
    if (r < 0) {
        oci_runtime_free(rt);
        return r;
    }
    *ret = rt;
    return 0;
}

void oci_runtime_free(struct oci_runtime *rt)
{
    if (!rt)
        return;
    free(rt->program);
    free(rt->dir);
    free(rt->init_path);
    free(rt->rootfs);
    free(rt->state);
    free(rt);
}

const char *oci_runtime_program(const struct oci_runtime *rt)
{
    return rt->program;
}
