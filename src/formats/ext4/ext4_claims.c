/* SPDX-License-Identifier: Apache-2.0 */
/* ext4: blocks of structure that nobody has to read to list the files: copies of superblock and descriptors with the blocks kept for
 * more of them, bitmaps, inode tables, the journal (kernel Documentation/filesystems/ext4/blockgroup.rst, super.rst). */
#include "formats/ext4/ext4.h"

enum {
	INO_RESIZE = 7,
	INO_JOURNAL = 8,
	RESERVED_GDT = 0xce, /* in the superblock: blocks kept behind the descriptors */
};

static void claim_inode(struct ext4 *fs, uint32_t ino, void (*claim)(void *to, uint64_t off, uint64_t len), void *to)
{
	struct ext4_inode in;
	struct ext4_map map = {0};
	struct gh_err err;
	if (ext4_inode(fs, ino, fs->raw, &in, &err) || !in.size || in.flags & EXT4_FL_INLINE ||
		ext4_map(fs, &in, in.size, &map, &err))
		return;
	for (size_t i = 0; i < map.n; i++)
		if (map.ext[i].below == fs->src)
			claim(to, map.ext[i].from, map.ext[i].len);
}

void ext4_claims(struct ext4 *fs, void (*claim)(void *to, uint64_t off, uint64_t len), void *to)
{
	const struct ext4_super *sb = &fs->sb;
	uint64_t bs = sb->bs, table = ((uint64_t)sb->inodes_per_group * sb->inode_size + bs - 1) / bs;
	uint8_t raw[2];
	struct gh_err err;
	uint64_t reserved = gh_read(fs->src, sb->at + RESERVED_GDT, raw, 2, &err) ? 0 : ext4_u16(raw, 0);
	claim(to, 0, sb->bs == 1024 ? 2048 : bs); /* the boot sector's place, and the superblock */
	for (uint32_t g = 0; g < sb->groups; g++) {
		struct ext4_group group;
		uint64_t copies = ext4_copies(sb, g), first = sb->first_data_block + (uint64_t)g * sb->blocks_per_group;
		if (gh_spend_steps(fs->ctx->budget, 1, sb->at, &err))
			return;
		if (copies)
			claim(to, first * bs, (copies + reserved) * bs);
		if (ext4_group(fs, g, &group, &err))
			continue;
		claim(to, group.block_bitmap * bs, bs);
		claim(to, group.inode_bitmap * bs, bs);
		claim(to, group.inode_table * bs, table * bs);
	}
	claim_inode(fs, INO_RESIZE, claim, to);
	claim_inode(fs, INO_JOURNAL, claim, to);
}
