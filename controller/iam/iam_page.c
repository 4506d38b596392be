/* SPDX-License-Identifier: Apache-2.0 */
/* Marker and MaxItems. A marker is base64 of a kind (one byte) and where its list goes on. */
#include <inttypes.h>
#include <stdio.h>

#include "common/base/base64.h"
#include "controller/iam/iam.h"

#define MARKER_MAX 512u
#define BY_POSITION 'p'

uint32_t iam_max_items(const struct iam_request *req)
{
    const cJSON *max = iam_member(req, "MaxItems");

    return max ? (uint32_t)max->valuedouble : IAM_PAGE_DEFAULT;
}

bool iam_marker_read(struct iam_request *req, char *ret_kind, struct buf *ret)
{
    struct str marker = iam_text(req, "Marker");

    *ret_kind = '\0';
    if (!marker.ptr)
        return true;
    if (base64_decode(ret, marker) < 0 || ret->len < 1 || !str_is_utf8(buf_str(ret))) {
        iam_fail(req, IAM_ValidationError, "Invalid Marker.");
        return false;
    }
    *ret_kind = ret->ptr[0];
    buf_consume(ret, 1);
    return true;
}

void iam_marker_write(struct iam_request *req, char kind, struct str text)
{
    CLEANUP(buf_done) struct buf plain = BUF_INIT(MARKER_MAX), marker = BUF_INIT(2 * MARKER_MAX);

    xml_bool(&req->answer, "IsTruncated", kind != '\0');
    if (!kind)
        return;
    buf_append_char(&plain, kind);
    buf_append_str(&plain, text);
    base64_encode(&marker, buf_str(&plain));
    xml_text(&req->answer, "Marker", buf_str(&marker));
}

bool iam_page_begin(struct iam_request *req, size_t total, struct iam_page *ret)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(MARKER_MAX);
    uint64_t from = 0;
    size_t left;
    char kind;

    if (!iam_marker_read(req, &kind, &text))
        return false;
    if (kind && (kind != BY_POSITION || str_parse_u64(buf_str(&text), &from) < 0)) {
        iam_fail(req, IAM_ValidationError, "Invalid Marker.");
        return false;
    }
    ret->total = total;
    ret->from = from < total ? (size_t)from : total;
    left = total - ret->from;
    ret->to = ret->from + (left < iam_max_items(req) ? left : iam_max_items(req));
    return true;
}

void iam_page_end(struct iam_request *req, const struct iam_page *page)
{
    char text[24];

    snprintf(text, sizeof(text), "%zu", page->to);
    iam_marker_write(req, page->to < page->total ? BY_POSITION : '\0', str_of(text));
}
