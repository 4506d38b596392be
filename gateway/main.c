/* SPDX-License-Identifier: Apache-2.0 */
/* hearth-gateway: load the settings, build the parts, run the loop, tear down in reverse. */
#include <signal.h>
#include <stdio.h>

#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "gateway/gateway.h"

#define EXIT_CONFIG 2

static void on_stop(void *arg)
{
    gateway_stop(arg);
}

static int run(const struct gateway_config *config)
{
    struct loop *loop = loop_new();
    struct gateway *gw = NULL;
    struct error err;
    int r;

    r = gateway_new(loop, config, &gw, &err);
    if (r < 0) {
        fprintf(stderr, "hearth-gateway: %s\n", err.msg);
        loop_free(loop);
        return r == -ERR_CONFIG ? EXIT_CONFIG : EXIT_FAILURE;
    }
    loop_on_signal(loop, SIGTERM, on_stop, gw);
    loop_on_signal(loop, SIGINT, on_stop, gw);
    loop_run(loop);
    gateway_free(gw);
    loop_free(loop);
    log_info("gateway", "stopped");
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    CLEANUP(buf_done) struct buf problems = BUF_INIT(65536);
    struct gateway_config config = {0};
    int r;

    cjson_abort_without_memory();
    buf_return_large();
    r = config_load(&gateway_config_program, argc, argv, &config, &problems);
    if (r == CONFIG_RUN) {
        log_init("gateway", (enum log_level)log_level_parse(str_of(config.log_level)));
        r = run(&config);
    } else if (r < 0) {
        fprintf(stderr, "%.*s", STR_ARG(buf_str(&problems)));
        r = EXIT_CONFIG;
    } else {
        r = EXIT_SUCCESS;
    }
    config_done(&gateway_config_program, &config);
    return r;
}
