/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/net/nft.h"

#include <nftables/libnftables.h>
#include <string.h>

#include "common/base/str.h"

struct nft {
    struct nft_ctx *ctx;
};

int nft_new(struct nft **ret, struct error *err)
{
    struct nft *nft = calloc(1, sizeof(*nft));

    if (!nft)
        abort();
    nft->ctx = nft_ctx_new(NFT_CTX_DEFAULT);
    if (!nft->ctx) {
        free(nft);
        return error_set(err, ERR_SYSTEM, "libnftables cannot be used");
    }
    nft_ctx_buffer_error(nft->ctx);
    nft_ctx_buffer_output(nft->ctx);
    *ret = nft;
    return 0;
}

void nft_free(struct nft *nft)
{
    if (!nft)
        return;
    nft_ctx_free(nft->ctx);
    free(nft);
}

int nft_run(struct nft *nft, const char *commands, struct error *err)
{
    struct str text;

    if (nft_run_cmd_from_buffer(nft->ctx, commands) == 0)
        return 0;
    text = str_trim(str_of(nft_ctx_get_error_buffer(nft->ctx)));
    text = str_sub(text, 0, str_find(text, '\n', 0));
    return error_set(err, ERR_SYSTEM, "the packet filter (nftables): %.*s", STR_ARG(text));
}

int nft_count(struct nft *nft, const char *table, const char *counter, uint64_t *ret,
              struct error *err)
{
    CLEANUP(freep) char *command = str_printf("list counter inet %s %s", table, counter);
    const char *at;
    struct str rest, word;
    int r = nft_run(nft, command, err);

    if (r < 0)
        return r;
    at = strstr(nft_ctx_get_output_buffer(nft->ctx), "packets ");
    rest = str_of(at ? at + strlen("packets ") : "");
    word = str_sub(rest, 0, str_find(rest, ' ', 0));
    if (str_parse_u64(word, ret) < 0)
        return error_set(err, ERR_SYSTEM, "the packet filter tells no count of %s", counter);
    return 0;
}
