/* SPDX-License-Identifier: Apache-2.0 */
#include "images/init/drop.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "images/init/seccomp.h"

#define CAPABILITIES_MAX 64

/* Needs CAP_SETPCAP; a number beyond the kernel's last one is EINVAL. */
static int drop_bounding_set(void)
{
    int i;

    for (i = 0; i < CAPABILITIES_MAX; i++)
        if (prctl(PR_CAPBSET_READ, i) == 1 && prctl(PR_CAPBSET_DROP, i) < 0)
            return -1;
    return 0;
}

static int capabilities(int call, struct __user_cap_data_struct data[2])
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};

    return (int)syscall(call, &head, data);
}

static int drop_capabilities(void)
{
    struct __user_cap_data_struct none[2] = {{0}};

    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return -1;
    return capabilities(SYS_capset, none);
}

static int change_user(uid_t uid, gid_t gid)
{
    return setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0
               ? -1
               : 0;
}

/* Each of them would be an escape if it had failed silently. */
static int check(uid_t uid, gid_t gid)
{
    struct __user_cap_data_struct data[2];
    static const struct __user_cap_data_struct none[2];
    uid_t u[3];
    gid_t g[3];
    int i;

    errno = EPERM;
    if (getresuid(&u[0], &u[1], &u[2]) < 0 || getresgid(&g[0], &g[1], &g[2]) < 0)
        return -1;
    for (i = 0; i < 3; i++)
        if (u[i] != uid || g[i] != gid)
            return -1;
    if (getgroups(0, NULL) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return -1;
    if (capabilities(SYS_capget, data) < 0 || memcmp(data, none, sizeof(none)) != 0)
        return -1;
    for (i = 0; i < CAPABILITIES_MAX; i++)
        if (prctl(PR_CAPBSET_READ, i) == 1)
            return -1;
    return setresuid(0, 0, 0) == 0 ? -1 : 0;
}

int drop_privileges(uid_t uid, gid_t gid, const char **ret_what)
{
    *ret_what = "no_new_privs";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    *ret_what = "bounding set";
    if (drop_bounding_set() < 0)
        return -1;
    *ret_what = "user";
    if (change_user(uid, gid) < 0)
        return -1;
    *ret_what = "capabilities";
    if (drop_capabilities() < 0)
        return -1;
    *ret_what = "dumpable"; /* a change of user may have set it anew */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -1;
    *ret_what = "check";
    if (check(uid, gid) < 0)
        return -1;
    *ret_what = "system call filter";
    return seccomp_load();
}
