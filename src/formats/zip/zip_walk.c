/* SPDX-License-Identifier: Apache-2.0 */
/* ZIP: reading without the central directory, from one local header to the next, over bytes that nothing claims. */
#include "formats/zip/zip.h"

/* Where the unclaimed room that holds z->pos ends; z->pos moves out of spans. */
static uint64_t room_end(struct zip *z)
{
	while (z->turn < z->n_spans && z->flat) {
		const struct zip_span *s = &z->flat[z->turn];
		if (s->start > z->pos)
			return s->start;
		if (s->end > z->pos)
			z->pos = s->end;
		z->turn++;
	}
	return z->src->size;
}

/* The first "PK" + two small bytes in [from, to): a local header, a descriptor, or a central record. GH_END if there is none.
 * Each byte is looked at once per member that lies before it, as the search goes on from what it found. */
static enum gh_code find_mark(struct gh_ctx *ctx, struct zip *z, uint64_t from, uint64_t to, uint64_t *ret_at,
	uint32_t *ret_sig, struct gh_err *err)
{
	enum { STEP = 16 << 10 };
	for (uint64_t at = from; at < to && to - at >= 4;) {
		const uint8_t *p;
		size_t n = (size_t)gh_min(STEP, to - at);
		enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
		if (code == GH_OK)
			code = gh_window_get(&z->local, ctx->arena, at, n, &p, err);
		if (code)
			return code;
		for (size_t i = 0; i + 4 <= n; i++) {
			const uint8_t *hit = memchr(p + i, 'P', n - 3 - i);
			if (!hit)
				break;
			i = (size_t)(hit - p);
			struct gh_cursor c = gh_cursor(hit, 4, at + i);
			uint32_t sig = gh_u32(&c);
			if (sig != ZIP_SIG_LOCAL && sig != ZIP_SIG_DESCRIPTOR && sig != ZIP_SIG_CENTRAL)
				continue;
			*ret_at = at + i;
			*ret_sig = sig;
			return GH_OK;
		}
		at += n - 3;
	}
	return GH_END;
}

/* A descriptor without signature, right before `end`, that states just the distance to itself. GH_END if there is none. */
static enum gh_code bare_descriptor(
	struct gh_ctx *ctx, struct zip *z, struct zip_entry *e, uint64_t end, struct gh_err *err)
{
	const uint8_t *p;
	if (e->csize < 12)
		return GH_END;
	enum gh_code code = gh_window_get(&z->local, ctx->arena, end - 12, 12, &p, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, 12, end - 12);
	uint32_t crc = gh_u32(&c), csize = gh_u32(&c), size = gh_u32(&c);
	if (csize != e->csize - 12)
		return GH_END;
	e->crc = crc;
	e->csize = csize;
	e->size = size;
	return GH_OK;
}

/* The size of a member whose header leaves it open: up to the descriptor that states just this distance, else up to the next
 * header. */
static enum gh_code find_size(
	struct gh_ctx *ctx, struct zip *z, struct zip_entry *e, uint64_t data, uint64_t to, struct gh_err *err)
{
	uint64_t at = data, end = to;
	uint32_t sig = 0;
	enum gh_code code;
	while ((code = find_mark(ctx, z, at, to, &at, &sig, err)) == GH_OK && sig == ZIP_SIG_DESCRIPTOR) {
		struct zip_entry want = {.csize = at - data};
		struct zip_local d = {0};
		code = zip_descriptor_read(ctx, z, at, &want, &d, &end, err);
		if (code == GH_OK && d.csize == want.csize) {
			e->csize = d.csize;
			e->size = d.size;
			e->crc = d.crc;
			z->pos = end;
			return GH_OK;
		}
		if (code && code != GH_END)
			return code;
		at += 4;
	}
	if (code && code != GH_END)
		return code;
	end = code == GH_OK ? at : to;
	e->csize = end - data;
	z->pos = end;
	code = bare_descriptor(ctx, z, e, end, err);
	if (code != GH_END)
		return code;
	zip_note(ctx, z, GH_BAD, data, "the size of a member is not stated and was guessed");
	e->size = e->csize;
	e->guessed = true;
	return GH_OK;
}

static enum gh_code take(struct gh_ctx *ctx, struct zip *z, uint64_t at, uint64_t to, struct zip_entry *e,
	struct zip_local *l, struct gh_err *err)
{
	enum gh_code code = zip_local_read(ctx, z, at, l, err);
	if (code)
		return code;
	code = zip_name_buffer(ctx, z, err);
	if (code)
		return code;
	if (l->name.n)
		memcpy(z->name, l->name.p, l->name.n);
	l->name.p = z->name;
	*e = (struct zip_entry){.at = at,
		.name = l->name,
		.local = at,
		.csize = l->csize,
		.size = l->size,
		.crc = l->crc,
		.method = l->method,
		.flags = l->flags};
	if (l->data > to)
		return gh_fail(err, GH_SHORT, at, "a local header is cut off");
	if (l->flags & ZIP_FLAG_DESCRIPTOR && !l->csize)
		return find_size(ctx, z, e, l->data, to, err);
	z->pos = l->csize <= to - l->data ? l->data + l->csize : to;
	return GH_OK;
}

enum gh_code zip_walk(
	struct gh_ctx *ctx, struct zip *z, struct zip_entry *ret, struct zip_local *ret_local, struct gh_err *err)
{
	for (;;) {
		uint64_t to = room_end(z), at = 0;
		uint32_t sig = 0;
		if (z->pos >= z->src->size)
			return GH_END;
		enum gh_code code = find_mark(ctx, z, z->pos, to, &at, &sig, err);
		if (code == GH_END && to < z->src->size) {
			z->pos = to;
			continue;
		}
		if (code)
			return code;
		z->pos = at + 4;
		if (sig != ZIP_SIG_LOCAL)
			continue;
		code = take(ctx, z, at, to, ret, ret_local, err);
		if (code != GH_BAD && code != GH_SHORT)
			return code;
		zip_note(ctx, z, err->code, err->at, "%s", err->what);
	}
}
