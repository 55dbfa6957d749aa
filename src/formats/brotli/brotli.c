/* SPDX-License-Identifier: Apache-2.0 */
/* Brotli files (RFC 7932). Nothing marks them: only the name says what they are. */
#include "codecs/brotli/brotli.h"

#include "codecs/flow/packed.h"

static enum gh_bid brotli_bid(const struct gh_probe *probe)
{
	return probe->size && gh_str_ends(probe->name, ".br") ? GH_BID_SHAPE : GH_BID_NO;
}

static enum gh_code brotli_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	(void)ctx, (void)err;
	return gh_packed_next(state, 0, ret);
}

static enum gh_code brotli_pour(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_sink *sink, struct gh_err *err)
{
	struct gh_packed *p = state;
	struct gh_unpacked u;
	(void)child;
	enum gh_code code = gh_brotli_pour(ctx, p->src, 0, p->src->size, UINT64_MAX, sink, &u, err);
	return code ? code : gh_packed_rest(ctx, p->src, &u, "brotli", err);
}

const struct gh_format gh_format_brotli = {
	.name = "brotli",
	.title = "Brotli file",
	.version = 1,
	.packing = true,
	.state_size = sizeof(struct gh_packed),
	.bid = brotli_bid,
	.open = gh_packed_open,
	.next = brotli_next,
	.data = gh_packed_data,
	.pour = brotli_pour,
};
