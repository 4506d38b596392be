/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process is told: '+' or '-', a kind, a name.
 */
#include "invoker/thaw_janitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/map.h"
#include "invoker/janitor.h"

#define ENGINE_LIMIT_S 10 /* for its answer about one container */

enum kind { CGROUP_V1 = '1', CGROUP_V2 = '2', CONTAINER = 'c' };

struct thaw_janitor {
    int socket;
    /* in the process */
    char *docker_socket;
    struct map known; /* kind and name, to the same */
};

/* ---- in the process */

static void thaw(enum kind kind, char *folder)
{
    const struct cgroup cg = {.folder = {[CGROUP_FREEZER] = folder}, .is_v2 = kind == CGROUP_V2};

    (void)cgroup_freeze(&cg, false, NULL);
}

/* One request on a connection of its own; what the engine says to it does not matter. */
static void unpause(const char *socket_path, const char *name)
{
    CLEANUP(freep)
    char *request = str_printf("POST /containers/%s/unpause HTTP/1.1\r\nHost: docker\r\n"
                               "Content-Length: 0\r\nConnection: close\r\n\r\n",
                               name);
    CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval limit = {.tv_sec = ENGINE_LIMIT_S};
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    char answer[256];

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", socket_path);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
        send(fd, request, strlen(request), MSG_NOSIGNAL) > 0)
        (void)!read(fd, answer, sizeof(answer)); /* it is done then */
}

static void hear(struct str word, void *arg)
{
    struct thaw_janitor *janitor = arg;
    struct str known = str_sub(word, 1, word.len);

    if (known.len > 1 && word.ptr[0] == '+')
        map_put(&janitor->known, known, str_dup(known));
    else if (known.len > 1)
        free(map_remove(&janitor->known, known));
}

static void sweep(const void *arg)
{
    const struct thaw_janitor *janitor = arg;
    size_t at = 0;
    struct str key;
    void *value;
    char *word;

    while (map_next(&janitor->known, &at, &key, &value)) {
        word = value;
        if (word[0] != CONTAINER)
            thaw((enum kind)word[0], word + 1);
        else if (janitor->docker_socket)
            unpause(janitor->docker_socket, word + 1);
    }
}

/* ---- the invoker's side */

int thaw_janitor_new(const char *docker_socket, struct thaw_janitor **ret, struct error *err)
{
    struct thaw_janitor *janitor = calloc(1, sizeof(*janitor));
    int r;

    if (!janitor)
        abort();
    janitor->socket = -1;
    janitor->docker_socket = docker_socket ? str_dup(str_of(docker_socket)) : NULL;
    map_init(&janitor->known, free);
    r = janitor_start_listening(hear, sweep, janitor, &janitor->socket, err);
    if (r < 0) {
        thaw_janitor_free(janitor);
        return r;
    }
    *ret = janitor;
    return 0;
}

void thaw_janitor_free(struct thaw_janitor *janitor)
{
    if (!janitor)
        return;
    closep(&janitor->socket);
    free(janitor->docker_socket);
    free(janitor);
}

static int tell(struct thaw_janitor *janitor, char sign, enum kind kind, const char *name)
{
    char word[JANITOR_WORD_MAX];
    int n = snprintf(word, sizeof(word), "%c%c%s", sign, kind, name);

    if (n >= (int)sizeof(word) ||
        send(janitor->socket, word, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) != n)
        return -ERR_SYSTEM;
    return 0;
}

static int tell_cgroup(struct thaw_janitor *janitor, char sign, const struct cgroup *cg)
{
    const char *folder = cg->folder[CGROUP_FREEZER];

    return folder ? tell(janitor, sign, cg->is_v2 ? CGROUP_V2 : CGROUP_V1, folder) : -ERR_SYSTEM;
}

int thaw_janitor_add_cgroup(struct thaw_janitor *janitor, const struct cgroup *cg)
{
    return tell_cgroup(janitor, '+', cg);
}

void thaw_janitor_remove_cgroup(struct thaw_janitor *janitor, const struct cgroup *cg)
{
    (void)tell_cgroup(janitor, '-', cg);
}

int thaw_janitor_add_container(struct thaw_janitor *janitor, const char *name)
{
    return tell(janitor, '+', CONTAINER, name);
}

void thaw_janitor_remove_container(struct thaw_janitor *janitor, const char *name)
{
    (void)tell(janitor, '-', CONTAINER, name);
}
