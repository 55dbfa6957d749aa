/* SPDX-License-Identifier: Apache-2.0 */
/* LZMA alone (.lzma, lzma-file-format.txt of XZ Utils): 13 bytes of header without a magic number, then one stream. */
#include "base/num.h"
#include "codecs/flow/packed.h"
#include "codecs/xz/xz.h"

enum {
	HEADER = 13,
	USUAL = 0x5d, /* lc 3, lp 0, pb 2: what every encoder writes unless told otherwise */
	RATIO = 8192, /* no stream packs tighter: 273 bytes in less than half a bit, measured 7,090 */
	DICT_MIN = 4096,
};

/* Encoders write a power of two, or one and a half times that. */
static bool dict_usual(uint32_t dict)
{
	uint32_t low = dict & (0 - dict);
	return dict >= DICT_MIN && (dict == low || dict == 3 * (uint64_t)low);
}

static bool size_usual(uint64_t size, uint64_t packed)
{
	return size == UINT64_MAX || (size && size / RATIO <= packed && packed / 2 <= size + 64);
}

/* The encoder's first byte is 0, and the first bit that of a literal: nothing is there to be copied. */
static enum gh_bid lzma_bid(const struct gh_probe *probe)
{
	struct gh_cursor c = gh_cursor(probe->head, probe->head_len, 0);
	uint8_t properties = gh_u8(&c);
	uint32_t dict = gh_u32(&c);
	uint64_t size = gh_u64(&c);
	uint8_t zero = gh_u8(&c), first = gh_u8(&c);
	if (c.bad || zero || !dict_usual(dict) || !size_usual(size, probe->size - HEADER))
		return GH_BID_NO;
	bool empty = size == UINT64_MAX && probe->size < HEADER + 12; /* an end marker is all there is */
	if (first & 0x80 && !empty)
		return GH_BID_NO;
	if (properties == USUAL)
		return GH_BID_MAGIC;
	bool possible = properties < 9 * 5 * 5 && properties % 9 + properties / 9 % 5 <= 4;
	return possible && gh_str_ends(probe->name, ".lzma") ? GH_BID_SHAPE : GH_BID_NO;
}

static enum gh_code lzma_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct gh_packed *p = state;
	uint8_t head[HEADER];
	(void)ctx;
	enum gh_code code = gh_read(p->src, 0, head, sizeof head, err);
	struct gh_cursor c = gh_cursor(head, sizeof head, 0);
	gh_skip(&c, 5);
	uint64_t size = gh_u64(&c);
	if (code)
		return code;
	return gh_packed_next(p, size != UINT64_MAX && size / RATIO <= p->src->size ? size : 0, ret);
}

static enum gh_code lzma_pour(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_sink *sink, struct gh_err *err)
{
	struct gh_packed *p = state;
	struct gh_unpacked u;
	(void)child;
	enum gh_code code = gh_lzma_pour(ctx, p->src, 0, p->src->size, UINT64_MAX, sink, &u, err);
	return code ? code : gh_packed_rest(ctx, p->src, &u, "LZMA", err);
}

const struct gh_format gh_format_lzma = {
	.name = "lzma",
	.title = "LZMA file",
	.version = 1,
	.packing = true,
	.state_size = sizeof(struct gh_packed),
	.bid = lzma_bid,
	.open = gh_packed_open,
	.next = lzma_next,
	.data = gh_packed_data,
	.pour = lzma_pour,
};
