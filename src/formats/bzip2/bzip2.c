/* SPDX-License-Identifier: Apache-2.0 */
/* bzip2 files: one content, of one or more streams. */
#include "codecs/bzip2/bzip2.h"

#include "codecs/flow/packed.h"

/* "BZh", a level, and the magic of a block (pi) or of the end (its square root), both in decimal. */
static enum gh_bid bzip2_bid(const struct gh_probe *probe)
{
	static const uint8_t block[6] = {0x31, 0x41, 0x59, 0x26, 0x53, 0x59},
			     end[6] = {0x17, 0x72, 0x45, 0x38, 0x50, 0x90};
	const uint8_t *p = probe->head;
	if (probe->head_len < 10 || memcmp(p, "BZh", 3) != 0 || p[3] < '1' || p[3] > '9')
		return GH_BID_NO;
	return memcmp(p + 4, block, 6) == 0 || memcmp(p + 4, end, 6) == 0 ? GH_BID_MAGIC : GH_BID_NO;
}

static enum gh_code bzip2_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	(void)ctx, (void)err;
	return gh_packed_next(state, 0, ret);
}

static enum gh_code bzip2_pour(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_sink *sink, struct gh_err *err)
{
	struct gh_packed *p = state;
	struct gh_unpacked u;
	(void)child;
	enum gh_code code = gh_bzip2_pour(ctx, p->src, 0, p->src->size, UINT64_MAX, sink, &u, err);
	return code ? code : gh_packed_rest(ctx, p->src, &u, "bzip2", err);
}

const struct gh_format gh_format_bzip2 = {
	.name = "bzip2",
	.title = "bzip2 file",
	.version = 1,
	.packing = true,
	.state_size = sizeof(struct gh_packed),
	.bid = bzip2_bid,
	.open = gh_packed_open,
	.next = bzip2_next,
	.data = gh_packed_data,
	.pour = bzip2_pour,
};
