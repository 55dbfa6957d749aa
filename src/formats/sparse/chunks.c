/* SPDX-License-Identifier: Apache-2.0 */
/* The header and chunk headers of Android sparse images, after system/core/libsparse/sparse_format.h (version 1.x). */
#include <stdarg.h>
#include <stdio.h>

#include "base/num.h"
#include "formats/sparse/sparse.h"

enum {
	HEADER = 28, /* of version 1.0; later ones may be longer, what is added is stepped over */
	CHUNK_HEADER = 12,
	RAW = 0xcac1,
	FILL = 0xcac2,
	DONT_CARE = 0xcac3,
	CRC32 = 0xcac4,
	WINDOW_MIN = 512, /* behind a long raw chunk one or two headers are wanted… */
	WINDOW_MAX = 64 << 10, /* …in a run of fills, skips and short chunks thousands */
	NEAR = 16 << 10, /* copying this much costs about as much as another read */
	EXTENTS_MAX = 1 << 20, /* 40 MiB of extents: an image of 8 GiB in which every second block is a hole */
};

static const uint64_t IMAGE_MAX = 1ull << 44; /* 16 TiB: what ext4 addresses with 4 KiB blocks and 32 bits */

struct reader {
	struct gh_arena *arena;
	struct gh_source *src;
	struct gh_sparse_list *list;
	struct gh_sparse_file *f;
	uint64_t blocks; /* of the image, described so far */
	uint8_t *window;
	uint64_t window_at;
	size_t window_n, window_next;
};

struct chunk {
	uint64_t at; /* in the file */
	uint64_t payload_at;
	uint64_t payload; /* bytes of the file behind the header */
	uint64_t bytes; /* of the image */
	uint16_t type;
	uint16_t reserved;
	uint32_t blocks;
	uint32_t total;
};

static void GH_PRINTF(4, 5) problem(struct gh_sparse_file *f, enum gh_code code, uint64_t at, const char *fmt, ...)
{
	if (f->n_problems < GH_SPARSE_PROBLEMS) {
		struct gh_sparse_problem *p = &f->problem[f->n_problems];
		p->code = code;
		p->at = at;
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(p->what, sizeof p->what, fmt, ap);
		va_end(ap);
	}
	f->n_problems++;
}

/* ---- the list ---- */

/* Room for `more` extents, at once where the header tells how many to expect. */
static enum gh_code list_reserve(
	struct gh_arena *arena, struct gh_sparse_list *l, size_t more, uint64_t at, struct gh_err *err)
{
	if (more <= l->cap - l->n)
		return GH_OK;
	if (l->n >= EXTENTS_MAX)
		return gh_fail(err, GH_LIMIT, at, "more than %d extents", EXTENTS_MAX);
	size_t cap = gh_min(gh_max(l->n + more, l->cap + l->cap / 2), EXTENTS_MAX);
	struct gh_extent *ext = gh_alloc_raw(arena, cap * sizeof *ext);
	if (!ext)
		return gh_fail(err, GH_NOMEM, at, "no memory for %zu extents", cap);
	if (l->n)
		memcpy(ext, l->ext, l->n * sizeof *ext);
	l->ext = ext;
	l->cap = cap;
	return GH_OK;
}

enum gh_code gh_sparse_append(
	struct gh_arena *arena, struct gh_sparse_list *list, const struct gh_extent *e, struct gh_err *err)
{
	enum gh_code code = list_reserve(arena, list, 1, e->at, err);
	if (code == GH_OK)
		list->ext[list->n++] = *e;
	return code;
}

static uint64_t list_end(const struct gh_sparse_list *l)
{
	return l->n ? l->ext[l->n - 1].at + l->ext[l->n - 1].len : 0;
}

static bool list_join(struct gh_sparse_list *l, const struct gh_extent *e)
{
	struct gh_extent *last = l->n ? &l->ext[l->n - 1] : NULL;
	if (!last || last->at + last->len != e->at || last->below != e->below)
		return false;
	if (e->below ? last->from + last->len != e->from : last->fill != e->fill || last->len % 4)
		return false;
	last->len += e->len;
	return true;
}

static enum gh_code extent_add(struct reader *r, const struct chunk *c, struct gh_extent e, struct gh_err *err)
{
	uint64_t end = list_end(r->list);
	if (e.at < end) {
		uint64_t over = gh_min(end - e.at, e.len);
		problem(r->f, GH_BAD, c->at, "%llu bytes of the image are given twice: the first are taken",
			(unsigned long long)over);
		e.at += over;
		e.len -= over;
		e.from += over;
	}
	if (!e.len)
		return GH_OK;
	r->f->data += e.below ? e.len : 0;
	return list_join(r->list, &e) ? GH_OK : gh_sparse_append(r->arena, r->list, &e, err);
}

/* ---- the file ---- */

/* n bytes at `at` through the window; NULL with GH_OK: the file ends before. */
static enum gh_code peek(struct reader *r, uint64_t at, size_t n, const uint8_t **ret, struct gh_err *err)
{
	*ret = NULL;
	if (!gh_within(at, n, r->src->size))
		return GH_OK;
	if (!gh_within(at - r->window_at, n, r->window_n) || at < r->window_at) {
		uint64_t end = r->window_at + r->window_n;
		r->window_next =
			at >= r->window_at && at <= end + NEAR ? gh_min(r->window_next * 2, WINDOW_MAX) : WINDOW_MIN;
		size_t size = gh_min(r->src->size - at, r->window_next);
		enum gh_code code = gh_read(r->src, at, r->window, size, err);
		r->window_n = code ? 0 : size;
		r->window_at = at;
		if (code)
			return code;
	}
	*ret = r->window + (at - r->window_at);
	return GH_OK;
}

static enum gh_code header(struct reader *r, struct gh_err *err)
{
	struct gh_sparse_file *f = r->f;
	const uint8_t *p;
	enum gh_code code = peek(r, 0, HEADER, &p, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, p ? HEADER : 0, 0);
	uint32_t magic = gh_u32(&c);
	uint16_t major = gh_u16(&c);
	f->minor = gh_u16(&c);
	f->header_size = gh_u16(&c);
	f->chunk_header_size = gh_u16(&c);
	f->block_size = gh_u32(&c);
	f->blocks = gh_u32(&c);
	f->chunks = gh_u32(&c);
	f->checksum = gh_u32(&c);
	code = gh_cursor_check(&c, "the sparse header", err);
	if (code)
		return code;
	if (magic != 0xed26ff3a)
		return gh_fail(err, GH_BAD, 0, "not a sparse image");
	if (major != 1)
		return gh_fail(err, GH_UNSUP, 4, "sparse format version %u", major);
	if (f->header_size < HEADER || f->chunk_header_size < CHUNK_HEADER)
		return gh_fail(
			err, GH_BAD, 8, "header sizes %u and %u are too small", f->header_size, f->chunk_header_size);
	if (!f->block_size || f->block_size % 4)
		return gh_fail(err, GH_BAD, 12, "block size %u", f->block_size);
	f->size = (uint64_t)f->blocks * f->block_size;
	if (f->size > IMAGE_MAX)
		return gh_fail(err, GH_LIMIT, 16, "an image of %llu bytes", (unsigned long long)f->size);
	return GH_OK;
}

/* The chunk header at `at`; *ret_there false where the file ends. */
static enum gh_code chunk_read(struct reader *r, uint64_t at, struct chunk *ret, bool *ret_there, struct gh_err *err)
{
	const uint8_t *p;
	enum gh_code code = peek(r, at, r->f->chunk_header_size, &p, err);
	*ret_there = p != NULL;
	if (code || !p)
		return code;
	struct gh_cursor c = gh_cursor(p, CHUNK_HEADER, at);
	*ret = (struct chunk){.at = at, .payload_at = at + r->f->chunk_header_size};
	ret->type = gh_u16(&c);
	ret->reserved = gh_u16(&c);
	ret->blocks = gh_u32(&c);
	ret->total = gh_u32(&c);
	ret->bytes = (uint64_t)ret->blocks * r->f->block_size;
	return GH_OK;
}

static uint64_t payload_of(const struct chunk *c)
{
	switch (c->type) {
	case RAW:
		return c->bytes;
	case FILL:
	case CRC32:
		return 4;
	default:
		return 0;
	}
}

/* Decides how far the chunk reaches in the file; false: nothing behind it can be found. */
static bool chunk_measure(struct reader *r, struct chunk *c)
{
	uint64_t want = payload_of(c);
	bool known = c->type >= RAW && c->type <= CRC32;
	bool said = c->total >= r->f->chunk_header_size;
	c->payload = said ? c->total - r->f->chunk_header_size : want;
	if (!known) {
		problem(r->f, GH_BAD, c->at, "unknown chunk type 0x%04x", c->type);
		/* Step over it where it fits; else the place of the next header is not known. */
		return said && gh_within(c->payload_at, c->payload, r->src->size) &&
		       r->blocks + c->blocks <= r->f->blocks;
	}
	if (c->payload != want || !said)
		problem(r->f, GH_BAD, c->at + 8, "a chunk of %u blocks says it has %u bytes, not %llu", c->blocks,
			c->total, (unsigned long long)want + r->f->chunk_header_size);
	return true;
}

static enum gh_code raw(struct reader *r, const struct chunk *c, struct gh_err *err)
{
	struct gh_extent e = {.at = r->blocks * r->f->block_size, .below = r->src, .from = c->payload_at};
	uint64_t there = r->src->size - c->payload_at;
	e.len = gh_min(gh_min(c->bytes, c->payload), there);
	if (gh_min(c->bytes, c->payload) > there) {
		problem(r->f, GH_SHORT, r->src->size, "the file ends inside a raw chunk: %llu of %llu bytes are there",
			(unsigned long long)there, (unsigned long long)c->bytes);
		r->f->cut = true;
		r->f->end = e.at + e.len;
	}
	return extent_add(r, c, e, err);
}

static enum gh_code fill(struct reader *r, const struct chunk *c, struct gh_err *err)
{
	const uint8_t *p;
	enum gh_code code = peek(r, c->payload_at, 4, &p, err);
	if (code)
		return code;
	if (!p || c->payload < 4) {
		problem(r->f, p ? GH_BAD : GH_SHORT, c->payload_at, "a fill chunk without its value");
		return GH_OK;
	}
	struct gh_cursor cur = gh_cursor(p, 4, c->payload_at);
	struct gh_extent e = {.at = r->blocks * r->f->block_size, .len = c->bytes, .fill = gh_u32(&cur)};
	return e.fill ? extent_add(r, c, e, err) : GH_OK;
}

/* One chunk whose reach in the file is known. */
static enum gh_code chunk_take(struct reader *r, const struct chunk *c, struct gh_err *err)
{
	enum gh_code code = GH_OK;
	if (c->type == CRC32) {
		r->f->crc_chunks++;
		return GH_OK;
	}
	if (c->type == RAW)
		code = raw(r, c, err);
	else if (c->type == FILL)
		code = fill(r, c, err);
	if (code)
		return code;
	uint64_t before = r->blocks;
	r->blocks += c->blocks;
	if (c->blocks && c->type != DONT_CARE) {
		r->f->begin = gh_min(r->f->begin, before * r->f->block_size);
		r->f->given = r->blocks * r->f->block_size;
	}
	if (r->blocks > r->f->blocks && before <= r->f->blocks)
		problem(r->f, GH_BAD, c->at, "the chunks go beyond the %u blocks that the header says", r->f->blocks);
	if (!r->f->cut)
		r->f->end = r->blocks * r->f->block_size;
	r->f->size = gh_max(r->f->size, r->blocks * r->f->block_size);
	return GH_OK;
}

/* Reading ends here: the rest of the image is not known. */
static enum gh_code stop(struct reader *r, enum gh_code code, uint64_t at, const char *why, uint32_t i)
{
	problem(r->f, code, at, "%s: chunk %u of %u", why, i, r->f->chunks);
	r->f->cut = true;
	return GH_OK;
}

/* Does another sparse file begin here? The files of a split set may be joined end to end. */
static bool another(struct reader *r, uint64_t at)
{
	uint8_t magic[4];
	if (gh_read(r->src, at, magic, sizeof magic, NULL))
		return false;
	struct gh_cursor c = gh_cursor(magic, sizeof magic, at);
	return gh_u32(&c) == GH_SPARSE_MAGIC;
}

static enum gh_code chunks(struct reader *r, struct gh_budget *budget, struct gh_err *err)
{
	uint64_t at = r->f->header_size;
	for (uint32_t i = 0; i < r->f->chunks && !r->f->cut; i++) {
		struct chunk c;
		bool there;
		enum gh_code code = gh_spend_steps(budget, 1, at, err);
		if (code == GH_OK)
			code = chunk_read(r, at, &c, &there, err);
		if (code)
			return code;
		if (!there)
			return stop(r, GH_SHORT, r->src->size, "the file ends before a chunk header", i);
		if (!chunk_measure(r, &c))
			return stop(r, GH_BAD, at, "what follows cannot be found", i);
		if ((r->blocks + c.blocks) > IMAGE_MAX / r->f->block_size)
			return stop(r, GH_LIMIT, at, "the image grows beyond 16 TiB", i);
		code = chunk_take(r, &c, err);
		if (code == GH_LIMIT)
			return stop(r, GH_LIMIT, at, "more extents than are kept", i);
		if (code)
			return code;
		at = c.payload_at + c.payload;
	}
	if (!r->f->cut && at > r->src->size)
		problem(r->f, GH_SHORT, r->src->size, "the file ends inside its last chunk");
	else if (!r->f->cut && at < r->src->size && !another(r, at))
		problem(r->f, GH_UNSUP, at, "%llu bytes behind the last chunk are not read",
			(unsigned long long)(r->src->size - at));
	r->f->used = gh_min(at, r->src->size);
	return GH_OK;
}

enum gh_code gh_sparse_extents(struct gh_arena *arena, struct gh_budget *budget, struct gh_source *src,
	struct gh_sparse_list *list, struct gh_sparse_file *ret, struct gh_err *err)
{
	struct reader r = {.arena = arena, .src = src, .list = list, .f = ret, .window_next = WINDOW_MIN};
	*ret = (struct gh_sparse_file){.begin = UINT64_MAX};
	r.window = gh_alloc_raw(arena, WINDOW_MAX);
	if (!r.window)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a window");
	enum gh_code code = header(&r, err);
	if (code)
		return code;
	if (ret->chunk_header_size > WINDOW_MIN)
		return gh_fail(err, GH_LIMIT, 10, "chunk headers of %u bytes", ret->chunk_header_size);
	uint64_t expect = gh_min(ret->chunks, src->size / ret->chunk_header_size);
	code = list_reserve(arena, list, gh_min(expect, EXTENTS_MAX), 0, err);
	if (code == GH_OK)
		code = chunks(&r, budget, err);
	ret->begin = gh_min(ret->begin, ret->size);
	if (code == GH_OK && !ret->cut && ret->end < (uint64_t)ret->blocks * ret->block_size)
		problem(ret, GH_SHORT, 16, "partial: the chunks end at block %llu of %u, the rest reads as zeros",
			(unsigned long long)(ret->end / ret->block_size), ret->blocks);
	return code;
}
