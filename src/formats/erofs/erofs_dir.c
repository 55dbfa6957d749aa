/* SPDX-License-Identifier: Apache-2.0 */
/* EROFS: the walk through the directories, depth first, in the order they are stored. A directory is a row of blocks, each with
 * its own struct erofs_dirent array (12 bytes an entry, sorted by name) and the names behind it. */
#include "formats/erofs/erofs.h"

enum {
	DIRENT = 12,
	SEEN_MIN = 1 << 10,
};

struct frame {
	struct erofs_inode dir;
	uint64_t parent; /* nid */
	uint64_t block; /* the one at hand */
	uint32_t i, n; /* next entry and entries in it; n 0: not looked at yet */
	uint32_t path_len; /* of the directory, without a final '/' */
	uint32_t last_len; /* of the name before, */
	char last[EROFS_NAME_MAX]; /* to see that names ascend */
	bool disorder; /* noted already */
};

struct erofs_walk {
	uint32_t depth; /* frames in use */
	bool loaded; /* buf holds a block, */
	uint64_t loaded_dir, loaded_block; /* this one */
	uint32_t len; /* of it */
	uint64_t base; /* where it lies; of a compressed directory, its inode */
	uint8_t *buf; /* one block */
	uint64_t *seen; /* directories entered: number + 1, open addressing */
	size_t n_seen, cap_seen;
	char path[EROFS_PATH_MAX + 1];
	struct frame frame[EROFS_DEPTH_MAX];
};

/* ---- directories entered before ---- */

static uint64_t *seen_slot(uint64_t *table, size_t cap, uint64_t key)
{
	size_t i = (size_t)(key * 0x9e3779b97f4a7c15ull >> 20) & (cap - 1);
	while (table[i] && table[i] != key)
		i = (i + 1) & (cap - 1);
	return &table[i];
}

static bool seen_grow(struct gh_arena *arena, struct erofs_walk *w)
{
	size_t cap = w->cap_seen ? 2 * w->cap_seen : SEEN_MIN;
	uint64_t *table = gh_alloc_array(arena, cap, sizeof *table);
	if (!table)
		return false;
	for (size_t i = 0; i < w->cap_seen; i++)
		if (w->seen[i])
			*seen_slot(table, cap, w->seen[i]) = w->seen[i];
	w->seen = table;
	w->cap_seen = cap;
	return true;
}

static enum gh_code seen_add(struct gh_ctx *ctx, struct erofs_walk *w, uint64_t nid, bool *ret_new, struct gh_err *err)
{
	if (2 * w->n_seen >= w->cap_seen && !seen_grow(ctx->arena, w))
		return gh_fail(err, GH_NOMEM, 0, "no memory to remember %zu directories", w->n_seen);
	uint64_t *slot = seen_slot(w->seen, w->cap_seen, nid + 1);
	*ret_new = !*slot;
	w->n_seen += *ret_new;
	*slot = nid + 1;
	return GH_OK;
}

/* ---- blocks ---- */

static bool packed_dir(const struct erofs_inode *dir)
{
	return dir->layout == EROFS_Z_FULL || dir->layout == EROFS_Z_COMPACT;
}

static enum gh_code block_flat(
	struct erofs *fs, const struct frame *f, uint64_t off, uint32_t len, uint64_t *ret_at, struct gh_err *err)
{
	struct erofs_flat flat;
	enum gh_code code = erofs_flat(fs, &f->dir, &flat, err);
	if (code)
		return code;
	*ret_at = off < flat.body ? flat.start + off : f->dir.tail + (off - flat.body);
	return erofs_meta_read(fs, *ret_at, fs->walk->buf, len, err);
}

/* A compressed directory is opened for each of its blocks: it is small, and what stays open would stay in memory. */
static enum gh_code block_packed(
	struct gh_ctx *ctx, struct erofs *fs, const struct frame *f, uint64_t off, uint32_t len, struct gh_err *err)
{
	struct gh_source *src;
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	enum gh_code code = erofs_data(ctx, fs, &f->dir, &src, err);
	if (code == GH_OK)
		code = gh_read(src, off, fs->walk->buf, len, err);
	gh_arena_release(ctx->arena, mark);
	return code;
}

/* Brings the frame's block into the buffer; it is read only once as long as the walk stays in it. */
static enum gh_code block_load(struct gh_ctx *ctx, struct erofs *fs, struct frame *f, struct gh_err *err)
{
	struct erofs_walk *w = fs->walk;
	uint64_t off = f->block << fs->sb.bits, at = f->dir.at;
	uint32_t len = (uint32_t)gh_min(erofs_block(fs), f->dir.size - off);
	if (!w->loaded || w->loaded_dir != f->dir.nid || w->loaded_block != f->block) {
		w->loaded = false;
		enum gh_code code = packed_dir(&f->dir) ? block_packed(ctx, fs, f, off, len, err)
							: block_flat(fs, f, off, len, &at, err);
		if (code)
			return code;
		w->loaded = true;
		w->loaded_dir = f->dir.nid;
		w->loaded_block = f->block;
		w->len = len;
		w->base = at;
	}
	if (f->n)
		return GH_OK;
	struct gh_cursor c = gh_cursor(w->buf, len, w->base);
	gh_skip(&c, 8);
	uint16_t names = gh_u16(&c);
	if (c.bad || names < DIRENT || names >= len || names % DIRENT)
		return gh_fail(err, GH_BAD, w->base, "directory block whose names begin at %u", names);
	f->n = names / DIRENT;
	f->i = 0;
	return GH_OK;
}

/* ---- entries ---- */

struct raw_entry {
	uint64_t nid;
	uint64_t at;
	uint8_t type;
	struct gh_str name; /* in the block */
};

static enum gh_code entry_read(struct erofs_walk *w, const struct frame *f, struct raw_entry *ret, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(w->buf, w->len, w->base);
	gh_seek(&c, (uint64_t)f->i * DIRENT);
	ret->nid = gh_u64(&c);
	uint32_t from = gh_u16(&c), to = w->len;
	ret->type = gh_u8(&c);
	gh_skip(&c, 1 + 8);
	if (f->i + 1 < f->n)
		to = gh_u16(&c);
	ret->at = w->base + (uint64_t)f->i * DIRENT;
	if (from < f->n * DIRENT || from >= to || to > w->len)
		return gh_fail(err, GH_BAD, ret->at, "directory entry whose name is at %u to %u", from, to);
	ret->at = w->base + from;
	size_t n = to - from;
	if (f->i + 1 == f->n)
		n = strnlen((const char *)w->buf + from, n);
	ret->name = gh_strn(w->buf + from, n);
	if (!n || n > EROFS_NAME_MAX || memchr(ret->name.p, '/', n) || memchr(ret->name.p, 0, n))
		return gh_fail(err, GH_BAD, ret->at, "directory entry with an impossible name of %zu bytes", n);
	return GH_OK;
}

/* The kernel finds names by bisection: one out of order, or there twice, is seen by listing but not by opening. */
static void order_check(struct gh_ctx *ctx, struct frame *f, const struct raw_entry *e)
{
	size_t n = gh_min(e->name.n, f->last_len);
	int cmp = memcmp(f->last, e->name.p, n);
	bool ascends = cmp < 0 || (cmp == 0 && f->last_len < e->name.n);
	if (f->last_len && !ascends && !f->disorder) {
		gh_note(ctx, GH_BAD, e->at, "directory %llu is not sorted: the kernel cannot find all its names",
			(unsigned long long)f->dir.nid);
		f->disorder = true;
	}
	memcpy(f->last, e->name.p, e->name.n);
	f->last_len = (uint32_t)e->name.n;
}

/* "." and "..": not children, but they must say what they say. */
static bool dots_check(struct gh_ctx *ctx, const struct frame *f, const struct raw_entry *e)
{
	bool self = gh_str_is(e->name, "."), up = gh_str_is(e->name, "..");
	if (self || up) {
		uint64_t want = self ? f->dir.nid : f->parent;
		if (e->nid != want)
			gh_note(ctx, GH_BAD, e->at, "'%s' of directory %llu leads to inode %llu", self ? "." : "..",
				(unsigned long long)f->dir.nid, (unsigned long long)e->nid);
	}
	return self || up;
}

static void entry_path(struct erofs_walk *w, const struct frame *f, const struct raw_entry *e, struct erofs_entry *ret)
{
	/* A frame less than EROFS_DEPTH_MAX deep: its path and one name more fit. */
	w->path[f->path_len] = '/';
	memcpy(w->path + f->path_len + 1, e->name.p, e->name.n);
	*ret = (struct erofs_entry){.nid = e->nid, .at = e->at, .type = e->type};
	ret->path = gh_strn(w->path, f->path_len + 1 + e->name.n);
}

/* One step: *ret_found, or nothing this time (a dot, a bad entry or block, the end of a directory). */
static enum gh_code walk_step(
	struct gh_ctx *ctx, struct erofs *fs, struct erofs_entry *ret, bool *ret_found, struct gh_err *err)
{
	struct erofs_walk *w = fs->walk;
	struct frame *f = &w->frame[w->depth - 1];
	if (f->block << fs->sb.bits >= f->dir.size) {
		w->depth--;
		return GH_OK;
	}
	struct gh_err bad;
	enum gh_code code = block_load(ctx, fs, f, &bad);
	if (code == GH_IO || code == GH_NOMEM)
		return gh_fail(err, code, bad.at, "%s", bad.what);
	if (code) {
		gh_note_err(ctx, &bad);
		f->block++;
		f->n = 0;
		return GH_OK;
	}
	struct raw_entry e;
	code = entry_read(w, f, &e, &bad);
	if (code) {
		gh_note_err(ctx, &bad);
	} else {
		order_check(ctx, f, &e);
		*ret_found = !dots_check(ctx, f, &e);
		if (*ret_found)
			entry_path(w, f, &e, ret);
	}
	if (++f->i == f->n) {
		f->block++;
		f->n = 0;
	}
	return GH_OK;
}

enum gh_code erofs_walk_begin(struct gh_ctx *ctx, struct erofs *fs, struct gh_err *err)
{
	struct erofs_walk *w = gh_alloc_raw(ctx->arena, sizeof *w);
	uint8_t *buf = gh_alloc_raw(ctx->arena, (size_t)erofs_block(fs));
	if (!w || !buf)
		return gh_fail(err, GH_NOMEM, 0, "no memory to walk the directories");
	memset(w, 0, offsetof(struct erofs_walk, path));
	w->buf = buf;
	fs->walk = w;
	return GH_OK;
}

enum gh_code erofs_walk_next(struct gh_ctx *ctx, struct erofs *fs, struct erofs_entry *ret, struct gh_err *err)
{
	while (fs->walk->depth) {
		bool found = false;
		enum gh_code code = gh_spend_steps(ctx->budget, 1, 0, err);
		if (code == GH_OK)
			code = walk_step(ctx, fs, ret, &found, err);
		if (code || found)
			return code;
	}
	return GH_END;
}

/* Noted, or fit to be entered. */
static bool enterable(struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *dir)
{
	struct erofs_flat flat = {0};
	struct gh_err bad;
	uint64_t occupies;
	unsigned long long nid = dir->nid;
	if (fs->walk->depth == EROFS_DEPTH_MAX)
		gh_note(ctx, GH_LIMIT, dir->at, "more than %d directories inside each other", EROFS_DEPTH_MAX);
	else if (dir->layout == EROFS_CHUNKS)
		gh_note(ctx, GH_UNSUP, dir->at, "directory %llu is in chunks", nid);
	else if (packed_dir(dir) ? erofs_data_check(ctx, fs, dir, &occupies, &bad) : erofs_flat(fs, dir, &flat, &bad))
		gh_note_err(ctx, &bad);
	else if (flat.hole)
		gh_note(ctx, GH_BAD, dir->at, "directory %llu lies nowhere", nid);
	else
		return true;
	return false;
}

enum gh_code erofs_walk_enter(struct gh_ctx *ctx, struct erofs *fs, const struct erofs_inode *dir, struct gh_err *err)
{
	struct erofs_walk *w = fs->walk;
	bool fresh;
	enum gh_code code = seen_add(ctx, w, dir->nid, &fresh, err);
	if (code)
		return code;
	if (!fresh)
		gh_note(ctx, GH_BAD, dir->at, "directory %llu is reached a second time", (unsigned long long)dir->nid);
	if (!fresh || !enterable(ctx, fs, dir))
		return GH_OK;
	struct frame *f = &w->frame[w->depth];
	uint32_t path_len = 0;
	if (w->depth) {
		struct frame *up = f - 1;
		path_len = up->path_len + 1 + up->last_len; /* the name just returned is the last one seen there */
	}
	f->dir = *dir;
	f->parent = w->depth ? (f - 1)->dir.nid : dir->nid;
	f->block = 0;
	f->i = f->n = 0;
	f->path_len = path_len;
	f->last_len = 0;
	f->disorder = false;
	w->depth++;
	return GH_OK;
}
