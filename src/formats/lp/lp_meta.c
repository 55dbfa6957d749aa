/* SPDX-License-Identifier: Apache-2.0 */
/* LP metadata: finding a good copy of the geometry and of each slot, after system/core/fs_mgr/liblp/metadata_format.h. */
#include <openssl/evp.h>

#include "base/num.h"
#include "formats/lp/lp.h"

enum {
	HEADER_10_0 = 128,
	HEADER_10_2 = 256, /* since 10.2: flags and reserve */
	HEADER_MAX = 4096, /* a later version's header may be longer; what is added is not looked at */
};

static const uint32_t row_size[LP_N_TABLES] = {52, 24, 48, 64};

#define SAY(lp, ...)                                                                                                   \
	do {                                                                                                           \
		if ((lp)->say)                                                                                         \
			gh_note((lp)->say, __VA_ARGS__);                                                               \
	} while (0)

bool lp_sha256_is(const void *p, size_t n, const uint8_t want[32])
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	return EVP_Digest(p, n, sum, NULL, EVP_sha256(), NULL) == 1 && memcmp(sum, want, 32) == 0;
}

/* ---- geometry ---- */

bool lp_geometry_parse(const uint8_t *p, uint64_t at, struct lp_geometry *ret)
{
	struct gh_cursor c = gh_cursor(p, LP_GEOMETRY_STRUCT, at);
	if (gh_u32(&c) != 0x616c4467)
		return false;
	uint32_t size = gh_u32(&c);
	const uint8_t *sum = gh_bytes(&c, 32);
	*ret = (struct lp_geometry){.at = at};
	ret->max_size = gh_u32(&c);
	ret->slots = gh_u32(&c);
	ret->block_size = gh_u32(&c);
	uint8_t copy[LP_GEOMETRY_STRUCT];
	memcpy(copy, p, sizeof copy);
	memset(copy + 8, 0, 32);
	ret->checked = size == LP_GEOMETRY_STRUCT && lp_sha256_is(copy, sizeof copy, sum);
	return true;
}

static bool geometry_usable(const struct lp_geometry *g)
{
	return g->slots && g->slots <= LP_SLOTS_MAX && g->max_size >= HEADER_10_0 && g->max_size % LP_SECTOR == 0;
}

/* Which of two is used: a checked one, else a usable one, else the first. */
static bool better(const struct lp_geometry *a, const struct lp_geometry *b)
{
	if (a->checked != b->checked)
		return a->checked;
	return geometry_usable(a) || !geometry_usable(b);
}

static bool same_geometry(const struct lp_geometry *a, const struct lp_geometry *b)
{
	return a->max_size == b->max_size && a->slots == b->slots && a->block_size == b->block_size;
}

static enum gh_code geometry_good(struct lp *lp, struct gh_err *err)
{
	struct lp_geometry *g = &lp->geometry;
	if (!g->checked)
		SAY(lp, GH_BAD, g->at, "the geometry's checksum is wrong: it is used nevertheless");
	if (!g->slots || !g->max_size || g->max_size % LP_SECTOR)
		return gh_fail(err, GH_BAD, g->at + 40, "geometry of %u slots of %u bytes", g->slots, g->max_size);
	if (g->slots > LP_SLOTS_MAX) {
		SAY(lp, GH_LIMIT, g->at + 44, "%u metadata slots: %d are read", g->slots, LP_SLOTS_MAX);
		if (!g->checked)
			return gh_fail(err, GH_BAD, g->at + 44, "geometry of %u slots", g->slots);
	}
	return GH_OK;
}

enum gh_code lp_geometry_read(struct gh_ctx *ctx, struct lp *lp, struct gh_err *err)
{
	struct lp_geometry copy[2] = {0};
	bool there[2] = {false, false};
	for (int i = 0; i < 2; i++) {
		uint64_t at = (lp->empty ? 0 : LP_RESERVED) + (uint64_t)i * LP_GEOMETRY;
		const uint8_t *p;
		if ((lp->empty && i) || !gh_within(at, LP_GEOMETRY, lp->src->size))
			continue;
		enum gh_code code = gh_view(lp->src, ctx->arena, at, LP_GEOMETRY, &p, err);
		if (code)
			return code;
		there[i] = lp_geometry_parse(p, at, &copy[i]);
		if (!there[i])
			SAY(lp, GH_BAD, at, "the %s geometry has no magic number", i ? "backup" : "primary");
	}
	if (!there[0] && !there[1])
		return gh_fail(err, GH_BAD, LP_RESERVED, "no geometry");
	bool use = !there[0] || (there[1] && !better(&copy[0], &copy[1]));
	lp->geometry = copy[use];
	if (there[0] && there[1] && !copy[!use].checked && copy[use].checked)
		SAY(lp, GH_BAD, copy[!use].at, "the checksum of the %s geometry is wrong", use ? "primary" : "backup");
	if (there[0] && there[1] && copy[0].checked && copy[1].checked && !same_geometry(&copy[0], &copy[1]))
		SAY(lp, GH_BAD, copy[1].at, "the backup geometry says something else than the primary");
	return geometry_good(lp, err);
}

/* ---- one copy of the metadata ---- */

static enum gh_code ranges_read(struct lp *lp, struct gh_cursor *c, struct lp_meta *m, struct gh_err *err)
{
	static const char *const word[LP_N_TABLES] = {"partition", "extent", "group", "block device"};
	for (int i = 0; i < LP_N_TABLES; i++) {
		uint64_t at = gh_at(c);
		struct lp_range *r = &m->table[i];
		r->off = gh_u32(c);
		r->n = gh_u32(c);
		r->size = gh_u32(c);
		if (r->size < row_size[i] || !gh_within(r->off, (uint64_t)r->n * r->size, m->tables_size)) {
			if (r->n)
				return gh_fail(err, GH_BAD, at, "the %s table of %u rows of %u bytes lies outside",
					word[i], r->n, r->size);
		} else if (r->size != row_size[i]) {
			SAY(lp, GH_UNSUP, at + 8, "the %s table has rows of %u bytes: %u are read", word[i], r->size,
				row_size[i]);
		}
	}
	return GH_OK;
}

static enum gh_code header_read(struct lp *lp, const uint8_t *p, size_t n, uint64_t at, struct lp_meta *m,
	uint32_t *ret_size, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(p, n, at);
	*m = (struct lp_meta){.at = at};
	uint32_t magic = gh_u32(&c);
	uint16_t major = gh_u16(&c);
	m->minor = gh_u16(&c);
	*ret_size = gh_u32(&c);
	gh_skip(&c, 32);
	m->tables_size = gh_u32(&c);
	gh_skip(&c, 32);
	if (c.bad || magic != 0x414c5030)
		return gh_fail(err, GH_BAD, at, "no metadata header");
	if (major != 10)
		return gh_fail(err, GH_UNSUP, at + 4, "metadata version %u.%u", major, m->minor);
	if (m->minor > 2)
		SAY(lp, GH_UNSUP, at + 6, "metadata version 10.%u: read as 10.2", m->minor);
	if (*ret_size < HEADER_10_0 || *ret_size > n)
		return gh_fail(err, GH_BAD, at + 8, "a metadata header of %u bytes", *ret_size);
	if (m->tables_size > LP_TABLES_MAX)
		return gh_fail(err, GH_LIMIT, at + 44, "metadata tables of %u bytes", m->tables_size);
	m->tables_at = at + *ret_size;
	enum gh_code code = ranges_read(lp, &c, m, err);
	if (code == GH_OK && m->minor >= 2 && *ret_size >= HEADER_10_2)
		m->flags = gh_u32(&c);
	return code;
}

/* One copy at `at`. GH_OK if it can be read at all; *ret_checked: and its checksums are right. */
static enum gh_code copy_read(
	struct gh_ctx *ctx, struct lp *lp, uint64_t at, struct lp_meta *m, bool *ret_checked, struct gh_err *err)
{
	*ret_checked = false;
	if (at >= lp->src->size)
		return gh_fail(err, GH_SHORT, at, "the image ends before this copy of the metadata");
	size_t n = gh_min(gh_min(HEADER_MAX, lp->geometry.max_size), lp->src->size - at);
	uint8_t *p = gh_alloc_raw(ctx->arena, n);
	if (!p)
		return gh_fail(err, GH_NOMEM, at, "no memory for a metadata header");
	uint32_t size = 0;
	enum gh_code code = gh_read(lp->src, at, p, n, err);
	if (code == GH_OK)
		code = header_read(lp, p, n, at, m, &size, err);
	if (code == GH_OK)
		code = gh_view(lp->src, ctx->arena, m->tables_at, m->tables_size, &m->tables, err);
	if (code)
		return code;
	m->there = true;
	uint8_t sum[32];
	memcpy(sum, p + 12, 32);
	memset(p + 12, 0, 32);
	*ret_checked = lp_sha256_is(p, size, sum) && lp_sha256_is(m->tables, m->tables_size, p + 48) &&
		       (uint64_t)size + m->tables_size <= lp->geometry.max_size;
	return GH_OK;
}

bool lp_same_tables(const struct lp_meta *a, const struct lp_meta *b)
{
	return a->tables_size == b->tables_size && memcmp(a->tables, b->tables, a->tables_size) == 0 &&
	       memcmp(a->table, b->table, sizeof a->table) == 0;
}

static uint64_t copy_at(const struct lp *lp, uint32_t slot, bool backup)
{
	if (lp->empty)
		return LP_GEOMETRY;
	uint64_t n = backup ? (uint64_t)lp->geometry.slots + slot : slot;
	return LP_RESERVED + 2 * LP_GEOMETRY + n * lp->geometry.max_size;
}

static void slot_say(struct lp *lp, uint32_t slot, const struct gh_err *bad, bool backup, enum gh_code code)
{
	const char *word = backup ? "backup" : "primary";
	if (code)
		SAY(lp, bad->code, bad->at, "slot %u, %s metadata: %s", slot, word, bad->what);
	else
		SAY(lp, GH_BAD, copy_at(lp, slot, backup), "slot %u: a checksum of the %s metadata is wrong", slot,
			word);
}

enum gh_code lp_slot_read(struct gh_ctx *ctx, struct lp *lp, uint32_t slot, struct lp_meta *ret, struct gh_err *err)
{
	struct lp_meta copy[2] = {0};
	struct gh_err why[2] = {0};
	bool checked[2] = {false, false};
	enum gh_code code[2] = {GH_END, GH_END};
	*ret = (struct lp_meta){0};
	for (int i = 0; i < (lp->empty ? 1 : 2); i++) {
		if (i && !lp->say && checked[0])
			break; /* the backup is looked at once, to compare */
		code[i] = copy_read(ctx, lp, copy_at(lp, slot, i), &copy[i], &checked[i], &why[i]);
		if (code[i] == GH_IO || code[i] == GH_NOMEM)
			return *err = why[i], code[i];
		if (code[i] || !checked[i])
			slot_say(lp, slot, &why[i], i, code[i]);
	}
	if (code[0] && code[1])
		return *err = why[0], code[0];
	bool use = code[0] || (!checked[0] && checked[1]);
	*ret = copy[use];
	if (checked[0] && checked[1] && !lp_same_tables(&copy[0], &copy[1]))
		SAY(lp, GH_BAD, copy[1].at, "slot %u: the backup metadata says something else than the primary", slot);
	return GH_OK;
}

/* ---- rows ---- */

static struct gh_cursor row(const struct lp_meta *m, enum lp_table t, uint32_t i)
{
	const struct lp_range *r = &m->table[t];
	size_t off = r->off + (size_t)i * r->size;
	return gh_cursor(m->tables + off, row_size[t], m->tables_at + off);
}

struct lp_partition lp_partition(const struct lp_meta *m, uint32_t i)
{
	struct gh_cursor c = row(m, LP_PARTITIONS, i);
	struct lp_partition p = {.at = gh_at(&c), .name = gh_text(&c, 36)};
	p.attributes = gh_u32(&c);
	p.first = gh_u32(&c);
	p.n = gh_u32(&c);
	p.group = gh_u32(&c);
	return p;
}

struct lp_extent lp_extent(const struct lp_meta *m, uint32_t i)
{
	struct gh_cursor c = row(m, LP_EXTENTS, i);
	struct lp_extent e = {.at = gh_at(&c)};
	e.sectors = gh_u64(&c);
	e.type = gh_u32(&c);
	e.data = gh_u64(&c);
	e.device = gh_u32(&c);
	return e;
}

struct gh_str lp_suffixed(struct gh_arena *arena, struct gh_str name, bool suffixed, uint32_t slot)
{
	if (!suffixed || slot > 25)
		return name;
	return gh_str_fmt(arena, "%.*s_%c", (int)name.n, name.p, 'a' + (int)slot);
}

struct gh_str lp_group_name(struct gh_arena *arena, const struct lp_meta *m, uint32_t i, uint32_t slot)
{
	if (i >= m->table[LP_GROUPS].n)
		return GH_NONE;
	struct gh_cursor c = row(m, LP_GROUPS, i);
	struct gh_str name = gh_text(&c, 36);
	return lp_suffixed(arena, name, gh_u32(&c) & 1, slot);
}

struct gh_str lp_device_name(struct gh_arena *arena, const struct lp_meta *m, uint32_t i, uint32_t slot)
{
	if (i >= m->table[LP_DEVICES].n)
		return GH_NONE;
	struct gh_cursor c = row(m, LP_DEVICES, i);
	gh_skip(&c, 24);
	struct gh_str name = gh_text(&c, 36);
	return lp_suffixed(arena, name, gh_u32(&c) & 1, slot);
}
