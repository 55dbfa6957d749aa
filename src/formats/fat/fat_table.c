/* SPDX-License-Identifier: Apache-2.0 */
/* FAT: the table, the chains of clusters in it, and metadata through a few windows. */
#include "formats/fat/fat.h"

enum { COPY_PIECE = 4096 };

enum gh_code fat_buffers(struct fat *fs, struct gh_err *err)
{
	/* All here: what is allocated later may be gone before the state is. */
	uint8_t *p = gh_alloc_raw(fs->ctx->arena, FAT_WINDOWS * FAT_WINDOW);
	if (!p)
		return gh_fail(err, GH_NOMEM, 0, "no memory for windows on a file system");
	for (size_t i = 0; i < FAT_WINDOWS; i++)
		fs->win[i].p = p + i * FAT_WINDOW;
	return GH_OK;
}

static enum gh_code window_at(struct fat *fs, uint64_t at, struct fat_window **ret, struct gh_err *err)
{
	uint64_t start = at - at % FAT_WINDOW;
	struct fat_window *old = &fs->win[0];
	for (size_t i = 0; i < FAT_WINDOWS; i++) {
		struct fat_window *w = &fs->win[i];
		if (w->len && w->at == start) {
			w->used = ++fs->clock;
			*ret = w;
			return GH_OK;
		}
		if (w->used < old->used)
			old = w;
	}
	size_t len = (size_t)gh_min(FAT_WINDOW, fs->src->size - start);
	old->len = 0;
	enum gh_code code = gh_read(fs->src, start, old->p, len, err);
	if (code)
		return code;
	*old = (struct fat_window){.at = start, .used = ++fs->clock, .len = len, .p = old->p};
	*ret = old;
	return GH_OK;
}

enum gh_code fat_read(struct fat *fs, uint64_t at, void *buf, size_t n, struct gh_err *err)
{
	if (!gh_within(at, n, fs->src->size))
		return gh_fail(err, GH_SHORT, at, "it lies behind the end of the image");
	uint8_t *p = buf;
	while (n) {
		struct fat_window *w;
		enum gh_code code = window_at(fs, at, &w, err);
		if (code)
			return code;
		size_t skip = (size_t)(at - w->at), step = (size_t)gh_min(n, w->len - skip);
		memcpy(p, w->p + skip, step);
		p += step;
		at += step;
		n -= step;
	}
	return GH_OK;
}

uint64_t fat_place(const struct fat *fs, uint32_t cluster)
{
	return fs->boot.data + (uint64_t)(cluster - FAT_FIRST) * fs->boot.cluster;
}

bool fat_valid(const struct fat *fs, uint32_t cluster)
{
	return cluster >= FAT_FIRST && cluster - FAT_FIRST < fs->boot.clusters;
}

enum gh_code fat_next(struct fat *fs, uint32_t cluster, uint32_t *ret, bool *ret_end, struct gh_err *err)
{
	static const uint32_t masks[] = {0xfff, 0xffff, 0x0fffffff};
	unsigned bits = fs->boot.bits;
	uint32_t mask = masks[bits == 12 ? 0 : bits == 16 ? 1 : 2];
	uint64_t at = fs->boot.table + (uint64_t)cluster * bits / 8;
	uint8_t raw[4];
	size_t n = bits == 32 ? 4 : 2;
	enum gh_code code = fat_read(fs, at, raw, n, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, n, at);
	uint32_t v = n == 4 ? gh_u32(&c) : gh_u16(&c);
	if (bits == 12 && cluster & 1)
		v >>= 4;
	v &= mask;
	*ret = v;
	*ret_end = v >= mask - 7;
	if (*ret_end || fat_valid(fs, v))
		return GH_OK;
	if (v == mask - 8)
		return gh_fail(err, GH_BAD, at, "cluster %u leads to one that is marked bad", cluster);
	return gh_fail(err, GH_BAD, at, "cluster %u leads to cluster %u, which is %s", cluster, v, v ? "none" : "free");
}

/* ---- chains ---- */

/* Is the cluster in the first n of this chain? */
static bool in_chain(struct fat *fs, uint32_t first, uint64_t n, uint32_t cluster)
{
	bool end = false;
	for (uint32_t c = first; n-- && !end;) {
		if (c == cluster)
			return true;
		if (fat_next(fs, c, &c, &end, NULL))
			return false;
	}
	return false;
}

enum gh_code fat_take(struct fat *fs, uint32_t first, uint64_t most, uint64_t *ret_clusters, struct gh_err *err)
{
	uint64_t n = 0;
	bool end = false;
	*ret_clusters = 0;
	if (!fat_valid(fs, first))
		return gh_fail(err, GH_BAD, fs->boot.table, "it begins with cluster %u, which is none", first);
	for (uint32_t c = first; !end && n < most;) {
		if (c >= fs->n_taken)
			return gh_fail(err, GH_SHORT, fat_place(fs, c), "it lies behind the end of the image");
		uint8_t bit = (uint8_t)(1u << (c & 7));
		if (fs->taken[c / 8] & bit)
			return in_chain(fs, first, n, c)
				       ? gh_fail(err, GH_BAD, fat_place(fs, c),
						 "its chain of clusters is a loop at cluster %u", c)
				       : gh_fail(err, GH_BAD, fat_place(fs, c),
						 "cluster %u of it belongs to another file as well", c);
		fs->taken[c / 8] |= bit;
		*ret_clusters = ++n;
		enum gh_code code = gh_spend_steps(fs->ctx->budget, 1, fs->boot.table, err);
		if (code == GH_OK)
			code = fat_next(fs, c, &c, &end, err);
		if (code)
			return code;
	}
	return GH_OK;
}

/* Stretches of the first `want` clusters; counts only when ext is NULL. */
static enum gh_code stretches(
	struct fat *fs, uint32_t first, uint64_t size, struct gh_extent *ext, size_t *ret_n, struct gh_err *err)
{
	uint64_t step = fs->boot.cluster, at = 0;
	struct gh_extent open = {0};
	size_t n = 0;
	bool end = !fat_valid(fs, first);
	for (uint32_t c = first; at < size; at += step) {
		enum gh_code code = gh_spend_steps(fs->ctx->budget, 1, fs->boot.table, err);
		if (code)
			return code;
		if (end)
			return gh_fail(err, GH_BAD, fs->boot.table,
				"its chain of clusters ends after %llu of %llu bytes", (unsigned long long)at,
				(unsigned long long)size);
		uint64_t from = fat_place(fs, c), len = gh_min(step, size - at);
		if (!gh_within(from, len, fs->src->size))
			return gh_fail(err, GH_SHORT, from, "it lies behind the end of the image");
		if (at + step < size && (code = fat_next(fs, c, &c, &end, err)))
			return code;
		if (open.len && open.from + open.len == from) {
			open.len += len;
			continue;
		}
		if (open.len && ext)
			ext[n - 1] = open;
		open = (struct gh_extent){.at = at, .len = len, .below = fs->src, .from = from};
		n++;
	}
	if (n && ext)
		ext[n - 1] = open;
	*ret_n = n;
	return GH_OK;
}

enum gh_code fat_extents(
	struct fat *fs, uint32_t first, uint64_t size, struct gh_extent **ret, size_t *ret_n, struct gh_err *err)
{
	enum gh_code code = stretches(fs, first, size, NULL, ret_n, err);
	if (code)
		return code;
	*ret = gh_alloc_array(fs->ctx->arena, *ret_n, sizeof **ret);
	if (!*ret)
		return gh_fail(err, GH_NOMEM, fs->boot.table, "no memory for %zu stretches of a file", *ret_n);
	return stretches(fs, first, size, *ret, ret_n, err);
}

/* ---- copies of the table ---- */

enum gh_code fat_copies(struct fat *fs, struct gh_err *err)
{
	const struct fat_boot *b = &fs->boot;
	uint8_t one[COPY_PIECE], two[COPY_PIECE];
	/* What lies behind the last cluster's entry means nothing. */
	uint64_t len = gh_min(b->table_len, ((uint64_t)b->clusters + FAT_FIRST) * b->bits / 8);
	if (!b->mirrored)
		return GH_OK;
	for (unsigned i = 1; i < b->tables; i++)
		for (uint64_t off = 0; off < len; off += sizeof one) {
			size_t n = (size_t)gh_min(sizeof one, len - off);
			uint64_t at = b->first_table + i * b->table_len + off;
			enum gh_code code = gh_spend_steps(fs->ctx->budget, n, at, err);
			if (code == GH_OK)
				code = gh_read(fs->src, b->first_table + off, one, n, err);
			if (code == GH_OK)
				code = gh_read(fs->src, at, two, n, err);
			if (code)
				return code == GH_SHORT ? GH_OK : code; /* that the image is short is told already */
			if (memcmp(one, two, n) != 0) {
				gh_note(fs->ctx, GH_BAD, at, "copy %u of the table differs from the first", i);
				break;
			}
		}
	return GH_OK;
}
