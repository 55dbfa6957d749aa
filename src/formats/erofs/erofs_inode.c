/* SPDX-License-Identifier: Apache-2.0 */
/* EROFS: inodes (compact, 32 bytes; extended, 64 bytes) and their extended attributes, inline and shared. */
#include "formats/erofs/erofs.h"

enum {
	INODE_UNIT = 32, /* an inode's number is its place in such units */
	INODE_LONG = 64,
	XATTR_HEADER = 12,
	XATTR_SECURITY = 6, /* name index of "security." */
	XATTR_LONG_PREFIX = 0x80,
	CAP_REV_MASK = (int)0xff000000,
	CAP_REV_1 = 0x01000000,
	CAP_REV_2 = 0x02000000,
	CAP_REV_3 = 0x03000000,
	CAP_LEN_MAX = 24,
};

static void compact_fields(struct gh_cursor *c, const struct erofs_sb *sb, struct erofs_inode *in)
{
	in->nlink = gh_u16(c);
	in->size = gh_u32(c);
	gh_skip(c, 4);
	in->u = gh_u32(c);
	gh_skip(c, 4);
	in->uid = gh_u16(c);
	in->gid = gh_u16(c);
	in->mtime = (int64_t)sb->epoch;
}

static void extended_fields(struct gh_cursor *c, struct erofs_inode *in)
{
	gh_skip(c, 2);
	in->size = gh_u64(c);
	in->u = gh_u32(c);
	gh_skip(c, 4);
	in->uid = gh_u32(c);
	in->gid = gh_u32(c);
	in->mtime = (int64_t)gh_u64(c);
	gh_skip(c, 4);
	in->nlink = gh_u32(c);
}

static enum gh_code inode_place(const struct erofs *fs, uint64_t nid, uint64_t *ret, struct gh_err *err)
{
	uint64_t at;
	if (!gh_mul(nid, INODE_UNIT, &at) || !gh_add(at, fs->sb.meta, &at) || !gh_within(at, INODE_UNIT, fs->src->size))
		return gh_fail(
			err, GH_SHORT, 0, "inode %llu lies behind the end of the image", (unsigned long long)nid);
	*ret = at;
	return GH_OK;
}

enum gh_code erofs_inode_read(struct erofs *fs, uint64_t nid, struct erofs_inode *ret, struct gh_err *err)
{
	uint8_t raw[INODE_LONG];
	uint64_t at = 0;
	enum gh_code code = inode_place(fs, nid, &at, err);
	if (code)
		return code;
	size_t n = (size_t)gh_min(INODE_LONG, fs->src->size - at);
	if ((code = erofs_meta_read(fs, at, raw, n, err)))
		return code;
	struct gh_cursor c = gh_cursor(raw, n, at);
	uint16_t format = gh_u16(&c);
	bool extended = format & 1;
	*ret = (struct erofs_inode){.nid = nid, .at = at, .layout = format >> 1 & 7};
	ret->xattrs = gh_u16(&c);
	ret->mode = gh_u16(&c);
	if (extended)
		extended_fields(&c, ret);
	else
		compact_fields(&c, &fs->sb, ret);
	if ((code = gh_cursor_check(&c, "inode", err)))
		return code;
	if (format >> 4 || ret->layout >= EROFS_LAYOUTS)
		return gh_fail(
			err, GH_UNSUP, at, "inode %llu has the unknown format 0x%x", (unsigned long long)nid, format);
	if (ret->size > INT64_MAX)
		return gh_fail(err, GH_BAD, at + 8, "inode %llu has a negative size", (unsigned long long)nid);
	ret->tail = at + (extended ? INODE_LONG : INODE_UNIT);
	if (ret->xattrs)
		ret->tail += XATTR_HEADER + 4u * (ret->xattrs - 1u);
	return GH_OK;
}

/* ---- extended attributes ---- */

struct xattr {
	uint64_t at; /* of its name */
	uint8_t name_len, index;
	uint16_t value_len;
};

static enum gh_code xattr_head(struct erofs *fs, uint64_t at, struct xattr *ret, struct gh_err *err)
{
	uint8_t raw[4];
	enum gh_code code = erofs_meta_read(fs, at, raw, sizeof raw, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, sizeof raw, at);
	*ret = (struct xattr){.at = at + 4};
	ret->name_len = gh_u8(&c);
	ret->index = gh_u8(&c);
	ret->value_len = gh_u16(&c);
	return GH_OK;
}

static enum gh_code take_label(
	struct erofs *fs, const struct xattr *x, struct gh_attr *attr, char *buf, struct gh_err *err)
{
	enum gh_code code = erofs_meta_read(fs, x->at + x->name_len, buf, x->value_len, err);
	if (code)
		return code;
	size_t n = x->value_len;
	if (n && !buf[n - 1])
		n--;
	attr->selinux = gh_strn(buf, n);
	return GH_OK;
}

/* struct vfs_cap_data of linux/capability.h. */
static enum gh_code take_caps(struct erofs *fs, const struct xattr *x, struct gh_attr *attr, struct gh_err *err)
{
	uint8_t raw[CAP_LEN_MAX];
	size_t n = x->value_len;
	uint64_t at = x->at + x->name_len;
	if (n > sizeof raw)
		return gh_fail(err, GH_BAD, at, "security.capability of %zu bytes", n);
	enum gh_code code = erofs_meta_read(fs, at, raw, n, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, n, at);
	uint32_t rev = gh_u32(&c) & (uint32_t)CAP_REV_MASK;
	attr->caps = gh_u32(&c);
	gh_skip(&c, 4);
	if (rev == CAP_REV_2 || rev == CAP_REV_3) {
		attr->caps |= (uint64_t)gh_u32(&c) << 32;
		gh_skip(&c, 4);
	}
	if (rev == CAP_REV_3)
		gh_skip(&c, 4); /* the root user of the namespace it holds in */
	if (rev < CAP_REV_1 || rev > CAP_REV_3)
		return gh_fail(err, GH_UNSUP, at, "security.capability of unknown revision 0x%x", rev >> 24);
	return gh_cursor_check(&c, "security.capability", err);
}

static enum gh_code xattr_take(
	struct erofs *fs, const struct xattr *x, struct gh_attr *attr, char *selinux, struct gh_err *err)
{
	char name[sizeof "capability"];
	const struct erofs_prefix *pre = NULL;
	if (x->index & XATTR_LONG_PREFIX) {
		unsigned i = x->index & ~(unsigned)XATTR_LONG_PREFIX;
		if (i >= fs->sb.prefixes)
			return gh_fail(err, GH_BAD, x->at, "an extended attribute with name prefix %u of %u", i,
				fs->sb.prefixes);
		if (!fs->prefix)
			return gh_fail(err, fs->prefix_err.code, fs->prefix_err.at, "long name prefixes: %.80s",
				fs->prefix_err.what);
		pre = &fs->prefix[i];
	}
	size_t infix = pre ? pre->len : 0;
	if ((pre ? pre->index : x->index) != XATTR_SECURITY || infix + x->name_len > sizeof name)
		return GH_OK;
	if (infix)
		memcpy(name, pre->infix, infix);
	enum gh_code code = erofs_meta_read(fs, x->at, name + infix, x->name_len, err);
	if (code)
		return code;
	struct gh_str s = gh_strn(name, infix + x->name_len);
	if (gh_str_is(s, "selinux"))
		return take_label(fs, x, attr, selinux, err);
	if (gh_str_is(s, "capability"))
		return take_caps(fs, x, attr, err);
	return GH_OK;
}

/* One attribute; what is wrong with its content is noted and costs only itself. */
static enum gh_code xattr_read(struct gh_ctx *ctx, struct erofs *fs, uint64_t at, struct gh_attr *attr, char *selinux,
	uint64_t *ret_len, struct gh_err *err)
{
	struct xattr x;
	struct gh_err bad;
	enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
	if (code == GH_OK)
		code = xattr_head(fs, at, &x, err);
	if (code)
		return code;
	*ret_len = (4ull + x.name_len + x.value_len + 3) & ~3ull;
	if (xattr_take(fs, &x, attr, selinux, &bad))
		gh_note_err(ctx, &bad);
	return GH_OK;
}

static enum gh_code xattrs_shared(struct gh_ctx *ctx, struct erofs *fs, uint64_t ids, unsigned n, struct gh_attr *attr,
	char *selinux, struct gh_err *err)
{
	uint8_t raw[255 * 4];
	enum gh_code code = erofs_meta_read(fs, ids, raw, 4u * n, err);
	struct gh_cursor c = gh_cursor(raw, 4u * n, ids);
	uint64_t len;
	for (unsigned i = 0; code == GH_OK && i < n; i++)
		code = xattr_read(ctx, fs, fs->sb.xattrs + 4 * (uint64_t)gh_u32(&c), attr, selinux, &len, err);
	return code;
}

static enum gh_code xattrs_read(struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in,
	struct gh_attr *attr, char *selinux, struct gh_err *err)
{
	uint8_t raw[XATTR_HEADER];
	uint64_t at = in->tail - 4u * (in->xattrs - 1u) - XATTR_HEADER;
	enum gh_code code = erofs_meta_read(fs, at, raw, sizeof raw, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, sizeof raw, at);
	gh_skip(&c, 4); /* a filter of names that are not there: only a hint */
	unsigned shared = gh_u8(&c);
	at += XATTR_HEADER;
	if (4u * shared > in->tail - at)
		return gh_fail(err, GH_BAD, at, "%u shared extended attributes have no room in the inode", shared);
	if ((code = xattrs_shared(ctx, fs, at, shared, attr, selinux, err)))
		return code;
	at += 4u * shared;
	while (in->tail - at >= 4) {
		uint64_t len;
		if ((code = xattr_read(ctx, fs, at, attr, selinux, &len, err)))
			return code;
		if (len > in->tail - at)
			return gh_fail(err, GH_BAD, at, "an extended attribute reaches behind its inode");
		at += len;
	}
	return GH_OK;
}

void erofs_xattrs(
	struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, struct gh_attr *attr, char *selinux)
{
	struct gh_err err;
	if (in->xattrs && xattrs_read(ctx, fs, in, attr, selinux, &err))
		gh_note_err(ctx, &err);
}
