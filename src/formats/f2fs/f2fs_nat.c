/* SPDX-License-Identifier: Apache-2.0 */
/* F2FS: from a node's number to its block, by the node address table (struct f2fs_nat_block of include/linux/f2fs_fs.h) and its
 * journal; and metadata through a few windows. */
#include "formats/f2fs/f2fs.h"

enum { NAT_ENTRY = 9 };

enum gh_code f2fs_meta_init(struct f2fs *fs, struct gh_err *err)
{
	struct gh_arena *arena = fs->ctx->arena;
	uint32_t bs = fs->sb.bs;
	/* All here: what is allocated later may be gone before the state is. */
	uint8_t *p = gh_alloc_raw(arena, F2FS_WINDOWS * F2FS_WINDOW);
	bool ok = p && (fs->raw = gh_alloc_raw(arena, bs)) && (fs->xnode = gh_alloc_raw(arena, 2 * (size_t)bs));
	for (size_t i = 0; i < GH_COUNT(fs->node); i++)
		ok = ok && (fs->node[i] = gh_alloc_raw(arena, bs));
	if (!ok)
		return gh_fail(err, GH_NOMEM, fs->sb.at, "no memory for the buffers of a file system");
	for (size_t i = 0; i < F2FS_WINDOWS; i++)
		fs->win[i].p = p + i * F2FS_WINDOW;
	return GH_OK;
}

static enum gh_code window_at(struct f2fs *fs, uint64_t at, struct f2fs_window **ret, struct gh_err *err)
{
	uint64_t start = at - at % F2FS_WINDOW;
	struct f2fs_window *old = &fs->win[0];
	for (size_t i = 0; i < F2FS_WINDOWS; i++) {
		struct f2fs_window *w = &fs->win[i];
		if (w->len && w->at == start) {
			w->used = ++fs->clock;
			*ret = w;
			return GH_OK;
		}
		if (w->used < old->used)
			old = w;
	}
	size_t len = (size_t)gh_min(F2FS_WINDOW, fs->src->size - start);
	old->len = 0;
	enum gh_code code = gh_read(fs->src, start, old->p, len, err);
	if (code)
		return code;
	*old = (struct f2fs_window){.at = start, .used = ++fs->clock, .len = len, .p = old->p};
	*ret = old;
	return GH_OK;
}

enum gh_code f2fs_meta_read(struct f2fs *fs, uint64_t at, void *buf, size_t n, struct gh_err *err)
{
	if (!gh_within(at, n, fs->src->size))
		return gh_fail(err, GH_SHORT, at, "metadata lies behind the end of the image");
	uint8_t *p = buf;
	while (n) {
		struct f2fs_window *w;
		struct gh_err ignored;
		/* Where a window cannot be read as a whole, perhaps what is wanted of it can. */
		if (window_at(fs, at, &w, &ignored))
			return gh_read(fs->src, at, p, n, err);
		size_t skip = (size_t)(at - w->at);
		size_t step = (size_t)gh_min(n, w->len - skip);
		memcpy(p, w->p + skip, step);
		p += step;
		at += step;
		n -= step;
	}
	return GH_OK;
}

enum gh_code f2fs_block(struct f2fs *fs, uint64_t block, void *buf, struct gh_err *err)
{
	if (block >= fs->sb.here)
		return gh_fail(
			err, GH_UNSUP, fs->sb.at, "block %llu lies on another device", (unsigned long long)block);
	return f2fs_meta_read(fs, block << fs->sb.bits, buf, fs->sb.bs, err);
}

static bool bitmap_bit(const struct f2fs_cp *cp, uint64_t i)
{
	return i / 8 < cp->bitmap_len && cp->bitmap[i / 8] >> (7 - i % 8) & 1;
}

/* Where block i of the table lies: each of its segments is followed by its twin. */
static uint64_t table_at(const struct f2fs *fs, uint64_t i)
{
	uint64_t seg = (uint64_t)1 << fs->sb.seg_bits;
	uint64_t block = fs->sb.nat + 2 * i - (i & (seg - 1)) + (bitmap_bit(&fs->cp, i) ? seg : 0);
	return block << fs->sb.bits;
}

enum gh_code f2fs_nat(struct f2fs *fs, uint32_t nid, struct f2fs_nat *ret, struct gh_err *err)
{
	for (uint32_t i = 0; i < fs->n_journal; i++)
		if (fs->journal[i].nid == nid) {
			*ret = fs->journal[i];
			return GH_OK;
		}
	uint32_t per_block = fs->sb.bs / NAT_ENTRY;
	if (!nid || nid >= fs->sb.nids)
		return gh_fail(err, GH_BAD, UINT64_MAX, "there is no node %u", nid);
	uint8_t raw[NAT_ENTRY];
	uint64_t at = table_at(fs, nid / per_block) + (uint64_t)(nid % per_block) * NAT_ENTRY;
	enum gh_code code = f2fs_meta_read(fs, at, raw, sizeof raw, err);
	if (code)
		return code;
	*ret = (struct f2fs_nat){.nid = nid, .ino = f2fs_u32(raw, 1), .block = f2fs_u32(raw, 5), .at = at};
	return GH_OK;
}

enum gh_code f2fs_nat_next(struct f2fs *fs, uint32_t *nid, uint8_t *buf, struct f2fs_nat *ret, struct gh_err *err)
{
	uint32_t per_block = fs->sb.bs / NAT_ENTRY;
	for (; *nid < fs->sb.nids; ++*nid) {
		uint32_t i = *nid % per_block;
		enum gh_code code = i ? GH_OK : gh_spend_steps(fs->ctx->budget, 1 + per_block / 64, fs->sb.at, err);
		if (!code && !i)
			code = f2fs_meta_read(fs, table_at(fs, *nid / per_block), buf, fs->sb.bs, err);
		if (code) {
			*nid += per_block;
			return code;
		}
		if (f2fs_u32(buf, i * NAT_ENTRY + 5) && *nid)
			return f2fs_nat(fs, (*nid)++, ret, err);
	}
	return GH_END;
}

enum gh_code f2fs_node(struct f2fs *fs, uint32_t nid, uint32_t ino, uint8_t *buf, uint64_t *ret_at, struct gh_err *err)
{
	struct f2fs_nat e = {0};
	enum gh_code code = f2fs_nat(fs, nid, &e, err);
	if (code)
		return code;
	if (e.block < fs->sb.main || e.block >= fs->sb.end)
		return gh_fail(err, GH_BAD, e.at, "node %u should lie at block %u, which can hold none", nid, e.block);
	*ret_at = (uint64_t)e.block << fs->sb.bits;
	if ((code = f2fs_block(fs, e.block, buf, err)))
		return code;
	const uint8_t *footer = buf + fs->sb.bs - F2FS_FOOTER;
	if (f2fs_u32(footer, 0) != nid)
		return gh_fail(err, GH_BAD, *ret_at + fs->sb.bs - F2FS_FOOTER, "node %u: its block is that of node %u",
			nid, f2fs_u32(footer, 0));
	uint32_t owner = f2fs_u32(footer, 4);
	uint64_t at = *ret_at + fs->sb.bs - F2FS_FOOTER + 4;
	if (owner != ino && nid == ino)
		return gh_fail(err, GH_BAD, at, "inode %u: its block is one of inode %u", ino, owner);
	if (owner != ino) /* kernels have followed such nodes */
		f2fs_note(fs, F2FS_T_MAP, GH_BAD, at, "inode %u: its node %u is one of inode %u", ino, nid, owner);
	return GH_OK;
}
