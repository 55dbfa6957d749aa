/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: the map, extents of other sources and of fill. */
#include <string.h>

#include "base/num.h"
#include "source/source.h"

struct map {
	struct gh_source base;
	const struct gh_extent *ext;
	size_t n;
	size_t last; /* the extent of the last read: reads mostly go on from there */
};

/* The first extent that ends behind off; n if there is none. */
static size_t map_find(struct map *m, uint64_t off)
{
	size_t lo = 0, hi = m->n;
	if (m->last < m->n && m->ext[m->last].at <= off) {
		if (off - m->ext[m->last].at < m->ext[m->last].len)
			return m->last;
		lo = m->last + 1;
		if (lo < m->n && off < m->ext[lo].at + m->ext[lo].len)
			hi = lo;
	}
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (off - m->ext[mid].at < m->ext[mid].len || off < m->ext[mid].at)
			hi = mid;
		else
			lo = mid + 1;
	}
	return m->last = lo;
}

/* Writes n bytes of a 4-byte pattern, beginning at the given phase. */
static void fill(uint8_t *p, size_t n, uint32_t pattern, uint64_t phase)
{
	if (!pattern) {
		memset(p, 0, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(pattern >> (8 * ((phase + i) & 3)));
}

/* Where off lies: an extent, or the hole before one. */
static struct gh_extent map_piece(struct map *m, uint64_t off)
{
	size_t i = map_find(m, off);
	if (i < m->n && m->ext[i].at <= off)
		return m->ext[i];
	return (struct gh_extent){.at = off, .len = (i < m->n ? m->ext[i].at : m->base.size) - off};
}

static enum gh_code map_read(struct gh_source *self, uint64_t off, void *buf, size_t n, struct gh_err *err)
{
	uint8_t *p = buf;
	while (n) {
		struct gh_extent e = map_piece((struct map *)self, off);
		uint64_t skip = off - e.at;
		size_t step = (size_t)gh_min(n, e.len - skip);
		if (e.below) {
			enum gh_code code = gh_read(e.below, e.from + skip, p, step, err);
			if (code)
				return code;
		} else {
			fill(p, step, e.fill, skip);
		}
		p += step;
		off += step;
		n -= step;
	}
	return GH_OK;
}

static const uint8_t *map_view(struct gh_source *self, uint64_t off, size_t n)
{
	struct gh_extent e = map_piece((struct map *)self, off);
	uint64_t skip = off - e.at;
	if (!e.below || e.len - skip < n || !e.below->ops->view)
		return NULL;
	return e.below->ops->view(e.below, e.from + skip, n);
}

static enum gh_code map_run(struct gh_source *self, uint64_t off, struct gh_run *ret, struct gh_err *err)
{
	struct gh_extent e = map_piece((struct map *)self, off);
	uint64_t skip = off - e.at;
	if (e.below) {
		enum gh_code code = gh_run_at(e.below, e.from + skip, ret, err);
		if (code == GH_OK)
			ret->len = gh_min(ret->len, e.len - skip);
		return code;
	}
	unsigned turn = 8 * (skip & 3);
	uint32_t f = turn ? e.fill >> turn | e.fill << (32 - turn) : e.fill;
	*ret = (struct gh_run){.kind = GH_RUN_FILL, .len = e.len - skip, .fill = f, .bottom = UINT64_MAX};
	return GH_OK;
}

static enum gh_code map_check(const struct gh_extent *ext, size_t n, uint64_t size, struct gh_err *err)
{
	uint64_t end = 0;
	for (size_t i = 0; i < n; i++) {
		const struct gh_extent *e = &ext[i];
		if (!e->len || e->at < end || !gh_within(e->at, e->len, size))
			return gh_fail(err, GH_BAD, e->at, "extent %zu overlaps another or lies outside", i);
		if (e->below && !gh_within(e->from, e->len, e->below->size))
			return gh_fail(err, GH_SHORT, e->from, "extent %zu points behind the end of the data", i);
		end = e->at + e->len;
	}
	return GH_OK;
}

enum gh_code gh_source_map(struct gh_arena *arena, const struct gh_extent *ext, size_t n, uint64_t size,
	struct gh_source **ret, struct gh_err *err)
{
	static const struct gh_source_ops ops = {map_read, map_view, map_run};
	enum gh_code code = map_check(ext, n, size, err);
	if (code)
		return code;
	struct map *m = gh_alloc(arena, sizeof *m);
	if (!m)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a map");
	*m = (struct map){.base = {&ops, size}, .ext = ext, .n = n};
	for (size_t i = 0; i < n; i++)
		if (ext[i].below)
			m->base.grain = (uint32_t)gh_max(m->base.grain, ext[i].below->grain);
	*ret = &m->base;
	return GH_OK;
}
