/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/launcher_choice.h"

#include <string.h>

#include "common/base/log.h"

int launcher_choose(const char *name, const struct launcher_docker_options *docker,
                    const struct launcher_native_options *native, struct launcher **ret,
                    struct error *err)
{
    struct error why;
    int r;

    if (strcmp(name, "docker") == 0 && !docker->docker)
        return error_set(err, ERR_CONFIG,
                         "the launcher docker cannot run containerd's images: set HEARTH_LAUNCHER "
                         "to native or auto, or HEARTH_IMAGE_STORE to docker");
    if (strcmp(name, "docker") != 0) {
        r = launcher_native_new(native, ret, &why);
        if (r == 0)
            return 0;
        if (strcmp(name, "native") == 0 || !docker->docker) {
            if (err)
                *err = why;
            return error_wrap(err, r, "the native launcher%s",
                              docker->docker ? "" : ", the only one for containerd's images");
        }
        log_info("launcher", "Docker makes the sandboxes: native ones cannot be here",
                 KV_ERR(&why));
    }
    return launcher_docker_new(docker, ret, err);
}
