/* SPDX-License-Identifier: Apache-2.0 */
/* EROFS: content that is not compressed: plain, with an inline tail, in chunks. It maps straight into the image. */
#include "formats/erofs/erofs.h"

enum {
	NO_BLOCK = (int)0xffffffff,
	CHUNK_BITS = 0x1f,
	CHUNK_INDEXES = 0x20,
	CHUNK_KNOWN = 0x3f,
	CHUNK_BITS_MAX = 48, /* beyond, one chunk is larger than any image */
	CHUNK_PIECE = 512, /* table entries read at once */
};

enum gh_code erofs_flat(
	const struct erofs *fs, const struct erofs_inode *in, struct erofs_flat *ret, struct gh_err *err)
{
	uint64_t block = erofs_block(fs);
	*ret = (struct erofs_flat){.start = (uint64_t)in->u << fs->sb.bits, .body = in->size};
	if (in->layout == EROFS_INLINE) {
		ret->rest = in->size ? (in->size - 1) % block + 1 : 0;
		ret->body -= ret->rest;
		if (in->tail % block + ret->rest > block)
			return gh_fail(err, GH_BAD, in->tail, "inline data of inode %llu crosses its block",
				(unsigned long long)in->nid);
		if (!gh_within(in->tail, ret->rest, fs->src->size))
			return gh_fail(err, GH_SHORT, in->tail,
				"inline data of inode %llu lies behind the end of the image",
				(unsigned long long)in->nid);
	} else {
		ret->hole = in->u == (uint32_t)NO_BLOCK;
	}
	return ret->body && !ret->hole ? erofs_here(fs, in, 0, ret->start, ret->body, err) : GH_OK;
}

static struct gh_source *slice(struct gh_ctx *ctx, struct erofs *fs, uint64_t at, uint64_t n)
{
	return gh_source_slice(ctx->arena, fs->src, n ? at : 0, n);
}

static enum gh_code flat_data(
	struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, struct gh_source **ret, struct gh_err *err)
{
	struct erofs_flat flat;
	enum gh_code code = erofs_flat(fs, in, &flat, err);
	if (code)
		return code;
	if (flat.hole)
		return gh_source_map(ctx->arena, NULL, 0, in->size, ret, err);
	if (flat.body && flat.rest) {
		struct gh_extent *ext = gh_alloc_array(ctx->arena, 2, sizeof *ext);
		if (!ext)
			return gh_fail(err, GH_NOMEM, in->at, "no memory for a map");
		ext[0] = (struct gh_extent){.at = 0, .len = flat.body, .below = fs->src, .from = flat.start};
		ext[1] = (struct gh_extent){.at = flat.body, .len = flat.rest, .below = fs->src, .from = in->tail};
		return gh_source_map(ctx->arena, ext, 2, in->size, ret, err);
	}
	*ret = flat.rest ? slice(ctx, fs, in->tail, flat.rest) : slice(ctx, fs, flat.start, flat.body);
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, in->at, "no memory for a slice");
}

/* ---- chunks ---- */

struct chunks {
	uint64_t at; /* of the table */
	uint64_t n;
	unsigned bits; /* log2 of the size of a chunk */
	bool indexes; /* entries of 8 bytes, else of 4 */
};

static enum gh_code chunks_open(
	const struct erofs *fs, const struct erofs_inode *in, struct chunks *ret, struct gh_err *err)
{
	uint32_t format = in->u & 0xffff;
	ret->indexes = format & CHUNK_INDEXES;
	ret->bits = fs->sb.bits + (format & CHUNK_BITS);
	if (format & ~(uint32_t)CHUNK_KNOWN || ret->bits > CHUNK_BITS_MAX)
		return gh_fail(err, GH_UNSUP, in->at, "inode %llu has the unknown chunk format 0x%x",
			(unsigned long long)in->nid, format);
	uint64_t unit = ret->indexes ? 8 : 4;
	ret->n = in->size ? ((in->size - 1) >> ret->bits) + 1 : 0;
	ret->at = (in->tail + unit - 1) & ~(unit - 1);
	if (ret->n > fs->src->size / unit || !gh_within(ret->at, ret->n * unit, fs->src->size))
		return gh_fail(err, GH_SHORT, ret->at, "chunk table of inode %llu lies behind the end of the image",
			(unsigned long long)in->nid);
	return GH_OK;
}

/* Goes through the table and joins neighbours: counts the extents, or fills them in. */
struct chunk_pass {
	const struct chunks *t;
	struct erofs *fs;
	const struct erofs_inode *in;
	struct gh_extent *ext; /* NULL: count only */
	size_t n;
	struct gh_extent open; /* len 0: none */
	uint64_t bytes; /* that are no hole */
};

static void pass_close(struct chunk_pass *p)
{
	if (!p->open.len)
		return;
	if (p->ext)
		p->ext[p->n] = p->open;
	p->n++;
	p->open.len = 0;
}

static enum gh_code pass_chunk(struct chunk_pass *p, uint64_t i, uint32_t device, uint32_t block, struct gh_err *err)
{
	uint64_t at = i << p->t->bits, from = (uint64_t)block << p->fs->sb.bits;
	uint64_t len = gh_min((uint64_t)1 << p->t->bits, p->in->size - at);
	if (block == (uint32_t)NO_BLOCK)
		return GH_OK;
	enum gh_code code = erofs_here(p->fs, p->in, device, from, len, err);
	if (code)
		return code;
	p->bytes += len;
	if (p->open.len && p->open.at + p->open.len == at && p->open.from + p->open.len == from) {
		p->open.len += len;
		return GH_OK;
	}
	pass_close(p);
	p->open = (struct gh_extent){.at = at, .len = len, .below = p->fs->src, .from = from};
	return GH_OK;
}

static enum gh_code pass_run(struct chunk_pass *p, struct gh_err *err)
{
	uint8_t raw[CHUNK_PIECE * 8];
	uint64_t unit = p->t->indexes ? 8 : 4;
	p->n = 0;
	for (uint64_t i = 0; i < p->t->n;) {
		uint64_t k = gh_min(CHUNK_PIECE, p->t->n - i);
		enum gh_code code = erofs_meta_read(p->fs, p->t->at + i * unit, raw, (size_t)(k * unit), err);
		if (code)
			return code;
		struct gh_cursor c = gh_cursor(raw, (size_t)(k * unit), p->t->at + i * unit);
		for (uint64_t end = i + k; i < end; i++) {
			uint32_t device = 0;
			if (p->t->indexes) {
				gh_skip(&c, 2);
				device = gh_u16(&c);
			}
			if ((code = pass_chunk(p, i, device, gh_u32(&c), err)))
				return code;
		}
	}
	pass_close(p);
	return GH_OK;
}

static enum gh_code chunks_data(
	struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, struct gh_source **ret, struct gh_err *err)
{
	struct chunks t;
	enum gh_code code = chunks_open(fs, in, &t, err);
	if (code == GH_OK)
		code = gh_spend_steps(ctx->budget, t.n, in->at, err);
	struct chunk_pass p = {.t = &t, .fs = fs, .in = in};
	if (code == GH_OK)
		code = pass_run(&p, err);
	if (code)
		return code;
	size_t n = p.n;
	p.ext = gh_alloc_array(ctx->arena, n, sizeof *p.ext);
	if (!p.ext)
		return gh_fail(err, GH_NOMEM, in->at, "no memory for %zu extents", n);
	code = pass_run(&p, err);
	return code ? code : gh_source_map(ctx->arena, p.ext, n, in->size, ret, err);
}

/* Reads the whole table: what is no hole counts. */
static enum gh_code chunks_check(
	struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, uint64_t *ret_packed, struct gh_err *err)
{
	struct chunks t;
	enum gh_code code = chunks_open(fs, in, &t, err);
	if (code == GH_OK)
		code = gh_spend_steps(ctx->budget, t.n, in->at, err);
	struct chunk_pass p = {.t = &t, .fs = fs, .in = in};
	if (code == GH_OK)
		code = pass_run(&p, err);
	*ret_packed = p.bytes + (code ? 0 : t.n * (t.indexes ? 8 : 4)); /* holes stand in the table only */
	return code;
}

/* ---- both, and compressed ---- */

enum gh_code erofs_data_check(
	struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, uint64_t *ret_packed, struct gh_err *err)
{
	struct erofs_flat flat;
	enum gh_code code;
	switch (in->layout) {
	case EROFS_PLAIN:
	case EROFS_INLINE:
		code = erofs_flat(fs, in, &flat, err);
		*ret_packed = flat.hole ? 0 : in->size;
		return code;
	case EROFS_CHUNKS:
		return chunks_check(ctx, fs, in, ret_packed, err);
	default:
		return erofs_z_check(ctx, fs, in, ret_packed, err);
	}
}

enum gh_code erofs_data(
	struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, struct gh_source **ret, struct gh_err *err)
{
	switch (in->layout) {
	case EROFS_PLAIN:
	case EROFS_INLINE:
		return flat_data(ctx, fs, in, ret, err);
	case EROFS_CHUNKS:
		return chunks_data(ctx, fs, in, ret, err);
	default:
		return erofs_z_data(ctx, fs, in, ret, err);
	}
}
