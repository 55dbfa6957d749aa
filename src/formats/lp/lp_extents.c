/* SPDX-License-Identifier: Apache-2.0 */
/* LP metadata: partitions as maps over the super image, and what is wrong with their extents. */
#include "base/num.h"
#include "formats/lp/lp.h"

enum { LINEAR = 0, ZERO = 1 };

static const uint64_t SECTORS_MAX = UINT64_C(1) << 35; /* 16 TiB: beyond any phone, and sums of bytes stay small */

static bool extents_inside(const struct lp_meta *m, const struct lp_partition *p)
{
	return gh_within(p->first, p->n, m->table[LP_EXTENTS].n);
}

enum gh_code lp_spend(struct gh_ctx *ctx, const struct lp_meta *m, const struct lp_partition *p, struct gh_err *err)
{
	return gh_spend_steps(ctx->budget, 1 + gh_min(p->n, m->table[LP_EXTENTS].n), p->at, err);
}

enum gh_code lp_size(
	const struct lp_meta *m, const struct lp_partition *p, uint64_t *ret, uint64_t *ret_zeros, struct gh_err *err)
{
	uint64_t sectors = 0, zeros = 0;
	if (!extents_inside(m, p))
		return gh_fail(err, GH_BAD, p->at + 40, "extents %u to %llu of %u", p->first,
			(unsigned long long)p->first + p->n, m->table[LP_EXTENTS].n);
	for (uint32_t i = 0; i < p->n; i++) {
		struct lp_extent e = lp_extent(m, p->first + i);
		if (e.sectors > SECTORS_MAX || sectors + e.sectors > SECTORS_MAX)
			return gh_fail(err, GH_LIMIT, e.at, "a partition of more than 16 TiB");
		sectors += e.sectors;
		zeros += e.type == ZERO ? e.sectors : 0;
	}
	*ret = sectors * LP_SECTOR;
	*ret_zeros = zeros * LP_SECTOR;
	return GH_OK;
}

/* ---- the map ---- */

struct maker {
	struct gh_arena *arena;
	struct gh_source *src;
	struct gh_extent *ext;
	size_t n;
	uint64_t at;
};

static bool add_missing(struct maker *k, uint64_t len, enum gh_code code, const char *what)
{
	if (!len)
		return true;
	struct gh_source *lost = gh_source_missing(k->arena, len, code, what);
	k->ext[k->n++] = (struct gh_extent){.at = k->at, .len = len, .below = lost};
	k->at += len;
	return lost != NULL;
}

/* A linear extent: what the image holds of it, and the rest as missing. */
static bool add_linear(struct maker *k, const struct lp_extent *e, uint64_t len)
{
	uint64_t from = 0, there = 0;
	if (gh_mul(e->data, LP_SECTOR, &from) && from < k->src->size)
		there = gh_min(len, k->src->size - from);
	if (there) {
		k->ext[k->n++] = (struct gh_extent){.at = k->at, .len = there, .below = k->src, .from = from};
		k->at += there;
	}
	return add_missing(k, len - there, GH_SHORT, "the super image ends before");
}

static bool add_extent(struct maker *k, const struct lp_meta *m, const struct lp_extent *e, bool own)
{
	uint64_t len = e->sectors * LP_SECTOR;
	if (e->type == ZERO) {
		k->at += len;
		return true;
	}
	if (e->type != LINEAR)
		return add_missing(k, len, GH_UNSUP, "an extent of unknown type");
	if (e->device)
		return add_missing(k, len, e->device < m->table[LP_DEVICES].n ? GH_UNSUP : GH_BAD,
			"the extent lies on another block device");
	if (!own)
		return add_missing(k, len, GH_BAD, "the extent overlaps another one or the metadata");
	return add_linear(k, e, len);
}

enum gh_code lp_map(struct gh_ctx *ctx, struct lp *lp, const struct lp_meta *m, uint32_t partition,
	struct gh_source **ret, struct gh_err *err)
{
	uint64_t size, zeros;
	struct lp_partition part = lp_partition(m, partition), *p = &part;
	enum gh_code code = lp_size(m, p, &size, &zeros, err);
	if (code)
		return code;
	struct maker k = {.arena = ctx->arena, .src = lp->src};
	k.ext = gh_alloc_array(ctx->arena, 2 * (size_t)p->n, sizeof *k.ext);
	bool good = k.ext != NULL;
	for (uint32_t i = 0; good && i < p->n; i++) {
		struct lp_extent e = lp_extent(m, p->first + i);
		good = add_extent(&k, m, &e, m->owner[p->first + i] == partition);
	}
	if (!good)
		return gh_fail(err, GH_NOMEM, p->at, "no memory for %u extents", p->n);
	return gh_source_map(ctx->arena, k.ext, k.n, size, ret, err);
}

/* ---- who owns which extent ---- */

struct span {
	uint64_t begin, end; /* sectors on the first device */
	uint32_t extent;
};

static bool before(const struct span *a, const struct span *b)
{
	return a->begin != b->begin ? a->begin < b->begin : a->extent < b->extent;
}

static void sift(struct span *s, size_t i, size_t n)
{
	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && before(&s[child], &s[child + 1]))
			child++;
		if (!before(&s[i], &s[child]))
			return;
		struct span t = s[i];
		s[i] = s[child];
		s[child] = t;
	}
}

/* Heap sort: qsort() allocates. */
static void sort(struct span *s, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sift(s, i, n);
	for (size_t i = n; i-- > 1;) {
		struct span t = s[0];
		s[0] = s[i];
		s[i] = t;
		sift(s, 0, i);
	}
}

/* The first sector behind the metadata, as the geometry says: a row's own word could be a lie. */
static uint64_t data_sector(const struct lp *lp)
{
	uint64_t copies = 2 * (LP_GEOMETRY + (uint64_t)lp->geometry.slots * lp->geometry.max_size);
	return lp->empty ? 0 : (LP_RESERVED + copies) / LP_SECTOR;
}

static void say_extent(struct lp *lp, const struct lp_meta *m, const struct lp_extent *e, struct gh_str name)
{
	struct gh_ctx *ctx = lp->say;
	int n = (int)name.n;
	if (e->type != LINEAR && e->type != ZERO) {
		gh_note(ctx, GH_UNSUP, e->at + 8, "%.*s: an extent of unknown type %u", n, name.p, e->type);
	} else if (e->type == LINEAR && e->device >= gh_max(m->table[LP_DEVICES].n, 1)) {
		gh_note(ctx, GH_BAD, e->at + 20, "%.*s: an extent on block device %u of %u", n, name.p, e->device,
			m->table[LP_DEVICES].n);
	} else if (e->type == LINEAR && e->device) {
		struct gh_str d = lp_device_name(ctx->arena, m, e->device, 0);
		gh_note(ctx, GH_UNSUP, e->at + 20, "%.*s: %llu sectors lie on another block device: %.*s", n, name.p,
			(unsigned long long)e->sectors, (int)d.n, d.p);
	} else if (e->type == LINEAR && !gh_within(e->data, e->sectors, lp->src->size / LP_SECTOR)) {
		gh_note(ctx, GH_SHORT, e->at + 12, "%.*s: an extent lies behind the end of the image", n, name.p);
	}
}

/* Extents that several rows claim belong to the first. */
static enum gh_code own_rows(struct gh_ctx *ctx, struct lp *lp, struct lp_meta *m, struct gh_err *err)
{
	for (uint32_t i = 0; i < m->table[LP_EXTENTS].n; i++)
		m->owner[i] = LP_NOBODY;
	for (uint32_t i = 0; i < m->table[LP_PARTITIONS].n; i++) {
		struct lp_partition p = lp_partition(m, i);
		enum gh_code code = lp_spend(ctx, m, &p, err);
		if (code)
			return code;
		for (uint32_t k = 0; extents_inside(m, &p) && k < p.n; k++) {
			struct lp_extent e = lp_extent(m, p.first + k);
			bool taken = m->owner[p.first + k] != LP_NOBODY;
			if (!taken)
				m->owner[p.first + k] = i;
			if (lp->say && taken)
				gh_note(lp->say, GH_BAD, p.at + 40, "%.*s: extent %u is another partition's",
					(int)p.name.n, p.name.p, p.first + k);
			else if (lp->say)
				say_extent(lp, m, &e, p.name);
		}
	}
	return GH_OK;
}

static size_t spans_collect(const struct lp_meta *m, struct span *s)
{
	size_t n = 0;
	for (uint32_t i = 0; i < m->table[LP_EXTENTS].n; i++) {
		struct lp_extent e = lp_extent(m, i);
		if (m->owner[i] != LP_NOBODY && e.type == LINEAR && !e.device && e.sectors &&
			e.sectors <= SECTORS_MAX && e.data <= SECTORS_MAX)
			s[n++] = (struct span){e.data, e.data + e.sectors, i};
	}
	return n;
}

static void refuse(struct lp *lp, struct lp_meta *m, const struct span *s, const struct span *other)
{
	uint32_t owner = m->owner[s->extent];
	m->owner[s->extent] = LP_NOBODY;
	if (!lp->say)
		return;
	struct lp_partition a = lp_partition(m, owner), b = {.name = GH_STR("the metadata")};
	if (other)
		b = lp_partition(m, m->owner[other->extent]);
	gh_note(lp->say, GH_BAD, lp_extent(m, s->extent).at + 12, "%.*s overlaps %.*s at sector %llu: not read twice",
		(int)a.name.n, a.name.p, (int)b.name.n, b.name.p, (unsigned long long)s->begin);
}

enum gh_code lp_own(struct gh_ctx *ctx, struct lp *lp, struct lp_meta *m, struct gh_err *err)
{
	size_t rows = m->table[LP_EXTENTS].n;
	m->owner = gh_alloc_array(ctx->arena, rows, sizeof *m->owner);
	struct span *s = gh_alloc_array(ctx->arena, rows, sizeof *s);
	if (!m->owner || !s)
		return gh_fail(err, GH_NOMEM, m->at, "no memory for %zu extents", rows);
	enum gh_code code = own_rows(ctx, lp, m, err);
	if (code)
		return code;
	size_t n = spans_collect(m, s);
	sort(s, n);
	const struct span *far = NULL; /* of those that are kept, the one that reaches farthest */
	for (size_t i = 0; i < n; i++) {
		if (s[i].begin < data_sector(lp))
			refuse(lp, m, &s[i], NULL);
		else if (far && s[i].begin < far->end)
			refuse(lp, m, &s[i], far);
		else
			far = &s[i];
	}
	return GH_OK;
}
