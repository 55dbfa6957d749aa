/* SPDX-License-Identifier: Apache-2.0 */
/* F2FS: compressed clusters (Documentation/filesystems/f2fs.rst, "Compression implementation"; struct compress_data of
 * fs/f2fs/f2fs.h of the Linux kernel). */
#include "codecs/lz4/lz4.h"
#include "codecs/lzo/lzo.h"
#include "codecs/zstd/zstd.h"
#include "formats/f2fs/f2fs.h"

enum {
	HEADER = 24, /* packed length, checksum, reserved */
	KEEP = 2, /* one cluster that two windows share, one for probes elsewhere */
	READ_AHEAD = 256 << 10, /* clusters of a file follow each other: small ones are fetched together */
};

struct zfile {
	struct f2fs *fs;
	struct gh_source *src;
	struct gh_arena *arena;
	struct f2fs_map map; /* its clusters and addresses only */
	uint64_t at; /* of its inode */
	uint32_t ino, bits, bs; /* bits: of blocks */
	unsigned cluster_bits; /* of clusters, in bytes */
	uint8_t algorithm;
	uint8_t *buf; /* packed blocks that do not lie side by side, or were read ahead */
	size_t cap;
	uint64_t ahead_at;
	size_t ahead_len; /* 0: buf holds nothing to go on with */
};

static bool side_by_side(const struct zfile *z, const struct f2fs_cluster *k)
{
	const uint32_t *a = z->map.addr + k->first;
	for (uint32_t i = 1; i < k->n; i++)
		if (a[i] != a[0] + i)
			return false;
	return true;
}

static enum gh_code block_ok(const struct zfile *z, uint32_t block, uint64_t n, struct gh_err *err)
{
	uint64_t at = (uint64_t)block << z->bits;
	if (block >= z->fs->sb.here)
		return gh_fail(err, GH_UNSUP, at, "packed content of inode %u lies on another device", z->ino);
	if (!gh_within(at, n, z->src->size))
		return gh_fail(
			err, GH_SHORT, at, "packed content of inode %u lies behind the end of the image", z->ino);
	return GH_OK;
}

/* Blocks from all over, one by one. */
static enum gh_code gather(struct zfile *z, const struct f2fs_cluster *k, const uint8_t **ret, struct gh_err *err)
{
	z->ahead_len = 0;
	for (uint32_t i = 0; i < k->n; i++) {
		uint32_t block = z->map.addr[k->first + i];
		enum gh_code code = block_ok(z, block, z->bs, err);
		if (!code)
			code = gh_read(z->src, (uint64_t)block << z->bits, z->buf + (size_t)i * z->bs, z->bs, err);
		if (code)
			return code;
	}
	*ret = z->buf;
	return GH_OK;
}

static enum gh_code packed(struct zfile *z, const struct f2fs_cluster *k, const uint8_t **ret, struct gh_err *err)
{
	if (!k->n)
		return gh_fail(err, GH_BAD, z->at, "inode %u: compressed cluster %u has no block", z->ino, k->index);
	if (!side_by_side(z, k))
		return gather(z, k, ret, err);
	uint64_t from = (uint64_t)z->map.addr[k->first] << z->bits, n = (uint64_t)k->n << z->bits;
	enum gh_code code = block_ok(z, z->map.addr[k->first], n, err);
	if (code)
		return code;
	const uint8_t *p = z->src->ops->view ? z->src->ops->view(z->src, from, (size_t)n) : NULL;
	if (p) {
		*ret = p;
		return GH_OK;
	}
	if (from < z->ahead_at || !gh_within(from - z->ahead_at, n, z->ahead_len)) {
		size_t len = (size_t)gh_min(z->cap, z->src->size - from);
		z->ahead_len = 0;
		if ((code = gh_read(z->src, from, z->buf, len, err))) {
			len = (size_t)n; /* perhaps only what lies behind it cannot be read */
			code = gh_read(z->src, from, z->buf, len, err);
		}
		if (code)
			return code;
		z->ahead_at = from;
		z->ahead_len = len;
	}
	*ret = z->buf + (from - z->ahead_at);
	return GH_OK;
}

static enum gh_code header(
	const struct zfile *z, const struct f2fs_cluster *k, const uint8_t *p, uint32_t *ret_len, struct gh_err *err)
{
	uint32_t len = f2fs_u32(p, 0);
	if (len > ((uint64_t)k->n << z->bits) - HEADER)
		return gh_fail(err, GH_BAD, (uint64_t)z->map.addr[k->first] << z->bits,
			"inode %u: cluster %u says %u packed bytes, more than it has", z->ino, k->index, len);
	*ret_len = len;
	return GH_OK;
}

static const struct f2fs_cluster *cluster_at(const struct zfile *z, uint64_t off)
{
	uint64_t index = off >> z->cluster_bits;
	size_t lo = 0, hi = z->map.clusters;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (z->map.cluster[mid].index < index)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < z->map.clusters && z->map.cluster[lo].index == index ? &z->map.cluster[lo] : NULL;
}

static enum gh_code z_find(void *self, uint64_t off, struct gh_block *ret, struct gh_err *err)
{
	struct zfile *z = self;
	const struct f2fs_cluster *k = cluster_at(z, off);
	if (!k)
		return gh_fail(err, GH_BAD, z->at, "inode %u: no compressed cluster there", z->ino);
	ret->at = (uint64_t)k->index << z->cluster_bits;
	ret->len = 1u << z->cluster_bits;
	ret->tag[0] = (uint64_t)(k - z->map.cluster);
	return GH_OK;
}

static enum gh_code unpack(
	struct zfile *z, const uint8_t *in, size_t n, uint8_t *out, size_t out_n, uint64_t at, struct gh_err *err)
{
	struct gh_ctx ctx = {.arena = z->arena}; /* the codecs take memory from it and give it back */
	enum gh_code code;
	size_t got = 0;
	switch (z->algorithm) {
	case F2FS_LZ4:
		return gh_lz4_block(in, n, out, out_n, false, at, err);
	case F2FS_ZSTD:
		code = gh_zstd_whole(&ctx, in, n, out, out_n, &got, at, err);
		break;
	case F2FS_LZO:
	case F2FS_LZORLE:
		code = gh_lzo_whole(&ctx, in, n, out, out_n, &got, at, err);
		break;
	default:
		return gh_fail(err, GH_UNSUP, at, "inode %u uses compression algorithm %u", z->ino, z->algorithm);
	}
	if (!code && got != out_n)
		return gh_fail(err, GH_BAD, at, "inode %u: a cluster unpacks to %zu of %zu bytes", z->ino, got, out_n);
	return code;
}

static enum gh_code z_unpack(void *self, const struct gh_block *b, uint8_t *out, struct gh_err *err)
{
	struct zfile *z = self;
	const struct f2fs_cluster *k = &z->map.cluster[b->tag[0]];
	const uint8_t *p = NULL;
	uint32_t len = 0;
	enum gh_code code = packed(z, k, &p, err);
	if (code || (code = header(z, k, p, &len, err)))
		return code;
	return unpack(z, p + HEADER, len, out, b->len, ((uint64_t)z->map.addr[k->first] << z->bits) + HEADER, err);
}

/* The kernel reads a cluster whose checksum is wrong, and only says so: so do we, before it is read. */
static enum gh_code checksums(struct zfile *z, struct gh_err *err)
{
	struct f2fs *fs = z->fs;
	for (size_t i = 0; i < z->map.clusters; i++) {
		const struct f2fs_cluster *k = &z->map.cluster[i];
		const uint8_t *p = NULL;
		uint32_t len = 0;
		enum gh_code code = gh_spend_steps(fs->ctx->budget, 1 + k->n, z->at, err);
		if (code)
			return code;
		if (packed(z, k, &p, err) || header(z, k, p, &len, err))
			continue; /* told where it is read */
		if (f2fs_crc(F2FS_MAGIC, p + HEADER, len) != f2fs_u32(p, 4))
			f2fs_note(fs, F2FS_T_MAP, GH_BAD, ((uint64_t)z->map.addr[k->first] << z->bits) + 4,
				"inode %u: checksum of compressed cluster %u does not match", z->ino, k->index);
	}
	return GH_OK;
}

enum gh_code f2fs_z(struct f2fs *fs, const struct f2fs_inode *in, const struct f2fs_map *map, uint64_t size,
	struct gh_source **ret, struct gh_err *err)
{
	static const struct gh_blocks_ops ops = {z_find, z_unpack};
	struct gh_arena *arena = fs->ctx->arena;
	struct zfile *z = gh_alloc(arena, sizeof *z);
	if (!z)
		return gh_fail(err, GH_NOMEM, in->at, "no memory for a compressed file");
	*z = (struct zfile){.fs = fs, .src = fs->src, .arena = arena, .map = *map, .at = in->at, .ino = in->ino};
	z->bits = fs->sb.bits;
	z->bs = fs->sb.bs;
	z->cluster_bits = fs->sb.bits + in->cluster_bits;
	z->algorithm = in->algorithm;
	uint64_t cluster = (uint64_t)1 << z->cluster_bits;
	z->cap = (size_t)gh_max(cluster, gh_min(READ_AHEAD, (uint64_t)map->addrs << z->bits));
	z->buf = gh_alloc_raw(arena, z->cap);
	uint64_t whole = (size + cluster - 1) & ~(cluster - 1);
	*ret = z->buf ? gh_source_blocks(arena, &ops, z, whole, (uint32_t)cluster, KEEP) : NULL;
	if (!*ret)
		return gh_fail(err, GH_NOMEM, in->at, "no memory for a compressed file");
	return in->compress_flag & F2FS_COMPRESS_CHKSUM ? checksums(z, err) : GH_OK;
}
