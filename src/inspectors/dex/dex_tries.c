/* SPDX-License-Identifier: Apache-2.0 */
/* DEX: try blocks and their handlers, behind the instructions. "Dalvik executable format", try_item, encoded_catch_handler_list. */
#include "inspectors/dex/dexinsn.h"

enum {
	TRY = 8,
	CATCHES_MAX = 4096, /* of one block; real ones have up to a dozen */
};

/* The first try_item: aligned to four bytes behind the instructions. */
static uint64_t tries_at(const struct dex_code *code)
{
	return code->at + (uint64_t)code->n * 2 + (code->n & 1 ? 2 : 0);
}

bool dex_try(const struct dex *d, const struct dex_code *code, uint32_t i, struct dex_try *ret)
{
	struct gh_cursor c = gh_cursor(d->p, d->n, 0);
	if (i >= code->tries)
		return false;
	gh_seek(&c, tries_at(code) + (uint64_t)i * TRY);
	ret->start = gh_u32(&c);
	ret->n = gh_u16(&c);
	ret->handlers = tries_at(code) + (uint64_t)code->tries * TRY + gh_u16(&c);
	return !c.bad;
}

static int64_t sleb(struct gh_cursor *c)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 35; shift += 7) {
		uint8_t b = gh_u8(c);
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return (int64_t)(b & 0x40 ? v | ~UINT64_C(0) << (shift + 7) : v);
	}
	c->bad = true;
	return 0;
}

uint32_t dex_handlers(const struct dex *d, const struct dex_try *block, uint32_t *out, uint32_t max)
{
	struct gh_cursor c = gh_cursor(d->p, d->n, 0);
	uint32_t k = 0;
	gh_seek(&c, block->handlers);
	int64_t n = sleb(&c), catches = n < 0 ? -n : n;
	for (int64_t i = 0; i < catches && i < CATCHES_MAX && k < max && !c.bad; i++) {
		gh_uleb(&c);
		uint64_t at = gh_uleb(&c);
		if (!c.bad && at <= UINT32_MAX)
			out[k++] = (uint32_t)at;
	}
	uint64_t all = n <= 0 ? gh_uleb(&c) : UINT64_MAX;
	if (!c.bad && all <= UINT32_MAX && k < max)
		out[k++] = (uint32_t)all;
	return k;
}
