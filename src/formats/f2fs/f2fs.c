/* SPDX-License-Identifier: Apache-2.0 */
/* F2FS, the flash-friendly file system, read only (include/linux/f2fs_fs.h, Documentation/filesystems/f2fs.rst and fs/f2fs of the
 * Linux kernel). */
#include "formats/f2fs/f2fs.h"

#include <stdarg.h>
#include <stdio.h>

enum {
	NOTES_MAX = 100, /* told singly on each topic; with a damaged uuid every inode of a phone would be one */
	KERNEL_SEG_BITS = 9,
};

void f2fs_note(struct f2fs *fs, enum f2fs_topic topic, enum gh_code code, uint64_t at, const char *fmt, ...)
{
	char what[160];
	if (fs->quiet && (topic == F2FS_T_INODE || topic == F2FS_T_XATTR))
		return;
	if (++fs->noted[topic] > NOTES_MAX)
		return;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	gh_note(fs->ctx, code, at, "%s", what);
}

void f2fs_note_rest(struct f2fs *fs)
{
	static const char *const topics[F2FS_N_TOPICS] = {
		"inodes", "directories", "directory entries", "block maps", "extended attributes", "encryption"};
	for (unsigned i = 0; i < F2FS_N_TOPICS; i++)
		if (fs->noted[i] > NOTES_MAX)
			gh_note(fs->ctx, i == F2FS_T_CRYPT ? GH_UNSUP : GH_BAD, fs->sb.at, "%u more notes about %s",
				fs->noted[i] - NOTES_MAX, topics[i]);
}

enum gh_code f2fs_step_over(struct f2fs *fs, enum f2fs_topic topic, const struct gh_err *err)
{
	if (f2fs_fatal(err->code))
		return err->code;
	f2fs_note(fs, topic, err->code, err->at, "%s", err->what);
	return GH_OK;
}

static enum gh_bid bid(const struct gh_probe *probe)
{
	struct f2fs_super sb;
	struct gh_err err;
	enum gh_bid best = GH_BID_NO;
	/* The copy lies in block 1; the blocks of most are of 4 KiB. */
	for (uint64_t at = F2FS_SUPER_AT; at <= 4096 + F2FS_SUPER_AT; at += 4096) {
		if (!gh_within(at, F2FS_SUPER_LEN, probe->head_len))
			break;
		const uint8_t *raw = probe->head + at;
		if (f2fs_u32(raw, 0) != F2FS_MAGIC)
			continue;
		if (f2fs_super_parse(raw, at, &sb, &err) == GH_OK)
			return GH_BID_PROVEN;
		best = GH_BID_MAGIC;
	}
	return best;
}

static enum gh_code open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct f2fs *fs = state;
	fs->ctx = ctx;
	fs->src = src;
	enum gh_code code = f2fs_super_find(fs, err);
	if (!code)
		code = f2fs_meta_init(fs, err);
	return code ? code : f2fs_cp_find(fs, err);
}

/* What was noted and stepped over has left words in our own error: they are passed on with a failing code only. */
static enum gh_code told(enum gh_code code, const struct gh_err *own, struct gh_err *err)
{
	if (code > GH_END && err)
		*err = *own;
	return code;
}

static struct gh_str uuid_text(struct gh_arena *arena, const uint8_t *u)
{
	return gh_str_fmt(arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
		u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}

/* What of the superblock and the checkpoint does not fit, or is not read. */
static void describe_notes(struct gh_ctx *ctx, const struct f2fs *fs, uint64_t size)
{
	const struct f2fs_super *sb = &fs->sb;
	if (fs->damage.code && sb->at != F2FS_SUPER_AT)
		gh_note(ctx, GH_BAD, fs->damage.at, "%s; the copy at byte %llu is used", fs->damage.what,
			(unsigned long long)sb->at);
	else if (fs->damage.code)
		gh_note_err(ctx, &fs->damage);
	if (fs->cp_damage.code)
		gh_note(ctx, fs->cp_damage.code, fs->cp_damage.at, "%s; the pack at byte %llu is used",
			fs->cp_damage.what, (unsigned long long)fs->cp.at);
	if (fs->journal_damage.code)
		gh_note_err(ctx, &fs->journal_damage);
	if (sb->features & ~(uint32_t)F2FS_KNOWN)
		gh_note(ctx, GH_UNSUP, sb->at + 2180, "features 0x%x are not known: what they change is not seen",
			sb->features & ~(uint32_t)F2FS_KNOWN);
	if (sb->here != UINT64_MAX)
		gh_note(ctx, GH_UNSUP, sb->at + 2201,
			"a file system on several devices: this is the first, with %llu of %llu blocks",
			(unsigned long long)sb->here, (unsigned long long)sb->block_count);
	if (sb->bits < 12 || sb->bits & 1 || sb->seg_bits != KERNEL_SEG_BITS)
		gh_note(ctx, GH_BAD, sb->at + 16, "blocks of %u bytes in segments of %u: no kernel mounts it", sb->bs,
			1u << sb->seg_bits);
	uint64_t here = sb->here != UINT64_MAX ? sb->here << sb->bits : size;
	if (here > fs->src->size)
		gh_note(ctx, GH_SHORT, fs->src->size, "the image ends here, the file system at byte %llu",
			(unsigned long long)here);
}

static enum gh_code describe(struct gh_ctx *ctx, void *state, struct gh_err *err)
{
	struct f2fs *fs = state;
	const struct f2fs_super *sb = &fs->sb;
	struct gh_err own;
	uint64_t size;
	uint32_t fsynced = 0;
	fs->ctx = ctx;
	if (!gh_mul(sb->block_count, sb->bs, &size) || size > INT64_MAX)
		size = INT64_MAX;
	enum gh_code code = f2fs_cp_fsynced(fs, &fsynced, &own);
	GH_EMIT(ctx, fs_info, sb->at, .kind = GH_STR("f2fs"), .label = f2fs_label(ctx->arena, sb),
		.uuid = uuid_text(ctx->arena, sb->uuid), .block_size = sb->bs,
		.blocks = (int64_t)gh_min(sb->block_count, INT64_MAX), .inodes = fs->cp.inodes, .size = (int64_t)size,
		.features = f2fs_features(ctx->arena, sb), .build_time = GH_NULL, .journal = fsynced != 0);
	describe_notes(ctx, fs, size);
	if (fsynced)
		gh_note(ctx, GH_UNSUP, fs->cp.at,
			"%u nodes were written after the checkpoint and are not replayed: what they hold is not seen",
			fsynced);
	return told(code, &own, err);
}

static enum gh_code next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct f2fs *fs = state;
	struct gh_err own;
	fs->ctx = ctx;
	return told(f2fs_walk_next(fs, ret, &own), &own, err);
}

static enum gh_code content(struct f2fs *fs, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct f2fs_inode in;
	if (child->cookie[0] > UINT32_MAX)
		return gh_fail(err, GH_BAD, 0, "there is no such inode");
	enum gh_code code = f2fs_inode(fs, (uint32_t)child->cookie[0], fs->raw, &in, err);
	if (code)
		return code;
	if (child->flags & GH_CHILD_UNREADABLE)
		return gh_fail(err, GH_UNSUP, in.at, "the content of inode %u cannot be read", in.ino);
	return f2fs_data(fs, &in, child->size, ret, err);
}

/* The listing may be under way in the same state: what it counts is put aside. */
static enum gh_code data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct f2fs *fs = state;
	uint32_t noted[F2FS_N_TOPICS];
	struct gh_err own;
	fs->ctx = ctx;
	memcpy(noted, fs->noted, sizeof noted);
	memset(fs->noted, 0, sizeof fs->noted);
	fs->quiet = true;
	enum gh_code code = told(content(fs, child, ret, &own), &own, err);
	f2fs_note_rest(fs);
	fs->quiet = false;
	memcpy(fs->noted, noted, sizeof noted);
	return code;
}

const struct gh_format gh_format_f2fs = {
	.name = "f2fs",
	.title = "F2FS file system",
	.version = 1,
	.volume = true,
	.state_size = sizeof(struct f2fs),
	.bid = bid,
	.open = open,
	.describe = describe,
	.next = next,
	.data = data,
};
