/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape - tries to get out of the sandbox that it runs in, in as many ways as it knows, and says
 * of each what came of it. tests/integration/test_escape.py runs it as a function.
 *
 *   escape [--targets] [tcp:ADDRESS:PORT | abstract:NAME | path:SOCKET | pid:NUMBER]...
 *
 * Standard output has one line a probe: its name, a blank, "refused" and why, or "OPEN". The
 * arguments name things of the host that must not be reached; with --targets only those are tried,
 * and nothing is done that could harm where it succeeds. Each probe has a process of its own,
 * which may be killed for what it tries; that is a refusal too. Static: any image will do.
 */
#include "tests/integration/escape/escape.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBE_SECONDS 5

/* Signals to PID 1 come last: what follows would not be seen. */
static const struct probe *const groups[] = {file_probes, proc_probes, network_probes, call_probes,
                                             process_probes};

int called(long r)
{
    return r < 0 ? errno : OPEN;
}

int opens(const char *path, int flags)
{
    return called(open(path, flags | O_CLOEXEC | O_NOCTTY));
}

int writes(const char *folder)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/escape", folder);
    return called(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
}

static int try_target(const char *target)
{
    if (strncmp(target, "tcp:", 4) == 0)
        return connects_tcp(target + 4);
    if (strncmp(target, "abstract:", 9) == 0)
        return connects_unix(target + 9, true);
    if (strncmp(target, "path:", 5) == 0)
        return connects_unix(target + 5, false);
    if (strncmp(target, "pid:", 4) == 0)
        return called(kill((pid_t)strtol(target + 4, NULL, 10), 0));
    return OPEN; /* not a probe: fail loudly */
}

static void tell(const char *name, int status)
{
    const char *why;

    if (WIFSIGNALED(status)) {
        printf("%s\trefused\tSIG%s\n", name, sigabbrev_np(WTERMSIG(status)));
        return;
    }
    status = WEXITSTATUS(status);
    why = status == SILENT ? "nothing there" : strerrorname_np(status);
    if (status == OPEN)
        printf("%s\tOPEN\n", name);
    else
        printf("%s\trefused\t%s\n", name, why ? why : "?");
}

static void probe_in_child(const char *name, int (*run)(void), const char *target)
{
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(PROBE_SECONDS);
        _exit(run ? run() : try_target(target));
    }
    if (pid > 0 && waitpid(pid, &status, 0) == pid)
        tell(name, status);
}

int main(int argc, char **argv)
{
    bool targets_only = argc > 1 && strcmp(argv[1], "--targets") == 0;
    const struct probe *probe;
    size_t i;
    int a;

    for (a = targets_only ? 2 : 1; a < argc; a++)
        probe_in_child(argv[a], NULL, argv[a]);
    for (i = 0; !targets_only && i < sizeof(groups) / sizeof(*groups); i++)
        for (probe = groups[i]; probe->name; probe++)
            probe_in_child(probe->name, probe->run, NULL);
    printf("done\n");
    return 0;
}
