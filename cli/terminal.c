/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/terminal.h"

#include <stdarg.h>

void terminal_write(FILE *to, struct str text)
{
    unsigned char c;
    size_t i;

    for (i = 0; i < text.len; i++) {
        c = (unsigned char)text.ptr[i];
        if (c == '\r') { /* runtimes use it for breaks inside one record; before \n it says nothing */
            if (i + 1 == text.len || text.ptr[i + 1] != '\n')
                fputc('\n', to);
        } else if (c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f)) {
            fputc(c, to);
        } else {
            fprintf(to, "\\x%02x", c);
        }
    }
}

int complain(int status, const char *hint, const char *fmt, ...)
{
    va_list ap;

    fputs("error: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    if (hint)
        fprintf(stderr, "hint: %s\n", hint);
    return status;
}
