/* SPDX-License-Identifier: Apache-2.0 */
/* resources.arsc: packages, types, entries (ResourceTypes.h of AOSP), and which of several values a phone takes. */
#include "inspectors/resources/resources.h"

enum {
	C_POOL = 1,
	C_TABLE = 2,
	C_PACKAGE = 0x200,
	C_TYPE = 0x201,
	HEADER = 8, /* of a chunk */
	T_SPARSE = 1, /* flags of a type chunk */
	T_OFFSET16 = 2,
	CONFIG = 20, /* where its configuration begins */
	E_COMPLEX = 1, /* flags of an entry */
	E_COMPACT = 8,
	V_REFERENCE = 1,
	V_STRING = 3,
	V_DYN_REFERENCE = 7,
	REFERENCES_MAX = 20, /* as in Android: what refers further refers in a circle */
};

struct chunk {
	uint64_t at, size;
	uint16_t type, header;
};

struct value {
	uint8_t type;
	uint32_t data;
};

static struct gh_cursor at(const struct res_table *t, uint64_t pos)
{
	struct gh_cursor c = gh_cursor(t->p, t->n, 0);
	gh_seek(&c, pos);
	return c;
}

/* The chunk at pos, which lies before end. */
static bool chunk_read(struct res_table *t, uint64_t pos, uint64_t end, struct chunk *ret)
{
	if (pos >= end || t->err.code || gh_spend_steps(t->ctx->budget, 1, pos, &t->err))
		return false;
	struct gh_cursor c = at(t, pos);
	ret->at = pos;
	ret->type = gh_u16(&c);
	ret->header = gh_u16(&c);
	ret->size = gh_u32(&c);
	return !c.bad && ret->header >= HEADER && ret->header <= ret->size && ret->size <= end - pos;
}

enum gh_code res_open(struct res_table *t, struct gh_ctx *ctx, const uint8_t *p, size_t n, struct gh_err *err)
{
	struct chunk table, k;
	*t = (struct res_table){.ctx = ctx, .p = p, .n = n, .strings = {.ctx = ctx, .p = p, .end = n, .quiet = true}};
	if (!chunk_read(t, 0, n, &table) || table.type != C_TABLE)
		return gh_fail(err, GH_BAD, 0, "no resource table");
	t->n = (size_t)table.size;
	for (uint64_t pos = table.header; chunk_read(t, pos, t->n, &k); pos += k.size) {
		struct gh_cursor all = at(t, k.at), c = gh_sub(&all, k.size);
		if (k.type == C_POOL && !t->strings.pool.count)
			axml_pool_read(&t->strings, c, &t->strings.pool);
	}
	*err = t->err;
	return t->err.code;
}

/* ---- which configuration ---- */

/* 0: not for this language. A phone prefers what says more of its own state; only language and system version are known here. */
static uint64_t fits(struct gh_cursor c, enum res_language language)
{
	uint32_t size = gh_u32(&c), carrier = gh_u32(&c);
	uint8_t l0 = gh_u8(&c), l1 = gh_u8(&c), r0 = gh_u8(&c), r1 = gh_u8(&c);
	uint32_t screen = gh_u32(&c), input = gh_u32(&c), pixels = gh_u32(&c), version = size >= 28 ? gh_u32(&c) : 0;
	if (c.bad || carrier || screen || input || pixels)
		return 0;
	uint64_t score = 1 + (version & 0xffff);
	if (language == RES_DEFAULT)
		return l0 || l1 || r0 || r1 ? 0 : score;
	if (l0 != 'e' || l1 != 'n')
		return 0;
	return score + (!r0 ? 2u << 20 : r0 == 'U' && r1 == 'S' ? 1u << 20 : 0);
}

/* ---- entries ---- */

/* Offset of entry i among the entries of a type chunk; false: it has none. */
static bool entry_offset(
	struct res_table *t, const struct chunk *k, uint32_t i, uint32_t flags, uint32_t n, uint64_t *ret)
{
	struct gh_cursor c = at(t, k->at + k->header);
	if (!(flags & T_SPARSE)) {
		if (i >= n)
			return false;
		gh_skip(&c, (uint64_t)i * (flags & T_OFFSET16 ? 2 : 4));
		uint32_t off = flags & T_OFFSET16 ? gh_u16(&c) : gh_u32(&c);
		*ret = flags & T_OFFSET16 ? off * UINT64_C(4) : off;
		return !c.bad && off != (flags & T_OFFSET16 ? 0xffffu : 0xffffffffu);
	}
	for (uint32_t e = 0; e < n; e++) {
		if (gh_spend_steps(t->ctx->budget, 1, gh_at(&c), &t->err))
			return false;
		uint32_t index = gh_u16(&c), off = gh_u16(&c);
		*ret = off * UINT64_C(4);
		if (c.bad || index >= i)
			return !c.bad && index == i;
	}
	return false;
}

static bool value_read(struct res_table *t, uint64_t pos, struct value *ret)
{
	struct gh_cursor c = at(t, pos);
	uint16_t size = gh_u16(&c), flags = gh_u16(&c);
	if (flags & E_COMPACT) {
		*ret = (struct value){(uint8_t)(flags >> 8), gh_u32(&c)};
		return !c.bad;
	}
	if (flags & E_COMPLEX)
		return false;
	gh_seek(&c, pos + size + 3);
	ret->type = gh_u8(&c);
	ret->data = gh_u32(&c);
	return !c.bad && size >= HEADER;
}

/* What entry i of one type chunk says, if its language is asked for and better than *score. */
static bool type_value(struct res_table *t, const struct chunk *k, uint32_t id, enum res_language language,
	uint64_t *score, struct value *ret)
{
	struct gh_cursor c = at(t, k->at + HEADER);
	uint8_t type = gh_u8(&c), flags = gh_u8(&c);
	gh_skip(&c, 2);
	uint32_t n = gh_u32(&c), start = gh_u32(&c);
	uint64_t fit = fits(at(t, k->at + CONFIG), language), off;
	struct value v;
	if (c.bad || type != (id >> 16 & 0xff) || fit <= *score || !entry_offset(t, k, id & 0xffff, flags, n, &off))
		return false;
	if (start >= k->size || off >= k->size - start || !value_read(t, k->at + start + off, &v))
		return false;
	*score = fit;
	*ret = v;
	return true;
}

static bool package_value(struct res_table *t, const struct chunk *package, uint32_t id, enum res_language language,
	uint64_t *score, struct value *ret)
{
	struct chunk k;
	bool found = false;
	uint64_t end = package->at + package->size;
	for (uint64_t pos = package->at + package->header; chunk_read(t, pos, end, &k); pos += k.size)
		if (k.type == C_TYPE && type_value(t, &k, id, language, score, ret))
			found = true;
	return found;
}

static bool lookup(struct res_table *t, uint32_t id, enum res_language language, struct value *ret)
{
	struct chunk k;
	bool found = false;
	uint64_t score = 0;
	for (uint64_t pos = 12; chunk_read(t, pos, t->n, &k); pos += k.size) {
		struct gh_cursor c = at(t, k.at + HEADER);
		uint32_t package = gh_u32(&c);
		if (k.type == C_PACKAGE && !c.bad && package == id >> 24 &&
			package_value(t, &k, id, language, &score, ret))
			found = true;
	}
	return found;
}

struct gh_str res_text(struct res_table *t, uint32_t id, enum res_language language)
{
	struct value v;
	bool said = language == RES_DEFAULT; /* in that language, at one of the steps */
	for (int i = 0; i < REFERENCES_MAX; i++) {
		if (language != RES_DEFAULT && lookup(t, id, language, &v))
			said = true;
		else if (!lookup(t, id, RES_DEFAULT, &v))
			return GH_NONE;
		if (v.type == V_STRING) {
			struct gh_str s = said ? axml_string(&t->strings, v.data) : GH_NONE;
			if (t->strings.err.code)
				t->err = t->strings.err;
			return s;
		}
		if (v.type != V_REFERENCE && v.type != V_DYN_REFERENCE)
			return GH_NONE;
		id = v.data;
	}
	return GH_NONE;
}
