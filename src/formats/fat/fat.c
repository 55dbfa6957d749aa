/* SPDX-License-Identifier: Apache-2.0 */
/* FAT12, FAT16 and FAT32 with long names, as modem partitions and EFI system partitions have them: Microsoft's FAT specification
 * (fatgen103). */
#include "formats/fat/fat.h"

static bool text_at(const struct gh_probe *probe, size_t at, const char *text)
{
	return memcmp(probe->head + at, text, strlen(text)) == 0;
}

/* There is no magic number: the geometry must fit, and one of the marks that are not required be there. */
static enum gh_bid fat_bid(const struct gh_probe *probe)
{
	struct fat_boot b;
	enum gh_code code = probe->head_len < FAT_BOOT ? GH_SHORT : fat_boot_parse(probe->head, &b, NULL);
	if (code && code != GH_UNSUP)
		return GH_BID_NO;
	bool marked = (probe->head[510] == 0x55 && probe->head[511] == 0xaa) || text_at(probe, 54, "FAT") ||
		      text_at(probe, 82, "FAT32");
	bool jump = probe->head[0] == 0xe9 || (probe->head[0] == 0xeb && probe->head[2] == 0x90);
	if (code)
		return marked && jump ? GH_BID_MAGIC : GH_BID_NO;
	if (!marked)
		return jump ? GH_BID_SHAPE : GH_BID_NO;
	/* The first entry of the table repeats the medium. */
	if (jump && gh_within(b.first_table, 3, probe->head_len))
		return probe->head[b.first_table] == b.media && probe->head[b.first_table + 1] == 0xff ? GH_BID_PROVEN
												       : GH_BID_SHAPE;
	return GH_BID_MAGIC;
}

static enum gh_code fat_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct fat *fs = state;
	uint8_t raw[FAT_BOOT];
	fs->ctx = ctx;
	fs->src = src;
	enum gh_code code = gh_read(src, 0, raw, sizeof raw, err);
	if (code == GH_OK)
		code = fat_boot_parse(raw, &fs->boot, err);
	return code ? code : fat_buffers(fs, err);
}

/* ---- describe ---- */

static struct gh_str trimmed(const char *label)
{
	size_t n = 11;
	while (n && label[n - 1] == ' ')
		n--;
	return gh_strn(label, n);
}

static enum gh_code fat_describe(struct gh_ctx *ctx, void *state, struct gh_err *err)
{
	struct fat *fs = state;
	const struct fat_boot *b = &fs->boot;
	char label[11];
	fs->ctx = ctx;
	bool own = fat_label(fs, label);
	struct gh_str name = trimmed(own ? label : b->label);
	if (!name.n || (!own && gh_str_is(name, "NO NAME")))
		name = GH_NONE; /* what tools write where there is none */
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	GH_EMIT(ctx, fs_info, 0,
		.kind = b->bits == 12   ? GH_STR("fat12")
			: b->bits == 16 ? GH_STR("fat16")
					: GH_STR("fat32"),
		.label = name,
		.uuid = b->serial ? gh_str_fmt(ctx->arena, "%04X-%04X", b->serial >> 16, b->serial & 0xffff) : GH_NONE,
		.block_size = b->cluster, .blocks = b->clusters, .inodes = GH_NULL, .size = (int64_t)b->size,
		.features = b->dirty ? GH_STR("dirty") : GH_NONE, .build_time = GH_NULL);
	gh_arena_release(ctx->arena, mark);
	if (b->size > fs->src->size)
		gh_note(ctx, GH_SHORT, fs->src->size, "the image ends here, the file system would reach to %llu",
			(unsigned long long)b->size);
	return fat_copies(fs, err);
}

/* ---- children ---- */

static void oddities(struct fat *fs, const struct fat_entry *e)
{
	bool hidden = e->attributes & FAT_HIDDEN, system = e->attributes & FAT_SYSTEM;
	if (hidden || system)
		GH_EMIT(fs->ctx, archive_facts, e->at, .name = e->path, .kind = GH_STR("attributes"),
			.value = !hidden  ? GH_STR("system")
				 : system ? GH_STR("hidden system")
					  : GH_STR("hidden"));
}

/* Where the content lies, and whether it can be had. */
static void content(struct fat *fs, const struct fat_entry *e, struct gh_child *child)
{
	struct gh_err bad = {0};
	struct gh_extent *ext;
	size_t n = 0;
	uint64_t clusters = 0, want = ((uint64_t)e->size + fs->boot.cluster - 1) / fs->boot.cluster;
	child->size = e->size;
	if (!e->size && !e->cluster)
		return;
	int len = (int)gh_min(e->path.n, 40);
	enum gh_code code = fat_take(fs, e->cluster, UINT64_MAX, &clusters, &bad);
	if (code)
		gh_note(fs->ctx, code, e->at, "%.*s: %.70s", len, e->path.p, bad.what);
	else if (clusters > want)
		gh_note(fs->ctx, GH_BAD, e->at, "%.*s: has %llu clusters and needs %llu", len, e->path.p,
			(unsigned long long)clusters, (unsigned long long)want);
	struct gh_mark mark = gh_arena_mark(fs->ctx->arena);
	enum gh_code had = fat_extents(fs, e->cluster, e->size, &ext, &n, &bad);
	if (had) {
		if (!code)
			gh_note(fs->ctx, had, e->at, "%.*s: %.70s", len, e->path.p, bad.what);
		child->flags |= GH_CHILD_UNREADABLE;
	} else if (n == 1) {
		child->off = ext[0].from;
	}
	child->csize = had ? 0 : e->size;
	gh_arena_release(fs->ctx->arena, mark);
}

static enum gh_code fat_list(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct fat *fs = state;
	struct fat_entry e;
	fs->ctx = ctx;
	enum gh_code code = fs->walk ? GH_OK : fat_walk_begin(fs, err);
	if (code == GH_OK)
		code = fat_walk_next(fs, &e, err);
	if (code == GH_END && fs->deleted) {
		struct gh_mark mark = gh_arena_mark(ctx->arena);
		GH_EMIT(ctx, archive_facts, 0, .kind = GH_STR("deleted"),
			.value = gh_str_fmt(ctx->arena, "%llu", (unsigned long long)fs->deleted));
		gh_arena_release(ctx->arena, mark);
		fs->deleted = 0;
	}
	if (code)
		return code;
	bool dir = e.attributes & FAT_DIR;
	*ret = (struct gh_child){.kind = GH_FILE,
		.flags = GH_CHILD_NO_ATTRS,
		.name = e.path,
		.cookie = {e.cluster, e.size},
		.off = UINT64_MAX};
	ret->attr = (struct gh_attr){.mode = (dir ? 0040555 : 0100444) | (e.attributes & FAT_READ_ONLY ? 0 : 0200),
		.nlink = 1,
		.mtime = e.mtime};
	oddities(fs, &e);
	if (dir)
		fat_walk_enter(fs, &e);
	else
		content(fs, &e, ret);
	return GH_OK;
}

static enum gh_code fat_content(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct fat *fs = state;
	struct gh_extent *ext = NULL;
	size_t n = 0;
	fs->ctx = ctx;
	if (child->cookie[0] > UINT32_MAX || child->cookie[1] > UINT32_MAX)
		return gh_fail(err, GH_BAD, 0, "there is no such file");
	enum gh_code code = fat_extents(fs, (uint32_t)child->cookie[0], child->cookie[1], &ext, &n, err);
	return code ? code : gh_source_map(ctx->arena, ext, n, child->cookie[1], ret, err);
}

const struct gh_format gh_format_fat = {
	.name = "fat",
	.title = "FAT file system",
	.version = 1,
	.volume = true,
	.state_size = sizeof(struct fat),
	.bid = fat_bid,
	.open = fat_open,
	.describe = fat_describe,
	.next = fat_list,
	.data = fat_content,
};
