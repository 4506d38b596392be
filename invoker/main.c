/* SPDX-License-Identifier: Apache-2.0 */
/* hearth-invoker - the sandboxes of one host. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "invoker/invoker.h"

#define EXIT_CONFIG 2 /* another start would not help: `hearth up` ends */

static void on_stop_signal(void *arg)
{
    invoker_stop(arg);
}

#define FILES 65536 /* some thousand sandboxes */

/* A sandbox takes ten descriptors or so; the usual limits of 1024 and 4096 would be limits of those. */
static void raise_descriptor_limit(void)
{
    const struct rlimit wanted = {FILES, FILES};
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    if (limit.rlim_max < FILES && setrlimit(RLIMIT_NOFILE, &wanted) == 0)
        return; /* as root may */
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* within the hard limit: it may */
}

static int run(const struct invoker_config *config)
{
    struct loop *loop = loop_new();
    struct invoker *invoker = NULL;
    struct error err;
    int r;

    r = invoker_new(loop, config, &invoker, &err);
    if (r == 0) {
        loop_on_signal(loop, SIGTERM, on_stop_signal, invoker);
        loop_on_signal(loop, SIGINT, on_stop_signal, invoker);
        loop_run(loop);
    } else {
        fprintf(stderr, "hearth-invoker: %s\n", err.msg);
    }
    invoker_free(invoker);
    loop_free(loop);
    return r == 0 ? 0 : r == -ERR_CONFIG ? EXIT_CONFIG : 1;
}

int main(int argc, char **argv)
{
    CLEANUP(buf_done) struct buf problems = BUF_INIT(1u << 20);
    struct invoker_config config = {0};
    int r, status = 0;

    signal(SIGPIPE, SIG_IGN); /* sockets tell by their errors */
    cjson_abort_without_memory();
    buf_return_large();
    r = config_load(&invoker_program, argc, argv, &config, &problems);
    if (r < 0) {
        fprintf(stderr, "hearth-invoker: wrong settings\n%.*s", STR_ARG(buf_str(&problems)));
        status = EXIT_CONFIG;
    } else if (r == CONFIG_RUN) {
        raise_descriptor_limit();
        log_init("invoker", (enum log_level)log_level_parse(str_of(config.log_level)));
        status = run(&config);
    }
    config_done(&invoker_program, &config);
    return status;
}
