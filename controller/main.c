/* SPDX-License-Identifier: Apache-2.0 */
/* hearth-controller: loads its settings, builds the parts, runs the loop, tears down in reverse. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "controller/controller.h"

#define PROBLEMS_MAX (64u * 1024u)
#define EXIT_CONFIG 2

static void on_stop(void *arg)
{
    struct controller **c = arg;

    log_info("controller", "stopping");
    controller_stop(*c);
}

static int run(const struct controller_config *config)
{
    struct controller *c = NULL;
    struct loop *loop = loop_new();
    struct error err;
    int r;

    loop_on_signal(loop, SIGTERM, on_stop, &c);
    loop_on_signal(loop, SIGINT, on_stop, &c);
    r = controller_new(loop, config, &c, &err);
    if (r == 0) {
        log_info("controller", "ready", KV_STR("listen", config->listen),
                 KV_STR("account", config->account_id), KV_STR("region", config->region));
        loop_run(loop);
        r = -(int)controller_is_over(c);
    } else {
        log_error("controller", "cannot start", KV_ERR(&err));
    }
    controller_free(c);
    loop_free(loop);
    return r == 0 ? 0 : r == -ERR_CONFIG ? EXIT_CONFIG : 1;
}

int main(int argc, char **argv)
{
    CLEANUP(buf_done) struct buf problems = BUF_INIT(PROBLEMS_MAX);
    struct controller_config config = {0};
    int r;

    setlocale(LC_CTYPE, "C.UTF-8"); /* names in archives are UTF-8 */
    cjson_abort_without_memory();
    umask(0077);
    r = config_load(&controller_program, argc, argv, &config, &problems);
    if (r == CONFIG_RUN) {
        log_init("controller", (enum log_level)log_level_parse(str_of(config.log_level)));
        r = run(&config);
    } else if (r < 0) {
        fprintf(stderr, "%.*s", STR_ARG(buf_str(&problems)));
        r = EXIT_CONFIG;
    } else {
        r = 0;
    }
    config_done(&controller_program, &config);
    return r;
}
