/* SPDX-License-Identifier: Apache-2.0 */
/* The cursor. */
#include "cursor/cursor.h"

const uint8_t *gh_bytes(struct gh_cursor *c, size_t n)
{
	if (c->bad || n > c->n - c->i) {
		c->bad = true;
		return NULL;
	}
	const uint8_t *p = c->p + c->i;
	c->i += n;
	return p;
}

void gh_skip(struct gh_cursor *c, uint64_t n)
{
	if (c->bad || n > c->n - c->i)
		c->bad = true;
	else
		c->i += (size_t)n;
}

void gh_seek(struct gh_cursor *c, uint64_t i)
{
	if (c->bad || i > c->n)
		c->bad = true;
	else
		c->i = (size_t)i;
}

struct gh_cursor gh_sub(struct gh_cursor *c, uint64_t n)
{
	uint64_t at = gh_at(c);
	const uint8_t *p = n > SIZE_MAX ? NULL : gh_bytes(c, (size_t)n);
	if (!p) {
		c->bad = true;
		return (struct gh_cursor){.base = at, .bad = true};
	}
	return gh_cursor(p, (size_t)n, at);
}

static uint64_t number(struct gh_cursor *c, size_t n, bool big)
{
	const uint8_t *p = gh_bytes(c, n);
	uint64_t v = 0;
	if (!p)
		return 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[big ? i : n - 1 - i];
	return v;
}

uint8_t gh_u8(struct gh_cursor *c)
{
	return (uint8_t)number(c, 1, false);
}

uint16_t gh_u16(struct gh_cursor *c)
{
	return (uint16_t)number(c, 2, false);
}

uint32_t gh_u32(struct gh_cursor *c)
{
	return (uint32_t)number(c, 4, false);
}

uint64_t gh_u64(struct gh_cursor *c)
{
	return number(c, 8, false);
}

uint16_t gh_u16be(struct gh_cursor *c)
{
	return (uint16_t)number(c, 2, true);
}

uint32_t gh_u32be(struct gh_cursor *c)
{
	return (uint32_t)number(c, 4, true);
}

uint64_t gh_u64be(struct gh_cursor *c)
{
	return number(c, 8, true);
}

uint64_t gh_uleb(struct gh_cursor *c)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 70; shift += 7) {
		uint8_t b = gh_u8(c);
		if (c->bad)
			return 0;
		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	c->bad = true;
	return 0;
}

struct gh_str gh_text(struct gh_cursor *c, size_t n)
{
	const uint8_t *p = gh_bytes(c, n);
	return p ? gh_strn(p, strnlen((const char *)p, n)) : GH_NONE;
}

struct gh_str gh_cstr(struct gh_cursor *c)
{
	const uint8_t *zero = c->bad || c->i == c->n ? NULL : memchr(c->p + c->i, 0, c->n - c->i);
	if (!zero) {
		c->bad = true;
		return GH_NONE;
	}
	struct gh_str s = gh_strn(c->p + c->i, (size_t)(zero - (c->p + c->i)));
	c->i += s.n + 1;
	return s;
}

enum gh_code gh_cursor_check(const struct gh_cursor *c, const char *what, struct gh_err *err)
{
	if (!c->bad)
		return GH_OK;
	return gh_fail(err, GH_SHORT, c->base + c->i, "%s ends too early", what);
}
