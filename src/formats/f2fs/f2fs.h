/* SPDX-License-Identifier: Apache-2.0 */
/* F2FS: what the files of this reader share. The on-disk format is described by include/linux/f2fs_fs.h and
 * Documentation/filesystems/f2fs.rst of the Linux kernel. */
#ifndef GH_FORMATS_F2FS_F2FS_H
#define GH_FORMATS_F2FS_F2FS_H

#include "base/num.h"
#include "tree/plugin.h"

enum {
	F2FS_SUPER_AT = 1024, /* in each of the first two blocks */
	F2FS_SUPER_LEN = 3072,
	F2FS_BITS_MIN =
		9, /* an inode of a block of 512 bytes has room for 27 addresses; the kernel's blocks are pages, */
	F2FS_BITS_MAX = 16, /* and 64 KiB its largest */
	F2FS_SEG_BITS_MAX = 16, /* blocks of a segment; the kernel's are 2^9 */
	F2FS_FOOTER = 24, /* at the end of every node block */
	F2FS_ADDRS_AT = 360, /* in an inode: extra attributes, then addresses or inline data */
	F2FS_NIDS = 5,
	F2FS_XATTR_SLOTS = 50, /* addresses that inline attributes take where the inode does not say */
	F2FS_JOURNAL_MAX = 640, /* NAT entries in a summary block of 64 KiB */
	F2FS_WINDOW = 64 << 10, /* metadata is read in such pieces: inodes written one after the other lie so */
	F2FS_WINDOWS = 8,
	F2FS_VALUE_MAX = 4096, /* of an attribute: labels are at most a page, capabilities 24 bytes */
	F2FS_LINK_MAX = 4096, /* PATH_MAX: the kernel makes no longer link */
	F2FS_NAME_MAX = 255,
};

#define F2FS_MAGIC 0xf2f52010u

/* Block addresses that are none. */
#define F2FS_NULL_ADDR 0u
#define F2FS_NEW_ADDR 0xffffffffu /* reserved, never written: zeros */
#define F2FS_COMPRESS_ADDR 0xfffffffeu /* the first of a compressed cluster */

enum { /* features */
	F2FS_INODE_CHKSUM = 0x20,
	F2FS_FLEXIBLE_XATTR = 0x40,
	F2FS_QUOTA_INO = 0x80,
	F2FS_SB_CHKSUM = 0x800,
	F2FS_COMPRESSION = 0x2000,
	F2FS_DEVICE_ALIAS = 0x8000,
	F2FS_KNOWN = 0xffff, /* 0x10000 packs summaries: where the NAT journal lies then is not known here */
};

enum { /* i_inline */
	F2FS_INLINE_XATTR = 0x01,
	F2FS_INLINE_DATA = 0x02,
	F2FS_INLINE_DENTRY = 0x04,
	F2FS_HAS_EXTRA = 0x20,
};

enum { /* i_advise */
	F2FS_ADV_ENCRYPT = 0x04,
	F2FS_ADV_VERITY = 0x40,
};

#define F2FS_FL_COMPR 0x4u /* i_flags */
#define F2FS_FL_DEVICE_ALIAS 0x80000000u

enum { F2FS_LZO, F2FS_LZ4, F2FS_ZSTD, F2FS_LZORLE, F2FS_N_ALGORITHMS };
enum { F2FS_COMPRESS_CHKSUM = 1 }; /* i_compress_flag */

/* From S_IFMT. */
enum {
	F2FS_S_FMT = 0xf000,
	F2FS_S_FIFO = 0x1000,
	F2FS_S_CHR = 0x2000,
	F2FS_S_DIR = 0x4000,
	F2FS_S_BLK = 0x6000,
	F2FS_S_REG = 0x8000,
	F2FS_S_LNK = 0xa000,
	F2FS_S_SOCK = 0xc000,
};

struct f2fs_super {
	uint64_t at; /* where the copy in use lies */
	uint64_t block_count;
	uint32_t bits, bs, seg_bits;
	uint32_t cp, nat, main, payload; /* block addresses; payload: blocks of version bitmaps in a checkpoint pack */
	uint32_t nat_segments, main_segments, segment0;
	uint32_t root;
	uint32_t features;
	uint32_t quota[3]; /* inodes without a name; 0: none */
	uint8_t uuid[16];
	uint32_t seed; /* of inode checksums */
	uint32_t nids; /* node numbers below this can be looked up */
	uint64_t end; /* block behind the main area */
	uint64_t here; /* blocks from here on lie on another device; UINT64_MAX: none does */
	uint8_t label[1024]; /* UTF-16, little endian */
};

struct f2fs_cp {
	uint64_t at; /* of the pack in use */
	uint64_t version;
	uint32_t flags, crc;
	uint32_t blocks, start_sum;
	uint32_t inodes;
	uint32_t warm_seg, warm_off; /* where a node would be written next by fsync */
	uint32_t bitmap_len;
	uint8_t *bitmap; /* of bit n: NAT block n lies in the second half of its pair of segments */
};

struct f2fs_nat {
	uint32_t nid, ino, block;
	uint64_t at; /* of the entry itself in the image */
};

struct f2fs_window {
	uint64_t at, used;
	size_t len;
	uint8_t *p;
};

/* Numbers at fixed places of an inode, and what follows from them. */
struct f2fs_inode {
	uint32_t ino;
	uint64_t at; /* in the image */
	uint64_t size, blocks;
	int64_t mtime;
	uint32_t mode, uid, gid, nlink, flags, xattr_nid;
	uint8_t advise, inl;
	uint32_t extra; /* all in addresses of 4 bytes: extra attributes, */
	uint32_t xattrs; /* inline attributes (or the room for them), */
	uint32_t addrs; /* and what is left for addresses or inline data */
	bool packed; /* compressed clusters may occur */
	uint8_t algorithm, cluster_bits;
	uint16_t compress_flag;
	const uint8_t *raw; /* the block, in the caller's buffer */
};

struct f2fs_cluster {
	uint32_t index; /* in the file, in clusters */
	uint32_t n; /* blocks */
	size_t first; /* in addrs */
};

/* Where a file's content lies. Arrays are kept and reused from file to file. */
struct f2fs_map {
	struct gh_extent *ext;
	size_t n, cap;
	struct f2fs_cluster *cluster;
	size_t clusters, cluster_cap;
	uint32_t *addr;
	size_t addrs, addr_cap;
};

struct f2fs_xattrs {
	struct gh_str selinux;
	uint64_t caps;
};

struct f2fs_dir {
	uint32_t ino, parent;
	uint64_t inode_at;
	bool encrypted, inl;
	struct f2fs_map map;
	size_t next_ext;
	uint64_t next_at; /* in the directory: block to be read next */
	uint8_t *buf; /* a block of entries, or the inline ones */
	uint64_t buf_at; /* in the image */
	uint32_t slots, pos; /* of buf; pos == slots: the next block is due */
	size_t entries_at, names_at;
	size_t path_len; /* of the directory's own path, without the closing slash */
};

struct f2fs_dirent {
	uint32_t ino, hash;
	uint8_t type;
	uint64_t at; /* in the image */
	struct gh_str name;
};

/* What notes are about: of each, only the first few are told singly (see f2fs_note). */
enum f2fs_topic { F2FS_T_INODE, F2FS_T_DIR, F2FS_T_ENTRY, F2FS_T_MAP, F2FS_T_XATTR, F2FS_T_CRYPT, F2FS_N_TOPICS };

struct f2fs {
	struct gh_ctx *ctx; /* of the call at hand */
	struct gh_source *src;
	struct f2fs_super sb;
	struct f2fs_cp cp;
	struct gh_err damage; /* why the first superblock is not used; code 0: it is */
	struct gh_err cp_damage; /* why one of the two checkpoint packs is not whole */
	struct gh_err journal_damage; /* why its journal was not read */
	struct f2fs_nat journal[F2FS_JOURNAL_MAX]; /* newer than the NAT itself */
	uint32_t n_journal;
	struct f2fs_window win[F2FS_WINDOWS];
	uint64_t clock;
	uint8_t *raw; /* blocks: of an inode, */
	uint8_t *xnode; /* inline attributes and those of a node of their own, */
	uint8_t *node[3]; /* and of a file's tree, by level */
	bool quiet; /* only content is read: what is wrong with inodes and attributes was told by the listing */
	uint32_t noted[F2FS_N_TOPICS];
	struct f2fs_walk *walk; /* of a listing */
};

static inline uint16_t f2fs_u16(const uint8_t *p, size_t off)
{
	struct gh_cursor c = gh_cursor(p + off, 2, 0);
	return gh_u16(&c);
}

static inline uint32_t f2fs_u32(const uint8_t *p, size_t off)
{
	struct gh_cursor c = gh_cursor(p + off, 4, 0);
	return gh_u32(&c);
}

static inline uint64_t f2fs_u64(const uint8_t *p, size_t off)
{
	struct gh_cursor c = gh_cursor(p + off, 8, 0);
	return gh_u64(&c);
}

/* Addresses of blocks in a node block that is not an inode, also numbers of nodes. */
static inline uint32_t f2fs_per_node(const struct f2fs_super *sb)
{
	return (sb->bs - F2FS_FOOTER) / 4;
}

/* Addresses that an inode has room for, extra attributes included. */
static inline uint32_t f2fs_per_inode(const struct f2fs_super *sb)
{
	return (sb->bs - F2FS_ADDRS_AT - 4 * F2FS_NIDS - F2FS_FOOTER) / 4;
}

static inline uint32_t f2fs_nids_at(const struct f2fs_super *sb)
{
	return F2FS_ADDRS_AT + 4 * f2fs_per_inode(sb);
}

/* f2fs.c */
void f2fs_note(struct f2fs *fs, enum f2fs_topic topic, enum gh_code code, uint64_t at, const char *fmt, ...)
	GH_PRINTF(5, 6);
void f2fs_note_rest(struct f2fs *fs);
/* Ends a listing: our memory or a budget is spent. Everything else is noted and stepped over. */
static inline bool f2fs_fatal(enum gh_code code)
{
	return code == GH_NOMEM || code == GH_LIMIT;
}
/* Notes err unless its code is fatal, which is returned. */
enum gh_code f2fs_step_over(struct f2fs *fs, enum f2fs_topic topic, const struct gh_err *err) GH_MUST;

/* f2fs_super.c */
uint32_t f2fs_crc(uint32_t crc, const void *p, size_t n);
/* Numbers that a superblock of 3072 bytes at `at` holds. An error: nothing can be read with them, or it is damaged. */
enum gh_code f2fs_super_parse(const uint8_t *raw, uint64_t at, struct f2fs_super *ret, struct gh_err *err) GH_MUST;
enum gh_code f2fs_super_find(struct f2fs *fs, struct gh_err *err) GH_MUST;
struct gh_str f2fs_label(struct gh_arena *arena, const struct f2fs_super *sb);
struct gh_str f2fs_features(struct gh_arena *arena, const struct f2fs_super *sb);

/* f2fs_cp.c */
enum gh_code f2fs_cp_find(struct f2fs *fs, struct gh_err *err) GH_MUST;
/* Nodes that fsync wrote after the checkpoint: replaying them is the kernel's business, and not done here. */
enum gh_code f2fs_cp_fsynced(struct f2fs *fs, uint32_t *ret, struct gh_err *err) GH_MUST;
/* Calls back for each inode that was deleted while it was open. */
enum gh_code f2fs_cp_orphans(
	struct f2fs *fs, void (*orphan)(struct f2fs *fs, uint32_t ino), uint32_t *ret, struct gh_err *err) GH_MUST;

/* f2fs_nat.c */
enum gh_code f2fs_meta_init(struct f2fs *fs, struct gh_err *err) GH_MUST;
enum gh_code f2fs_meta_read(struct f2fs *fs, uint64_t at, void *buf, size_t n, struct gh_err *err) GH_MUST;
/* One block by its address. GH_UNSUP where it lies on another device. */
enum gh_code f2fs_block(struct f2fs *fs, uint64_t block, void *buf, struct gh_err *err) GH_MUST;
/* Where a node lies; ret->block is F2FS_NULL_ADDR for one that does not exist. */
enum gh_code f2fs_nat(struct f2fs *fs, uint32_t nid, struct f2fs_nat *ret, struct gh_err *err) GH_MUST;
/* The next node from *nid on (first 0) that the table knows, be it so by the journal or not; buf is a block that the caller keeps between
 * calls. GH_END behind the last; with an error goes on behind the block of the table that cannot be read. */
enum gh_code f2fs_nat_next(
	struct f2fs *fs, uint32_t *nid, uint8_t *buf, struct f2fs_nat *ret, struct gh_err *err) GH_MUST;
/* A node's block into buf, and where it lies. ino: the file it should belong to. */
enum gh_code f2fs_node(
	struct f2fs *fs, uint32_t nid, uint32_t ino, uint8_t *buf, uint64_t *ret_at, struct gh_err *err) GH_MUST;

/* f2fs_inode.c */
enum gh_code f2fs_inode(
	struct f2fs *fs, uint32_t ino, uint8_t *raw, struct f2fs_inode *ret, struct gh_err *err) GH_MUST;
uint64_t f2fs_rdev(const struct f2fs_inode *in);
/* Inline data: where it lies in the image, and how much there is room for. */
uint64_t f2fs_inline(const struct f2fs_inode *in, uint64_t *ret_room);

/* f2fs_xattr.c */
/* Label and capabilities, in a buffer that the next call overwrites; what is malformed is noted. */
enum gh_code f2fs_xattrs(
	struct f2fs *fs, const struct f2fs_inode *in, struct f2fs_xattrs *ret, struct gh_err *err) GH_MUST;

/* f2fs_map.c */
/* Extents and clusters of the first `size` bytes. */
enum gh_code f2fs_map(
	struct f2fs *fs, const struct f2fs_inode *in, uint64_t size, struct f2fs_map *map, struct gh_err *err) GH_MUST;
enum gh_code f2fs_map_put(struct f2fs *fs, struct f2fs_map *map, const struct gh_extent *e, struct gh_err *err) GH_MUST;
/* The content as a source; arena memory is the call's. */
enum gh_code f2fs_data(struct f2fs *fs, const struct f2fs_inode *in, uint64_t size, struct gh_source **ret,
	struct gh_err *err) GH_MUST;
/* Where a file begins if it lies in one piece; else UINT64_MAX. */
uint64_t f2fs_start(const struct f2fs *fs, const struct f2fs_inode *in);

/* f2fs_z.c */
/* The compressed clusters of a map as a source over the whole file; between them it has nothing. */
enum gh_code f2fs_z(struct f2fs *fs, const struct f2fs_inode *in, const struct f2fs_map *map, uint64_t size,
	struct gh_source **ret, struct gh_err *err) GH_MUST;

/* f2fs_dir.c */
enum gh_code f2fs_dir_open(
	struct f2fs *fs, const struct f2fs_inode *in, struct f2fs_dir *d, struct gh_err *err) GH_MUST;
enum gh_code f2fs_dir_next(struct f2fs *fs, struct f2fs_dir *d, struct f2fs_dirent *ret, struct gh_err *err) GH_MUST;

/* f2fs_walk.c */
enum gh_code f2fs_walk_next(struct f2fs *fs, struct gh_child *ret, struct gh_err *err) GH_MUST;

#endif
