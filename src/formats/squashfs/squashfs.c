/* SPDX-License-Identifier: Apache-2.0 */
/* SquashFS 4.0, read only: fs/squashfs/squashfs_fs.h and Documentation/filesystems/squashfs.rst of the Linux kernel. */
#include "formats/squashfs/squashfs.h"

#include <sys/sysmacros.h>

static enum gh_bid squashfs_bid(const struct gh_probe *probe)
{
	struct sq_super sb;
	if (probe->head_len < SQ_SUPER)
		return GH_BID_NO;
	bool ours = memcmp(probe->head, "hsqs", 4) == 0;
	if (!ours && memcmp(probe->head, "sqsh", 4) != 0)
		return GH_BID_NO;
	if (sq_super_parse(probe->head, &sb, NULL))
		return GH_BID_MAGIC;
	bool ordered = sb.inode_table >= SQ_SUPER && sb.inode_table < sb.dir_table && sb.dir_table < sb.used;
	return ordered ? GH_BID_PROVEN : GH_BID_MAGIC;
}

static enum gh_code squashfs_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct squashfs *fs = state;
	uint8_t raw[SQ_SUPER];
	fs->ctx = ctx;
	fs->src = src;
	enum gh_code code = gh_read(src, 0, raw, sizeof raw, err);
	if (code == GH_OK)
		code = sq_super_parse(raw, &fs->sb, err);
	if (code == GH_OK)
		code = sq_buffers(fs, err);
	return code ? code : sq_tables(fs, err);
}

static enum gh_code squashfs_describe(struct gh_ctx *ctx, void *state, struct gh_err *err)
{
	struct squashfs *fs = state;
	const struct sq_super *sb = &fs->sb;
	(void)err;
	fs->ctx = ctx;
	GH_EMIT(ctx, fs_info, 0, .kind = GH_STR("squashfs"), .block_size = sb->bs, .blocks = GH_NULL,
		.inodes = sb->inodes, .size = (int64_t)sb->used, .features = sq_features(ctx, sb),
		.build_time = sb->mtime);
	if (sb->used > fs->src->size)
		gh_note(ctx, GH_SHORT, fs->src->size, "the image ends here, the file system would reach to %llu",
			(unsigned long long)sb->used);
	if (fs->ids_err.code)
		gh_note(ctx, fs->ids_err.code, fs->ids_err.at, "the table of owners: %.90s", fs->ids_err.what);
	return GH_OK;
}

/* ---- children ---- */

/* linux/kdev_t.h: 12 bits of major and 20 of minor, interleaved. */
static uint64_t device(uint32_t u)
{
	return makedev(u >> 8 & 0xfff, (u & 0xff) | (u >> 12 & 0xfff00));
}

static void link_target(struct squashfs *fs, const struct sq_inode *in, struct gh_child *child)
{
	struct gh_err err = {0};
	struct sq_pos pos = in->tail;
	enum gh_code code = in->size > SQ_LINK_MAX ? gh_fail(&err, GH_LIMIT, in->at, "link of inode %u has %llu bytes",
							     in->number, (unsigned long long)in->size)
						   : sq_read(fs, &pos, fs->link, (size_t)in->size, &err);
	if (code) {
		gh_note_err(fs->ctx, &err);
		child->flags |= GH_CHILD_UNREADABLE;
		return;
	}
	child->attr.link = gh_strn(fs->link, (size_t)in->size);
}

static enum gh_code by_type(struct squashfs *fs, const struct sq_inode *in, struct gh_child *child, struct gh_err *err)
{
	struct gh_err bad = {0};
	switch (in->mode & 0170000) {
	case 0040000:
		child->size = in->size;
		return sq_walk_enter(fs, in, err);
	case 0100000:
		child->size = in->size;
		if (sq_data_check(fs, in, &child->csize, &child->off, &bad)) {
			gh_note_err(fs->ctx, &bad);
			child->flags |= GH_CHILD_UNREADABLE;
		}
		return GH_OK;
	case 0120000:
		child->size = in->size;
		link_target(fs, in, child);
		return GH_OK;
	default:
		child->attr.rdev = device(in->rdev);
		return GH_OK;
	}
}

static enum gh_code child_fill(struct squashfs *fs, const struct sq_entry *e, struct gh_child *ret, struct gh_err *err)
{
	static const uint16_t modes[] = {0100000, 0040000, 0100000, 0120000, 0060000, 0020000, 0010000, 0140000};
	struct sq_inode in;
	struct gh_err bad;
	*ret = (struct gh_child){.kind = GH_FILE, .name = e->path, .cookie = {e->ref}, .off = UINT64_MAX};
	enum gh_code code = sq_inode(fs, e->ref, &in, &bad);
	if (code == GH_IO || code == GH_NOMEM)
		return gh_fail(err, code, bad.at, "%s", bad.what);
	if (code) {
		gh_note_err(fs->ctx, &bad);
		ret->flags = GH_CHILD_UNREADABLE | GH_CHILD_NO_ATTRS;
		ret->attr.mode = modes[e->type < GH_COUNT(modes) ? e->type : 0];
		return GH_OK;
	}
	if (e->type != in.type)
		gh_note(fs->ctx, GH_BAD, e->at, "inode %u is of another type than its directory says", in.number);
	if (e->number != in.number)
		gh_note(fs->ctx, GH_BAD, e->at, "inode %u has the number %u in its directory", in.number, e->number);
	ret->attr = (struct gh_attr){
		.ino = e->ref + 1, .mode = in.mode, .uid = in.uid, .gid = in.gid, .nlink = in.nlink, .mtime = in.mtime};
	if (!in.owner) {
		ret->flags |= GH_CHILD_NO_ATTRS;
		if (!fs->ids_err.code)
			gh_note(fs->ctx, GH_BAD, in.at, "inode %u has an owner that is not in their table", in.number);
	}
	sq_xattrs(fs, &in, &ret->attr);
	return by_type(fs, &in, ret, err);
}

/* The root has no name and so is no child, but its attributes are looked at for damage. */
static enum gh_code root_enter(struct squashfs *fs, struct gh_err *err)
{
	struct sq_inode root;
	struct gh_attr attr = {0};
	enum gh_code code = sq_inode(fs, fs->sb.root, &root, err);
	if (code == GH_OK && (root.mode & 0170000) != 0040000)
		code = gh_fail(err, GH_BAD, root.at, "the root is not a directory (mode 0%o)", root.mode);
	if (code == GH_OK)
		code = sq_walk_begin(fs, err);
	if (code)
		return code;
	sq_xattrs(fs, &root, &attr);
	return sq_walk_enter(fs, &root, err);
}

static enum gh_code squashfs_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct squashfs *fs = state;
	struct sq_entry e;
	fs->ctx = ctx;
	enum gh_code code = fs->walk ? GH_OK : root_enter(fs, err);
	if (code == GH_OK)
		code = sq_walk_next(fs, &e, err);
	return code ? code : child_fill(fs, &e, ret, err);
}

static enum gh_code squashfs_content(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct squashfs *fs = state;
	struct sq_inode in;
	fs->ctx = ctx;
	enum gh_code code = sq_inode(fs, child->cookie[0], &in, err);
	if (code == GH_OK && (in.mode & 0170000) != 0100000)
		code = gh_fail(err, GH_BAD, in.at, "inode %u is no file", in.number);
	return code ? code : sq_data(fs, &in, ret, err);
}

const struct gh_format gh_format_squashfs = {
	.name = "squashfs",
	.title = "SquashFS file system",
	.version = 1,
	.volume = true,
	.state_size = sizeof(struct squashfs),
	.bid = squashfs_bid,
	.open = squashfs_open,
	.describe = squashfs_describe,
	.next = squashfs_next,
	.data = squashfs_content,
};
