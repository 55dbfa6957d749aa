/* SPDX-License-Identifier: Apache-2.0 */
/* ext4: the superblock and its copies (kernel Documentation/filesystems/ext4/super.rst, group_descr.rst). */
#include "formats/ext4/ext4.h"

enum {
	LOG_BS_MAX = 6, /* 64 KiB: the largest the format allows */
	OFF_CHECKSUM = 0x3fc,
};

static void super_fields(const uint8_t *raw, struct ext4_super *sb)
{
	sb->inodes = ext4_u32(raw, 0x00);
	sb->blocks = ext4_u32(raw, 0x04);
	sb->first_data_block = ext4_u32(raw, 0x14);
	sb->log_bs = ext4_u32(raw, 0x18);
	sb->log_cluster = ext4_u32(raw, 0x1c);
	sb->blocks_per_group = ext4_u32(raw, 0x20);
	sb->clusters_per_group = ext4_u32(raw, 0x24);
	sb->inodes_per_group = ext4_u32(raw, 0x28);
	sb->creator = ext4_u32(raw, 0x48);
	sb->rev = ext4_u32(raw, 0x4c);
	sb->group_nr = ext4_u16(raw, 0x5a);
	memcpy(sb->uuid, raw + 0x68, sizeof sb->uuid);
	memcpy(sb->label, raw + 0x78, 16);
	memcpy(sb->mounted_on, raw + 0x88, 64);
	sb->inode_size = EXT4_BODY;
	sb->first_ino = 11;
	sb->desc_size = 32;
}

/* What revision 0 does not have. */
static void super_fields_rev1(const uint8_t *raw, struct ext4_super *sb)
{
	sb->first_ino = ext4_u32(raw, 0x54);
	sb->inode_size = ext4_u16(raw, 0x58);
	sb->compat = ext4_u32(raw, 0x5c);
	sb->incompat = ext4_u32(raw, 0x60);
	sb->ro_compat = ext4_u32(raw, 0x64);
	sb->last_orphan = ext4_u32(raw, 0xe8);
	sb->first_meta_bg = ext4_u32(raw, 0x104);
	sb->mkfs_time = (int64_t)(ext4_u32(raw, 0x108) | (uint64_t)raw[0x276] << 32);
	sb->backup_bgs[0] = ext4_u32(raw, 0x24c);
	sb->backup_bgs[1] = ext4_u32(raw, 0x250);
	sb->prj_quota = ext4_u32(raw, 0x26c);
	sb->orphan_file = sb->compat & EXT4_C_ORPHAN_FILE ? ext4_u32(raw, 0x280) : 0;
	if (sb->incompat & EXT4_I_64BIT) {
		sb->desc_size = ext4_u16(raw, 0xfe);
		sb->blocks |= (uint64_t)ext4_u32(raw, 0x150) << 32;
	}
	sb->seed = sb->incompat & EXT4_I_CSUM_SEED ? ext4_u32(raw, 0x270) : gh_crc32c(~0u, sb->uuid, 16);
}

static bool power_of_2(uint64_t v)
{
	return v && !(v & (v - 1));
}

/* Can the file system be read at all with these numbers? */
static enum gh_code super_geometry(struct ext4_super *sb, struct gh_err *err)
{
	uint64_t at = sb->at;
	if (sb->log_bs > LOG_BS_MAX)
		return gh_fail(err, GH_BAD, at + 0x18, "block size 2^%u is not one of ext4", 10 + (unsigned)sb->log_bs);
	sb->bs = 1024u << sb->log_bs;
	uint64_t ratio = 1;
	if (sb->ro_compat & EXT4_R_BIGALLOC) {
		if (sb->log_cluster < sb->log_bs || sb->log_cluster > 20)
			return gh_fail(err, GH_BAD, at + 0x1c, "cluster size 2^%u does not go with the block size",
				10 + (unsigned)(sb->log_cluster & 0xff));
		ratio = 1ull << (sb->log_cluster - sb->log_bs);
	}
	if (!sb->blocks_per_group || sb->blocks_per_group > 8ull * sb->bs * ratio)
		return gh_fail(err, GH_BAD, at + 0x20, "%u blocks a group: its bitmap does not hold them",
			sb->blocks_per_group);
	if (!sb->inodes_per_group || sb->inodes_per_group > 8ull * sb->bs)
		return gh_fail(err, GH_BAD, at + 0x28, "%u inodes a group: its bitmap does not hold them",
			sb->inodes_per_group);
	if (sb->inode_size < EXT4_BODY || sb->inode_size > sb->bs || !power_of_2(sb->inode_size))
		return gh_fail(err, GH_BAD, at + 0x58, "inode size %u", sb->inode_size);
	if (sb->desc_size < 32 || sb->desc_size > sb->bs || !power_of_2(sb->desc_size) ||
		(sb->incompat & EXT4_I_64BIT && sb->desc_size < 64))
		return gh_fail(err, GH_BAD, at + 0xfe, "group descriptor size %u", sb->desc_size);
	if (sb->first_data_block >= sb->blocks || sb->blocks >> 48)
		return gh_fail(err, GH_BAD, at + 0x04, "%llu blocks, the first one %u", (unsigned long long)sb->blocks,
			sb->first_data_block);
	uint64_t groups = (sb->blocks - sb->first_data_block - 1) / sb->blocks_per_group + 1;
	if (groups > UINT32_MAX)
		return gh_fail(err, GH_BAD, at + 0x20, "more than 2^32 groups");
	sb->groups = (uint32_t)groups;
	return GH_OK;
}

/* Reads the 1024 bytes of a superblock that lies at `at`. An error: nothing can be read with it. *ret_suspect is set
 * (code != 0) where it can, but is damaged. */
enum gh_code ext4_super_parse(
	const uint8_t *raw, uint64_t at, struct ext4_super *ret, struct gh_err *ret_suspect, struct gh_err *err)
{
	*ret = (struct ext4_super){.at = at};
	ret_suspect->code = GH_OK;
	if (ext4_u16(raw, 0x38) != EXT4_MAGIC)
		return gh_fail(err, GH_BAD, at + 0x38, "no ext4 superblock");
	super_fields(raw, ret);
	if (ret->rev > 1)
		return gh_fail(err, GH_UNSUP, at + 0x4c, "revision %u of the format", ret->rev);
	if (ret->rev == 1)
		super_fields_rev1(raw, ret);
	enum gh_code code = super_geometry(ret, err);
	if (code)
		return code;
	if (ext4_has_csum(ret) && gh_crc32c(~0u, raw, OFF_CHECKSUM) != ext4_u32(raw, OFF_CHECKSUM))
		gh_fail(ret_suspect, GH_BAD, at + OFF_CHECKSUM, "superblock checksum does not match");
	else if ((uint64_t)ret->groups * ret->inodes_per_group != ret->inodes)
		gh_fail(ret_suspect, GH_BAD, at, "%u inodes, but %u groups of %u", ret->inodes, ret->groups,
			ret->inodes_per_group);
	return GH_OK;
}

static enum gh_code super_read(
	struct ext4 *fs, uint64_t at, struct ext4_super *ret, struct gh_err *ret_suspect, struct gh_err *err)
{
	uint8_t raw[EXT4_SUPER_SIZE];
	enum gh_code code = gh_read(fs->src, at, raw, sizeof raw, err);
	return code ? code : ext4_super_parse(raw, at, ret, ret_suspect, err);
}

/* The copy in group g, were the geometry so: sound, and of this very place. */
static bool super_copy(struct ext4 *fs, unsigned log_bs, uint64_t per_group, uint32_t g, struct ext4_super *ret)
{
	struct gh_err suspect, err;
	uint64_t first = log_bs == 0 && per_group == 8192 ? 1 : 0;
	uint64_t at = (first + g * per_group) << (10 + log_bs);
	return super_read(fs, at, ret, &suspect, &err) == GH_OK && !suspect.code &&
	       (ret->rev == 0 || ret->group_nr == g) && ret->log_bs == log_bs && ret->blocks_per_group == per_group;
}

/* Looks for a sound copy where mke2fs puts them by default: groups 1 and powers of 3, 5, 7, for each block size. */
static bool super_any_copy(struct ext4 *fs, struct ext4_super *ret)
{
	static const uint8_t groups[] = {1, 3, 5, 7, 9, 25, 27, 49};
	for (unsigned log_bs = 0; log_bs <= LOG_BS_MAX; log_bs++) {
		uint64_t per_group = 8ull * 1024 << log_bs;
		for (size_t i = 0; i < GH_COUNT(groups); i++)
			if (super_copy(fs, log_bs, gh_min(per_group, 65528), groups[i], ret))
				return true;
		for (unsigned ratio = 1; ratio <= 6; ratio++)
			if (super_copy(fs, log_bs, per_group << ratio, 1, ret))
				return true;
	}
	return false;
}

static enum gh_code super_supported(const struct ext4_super *sb, struct gh_err *err)
{
	if (sb->incompat & EXT4_I_JOURNAL_DEV)
		return gh_fail(err, GH_UNSUP, sb->at + 0x60, "an external journal, not a file system");
	uint32_t unknown = sb->incompat & ~(uint32_t)EXT4_I_KNOWN;
	if (unknown)
		return gh_fail(err, GH_UNSUP, sb->at + 0x60, "incompatible features 0x%x are not known", unknown);
	return GH_OK;
}

enum gh_code ext4_super_find(struct ext4 *fs, struct gh_err *err)
{
	struct gh_err suspect, first;
	struct ext4_super copy;
	enum gh_code code = super_read(fs, EXT4_SUPER_AT, &fs->sb, &suspect, &first);
	if (code == GH_OK && !suspect.code)
		return super_supported(&fs->sb, err);
	if (code && code != GH_BAD && code != GH_UNSUP) {
		*err = first;
		return code;
	}
	bool found = super_any_copy(fs, &copy);
	if (code && !found) {
		*err = first;
		return code;
	}
	/* A copy of another, older file system may lie there too: it must be of the same one where that can be known. */
	if (found && (code || memcmp(copy.uuid, fs->sb.uuid, 16) == 0)) {
		fs->sb = copy;
		suspect = code ? first : suspect;
	}
	fs->damage = suspect;
	return super_supported(&fs->sb, err);
}

static struct gh_str feature_word(struct gh_arena *arena, struct gh_str sofar, const char *word, char set, unsigned bit)
{
	const char *gap = sofar.n ? " " : "";
	if (word)
		return gh_str_fmt(arena, "%.*s%s%s", (int)sofar.n, sofar.p ? sofar.p : "", gap, word);
	return gh_str_fmt(arena, "%.*s%sFEATURE_%c%u", (int)sofar.n, sofar.p ? sofar.p : "", gap, set, bit);
}

/* The features by the names that e2fsprogs gives them, in its order. */
struct gh_str ext4_features(struct gh_arena *arena, const struct ext4_super *sb)
{
	static const char *const names[3][32] = {
		{"dir_prealloc", "imagic_inodes", "has_journal", "ext_attr", "resize_inode", "dir_index", "lazy_bg",
			NULL, "snapshot_bitmap", "sparse_super2", "fast_commit", "stable_inodes", "orphan_file"},
		{"compression", "filetype", "needs_recovery", "journal_dev", "meta_bg", NULL, "extent", "64bit", "mmp",
			"flex_bg", "ea_inode", NULL, "dirdata", "metadata_csum_seed", "large_dir", "inline_data",
			"encrypt", "casefold"},
		{"sparse_super", "large_file", NULL, "huge_file", "uninit_bg", "dir_nlink", "extra_isize", "snapshot",
			"quota", "bigalloc", "metadata_csum", "replica", "read-only", "project", "shared_blocks",
			"verity", "orphan_present"},
	};
	const uint32_t sets[3] = {sb->compat, sb->incompat, sb->ro_compat};
	struct gh_str s = GH_STR("");
	for (unsigned i = 0; i < 3; i++)
		for (unsigned bit = 0; bit < 32; bit++)
			if (sets[i] >> bit & 1)
				s = feature_word(arena, s, names[i][bit], "CIR"[i], bit);
	return s;
}

/* The oldest of the three that could hold it. */
const char *ext4_kind(const struct ext4_super *sb)
{
	const uint32_t ext3_incompat = EXT4_I_FILETYPE | EXT4_I_RECOVER | EXT4_I_META_BG;
	const uint32_t ext3_ro_compat = 0x7; /* sparse_super, large_file, btree_dir */
	if (sb->incompat & ~ext3_incompat || sb->ro_compat & ~ext3_ro_compat)
		return "ext4";
	return sb->compat & EXT4_C_HAS_JOURNAL ? "ext3" : "ext2";
}
