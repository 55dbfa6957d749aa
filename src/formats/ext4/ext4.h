/* SPDX-License-Identifier: Apache-2.0 */
/* ext2, ext3 and ext4: what the files of this reader share. */
#ifndef GH_FORMATS_EXT4_EXT4_H
#define GH_FORMATS_EXT4_EXT4_H

#include "base/crc32c.h"
#include "base/num.h"
#include "tree/plugin.h"

enum {
	EXT4_SUPER_AT = 1024,
	EXT4_SUPER_SIZE = 1024,
	EXT4_MAGIC = 0xef53,
	EXT4_ROOT_INO = 2,
	EXT4_BODY = 128, /* an inode's fixed part; what it has more is "extra" */
	EXT4_IBLOCK = 0x28, /* 60 bytes: block map, extent root, inline data, link target */
	EXT4_IBLOCK_LEN = 60,
	EXT4_STRETCH = 16 << 10, /* of an inode table or a directory, read at once: 64 inodes of 256 bytes */
	EXT4_VALUE_MAX = 4096, /* of an attribute: labels are at most a page, capabilities 24 bytes */
	EXT4_DEPTH_MAX = 5, /* of an extent tree; the kernel's EXT4_MAX_EXTENT_DEPTH */
};

/* Features. */
enum {
	EXT4_C_HAS_JOURNAL = 0x4,
	EXT4_C_SPARSE_SUPER2 = 0x200,
	EXT4_C_ORPHAN_FILE = 0x1000,
	EXT4_I_COMPRESSION = 0x1,
	EXT4_I_FILETYPE = 0x2,
	EXT4_I_RECOVER = 0x4,
	EXT4_I_JOURNAL_DEV = 0x8,
	EXT4_I_META_BG = 0x10,
	EXT4_I_64BIT = 0x80,
	EXT4_I_EA_INODE = 0x400,
	EXT4_I_CSUM_SEED = 0x2000,
	EXT4_I_LARGEDIR = 0x4000,
	EXT4_I_KNOWN = 0x3f7df, /* all that are defined, but journal_dev included: it is refused by name */
	EXT4_R_SPARSE_SUPER = 0x1,
	EXT4_R_HUGE_FILE = 0x8,
	EXT4_R_GDT_CSUM = 0x10,
	EXT4_R_BIGALLOC = 0x200,
	EXT4_R_METADATA_CSUM = 0x400,
};

/* Inode flags. */
enum {
	EXT4_FL_COMPRBLK = 0x200,
	EXT4_FL_ENCRYPT = 0x800,
	EXT4_FL_INDEX = 0x1000,
	EXT4_FL_HUGE_FILE = 0x40000,
	EXT4_FL_EXTENTS = 0x80000,
	EXT4_FL_EA_INODE = 0x200000,
	EXT4_FL_INLINE = 0x10000000,
};

struct ext4_super {
	uint64_t at; /* where the copy in use lies */
	uint64_t blocks, clusters_per_group;
	uint32_t inodes, first_data_block, bs, log_bs, log_cluster, blocks_per_group, inodes_per_group, groups;
	uint32_t inode_size, desc_size, first_ino, creator, rev, first_meta_bg, group_nr;
	uint32_t compat, incompat, ro_compat, backup_bgs[2];
	uint32_t last_orphan, orphan_file, prj_quota;
	uint32_t seed; /* of every metadata checksum */
	int64_t mkfs_time;
	uint8_t uuid[16];
	char label[17], mounted_on[65];
};

struct ext4_inode {
	uint32_t ino, mode, uid, gid, nlink, flags, gen, extra;
	uint64_t at; /* of the inode in the image */
	uint64_t size, acl, sectors;
	int64_t mtime;
	uint32_t seed; /* of the checksums of this inode's own metadata */
	const uint8_t *raw; /* inode_size bytes, the caller's buffer */
	/* The rest of inline data that does not fit into i_block; set by ext4_xattr(), always inside the inode itself. */
	uint64_t data_at;
	uint32_t data_len;
};

/* Extents of a file's content. `ext` is kept and reused from file to file. */
struct ext4_map {
	struct gh_extent *ext;
	size_t n, cap;
	bool past_end; /* blocks are mapped behind the file's size */
};

/* What is read of extended attributes. */
struct ext4_xattrs {
	struct gh_str selinux;
	uint64_t caps;
};

struct ext4_dir {
	uint32_t ino, parent, seed, flags;
	uint64_t inode_at;
	uint64_t size; /* in bytes, whole blocks */
	uint64_t at; /* what of it was read into buf */
	struct ext4_map map;
	size_t next_ext;
	uint8_t *buf;
	size_t cap, len;
	size_t pos, block_end; /* in buf: the next entry, the end of its block */
	uint64_t buf_at; /* of buf[0] in the image */
	bool inl; /* inline: up to two stretches that lie apart */
	size_t split; /* length of the first */
	uint64_t split_at; /* of the second in the image */
	size_t path_len; /* of the directory's own path, without the closing slash */
};

struct ext4_dirent {
	uint32_t ino;
	uint8_t type;
	uint64_t at; /* in the image */
	struct gh_str name;
};

/* What notes are about: of each, only the first few are told singly (see ext4_note). */
enum ext4_topic {
	EXT4_T_GROUP,
	EXT4_T_INODE,
	EXT4_T_DIR,
	EXT4_T_ENTRY,
	EXT4_T_MAP,
	EXT4_T_XATTR,
	EXT4_T_CRYPT,
	EXT4_N_TOPICS
};

struct ext4_slot {
	uint64_t at; /* in the image */
	size_t len; /* 0: empty */
	uint64_t used;
	uint8_t *buf;
};

enum { EXT4_SLOTS = 8 };

struct ext4 {
	struct gh_ctx *ctx; /* of the call at hand */
	struct gh_source *src;
	struct ext4_super sb;
	struct gh_err damage; /* why the superblock at hand is not trusted, or not the first one; code 0: it is sound */
	bool quiet; /* only content is read: what is wrong with inodes and attributes was told by the listing */
	struct ext4_slot slots[EXT4_SLOTS]; /* stretches of inode tables */
	size_t span; /* of a slot */
	uint64_t clock;
	struct ext4_slot gdt, node[EXT4_DEPTH_MAX],
		acl; /* one block each: descriptors, block maps by level, attributes */
	uint8_t *raw, *ea_raw; /* an inode each */
	uint8_t *ea_label, *ea_caps; /* values that lie in inodes of their own */
	struct ext4_map ea_map;
	uint32_t noted[EXT4_N_TOPICS];
	struct ext4_walk *walk; /* of a listing */
};

/* The first and only way to say that something about topic is malformed. */
void ext4_note(struct ext4 *fs, enum ext4_topic topic, enum gh_code code, uint64_t at, const char *fmt, ...)
	GH_PRINTF(5, 6);
/* How many notes were held back, topic by topic. */
void ext4_note_rest(struct ext4 *fs);
/* Ends a listing: our memory or a budget is spent. Everything else is noted and stepped over. */
static inline bool ext4_fatal(enum gh_code code)
{
	return code == GH_NOMEM || code == GH_LIMIT;
}
/* Notes err unless its code is fatal, which is returned. */
enum gh_code ext4_step_over(struct ext4 *fs, enum ext4_topic topic, const struct gh_err *err) GH_MUST;
/* One block into a slot of one block; nothing is read where the slot has it already. */
enum gh_code ext4_block(struct ext4 *fs, struct ext4_slot *slot, uint64_t block, struct gh_err *err) GH_MUST;

static inline bool ext4_has_csum(const struct ext4_super *sb)
{
	return sb->ro_compat & EXT4_R_METADATA_CSUM;
}

/* Numbers at an offset of a structure whose length was checked. */
static inline uint16_t ext4_u16(const uint8_t *p, size_t off)
{
	struct gh_cursor c = gh_cursor(p + off, 2, 0);
	return gh_u16(&c);
}

static inline uint32_t ext4_u32(const uint8_t *p, size_t off)
{
	struct gh_cursor c = gh_cursor(p + off, 4, 0);
	return gh_u32(&c);
}

/* ext4_super.c */
enum gh_code ext4_super_parse(const uint8_t *raw, uint64_t at, struct ext4_super *ret, struct gh_err *ret_suspect,
	struct gh_err *err) GH_MUST;
enum gh_code ext4_super_find(struct ext4 *fs, struct gh_err *err) GH_MUST;
struct gh_str ext4_features(struct gh_arena *arena, const struct ext4_super *sb);
const char *ext4_kind(const struct ext4_super *sb);

/* ext4_group.c */
struct ext4_group {
	uint64_t block_bitmap, inode_bitmap, inode_table;
	uint16_t flags;
	bool sound; /* checksum and ranges */
	uint64_t at;
};
enum {
	EXT4_BG_INODE_UNINIT = 1,
};
enum gh_code ext4_group(struct ext4 *fs, uint32_t g, struct ext4_group *ret, struct gh_err *err) GH_MUST;
/* Checks every descriptor and notes what is wrong. */
enum gh_code ext4_groups_check(struct ext4 *fs, struct gh_err *err) GH_MUST;

/* ext4_inode.c */
uint32_t ext4_inode_max(const struct ext4_super *sb);
enum gh_code ext4_inode(
	struct ext4 *fs, uint32_t ino, uint8_t *raw, struct ext4_inode *ret, struct gh_err *err) GH_MUST;
uint64_t ext4_rdev(const struct ext4_inode *in);

/* ext4_map.c */
enum gh_code ext4_map(
	struct ext4 *fs, const struct ext4_inode *in, uint64_t size, struct ext4_map *map, struct gh_err *err) GH_MUST;
/* Where a file's content begins when it is one piece that the inode itself names; else UINT64_MAX. */
uint64_t ext4_map_start(const struct ext4_super *sb, const struct ext4_inode *in);
/* n bytes at off of mapped content; what is not mapped is zeros. */
enum gh_code ext4_map_read(
	struct ext4 *fs, const struct ext4_map *map, uint64_t off, uint8_t *buf, size_t n, struct gh_err *err) GH_MUST;
enum gh_code ext4_map_put(struct ext4 *fs, struct ext4_map *map, const struct gh_extent *e, struct gh_err *err) GH_MUST;

/* ext4_xattr.c */
enum gh_code ext4_xattr(struct ext4 *fs, struct ext4_inode *in, struct ext4_xattrs *ret, struct gh_err *err) GH_MUST;

/* ext4_dir.c */
enum gh_code ext4_dir_open(
	struct ext4 *fs, const struct ext4_inode *in, struct ext4_dir *d, struct gh_err *err) GH_MUST;
enum gh_code ext4_dir_next(struct ext4 *fs, struct ext4_dir *d, struct ext4_dirent *ret, struct gh_err *err) GH_MUST;

/* ext4_walk.c */
/* Ranges of structure that listing does not read. */
void ext4_claims(struct ext4 *fs, void (*claim)(void *to, uint64_t off, uint64_t len), void *to);
/* Blocks that copies of the superblock and of all descriptors take at the beginning of group g; 0: it has none. */
uint64_t ext4_copies(const struct ext4_super *sb, uint32_t g);
enum gh_code ext4_walk_next(struct ext4 *fs, struct gh_child *ret, struct gh_err *err) GH_MUST;

#endif
