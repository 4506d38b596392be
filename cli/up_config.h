/* SPDX-License-Identifier: Apache-2.0 */
/*
 * up_config.h - the settings of `hearth up`. What it does not know itself reaches the daemons
 * through the environment, under the variables that docs/configuration.md lists.
 *
 * Owns:    its strings; up_config_done().
 * Threads: start-up only.
 */
#ifndef HEARTH_CLI_UP_CONFIG_H
#define HEARTH_CLI_UP_CONFIG_H

#include <stdint.h>

struct up_config {
    char *listen;
    char *data_dir;
    char *run_dir;
    char *bin_dir; /* where hearth-gateway and the others are */
    char *redis_url; /* "" = a private redis-server */
    char *image_store; /* "docker" or "containerd" */
    char *docker_socket; /* path */
    char *containerd_socket; /* path */
    char *kafka_brokers; /* "" = local segment files */
    char *runtimes; /* path of runtimes.json */
    char *account_id;
    char *region;
    char *credentials_file; /* path; "" = signatures are not checked */
    char *log_level;
    uint64_t stop_grace_us;
};

/**
 * Loads the settings; prints all mistakes. Returns an exit status; when it is EXIT_FINE and
 * config->listen is NULL, --help or the like was answered and there is nothing to run.
 */
int up_config_load(struct up_config *config, int argc, char **argv);
void up_config_done(struct up_config *config);

#endif
