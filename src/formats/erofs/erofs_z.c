/* SPDX-License-Identifier: Apache-2.0 */
/* EROFS: compressed content. A file is cut into logical clusters of one block. An index says of each whether a packed extent (a
 * "pcluster") begins in it, and where, or how far back one did. The index has 8 bytes a cluster (full) or 4 or 2 (compact:
 * struct z_erofs_map_header, struct z_erofs_lcluster_index and the packing described in fs/erofs/zmap.c's layout). */
#include "codecs/lz4/lz4.h"
#include "formats/erofs/erofs.h"

enum {
	PACKED_MAX = 1 << 20, /* of one extent, packed: Z_EROFS_PCLUSTER_MAX_SIZE */
	UNPACKED_MAX = 12 << 20, /* and unpacked: Z_EROFS_PCLUSTER_MAX_DSIZE; the kernel refuses more */
	READ_AHEAD = 128 << 10, /* extents follow each other: small ones are fetched together */
	KEEP = 2, /* one extent that two windows share, one for probes elsewhere */
	COMPACT_BITS_2B = 12, /* an offset in a pack of 2-byte entries has so many bits */
	COMPACT_BITS_4B = 14,
	CBLKCNT = 1 << 11, /* in a distance: it is the extent's count of blocks instead */
	ALGORITHM_LZ4 = 0,
};

enum { /* h_advise */
	ADVISE_2B = 0x01, /* compact */
	ADVISE_EXTENTS = 0x01, /* full */
	ADVISE_BIG1 = 0x02,
	ADVISE_BIG2 = 0x04,
	ADVISE_INLINE = 0x08,
	ADVISE_INTERLACED = 0x10,
	ADVISE_FRAGMENT = 0x20,
};

enum ztype { Z_PLAIN, Z_HEAD1, Z_NONHEAD, Z_HEAD2 };

enum { PARTIAL_REF = 0x8000 }; /* in a full index */

struct zfile {
	struct erofs *fs;
	struct gh_arena *arena;
	struct erofs_inode in;
	uint16_t advise;
	uint8_t algorithm[2];
	uint16_t tail_len; /* of the last extent, when it lies behind the index */
	uint64_t tail_at;
	uint64_t tail_head; /* cluster in which that extent begins; UINT64_MAX: none */
	uint64_t index; /* offset */
	uint64_t n; /* clusters */
	uint64_t n4, n2; /* compact: entries of 4 bytes before, and of 2 bytes; the rest has 4 again */
	uint8_t pack[32]; /* compact: the pack at hand */
	uint64_t pack_at;
	uint8_t *ahead; /* NULL: read each extent by itself */
	size_t ahead_max;
	uint64_t ahead_at;
	size_t ahead_len;
};

/* A cluster's index entry. */
struct zentry {
	enum ztype type;
	bool partial;
	uint32_t ofs; /* HEAD, PLAIN: where in the cluster the extent begins */
	uint32_t block; /* HEAD, PLAIN: where its packed bytes begin */
	uint32_t back; /* NONHEAD: clusters back to the head, or nearer to it */
	uint32_t blocks; /* NONHEAD right behind a head: packed blocks of the extent; 0: not said here */
};

static enum gh_code bad_index(const struct zfile *z, uint64_t cluster, const char *what, struct gh_err *err)
{
	return gh_fail(err, GH_BAD, z->index, "inode %llu, cluster %llu: %s", (unsigned long long)z->in.nid,
		(unsigned long long)cluster, what);
}

/* ---- full indexes ---- */

static enum gh_code full_entry(struct zfile *z, uint64_t i, struct zentry *ret, struct gh_err *err)
{
	uint8_t raw[8];
	enum gh_code code = erofs_meta_read(z->fs, z->index + 8 * i, raw, sizeof raw, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, sizeof raw, z->index + 8 * i);
	uint16_t advise = gh_u16(&c), ofs = gh_u16(&c);
	*ret = (struct zentry){.type = advise & 3};
	if (ret->type != Z_NONHEAD) {
		ret->partial = advise & PARTIAL_REF;
		ret->ofs = ofs;
		ret->block = gh_u32(&c);
		return GH_OK;
	}
	ret->back = gh_u16(&c);
	if (ret->back & CBLKCNT) {
		ret->blocks = ret->back & ~(uint32_t)CBLKCNT;
		ret->back = 1;
		if (!(z->advise & (ADVISE_BIG1 | ADVISE_BIG2)))
			return bad_index(z, i, "counts blocks in a file without big extents", err);
	}
	return GH_OK;
}

/* ---- compact indexes ---- */

/* A pack: `count` entries of `bits` bits (low: an offset or distance, then 2 bits of type) and a 32-bit block number. */
struct zpack {
	unsigned count, bits, low;
	unsigned i; /* the entry asked for */
	size_t bytes;
};

static uint64_t pack_place(const struct zfile *z, uint64_t i, struct zpack *ret)
{
	uint64_t at = z->index;
	unsigned shift = 2;
	if (i >= z->n4) {
		at += 4 * z->n4;
		i -= z->n4;
		if (i < z->n2) {
			shift = 1;
		} else {
			at += 2 * z->n2;
			i -= z->n2;
		}
	}
	at += i << shift;
	unsigned low = z->fs->sb.bits > COMPACT_BITS_2B ? z->fs->sb.bits : COMPACT_BITS_2B;
	*ret = (struct zpack){.count = shift == 1 ? 16 : 2, .low = low};
	ret->bytes = (size_t)ret->count << shift;
	ret->bits = (unsigned)(ret->bytes - 4) * 8 / ret->count;
	ret->i = (unsigned)(at % ret->bytes) >> shift;
	return at - at % ret->bytes;
}

static uint32_t pack_bits(const struct zfile *z, const struct zpack *k, unsigned i, enum ztype *type)
{
	unsigned pos = k->bits * i;
	/* At most 7 + 16 bits are needed; the block number behind the entries keeps four bytes readable. */
	struct gh_cursor c = gh_cursor(z->pack + pos / 8, 4, 0);
	uint32_t v = gh_u32(&c) >> (pos & 7);
	*type = v >> k->low & 3;
	return v & ((1u << k->low) - 1);
}

/* Packed blocks of the extents that begin before entry k->i of the pack; UINT32_MAX: contradiction. */
static uint32_t pack_blocks_before(const struct zfile *z, const struct zpack *k)
{
	bool big = z->advise & ADVISE_BIG1;
	int i = (int)k->i;
	uint32_t n = big ? 0 : 1;
	while (i > 0) {
		enum ztype type;
		uint32_t lo = pack_bits(z, k, (unsigned)--i, &type);
		if (type != Z_NONHEAD) {
			n++;
		} else if (!big) {
			i -= (int)lo;
			n += i >= 0;
		} else if (lo & CBLKCNT) {
			i--;
			n += lo & ~(uint32_t)CBLKCNT;
		} else if (lo <= 1) {
			return UINT32_MAX;
		} else {
			i -= (int)lo - 2;
		}
	}
	return n;
}

static uint32_t pack_back(const struct zfile *z, const struct zpack *k)
{
	enum ztype type;
	uint32_t lo = pack_bits(z, k, k->i, &type);
	if (k->i + 1 < k->count)
		return lo;
	/* The last entry of a pack holds the distance forward: the one back follows from its neighbour. */
	lo = pack_bits(z, k, k->i - 1, &type);
	if (type != Z_NONHEAD)
		return 1;
	return lo & CBLKCNT ? 2 : lo + 1;
}

static enum gh_code compact_entry(struct zfile *z, uint64_t i, struct zentry *ret, struct gh_err *err)
{
	struct zpack k;
	uint64_t at = pack_place(z, i, &k);
	if (z->pack_at != at) {
		z->pack_at = UINT64_MAX;
		enum gh_code code = erofs_meta_read(z->fs, at, z->pack, k.bytes, err);
		if (code)
			return code;
		z->pack_at = at;
	}
	*ret = (struct zentry){0};
	uint32_t lo = pack_bits(z, &k, k.i, &ret->type);
	if (ret->type == Z_NONHEAD && lo & CBLKCNT) {
		if (!(z->advise & ADVISE_BIG1))
			return bad_index(z, i, "counts blocks in a file without big extents", err);
		ret->back = 1;
		ret->blocks = lo & ~(uint32_t)CBLKCNT;
		return GH_OK;
	}
	if (ret->type == Z_NONHEAD) {
		ret->back = pack_back(z, &k);
		return GH_OK;
	}
	uint32_t before = pack_blocks_before(z, &k);
	if (before == UINT32_MAX)
		return bad_index(z, i, "pack of the index contradicts itself", err);
	struct gh_cursor c = gh_cursor(z->pack + k.bytes - 4, 4, at);
	ret->ofs = lo;
	ret->block = gh_u32(&c) + before;
	return GH_OK;
}

/* ---- extents ---- */

static enum gh_code entry_at(struct zfile *z, uint64_t i, struct zentry *ret, struct gh_err *err)
{
	enum gh_code code = z->in.layout == EROFS_Z_FULL ? full_entry(z, i, ret, err) : compact_entry(z, i, ret, err);
	if (code)
		return code;
	if (ret->type != Z_NONHEAD && ret->ofs >= erofs_block(z->fs))
		return bad_index(z, i, "extent begins outside its cluster", err);
	if (i == 0 && (ret->type == Z_NONHEAD || ret->ofs))
		return bad_index(z, i, "no extent begins with the file", err);
	return GH_OK;
}

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
	enum gh_code code = entry_at(z, ret->head, &ret->e, err);
	if (code || (ret->e.type != Z_NONHEAD && ret->e.ofs <= (off & (erofs_block(z->fs) - 1))))
		return code;
	/* Cluster 0 is always a head, so this ends there at the latest. */
	for (uint64_t steps = 0; code == GH_OK; steps++) {
		if (steps > (uint64_t)UNPACKED_MAX >> bits)
			return gh_fail(err, GH_LIMIT, z->index, "inode %llu: an extent larger than %d bytes",
				(unsigned long long)z->in.nid, UNPACKED_MAX);
		code = entry_at(z, --ret->head, &ret->e, err);
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
		enum gh_code code = entry_at(z, i, &e, err);
		if (code)
			return code;
		if (e.type != Z_NONHEAD) {
			x->end = gh_min((i << bits) + e.ofs, z->in.size);
			return GH_OK;
		}
		if (e.back < 1 || e.back > i - x->head)
			return bad_index(z, i, "points back past the head of its extent", err);
		if (e.blocks && i != x->head + 1)
			return bad_index(z, i, "counts blocks in the middle of an extent", err);
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
		return bad_index(z, x->head + 1, "does not count the blocks of its extent", err);
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

enum { TAG_FROM, TAG_LEN, TAG_HOW };
enum { HOW_TYPE = 3, HOW_PARTIAL = 4 };

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

static enum gh_code z_packed(struct zfile *z, uint64_t from, size_t len, const uint8_t **ret, struct gh_err *err)
{
	struct gh_source *src = z->fs->src;
	if (!gh_within(from, len, src->size))
		return gh_fail(err, GH_SHORT, from, "content of inode %llu lies behind the end of the image",
			(unsigned long long)z->in.nid);
	if (len > z->ahead_max)
		return gh_view(src, z->arena, from, len, ret, err);
	if (from < z->ahead_at || !gh_within(from - z->ahead_at, len, z->ahead_len)) {
		size_t n = (size_t)gh_min(z->ahead_max, src->size - from);
		z->ahead_len = 0;
		enum gh_code code = gh_read(src, from, z->ahead, n, err);
		if (code)
			return code;
		z->ahead_at = from;
		z->ahead_len = n;
	}
	*ret = z->ahead + (from - z->ahead_at);
	return GH_OK;
}

static enum gh_code z_unpack_lz4(
	struct zfile *z, const struct gh_block *b, const uint8_t *p, uint8_t *out, struct gh_err *err)
{
	size_t n = b->tag[TAG_LEN], zeros = 0;
	bool padded = z->fs->sb.incompat & EROFS_0PADDING;
	/* A block cannot begin with zero, so that zeros before it tell its length. */
	while (padded && zeros < n && zeros < erofs_block(z->fs) && !p[zeros])
		zeros++;
	if (zeros == n)
		return gh_fail(err, GH_BAD, b->tag[TAG_FROM], "packed extent of inode %llu is empty",
			(unsigned long long)z->in.nid);
	bool partial = !padded || b->tag[TAG_HOW] & HOW_PARTIAL;
	return gh_lz4_block(p + zeros, n - zeros, out, b->len, partial, b->tag[TAG_FROM], err);
}

static enum gh_code z_unpack(void *self, const struct gh_block *b, uint8_t *out, struct gh_err *err)
{
	struct zfile *z = self;
	enum ztype type = b->tag[TAG_HOW] & HOW_TYPE;
	if (type == Z_PLAIN) {
		if (b->len > b->tag[TAG_LEN])
			return gh_fail(err, GH_BAD, b->tag[TAG_FROM],
				"stored extent of inode %llu is shorter than declared", (unsigned long long)z->in.nid);
	} else if (z->algorithm[type == Z_HEAD2] != ALGORITHM_LZ4) {
		return gh_fail(err, GH_UNSUP, b->tag[TAG_FROM], "inode %llu uses compression algorithm %u",
			(unsigned long long)z->in.nid, z->algorithm[type == Z_HEAD2]);
	}
	const uint8_t *p;
	struct gh_mark mark = gh_arena_mark(z->arena);
	enum gh_code code = z_packed(z, b->tag[TAG_FROM], b->tag[TAG_LEN], &p, err);
	if (code == GH_OK && type == Z_PLAIN)
		memcpy(out, p, b->len);
	else if (code == GH_OK)
		code = z_unpack_lz4(z, b, p, out, err);
	gh_arena_release(z->arena, mark);
	return code;
}

/* ---- opening ---- */

static const char *z_refused(const struct zfile *z, bool whole_in_packed)
{
	static const char *const algorithm[] = {"LZ4", "LZMA", "DEFLATE", "zstd"};
	if (whole_in_packed || z->advise & ADVISE_FRAGMENT)
		return "fragments";
	if (z->in.layout == EROFS_Z_FULL && z->advise & ADVISE_EXTENTS)
		return "an index of extents";
	if (z->advise & ADVISE_INTERLACED)
		return "interlaced extents";
	if (z->algorithm[0] != ALGORITHM_LZ4)
		return z->algorithm[0] < GH_COUNT(algorithm) ? algorithm[z->algorithm[0]] : "an unknown compression";
	return NULL;
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
	gh_skip(&c, 2);
	uint16_t tail_len = gh_u16(&c);
	z->advise = gh_u16(&c);
	uint8_t algorithms = gh_u8(&c), bits = gh_u8(&c);
	z->algorithm[0] = algorithms & 15;
	z->algorithm[1] = algorithms >> 4;
	if (z->advise & ADVISE_INLINE)
		z->tail_len = tail_len;
	const char *what = z_refused(z, bits & 0x80);
	if (!what && bits & 15)
		what = "clusters larger than a block";
	if (what)
		return gh_fail(
			err, GH_UNSUP, at, "inode %llu is compressed with %s", (unsigned long long)z->in.nid, what);
	return GH_OK;
}

/* How many entries of which size a compact index has. */
static enum gh_code z_compact(struct zfile *z, struct gh_err *err)
{
	bool big1 = z->advise & ADVISE_BIG1, big2 = z->advise & ADVISE_BIG2;
	if (big1 != big2)
		return bad_index(z, 0, "big extents for one of two kinds only", err);
	unsigned most = z->advise & ADVISE_2B ? COMPACT_BITS_2B : COMPACT_BITS_4B;
	if (z->fs->sb.bits > most)
		return gh_fail(err, GH_UNSUP, z->index, "inode %llu: a compact index of blocks of 2^%u bytes",
			(unsigned long long)z->in.nid, z->fs->sb.bits);
	/* 2-byte entries come in packs of 32 bytes, aligned; what stands before the first such place has 4. */
	z->n4 = (32 - z->index % 32) / 4 & 7;
	if (z->advise & ADVISE_2B && z->n4 < z->n)
		z->n2 = (z->n - z->n4) & ~15ull;
	return GH_OK;
}

static uint64_t z_index_end(const struct zfile *z)
{
	if (z->in.layout == EROFS_Z_FULL || !z->n)
		return z->index + 8 * z->n;
	struct zpack k;
	uint64_t at = pack_place(z, z->n - 1, &k);
	return at + k.bytes;
}

static enum gh_code z_open(struct zfile *z, struct erofs *fs, const struct erofs_inode *in, struct gh_err *err)
{
	*z = (struct zfile){.fs = fs, .in = *in, .tail_head = UINT64_MAX, .pack_at = UINT64_MAX};
	z->n = in->size ? ((in->size - 1) >> fs->sb.bits) + 1 : 0;
	enum gh_code code = z_header(z, err);
	if (code == GH_OK && in->layout == EROFS_Z_COMPACT)
		code = z_compact(z, err);
	if (code)
		return code;
	if (z->n > fs->src->size || z_index_end(z) > fs->src->size)
		return gh_fail(err, GH_SHORT, z->index, "index of inode %llu reaches behind the end of the image",
			(unsigned long long)in->nid);
	z->tail_at = z_index_end(z);
	if (z->tail_len && z->tail_at % erofs_block(fs) + z->tail_len > erofs_block(fs))
		return bad_index(z, z->n - 1, "inline extent crosses its block", err);
	return GH_OK;
}

/* Packed bytes by the index: the inode's own count is no more than a statement, and leaves out what is shared. */
static uint64_t z_packed_size(struct zfile *z)
{
	uint64_t blocks = 0, tail = 0;
	for (uint64_t i = 0; i < z->n; i++) {
		struct zentry e;
		struct gh_err later;
		if (entry_at(z, i, &e, &later))
			continue;
		if (e.type == Z_NONHEAD)
			blocks += e.blocks ? e.blocks - 1 : 0;
		else if ((i << z->fs->sb.bits) + e.ofs < z->in.size)
			blocks++; /* else it only marks the end */
	}
	if (z->tail_len && blocks) {
		blocks--;
		tail = z->tail_len;
	}
	return gh_min(blocks << z->fs->sb.bits, z->fs->src->size) + tail;
}

enum gh_code erofs_z_check(
	struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, uint64_t *ret_packed, struct gh_err *err)
{
	struct zfile z;
	enum gh_code code = z_open(&z, fs, in, err);
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
		if (entry_at(z, i, &e, &later) || e.type == Z_NONHEAD)
			continue;
		uint64_t at = (i << z->fs->sb.bits) + e.ofs;
		largest = gh_max(largest, at - head);
		head = at;
	}
	if (z->in.size > head)
		largest = gh_max(largest, z->in.size - head);
	*ret = (uint32_t)gh_min(largest, UNPACKED_MAX);
	return code;
}

enum gh_code erofs_z_data(
	struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, struct gh_source **ret, struct gh_err *err)
{
	static const struct gh_blocks_ops ops = {z_find, z_unpack};
	struct zfile *z = gh_alloc(ctx->arena, sizeof *z);
	if (!z)
		return gh_fail(err, GH_NOMEM, in->at, "no memory for a compressed file");
	enum gh_code code = z_open(z, fs, in, err);
	if (code)
		return code;
	z->arena = ctx->arena;
	struct extent last;
	if (z->tail_len && z->n) {
		if ((code = extent_head(z, in->size - 1, &last, err)))
			return code;
		z->tail_head = last.head;
	}
	uint32_t max;
	if ((code = z_largest(ctx, z, &max, err)))
		return code;
	if (!fs->src->ops->view) { /* else the extents are taken where they lie */
		z->ahead_max = (size_t)gh_min(READ_AHEAD, (uint64_t)in->u << fs->sb.bits);
		z->ahead = gh_alloc_raw(ctx->arena, z->ahead_max);
		if (!z->ahead)
			return gh_fail(err, GH_NOMEM, in->at, "no memory to read a compressed file");
	}
	*ret = gh_source_blocks(ctx->arena, &ops, z, in->size, max, KEEP);
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, in->at, "no memory for blocks of %u bytes", max);
}
