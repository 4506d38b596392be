/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_limit.h - how many lines a second strangers may cause in the log.
 *
 * Owns:    nothing; zero is a good beginning.
 * Threads: one at a time.
 */
#ifndef HEARTH_BASE_LOG_LIMIT_H
#define HEARTH_BASE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"

struct log_limit {
    uint64_t second_us; /* when the second began that is counted */
    unsigned lines; /* in it */
};

/** Whether one more line may be written at @at_us (monotonic), when @most may in a second. */
static inline bool log_limit_take(struct log_limit *limit, unsigned most, uint64_t at_us)
{
    if (at_us - limit->second_us >= SECONDS(1))
        *limit = (struct log_limit){at_us, 0};
    return limit->lines++ < most;
}

#endif
