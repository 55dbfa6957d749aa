/* SPDX-License-Identifier: Apache-2.0 */
/* F2FS: the checkpoint (struct f2fs_checkpoint, f2fs_orphan_block, f2fs_journal of include/linux/f2fs_fs.h). There are two packs of
 * blocks; the one that is whole and newer holds. */
#include "formats/f2fs/f2fs.h"

enum { /* flags */
	CP_UMOUNT = 0x1,
	CP_ORPHANS = 0x2,
	CP_COMPACT_SUM = 0x4,
	CP_FASTBOOT = 0x20,
	CP_CRC_RECOVERY = 0x40,
	CP_NOCRC_RECOVERY = 0x200,
	CP_LARGE_NAT_BITMAP = 0x400,
};

enum {
	OFF_FLAGS = 132,
	OFF_CRC_AT = 164,
	OFF_BITMAPS = 192,
	JOURNAL_ENTRY = 13, /* a node's number and its NAT entry */
	LAST_SUMMARIES = 6, /* summary blocks at the end of a pack after an unmount: three for data, three for nodes, */
	DATA_SUMMARIES = 3, /* else only those for data */
	FSYNC_MARK = 1 << 1, /* in a node's footer */
	CHAIN_MAX = 1 << 20, /* nodes that fsync wrote: 4 GiB of them */
};

static uint64_t block_at(const struct f2fs *fs, uint64_t block)
{
	return block << fs->sb.bits;
}

/* One of the two equal blocks around a pack. */
static enum gh_code cp_block(struct f2fs *fs, uint64_t block, uint8_t *buf, struct gh_err *err)
{
	uint32_t bs = fs->sb.bs;
	uint64_t at = block_at(fs, block);
	enum gh_code code = f2fs_meta_read(fs, at, buf, bs, err);
	if (code)
		return code;
	uint32_t off = f2fs_u32(buf, OFF_CRC_AT);
	if (off < OFF_BITMAPS || off > bs - 4)
		return gh_fail(err, GH_BAD, at + OFF_CRC_AT, "checkpoint: its checksum would lie at byte %u", off);
	uint32_t crc = f2fs_crc(F2FS_MAGIC, buf, off);
	if (off < bs - 4)
		crc = f2fs_crc(crc, buf + off + 4, bs - off - 4);
	if (crc != f2fs_u32(buf, off))
		return gh_fail(err, GH_BAD, at + off, "checkpoint checksum does not match");
	return GH_OK;
}

/* The pack that begins at `block`; buf then holds its first block. */
static enum gh_code cp_pack(struct f2fs *fs, uint64_t block, uint8_t *buf, struct f2fs_cp *ret, struct gh_err *err)
{
	enum gh_code code = cp_block(fs, block, buf, err);
	if (code)
		return code;
	*ret = (struct f2fs_cp){.at = block_at(fs, block), .version = f2fs_u64(buf, 0)};
	ret->blocks = f2fs_u32(buf, 136);
	if (ret->blocks < 3 || ret->blocks > 1u << fs->sb.seg_bits)
		return gh_fail(err, GH_BAD, ret->at + 136, "checkpoint pack of %u blocks", ret->blocks);
	if ((code = cp_block(fs, block + ret->blocks - 1, buf, err)))
		return code;
	if (f2fs_u64(buf, 0) != ret->version)
		return gh_fail(err, GH_BAD, ret->at, "checkpoint pack was not written to its end");
	return cp_block(fs, block, buf, err);
}

static enum gh_code cp_fields(struct f2fs *fs, const uint8_t *buf, struct gh_err *err)
{
	struct f2fs_cp *cp = &fs->cp;
	uint32_t bs = fs->sb.bs;
	cp->flags = f2fs_u32(buf, OFF_FLAGS);
	cp->start_sum = f2fs_u32(buf, 140);
	cp->inodes = f2fs_u32(buf, 148);
	cp->warm_seg = f2fs_u32(buf, 36 + 4);
	cp->warm_off = f2fs_u16(buf, 68 + 2);
	cp->crc = f2fs_u32(buf, f2fs_u32(buf, OFF_CRC_AT));
	uint32_t sit_len = f2fs_u32(buf, 156), off = OFF_BITMAPS;
	cp->bitmap_len = f2fs_u32(buf, 160);
	if (cp->flags & CP_LARGE_NAT_BITMAP)
		off += 4; /* the checksum lies before the bitmaps */
	else if (!fs->sb.payload)
		off += (uint32_t)gh_min(sit_len, bs);
	uint32_t end = f2fs_u32(buf, OFF_CRC_AT) > off ? f2fs_u32(buf, OFF_CRC_AT) : bs;
	if (!gh_within(off, cp->bitmap_len, end))
		return gh_fail(
			err, GH_BAD, cp->at + 160, "bitmap of %u bytes has no room in the checkpoint", cp->bitmap_len);
	cp->bitmap = gh_alloc_raw(fs->ctx->arena, cp->bitmap_len + 1);
	if (!cp->bitmap)
		return gh_fail(err, GH_NOMEM, cp->at, "no memory for a checkpoint");
	memcpy(cp->bitmap, buf + off, cp->bitmap_len);
	return GH_OK;
}

/* NAT entries that are newer than the NAT: in the summary of the segment for directories' data. */
static enum gh_code cp_journal(struct f2fs *fs, uint8_t *buf, struct gh_err *err)
{
	const struct f2fs_cp *cp = &fs->cp;
	uint32_t bs = fs->sb.bs, room = bs / 8 - 5;
	uint64_t first = cp->at >> fs->sb.bits, block;
	uint32_t off = bs / 8 * 7; /* behind the summaries of a segment's blocks */
	if (cp->flags & CP_COMPACT_SUM) {
		block = first + cp->start_sum;
		off = 0;
	} else {
		uint32_t behind = 1 + (cp->flags & (CP_UMOUNT | CP_FASTBOOT) ? LAST_SUMMARIES : DATA_SUMMARIES);
		block = first + (cp->blocks > behind ? cp->blocks - behind : 0);
	}
	if (block == first || block >= first + cp->blocks)
		return gh_fail(err, GH_BAD, cp->at + 140, "checkpoint: its summaries do not lie in it");
	enum gh_code code = f2fs_meta_read(fs, block_at(fs, block), buf, bs, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(buf + off, room, block_at(fs, block) + off);
	uint32_t n = gh_u16(&c);
	if (n > (room - 2) / JOURNAL_ENTRY)
		return gh_fail(err, GH_BAD, c.base, "journal of %u node addresses", n);
	for (uint32_t i = 0; i < n; i++) {
		struct f2fs_nat *e = &fs->journal[fs->n_journal++];
		e->at = gh_at(&c);
		e->nid = gh_u32(&c);
		gh_skip(&c, 1);
		e->ino = gh_u32(&c);
		e->block = gh_u32(&c);
	}
	return gh_cursor_check(&c, "journal of node addresses", err);
}

enum gh_code f2fs_cp_find(struct f2fs *fs, struct gh_err *err)
{
	uint8_t *buf = fs->raw;
	struct f2fs_cp packs[2];
	struct gh_err errs[2];
	enum gh_code codes[2];
	for (unsigned i = 0; i < 2; i++)
		codes[i] = cp_pack(fs, fs->sb.cp + ((uint64_t)i << fs->sb.seg_bits), buf, &packs[i], &errs[i]);
	if (codes[0] && codes[1]) {
		*err = errs[0];
		return codes[0];
	}
	unsigned use = codes[0] || (!codes[1] && (int64_t)(packs[1].version - packs[0].version) > 0);
	if (codes[!use])
		fs->cp_damage = errs[!use];
	enum gh_code code = cp_block(fs, packs[use].at >> fs->sb.bits, buf, err);
	if (code)
		return code;
	fs->cp = packs[use];
	if ((code = cp_fields(fs, buf, err)))
		return code;
	code = cp_journal(fs, buf, &fs->journal_damage);
	if (!f2fs_fatal(code))
		return GH_OK;
	*err = fs->journal_damage;
	return code;
}

/* Is this node block one of those that fsync wrote after the checkpoint? */
static bool recoverable(const struct f2fs *fs, const uint8_t *footer)
{
	const struct f2fs_cp *cp = &fs->cp;
	uint64_t have = f2fs_u64(footer, 12), want = cp->version;
	if (cp->flags & CP_NOCRC_RECOVERY)
		return (uint32_t)have == (uint32_t)want;
	if (cp->flags & CP_CRC_RECOVERY)
		want |= (uint64_t)cp->crc << 32;
	return have == want;
}

enum gh_code f2fs_cp_fsynced(struct f2fs *fs, uint32_t *ret, struct gh_err *err)
{
	uint8_t footer[F2FS_FOOTER];
	struct gh_err ignored;
	uint64_t block = fs->sb.main + ((uint64_t)fs->cp.warm_seg << fs->sb.seg_bits) + fs->cp.warm_off;
	*ret = 0;
	for (uint32_t steps = 0; steps < CHAIN_MAX && block >= fs->sb.main && block < fs->sb.end; steps++) {
		uint64_t at = block_at(fs, block);
		enum gh_code code = gh_spend_steps(fs->ctx->budget, 1, at, err);
		if (code)
			return code;
		if (f2fs_meta_read(fs, at + fs->sb.bs - F2FS_FOOTER, footer, sizeof footer, &ignored) ||
			!recoverable(fs, footer))
			break;
		*ret += (f2fs_u32(footer, 8) & FSYNC_MARK) != 0;
		uint64_t next = f2fs_u32(footer, 20);
		if (next == block)
			break;
		block = next;
	}
	return GH_OK;
}

enum gh_code f2fs_cp_orphans(
	struct f2fs *fs, void (*orphan)(struct f2fs *fs, uint32_t ino), uint32_t *ret, struct gh_err *err)
{
	const struct f2fs_cp *cp = &fs->cp;
	uint8_t *buf = fs->node[0];
	uint32_t max = (fs->sb.bs - 16) / 4;
	*ret = 0;
	if (!(cp->flags & CP_ORPHANS))
		return GH_OK;
	for (uint32_t b = 1 + fs->sb.payload; b > 0 && b < cp->start_sum && b < cp->blocks; b++) {
		uint64_t at = cp->at + block_at(fs, b);
		enum gh_code code = gh_spend_steps(fs->ctx->budget, 1 + max / 16, at, err);
		if (!code)
			code = f2fs_meta_read(fs, at, buf, fs->sb.bs, err);
		if (code)
			return code;
		uint32_t n = f2fs_u32(buf, fs->sb.bs - 8);
		if (n > max)
			return gh_fail(err, GH_BAD, at + fs->sb.bs - 8, "%u deleted files in one block", n);
		for (uint32_t i = 0; i < n; i++)
			orphan(fs, f2fs_u32(buf, 4 * i));
		*ret += n;
	}
	return GH_OK;
}
