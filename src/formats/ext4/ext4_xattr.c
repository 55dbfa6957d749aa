/* SPDX-License-Identifier: Apache-2.0 */
/* ext4: extended attributes in the inode, in a block, or in an inode of their own
 * (kernel Documentation/filesystems/ext4/attributes.rst); security.capability as in capabilities(7). */
#include "formats/ext4/ext4.h"

enum {
	XATTR_MAGIC = 0xea020000,
	BLOCK_HEADER = 32,
	INDEX_SECURITY = 6,
	INDEX_SYSTEM = 7,
	CAP_REVISION_1 = 0x01,
	CAP_REVISION_2 = 0x02,
	CAP_REVISION_3 = 0x03,
};

struct entry {
	uint32_t index, value_off, value_inum, value_size;
	struct gh_str name;
	uint64_t at;
};

/* Where entries and their values lie: value offsets count from its beginning. */
struct area {
	const uint8_t *p;
	size_t n;
	uint64_t at; /* in the image */
	bool body; /* the inode's own */
	size_t values; /* the entries end here: a value before it would be made of entries */
};

/* The value of an attribute that has an inode of its own. */
static enum gh_code value_in_inode(struct ext4 *fs, const struct entry *e, uint8_t *buf, struct gh_err *err)
{
	struct ext4_inode in;
	enum gh_code code = ext4_inode(fs, e->value_inum, fs->ea_raw, &in, err);
	if (code)
		return code;
	/* An inline value would lead back here. */
	if (!(in.flags & EXT4_FL_EA_INODE) || in.flags & EXT4_FL_INLINE || in.size < e->value_size)
		return gh_fail(err, GH_BAD, e->at, "inode %u does not hold this attribute's value", e->value_inum);
	code = ext4_map(fs, &in, e->value_size, &fs->ea_map, err);
	return code ? code : ext4_map_read(fs, &fs->ea_map, 0, buf, e->value_size, err);
}

static void caps(struct ext4 *fs, const struct entry *e, const uint8_t *p, struct ext4_xattrs *ret)
{
	struct gh_cursor c = gh_cursor(p, e->value_size, e->at);
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
		ext4_note(fs, EXT4_T_XATTR, GH_BAD, e->at, "security.capability of %u bytes, revision %u",
			e->value_size, revision);
	else
		ret->caps = permitted;
}

/* A short value, wherever it lies; a label's and a capability's may be held at once, so each has its buffer. */
static enum gh_code short_value(struct ext4 *fs, const struct area *area, const struct entry *e, uint8_t *buf,
	const uint8_t **ret, struct gh_err *err)
{
	if (e->value_size > EXT4_VALUE_MAX)
		return gh_fail(err, GH_BAD, e->at, "attribute of %u bytes", e->value_size);
	*ret = area->p + (e->value_inum || !e->value_size ? 0 : e->value_off);
	if (!e->value_inum)
		return GH_OK;
	*ret = buf;
	return value_in_inode(fs, e, buf, err);
}

/* Decodes an entry if we want it. */
static enum gh_code entry_value(struct ext4 *fs, struct ext4_inode *in, const struct area *area, const struct entry *e,
	struct ext4_xattrs *ret, struct gh_err *err)
{
	bool security = e->index == INDEX_SECURITY;
	const uint8_t *p = NULL;
	bool here = !e->value_inum && e->value_size;
	if (here && (e->value_off < area->values || !gh_within(e->value_off, e->value_size, area->n)))
		return gh_fail(err, GH_BAD, e->at, "inode %u: value of attribute lies outside", in->ino);
	if (ret && security && gh_str_is(e->name, "selinux")) {
		enum gh_code code = short_value(fs, area, e, fs->ea_label, &p, err);
		if (!code)
			ret->selinux = p ? gh_strn(p, strnlen((const char *)p, e->value_size)) : GH_NONE;
		return code;
	}
	if (ret && security && gh_str_is(e->name, "capability")) {
		enum gh_code code = short_value(fs, area, e, fs->ea_caps, &p, err);
		if (!code)
			caps(fs, e, p, ret);
		return code;
	}
	/* The kernel looks for the rest of inline data in the inode itself only. */
	if (area->body && !e->value_inum && e->index == INDEX_SYSTEM && gh_str_is(e->name, "data")) {
		in->data_at = area->at + e->value_off;
		in->data_len = e->value_size;
	}
	return GH_OK;
}

/* The entry at the cursor; false behind the last one (or where the list is cut off: then the cursor is bad). */
static bool entry_next(struct gh_cursor *c, struct entry *ret)
{
	struct gh_cursor peek = *c;
	if (gh_left(c) < 4 || gh_u32(&peek) == 0)
		return false;
	*ret = (struct entry){.at = gh_at(c)};
	size_t name_len = gh_u8(c);
	ret->index = gh_u8(c);
	ret->value_off = gh_u16(c);
	ret->value_inum = gh_u32(c);
	ret->value_size = gh_u32(c);
	gh_skip(c, 4);
	ret->name = gh_strn(gh_bytes(c, name_len), name_len);
	size_t pad = (4 - name_len % 4) % 4;
	gh_skip(c, gh_min(pad, gh_left(c)));
	return !c->bad;
}

/* The entries from byte `first` of the area on. */
static enum gh_code entries(struct ext4 *fs, struct ext4_inode *in, struct area *area, size_t first,
	struct ext4_xattrs *ret, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(area->p, area->n, area->at);
	struct entry e = {.at = area->at};
	gh_seek(&c, first);
	struct gh_cursor list = c;
	while (entry_next(&list, &e))
		;
	if (list.bad)
		ext4_note(fs, EXT4_T_XATTR, GH_BAD, e.at, "inode %u: attribute list is cut off", in->ino);
	area->values = list.i;
	while (entry_next(&c, &e)) {
		enum gh_code code = entry_value(fs, in, area, &e, ret, err);
		if (code)
			code = ext4_step_over(fs, EXT4_T_XATTR, err);
		if (code)
			return code;
	}
	return GH_OK;
}

static enum gh_code in_body(struct ext4 *fs, struct ext4_inode *in, struct ext4_xattrs *ret, struct gh_err *err)
{
	size_t off = EXT4_BODY + in->extra;
	if (fs->sb.inode_size <= EXT4_BODY || in->extra == 0 || off + 4 > fs->sb.inode_size ||
		ext4_u32(in->raw, off) != XATTR_MAGIC)
		return GH_OK;
	off += 4;
	struct area area = {.p = in->raw + off, .n = fs->sb.inode_size - off, .at = in->at + off, .body = true};
	return entries(fs, in, &area, 0, ret, err);
}

static bool block_csum_ok(struct ext4 *fs, uint64_t block, const uint8_t *p)
{
	if (!ext4_has_csum(&fs->sb))
		return true;
	uint8_t nr[8];
	for (unsigned i = 0; i < 8; i++)
		nr[i] = (uint8_t)(block >> (8 * i));
	uint32_t crc = gh_crc32c(fs->sb.seed, nr, 8);
	crc = gh_crc32c(crc, p, 0x10);
	crc = gh_crc32c(crc, "\0\0\0\0", 4);
	crc = gh_crc32c(crc, p + 0x14, fs->sb.bs - 0x14);
	return crc == ext4_u32(p, 0x10);
}

static enum gh_code in_block(struct ext4 *fs, struct ext4_inode *in, struct ext4_xattrs *ret, struct gh_err *err)
{
	if (!in->acl)
		return GH_OK;
	if (in->acl < fs->sb.first_data_block || in->acl >= fs->sb.blocks)
		return gh_fail(err, GH_BAD, in->at + 0x68, "inode %u: attribute block %llu does not exist", in->ino,
			(unsigned long long)in->acl);
	uint64_t at = in->acl * fs->sb.bs;
	bool again = fs->acl.len && fs->acl.at == at; /* shared by many files: told once */
	enum gh_code code = ext4_block(fs, &fs->acl, in->acl, err);
	if (code)
		return code;
	const uint8_t *p = fs->acl.buf;
	if (ext4_u32(p, 0) != XATTR_MAGIC)
		return gh_fail(err, GH_BAD, at, "inode %u: not an attribute block", in->ino);
	if (!again && !block_csum_ok(fs, in->acl, p))
		ext4_note(fs, EXT4_T_XATTR, GH_BAD, at + 0x10, "inode %u: attribute block checksum does not match",
			in->ino);
	struct area area = {.p = p, .n = fs->sb.bs, .at = at};
	return entries(fs, in, &area, BLOCK_HEADER, ret, err);
}

/* The attributes of an inode, in buffers that the next call overwrites; ret NULL: only where the rest of inline data lies. */
enum gh_code ext4_xattr(struct ext4 *fs, struct ext4_inode *in, struct ext4_xattrs *ret, struct gh_err *err)
{
	if (ret)
		*ret = (struct ext4_xattrs){0};
	enum gh_code code = in_body(fs, in, ret, err);
	if (code)
		code = ext4_step_over(fs, EXT4_T_XATTR, err);
	if (!code && ret)
		code = in_block(fs, in, ret, err);
	return code ? ext4_step_over(fs, EXT4_T_XATTR, err) : GH_OK;
}
