/* SPDX-License-Identifier: Apache-2.0 */
/* DEX: the members of a class and their code. "Dalvik executable format", class_data_item and code_item; CompactDex: CodeItem of
 * libdexfile, whose sizes stand in four bits each and before the item where they need more. */
#include "inspectors/dex/dexfile.h"

enum {
	CODE = 16, /* header of a code item */
	COMPACT_CODE = 4,
	BEFORE_REGISTERS = 1, /* flags of a compact item: what stands before it */
	BEFORE_INS = 2,
	BEFORE_OUTS = 4,
	BEFORE_TRIES = 8,
	BEFORE_INSNS = 16,
	INSNS_SHIFT = 5,
};

/* ---- members ---- */

static uint32_t uleb32(struct gh_cursor *c)
{
	uint64_t v = gh_uleb(c);
	if (v > UINT32_MAX)
		c->bad = true;
	return c->bad ? 0 : (uint32_t)v;
}

void dex_members(const struct dex *d, const struct dex_class *class, struct dex_members *ret)
{
	*ret = (struct dex_members){.c = gh_cursor(d->p, d->n, 0), .data = d->data};
	if (!class->members)
		return;
	gh_seek(&ret->c, class->members);
	for (int i = 0; i < DEX_N_KINDS; i++)
		ret->left[i] = uleb32(&ret->c);
	if (ret->c.bad)
		memset(ret->left, 0, sizeof ret->left);
}

bool dex_members_next(struct dex_members *m, struct dex_member *ret)
{
	while (m->kind < DEX_N_KINDS && !m->left[m->kind]) {
		m->kind++;
		m->index = 0;
	}
	if (m->kind == DEX_N_KINDS || m->c.bad)
		return false;
	m->left[m->kind]--;
	*ret = (struct dex_member){.kind = m->kind, .at = gh_at(&m->c)};
	m->index += uleb32(&m->c);
	ret->index = (uint32_t)m->index;
	ret->access = uleb32(&m->c);
	uint32_t code = m->kind >= DEX_DIRECT_METHOD ? uleb32(&m->c) : 0;
	ret->code = code ? m->data + code : 0;
	if (m->index >= DEX_NONE)
		m->c.bad = true;
	return !m->c.bad;
}

/* ---- code ---- */

/* The 16-bit number before *at, which moves there. */
static uint16_t before(const struct dex *d, uint64_t *at, bool *bad)
{
	if (*at < 2) {
		*bad = true;
		return 0;
	}
	*at -= 2;
	struct gh_cursor c = gh_cursor(d->p, d->n, 0);
	gh_seek(&c, *at);
	uint16_t v = gh_u16(&c);
	*bad |= c.bad;
	return v;
}

static bool compact_code(const struct dex *d, uint64_t off, struct dex_code *ret)
{
	struct gh_cursor c = gh_cursor(d->p, d->n, 0);
	bool bad = false;
	gh_seek(&c, off);
	uint16_t fields = gh_u16(&c), rest = gh_u16(&c);
	uint32_t sizes[4] = {fields >> 12 & 15u, fields >> 8 & 15u, fields >> 4 & 15u, fields & 15u};
	uint64_t n = rest >> INSNS_SHIFT, at = off;
	if (rest & BEFORE_INSNS) {
		n += before(d, &at, &bad);
		n += (uint64_t)before(d, &at, &bad) << 16;
	}
	for (int i = 0; i < 4; i++)
		if (rest & BEFORE_REGISTERS << i)
			sizes[i] += before(d, &at, &bad);
	sizes[0] += sizes[1]; /* arguments are registers too, and not counted twice */
	for (int i = 0; i < 4; i++)
		bad |= sizes[i] > UINT16_MAX;
	*ret = (struct dex_code){.at = off + COMPACT_CODE,
		.n = (uint32_t)n,
		.registers = (uint16_t)sizes[0],
		.ins = (uint16_t)sizes[1],
		.outs = (uint16_t)sizes[2],
		.tries = (uint16_t)sizes[3]};
	return !bad && !c.bad && n <= UINT32_MAX && n * 2 <= gh_left(&c);
}

bool dex_code(const struct dex *d, uint64_t off, struct dex_code *ret)
{
	struct gh_cursor c = gh_cursor(d->p, d->n, 0);
	if (d->compact)
		return compact_code(d, off, ret);
	gh_seek(&c, off);
	ret->registers = gh_u16(&c);
	ret->ins = gh_u16(&c);
	ret->outs = gh_u16(&c);
	ret->tries = gh_u16(&c);
	ret->debug = gh_u32(&c);
	ret->n = gh_u32(&c);
	ret->at = off + CODE;
	return !c.bad && (uint64_t)ret->n * 2 <= gh_left(&c);
}
