/* SPDX-License-Identifier: Apache-2.0 */
/* SquashFS: the walk through the directories, depth first, in the order they are stored. A directory is a row of headers
 * (squashfs_dir_header), each with up to 256 entries behind it. */
#include "formats/squashfs/squashfs.h"

enum {
	HEADER = 12,
	ENTRY = 8,
	COUNT_MAX = 256,
	DOTS = 3, /* a directory's size counts so many bytes more than lie there, for "." and ".." */
	SEEN_MIN = 1 << 10,
};

struct frame {
	struct sq_inode dir;
	struct sq_pos pos; /* of the next header or entry */
	uint64_t left; /* bytes from there */
	uint32_t count; /* entries before the next header */
	uint64_t block; /* of the inodes of these entries, */
	uint32_t number; /* and what their numbers count from */
	uint32_t path_len; /* of the directory, without a final '/' */
	uint32_t last_len; /* of the name before, */
	char last[SQ_NAME_MAX]; /* to see that names ascend */
	bool disorder; /* noted already */
};

struct sq_walk {
	uint32_t depth; /* frames in use */
	uint64_t *seen; /* directories entered: place + 1, open addressing */
	size_t n_seen, cap_seen;
	char path[SQ_PATH_MAX + 1];
	struct frame frame[SQ_DEPTH_MAX];
};

/* ---- directories entered before ---- */

static uint64_t *seen_slot(uint64_t *table, size_t cap, uint64_t key)
{
	size_t i = (size_t)(key * 0x9e3779b97f4a7c15ull >> 20) & (cap - 1);
	while (table[i] && table[i] != key)
		i = (i + 1) & (cap - 1);
	return &table[i];
}

static bool seen_grow(struct gh_arena *arena, struct sq_walk *w)
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

static enum gh_code seen_add(struct squashfs *fs, uint64_t ref, bool *ret_new, struct gh_err *err)
{
	struct sq_walk *w = fs->walk;
	if (2 * w->n_seen >= w->cap_seen && !seen_grow(fs->ctx->arena, w))
		return gh_fail(err, GH_NOMEM, 0, "no memory to remember %zu directories", w->n_seen);
	uint64_t *slot = seen_slot(w->seen, w->cap_seen, ref + 1);
	*ret_new = !*slot;
	w->n_seen += *ret_new;
	*slot = ref + 1;
	return GH_OK;
}

/* ---- entries ---- */

/* n bytes of the directory, which must be left in it. */
static enum gh_code take(struct squashfs *fs, struct frame *f, void *buf, size_t n, struct gh_err *err)
{
	if (n > f->left)
		return gh_fail(
			err, GH_BAD, f->pos.block, "an entry reaches behind the end of directory %u", f->dir.number);
	f->left -= n;
	return sq_read(fs, &f->pos, buf, n, err);
}

static enum gh_code header(struct squashfs *fs, struct frame *f, struct gh_err *err)
{
	uint8_t raw[HEADER];
	enum gh_code code = take(fs, f, raw, sizeof raw, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, sizeof raw, f->pos.block);
	uint32_t count = gh_u32(&c);
	f->block = gh_u32(&c);
	f->number = gh_u32(&c);
	if (count >= COUNT_MAX)
		return gh_fail(err, GH_BAD, f->pos.block, "directory %u has a header for %llu entries", f->dir.number,
			count + 1ull);
	f->count = count + 1;
	return GH_OK;
}

static bool name_good(const char *p, size_t n)
{
	bool dots = (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.');
	return !dots && !memchr(p, '/', n) && !memchr(p, 0, n);
}

/* The kernel stops its search at the first name that begins with a greater byte: one out of order is seen by listing only. */
static void order_check(struct squashfs *fs, struct frame *f, const char *name, uint32_t len)
{
	size_t n = gh_min(len, f->last_len);
	int cmp = memcmp(f->last, name, n);
	bool ascends = cmp < 0 || (cmp == 0 && f->last_len < len);
	if (f->last_len && !ascends && !f->disorder) {
		gh_note(fs->ctx, GH_BAD, f->pos.block,
			"directory %u is not sorted: the kernel cannot find all its names", f->dir.number);
		f->disorder = true;
	}
	memcpy(f->last, name, len);
	f->last_len = len;
}

/* One entry; *ret_found, unless its name is none. An error leaves nothing of this directory to go on with. */
static enum gh_code entry(
	struct squashfs *fs, struct frame *f, struct sq_entry *ret, bool *ret_found, struct gh_err *err)
{
	struct sq_walk *w = fs->walk;
	uint8_t raw[ENTRY];
	uint64_t at = f->pos.block;
	enum gh_code code = take(fs, f, raw, sizeof raw, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, sizeof raw, at);
	uint32_t off = gh_u16(&c);
	uint32_t delta = gh_u16(&c);
	unsigned type = gh_u16(&c);
	uint32_t len = gh_u16(&c) + 1u;
	if (len > SQ_NAME_MAX)
		return gh_fail(err, GH_BAD, at, "directory %u has a name of %u bytes", f->dir.number, len);
	/* A frame less than SQ_DEPTH_MAX deep: its path and one name more fit. */
	char *name = w->path + f->path_len + 1;
	if ((code = take(fs, f, name, len, err)))
		return code;
	f->count--;
	w->path[f->path_len] = '/';
	if (!name_good(name, len)) {
		gh_note(fs->ctx, GH_BAD, at, "directory %u has an impossible name of %u bytes", f->dir.number, len);
		return GH_OK;
	}
	order_check(fs, f, name, len);
	*ret = (struct sq_entry){.ref = f->block << 16 | off, .at = at, .type = type};
	ret->number = f->number + (delta & 0x8000 ? delta | 0xffff0000u : delta);
	ret->path = gh_strn(w->path, f->path_len + 1 + len);
	*ret_found = true;
	return GH_OK;
}

static enum gh_code walk_step(struct squashfs *fs, struct sq_entry *ret, bool *ret_found, struct gh_err *err)
{
	struct sq_walk *w = fs->walk;
	struct frame *f = &w->frame[w->depth - 1];
	struct gh_err bad;
	if (!f->left) {
		if (f->count)
			gh_note(fs->ctx, GH_BAD, f->dir.at, "directory %u ends before %u of its entries", f->dir.number,
				f->count);
		w->depth--;
		return GH_OK;
	}
	enum gh_code code = f->count ? entry(fs, f, ret, ret_found, &bad) : header(fs, f, &bad);
	if (code == GH_IO || code == GH_NOMEM || (code == GH_LIMIT && !fs->ctx->budget->steps))
		return gh_fail(err, code, bad.at, "%s", bad.what);
	if (code) { /* where the next entry would be is not known */
		gh_note_err(fs->ctx, &bad);
		w->depth--;
	}
	return GH_OK;
}

/* ---- for others ---- */

enum gh_code sq_walk_begin(struct squashfs *fs, struct gh_err *err)
{
	struct sq_walk *w = gh_alloc_raw(fs->ctx->arena, sizeof *w);
	if (!w)
		return gh_fail(err, GH_NOMEM, 0, "no memory to walk the directories");
	memset(w, 0, offsetof(struct sq_walk, path));
	fs->walk = w;
	return GH_OK;
}

enum gh_code sq_walk_next(struct squashfs *fs, struct sq_entry *ret, struct gh_err *err)
{
	while (fs->walk->depth) {
		bool found = false;
		enum gh_code code = gh_spend_steps(fs->ctx->budget, 1, 0, err);
		if (code == GH_OK)
			code = walk_step(fs, ret, &found, err);
		if (code || found)
			return code;
	}
	return GH_END;
}

enum gh_code sq_walk_enter(struct squashfs *fs, const struct sq_inode *dir, struct gh_err *err)
{
	struct sq_walk *w = fs->walk;
	struct frame *up = w->depth ? &w->frame[w->depth - 1] : NULL;
	bool fresh;
	enum gh_code code = seen_add(fs, dir->ref, &fresh, err);
	if (code)
		return code;
	if (!fresh)
		gh_note(fs->ctx, GH_BAD, dir->at, "directory %u is reached a second time", dir->number);
	else if (w->depth == SQ_DEPTH_MAX)
		gh_note(fs->ctx, GH_LIMIT, dir->at, "more than %d directories inside each other", SQ_DEPTH_MAX);
	if (!fresh || w->depth == SQ_DEPTH_MAX)
		return GH_OK;
	if (up && dir->parent != up->dir.number)
		gh_note(fs->ctx, GH_BAD, dir->at, "'..' of directory %u leads to inode %u", dir->number, dir->parent);
	struct frame *f = &w->frame[w->depth++];
	f->dir = *dir;
	f->pos = dir->dir;
	f->left = dir->size > DOTS ? dir->size - DOTS : 0;
	f->count = 0;
	f->path_len = up ? up->path_len + 1 + up->last_len : 0; /* the name just returned is the last one seen there */
	f->last_len = 0;
	f->disorder = false;
	return GH_OK;
}
