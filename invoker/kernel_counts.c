/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/kernel_counts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/log.h"

/* More than the memory of any function is enough for. */
static const struct {
    const char *name;
    uint64_t least;
} counts[] = {
    {"fs/inotify/max_user_instances", 1u << 24},
    {"fs/inotify/max_user_watches", 1u << 28},
    {"fs/epoll/max_user_watches", 1u << 30},
    {"fs/aio-max-nr", 1u << 30},
};

/* Writes to what is there; 0, or an errno. */
static int write_number(const char *path, uint64_t value)
{
    CLEANUP(closep) int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    char text[24];
    int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)value);

    return fd < 0 || write(fd, text, (size_t)len) != len ? errno : 0;
}

size_t kernel_counts_raise(const char *proc_sys)
{
    size_t i, good = 0;

    for (i = 0; i < ARRAY_LEN(counts); i++) {
        CLEANUP(freep) char *path = str_printf("%s/%s", proc_sys, counts[i].name);
        CLEANUP(buf_done) struct buf text = BUF_INIT(64);
        uint64_t value;
        int number;

        if (file_read(path, &text, NULL) < 0 ||
            str_parse_u64(str_trim(buf_str(&text)), &value) < 0)
            continue; /* a kernel without it */
        number = value < counts[i].least ? write_number(path, counts[i].least) : 0;
        good += number == 0;
        if (number)
            log_warn("launcher", "functions share a limit of the kernel, one may take all of it",
                     KV_STR("limit", counts[i].name), KV_U64("value", value),
                     KV_STR("error", strerror(number)));
        else if (value < counts[i].least)
            log_info("launcher", "a limit that all functions share was raised",
                     KV_STR("limit", counts[i].name), KV_U64("from", value),
                     KV_U64("to", counts[i].least));
    }
    return good;
}
