/* SPDX-License-Identifier: Apache-2.0 */
/* SquashFS: inodes of all 14 kinds, and extended attributes (squashfs_xattr_entry, squashfs_xattr_val). */
#include "formats/squashfs/squashfs.h"

enum {
	DIR = 1,
	FILE_ = 2,
	SYMLINK = 3,
	BLOCK = 4,
	CHAR = 5,
	FIFO = 6,
	SOCKET = 7,
	LONG = 7, /* added to a type: the inode has more fields */
	HEAD = 16,
	BODY_MAX = 40,
	XATTR_ID = 16,
	XATTR_SECURITY = 2,
	XATTR_PREFIX = 0xff,
	XATTR_ELSEWHERE = 0x100,
	CAP_MAX = 24,
};

static const uint16_t type_mode[] = {0, 0040000, 0100000, 0120000, 0060000, 0020000, 0010000, 0140000};
/* Bytes behind the head, without lists, by type. */
static const uint8_t body_len[] = {0, 16, 16, 8, 8, 8, 4, 4, 24, 40, 8, 12, 12, 8, 8};

static void dir_body(struct gh_cursor *c, bool is_long, const struct sq_super *sb, struct sq_inode *in)
{
	uint32_t block;
	if (is_long) {
		in->nlink = gh_u32(c);
		in->size = gh_u32(c);
		block = gh_u32(c);
		in->parent = gh_u32(c);
		gh_skip(c, 2); /* how many places of an index follow: only a help for finding names */
		in->dir.off = gh_u16(c);
		in->xattr = gh_u32(c);
	} else {
		block = gh_u32(c);
		in->nlink = gh_u32(c);
		in->size = gh_u16(c);
		in->dir.off = gh_u16(c);
		in->parent = gh_u32(c);
	}
	in->dir.block = sb->dir_table + block;
}

static void file_body(struct gh_cursor *c, bool is_long, struct sq_inode *in)
{
	in->start = is_long ? gh_u64(c) : gh_u32(c);
	if (is_long) {
		in->size = gh_u64(c);
		gh_skip(c, 8); /* bytes of holes */
		in->nlink = gh_u32(c);
	}
	in->fragment = gh_u32(c);
	in->fragment_off = gh_u32(c);
	if (is_long)
		in->xattr = gh_u32(c);
	else
		in->size = gh_u32(c);
}

/* linux/kdev_t.h: 12 bits of major and 20 of minor, interlaced. */
static void other_body(struct gh_cursor *c, bool is_long, struct sq_inode *in)
{
	in->nlink = gh_u32(c);
	if (in->type == SYMLINK)
		in->size = gh_u32(c);
	else if (in->type == BLOCK || in->type == CHAR)
		in->rdev = gh_u32(c);
	if (is_long && in->type != SYMLINK)
		in->xattr = gh_u32(c);
}

static enum gh_code link_xattr(struct squashfs *fs, struct sq_inode *in, struct gh_err *err)
{
	uint8_t raw[4];
	struct sq_pos pos = in->tail;
	if (in->size > SQ_LINK_MAX)
		return GH_OK; /* it is refused where the target is read */
	enum gh_code code = sq_read(fs, &pos, NULL, (size_t)in->size, err);
	if (code == GH_OK)
		code = sq_read(fs, &pos, raw, sizeof raw, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, sizeof raw, in->at);
	in->xattr = gh_u32(&c);
	return GH_OK;
}

static void owner(const struct squashfs *fs, struct sq_inode *in, uint16_t uid, uint16_t gid)
{
	in->owner = fs->ids && uid < fs->sb.n_ids && gid < fs->sb.n_ids;
	in->uid = in->owner ? fs->ids[uid] : UINT32_MAX; /* nobody, rather than root */
	in->gid = in->owner ? fs->ids[gid] : UINT32_MAX;
}

enum gh_code sq_inode(struct squashfs *fs, uint64_t ref, struct sq_inode *in, struct gh_err *err)
{
	uint8_t raw[HEAD + BODY_MAX];
	uint64_t block = ref >> 16;
	*in = (struct sq_inode){.ref = ref, .nlink = 1, .xattr = (uint32_t)SQ_NONE, .fragment = (uint32_t)SQ_NONE};
	if (block > fs->src->size || !gh_within(fs->sb.inode_table, block, fs->src->size))
		return gh_fail(err, GH_SHORT, fs->sb.inode_table, "inode %llx lies behind the end of the image",
			(unsigned long long)ref);
	struct sq_pos pos = {fs->sb.inode_table + block, ref & 0xffff};
	in->at = pos.block;
	enum gh_code code = sq_read(fs, &pos, raw, HEAD, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, sizeof raw, in->at);
	unsigned type = gh_u16(&c);
	if (type < DIR || type > SOCKET + LONG)
		return gh_fail(
			err, GH_BAD, in->at, "inode %llx is of the unknown type %u", (unsigned long long)ref, type);
	bool is_long = type > SOCKET;
	if ((code = sq_read(fs, &pos, raw + HEAD, body_len[type], err)))
		return code;
	in->type = is_long ? type - LONG : type;
	in->mode = type_mode[in->type] | (gh_u16(&c) & 07777);
	uint16_t uid = gh_u16(&c), gid = gh_u16(&c);
	owner(fs, in, uid, gid);
	in->mtime = gh_u32(&c);
	in->number = gh_u32(&c);
	in->tail = pos;
	if (in->type == DIR)
		dir_body(&c, is_long, &fs->sb, in);
	else if (in->type == FILE_)
		file_body(&c, is_long, in);
	else
		other_body(&c, is_long, in);
	return is_long && in->type == SYMLINK ? link_xattr(fs, in, err) : GH_OK;
}

/* ---- extended attributes ---- */

/* struct vfs_cap_data of linux/capability.h. */
static enum gh_code caps(const uint8_t *p, size_t n, uint64_t at, struct gh_attr *attr, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(p, n, at);
	unsigned rev = gh_u32(&c) >> 24;
	uint64_t permitted = gh_u32(&c);
	gh_skip(&c, 4);
	if (rev != 1) {
		permitted |= (uint64_t)gh_u32(&c) << 32;
		gh_skip(&c, 4);
	}
	if (rev == 3)
		gh_skip(&c, 4); /* the root user of the namespace it holds in */
	if (rev < 1 || rev > 3)
		return gh_fail(err, GH_UNSUP, at, "security.capability of unknown revision %u", rev);
	if (c.bad)
		return gh_fail(err, GH_BAD, at, "security.capability of %zu bytes", n);
	attr->caps = permitted;
	return GH_OK;
}

struct xattr {
	uint16_t type, name_len;
	char name[16]; /* its beginning */
	uint32_t len; /* of the value */
	struct sq_pos value;
};

/* The next name and value; *pos moves behind them, wherever the value lies. */
static enum gh_code xattr_next(struct squashfs *fs, struct sq_pos *pos, struct xattr *x, struct gh_err *err)
{
	uint8_t raw[8];
	enum gh_code code = sq_read(fs, pos, raw, 4, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, 4, pos->block);
	x->type = gh_u16(&c);
	x->name_len = gh_u16(&c);
	size_t have = gh_min(x->name_len, sizeof x->name);
	code = sq_read(fs, pos, x->name, have, err);
	if (code == GH_OK)
		code = sq_read(fs, pos, NULL, x->name_len - have, err);
	if (code == GH_OK)
		code = sq_read(fs, pos, raw, 4, err);
	if (code)
		return code;
	c = gh_cursor(raw, 4, pos->block);
	x->len = gh_u32(&c);
	x->value = *pos;
	if (x->len > UINT16_MAX + 1u) /* XATTR_SIZE_MAX */
		return gh_fail(err, GH_BAD, pos->block, "an attribute of %u bytes", x->len);
	return sq_read(fs, pos, NULL, x->len, err);
}

/* A value that several names share lies in its own place. */
static enum gh_code xattr_elsewhere(struct squashfs *fs, struct xattr *x, struct gh_err *err)
{
	uint8_t raw[8];
	if (x->len != sizeof raw)
		return gh_fail(err, GH_BAD, x->value.block, "the place of an attribute has %u bytes", x->len);
	enum gh_code code = sq_read(fs, &x->value, raw, sizeof raw, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, sizeof raw, x->value.block);
	uint64_t ref = gh_u64(&c);
	x->value = (struct sq_pos){0, ref & 0xffff};
	if (!gh_add(fs->kv, ref >> 16, &x->value.block))
		return gh_fail(err, GH_BAD, fs->kv, "an attribute at %llx", (unsigned long long)ref);
	if ((code = sq_read(fs, &x->value, raw, 4, err)))
		return code;
	c = gh_cursor(raw, 4, x->value.block);
	x->len = gh_u32(&c);
	return GH_OK;
}

static enum gh_code xattr_take(struct squashfs *fs, struct xattr *x, struct gh_attr *attr, struct gh_err *err)
{
	struct gh_str name = gh_strn(x->name, gh_min(x->name_len, sizeof x->name));
	bool label = gh_str_is(name, "selinux"), cap = gh_str_is(name, "capability");
	uint8_t raw[CAP_MAX];
	enum gh_code code = GH_OK;
	if ((x->type & XATTR_PREFIX) != XATTR_SECURITY || !(label || cap))
		return GH_OK;
	if (x->type & XATTR_ELSEWHERE)
		code = xattr_elsewhere(fs, x, err);
	if (code == GH_OK && x->len > (label ? sizeof fs->label : sizeof raw))
		code = gh_fail(err, GH_BAD, x->value.block, "security.%.*s of %u bytes", (int)name.n, name.p, x->len);
	uint64_t at = x->value.block;
	if (code == GH_OK)
		code = sq_read(fs, &x->value, label ? (void *)fs->label : raw, x->len, err);
	if (code)
		return code;
	if (cap)
		return caps(raw, x->len, at, attr, err);
	attr->selinux = gh_strn(fs->label, x->len && !fs->label[x->len - 1] ? x->len - 1 : x->len);
	return GH_OK;
}

static enum gh_code xattrs_read(
	struct squashfs *fs, const struct sq_inode *in, struct gh_attr *attr, struct gh_err *err)
{
	uint8_t raw[XATTR_ID];
	if (fs->xattrs_err.code) {
		*err = fs->xattrs_err;
		return err->code;
	}
	if (in->xattr >= fs->n_xattrs)
		return gh_fail(
			err, GH_BAD, in->at, "inode %u has attributes %u of %u", in->number, in->xattr, fs->n_xattrs);
	enum gh_code code = sq_table(fs, fs->sb.xattrs + 16, in->xattr, raw, sizeof raw, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, sizeof raw, fs->sb.xattrs);
	uint64_t ref = gh_u64(&c);
	uint32_t count = gh_u32(&c);
	struct sq_pos pos = {0, ref & 0xffff};
	if (!gh_add(fs->kv, ref >> 16, &pos.block))
		return gh_fail(err, GH_BAD, fs->sb.xattrs, "attributes at %llx", (unsigned long long)ref);
	for (uint32_t i = 0; i < count; i++) {
		struct xattr x;
		struct gh_err bad;
		code = gh_spend_steps(fs->ctx->budget, 1, pos.block, err);
		if (code == GH_OK)
			code = xattr_next(fs, &pos, &x, err);
		if (code)
			return code;
		if (xattr_take(fs, &x, attr, &bad)) /* costs only itself */
			gh_note_err(fs->ctx, &bad);
	}
	return GH_OK;
}

void sq_xattrs(struct squashfs *fs, const struct sq_inode *in, struct gh_attr *attr)
{
	struct gh_err err;
	if (in->xattr != (uint32_t)SQ_NONE && xattrs_read(fs, in, attr, &err))
		gh_note_err(fs->ctx, &err);
}
