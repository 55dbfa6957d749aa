/* SPDX-License-Identifier: Apache-2.0 */
/* ext4: inodes (kernel Documentation/filesystems/ext4/inodes.rst). */
#include "formats/ext4/ext4.h"

enum {
	FL_CHECKSUM_LO = 0x7c,
	FL_CHECKSUM_HI = 0x82,
	CREATOR_HURD = 1, /* its inodes use the high word of the attribute block for the mode */
};

uint32_t ext4_inode_max(const struct ext4_super *sb)
{
	return (uint32_t)gh_min((uint64_t)sb->groups * sb->inodes_per_group, UINT32_MAX);
}

/* The slot to fill. */
static struct ext4_slot *slot_oldest(struct ext4 *fs)
{
	struct ext4_slot *best = &fs->slots[0];
	for (size_t i = 1; i < EXT4_SLOTS; i++)
		if (fs->slots[i].used < best->used)
			best = &fs->slots[i];
	return best;
}

/* The inode's bytes, in a slot: inode tables are read in stretches, because neighbours are mostly asked for together. */
static enum gh_code inode_bytes(struct ext4 *fs, uint64_t at, const uint8_t **ret, struct gh_err *err)
{
	for (size_t i = 0; i < EXT4_SLOTS; i++) {
		struct ext4_slot *s = &fs->slots[i];
		if (s->len && at >= s->at && gh_within(at - s->at, fs->sb.inode_size, s->len)) {
			s->used = ++fs->clock;
			*ret = s->buf + (at - s->at);
			return GH_OK;
		}
	}
	struct ext4_slot *s = slot_oldest(fs);
	uint64_t from = at - at % fs->span;
	if (!gh_within(at, fs->sb.inode_size, fs->src->size))
		return gh_fail(err, GH_SHORT, at, "inode lies behind the end of the image");
	s->len = 0;
	size_t n = (size_t)gh_min(fs->span, fs->src->size - from);
	enum gh_code code = gh_read(fs->src, from, s->buf, n, err);
	if (code)
		return code;
	s->at = from;
	s->len = n;
	s->used = ++fs->clock;
	*ret = s->buf + (at - from);
	return GH_OK;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static bool inode_csum_ok(const struct ext4_super *sb, const struct ext4_inode *in)
{
	const uint8_t *p = in->raw;
	bool hi = sb->inode_size > EXT4_BODY && in->extra >= 4;
	uint32_t crc = gh_crc32c(in->seed, p, FL_CHECKSUM_LO);
	crc = gh_crc32c(crc, "\0", 2);
	crc = gh_crc32c(crc, p + 0x7e, 2);
	if (sb->inode_size > EXT4_BODY) {
		crc = gh_crc32c(crc, p + 0x80, 2);
		crc = gh_crc32c(crc, hi ? (const uint8_t *)"\0" : p + FL_CHECKSUM_HI, 2);
		crc = gh_crc32c(crc, p + 0x84, sb->inode_size - 0x84);
	}
	uint32_t stored = ext4_u16(p, FL_CHECKSUM_LO) | (hi ? (uint32_t)ext4_u16(p, FL_CHECKSUM_HI) << 16 : 0);
	return stored == (hi ? crc : crc & 0xffff);
}

/* Seconds, from the signed 32 bits of the format's beginning and two more that count further rounds of them. */
static int64_t inode_mtime(const struct ext4_inode *in)
{
	int64_t t = (int32_t)ext4_u32(in->raw, 0x10);
	bool extra = in->extra >= 0x8c - EXT4_BODY;
	return extra ? t + ((int64_t)(ext4_u32(in->raw, 0x88) & 3) << 32) : t;
}

static void inode_fields(const struct ext4_super *sb, struct ext4_inode *in)
{
	const uint8_t *p = in->raw;
	in->mode = ext4_u16(p, 0x00);
	in->uid = ext4_u16(p, 0x02) | (uint32_t)ext4_u16(p, 0x78) << 16;
	in->gid = ext4_u16(p, 0x18) | (uint32_t)ext4_u16(p, 0x7a) << 16;
	in->nlink = ext4_u16(p, 0x1a);
	in->flags = ext4_u32(p, 0x20);
	in->gen = ext4_u32(p, 0x64);
	in->size = ext4_u32(p, 0x04);
	in->sectors = ext4_u32(p, 0x1c);
	in->acl = ext4_u32(p, 0x68);
	bool regular = (in->mode & 0xf000) == 0x8000;
	if (regular || ((in->mode & 0xf000) == 0x4000 && sb->incompat & EXT4_I_LARGEDIR))
		in->size |= (uint64_t)ext4_u32(p, 0x6c) << 32;
	if (sb->creator != CREATOR_HURD) {
		in->sectors |= sb->ro_compat & EXT4_R_HUGE_FILE ? (uint64_t)ext4_u16(p, 0x74) << 32 : 0;
		in->acl |= sb->incompat & EXT4_I_64BIT ? (uint64_t)ext4_u16(p, 0x76) << 32 : 0;
	}
	if (sb->ro_compat & EXT4_R_HUGE_FILE && in->flags & EXT4_FL_HUGE_FILE)
		in->sectors *= sb->bs / 512;
	in->extra = sb->inode_size > EXT4_BODY ? ext4_u16(p, 0x80) : 0;
}

static void inode_check(struct ext4 *fs, struct ext4_inode *in)
{
	if (in->extra > fs->sb.inode_size - EXT4_BODY || in->extra % 4) {
		ext4_note(fs, EXT4_T_INODE, GH_BAD, in->at + 0x80, "inode %u: extra size %u", in->ino, in->extra);
		in->extra = 0;
	}
	if (!ext4_has_csum(&fs->sb))
		return;
	const uint8_t nr[4] = {
		(uint8_t)in->ino, (uint8_t)(in->ino >> 8), (uint8_t)(in->ino >> 16), (uint8_t)(in->ino >> 24)};
	in->seed = gh_crc32c(gh_crc32c(fs->sb.seed, nr, 4), in->raw + 0x64, 4);
	if (!inode_csum_ok(&fs->sb, in) && !all_zero(in->raw, fs->sb.inode_size))
		ext4_note(fs, EXT4_T_INODE, GH_BAD, in->at + FL_CHECKSUM_LO, "inode %u: checksum does not match",
			in->ino);
}

/* Inode `ino` into *ret and its bytes into raw, a buffer of inode_size. */
enum gh_code ext4_inode(struct ext4 *fs, uint32_t ino, uint8_t *raw, struct ext4_inode *ret, struct gh_err *err)
{
	const struct ext4_super *sb = &fs->sb;
	struct ext4_group group;
	const uint8_t *p = NULL;
	if (ino == 0 || ino > ext4_inode_max(sb))
		return gh_fail(err, GH_BAD, sb->at, "there is no inode %u", ino);
	enum gh_code code = ext4_group(fs, (ino - 1) / sb->inodes_per_group, &group, err);
	if (code)
		return code;
	uint64_t at = group.inode_table * sb->bs + (uint64_t)((ino - 1) % sb->inodes_per_group) * sb->inode_size;
	code = inode_bytes(fs, at, &p, err);
	if (code)
		return code;
	memcpy(raw, p, sb->inode_size);
	*ret = (struct ext4_inode){.ino = ino, .at = at, .raw = raw};
	inode_fields(sb, ret);
	inode_check(fs, ret);
	ret->mtime = inode_mtime(ret);
	return GH_OK;
}

/* The device number of a node as the C library packs it: i_block has the old 16-bit form, or zero and then the new one. */
uint64_t ext4_rdev(const struct ext4_inode *in)
{
	uint32_t old = ext4_u32(in->raw, EXT4_IBLOCK), v = ext4_u32(in->raw, EXT4_IBLOCK + 4);
	uint64_t major = old ? old >> 8 & 0xff : v >> 8 & 0xfff;
	uint64_t minor = old ? old & 0xff : (v & 0xff) | (v >> 12 & 0xfff00);
	return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffull) << 12;
}
