/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/http_origin.h"

#include <string.h>

/* The length of the word that @text begins with; 0: none of them. */
static size_t word_len(struct str text, const char *const *words)
{
    for (; words && *words; words++)
        if (str_starts(text, str_of(*words)))
            return strlen(*words);
    return 0;
}

static bool is_authority_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr(".-_:[]", c));
}

bool http_origin_is_good(struct str text, const char *const *words)
{
    size_t i, len;

    if (str_starts(text, STR("http://")))
        text = str_sub(text, 7, text.len);
    else if (str_starts(text, STR("https://")))
        text = str_sub(text, 8, text.len);
    else
        return false;
    if (str_ends(text, STR("/")))
        text.len--;
    for (i = 0; i < text.len; i += len) {
        len = word_len(str_sub(text, i, text.len), words);
        if (len == 0 && !is_authority_char(text.ptr[i]))
            return false;
        if (len == 0)
            len = 1;
    }
    return text.len && text.ptr[0] != ':' && text.ptr[text.len - 1] != ':';
}

char *http_origin_host(struct str origin)
{
    bool tls = str_starts(origin, STR("https://"));
    struct str port = tls ? STR(":443") : STR(":80");

    origin = str_sub(origin, tls ? 8 : 7, origin.len);
    if (str_ends(origin, port))
        origin.len -= port.len;
    return str_dup(origin);
}
