/* SPDX-License-Identifier: Apache-2.0 */
/* LZ4 files: frames, and the legacy format of ramdisks and kernels (lz4_Frame_format.md of the LZ4 project). */
#include "base/num.h"
#include "formats/lz4/lz4_stream.h"

struct lz4 {
	struct gh_source *src;
	bool listed;
};

static enum gh_bid lz4_bid(const struct gh_probe *probe)
{
	struct gh_cursor c = gh_cursor(probe->head, probe->head_len, 0);
	uint32_t magic = gh_u32(&c), n = gh_u32(&c);
	struct lz4_frame f;
	if (magic == LZ4_MAGIC_LEGACY)
		return n && n <= LZ4_LEGACY_PACKED_MAX ? GH_BID_MAGIC : GH_BID_SHAPE;
	if (magic != LZ4_MAGIC_FRAME)
		return GH_BID_NO;
	if (lz4_frame_header(probe->head, probe->head_len, 0, &f, NULL))
		return GH_BID_SHAPE;
	return f.checked ? GH_BID_PROVEN : GH_BID_MAGIC;
}

static enum gh_code lz4_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	(void)ctx, (void)err;
	((struct lz4 *)state)->src = src;
	return GH_OK;
}

/* A frame may tell its size; others of the same file may follow, so it is a hint. */
static enum gh_code size_hint(struct lz4 *l, uint64_t *ret, struct gh_err *err)
{
	uint8_t head[LZ4_FRAME_HEADER_MAX];
	size_t n = gh_min(sizeof head, l->src->size);
	enum gh_code code = gh_read(l->src, 0, head, n, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(head, n, 0);
	struct lz4_frame f;
	bool sized = gh_u32(&c) == LZ4_MAGIC_FRAME && !lz4_frame_header(head, n, 0, &f, NULL) && f.sized;
	/* LZ4 packs a byte at most 255 times: a larger word is no truth. */
	if (sized && f.content_size / 255 <= l->src->size)
		*ret = f.content_size;
	else if (!gh_mul(l->src->size, 3, ret))
		*ret = l->src->size;
	return GH_OK;
}

static enum gh_code lz4_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct lz4 *l = state;
	(void)ctx;
	if (l->listed)
		return GH_END;
	l->listed = true;
	*ret = (struct gh_child){.kind = GH_MEMBER,
		.flags = GH_CHILD_STREAM | GH_CHILD_SIZE_HINT,
		.name = GH_STR("content"),
		.csize = l->src->size};
	return size_hint(l, &ret->size, err);
}

static enum gh_code lz4_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	(void)ctx, (void)state, (void)ret;
	return gh_fail(err, GH_UNSUP, child->off, "an LZ4 stream has no place to read at");
}

static enum gh_code lz4_pour(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_sink *sink, struct gh_err *err)
{
	(void)child;
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	enum gh_code code = lz4_streams(ctx, ((struct lz4 *)state)->src, sink, err);
	gh_arena_release(ctx->arena, mark);
	return code;
}

const struct gh_format gh_format_lz4 = {
	.name = "lz4",
	.title = "LZ4 file",
	.version = 1,
	.packing = true,
	.state_size = sizeof(struct lz4),
	.bid = lz4_bid,
	.open = lz4_open,
	.next = lz4_next,
	.data = lz4_data,
	.pour = lz4_pour,
};
