/* SPDX-License-Identifier: Apache-2.0 */
/* EROFS, the read-only file system of most Android system partitions: fs/erofs/erofs_fs.h and Documentation/filesystems/erofs.rst
 * of the Linux kernel. */
#include "formats/erofs/erofs.h"

#include <sys/sysmacros.h>

enum { SB_MAGIC_AT = EROFS_SB_AT, SB_BITS_AT = EROFS_SB_AT + 12 };

static const uint8_t magic[4] = {0xe2, 0xe1, 0xf5, 0xe0};

/* Is the block of the superblock whole in the probe, and does its checksum match? */
static bool proven(const struct gh_probe *probe, uint32_t compat, uint32_t checksum, unsigned bits)
{
	uint64_t block = (uint64_t)1 << bits;
	uint64_t n = block > EROFS_SB_AT ? block - EROFS_SB_AT : block;
	if (!(compat & EROFS_COMPAT_SB_CSUM) || !gh_within(EROFS_SB_AT, n, probe->head_len))
		return false;
	const uint8_t *p = probe->head + EROFS_SB_AT;
	uint32_t crc = erofs_crc32c(UINT32_MAX, p, 4);
	crc = erofs_crc32c(crc, (const uint8_t[4]){0}, 4);
	return erofs_crc32c(crc, p + 8, (size_t)n - 8) == checksum;
}

static enum gh_bid erofs_bid(const struct gh_probe *probe)
{
	struct gh_cursor c = gh_cursor(probe->head, probe->head_len, 0);
	gh_seek(&c, SB_MAGIC_AT);
	const uint8_t *p = gh_bytes(&c, sizeof magic);
	if (!p || memcmp(p, magic, sizeof magic) != 0)
		return GH_BID_NO;
	uint32_t checksum = gh_u32(&c), compat = gh_u32(&c);
	unsigned bits = gh_u8(&c);
	gh_seek(&c, EROFS_SB_AT + EROFS_SB_LEN);
	if (c.bad || bits < EROFS_BITS_MIN || bits > EROFS_BITS_MAX)
		return GH_BID_NO;
	return proven(probe, compat, checksum, bits) ? GH_BID_PROVEN : GH_BID_MAGIC;
}

static enum gh_code erofs_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct erofs *fs = state;
	fs->src = src;
	enum gh_code code = erofs_sb_read(src, &fs->sb, err);
	if (code == GH_OK)
		code = erofs_meta_init(ctx, fs, err);
	return code ? code : erofs_tables(ctx, fs, err);
}

/* ---- describe ---- */

static struct gh_str features(struct gh_ctx *ctx, const struct erofs_sb *sb)
{
	static const char *const algorithms[] = {"lz4", "lzma", "deflate", "zstd"};
	static const char *const compat[] = {
		"sb_csum", "mtime", "xattr_filter", "shared_ea_in_metabox", "plain_xattr_pfx", "ishare_xattrs"};
	static const char *const incompat[] = {"0padding", "big_pcluster", "chunked_file", "device_table",
		"ztailpacking", "fragments", "xattr_prefixes", "48bit", "metabox"};
	char buf[512];
	size_t n = 0;
	for (unsigned i = 0; i < 64; i++) {
		bool low = i < 32;
		if (!((low ? sb->compat : sb->incompat) >> (i & 31) & 1))
			continue;
		const char *const *names = low ? compat : incompat;
		size_t known = low ? GH_COUNT(compat) : GH_COUNT(incompat);
		const char *name = (i & 31) < known ? names[i & 31] : low ? "compat_unknown" : "incompat_unknown";
		if (!low && (i & 31) == 3 && !sb->devices)
			name = "compr_head2"; /* the same bit */
		if (strlen(name) + 1 > sizeof buf - n)
			break;
		if (n)
			buf[n++] = ' ';
		memcpy(buf + n, name, strlen(name));
		n += strlen(name);
	}
	for (unsigned i = 0; sb->incompat & EROFS_BIG_PCLUSTER && i < GH_COUNT(algorithms); i++)
		if (sb->algorithms >> i & 1 && strlen(algorithms[i]) + 1 < sizeof buf - n) {
			buf[n++] = ' ';
			memcpy(buf + n, algorithms[i], strlen(algorithms[i]));
			n += strlen(algorithms[i]);
		}
	return gh_str_dup(ctx->arena, gh_strn(buf, n));
}

static struct gh_str uuid_text(struct gh_ctx *ctx, const uint8_t u[16])
{
	struct gh_str h = gh_hex(ctx->arena, u, 16);
	if (!h.p)
		return GH_NONE;
	return gh_str_fmt(ctx->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", h.p, h.p + 8, h.p + 12, h.p + 16, h.p + 20);
}

static enum gh_code erofs_describe(struct gh_ctx *ctx, void *state, struct gh_err *err)
{
	struct erofs *fs = state;
	const struct erofs_sb *sb = &fs->sb;
	uint64_t size = sb->blocks << sb->bits;
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	GH_EMIT(ctx, fs_info, EROFS_SB_AT, .kind = GH_STR("erofs"), .label = sb->label,
		.uuid = uuid_text(ctx, sb->uuid), .block_size = (int64_t)erofs_block(fs), .blocks = (int64_t)sb->blocks,
		.inodes = (int64_t)sb->inodes, .size = (int64_t)size, .features = features(ctx, sb),
		.build_time = (int64_t)(sb->epoch + sb->build_time));
	if (size > fs->src->size)
		gh_note(ctx, GH_SHORT, fs->src->size, "the image ends here, the file system would reach to %llu",
			(unsigned long long)size);
	erofs_configs(ctx, fs);
	bool good;
	enum gh_code code = erofs_sb_checksum(ctx, fs, &good, err);
	if (code == GH_OK && !good)
		gh_note(ctx, GH_BAD, EROFS_SB_AT + 4, "checksum of the superblock does not match");
	gh_arena_release(ctx->arena, mark);
	return code == GH_SHORT ? GH_OK : code; /* that it is short was noted */
}

/* ---- children ---- */

static enum gh_code refused(const struct erofs *fs, struct gh_err *err)
{
	uint32_t unknown = fs->sb.incompat & ~(uint32_t)EROFS_KNOWN;
	if (unknown)
		return gh_fail(err, GH_UNSUP, EROFS_SB_AT + 80, "features 0x%x: %s are not read", unknown,
			unknown & 0x80    ? "48-bit addresses"
			: unknown & 0x100 ? "metadata in a box"
					  : "unknown ones");
	if (fs->device_err.code) {
		*err = fs->device_err;
		return err->code;
	}
	if (fs->sb.dirbits)
		return gh_fail(err, GH_UNSUP, EROFS_SB_AT + 90, "directory blocks of another size than data blocks");
	return GH_OK;
}

static uint32_t type_mode(uint8_t type)
{
	static const uint16_t mode[] = {0100000, 0100000, 0040000, 0020000, 0060000, 0010000, 0140000, 0120000};
	return mode[type < GH_COUNT(mode) ? type : 0];
}

/* linux/kdev_t.h: 12 bits of major and 20 of minor, interleaved. */
static uint64_t device(uint32_t u)
{
	return makedev(u >> 8 & 0xfff, (u & 0xff) | (u >> 12 & 0xfff00));
}

/* The target of a symbolic link, mostly inline behind its inode. */
static void link_target(
	struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, struct gh_child *child, char *buf)
{
	struct gh_err err = {0};
	struct gh_source *src;
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	enum gh_code code;
	if (in->size > EROFS_LINK_MAX)
		code = gh_fail(&err, GH_LIMIT, in->at, "link of inode %llu has %llu bytes", (unsigned long long)in->nid,
			(unsigned long long)in->size);
	else
		code = erofs_data(ctx, fs, in, &src, &err);
	if (code == GH_OK && in->layout == EROFS_INLINE && src->size < erofs_block(fs))
		code = erofs_meta_read(fs, in->tail, buf, (size_t)in->size, &err);
	else if (code == GH_OK)
		code = gh_read(src, 0, buf, (size_t)in->size, &err);
	gh_arena_release(ctx->arena, mark);
	if (code) {
		gh_note_err(ctx, &err);
		child->flags |= GH_CHILD_UNREADABLE;
		return;
	}
	child->attr.link = gh_strn(buf, (size_t)in->size);
}

/* Where the bytes lie, and whether they can be had. */
static void content(struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, struct gh_child *child)
{
	struct gh_err err = {0};
	struct erofs_flat flat;
	child->size = in->size;
	child->off = UINT64_MAX;
	enum gh_code code = erofs_data_check(ctx, fs, in, &child->csize, &err);
	if (code) {
		gh_note_err(ctx, &err);
		child->flags |= GH_CHILD_UNREADABLE;
		return;
	}
	if ((in->layout == EROFS_PLAIN || in->layout == EROFS_INLINE) && in->size &&
		erofs_flat(fs, in, &flat, &err) == GH_OK && !flat.hole && !(flat.body && flat.rest))
		child->near = child->off = flat.rest ? in->tail : flat.start;
}

static enum gh_code by_type(
	struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *in, struct gh_child *child, struct gh_err *err)
{
	switch (in->mode & 0170000) {
	case 0040000:
		child->size = in->size;
		return erofs_walk_enter(ctx, fs, in, err);
	case 0100000:
		content(ctx, fs, in, child);
		return GH_OK;
	case 0120000:
		child->size = in->size;
		link_target(ctx, fs, in, child, fs->link);
		return GH_OK;
	case 0020000:
	case 0060000:
		child->attr.rdev = device(in->u);
		return GH_OK;
	case 0010000:
	case 0140000:
		return GH_OK;
	default:
		gh_note(ctx, GH_BAD, in->at, "inode %llu has the impossible mode 0%o", (unsigned long long)in->nid,
			in->mode);
		child->flags |= GH_CHILD_UNREADABLE;
		return GH_OK;
	}
}

static enum gh_code child_fill(
	struct gh_ctx *ctx, struct erofs *fs, const struct erofs_entry *e, struct gh_child *ret, struct gh_err *err)
{
	struct erofs_inode in;
	struct gh_err bad;
	*ret = (struct gh_child){.kind = GH_FILE, .name = e->path, .cookie = {e->nid}, .off = UINT64_MAX};
	enum gh_code code = erofs_inode_read(fs, e->nid, &in, &bad);
	if (code == GH_IO || code == GH_NOMEM)
		return gh_fail(err, code, bad.at, "%s", bad.what);
	if (code) {
		gh_note(ctx, code, bad.at ? bad.at : e->at, "%s", bad.what);
		ret->flags = GH_CHILD_UNREADABLE | GH_CHILD_NO_ATTRS;
		ret->attr.mode = type_mode(e->type);
		return GH_OK;
	}
	if (e->type && in.mode & 0170000 && (in.mode & 0170000) != type_mode(e->type))
		gh_note(ctx, GH_BAD, e->at, "inode %llu is of another type than its directory says",
			(unsigned long long)e->nid);
	ret->attr = (struct gh_attr){
		.ino = e->nid, .mode = in.mode, .uid = in.uid, .gid = in.gid, .nlink = in.nlink, .mtime = in.mtime};
	ret->near = in.at;
	erofs_xattrs(ctx, fs, &in, &ret->attr, fs->selinux);
	return by_type(ctx, fs, &in, ret, err);
}

/* The root has no name and so is no child, but its attributes are looked at for damage. */
static enum gh_code root_enter(struct gh_ctx *ctx, struct erofs *fs, struct gh_err *err)
{
	struct erofs_inode root;
	struct gh_attr attr = {0};
	enum gh_code code = refused(fs, err);
	if (code == GH_OK)
		code = erofs_inode_read(fs, fs->sb.root, &root, err);
	if (code == GH_OK && (root.mode & 0170000) != 0040000)
		code = gh_fail(err, GH_BAD, root.at, "the root is not a directory (mode 0%o)", root.mode);
	if (code == GH_OK)
		code = erofs_walk_begin(ctx, fs, err);
	if (code)
		return code;
	erofs_ahead(ctx, fs);
	erofs_xattrs(ctx, fs, &root, &attr, fs->selinux);
	return erofs_walk_enter(ctx, fs, &root, err);
}

static enum gh_code erofs_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct erofs *fs = state;
	struct erofs_entry e;
	enum gh_code code = fs->walk ? GH_OK : root_enter(ctx, fs, err);
	if (code == GH_OK)
		code = erofs_walk_next(ctx, fs, &e, err);
	return code ? code : child_fill(ctx, fs, &e, ret, err);
}

static enum gh_code erofs_content(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct erofs *fs = state;
	struct erofs_inode in;
	enum gh_code code = refused(fs, err);
	if (code == GH_OK)
		code = erofs_inode_read(fs, child->cookie[0], &in, err);
	return code ? code : erofs_data(ctx, fs, &in, ret, err);
}

const struct gh_format gh_format_erofs = {
	.name = "erofs",
	.title = "EROFS file system",
	.version = 3,
	.volume = true,
	.state_size = sizeof(struct erofs),
	.bid = erofs_bid,
	.open = erofs_open,
	.describe = erofs_describe,
	.next = erofs_next,
	.data = erofs_content,
};
