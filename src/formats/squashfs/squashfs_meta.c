/* SPDX-License-Identifier: Apache-2.0 */
/* SquashFS: unpacking, and metadata: blocks of up to 8 KiB, each behind its 16-bit length, some of them kept unpacked. */
#include "codecs/deflate/deflate.h"
#include "codecs/lz4/lz4.h"
#include "codecs/lzo/lzo.h"
#include "codecs/xz/xz.h"
#include "codecs/zstd/zstd.h"
#include "formats/squashfs/squashfs.h"

enum { META_STORED = 0x8000 };

enum gh_code sq_buffers(struct squashfs *fs, struct gh_err *err)
{
	/* All in one piece and here: what is allocated later may be gone before the state is. */
	size_t room = (size_t)gh_max(fs->sb.bs, SQ_META);
	uint8_t *p = gh_alloc_raw(fs->ctx->arena, (size_t)SQ_METAS * SQ_META);
	uint8_t *f = gh_alloc_raw(fs->ctx->arena, SQ_FRAGMENTS * (size_t)fs->sb.bs);
	fs->packed = gh_alloc_raw(fs->ctx->arena, room);
	if (!p || !f || !fs->packed)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the blocks of a file system");
	for (size_t i = 0; i < SQ_METAS; i++)
		fs->meta[i].p = p + i * SQ_META;
	for (size_t i = 0; i < SQ_FRAGMENTS; i++)
		fs->fragment[i].p = f + i * fs->sb.bs;
	return GH_OK;
}

enum gh_code sq_unpack(struct squashfs *fs, const uint8_t *p, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err)
{
	struct gh_err said = {0};
	enum gh_code code;
	*ret_n = 0;
	switch (fs->sb.compressor) {
	case SQ_GZIP:
		code = gh_zlib_whole(fs->ctx, p, n, out, cap, ret_n, at, &said);
		break;
	case SQ_LZMA:
		code = gh_lzma_whole(fs->ctx, p, n, out, cap, ret_n, at, &said);
		break;
	case SQ_LZO:
		code = gh_lzo_whole(fs->ctx, p, n, out, cap, ret_n, at, &said);
		break;
	case SQ_XZ:
		code = gh_xz_whole(fs->ctx, p, n, out, cap, ret_n, at, &said);
		break;
	case SQ_LZ4:
		code = gh_lz4_next(p, n, out, cap, 0, ret_n, at, &said);
		break;
	default:
		code = gh_zstd_whole(fs->ctx, p, n, out, cap, ret_n, at, &said);
	}
	if (code == GH_SHORT || code == GH_LIMIT) /* of the block, not of the image */
		return gh_fail(err, GH_BAD, at, "block of %zu bytes: %.80s", n, said.what);
	if (code)
		*err = said;
	return code;
}

/* ---- metadata blocks ---- */

static enum gh_code meta_load(struct squashfs *fs, uint64_t at, struct sq_meta *m, struct gh_err *err)
{
	uint8_t raw[2];
	size_t len;
	m->len = 0;
	enum gh_code code = gh_spend_steps(fs->ctx->budget, SQ_COST, at, err);
	if (code == GH_OK)
		code = gh_read(fs->src, at, raw, sizeof raw, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, sizeof raw, at);
	uint16_t head = gh_u16(&c);
	size_t n = head & (META_STORED - 1);
	if (!n || n > SQ_META)
		return gh_fail(err, GH_BAD, at, "metadata block of %zu bytes", n);
	if (head & META_STORED) {
		code = gh_read(fs->src, at + 2, m->p, n, err);
		len = n;
	} else {
		code = gh_read(fs->src, at + 2, fs->packed, n, err);
		if (code == GH_OK)
			code = sq_unpack(fs, fs->packed, n, m->p, SQ_META, &len, at + 2, err);
	}
	if (code)
		return code;
	if (!len)
		return gh_fail(err, GH_BAD, at, "an empty metadata block");
	m->at = at;
	m->next = at + 2 + n;
	m->len = (uint32_t)len;
	return GH_OK;
}

static enum gh_code meta_at(struct squashfs *fs, uint64_t at, struct sq_meta **ret, struct gh_err *err)
{
	struct sq_meta *old = &fs->meta[0];
	for (size_t i = 0; i < SQ_METAS; i++) {
		struct sq_meta *m = &fs->meta[i];
		if (m->len && m->at == at) {
			m->used = ++fs->clock;
			*ret = m;
			return GH_OK;
		}
		if (m->used < old->used)
			old = m;
	}
	enum gh_code code = meta_load(fs, at, old, err);
	old->used = code ? 0 : ++fs->clock;
	*ret = old;
	return code;
}

enum gh_code sq_read(struct squashfs *fs, struct sq_pos *pos, void *buf, size_t n, struct gh_err *err)
{
	uint8_t *p = buf;
	while (n) {
		struct sq_meta *m;
		enum gh_code code = meta_at(fs, pos->block, &m, err);
		if (code)
			return code;
		if (pos->off > m->len || (pos->off == m->len && m->len < SQ_META))
			return gh_fail(err, GH_BAD, m->at, "byte %u of a metadata block of %u bytes", pos->off, m->len);
		if (pos->off == m->len) {
			*pos = (struct sq_pos){m->next, 0};
			continue;
		}
		size_t step = (size_t)gh_min(n, m->len - pos->off);
		if (p) {
			memcpy(p, m->p + pos->off, step);
			p += step;
		}
		pos->off += (uint32_t)step;
		n -= step;
	}
	return GH_OK;
}

enum gh_code sq_table(struct squashfs *fs, uint64_t table, uint64_t i, void *buf, size_t size, struct gh_err *err)
{
	uint8_t raw[8];
	uint64_t each = SQ_META / size, at;
	if (!gh_add(table, i / each * sizeof raw, &at))
		return gh_fail(err, GH_BAD, table, "a table without an end");
	enum gh_code code = gh_read(fs->src, at, raw, sizeof raw, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, sizeof raw, at);
	struct sq_pos pos = {gh_u64(&c), (uint32_t)(i % each * size)};
	return sq_read(fs, &pos, buf, size, err);
}
