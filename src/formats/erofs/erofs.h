/* SPDX-License-Identifier: Apache-2.0 */
/* EROFS, inside: what the parts of the reader share. The on-disk format is described by fs/erofs/erofs_fs.h of the Linux
 * kernel and Documentation/filesystems/erofs.rst. */
#ifndef GH_FORMATS_EROFS_EROFS_H
#define GH_FORMATS_EROFS_EROFS_H

#include "base/num.h"
#include "tree/plugin.h"

enum {
	EROFS_SB_AT = 1024,
	EROFS_SB_LEN = 128,
	EROFS_BITS_MIN = 9, /* blocks of 512 bytes … */
	EROFS_BITS_MAX = 16, /* … to 64 KiB, the largest page of a Linux machine */
	EROFS_WINDOW =
		16 << 10, /* metadata is read in such pieces: inodes, directories and indexes lie close together */
	EROFS_LINE =
		256, /* where the image is packed in large pieces: below, small reads are kept, and large ones are not */
	EROFS_WINDOWS = 8, /* a directory, its inodes, shared xattrs and an index at once, with some to spare */
	EROFS_DEPTH_MAX = 256, /* directories inside each other; PATH_MAX allows 2048, a phone has about 12 */
	EROFS_NAME_MAX = 255,
	EROFS_PATH_MAX = EROFS_DEPTH_MAX * (EROFS_NAME_MAX + 1),
	EROFS_LINK_MAX = 4096, /* PATH_MAX: a longer target cannot be followed */
	EROFS_VALUE_MAX = 65535, /* an xattr's value has a 16-bit length */
};

enum {
	EROFS_COMPAT_SB_CSUM = 0x01,
	EROFS_COMPAT_PLAIN_PREFIXES = 0x10, /* long name prefixes do not lie in the packed inode */
	EROFS_0PADDING = 0x01,
	EROFS_BIG_PCLUSTER = 0x02, /* also: compression configurations follow the superblock */
	EROFS_CHUNKED = 0x04,
	EROFS_DEVICE_TABLE = 0x08, /* also: a second algorithm */
	EROFS_ZTAILPACKING = 0x10,
	EROFS_FRAGMENTS = 0x20, /* also: deduplicated extents */
	EROFS_XATTR_PREFIXES = 0x40,
	EROFS_KNOWN = 0x7f, /* 48-bit addresses (0x80) and metadata in a box (0x100) move every field: refused */
};

enum { EROFS_LZ4, EROFS_LZMA, EROFS_DEFLATE, EROFS_ZSTD, EROFS_ALGORITHMS };

enum erofs_layout { EROFS_PLAIN, EROFS_Z_FULL, EROFS_INLINE, EROFS_Z_COMPACT, EROFS_CHUNKS, EROFS_LAYOUTS };

struct erofs_sb {
	uint32_t checksum, compat, incompat;
	uint8_t bits; /* block size is 1 << bits */
	uint8_t dirbits;
	uint64_t root;
	uint64_t inodes;
	uint64_t epoch; /* mtime of compact inodes */
	uint64_t blocks;
	uint64_t meta; /* offset of inode 0 */
	uint64_t xattrs; /* offset of shared xattr 0 */
	uint8_t uuid[16];
	struct gh_str label; /* points into label_buf */
	char label_buf[16];
	uint16_t algorithms;
	uint16_t devices; /* besides the first */
	uint16_t device_slot; /* where their table is, in units of EROFS_DEVICE */
	uint8_t extslots; /* of 16 bytes, behind the superblock */
	uint8_t prefixes; /* long prefixes of attribute names, */
	uint64_t prefix_at; /* and where they lie */
	uint64_t packed; /* nid of the packed inode; 0: none */
	uint32_t build_time; /* seconds after the epoch, newer mkfs */
};

struct erofs_inode {
	uint64_t nid;
	uint64_t at; /* of the inode */
	uint64_t tail; /* behind inode and xattrs: inline data, chunk table or compression header */
	uint64_t size;
	uint32_t layout; /* enum erofs_layout */
	uint32_t mode, uid, gid, nlink;
	uint32_t u; /* start block, chunk format, packed blocks or device number */
	uint16_t xattrs; /* size of the inline xattrs in units of 4, with a header counted as 1; 0: none */
	int64_t mtime;
};

struct erofs_window {
	uint64_t at;
	uint64_t used;
	size_t len;
	uint8_t *p;
};

/* A further device; its blocks may be numbered behind those of the first. */
struct erofs_device {
	uint64_t start, len; /* in bytes; len 0: has no such numbers */
};

/* A long prefix of attribute names: a short one and what follows it. */
struct erofs_prefix {
	uint8_t index;
	uint8_t len;
	char infix[255];
};

struct erofs_walk; /* of the directories, erofs_dir.c */

struct erofs {
	struct gh_source *src;
	struct erofs_sb sb;
	struct erofs_window win[EROFS_WINDOWS];
	uint32_t window; /* their size */
	uint64_t clock;
	struct erofs_walk *walk;
	struct erofs_device *device; /* sb.devices of them */
	struct gh_err device_err;
	struct gh_source *packed; /* fragments of many files; NULL: none, or it cannot be read for packed_err */
	uint64_t packed_size; /* bytes it occupies */
	struct gh_err packed_err;
	struct erofs_prefix *prefix; /* sb.prefixes of them, NULL: prefix_err */
	struct gh_err prefix_err;
	char link[EROFS_LINK_MAX]; /* of the child just listed, */
	char selinux[EROFS_VALUE_MAX]; /* and its label */
};

/* A directory entry. */
struct erofs_entry {
	uint64_t nid;
	uint64_t at; /* of its name */
	uint8_t type; /* as the directory has it */
	struct gh_str path; /* valid until the next call */
};

/* erofs_meta.c */
enum gh_code erofs_meta_init(struct gh_ctx *ctx, struct erofs *fs, struct gh_err *err) GH_MUST;
enum gh_code erofs_meta_read(struct erofs *fs, uint64_t at, void *buf, size_t n, struct gh_err *err) GH_MUST;
enum gh_code erofs_sb_read(struct gh_source *src, struct erofs_sb *ret, struct gh_err *err) GH_MUST;
/* false: the field does not match; true also when the image has none. */
enum gh_code erofs_sb_checksum(struct gh_ctx *ctx, struct erofs *fs, bool *ret_good, struct gh_err *err) GH_MUST;
uint32_t erofs_crc32c(uint32_t crc, const uint8_t *p, size_t n);

/* erofs_tables.c */
/* Devices, the packed inode, long name prefixes: what is wrong with one is told where it is needed. */
enum gh_code erofs_tables(struct gh_ctx *ctx, struct erofs *fs, struct gh_err *err) GH_MUST;
/* Notes what is wrong with the records of compression algorithms behind the superblock. */
void erofs_configs(struct gh_ctx *ctx, struct erofs *fs);
/* GH_OK: [at, at+n) of this device is in the image. */
enum gh_code erofs_here(const struct erofs *fs, const struct erofs_inode *in, unsigned device, uint64_t at, uint64_t n,
	struct gh_err *err) GH_MUST;

/* erofs_inode.c */
enum gh_code erofs_inode_read(struct erofs *fs, uint64_t nid, struct erofs_inode *ret, struct gh_err *err) GH_MUST;
/* Label and capabilities into attr; what is malformed is noted. selinux: EROFS_VALUE_MAX bytes for the label. */
void erofs_xattrs(
	struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, struct gh_attr *attr, char *selinux);

/* erofs_dir.c */
enum gh_code erofs_walk_begin(struct gh_ctx *ctx, struct erofs *fs, struct gh_err *err) GH_MUST;
enum gh_code erofs_walk_next(struct gh_ctx *ctx, struct erofs *fs, struct erofs_entry *ret, struct gh_err *err) GH_MUST;
/* The entry just returned is this directory (or it is the root): go into it with the next call. */
enum gh_code erofs_walk_enter(
	struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *dir, struct gh_err *err) GH_MUST;

/* erofs_ahead.c */
/* Where any byte is costly to reach: reads all that the walk will read, in the order in which it lies. What is wrong is told by the
 * walk. */
void erofs_ahead(struct gh_ctx *ctx, struct erofs *fs);

/* erofs_data.c */
/* Where `size` bytes of a plain or inline file lie: `body` bytes from `start`, then `rest` bytes at the inode's tail. */
struct erofs_flat {
	uint64_t start, body, rest;
	bool hole; /* body is zeros that lie nowhere */
};
enum gh_code erofs_flat(
	const struct erofs *fs, const struct erofs_inode *in, struct erofs_flat *ret, struct gh_err *err) GH_MUST;
/* Can it be read, and how many bytes does it occupy? Shapes and bounds only. */
enum gh_code erofs_data_check(struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, uint64_t *ret_packed,
	struct gh_err *err) GH_MUST;
enum gh_code erofs_data(struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, struct gh_source **ret,
	struct gh_err *err) GH_MUST;

/* erofs_z.c */
enum gh_code erofs_z_check(struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, uint64_t *ret_packed,
	struct gh_err *err) GH_MUST;
enum gh_code erofs_z_data(struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, struct gh_source **ret,
	struct gh_err *err) GH_MUST;

static inline uint64_t erofs_block(const struct erofs *fs)
{
	return (uint64_t)1 << fs->sb.bits;
}

#endif
