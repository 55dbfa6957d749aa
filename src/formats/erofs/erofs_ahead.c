/* SPDX-License-Identifier: Apache-2.0 */
/* EROFS: reading ahead. Directories name inodes in the order of names, and these lie anywhere in the image. Where that is packed in
 * large pieces, each would be unpacked for each of its inodes. So once before the walk the inodes are read piece by piece: those pieces
 * first that have most directories waiting in them, since these name what is still to be read; what lies in one that was unpacked
 * just now at once; all others together at the end. A source that keeps small reads lies below. */
#include "formats/erofs/erofs.h"

enum {
	NIDS_MAX = 1 << 17, /* some ten times the files of a real partition; what is beyond is read when it is listed */
	PIECES_MAX = 1 << 14, /* 32 GiB in operations of 2 MiB */
	DIRENT = 12,
	TYPE_DIR = 2,
	RECENT = 6, /* pieces that are still unpacked below: some keep twelve, and directories have data elsewhere */
};

struct waiting {
	uint64_t nid;
	uint32_t next; /* in its piece; its index + 1 */
	bool dir;
};

struct piece {
	uint32_t first; /* of those that wait in it; index + 1 */
	uint32_t dirs;
	uint32_t visit; /* when it was unpacked; 0: never */
};

struct ahead {
	struct gh_ctx ctx; /* says nothing and has a budget of its own */
	struct gh_budget budget;
	struct erofs *fs;
	struct waiting *all; /* each nid that is known, read or not */
	uint32_t n;
	uint32_t *known; /* index + 1, open addressing, twice NIDS_MAX */
	struct piece *piece;
	size_t pieces;
	uint32_t visits;
	uint8_t *block;
};

static uint64_t quiet_emit(struct gh_ctx *ctx, enum gh_table table, uint64_t at, const void *row)
{
	(void)ctx, (void)table, (void)at, (void)row;
	return 0;
}

static void quiet_note(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *what)
{
	(void)ctx, (void)code, (void)at, (void)what;
}

static void learn(struct ahead *a, uint64_t nid, bool dir)
{
	uint64_t at;
	if (a->n == NIDS_MAX || !gh_mul(nid, 32, &at) || !gh_add(at, a->fs->sb.meta, &at) || at >= a->fs->src->size)
		return;
	size_t i = (size_t)(nid * 0x9e3779b97f4a7c15ull >> 20) & (2 * NIDS_MAX - 1);
	for (; a->known[i]; i = (i + 1) & (2 * NIDS_MAX - 1))
		if (a->all[a->known[i] - 1].nid == nid)
			return;
	struct piece *p = &a->piece[at / a->fs->src->grain];
	a->all[a->n++] = (struct waiting){nid, p->first, dir};
	a->known[i] = p->first = a->n;
	p->dirs += dir;
}

static enum gh_code learn_block(struct ahead *a, uint64_t at, size_t n, struct gh_err *err)
{
	enum gh_code code = erofs_meta_read(a->fs, at, a->block, n, err);
	struct gh_cursor c = gh_cursor(a->block, n, at);
	gh_skip(&c, 8);
	size_t names = gh_u16(&c);
	for (size_t i = 0; code == GH_OK && !c.bad && names <= n && i < names / DIRENT; i++) {
		code = gh_spend_steps(&a->budget, 1, at, err);
		gh_seek(&c, i * DIRENT);
		uint64_t nid = gh_u64(&c);
		gh_skip(&c, 2);
		learn(a, nid, gh_u8(&c) == TYPE_DIR);
	}
	return code;
}

static enum gh_code read_dir(struct ahead *a, const struct erofs_inode *dir, struct gh_err *err)
{
	struct erofs_flat flat;
	uint64_t block = erofs_block(a->fs);
	if (dir->layout != EROFS_PLAIN && dir->layout != EROFS_INLINE)
		return GH_OK;
	enum gh_code code = erofs_flat(a->fs, dir, &flat, err);
	for (uint64_t off = 0; code == GH_OK && !flat.hole && off < flat.body; off += block)
		code = learn_block(a, flat.start + off, (size_t)gh_min(block, flat.body - off), err);
	if (code == GH_OK && flat.rest)
		code = learn_block(a, dir->tail, (size_t)flat.rest, err);
	return code;
}

/* All that the walk reads of one inode. */
static void read_inode(struct ahead *a, uint64_t nid)
{
	struct erofs_inode in;
	struct gh_err err;
	struct gh_attr attr = {0};
	uint64_t packed;
	struct gh_mark mark = gh_arena_mark(a->ctx.arena);
	enum gh_code code = erofs_inode_read(a->fs, nid, &in, &err);
	if (code == GH_OK)
		erofs_xattrs(&a->ctx, a->fs, &in, &attr, a->fs->selinux);
	if (code == GH_OK && (in.mode & 0170000) == 0040000)
		code = read_dir(a, &in, &err);
	else if (code == GH_OK && (in.mode & 0170000) == 0100000)
		code = erofs_data_check(&a->ctx, a->fs, &in, &packed, &err);
	else if (code == GH_OK && in.layout == EROFS_INLINE && in.size < erofs_block(a->fs))
		code = erofs_meta_read(a->fs, in.tail, a->block, (size_t)in.size, &err);
	(void)code; /* the walk will tell it */
	gh_arena_release(a->ctx.arena, mark);
}

/* Empties a piece; what is learnt from it meanwhile and lies in it too. */
static enum gh_code visit(struct ahead *a, struct piece *p, struct gh_err *err)
{
	enum gh_code code = GH_OK;
	while (code == GH_OK && p->first) {
		const struct waiting *w = &a->all[p->first - 1];
		p->first = w->next;
		p->dirs -= w->dir;
		code = gh_spend_steps(&a->budget, 1, 0, err);
		if (code == GH_OK)
			read_inode(a, w->nid);
	}
	p->visit = ++a->visits;
	return code;
}

/* The piece to go to: one that is at hand, else that with most directories; without any, the next one. */
static struct piece *choose(struct ahead *a)
{
	struct piece *best = NULL;
	for (size_t i = 0; i < a->pieces; i++) {
		struct piece *p = &a->piece[i];
		if (p->first && p->visit && a->visits - p->visit < RECENT)
			return p;
		if (p->first && (!best || p->dirs > best->dirs))
			best = p;
	}
	return best;
}

static bool allocate(struct ahead *a, struct gh_arena *arena)
{
	a->pieces = (size_t)(a->fs->src->size / a->fs->src->grain) + 1;
	if (a->pieces > PIECES_MAX)
		return false;
	a->all = gh_alloc_array(arena, NIDS_MAX, sizeof *a->all);
	a->known = gh_alloc_array(arena, 2 * NIDS_MAX, sizeof *a->known);
	a->piece = gh_alloc_array(arena, a->pieces, sizeof *a->piece);
	a->block = gh_alloc_raw(arena, (size_t)erofs_block(a->fs));
	return a->all && a->known && a->piece && a->block;
}

void erofs_ahead(struct gh_ctx *ctx, struct erofs *fs)
{
	static const struct gh_ctx_ops quiet = {quiet_emit, quiet_note};
	struct gh_err err;
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	struct ahead *a = fs->window == EROFS_LINE ? gh_alloc(ctx->arena, sizeof *a) : NULL;
	if (!a)
		return;
	a->fs = fs;
	a->budget = *ctx->budget;
	a->ctx = (struct gh_ctx){ctx->arena, &a->budget, &quiet, NULL};
	if (allocate(a, ctx->arena)) {
		learn(a, fs->sb.root, true);
		struct piece *p;
		while ((p = choose(a)) && visit(a, p, &err) == GH_OK)
			;
	}
	gh_arena_release(ctx->arena, mark);
}
