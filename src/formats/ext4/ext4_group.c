/* SPDX-License-Identifier: Apache-2.0 */
/* ext4: group descriptors, where each lies and whether it is sound (kernel Documentation/filesystems/ext4/group_descr.rst,
 * "Meta Block Groups" in blockgroup.rst). */
#include "formats/ext4/ext4.h"

enum { COPIES = 3 }; /* the descriptors in use, and two of their copies that are tried when these are damaged */

static bool is_power_of(uint32_t v, uint32_t base)
{
	uint64_t p = base;
	while (p < v)
		p *= base;
	return p == v;
}

/* Does group g begin with a copy of the superblock? */
static bool has_super(const struct ext4_super *sb, uint32_t g)
{
	if (g == 0)
		return true;
	if (sb->compat & EXT4_C_SPARSE_SUPER2)
		return g == sb->backup_bgs[0] || g == sb->backup_bgs[1];
	if (g == 1 || !(sb->ro_compat & EXT4_R_SPARSE_SUPER))
		return true;
	return is_power_of(g, 3) || is_power_of(g, 5) || is_power_of(g, 7);
}

uint64_t ext4_copies(const struct ext4_super *sb, uint32_t g)
{
	uint64_t per_block = sb->bs / sb->desc_size, all = (sb->groups + per_block - 1) / per_block;
	if (sb->incompat &
		EXT4_I_META_BG) /* a block of descriptors in three groups of each set: read where it is in use */
		return has_super(sb, g) + 1;
	return has_super(sb, g) ? 1 + all : 0;
}

/* The group that holds the k-th copy of all descriptors; 0 where there is none (k > 0). */
static uint32_t copy_group(const struct ext4_super *sb, unsigned k)
{
	if (sb->compat & EXT4_C_SPARSE_SUPER2)
		return k > 0 && sb->backup_bgs[k - 1] < sb->groups ? sb->backup_bgs[k - 1] : 0;
	uint32_t g = k == 0 ? 0 : k == 1 ? 1 : 3;
	return g < sb->groups ? g : 0;
}

/* The block that holds the idx-th block of descriptors, in the k-th copy; false where there is no such copy. */
static bool gdt_block(const struct ext4_super *sb, unsigned k, uint32_t idx, uint64_t *ret)
{
	/* With blocks of 1 KiB the first superblock is block 1, whether or not the groups begin there (bigalloc: they do not). */
	uint32_t boot = sb->bs == 1024 && sb->first_data_block == 0;
	if (!(sb->incompat & EXT4_I_META_BG) || idx < sb->first_meta_bg) {
		uint32_t g = copy_group(sb, k);
		if (k > 0 && g == 0)
			return false;
		*ret = sb->first_data_block + (uint64_t)g * sb->blocks_per_group + 1 + idx + (g == 0 ? boot : 0);
		return true;
	}
	uint32_t per_block = sb->bs / sb->desc_size;
	uint64_t g = (uint64_t)idx * per_block + (k == 0 ? 0 : k == 1 ? 1 : per_block - 1);
	if (g >= sb->groups)
		return false;
	*ret = sb->first_data_block + g * sb->blocks_per_group + has_super(sb, (uint32_t)g) + (g == 0 ? boot : 0);
	return true;
}

/* CRC-16 (polynomial 0x8005, reflected), as uninit_bg uses it; half a byte at a time: a hostile image has many groups. */
static uint16_t crc16(uint16_t crc, const uint8_t *p, size_t n)
{
	static const uint16_t half[16] = {0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401, 0xa001,
		0x6c00, 0x7800, 0xb401, 0x5000, 0x9c01, 0x8801, 0x4400};
	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		crc = (uint16_t)(crc >> 4 ^ half[crc & 15]);
		crc = (uint16_t)(crc >> 4 ^ half[crc & 15]);
	}
	return crc;
}

static bool desc_csum_ok(const struct ext4_super *sb, uint32_t g, const uint8_t *d)
{
	const uint8_t nr[4] = {(uint8_t)g, (uint8_t)(g >> 8), (uint8_t)(g >> 16), (uint8_t)(g >> 24)};
	if (ext4_has_csum(sb)) {
		uint32_t crc = gh_crc32c(sb->seed, nr, 4);
		crc = gh_crc32c(crc, d, 0x1e);
		crc = gh_crc32c(crc, "\0", 2);
		crc = gh_crc32c(crc, d + 0x20, sb->desc_size - 0x20);
		return (crc & 0xffff) == ext4_u16(d, 0x1e);
	}
	if (!(sb->ro_compat & EXT4_R_GDT_CSUM))
		return true;
	uint16_t crc = crc16(crc16(crc16(0xffff, sb->uuid, 16), nr, 4), d, 0x1e);
	return crc16(crc, d + 0x20, sb->desc_size - 0x20) == ext4_u16(d, 0x1e);
}

static bool range_ok(const struct ext4_super *sb, uint64_t block, uint64_t n)
{
	return block >= sb->first_data_block && block > 0 && gh_within(block, n, sb->blocks);
}

static uint64_t table_blocks(const struct ext4_super *sb)
{
	return ((uint64_t)sb->inodes_per_group * sb->inode_size + sb->bs - 1) / sb->bs;
}

/* The descriptor of group g in copy k. GH_BAD: no such copy, or no table can be where it says. */
static enum gh_code group_copy(struct ext4 *fs, unsigned k, uint32_t g, struct ext4_group *ret, struct gh_err *err)
{
	const struct ext4_super *sb = &fs->sb;
	uint32_t per_block = sb->bs / sb->desc_size;
	uint64_t block;
	if (!gdt_block(sb, k, g / per_block, &block))
		return gh_fail(err, GH_BAD, sb->at, "no copy of the group descriptors");
	enum gh_code code = ext4_block(fs, &fs->gdt, block, err);
	if (code)
		return code;
	size_t off = (size_t)(g % per_block) * sb->desc_size;
	const uint8_t *d = fs->gdt.buf + off;
	*ret = (struct ext4_group){.at = fs->gdt.at + off, .flags = ext4_u16(d, 0x12)};
	ret->block_bitmap = ext4_u32(d, 0x00);
	ret->inode_bitmap = ext4_u32(d, 0x04);
	ret->inode_table = ext4_u32(d, 0x08);
	if (sb->desc_size >= 64) {
		ret->block_bitmap |= (uint64_t)ext4_u32(d, 0x20) << 32;
		ret->inode_bitmap |= (uint64_t)ext4_u32(d, 0x24) << 32;
		ret->inode_table |= (uint64_t)ext4_u32(d, 0x28) << 32;
	}
	if (!range_ok(sb, ret->inode_table, table_blocks(sb)))
		return gh_fail(err, GH_BAD, ret->at + 8, "group %u: its inode table at block %llu lies outside", g,
			(unsigned long long)ret->inode_table);
	ret->sound = desc_csum_ok(sb, g, d);
	return GH_OK;
}

enum gh_code ext4_group(struct ext4 *fs, uint32_t g, struct ext4_group *ret, struct gh_err *err)
{
	*ret = (struct ext4_group){0};
	struct ext4_group copy = {0};
	struct gh_err ignored;
	enum gh_code code = group_copy(fs, 0, g, ret, err);
	if ((code == GH_OK && ret->sound) || ext4_fatal(code))
		return code;
	for (unsigned k = 1; k < COPIES; k++)
		if (group_copy(fs, k, g, &copy, &ignored) == GH_OK && copy.sound) {
			*ret = copy;
			return GH_OK;
		}
	return code;
}

enum gh_code ext4_groups_check(struct ext4 *fs, struct gh_err *err)
{
	struct ext4_group first = {0}, used = {0};
	for (uint32_t g = 0; g < fs->sb.groups; g++) {
		enum gh_code code = gh_spend_steps(fs->ctx->budget, 1, fs->sb.at, err);
		if (!code)
			code = group_copy(fs, 0, g, &first, err);
		if (ext4_fatal(code))
			return code;
		if (code == GH_SHORT) { /* all that follow lie behind the end too */
			gh_note(fs->ctx, code, err->at, "group descriptors from %u on lie behind the end of the image",
				g);
			return GH_OK;
		}
		if (code == GH_OK && first.sound)
			continue;
		uint64_t at = code ? err->at : first.at;
		struct gh_err lost;
		bool other = ext4_group(fs, g, &used, &lost) == GH_OK && used.at != (code ? 0 : first.at);
		ext4_note(fs, EXT4_T_GROUP, GH_BAD, at, "group %u: %s%s", g,
			code ? "its inode table lies outside" : "descriptor checksum does not match",
			other ? "; its copy is used" : "");
	}
	return GH_OK;
}
