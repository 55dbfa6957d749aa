/* SPDX-License-Identifier: Apache-2.0 */
/* F2FS: inodes (struct f2fs_inode of include/linux/f2fs_fs.h). */
#include "formats/f2fs/f2fs.h"

#include <sys/sysmacros.h>

enum { /* of extra attributes in an inode, and how long they must be to hold it */
	OFF_EXTRA_LEN = 360,
	OFF_XATTR_SLOTS = 362,
	OFF_CHECKSUM = 368,
	OFF_COMPR_ALGORITHM = 392,
	OFF_COMPR_CLUSTER = 393,
	OFF_COMPR_FLAG = 394,
	LEN_CHECKSUM = 12,
	LEN_CLUSTER = 34,
	LEN_FLAG = 36,
	CLUSTER_MIN = 2,
	CLUSTER_MAX = 8,
	XATTR_HEADER_SLOTS = 6,
};

static void inode_fields(const uint8_t *raw, struct f2fs_inode *in)
{
	in->mode = f2fs_u16(raw, 0);
	in->advise = raw[2];
	in->inl = raw[3];
	in->uid = f2fs_u32(raw, 4);
	in->gid = f2fs_u32(raw, 8);
	in->nlink = f2fs_u32(raw, 12);
	in->size = f2fs_u64(raw, 16);
	in->blocks = f2fs_u64(raw, 24);
	in->mtime = (int64_t)f2fs_u64(raw, 48);
	in->xattr_nid = f2fs_u32(raw, 76);
	in->flags = f2fs_u32(raw, 80);
	in->raw = raw;
}

static bool checksum_ok(const struct f2fs *fs, const struct f2fs_inode *in)
{
	const uint8_t *raw = in->raw;
	uint32_t crc = f2fs_crc(fs->sb.seed, raw + fs->sb.bs - F2FS_FOOTER + 4, 4); /* the inode's number, */
	crc = f2fs_crc(crc, raw + 68, 4); /* its generation, */
	crc = f2fs_crc(crc, raw, OFF_CHECKSUM); /* and the block with the field itself as zero */
	crc = f2fs_crc(crc, "\0\0\0", 4);
	crc = f2fs_crc(crc, raw + OFF_CHECKSUM + 4, fs->sb.bs - OFF_CHECKSUM - 4);
	return crc == f2fs_u32(raw, OFF_CHECKSUM);
}

static enum gh_code bad(const struct f2fs_inode *in, size_t off, const char *what, uint64_t value, struct gh_err *err)
{
	return gh_fail(err, GH_BAD, in->at + off, "inode %u: %s %llu", in->ino, what, (unsigned long long)value);
}

/* How the room for addresses is divided. */
static enum gh_code inode_layout(const struct f2fs *fs, struct f2fs_inode *in, struct gh_err *err)
{
	uint32_t room = f2fs_per_inode(&fs->sb), len = 0;
	if (in->inl & F2FS_HAS_EXTRA) {
		len = f2fs_u16(in->raw, OFF_EXTRA_LEN);
		if (len % 4 || len / 4 > room)
			return bad(in, OFF_EXTRA_LEN, "extra attributes of so many bytes:", len, err);
	}
	in->extra = len / 4;
	if (fs->sb.features & F2FS_FLEXIBLE_XATTR)
		in->xattrs = len >= 4 ? f2fs_u16(in->raw, OFF_XATTR_SLOTS) : 0;
	else if (in->inl & (F2FS_INLINE_XATTR | F2FS_INLINE_DENTRY))
		in->xattrs = F2FS_XATTR_SLOTS;
	if (in->xattrs > room - in->extra)
		return bad(in, OFF_XATTR_SLOTS, "inline attributes that have no room:", in->xattrs, err);
	in->addrs = room - in->extra - in->xattrs;
	return GH_OK;
}

static enum gh_code inode_compression(const struct f2fs *fs, struct f2fs_inode *in, struct gh_err *err)
{
	uint32_t len = 4 * in->extra;
	if ((in->mode & F2FS_S_FMT) != F2FS_S_REG || !(in->flags & F2FS_FL_COMPR) || len < LEN_CLUSTER ||
		!(fs->sb.features & F2FS_COMPRESSION))
		return GH_OK;
	in->algorithm = in->raw[OFF_COMPR_ALGORITHM];
	in->cluster_bits = in->raw[OFF_COMPR_CLUSTER];
	in->compress_flag = len >= LEN_FLAG ? f2fs_u16(in->raw, OFF_COMPR_FLAG) : 0;
	if (in->cluster_bits < CLUSTER_MIN || in->cluster_bits > CLUSTER_MAX)
		return bad(in, OFF_COMPR_CLUSTER, "clusters of 2^n blocks, n is", in->cluster_bits, err);
	in->packed = true;
	in->addrs &= ~((1u << in->cluster_bits) - 1); /* no cluster is spread over two nodes */
	return GH_OK;
}

static void checksum_check(struct f2fs *fs, const struct f2fs_inode *in)
{
	if (fs->sb.features & F2FS_INODE_CHKSUM && 4 * in->extra >= LEN_CHECKSUM && !checksum_ok(fs, in))
		f2fs_note(
			fs, F2FS_T_INODE, GH_BAD, in->at + OFF_CHECKSUM, "inode %u: checksum does not match", in->ino);
}

enum gh_code f2fs_inode(struct f2fs *fs, uint32_t ino, uint8_t *raw, struct f2fs_inode *ret, struct gh_err *err)
{
	uint64_t at = 0;
	enum gh_code code = f2fs_node(fs, ino, ino, raw, &at, err);
	if (code)
		return code;
	*ret = (struct f2fs_inode){.ino = ino, .at = at};
	inode_fields(raw, ret);
	if (ret->size > INT64_MAX)
		return bad(ret, 16, "negative size", ret->size, err);
	if ((code = inode_layout(fs, ret, err)) || (code = inode_compression(fs, ret, err)))
		return code;
	if (!fs->quiet)
		checksum_check(fs, ret);
	if (fs->sb.features & F2FS_FLEXIBLE_XATTR && ret->inl & F2FS_INLINE_XATTR && ret->xattrs < XATTR_HEADER_SLOTS &&
		ret->xattrs)
		f2fs_note(fs, F2FS_T_XATTR, GH_BAD, at + OFF_XATTR_SLOTS, "inode %u: %u bytes for inline attributes",
			ino, 4 * ret->xattrs);
	return GH_OK;
}

/* linux/kdev_t.h: either 8 bits of major and minor each, or 12 and 20, interleaved. */
uint64_t f2fs_rdev(const struct f2fs_inode *in)
{
	const uint8_t *p = in->raw + F2FS_ADDRS_AT + 4 * in->extra;
	uint32_t old = in->addrs > 0 ? f2fs_u32(p, 0) : 0, u = in->addrs > 1 ? f2fs_u32(p, 4) : 0;
	if (old)
		return makedev(old >> 8 & 0xff, old & 0xff);
	return makedev(u >> 8 & 0xfff, (u & 0xff) | (u >> 12 & 0xfff00));
}

uint64_t f2fs_inline(const struct f2fs_inode *in, uint64_t *ret_room)
{
	/* The first address is left free. */
	*ret_room = in->addrs ? 4 * (uint64_t)(in->addrs - 1) : 0;
	return F2FS_ADDRS_AT + 4 * ((uint64_t)in->extra + 1);
}
