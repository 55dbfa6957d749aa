/* SPDX-License-Identifier: Apache-2.0 */
/* Binary XML: the string pool (ResStringPool of AOSP), UTF-8 and UTF-16, as lenient as Android where it can be. */
#include "inspectors/axml/axml.h"

enum {
	POOL_HEADER = 28,
	POOL_UTF8 = 1 << 8,
};

/* A string as it lies there. */
struct raw {
	const uint8_t *p;
	size_t n; /* bytes */
	uint64_t at;
};

void axml_pool_read(struct axml *x, struct gh_cursor c, struct axml_pool *ret)
{
	*ret = (struct axml_pool){0};
	uint64_t at = gh_at(&c), size = gh_left(&c);
	gh_skip(&c, 2);
	uint64_t header = gh_u16(&c);
	gh_skip(&c, 4);
	uint32_t count = gh_u32(&c), styles = gh_u32(&c), flags = gh_u32(&c), start = gh_u32(&c), style = gh_u32(&c);
	if (c.bad || start >= size) {
		axml_note(x, at, "string pool without strings");
		return;
	}
	if (header < POOL_HEADER) {
		axml_note(x, at + 2, "string pool with a header of %u bytes", (unsigned)header);
		header = POOL_HEADER;
	}
	uint64_t stop = size;
	if (styles && (style <= start || style >= size - 2))
		axml_note(x, at + 24, "string pool with styles outside of it");
	else if (styles)
		stop = style;
	if (header > size || count > (size - header) / 4) {
		axml_note(x, at + 8, "string pool of %zu bytes with %u strings", (size_t)size, count);
		count = header > size ? 0 : (uint32_t)((size - header) / 4);
	}
	c.i = 0;
	gh_skip(&c, header);
	ret->entries = gh_sub(&c, (uint64_t)count * 4);
	c.i = 0;
	gh_skip(&c, start);
	ret->strings = gh_sub(&c, stop - start);
	ret->count = count;
	ret->utf8 = flags & POOL_UTF8;
}

/* A length of one or two units of `unit` bytes; the first one's top bit says which. */
static uint32_t length(struct gh_cursor *c, bool utf8)
{
	uint32_t n = utf8 ? gh_u8(c) : gh_u16(c), top = utf8 ? 0x80 : 0x8000;
	if (n & top)
		n = utf8 ? (n & 0x7f) << 8 | gh_u8(c) : (n & 0x7fff) << 16 | gh_u16(c);
	return n;
}

/* aapt wrote lengths above 0x7fff with their upper bits cut off: Android looks for the zero where they would end. */
static bool longer(struct axml *x, const struct gh_cursor *c, size_t *n)
{
	for (size_t end = *n + 0x8000; end < gh_left(c); end += 0x8000) {
		if (gh_spend_steps(x->ctx->budget, 1, gh_at(c), &x->err))
			return false;
		if (!c->p[c->i + end]) {
			*n = end;
			return true;
		}
	}
	return false;
}

static bool find(struct axml *x, uint32_t i, struct raw *ret)
{
	struct gh_cursor e = x->pool.entries, c = x->pool.strings;
	if (i >= x->pool.count)
		return false;
	gh_skip(&e, (uint64_t)i * 4);
	uint32_t off = gh_u32(&e);
	gh_skip(&c, off);
	size_t zero = x->pool.utf8 ? 1 : 2;
	if (x->pool.utf8)
		(void)length(&c, true); /* in UTF-16 units */
	size_t n = length(&c, x->pool.utf8) * (x->pool.utf8 ? (size_t)1 : 2);
	if (c.bad || gh_left(&c) < zero) {
		axml_note(x, gh_at(&e) - 4, "string %u lies outside of the pool", i);
		return false;
	}
	bool ends = n <= gh_left(&c) - zero && !c.p[c.i + n] && !c.p[c.i + n + zero - 1];
	if (!ends && x->pool.utf8 && longer(x, &c, &n))
		axml_note(x, gh_at(&c), "string %u is longer than its length says", i);
	else if (!ends)
		axml_note(x, gh_at(&c), "string %u does not end where its length says: Android refuses it", i);
	*ret = (struct raw){c.p + c.i, gh_min(n, gh_left(&c)), gh_at(&c)};
	return true;
}

static size_t put_utf8(uint8_t *to, uint32_t u)
{
	size_t n = u < 0x80 ? 1 : u < 0x800 ? 2 : u < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = n; i-- > 1; u >>= 6)
		to[i] = (uint8_t)(0x80 | (u & 0x3f));
	to[0] = (uint8_t)(lead[n] | u);
	return n;
}

static uint32_t pair(uint32_t high, uint32_t low)
{
	return 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
}

static bool is_high(uint32_t u)
{
	return (u & 0xfc00) == 0xd800;
}

static bool is_low(uint32_t u)
{
	return (u & 0xfc00) == 0xdc00;
}

/* Halves of a pair that stand alone become three bytes each, as in Android. */
static struct gh_str from_utf16(struct axml *x, const struct raw *r)
{
	uint8_t *out = gh_alloc_raw(x->ctx->arena, r->n / 2 * 3 + 1);
	struct gh_cursor c = gh_cursor(r->p, r->n, r->at);
	size_t n = 0;
	if (!out) {
		gh_fail(&x->err, GH_NOMEM, r->at, "no memory for a string");
		return GH_NONE;
	}
	while (gh_left(&c) >= 2) {
		uint32_t u = gh_u16(&c);
		struct gh_cursor ahead = c;
		uint32_t v = gh_left(&c) >= 2 ? gh_u16(&ahead) : 0;
		if (is_high(u) && is_low(v)) {
			u = pair(u, v);
			c = ahead;
		}
		n += put_utf8(out + n, u);
	}
	return gh_strn(out, n);
}

/* One half of a pair in three bytes, or 0. */
static uint32_t half(const uint8_t *p, size_t n)
{
	if (n < 3 || p[0] != 0xed || p[1] < 0xa0 || p[1] > 0xbf || (p[2] & 0xc0) != 0x80)
		return 0;
	return 0xd000 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
}

/* aapt2 writes Java's modified UTF-8: characters above U+FFFF are pairs there. */
static struct gh_str from_utf8(struct axml *x, const struct raw *r)
{
	if (!memchr(r->p, 0xed, r->n))
		return gh_strn(r->p, r->n);
	uint8_t *out = gh_alloc_raw(x->ctx->arena, r->n + 1);
	size_t n = 0;
	if (!out) {
		gh_fail(&x->err, GH_NOMEM, r->at, "no memory for a string");
		return GH_NONE;
	}
	for (size_t i = 0; i < r->n;) {
		uint32_t high = half(r->p + i, r->n - i);
		uint32_t low = is_high(high) ? half(r->p + i + 3, r->n - i - 3) : 0;
		if (is_low(low)) {
			n += put_utf8(out + n, pair(high, low));
			i += 6;
		} else {
			out[n++] = r->p[i++];
		}
	}
	return gh_strn(out, n);
}

struct gh_str axml_string(struct axml *x, uint32_t i)
{
	struct raw r;
	if (x->err.code || i == AXML_NONE || !find(x, i, &r))
		return GH_NONE;
	/* One long string may be named a million times: its bytes count each time. */
	if (gh_spend_steps(x->ctx->budget, 1 + r.n, r.at, &x->err))
		return GH_NONE;
	return x->pool.utf8 ? from_utf8(x, &r) : from_utf16(x, &r);
}

bool axml_string_is(struct axml *x, uint32_t i, const char *word)
{
	struct raw r;
	size_t n = strlen(word), unit = x->pool.utf8 ? 1 : 2;
	bool quiet = x->quiet;
	x->quiet = true;
	bool found = i != AXML_NONE && find(x, i, &r);
	x->quiet = quiet;
	if (!found || r.n != n * unit)
		return false;
	for (size_t k = 0; k < n; k++)
		if (r.p[k * unit] != (uint8_t)word[k] || (unit == 2 && r.p[k * 2 + 1]))
			return false;
	return true;
}
