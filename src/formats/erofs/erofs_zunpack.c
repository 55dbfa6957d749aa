/* SPDX-License-Identifier: Apache-2.0 */
/* EROFS: unpacking one extent: stored (shifted or interlaced), LZ4, MicroLZMA, DEFLATE, zstd. */
#include "codecs/deflate/deflate.h"
#include "codecs/lz4/lz4.h"
#include "codecs/xz/xz.h"
#include "codecs/zstd/zstd.h"
#include "formats/erofs/erofs_z.h"

enum {
	DICT_MIN = 4096, /* liblzma's least */
};

const char *erofs_zrefused(const struct erofs_sb *sb, unsigned algorithm, enum gh_code *ret_code)
{
	static const char *const names[EROFS_ALGORITHMS] = {"LZ4, which the superblock does not name",
		"LZMA, which the superblock does not name", "DEFLATE, which the superblock does not name",
		"zstd, which the superblock does not name"};
	uint32_t named = sb->incompat & EROFS_BIG_PCLUSTER ? sb->algorithms : 1u << EROFS_LZ4;
	if (algorithm >= EROFS_ALGORITHMS) {
		*ret_code = GH_UNSUP;
		return "an unknown compression";
	}
	*ret_code = GH_BAD;
	return named >> algorithm & 1 ? NULL : names[algorithm];
}

static enum gh_code z_packed(struct zfile *z, uint64_t from, size_t len, const uint8_t **ret, struct gh_err *err)
{
	struct gh_source *src = z->fs->src;
	enum gh_code code = erofs_here(z->fs, &z->in, 0, from, len, err);
	if (code)
		return code;
	if (len > z->ahead_max)
		return gh_view(src, z->ctx->arena, from, len, ret, err);
	if (from < z->ahead_at || !gh_within(from - z->ahead_at, len, z->ahead_len)) {
		size_t n = (size_t)gh_min(z->ahead_max, src->size - from);
		z->ahead_len = 0;
		code = gh_read(src, from, z->ahead, n, err);
		if (code)
			return code;
		z->ahead_at = from;
		z->ahead_len = n;
	}
	*ret = z->ahead + (from - z->ahead_at);
	return GH_OK;
}

/* Stored content may be shifted to the place in its block that it has in the file; what does not fit there stands before it. */
static enum gh_code z_stored(
	struct zfile *z, const struct gh_block *b, const uint8_t *p, uint8_t *out, struct gh_err *err)
{
	size_t n = b->tag[TAG_LEN], skip = b->at & (erofs_block(z->fs) - 1);
	if (b->len > n)
		return gh_fail(err, GH_BAD, b->tag[TAG_FROM], "stored extent of inode %llu is shorter than declared",
			(unsigned long long)z->in.nid);
	size_t first = (size_t)gh_min(erofs_block(z->fs) - skip, b->len);
	if (!(z->advise & ADVISE_INTERLACED) || n % erofs_block(z->fs)) {
		memcpy(out, p, b->len);
		return GH_OK;
	}
	memcpy(out, p + n - (erofs_block(z->fs) - skip), first);
	memcpy(out + first, p, b->len - first);
	return GH_OK;
}

/* What a codec says of an extent: without `partial` it must have given exactly what is declared. */
static enum gh_code z_verdict(const struct zfile *z, const struct gh_block *b, bool partial, enum gh_code code,
	size_t got, const struct gh_err *said, struct gh_err *err)
{
	unsigned long long nid = z->in.nid;
	uint64_t at = b->tag[TAG_FROM];
	if (code == GH_LIMIT && got == b->len && partial)
		return GH_OK;
	if (code == GH_LIMIT && got == b->len)
		return gh_fail(
			err, GH_BAD, at, "extent of inode %llu gives more than the declared %u bytes", nid, b->len);
	if (code == GH_OK && got < b->len)
		return gh_fail(
			err, GH_BAD, at, "extent of inode %llu gives %zu bytes, %u are declared", nid, got, b->len);
	if (code == GH_SHORT) /* of the extent, not of the image */
		return gh_fail(err, GH_BAD, at, "extent of inode %llu: %.80s", nid, said->what);
	if (code)
		*err = *said;
	return code;
}

static enum gh_code z_decode(struct zfile *z, const struct gh_block *b, unsigned algorithm, const uint8_t *p,
	uint8_t *out, struct gh_err *err)
{
	size_t n = b->tag[TAG_LEN], zeros = 0, got = 0;
	uint64_t at = b->tag[TAG_FROM];
	bool padded = z->fs->sb.incompat & EROFS_0PADDING;
	/* A packed extent cannot begin with zero, so that zeros before it tell its length. */
	while (padded && zeros < n && zeros < erofs_block(z->fs) && !p[zeros])
		zeros++;
	if (zeros == n)
		return gh_fail(err, GH_BAD, at, "packed extent of inode %llu is empty", (unsigned long long)z->in.nid);
	bool partial = !padded || b->tag[TAG_HOW] & HOW_PARTIAL;
	p += zeros;
	n -= zeros;
	at += zeros;
	struct gh_err said = {0};
	enum gh_code code;
	switch (algorithm) {
	case EROFS_LZMA: /* no distance is longer than what is before it */
		code = gh_microlzma_whole(
			z->ctx, (uint32_t)gh_max(b->len, DICT_MIN), !partial, p, n, out, b->len, &got, at, &said);
		break;
	case EROFS_DEFLATE:
		code = gh_deflate_whole(z->ctx, p, n, out, b->len, &got, at, &said);
		break;
	case EROFS_ZSTD:
		code = gh_zstd_whole(z->ctx, p, n, out, b->len, &got, at, &said);
		break;
	default:
		return gh_lz4_block(p, n, out, b->len, partial, at, err);
	}
	return z_verdict(z, b, partial, code, got, &said, err);
}

enum gh_code erofs_zunpack(void *self, const struct gh_block *b, uint8_t *out, struct gh_err *err)
{
	struct zfile *z = self;
	enum ztype type = b->tag[TAG_HOW] & HOW_TYPE;
	unsigned algorithm = z->algorithm[type == Z_HEAD2];
	enum gh_code code = GH_OK;
	const char *what = type == Z_PLAIN ? NULL : erofs_zrefused(&z->fs->sb, algorithm, &code);
	if (what)
		return gh_fail(err, code, b->tag[TAG_FROM], "inode %llu is compressed with %s",
			(unsigned long long)z->in.nid, what);
	const uint8_t *p;
	struct gh_mark mark = gh_arena_mark(z->ctx->arena);
	code = z_packed(z, b->tag[TAG_FROM], b->tag[TAG_LEN], &p, err);
	if (code == GH_OK)
		code = type == Z_PLAIN ? z_stored(z, b, p, out, err) : z_decode(z, b, algorithm, p, out, err);
	gh_arena_release(z->ctx->arena, mark);
	return code;
}
