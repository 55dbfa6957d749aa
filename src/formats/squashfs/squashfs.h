/* SPDX-License-Identifier: Apache-2.0 */
/* SquashFS 4.0, inside: what the parts of the reader share. The on-disk format is described by fs/squashfs/squashfs_fs.h of the
 * Linux kernel and Documentation/filesystems/squashfs.rst. */
#ifndef GH_FORMATS_SQUASHFS_SQUASHFS_H
#define GH_FORMATS_SQUASHFS_SQUASHFS_H

#include "base/num.h"
#include "tree/plugin.h"

enum {
	SQ_SUPER = 96,
	SQ_META = 8192, /* unpacked bytes of a metadata block */
	SQ_LOG_MIN = 12, /* blocks of 4 KiB … */
	SQ_LOG_MAX = 20, /* … to 1 MiB */
	SQ_METAS =
		64, /* metadata blocks kept unpacked: a directory, its inodes, lists and attributes at once, and neighbours */
	SQ_FRAGMENTS = 4, /* fragment blocks kept unpacked: small files follow one another in them */
	SQ_COST = 256, /* steps for unpacking a metadata block: about as long as so many other steps */
	SQ_DEPTH_MAX = 256, /* directories inside each other; PATH_MAX allows 2048, a phone has about 12 */
	SQ_NAME_MAX = 256,
	SQ_PATH_MAX = SQ_DEPTH_MAX * (SQ_NAME_MAX + 1),
	SQ_LINK_MAX = 4096, /* PATH_MAX: a longer target cannot be followed */
	SQ_LABEL_MAX = 4096, /* labels are at most a page */
	SQ_STORED = 1 << 24, /* in the size of a data block: it is not packed */
	SQ_NONE = (int)0xffffffff, /* no fragment, no attributes */
};

enum sq_compressor { SQ_GZIP = 1, SQ_LZMA, SQ_LZO, SQ_XZ, SQ_LZ4, SQ_ZSTD };

enum {
	SQ_F_NO_FRAGMENTS = 0x10,
	SQ_F_NO_XATTRS = 0x200,
	SQ_F_OPTIONS = 0x400,
};

struct sq_super {
	uint32_t inodes, mtime, bs, fragments;
	uint16_t compressor, log, flags, n_ids, major, minor;
	uint64_t root, used, ids, xattrs, inode_table, dir_table, fragment_table, exports;
};

/* A metadata block, unpacked. */
struct sq_meta {
	uint64_t at, next; /* where it lies, and the one behind it */
	uint64_t used;
	uint32_t len; /* 0: the slot is free */
	uint8_t *p;
};

struct sq_fragment {
	uint32_t index, len; /* len 0: the slot is free */
	uint64_t used;
	uint8_t *p;
};

/* A place in metadata: the block's offset in the image, and the byte in the unpacked block. */
struct sq_pos {
	uint64_t block;
	uint32_t off;
};

struct sq_walk; /* of the directories, squashfs_dir.c */

struct squashfs {
	struct gh_ctx *ctx; /* of the call at hand */
	struct gh_source *src;
	struct sq_super sb;
	struct sq_meta meta[SQ_METAS];
	struct sq_fragment fragment[SQ_FRAGMENTS];
	uint64_t clock;
	uint8_t *packed; /* what is being unpacked: sb.bs bytes, at least SQ_META */
	uint32_t *ids; /* sb.n_ids owners; NULL: ids_err */
	struct gh_err ids_err;
	uint64_t kv; /* offset of names and values of attributes, */
	uint32_t n_xattrs; /* and how many lists of them there are */
	struct gh_err xattrs_err;
	struct sq_walk *walk;
	char link[SQ_LINK_MAX]; /* of the child just listed, */
	char label[SQ_LABEL_MAX]; /* and its label */
};

struct sq_inode {
	uint64_t ref; /* block of the inode table << 16 | byte in it */
	uint64_t at; /* its metadata block in the image: for notes */
	unsigned type; /* 1 to 7, as in a directory */
	uint32_t mode, uid, gid, mtime, number, nlink, rdev, xattr;
	bool owner; /* uid and gid are known */
	uint64_t size;
	uint64_t start; /* file: of the data blocks */
	uint32_t fragment, fragment_off;
	struct sq_pos tail; /* list of block sizes, or a link's target */
	struct sq_pos dir; /* directory: its entries */
	uint32_t parent;
};

struct sq_entry {
	uint64_t ref;
	uint64_t at; /* of its metadata block */
	unsigned type;
	uint32_t number;
	struct gh_str path; /* valid until the next call */
};

/* squashfs_super.c */
enum gh_code sq_super_parse(const uint8_t *raw, struct sq_super *ret, struct gh_err *err) GH_MUST;
struct gh_str sq_features(struct gh_ctx *ctx, const struct sq_super *sb);
/* Owners and the table of attributes: what is wrong with them is told where they are needed. */
enum gh_code sq_tables(struct squashfs *fs, struct gh_err *err) GH_MUST;

/* squashfs_meta.c */
enum gh_code sq_buffers(struct squashfs *fs, struct gh_err *err) GH_MUST;
/* Unpacks n bytes at p to out[0..cap); GH_BAD when they give more. */
enum gh_code sq_unpack(struct squashfs *fs, const uint8_t *p, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err) GH_MUST;
/* n bytes of metadata, from one block to the next; *pos moves behind them. buf NULL: stepped over. */
enum gh_code sq_read(struct squashfs *fs, struct sq_pos *pos, void *buf, size_t n, struct gh_err *err) GH_MUST;
/* Entry i of a table of `size` bytes an entry, whose metadata blocks are found by the pointers at `table`. */
enum gh_code sq_table(
	struct squashfs *fs, uint64_t table, uint64_t i, void *buf, size_t size, struct gh_err *err) GH_MUST;

/* squashfs_inode.c */
enum gh_code sq_inode(struct squashfs *fs, uint64_t ref, struct sq_inode *ret, struct gh_err *err) GH_MUST;
/* Label and capabilities into attr; what is malformed is noted. */
void sq_xattrs(struct squashfs *fs, const struct sq_inode *in, struct gh_attr *attr);

/* squashfs_dir.c */
enum gh_code sq_walk_begin(struct squashfs *fs, struct gh_err *err) GH_MUST;
enum gh_code sq_walk_next(struct squashfs *fs, struct sq_entry *ret, struct gh_err *err) GH_MUST;
/* The entry just returned is this directory (or it is the root): go into it with the next call. */
enum gh_code sq_walk_enter(struct squashfs *fs, const struct sq_inode *dir, struct gh_err *err) GH_MUST;

/* squashfs_data.c */
/* Can it be read, how many bytes does it occupy, and where, if that is one stretch? Shapes and bounds only. */
enum gh_code sq_data_check(struct squashfs *fs, const struct sq_inode *in, uint64_t *ret_packed, uint64_t *ret_off,
	struct gh_err *err) GH_MUST;
enum gh_code sq_data(
	struct squashfs *fs, const struct sq_inode *in, struct gh_source **ret, struct gh_err *err) GH_MUST;

#endif
