/* SPDX-License-Identifier: Apache-2.0 */
/* ext2, ext3 and ext4 file systems, read only (kernel Documentation/filesystems/ext4). */
#include "formats/ext4/ext4.h"

#include <stdarg.h>
#include <stdio.h>

enum { NOTES_MAX = 100 }; /* told singly on each topic; with a damaged seed every inode of a phone would be one */

void ext4_note(struct ext4 *fs, enum ext4_topic topic, enum gh_code code, uint64_t at, const char *fmt, ...)
{
	char what[160];
	if (fs->quiet && (topic == EXT4_T_INODE || topic == EXT4_T_XATTR))
		return;
	if (++fs->noted[topic] > NOTES_MAX)
		return;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	gh_note(fs->ctx, code, at, "%s", what);
}

void ext4_note_rest(struct ext4 *fs)
{
	static const char *const topics[EXT4_N_TOPICS] = {"group descriptors", "inodes", "directories",
		"directory entries", "block maps", "extended attributes", "encryption"};
	for (unsigned i = 0; i < EXT4_N_TOPICS; i++)
		if (fs->noted[i] > NOTES_MAX)
			gh_note(fs->ctx, i == EXT4_T_CRYPT ? GH_UNSUP : GH_BAD, fs->sb.at, "%u more notes about %s",
				fs->noted[i] - NOTES_MAX, topics[i]);
}

enum gh_code ext4_step_over(struct ext4 *fs, enum ext4_topic topic, const struct gh_err *err)
{
	if (ext4_fatal(err->code))
		return err->code;
	ext4_note(fs, topic, err->code, err->at, "%s", err->what);
	return GH_OK;
}

enum gh_code ext4_block(struct ext4 *fs, struct ext4_slot *slot, uint64_t block, struct gh_err *err)
{
	uint64_t at;
	if (!gh_mul(block, fs->sb.bs, &at))
		return gh_fail(err, GH_BAD, UINT64_MAX, "no block has number %llu", (unsigned long long)block);
	if (slot->len && slot->at == at)
		return GH_OK;
	slot->len = 0;
	enum gh_code code = gh_read(fs->src, at, slot->buf, fs->sb.bs, err);
	if (code)
		return code;
	slot->at = at;
	slot->len = fs->sb.bs;
	return GH_OK;
}

/* Group descriptors at p, as they follow a superblock that was wiped: bitmaps and the inode table of the first group lie close
 * together behind them, its counts fit a bitmap, and what is always zero is zero. */
static bool looks_like_groups(const uint8_t *p, uint64_t bs, uint64_t size)
{
	uint64_t bb = ext4_u32(p, 0), ib = ext4_u32(p, 4), table = ext4_u32(p, 8);
	uint32_t free_blocks = ext4_u16(p, 0x0c), free_inodes = ext4_u16(p, 0x0e), dirs = ext4_u16(p, 0x10);
	return bb > 1 && bb < ib && ib < table && table - bb <= 64 && table < size / bs && free_blocks <= 8 * bs &&
	       free_inodes <= 8 * bs && dirs >= 1 && dirs <= 8 * bs && ext4_u16(p, 0x12) <= 7 && ext4_u32(p, 0x14) == 0;
}

static bool wiped(const struct gh_probe *probe)
{
	const uint8_t *raw = probe->head + EXT4_SUPER_AT;
	for (size_t i = 0; i < EXT4_SUPER_SIZE; i++)
		if (raw[i])
			return false;
	for (uint64_t bs = 1024; bs <= 4096; bs *= 2) {
		uint64_t at = gh_max(bs, 2048);
		if (probe->head_len >= at + 32 && looks_like_groups(probe->head + at, bs, probe->size))
			return true;
	}
	return false;
}

static enum gh_bid bid(const struct gh_probe *probe)
{
	struct ext4_super sb;
	struct gh_err suspect, err;
	if (probe->head_len < EXT4_SUPER_AT + EXT4_SUPER_SIZE)
		return GH_BID_NO;
	const uint8_t *raw = probe->head + EXT4_SUPER_AT;
	if (ext4_u16(raw, 0x38) != EXT4_MAGIC)
		return wiped(probe) ? GH_BID_SHAPE : GH_BID_NO;
	enum gh_code code = ext4_super_parse(raw, EXT4_SUPER_AT, &sb, &suspect, &err);
	if (code == GH_OK && !suspect.code)
		return GH_BID_PROVEN;
	/* Two bytes alone turn up by chance: damaged, but still a superblock, if its block size is one. */
	return code == GH_OK || ext4_u32(raw, 0x18) <= 6 ? GH_BID_MAGIC : GH_BID_SHAPE;
}

/* All buffers of the state. Pages that are not used are never touched, so this costs little where one file is read. */
static enum gh_code buffers(struct ext4 *fs, struct gh_err *err)
{
	struct gh_arena *arena = fs->ctx->arena;
	struct ext4_slot *blocks[2 + EXT4_DEPTH_MAX] = {&fs->gdt, &fs->acl};
	bool ok = true;
	for (size_t i = 0; i < EXT4_DEPTH_MAX; i++)
		blocks[2 + i] = &fs->node[i];
	for (size_t i = 0; i < GH_COUNT(blocks); i++)
		ok = ok && (blocks[i]->buf = gh_alloc_raw(arena, fs->sb.bs));
	fs->span = gh_max(EXT4_STRETCH, fs->sb.bs);
	for (size_t i = 0; i < EXT4_SLOTS; i++)
		ok = ok && (fs->slots[i].buf = gh_alloc_raw(arena, fs->span));
	ok = ok && (fs->raw = gh_alloc_raw(arena, fs->sb.inode_size));
	ok = ok && (fs->ea_raw = gh_alloc_raw(arena, fs->sb.inode_size));
	ok = ok && (fs->ea_label = gh_alloc_raw(arena, EXT4_VALUE_MAX));
	ok = ok && (fs->ea_caps = gh_alloc_raw(arena, EXT4_VALUE_MAX));
	return ok ? GH_OK : gh_fail(err, GH_NOMEM, fs->sb.at, "no memory for the buffers of a file system");
}

static enum gh_code open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct ext4 *fs = state;
	fs->ctx = ctx;
	fs->src = src;
	enum gh_code code = ext4_super_find(fs, err);
	return code ? code : buffers(fs, err);
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

static enum gh_code describe(struct gh_ctx *ctx, void *state, struct gh_err *err)
{
	struct ext4 *fs = state;
	const struct ext4_super *sb = &fs->sb;
	fs->ctx = ctx;
	uint64_t size = sb->blocks * sb->bs;
	bool recover = sb->incompat & EXT4_I_RECOVER;
	GH_EMIT(ctx, fs_info, sb->at, .kind = gh_str(ext4_kind(sb)), .label = gh_str(sb->label),
		.uuid = uuid_text(ctx->arena, sb->uuid), .block_size = sb->bs, .blocks = (int64_t)sb->blocks,
		.inodes = sb->inodes, .size = (int64_t)size, .features = ext4_features(ctx->arena, sb),
		.mounted_on = gh_str(sb->mounted_on), .build_time = sb->mkfs_time, .journal = recover);
	if (fs->damage.code && sb->at != EXT4_SUPER_AT)
		gh_note(ctx, GH_BAD, fs->damage.at, "%s; the copy at byte %llu is used", fs->damage.what,
			(unsigned long long)sb->at);
	else if (fs->damage.code)
		gh_note_err(ctx, &fs->damage);
	if (recover)
		gh_note(ctx, GH_UNSUP, sb->at + 0x60,
			"the journal needs recovery and is not replayed: what it holds is not seen");
	if (size > fs->src->size)
		gh_note(ctx, GH_SHORT, fs->src->size, "the image ends here, the file system at byte %llu",
			(unsigned long long)size);
	struct gh_err own;
	return told(ext4_groups_check(fs, &own), &own, err);
}

static enum gh_code next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct ext4 *fs = state;
	struct gh_err own;
	fs->ctx = ctx;
	return told(ext4_walk_next(fs, ret, &own), &own, err);
}

static enum gh_code content(struct ext4 *fs, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct ext4_inode in;
	struct ext4_map map = {0};
	if (child->cookie[0] > UINT32_MAX)
		return gh_fail(err, GH_BAD, 0, "there is no such inode");
	enum gh_code code = ext4_inode(fs, (uint32_t)child->cookie[0], fs->raw, &in, err);
	if (code)
		return code;
	if (child->flags & GH_CHILD_UNREADABLE)
		return gh_fail(err, GH_UNSUP, in.at, "the content of inode %u cannot be read", in.ino);
	if (in.flags & EXT4_FL_INLINE)
		code = ext4_xattr(fs, &in, NULL, err);
	if (!code)
		code = ext4_map(fs, &in, child->size, &map, err);
	return code ? code : gh_source_map(fs->ctx->arena, map.ext, map.n, child->size, ret, err);
}

/* The listing may be under way in the same state: what it counts is put aside. */
static enum gh_code data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct ext4 *fs = state;
	uint32_t noted[EXT4_N_TOPICS];
	struct gh_err own;
	fs->ctx = ctx;
	memcpy(noted, fs->noted, sizeof noted);
	memset(fs->noted, 0, sizeof fs->noted);
	fs->quiet = true;
	enum gh_code code = told(content(fs, child, ret, &own), &own, err);
	ext4_note_rest(fs);
	fs->quiet = false;
	memcpy(fs->noted, noted, sizeof noted);
	return code;
}

static bool claims(struct gh_ctx *ctx, void *state, void (*claim)(void *to, uint64_t off, uint64_t len), void *to)
{
	struct ext4 *fs = state;
	fs->ctx = ctx;
	fs->quiet = true;
	ext4_claims(fs, claim, to);
	fs->quiet = false;
	return false; /* folders, extents and attributes are found by reading */
}

const struct gh_format gh_format_ext4 = {
	.name = "ext4",
	.title = "ext2, ext3 or ext4 file system",
	.version = 1,
	.volume = true,
	.state_size = sizeof(struct ext4),
	.bid = bid,
	.open = open,
	.describe = describe,
	.next = next,
	.data = data,
	.claims = claims,
};
