/* SPDX-License-Identifier: Apache-2.0 */
/* The index of an xz file: see xz_index.h. */
#include "formats/xz/xz_index.h"

#include "base/num.h"
#include "codecs/deflate/deflate.h"

enum {
	HEADER = 12,
	FOOTER = 12,
	RECORD_MIN = 2, /* bytes of a block in the index */
	/* xz cuts at 24 MiB by default, pixz at 16: a thousand blocks for the largest package. */
	BLOCKS_MAX = 1 << 16,
	INDEX_MAX = BLOCKS_MAX * 18 + 32,
};

struct streams {
	struct gh_ctx *ctx;
	struct gh_source *src;
	struct xz_index *index;
	uint64_t end; /* of what is not yet read, from the front */
	uint64_t cap; /* blocks there is room for; they are filled from the back */
};

/* A number of 1 to 9 bytes without superfluous ones; else bad. */
static uint64_t vli(struct gh_cursor *c)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < 9; i++) {
		uint8_t b = gh_u8(c);
		v |= (uint64_t)(b & 127) << (7 * i);
		if (!(b & 128)) {
			c->bad |= !b && i;
			return v;
		}
	}
	c->bad = true;
	return 0;
}

/* Padding behind a stream: four zeros, any number of times. */
static enum gh_code padding(struct streams *s, struct gh_err *err)
{
	uint8_t b[512];
	for (;;) {
		size_t n = (size_t)gh_min(s->end, sizeof b) & ~(size_t)3;
		enum gh_code code = gh_spend_steps(s->ctx->budget, 1, s->end, err);
		if (code == GH_OK)
			code = gh_read(s->src, s->end - n, b, n, err);
		if (code)
			return code;
		size_t i = n;
		while (i && !b[i - 1] && !b[i - 2] && !b[i - 3] && !b[i - 4])
			i -= 4;
		s->end -= n - i;
		if (i || !n)
			return GH_OK;
	}
}

/* The footer that ends at s->end: the type of check and the index's size. GH_END: none. */
static enum gh_code footer(struct streams *s, uint8_t *ret_check, uint64_t *ret_size, struct gh_err *err)
{
	uint8_t b[FOOTER];
	if (s->end < HEADER + FOOTER + 8)
		return GH_END;
	enum gh_code code = gh_read(s->src, s->end - FOOTER, b, FOOTER, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(b, FOOTER, s->end - FOOTER);
	uint32_t crc = gh_u32(&c);
	*ret_size = ((uint64_t)gh_u32(&c) + 1) * 4;
	bool fits = !gh_u8(&c);
	*ret_check = gh_u8(&c);
	fits = fits && *ret_check < 16 && memcmp(b + 10, "YZ", 2) == 0 && crc == gh_crc32(0, b + 4, 6);
	return fits && *ret_size <= INDEX_MAX && *ret_size <= s->end - HEADER - FOOTER ? GH_OK : GH_END;
}

/* The header at `at` must be that of the footer. */
static enum gh_code header(struct streams *s, uint64_t at, uint8_t check, struct gh_err *err)
{
	static const uint8_t magic[6] = {0xfd, '7', 'z', 'X', 'Z', 0};
	uint8_t b[HEADER];
	enum gh_code code = gh_read(s->src, at, b, HEADER, err);
	if (code)
		return code;
	return memcmp(b, magic, sizeof magic) == 0 && !b[6] && b[7] == check ? GH_OK : GH_END;
}

/* More room, blocks kept at the back. */
static bool grow(struct streams *s, uint64_t more)
{
	struct xz_index *x = s->index;
	if (x->n + more <= s->cap)
		return true;
	if (more > BLOCKS_MAX || x->n + more > BLOCKS_MAX)
		return false;
	uint64_t cap = gh_min(2 * (x->n + more), BLOCKS_MAX);
	struct xz_block *b = gh_alloc_array(s->ctx->arena, cap, sizeof *b);
	if (!b)
		return false;
	if (x->n)
		memcpy(b + (cap - x->n), x->blocks, x->n * sizeof *b);
	x->blocks = b + (cap - x->n);
	s->cap = cap;
	return true;
}

/* The blocks of one stream, whose index lies in c and begins at `at` of the file. Their places are set relative to its first. */
static bool records(struct streams *s, struct gh_cursor *c, uint8_t check, uint64_t *ret_packed)
{
	struct xz_index *x = s->index;
	gh_skip(c, 1);
	uint64_t n = vli(c), from = 0;
	if (c->bad || n > gh_left(c) / RECORD_MIN || !grow(s, n))
		return false;
	struct xz_block *b = x->blocks - n;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t packed = vli(c), size = vli(c), padded;
		if (c->bad || packed < 8 || !gh_align(packed, 4, &padded) || from > s->src->size ||
			padded > s->src->size)
			return false;
		b[i] = (struct xz_block){.from = from, .packed = padded, .size = size, .check = check};
		from += padded;
	}
	*ret_packed = from;
	x->blocks = b;
	x->n += n;
	return true;
}

/* The stream that ends at s->end. */
static enum gh_code stream(struct streams *s, struct gh_err *err)
{
	uint8_t check = 0;
	uint64_t size = 0, packed, before = s->index->n;
	const uint8_t *p;
	enum gh_code code = footer(s, &check, &size, err);
	uint64_t at = s->end - FOOTER - size;
	if (code == GH_OK)
		code = gh_view(s->src, s->ctx->arena, at, (size_t)size, &p, err);
	if (code == GH_OK)
		code = gh_spend_steps(s->ctx->budget, 1 + size / RECORD_MIN, at, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, (size_t)size - 4, at), sum = gh_cursor(p + size - 4, 4, at + size - 4);
	if (p[0] || gh_u32(&sum) != gh_crc32(0, p, (size_t)size - 4) || !records(s, &c, check, &packed) ||
		gh_left(&c) > 3 || packed > at - HEADER)
		return GH_END;
	s->end = at - packed - HEADER;
	for (uint64_t i = 0; i < s->index->n - before; i++)
		s->index->blocks[i].from += at - packed;
	return header(s, s->end, check, err);
}

/* Where each block's content begins. */
static bool add_up(struct xz_index *x)
{
	for (uint64_t i = 0; i < x->n; i++) {
		struct xz_block *b = &x->blocks[i];
		b->at = x->size;
		x->largest = gh_max(x->largest, b->size);
		if (!gh_add(x->size, b->size, &x->size))
			return false;
	}
	return true;
}

enum gh_code xz_index_read(struct gh_ctx *ctx, struct gh_source *src, struct xz_index *ret, struct gh_err *err)
{
	struct streams s = {.ctx = ctx, .src = src, .index = ret, .end = src->size};
	*ret = (struct xz_index){0};
	enum gh_code code = GH_OK;
	while (code == GH_OK && s.end) {
		code = gh_spend_steps(ctx->budget, 1, s.end, err);
		if (code == GH_OK)
			code = padding(&s, err);
		if (code == GH_OK)
			code = s.end ? stream(&s, err) : GH_END;
	}
	return code == GH_OK && !add_up(ret) ? GH_END : code;
}
