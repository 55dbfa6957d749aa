/* SPDX-License-Identifier: Apache-2.0 */
/* F2FS: extended attributes in the inode and in a node of their own, which together are one list (fs/f2fs/xattr.h of the Linux
 * kernel); security.capability as in capabilities(7). */
#include "formats/f2fs/f2fs.h"

#define XATTR_MAGIC 0xf2f52011u

enum {
	HEADER = 24,
	INDEX_SECURITY = 6,
	CAP_REVISION_1 = 0x01,
	CAP_REVISION_2 = 0x02,
	CAP_REVISION_3 = 0x03,
};

static void caps(struct f2fs *fs, struct gh_str value, uint64_t at, struct f2fs_xattrs *ret)
{
	struct gh_cursor c = gh_cursor(value.p, value.n, at);
	uint32_t revision = gh_u32(&c) >> 24;
	uint64_t permitted = gh_u32(&c);
	gh_skip(&c, 4);
	if (revision != CAP_REVISION_1) {
		permitted |= (uint64_t)gh_u32(&c) << 32;
		gh_skip(&c, 4);
	}
	if (revision == CAP_REVISION_3)
		gh_skip(&c, 4);
	if (c.bad || revision < CAP_REVISION_1 || revision > CAP_REVISION_3)
		f2fs_note(fs, F2FS_T_XATTR, GH_BAD, at, "security.capability of %zu bytes, revision %u", value.n,
			revision);
	else
		ret->caps = permitted;
}

static void take(
	struct f2fs *fs, unsigned index, struct gh_str name, struct gh_str value, uint64_t at, struct f2fs_xattrs *ret)
{
	if (index != INDEX_SECURITY)
		return;
	if (gh_str_is(name, "selinux") && value.n > F2FS_VALUE_MAX)
		f2fs_note(fs, F2FS_T_XATTR, GH_BAD, at, "attribute of %zu bytes", value.n);
	else if (gh_str_is(name, "selinux"))
		ret->selinux = gh_strn(value.p, strnlen(value.p, value.n));
	else if (gh_str_is(name, "capability"))
		caps(fs, value, at, ret);
}

/* Where byte i of the joined list lies in the image. */
struct joined {
	const uint8_t *p;
	size_t n, split;
	uint64_t at, split_at;
};

static uint64_t joined_at(const struct joined *j, size_t i)
{
	return i < j->split ? j->at + i : j->split_at + (i - j->split);
}

static enum gh_code entries(struct f2fs *fs, const struct f2fs_inode *in, const struct joined *j,
	struct f2fs_xattrs *ret, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(j->p, j->n, 0);
	gh_seek(&c, HEADER);
	while (gh_left(&c) >= 4) {
		struct gh_cursor peek = c;
		uint64_t at = joined_at(j, c.i);
		enum gh_code code = gh_spend_steps(fs->ctx->budget, 1, at, err);
		if (code || !gh_u32(&peek))
			return code;
		unsigned index = gh_u8(&c);
		size_t name_len = gh_u8(&c), value_len = gh_u16(&c);
		struct gh_str name = gh_strn(gh_bytes(&c, name_len), name_len);
		struct gh_str value = gh_strn(gh_bytes(&c, value_len), value_len);
		size_t pad = (4 - (name_len + value_len) % 4) % 4;
		if (c.bad)
			return gh_fail(err, GH_BAD, at, "inode %u: attribute list is cut off", in->ino);
		take(fs, index, name, value, at, ret);
		gh_skip(&c, gh_min(pad, gh_left(&c)));
	}
	return GH_OK;
}

static enum gh_code joined_read(struct f2fs *fs, const struct f2fs_inode *in, struct joined *j, struct gh_err *err)
{
	enum gh_code code = GH_OK;
	if (in->inl & F2FS_INLINE_XATTR) {
		size_t off = f2fs_nids_at(&fs->sb) - 4 * (size_t)in->xattrs;
		j->n = j->split = 4 * (size_t)in->xattrs;
		j->at = in->at + off;
		memcpy(fs->xnode, in->raw + off, j->n);
	}
	if (!in->xattr_nid)
		return GH_OK;
	uint8_t *node = fs->node[0];
	code = f2fs_node(fs, in->xattr_nid, in->ino, node, &j->split_at, err);
	if (code && err->at == UINT64_MAX)
		err->at = in->at + 76;
	if (code)
		return code;
	memcpy(fs->xnode + j->split, node, fs->sb.bs - F2FS_FOOTER);
	j->n += fs->sb.bs - F2FS_FOOTER;
	return GH_OK;
}

static enum gh_code read_all(struct f2fs *fs, const struct f2fs_inode *in, struct f2fs_xattrs *ret, struct gh_err *err)
{
	struct joined j = {.p = fs->xnode};
	struct gh_err lost;
	enum gh_code code = joined_read(fs, in, &j, &lost);
	if (code) { /* what lies in the inode is still there */
		*err = lost;
		code = f2fs_step_over(fs, F2FS_T_XATTR, err);
	}
	if (code || j.n < HEADER)
		return code;
	uint32_t m = f2fs_u32(j.p, 0);
	if (m != XATTR_MAGIC && f2fs_u32(j.p, HEADER)) /* without a list there need be no header */
		f2fs_note(fs, F2FS_T_XATTR, GH_BAD, joined_at(&j, 0),
			"inode %u: attribute list without its magic number", in->ino);
	return entries(fs, in, &j, ret, err);
}

enum gh_code f2fs_xattrs(struct f2fs *fs, const struct f2fs_inode *in, struct f2fs_xattrs *ret, struct gh_err *err)
{
	*ret = (struct f2fs_xattrs){0};
	enum gh_code code = read_all(fs, in, ret, err);
	return code ? f2fs_step_over(fs, F2FS_T_XATTR, err) : GH_OK;
}
