/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_limits.h - what every sandbox is held to, whatever launcher makes it.
 *
 * Source: Lambda quotas; "Configure Lambda function memory"; docs/internals/sandboxes.md.
 */
#ifndef HEARTH_INVOKER_SANDBOX_LIMITS_H
#define HEARTH_INVOKER_SANDBOX_LIMITS_H

#include <stdint.h>

#define SANDBOX_UID 993
#define SANDBOX_GID 990
#define SANDBOX_HOSTNAME "sandbox" /* neither the host's nor an id */
#define SANDBOX_PIDS_MAX 1024
#define SANDBOX_FILES_MAX 1024
/* Above the host's own processes: when the node itself runs out of memory, sandboxes go first. */
#define SANDBOX_OOM_SCORE_ADJ 500
/* Memory that stands for one CPU, MiB. */
#define MEMORY_OF_ONE_CPU 1769

/* In which CPU time is counted once the init phase is over; Lambda's own. */
#define SANDBOX_CPU_PERIOD_US 20000u
#define SANDBOX_CPU_QUOTA_MIN_US 1000u /* the kernel takes no less */

/** CPU time in each period for @memory_mib. */
static inline uint32_t sandbox_cpu_quota_us(uint32_t memory_mib)
{
    uint32_t quota =
        (uint32_t)((uint64_t)memory_mib * SANDBOX_CPU_PERIOD_US / MEMORY_OF_ONE_CPU);

    return quota > SANDBOX_CPU_QUOTA_MIN_US ? quota : SANDBOX_CPU_QUOTA_MIN_US;
}

/*
 * How long an invocation waits for a sandbox that has answered to ask for more, before another one is
 * begun: at least the first, and until the function has had the second of CPU time. A small one has
 * little of it, and little at once: after it was at the end of its memory, its code is read from the
 * disk again as well.
 */
#define SANDBOX_RETURN_MIN_US 50000u
#define SANDBOX_RETURN_CPU_US 20000u

static inline uint64_t sandbox_return_us(uint32_t memory_mib)
{
    uint64_t us = (uint64_t)SANDBOX_RETURN_CPU_US * SANDBOX_CPU_PERIOD_US / sandbox_cpu_quota_us(memory_mib);

    return us > SANDBOX_RETURN_MIN_US ? us : SANDBOX_RETURN_MIN_US;
}

/** CPU shares for @memory_mib: 1024 for one CPU, at least 2. */
static inline uint32_t sandbox_cpu_shares(uint32_t memory_mib)
{
    uint32_t shares = (uint32_t)((uint64_t)memory_mib * 1024 / MEMORY_OF_ONE_CPU);

    return shares > 2 ? shares : 2;
}

#endif
