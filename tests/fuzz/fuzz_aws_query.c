/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_aws_query.c - libFuzzer target: any bytes are a form or refused; names and values are UTF-8
 * without NUL, sorted, found again; as XML text they hold no markup.
 */
#include <stdlib.h>
#include <string.h>

#include "common/proto/aws_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_xml(struct str text)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8u << 20);
    size_t i;

    if (xml_escape(&b, text) < 0 || !str_is_utf8(buf_str(&b)))
        abort();
    for (i = 0; i < b.len; i++)
        if (strchr("<>\"\r", b.ptr[i]) || b.ptr[i] == '\0')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str form = str_from(data, size);
    struct aws_query q;
    size_t i;

    check_xml(form);
    if (aws_query_parse(form, &q, NULL) < 0)
        return 0;
    for (i = 0; i < q.len; i++) {
        CLEANUP(freep) char *name = str_dup(q.params[i].name);

        if (strlen(name) != q.params[i].name.len || !aws_query_get(&q, name).ptr)
            abort();
        if (!str_is_utf8(q.params[i].value) ||
            memchr(q.params[i].value.ptr, '\0', q.params[i].value.len))
            abort();
    }
    if (aws_query_members(&q, "L") > q.len)
        abort();
    aws_query_done(&q);
    return 0;
}
