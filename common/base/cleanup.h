/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cleanup.h - scope-bound release of what a function owns.
 *
 * CLEANUP(fn) on a local calls fn(&local) on every way out of its scope; TAKE(p) gives
 * the pointer away and leaves NULL behind, so that the clean-up does nothing.
 *
 * Threads: any.
 */
#ifndef HEARTH_BASE_CLEANUP_H
#define HEARTH_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/** Yields the pointer @p and sets the variable to NULL. */
#define TAKE(p)                                                                                    \
    ({                                                                                             \
        __typeof__(p) take_ = (p);                                                                 \
        (p) = NULL;                                                                                \
        take_;                                                                                     \
    })

/** Yields the descriptor @fd and sets the variable to -1. */
#define TAKE_FD(fd)                                                                                \
    ({                                                                                             \
        int take_ = (fd);                                                                          \
        (fd) = -1;                                                                                 \
        take_;                                                                                     \
    })

/** For CLEANUP: frees a malloc'ed pointer of any type. */
static inline void freep(void *p)
{
    free(*(void **)p);
    *(void **)p = NULL;
}

/** For CLEANUP: closes a descriptor that is not negative. */
static inline void closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member)                                                            \
    ((type *)(void *)((char *)(ptr)-__builtin_offsetof(type, member)))
#define PRINTF_FORMAT(fmt, first) __attribute__((format(printf, fmt, first)))
#define MUST_CHECK __attribute__((warn_unused_result))

#endif
