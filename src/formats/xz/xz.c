/* SPDX-License-Identifier: Apache-2.0 */
/* xz files (xz-file-format.txt 1.1.0): one content, of one or more streams of blocks. Where an index tells the blocks of a large content,
 * it is read at any place, by several workers at once; else it is unpacked in order. */
#include "codecs/xz/xz.h"

#include "base/num.h"
#include "codecs/deflate/deflate.h"
#include "codecs/flow/packed.h"
#include "formats/xz/xz_index.h"

enum {
	HEADER = 12,
	/* Unpacked blocks that are held: xz cuts at 24 MiB with -6 and 48 with -7. Larger ones are unpacked in order. */
	BLOCK_MAX = 48 << 20,
	KEEP_TWO = 24 << 20, /* up to this size two of them */
	RATIO = 32, /* what is packed tighter is mostly holes, and unpacked in order */
	RATIO_MAX = 8192, /* no stream packs tighter */
};

struct xz {
	struct gh_packed packed; /* first: gh_packed_next() */
	struct xz_index index;
	bool indexed;
	bool random; /* served by data() */
};

static enum gh_bid xz_bid(const struct gh_probe *probe)
{
	static const uint8_t magic[6] = {0xfd, '7', 'z', 'X', 'Z', 0};
	struct gh_cursor c = gh_cursor(probe->head, probe->head_len, 0);
	const uint8_t *p = gh_bytes(&c, 8);
	uint32_t crc = gh_u32(&c);
	if (c.bad || memcmp(p, magic, sizeof magic) != 0)
		return GH_BID_NO;
	return crc == gh_crc32(0, p + 6, 2) ? GH_BID_PROVEN : GH_BID_SHAPE;
}

/* None, CRC-32, CRC-64, SHA-256: others cannot be verified, which only pour() tells. */
static bool checks_known(const struct xz_index *x)
{
	for (uint64_t i = 0; i < x->n; i++)
		if (x->blocks[i].check > 1 && x->blocks[i].check != 4 && x->blocks[i].check != 10)
			return false;
	return true;
}

/* Small contents are held whole anyway; from a damaged one more is had in order. */
static bool at_random(const struct xz_index *x, uint64_t packed)
{
	return x->n > 1 && checks_known(x) && x->size > GH_WHOLE_MAX && x->largest <= BLOCK_MAX &&
	       x->size / RATIO <= packed;
}

static enum gh_code xz_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct xz *x = state;
	x->packed.src = src;
	enum gh_code code = xz_index_read(ctx, src, &x->index, err);
	x->indexed = code == GH_OK;
	x->random = x->indexed && at_random(&x->index, src->size);
	/* Without an index that can be read the content is still there, in order. */
	return code == GH_IO || code == GH_NOMEM ? code : GH_OK;
}

static enum gh_code xz_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct xz *x = state;
	(void)ctx, (void)err;
	bool told = x->indexed && x->index.size / RATIO_MAX <= x->packed.src->size;
	enum gh_code code = gh_packed_next(&x->packed, told ? x->index.size : 0, ret);
	if (code == GH_OK && x->random)
		ret->flags = 0;
	return code;
}

static enum gh_code xz_pour(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_sink *sink, struct gh_err *err)
{
	struct gh_source *src = ((struct xz *)state)->packed.src;
	struct gh_unpacked u;
	(void)child;
	enum gh_code code = gh_xz_pour(ctx, src, 0, src->size, UINT64_MAX, sink, &u, err);
	return code ? code : gh_packed_rest(ctx, src, &u, "xz", err);
}

/* ---- at random ---- */

/* Outlives the call that makes it, and so keeps nothing of its ctx but the arena. */
struct reader {
	struct gh_arena *arena;
	struct xz *x;
};

static uint64_t reader_emit(struct gh_ctx *ctx, enum gh_table table, uint64_t at, const void *row)
{
	(void)ctx, (void)table, (void)at, (void)row;
	return 0;
}

static void reader_note(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *what)
{
	(void)ctx, (void)code, (void)at, (void)what;
}

/* The last block that begins at or before off; empty ones never hold it. */
static enum gh_code reader_find(void *self, uint64_t off, struct gh_block *ret, struct gh_err *err)
{
	const struct xz_index *x = &((struct reader *)self)->x->index;
	uint64_t lo = 0, hi = x->n;
	while (hi - lo > 1) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (x->blocks[mid].at <= off)
			lo = mid;
		else
			hi = mid;
	}
	const struct xz_block *b = &x->blocks[lo];
	if (off - b->at >= b->size)
		return gh_fail(err, GH_BAD, b->from, "no xz block holds byte %llu", (unsigned long long)off);
	*ret = (struct gh_block){b->at, (uint32_t)b->size, {b->from, b->packed, b->check}};
	return GH_OK;
}

static enum gh_code reader_unpack(void *self, const struct gh_block *block, uint8_t *out, struct gh_err *err)
{
	struct reader *r = self;
	struct gh_sink sink = {.buf = out, .cap = block->len};
	struct gh_unpacked u;
	static const struct gh_ctx_ops quiet = {reader_emit, reader_note};
	struct gh_budget budget = {block->len, 1 << 10, NULL};
	struct gh_ctx ctx = {r->arena, &budget, &quiet};
	enum gh_code code = gh_xz_block(
		&ctx, r->x->packed.src, block->tag[0], block->tag[1], (unsigned)block->tag[2], &sink, &u, err);
	if (code == GH_OK && (sink.len != block->len || u.in != block->tag[1]))
		code = gh_fail(err, GH_BAD, block->tag[0], "an xz block gives %zu bytes, %u are declared", sink.len,
			block->len);
	return code;
}

static enum gh_code xz_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	static const struct gh_blocks_ops ops = {reader_find, reader_unpack};
	struct xz *x = state;
	if (!x->random)
		return gh_packed_data(ctx, state, child, ret, err);
	struct reader *r = gh_alloc(ctx->arena, sizeof *r);
	uint32_t max = (uint32_t)x->index.largest;
	if (r) {
		*r = (struct reader){ctx->arena, x};
		*ret = gh_source_blocks(ctx->arena, &ops, r, x->index.size, max, max <= KEEP_TWO ? 2 : 1);
	}
	return r && *ret ? GH_OK : gh_fail(err, GH_NOMEM, 0, "no memory for xz blocks of %u bytes", max);
}

const struct gh_format gh_format_xz = {
	.name = "xz",
	.title = "xz file",
	.version = 1,
	.packing = true,
	.state_size = sizeof(struct xz),
	.bid = xz_bid,
	.open = xz_open,
	.next = xz_next,
	.data = xz_data,
	.pour = xz_pour,
};
