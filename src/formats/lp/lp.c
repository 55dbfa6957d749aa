/* SPDX-License-Identifier: Apache-2.0 */
/* Super images: LP metadata 10.0 to 10.2 (system/core/fs_mgr/liblp/metadata_format.h) and the partitions it describes. */
#include "formats/lp/lp.h"

#include "base/num.h"

static enum gh_bid lp_bid(const struct gh_probe *probe)
{
	/* Primary, backup, and that of super_empty.img. */
	static const uint32_t places[] = {LP_RESERVED, LP_RESERVED + LP_GEOMETRY, 0};
	enum gh_bid best = GH_BID_NO;
	for (size_t i = 0; i < GH_COUNT(places) && best < GH_BID_PROVEN; i++) {
		struct lp_geometry g;
		if (gh_within(places[i], LP_GEOMETRY_STRUCT, probe->head_len) &&
			lp_geometry_parse(probe->head + places[i], places[i], &g))
			best = g.checked ? GH_BID_PROVEN : GH_BID_MAGIC;
	}
	return best;
}

static uint32_t slots(const struct lp *lp)
{
	return lp->empty ? 1 : (uint32_t)gh_min(lp->geometry.slots, LP_SLOTS_MAX);
}

static bool any_slot(const struct lp *lp)
{
	for (uint32_t i = 0; i < slots(lp); i++)
		if (lp->slot[i].there)
			return true;
	return false;
}

/* super_empty.img begins with the geometry; a super partition with 4096 reserved bytes. */
static enum gh_code find_layout(struct gh_ctx *ctx, struct lp *lp, struct gh_err *err)
{
	const uint8_t *p;
	struct lp_geometry g;
	if (lp->src->size < LP_GEOMETRY)
		return gh_fail(err, GH_SHORT, 0, "too short for a geometry");
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	enum gh_code code = gh_view(lp->src, ctx->arena, 0, LP_GEOMETRY, &p, err);
	if (code == GH_OK && lp_geometry_parse(p, 0, &g)) {
		lp->empty = true;
		if (gh_within(LP_RESERVED, LP_GEOMETRY, lp->src->size)) {
			code = gh_view(lp->src, ctx->arena, LP_RESERVED, LP_GEOMETRY, &p, err);
			lp->empty = code || !lp_geometry_parse(p, LP_RESERVED, &g);
		}
	}
	gh_arena_release(ctx->arena, mark);
	return code;
}

static enum gh_code lp_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct lp *lp = state;
	lp->src = src;
	enum gh_code code = find_layout(ctx, lp, err);
	if (code == GH_OK)
		code = lp_geometry_read(ctx, lp, err);
	if (code)
		return code;
	lp->slot = gh_alloc_array(ctx->arena, slots(lp), sizeof *lp->slot);
	if (!lp->slot)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the metadata slots");
	struct gh_err why = {0};
	for (uint32_t i = 0; i < slots(lp); i++) {
		code = lp_slot_read(ctx, lp, i, &lp->slot[i], &why);
		if (code == GH_OK && (code = lp_own(ctx, lp, &lp->slot[i], err)))
			return code;
		if (code == GH_IO || code == GH_NOMEM || (i == 0 && code))
			*err = why;
		if (code == GH_IO || code == GH_NOMEM)
			return code;
	}
	return any_slot(lp) ? GH_OK : err->code;
}

/* ---- facts ---- */

static struct gh_str partition_name(struct gh_ctx *ctx, const struct lp_partition *p, uint32_t slot)
{
	return lp_suffixed(ctx->arena, p->name, p->attributes & LP_ATTR_SLOT_SUFFIXED, slot);
}

static enum gh_code slot_rows(struct gh_ctx *ctx, struct lp *lp, uint32_t slot, struct gh_err *err)
{
	const struct lp_meta *m = &lp->slot[slot];
	for (uint32_t i = 0; i < m->table[LP_PARTITIONS].n; i++) {
		struct lp_partition p = lp_partition(m, i);
		uint64_t size = 0, zeros;
		enum gh_code code = lp_spend(ctx, m, &p, err);
		if (code)
			return code;
		bool sized = lp_size(m, &p, &size, &zeros, NULL) == GH_OK;
		GH_EMIT(ctx, lp_partitions, p.at, .slot = slot, .name = partition_name(ctx, &p, slot),
			.group_name = lp_group_name(ctx->arena, m, p.group, slot), .attributes = p.attributes,
			.size = sized ? (int64_t)size : GH_NULL, .extents = p.n);
		if (p.group >= m->table[LP_GROUPS].n)
			gh_note(ctx, GH_BAD, p.at + 48, "%.*s: group %u of %u", (int)p.name.n, p.name.p, p.group,
				m->table[LP_GROUPS].n);
		if (!p.name.n)
			gh_note(ctx, GH_BAD, p.at, "slot %u: a partition without a name", slot);
	}
	return GH_OK;
}

/* Is this slot the same as an earlier one? */
static bool repeats(const struct lp *lp, uint32_t slot)
{
	for (uint32_t i = 0; i < slot; i++)
		if (lp->slot[i].there && lp_same_tables(&lp->slot[i], &lp->slot[slot]))
			return true;
	return false;
}

static enum gh_code lp_describe(struct gh_ctx *ctx, void *state, struct gh_err *err)
{
	struct lp *lp = state;
	/* The same reading once more, aloud: open() must be silent, it is repeated wherever a partition is read. */
	lp->say = ctx;
	enum gh_code code = lp_geometry_read(ctx, lp, err);
	for (uint32_t i = 0; code == GH_OK && i < slots(lp); i++) {
		struct lp_meta m;
		code = lp_slot_read(ctx, lp, i, &m, err);
		if (code == GH_OK && !repeats(lp, i))
			code = lp_own(ctx, lp, &m, err);
		if (code != GH_IO && code != GH_NOMEM)
			code = GH_OK; /* said, and the other slots count */
	}
	lp->say = NULL;
	const struct lp_meta *first = NULL;
	for (uint32_t i = 0; code == GH_OK && i < slots(lp); i++) {
		const struct lp_meta *m = &lp->slot[i];
		if (!m->there)
			continue;
		code = slot_rows(ctx, lp, i, err);
		bool fresh = !first || !lp_same_tables(first, m);
		if (first && fresh)
			gh_note(ctx, GH_UNSUP, m->at, "slot %u differs from slot %zu: which one is used is not known",
				i, (size_t)(first - lp->slot));
		first = first ? first : m;
	}
	return code;
}

/* ---- partitions ---- */

static bool same_content(
	const struct lp_meta *a, const struct lp_partition *p, const struct lp_meta *b, const struct lp_partition *q)
{
	if (p->n != q->n || !gh_within(p->first, p->n, a->table[LP_EXTENTS].n) ||
		!gh_within(q->first, q->n, b->table[LP_EXTENTS].n))
		return false;
	for (uint32_t i = 0; i < p->n; i++) {
		struct lp_extent e = lp_extent(a, p->first + i), f = lp_extent(b, q->first + i);
		if (e.sectors != f.sectors || e.type != f.type || e.data != f.data || e.device != f.device)
			return false;
	}
	return true;
}

enum seen { SEEN_NOT, SEEN_NAME, SEEN_SAME };

/* Was this partition of a later slot listed from an earlier one? */
static enum gh_code seen_before(
	struct gh_ctx *ctx, struct lp *lp, const struct lp_partition *p, enum seen *ret, struct gh_err *err)
{
	const struct lp_meta *m = &lp->slot[lp->at_slot];
	bool suffixed = p->attributes & LP_ATTR_SLOT_SUFFIXED;
	*ret = SEEN_NOT;
	for (uint32_t s = 0; s < lp->at_slot; s++) {
		const struct lp_meta *o = &lp->slot[s];
		for (uint32_t i = 0; o->there && i < o->table[LP_PARTITIONS].n; i++) {
			struct lp_partition q = lp_partition(o, i);
			enum gh_code code = gh_spend_steps(ctx->budget, 1, p->at, err);
			if (code)
				return code;
			bool named = gh_str_eq(q.name, p->name) && suffixed == !!(q.attributes & LP_ATTR_SLOT_SUFFIXED);
			/* After an update the other slot's partitions lie where this one's do: the same bytes. */
			if ((named || p->n) && same_content(m, p, o, &q))
				return *ret = SEEN_SAME, GH_OK;
			if (named)
				*ret = SEEN_NAME;
		}
	}
	return GH_OK;
}

/* The next partition that was not listed from an earlier slot. */
static enum gh_code next_partition(
	struct gh_ctx *ctx, struct lp *lp, struct lp_partition *ret, bool *ret_again, struct gh_err *err)
{
	for (;; lp->at_slot++, lp->at_partition = 0) {
		if (lp->at_slot == slots(lp))
			return GH_END;
		const struct lp_meta *m = &lp->slot[lp->at_slot];
		if (!m->there || (lp->at_partition == 0 && repeats(lp, lp->at_slot)))
			continue;
		while (lp->at_partition < m->table[LP_PARTITIONS].n) {
			*ret = lp_partition(m, lp->at_partition++);
			enum seen seen;
			enum gh_code code = seen_before(ctx, lp, ret, &seen, err);
			*ret_again = seen == SEEN_NAME;
			if (code || seen != SEEN_SAME)
				return code;
		}
	}
}

/* Where its bytes lie, if they lie in one piece. */
static uint64_t one_place(const struct lp_meta *m, const struct lp_partition *p)
{
	if (p->n != 1)
		return UINT64_MAX;
	struct lp_extent e = lp_extent(m, p->first);
	uint64_t off;
	return e.type == 0 && !e.device && gh_mul(e.data, LP_SECTOR, &off) ? off : UINT64_MAX;
}

static enum gh_code lp_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct lp *lp = state;
	struct lp_partition p;
	bool again;
	enum gh_code code = next_partition(ctx, lp, &p, &again, err);
	if (code)
		return code;
	const struct lp_meta *m = &lp->slot[lp->at_slot];
	*ret = (struct gh_child){.kind = GH_VOLUME, .off = UINT64_MAX};
	ret->cookie[0] = lp->at_slot;
	ret->cookie[1] = lp->at_partition - 1;
	ret->name = partition_name(ctx, &p, lp->at_slot);
	if (again)
		ret->name = gh_str_fmt(ctx->arena, "%.*s@slot%u", (int)ret->name.n, ret->name.p, lp->at_slot);
	uint64_t zeros = 0;
	code = lp_spend(ctx, m, &p, err);
	if (code)
		return code;
	code = lp_size(m, &p, &ret->size, &zeros, err);
	if (code == GH_OK)
		code = gh_spend_bytes(ctx->budget, zeros, p.at, err);
	if (code == GH_OK && lp->at_slot) {
		lp->again += ret->size - zeros;
		if (lp->again > lp->src->size)
			code = gh_fail(err, GH_LIMIT, p.at, "the slots together are more than twice the image");
	}
	if (code) {
		gh_note(ctx, err->code, err->at, "%.*s: %s", (int)ret->name.n, ret->name.p, err->what);
		ret->flags |= GH_CHILD_UNREADABLE;
		return GH_OK;
	}
	ret->off = one_place(m, &p);
	ret->csize = ret->size - zeros;
	return GH_OK;
}

static enum gh_code lp_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct lp *lp = state;
	uint64_t slot = child->cookie[0], i = child->cookie[1];
	if (slot >= slots(lp) || !lp->slot[slot].there || i >= lp->slot[slot].table[LP_PARTITIONS].n)
		return gh_fail(err, GH_BAD, 0, "no such partition");
	return lp_map(ctx, lp, &lp->slot[slot], (uint32_t)i, ret, err);
}

/* The reserved beginning, both copies of the geometry, and both copies of every slot's metadata. */
static bool lp_claims(struct gh_ctx *ctx, void *state, void (*claim)(void *to, uint64_t off, uint64_t len), void *to)
{
	const struct lp *lp = state;
	uint64_t slots = (uint64_t)lp->geometry.slots * lp->geometry.max_size, at = LP_RESERVED + 2ull * LP_GEOMETRY;
	(void)ctx;
	if (lp->empty) {
		claim(to, 0, lp->src->size);
		return true;
	}
	claim(to, LP_RESERVED, 2ull * LP_GEOMETRY);
	claim(to, at, slots);
	claim(to, at + slots, slots);
	return true;
}

const struct gh_format gh_format_lp = {
	.name = "lp",
	.title = "super image (LP metadata)",
	.version = 1,
	.volume = true,
	.state_size = sizeof(struct lp),
	.bid = lp_bid,
	.open = lp_open,
	.describe = lp_describe,
	.next = lp_next,
	.data = lp_data,
	.claims = lp_claims,
};
