/* SPDX-License-Identifier: Apache-2.0 */
/* EROFS: compressed content as a source: which packed extent holds an offset, and where its bytes lie. */
#include "formats/erofs/erofs_z.h"

enum {
	PACKED_MAX = 1 << 20, /* of one extent, packed: Z_EROFS_PCLUSTER_MAX_SIZE */
	UNPACKED_MAX = 12 << 20, /* and unpacked: Z_EROFS_PCLUSTER_MAX_DSIZE; the kernel refuses more */
	READ_AHEAD = 128 << 10, /* extents follow each other: small ones are fetched together */
	KEEP = 2, /* one extent that two windows share, one for probes elsewhere */
	KEEP_MANY = 64, /* of the packed inode, and… */
	KEEP_BYTES = 16 << 20, /* …so much of it */
};

static const uint64_t WHOLE_FRAGMENT = 1ull << 63; /* in the header: the whole file lies in the packed inode */

struct extent {
	uint64_t head; /* cluster */
	struct zentry e;
	uint64_t at, end; /* in the file */
	uint64_t from, len; /* packed, in the image */
};

/* The head of the extent that holds off. */
static enum gh_code extent_head(struct zfile *z, uint64_t off, struct extent *ret, struct gh_err *err)
{
	unsigned bits = z->fs->sb.bits;
	ret->head = off >> bits;
	enum gh_code code = erofs_zentry(z, ret->head, &ret->e, err);
	if (code || (ret->e.type != Z_NONHEAD && ret->e.ofs <= (off & (erofs_block(z->fs) - 1))))
		return code;
	/* Cluster 0 is always a head, so this ends there at the latest. */
	for (uint64_t steps = 0; code == GH_OK; steps++) {
		if (steps > (uint64_t)UNPACKED_MAX >> bits)
			return gh_fail(err, GH_LIMIT, z->index, "inode %llu: an extent larger than %d bytes",
				(unsigned long long)z->in.nid, UNPACKED_MAX);
		code = erofs_zentry(z, --ret->head, &ret->e, err);
		if (code == GH_OK && ret->e.type != Z_NONHEAD)
			break;
	}
	return code;
}

/* Its end: where the next begins, or the file ends. On the way all that lies between must point back into it, or the kernel,
 * which jumps by these distances, would read something else. */
static enum gh_code extent_end(struct zfile *z, struct extent *x, uint32_t *ret_blocks, struct gh_err *err)
{
	unsigned bits = z->fs->sb.bits;
	x->at = (x->head << bits) + x->e.ofs;
	*ret_blocks = 0;
	for (uint64_t i = x->head + 1; i < z->n; i++) {
		struct zentry e;
		enum gh_code code = erofs_zentry(z, i, &e, err);
		if (code)
			return code;
		if (e.type != Z_NONHEAD) {
			x->end = gh_min((i << bits) + e.ofs, z->in.size);
			return GH_OK;
		}
		if (e.back < 1 || e.back > i - x->head)
			return erofs_zbad(z, i, "points back past the head of its extent", err);
		if (e.blocks && i != x->head + 1)
			return erofs_zbad(z, i, "counts blocks in the middle of an extent", err);
		if (i == x->head + 1)
			*ret_blocks = e.blocks ? e.blocks : UINT32_MAX;
		if ((i << bits) - x->at > UNPACKED_MAX)
			break;
	}
	x->end = z->in.size;
	return GH_OK;
}

static enum gh_code extent_packed(struct zfile *z, struct extent *x, uint32_t blocks, struct gh_err *err)
{
	if (x->head == z->tail_head) {
		x->from = z->tail_at;
		x->len = z->tail_len;
		return GH_OK;
	}
	bool big = z->advise & (x->e.type == Z_HEAD1 ? ADVISE_BIG1 : ADVISE_BIG2);
	if (!big || blocks == 0)
		blocks = 1;
	if (blocks == UINT32_MAX)
		return erofs_zbad(z, x->head + 1, "does not count the blocks of its extent", err);
	x->from = (uint64_t)x->e.block << z->fs->sb.bits;
	x->len = (uint64_t)blocks << z->fs->sb.bits;
	if (x->len > PACKED_MAX)
		return gh_fail(err, GH_LIMIT, x->from, "inode %llu: a packed extent of %llu bytes",
			(unsigned long long)z->in.nid, (unsigned long long)x->len);
	return GH_OK;
}

static enum gh_code extent_find(struct zfile *z, uint64_t off, struct extent *ret, struct gh_err *err)
{
	uint32_t blocks;
	enum gh_code code = extent_head(z, off, ret, err);
	if (code == GH_OK)
		code = extent_end(z, ret, &blocks, err);
	if (code == GH_OK && ret->end - ret->at > UNPACKED_MAX)
		return gh_fail(err, GH_LIMIT, z->index, "inode %llu: an extent larger than %d bytes",
			(unsigned long long)z->in.nid, UNPACKED_MAX);
	return code ? code : extent_packed(z, ret, blocks, err);
}

/* ---- the source ---- */

static enum gh_code z_find(void *self, uint64_t off, struct gh_block *ret, struct gh_err *err)
{
	struct extent x;
	enum gh_code code = extent_find(self, off, &x, err);
	if (code)
		return code;
	ret->at = x.at;
	ret->len = (uint32_t)(x.end - x.at);
	ret->tag[TAG_FROM] = x.from;
	ret->tag[TAG_LEN] = x.len;
	ret->tag[TAG_HOW] = (uint64_t)x.e.type | (x.e.partial ? HOW_PARTIAL : 0);
	return GH_OK;
}

/* ---- opening ---- */

static enum gh_code z_refuse(
	const struct zfile *z, uint64_t at, enum gh_code code, const char *what, struct gh_err *err)
{
	return gh_fail(err, code, at, "inode %llu is compressed with %s", (unsigned long long)z->in.nid, what);
}

static enum gh_code z_header(struct zfile *z, struct gh_err *err)
{
	uint64_t at = (z->in.tail + 7) & ~7ull;
	uint8_t raw[8];
	enum gh_code code = erofs_meta_read(z->fs, at, raw, sizeof raw, err);
	if (code)
		return code;
	z->index = at + 8 + (z->in.layout == EROFS_Z_FULL ? 8 : 0);
	uint32_t later = EROFS_BIG_PCLUSTER | EROFS_ZTAILPACKING | EROFS_FRAGMENTS;
	if (z->in.layout == EROFS_Z_FULL && !(z->fs->sb.incompat & later))
		return GH_OK; /* the first kernels knew no header: what stands there means nothing */
	struct gh_cursor c = gh_cursor(raw, sizeof raw, at);
	uint64_t all = gh_u64(&c);
	if (all & WHOLE_FRAGMENT) {
		z->n = 0;
		z->fragment_at = 0;
		z->fragment = all & ~WHOLE_FRAGMENT;
		return GH_OK;
	}
	z->advise = all >> 32 & 0xffff;
	z->algorithm[0] = all >> 48 & 15;
	z->algorithm[1] = all >> 52 & 15;
	z->tail_len = z->advise & ADVISE_INLINE && !(z->advise & ADVISE_FRAGMENT) ? all >> 16 & 0xffff : 0;
	z->fragment = z->advise & ADVISE_FRAGMENT ? all & 0xffffffff : 0;
	if (z->in.layout == EROFS_Z_FULL && z->advise & ADVISE_EXTENTS)
		return z_refuse(z, at, GH_UNSUP, "an index of extents", err);
	if (all >> 56 & 15)
		return z_refuse(z, at, GH_UNSUP, "clusters larger than a block", err);
	const char *what = erofs_zrefused(&z->fs->sb, z->algorithm[0], &code);
	return what ? z_refuse(z, at, code, what, err) : GH_OK;
}

/* The last extent, where that lies behind the index or in the packed inode. */
static enum gh_code z_tail(struct zfile *z, struct gh_err *err)
{
	uint64_t size = z->in.size;
	struct extent last;
	if (!(z->tail_len || z->advise & ADVISE_FRAGMENT) || !z->n)
		return GH_OK;
	enum gh_code code = extent_head(z, size - 1, &last, err);
	if (code)
		return code;
	z->tail_head = last.head;
	if (z->tail_len) {
		if (z->tail_at % erofs_block(z->fs) + z->tail_len > erofs_block(z->fs))
			return erofs_zbad(z, z->n - 1, "inline extent crosses its block", err);
		return GH_OK;
	}
	z->fragment_at = (last.head << z->fs->sb.bits) + last.e.ofs;
	if (z->in.layout == EROFS_Z_FULL)
		z->fragment |= (uint64_t)last.e.block << 32;
	return GH_OK;
}

/* Is the rest of the file in the packed inode? */
static enum gh_code z_fragment(const struct zfile *z, struct gh_err *err)
{
	const struct erofs *fs = z->fs;
	unsigned long long nid = z->in.nid;
	uint64_t n = z->in.size - z->fragment_at;
	if (!n)
		return GH_OK;
	if (z->in.nid == fs->sb.packed)
		return gh_fail(err, GH_BAD, z->in.at, "the packed inode is in fragments itself");
	if (!fs->packed && fs->packed_err.code)
		return gh_fail(err, fs->packed_err.code, fs->packed_err.at, "inode %llu needs the packed inode: %.80s",
			nid, fs->packed_err.what);
	if (!fs->packed)
		return gh_fail(err, GH_BAD, z->in.at, "inode %llu needs a packed inode, there is none", nid);
	if (!gh_within(z->fragment, n, fs->packed->size))
		return gh_fail(err, GH_BAD, z->in.at, "%llu bytes of inode %llu would lie at %llu of the packed inode",
			(unsigned long long)n, nid, (unsigned long long)z->fragment);
	return GH_OK;
}

static enum gh_code z_open(
	struct gh_ctx *ctx, struct zfile *z, struct erofs *fs, const struct erofs_inode *in, struct gh_err *err)
{
	*z = (struct zfile){.ctx = ctx,
		.fs = fs,
		.in = *in,
		.tail_head = UINT64_MAX,
		.pack_at = UINT64_MAX,
		.fragment_at = in->size};
	z->n = in->size ? ((in->size - 1) >> fs->sb.bits) + 1 : 0;
	enum gh_code code = z_header(z, err);
	if (code == GH_OK && z->n)
		code = erofs_zindex(z, &z->tail_at, err);
	if (code == GH_OK)
		code = z_tail(z, err);
	return code ? code : z_fragment(z, err);
}

/* Packed bytes by the index: the inode's own count is no more than a statement, and leaves out what is shared. */
static uint64_t z_packed_size(struct zfile *z)
{
	uint64_t blocks = 0, tail = 0;
	for (uint64_t i = 0; i < z->n; i++) {
		struct zentry e;
		struct gh_err later;
		if (erofs_zentry(z, i, &e, &later))
			continue;
		if (e.type == Z_NONHEAD)
			blocks += e.blocks ? e.blocks - 1 : 0;
		else if ((i << z->fs->sb.bits) + e.ofs < z->fragment_at)
			blocks++; /* else it only marks the end, or where the fragment begins */
	}
	if (z->tail_len && blocks) {
		blocks--;
		tail = z->tail_len;
	}
	/* A fragment has its share of what the packed inode occupies. */
	uint64_t n = z->in.size - z->fragment_at, part = 0;
	if (n && gh_mul(n, z->fs->packed_size, &part))
		part = part / z->fs->packed->size + 1;
	else if (n)
		part = z->fs->packed_size;
	return gh_min(blocks << z->fs->sb.bits, z->fs->src->size) + tail + part;
}

enum gh_code erofs_z_check(
	struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, uint64_t *ret_packed, struct gh_err *err)
{
	struct zfile z;
	enum gh_code code = z_open(ctx, &z, fs, in, err);
	if (code == GH_OK)
		code = gh_spend_steps(ctx->budget, z.n, z.index, err);
	if (code == GH_OK)
		*ret_packed = z_packed_size(&z);
	return code;
}

/* The largest extent, so that no more memory is kept than needed. A damaged index is told when its place is read. */
static enum gh_code z_largest(struct gh_ctx *ctx, struct zfile *z, uint32_t *ret, struct gh_err *err)
{
	enum gh_code code = gh_spend_steps(ctx->budget, z->n, z->index, err);
	uint64_t largest = 1, head = 0;
	for (uint64_t i = 0; code == GH_OK && i < z->n; i++) {
		struct zentry e;
		struct gh_err later;
		if (erofs_zentry(z, i, &e, &later) || e.type == Z_NONHEAD)
			continue;
		uint64_t at = (i << z->fs->sb.bits) + e.ofs;
		if (at >= z->fragment_at)
			break;
		largest = gh_max(largest, at - head);
		head = at;
	}
	if (z->fragment_at > head)
		largest = gh_max(largest, z->fragment_at - head);
	*ret = (uint32_t)gh_min(largest, UNPACKED_MAX);
	return code;
}

/* The part that is not in the packed inode. */
static enum gh_code z_body(struct gh_ctx *ctx, struct zfile *z, struct gh_source **ret, struct gh_err *err)
{
	static const struct gh_blocks_ops ops = {z_find, erofs_zunpack};
	struct erofs *fs = z->fs;
	uint32_t max;
	enum gh_code code = z_largest(ctx, z, &max, err);
	if (code)
		return code;
	if (!fs->src->ops->view) { /* else the extents are taken where they lie */
		z->ahead_max = (size_t)gh_min(READ_AHEAD, (uint64_t)z->in.u << fs->sb.bits);
		z->ahead = gh_alloc_raw(ctx->arena, z->ahead_max);
		if (!z->ahead)
			return gh_fail(err, GH_NOMEM, z->in.at, "no memory to read a compressed file");
	}
	/* Fragments of many files are read from the packed inode in any order. */
	unsigned keep = z->in.nid == fs->sb.packed ? (unsigned)gh_max(KEEP, gh_min(KEEP_MANY, KEEP_BYTES / max)) : KEEP;
	*ret = gh_source_blocks(ctx->arena, &ops, z, z->fragment_at, max, keep);
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, z->in.at, "no memory for blocks of %u bytes", max);
}

enum gh_code erofs_z_data(
	struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, struct gh_source **ret, struct gh_err *err)
{
	struct zfile *z = gh_alloc(ctx->arena, sizeof *z);
	if (!z)
		return gh_fail(err, GH_NOMEM, in->at, "no memory for a compressed file");
	enum gh_code code = z_open(ctx, z, fs, in, err);
	if (code)
		return code;
	uint64_t n = in->size - z->fragment_at;
	if (!n)
		return z_body(ctx, z, ret, err);
	struct gh_source *body = NULL;
	if (!z->fragment_at) {
		*ret = gh_source_slice(ctx->arena, fs->packed, z->fragment, n);
		return *ret ? GH_OK : gh_fail(err, GH_NOMEM, in->at, "no memory for a slice");
	}
	if ((code = z_body(ctx, z, &body, err)))
		return code;
	struct gh_extent *ext = gh_alloc_array(ctx->arena, 2, sizeof *ext);
	if (!ext)
		return gh_fail(err, GH_NOMEM, in->at, "no memory for a map");
	ext[0] = (struct gh_extent){.at = 0, .len = z->fragment_at, .below = body, .from = 0};
	ext[1] = (struct gh_extent){.at = z->fragment_at, .len = n, .below = fs->packed, .from = z->fragment};
	return gh_source_map(ctx->arena, ext, 2, in->size, ret, err);
}
