/* SPDX-License-Identifier: Apache-2.0 */
/* EROFS: the index of a compressed file. It has 8 bytes a cluster (full, struct z_erofs_lcluster_index) or 4 or 2 (compact, the
 * packing described in fs/erofs/zmap.c's layout). */
#include "formats/erofs/erofs_z.h"

enum {
	COMPACT_BITS_2B = 12, /* an offset in a pack of 2-byte entries has so many bits */
	COMPACT_BITS_4B = 14,
	CBLKCNT = 1 << 11, /* in a distance: it is the extent's count of blocks instead */
	PARTIAL_REF = 0x8000, /* in a full index */
};

enum gh_code erofs_zbad(const struct zfile *z, uint64_t cluster, const char *what, struct gh_err *err)
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
			return erofs_zbad(z, i, "counts blocks in a file without big extents", err);
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
			return erofs_zbad(z, i, "counts blocks in a file without big extents", err);
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
		return erofs_zbad(z, i, "pack of the index contradicts itself", err);
	struct gh_cursor c = gh_cursor(z->pack + k.bytes - 4, 4, at);
	ret->ofs = lo;
	ret->block = gh_u32(&c) + before;
	return GH_OK;
}

enum gh_code erofs_zentry(struct zfile *z, uint64_t i, struct zentry *ret, struct gh_err *err)
{
	enum gh_code code = z->in.layout == EROFS_Z_FULL ? full_entry(z, i, ret, err) : compact_entry(z, i, ret, err);
	if (code)
		return code;
	if (ret->type != Z_NONHEAD && ret->ofs >= erofs_block(z->fs))
		return erofs_zbad(z, i, "extent begins outside its cluster", err);
	if (i == 0 && (ret->type == Z_NONHEAD || ret->ofs))
		return erofs_zbad(z, i, "no extent begins with the file", err);
	return GH_OK;
}
/* ---- the whole ---- */

/* How many entries of which size a compact index has. */
static enum gh_code z_compact(struct zfile *z, struct gh_err *err)
{
	bool big1 = z->advise & ADVISE_BIG1, big2 = z->advise & ADVISE_BIG2;
	if (big1 != big2)
		return erofs_zbad(z, 0, "big extents for one of two kinds only", err);
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
enum gh_code erofs_zindex(struct zfile *z, uint64_t *ret_end, struct gh_err *err)
{
	enum gh_code code = z->in.layout == EROFS_Z_COMPACT ? z_compact(z, err) : GH_OK;
	if (code)
		return code;
	if (z->n > z->fs->src->size || (*ret_end = z_index_end(z)) > z->fs->src->size)
		return gh_fail(err, GH_SHORT, z->index, "index of inode %llu reaches behind the end of the image",
			(unsigned long long)z->in.nid);
	return GH_OK;
}
