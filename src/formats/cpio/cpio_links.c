/* SPDX-License-Identifier: Apache-2.0 */
/* cpio: hard links. In newc only the last name of an inode carries the content; the names before it point there. */
#include "base/sort.h"
#include "formats/cpio/cpio.h"

enum { INDEX_MAX = 1 << 20 }; /* 48 MiB at most, of contents with several names only */

struct slot {
	uint64_t dev, ino;
	uint64_t at, data, size;
	uint32_t part;
};

struct cpio_index {
	size_t n;
	struct slot slot[];
};

static bool less(const void *p, const void *q)
{
	const struct slot *a = p, *b = q;
	if (a->part != b->part)
		return a->part < b->part;
	if (a->dev != b->dev)
		return a->dev < b->dev;
	return a->ino != b->ino ? a->ino < b->ino : a->at < b->at;
}

static bool counts(const struct cpio_entry *e)
{
	return (e->mode & 0170000) == 0100000 && e->nlink > 1 && e->size;
}

/* Runs over all entries of all archives up to the first fault: counts contents with several names, and fills index (when not
 * NULL). */
static enum gh_code pass(
	struct gh_ctx *ctx, struct cpio *a, struct cpio_index *index, size_t *ret_n, struct gh_err *err)
{
	struct cpio_entry e;
	size_t n = 0;
	uint32_t part = 0;
	enum gh_code code = GH_OK;
	for (uint64_t at = 0; code == GH_OK && at < a->src->size;) {
		code = cpio_entry_read(ctx, a, at, &e, err);
		if (code)
			break;
		at = e.next;
		if (e.trailer) {
			part++;
			code = cpio_skip_zeros(ctx, a, at, &at, err);
		} else if (counts(&e) && n < INDEX_MAX) {
			if (index && n < *ret_n)
				index->slot[n] = (struct slot){e.dev, e.ino, e.at, e.data, e.size, part};
			n++;
		}
	}
	*ret_n = n;
	return code == GH_BAD || code == GH_SHORT ? GH_OK : code;
}

static enum gh_code build(struct gh_ctx *ctx, struct cpio *a, struct gh_err *err)
{
	size_t n;
	enum gh_code code = pass(ctx, a, NULL, &n, err);
	if (code)
		return code;
	struct cpio_index *index = gh_alloc_raw(ctx->arena, sizeof *index + n * sizeof index->slot[0]);
	if (!index)
		return gh_fail(err, GH_NOMEM, 0, "no memory for an index of %zu contents", n);
	code = pass(ctx, a, index, &n, err);
	index->n = n;
	gh_sort(index->slot, n, sizeof index->slot[0], less);
	a->index = index;
	return code;
}

enum gh_code cpio_link_find(struct gh_ctx *ctx, struct cpio *a, uint32_t part, const struct cpio_entry *e,
	struct cpio_entry *ret, struct gh_err *err)
{
	enum gh_code code = a->index ? GH_OK : build(ctx, a, err);
	if (code)
		return code;
	struct slot key = {.dev = e->dev, .ino = e->ino, .part = part, .at = UINT64_MAX};
	size_t lo = 0, hi = a->index->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (less(&a->index->slot[mid], &key))
			lo = mid + 1;
		else
			hi = mid;
	}
	const struct slot *s = lo ? &a->index->slot[lo - 1] : NULL;
	if (!s || s->part != part || s->dev != e->dev || s->ino != e->ino)
		return GH_END;
	ret->at = s->at;
	ret->data = s->data;
	ret->size = s->size;
	return GH_OK;
}
