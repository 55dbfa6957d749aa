/* SPDX-License-Identifier: Apache-2.0 */
/* Zstandard files (RFC 8878): one content, of one or more frames. */
#include "codecs/zstd/zstd.h"

#include "base/num.h"
#include "codecs/flow/packed.h"

enum {
	RATIO = 32 << 10, /* no block packs tighter: 128 KiB of one byte in four */
};

static const uint32_t MAGIC = 0xfd2fb528, MAGIC_SKIP = 0x184d2a50;

/* A skippable frame alone says nothing: what follows it does. */
static enum gh_bid zstd_bid(const struct gh_probe *probe)
{
	struct gh_cursor c = gh_cursor(probe->head, probe->head_len, 0);
	uint32_t magic = gh_u32(&c);
	if ((magic & ~15u) == MAGIC_SKIP) {
		gh_skip(&c, gh_u32(&c));
		magic = gh_u32(&c);
		return !c.bad && magic == MAGIC ? GH_BID_MAGIC : GH_BID_NO;
	}
	struct gh_zstd_frame f;
	if (c.bad || magic != MAGIC)
		return GH_BID_NO;
	return gh_zstd_frame(probe->head, probe->head_len, 0, &f, NULL) ? GH_BID_SHAPE : GH_BID_MAGIC;
}

/* Others may follow the first frame, so its size is a hint. */
static enum gh_code zstd_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct gh_packed *p = state;
	(void)ctx;
	uint8_t head[GH_ZSTD_HEADER_MAX];
	size_t n = (size_t)gh_min(sizeof head, p->src->size);
	struct gh_zstd_frame f;
	enum gh_code code = gh_read(p->src, 0, head, n, err);
	if (code)
		return code;
	bool told = gh_zstd_frame(head, n, 0, &f, NULL) == GH_OK && !f.skippable && f.sized;
	return gh_packed_next(p, told && f.size / RATIO <= p->src->size ? f.size : 0, ret);
}

static enum gh_code zstd_pour(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_sink *sink, struct gh_err *err)
{
	struct gh_packed *p = state;
	struct gh_unpacked u;
	(void)child;
	enum gh_code code = gh_zstd_pour(ctx, p->src, 0, p->src->size, UINT64_MAX, sink, &u, err);
	return code ? code : gh_packed_rest(ctx, p->src, &u, "zstd", err);
}

const struct gh_format gh_format_zstd = {
	.name = "zstd",
	.title = "Zstandard file",
	.version = 1,
	.packing = true,
	.state_size = sizeof(struct gh_packed),
	.bid = zstd_bid,
	.open = gh_packed_open,
	.next = zstd_next,
	.data = gh_packed_data,
	.pour = zstd_pour,
};
