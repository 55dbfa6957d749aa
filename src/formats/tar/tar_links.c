/* SPDX-License-Identifier: Apache-2.0 */
/* tar: paths, and the entry a hard link names. */
#include "base/sort.h"
#include "formats/tar/tar.h"

enum {
	INDEX_MAX = 1 << 20, /* 16 MiB; the largest root file systems hold some 100,000 files */
	COLLISIONS_MAX = 8, /* of the hash: more than one is made on purpose */
	CHAIN_MAX = 8, /* hard links that name hard links; GNU tar always names the first */
};

struct slot {
	uint64_t hash;
	uint64_t start;
};

struct tar_index {
	size_t n;
	struct slot slot[];
};

/* The hash of the path as it is listed, which is left in `clean`. */
static enum gh_code clean_hash(
	struct gh_ctx *ctx, struct tar_text *clean, struct gh_str path, uint64_t *ret, struct gh_err *err)
{
	enum gh_code code = clean->p ? GH_OK : tar_text_put(ctx, clean, TAR_PATH_MAX + 1, GH_NONE, err);
	if (code)
		return code;
	clean->n = gh_path_root(path, clean->p);
	*ret = gh_str_hash(gh_strn(clean->p, clean->n));
	return GH_OK;
}

static bool less(const void *p, const void *q)
{
	const struct slot *a = p, *b = q;
	return a->hash != b->hash ? a->hash < b->hash : a->start < b->start;
}

/* Runs over all entries up to the first fault: counts them, and fills index (when not NULL). */
static enum gh_code pass(struct gh_ctx *ctx, struct tar *t, struct tar_index *index, size_t *ret_n, struct gh_err *err)
{
	enum gh_code code;
	struct tar_entry e;
	size_t n = 0;
	uint64_t at = 0;
	while ((code = tar_entry_read(ctx, t, at, &e, err)) == GH_OK && n < INDEX_MAX) {
		if (index && n < *ret_n) {
			index->slot[n].start = e.start;
			code = clean_hash(ctx, &t->clean, gh_strn(t->path.p, t->path.n), &index->slot[n].hash, err);
			if (code)
				return code;
		}
		n++;
		at = e.next;
	}
	*ret_n = n;
	return code == GH_NOMEM || code == GH_IO || code == GH_LIMIT ? code : GH_OK;
}

static enum gh_code build(struct gh_ctx *ctx, struct tar *t, struct gh_err *err)
{
	size_t n;
	enum gh_code code = pass(ctx, t, NULL, &n, err);
	if (code)
		return code;
	struct tar_index *index = gh_alloc_raw(ctx->arena, sizeof *index + n * sizeof index->slot[0]);
	if (!index)
		return gh_fail(err, GH_NOMEM, 0, "no memory for an index of %zu paths", n);
	code = pass(ctx, t, index, &n, err);
	index->n = n;
	gh_sort(index->slot, n, sizeof index->slot[0], less);
	t->index = index;
	return code;
}

/* How many slots lie before (hash, start). */
static size_t lower(const struct tar_index *index, struct slot key)
{
	size_t lo = 0, hi = index->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (less(&index->slot[mid], &key))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The last entry before `before` whose path is the one in t->want. */
static enum gh_code find_one(
	struct gh_ctx *ctx, struct tar *t, uint64_t before, uint64_t hash, struct tar_entry *ret, struct gh_err *err)
{
	size_t i = lower(t->index, (struct slot){hash, before});
	for (unsigned turn = 0; turn < COLLISIONS_MAX && i-- > 0 && t->index->slot[i].hash == hash; turn++) {
		uint64_t unused;
		enum gh_code code = tar_entry_read(ctx, t, t->index->slot[i].start, ret, err);
		if (code == GH_OK)
			code = clean_hash(ctx, &t->clean, gh_strn(t->path.p, t->path.n), &unused, err);
		if (code)
			return code;
		if (gh_str_eq(gh_strn(t->clean.p, t->clean.n), gh_strn(t->want.p, t->want.n)))
			return GH_OK;
	}
	return GH_END;
}

enum gh_code tar_link_find(
	struct gh_ctx *ctx, struct tar *t, uint64_t before, struct tar_entry *ret, struct gh_err *err)
{
	enum gh_code code = GH_OK;
	uint64_t hash;
	bool quiet = t->quiet;
	t->quiet = true; /* what is odd about entries is told when they are listed */
	for (unsigned i = 0; code == GH_OK && i < CHAIN_MAX; i++) {
		code = clean_hash(ctx, &t->want, gh_strn(t->link.p, t->link.n), &hash, err);
		if (code == GH_OK && !t->index)
			code = build(ctx, t, err);
		if (code == GH_OK)
			code = find_one(ctx, t, before, hash, ret, err);
		if (code || ret->type != '1' || ret->size)
			break;
		before = ret->start;
	}
	t->quiet = quiet;
	return code;
}
