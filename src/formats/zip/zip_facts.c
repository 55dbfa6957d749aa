/* SPDX-License-Identifier: Apache-2.0 */
/* ZIP: where the central directory and the local headers disagree, and what the archive's bytes say beyond its members. */
#include <stdarg.h>
#include <stdio.h>

#include "base/sort.h"
#include "formats/zip/zip.h"

enum {
	NOTES_MAX = 64, /* a person reads no more of one archive; the rest are counted */
	SPANS_MAX =
		1 << 20, /* 32 MiB: the largest real archives (whole-phone zips of assets) hold some 100,000 members */
};

void zip_note(struct gh_ctx *ctx, struct zip *z, enum gh_code code, uint64_t at, const char *fmt, ...)
{
	char what[160];
	va_list ap;
	if (z->notes++ >= NOTES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	gh_note(ctx, code, at, "%s", what);
}

/* ---- one member ---- */

static void row_text(
	struct gh_ctx *ctx, const struct zip_entry *e, const char *kind, struct gh_str central, struct gh_str local)
{
	GH_EMIT(ctx, zip_facts, e->at, .name = e->name, .kind = gh_str(kind), .central = central, .local = local);
}

void zip_row(struct gh_ctx *ctx, const struct zip_entry *e, const char *kind, int hex, uint64_t central, uint64_t local)
{
	char a[24], b[24];
	if (hex) {
		snprintf(a, sizeof a, "%0*" PRIx64, hex, central);
		snprintf(b, sizeof b, "%0*" PRIx64, hex, local);
	} else {
		snprintf(a, sizeof a, "%" PRIu64, central);
		snprintf(b, sizeof b, "%" PRIu64, local);
	}
	row_text(ctx, e, kind, gh_str(a), gh_str(b));
}

/* Does the name lead out of the folder it is unpacked in: "..", a root, a drive, a zero that cuts it? */
static bool leads_out(struct gh_str name)
{
	if (name.n && (name.p[0] == '/' || name.p[0] == '\\'))
		return true;
	if (name.n > 1 && name.p[1] == ':' && ((name.p[0] | 32) >= 'a' && (name.p[0] | 32) <= 'z'))
		return true;
	if (name.n && memchr(name.p, 0, name.n))
		return true;
	for (size_t i = 0, from = 0; i <= name.n; i++) {
		if (i < name.n && name.p[i] != '/' && name.p[i] != '\\')
			continue;
		if (i - from == 2 && name.p[from] == '.' && name.p[from + 1] == '.')
			return true;
		from = i + 1;
	}
	return false;
}

/* Values that a local header leaves to the data descriptor are zero there; where they are not, they are compared too. */
static void compare_sizes(struct gh_ctx *ctx, const struct zip_entry *e, const struct zip_local *l, bool open)
{
	if (l->crc != e->crc && !(open && !l->crc))
		zip_row(ctx, e, "crc", 8, e->crc, l->crc);
	if (l->csize != e->csize && !(open && !l->csize))
		zip_row(ctx, e, "csize", 0, e->csize, l->csize);
	if (l->size != e->size && !(open && !l->size))
		zip_row(ctx, e, "size", 0, e->size, l->size);
}

void zip_compare_descriptor(struct gh_ctx *ctx, const struct zip_entry *e, const struct zip_local *d)
{
	compare_sizes(ctx, e, d, false);
}

void zip_compare(struct gh_ctx *ctx, struct zip *z, const struct zip_entry *e, const struct zip_local *l)
{
	if (leads_out(e->name))
		row_text(ctx, e, "traversal", e->name, GH_NONE);
	if (e->local < z->last && !z->unordered++)
		z->unordered_at = e->at;
	z->last = gh_max(z->last, e->local);
	if (!l)
		return;
	bool masked = l->flags & ZIP_FLAG_MASKED;
	if (!masked && !gh_str_eq(l->name, e->name))
		row_text(ctx, e, "name", e->name, l->name);
	if (l->method != e->method)
		zip_row(ctx, e, "method", 0, e->method, l->method);
	if (l->flags != e->flags)
		zip_row(ctx, e, "flags", 4, e->flags, l->flags);
	if (!masked)
		compare_sizes(ctx, e, l, l->flags & ZIP_FLAG_DESCRIPTOR);
}

/* ---- spans ---- */

enum gh_code zip_span_add(struct gh_ctx *ctx, struct zip *z, struct zip_span span, struct gh_err *err)
{
	if (z->n_spans == SPANS_MAX) {
		if (!z->over)
			gh_note(ctx, GH_LIMIT, span.start,
				"more than %d members: gaps, overlaps and duplicates are not looked for", SPANS_MAX);
		z->over = true;
		return GH_OK;
	}
	if (!z->spans || z->spans->n == ZIP_SPANS) {
		struct zip_spans *block = gh_alloc_raw(ctx->arena, sizeof *block);
		if (!block)
			return gh_fail(err, GH_NOMEM, span.start, "no memory for the list of members");
		block->n = 0;
		block->below = z->spans;
		z->spans = block;
	}
	z->spans->span[z->spans->n++] = span;
	z->n_spans++;
	return GH_OK;
}

static bool by_start(const void *p, const void *q)
{
	const struct zip_span *a = p, *b = q;
	return a->start != b->start ? a->start < b->start : a->end != b->end ? a->end < b->end : a->at < b->at;
}

static bool by_name(const void *p, const void *q)
{
	const struct zip_span *a = p, *b = q;
	return a->hash != b->hash ? a->hash < b->hash : a->at < b->at;
}

static enum gh_code flatten(struct gh_ctx *ctx, struct zip *z, struct gh_err *err)
{
	struct zip_span *flat = gh_alloc_raw(ctx->arena, z->n_spans * sizeof *flat);
	if (!flat)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the list of members");
	size_t n = z->n_spans;
	for (struct zip_spans *b = z->spans; b; b = b->below) {
		n -= b->n;
		memcpy(flat + n, b->span, b->n * sizeof *flat);
	}
	z->flat = flat;
	return GH_OK;
}

/* ---- the archive ---- */

enum gh_code zip_name_buffer(struct gh_ctx *ctx, struct zip *z, struct gh_err *err)
{
	if (!z->name && !(z->name = gh_alloc_raw(ctx->arena, UINT16_MAX)))
		return gh_fail(err, GH_NOMEM, z->pos, "no memory for a name");
	return GH_OK;
}

/* The name in a record, valid until the next record is read; NONE for what is no member. */
static struct gh_str name_at(struct gh_ctx *ctx, struct zip *z, uint64_t at)
{
	struct zip_entry e;
	if (at == UINT64_MAX || zip_central_read(ctx, z, &z->spot, at, &e, NULL))
		return GH_NONE;
	return e.name;
}

static void row_numbers(struct gh_ctx *ctx, uint64_t at, struct gh_str name, const char *kind, uint64_t a, uint64_t b)
{
	char left[24], right[24];
	snprintf(left, sizeof left, "%" PRIu64, a);
	snprintf(right, sizeof right, "%" PRIu64, b);
	GH_EMIT(ctx, zip_facts, at, .name = name, .kind = gh_str(kind), .central = gh_str(left),
		.local = gh_str(right));
}

/* Bytes that no member and no record claims. One that begins with a local header has its name. */
static void row_gap(struct gh_ctx *ctx, struct zip *z, uint64_t from, uint64_t to)
{
	struct zip_local l;
	struct gh_str name = zip_local_read(ctx, z, from, &l, NULL) ? GH_NONE : l.name;
	row_numbers(ctx, from, name, "gap", from, to - from);
}

static enum gh_code row_places(struct gh_ctx *ctx, struct zip *z, struct gh_err *err)
{
	uint64_t end = 0;
	gh_sort(z->flat, z->n_spans, sizeof *z->flat, by_start);
	for (size_t i = 0; i < z->n_spans; i++) {
		struct zip_span s = z->flat[i];
		enum gh_code code = gh_spend_steps(ctx->budget, 1, s.start, err);
		if (code)
			return code;
		if (s.start > end)
			row_gap(ctx, z, end, s.start);
		else if (s.start < end && s.end > s.start)
			row_numbers(ctx, s.start, name_at(ctx, z, s.at), "overlap", s.start, end);
		end = gh_max(end, s.end);
	}
	if (end < z->src->size)
		row_gap(ctx, z, end, z->src->size);
	return GH_OK;
}

/* Reading another name would move this one away. */
static struct gh_str keep(struct zip *z, struct gh_str name)
{
	if (name.n)
		memcpy(z->name, name.p, name.n);
	return name.p ? gh_strn(z->name, name.n) : GH_NONE;
}

/* Names that occur twice: `central` is where this one's local header lies, `local` that of the first. */
static enum gh_code row_duplicates(struct gh_ctx *ctx, struct zip *z, struct gh_err *err)
{
	enum gh_code got = zip_name_buffer(ctx, z, err);
	if (got)
		return got;
	gh_sort(z->flat, z->n_spans, sizeof *z->flat, by_name);
	struct gh_str first = GH_NONE;
	for (size_t i = 1, from = 0; i < z->n_spans; i++) {
		const struct zip_span *s = &z->flat[i], *f = &z->flat[from];
		if (s->hash != f->hash || s->at == UINT64_MAX || f->at == UINT64_MAX) {
			from = i;
			continue;
		}
		enum gh_code code = gh_spend_steps(ctx->budget, 1, s->at, err);
		if (code)
			return code;
		if (from == i - 1)
			first = keep(z, name_at(ctx, z, f->at));
		struct gh_str name = name_at(ctx, z, s->at);
		if (first.p && name.p && gh_str_eq(first, name))
			row_numbers(ctx, s->at, name, "duplicate", s->start, f->start);
		else /* never by chance */
			zip_note(ctx, z, GH_BAD, s->at, "names made to hide that they are duplicates");
	}
	return GH_OK;
}

static enum gh_code add_records(struct gh_ctx *ctx, struct zip *z, struct gh_err *err)
{
	const struct zip_end *e = &z->end;
	struct zip_span spans[4] = {
		{.start = e->central, .end = e->central + e->central_size, .at = UINT64_MAX},
		{.start = e->at, .end = e->at + ZIP_END + e->comment_len, .at = UINT64_MAX},
		{.start = e->at64, .end = e->at64 + e->size64, .at = UINT64_MAX},
		{.start = e->at - ZIP_LOCATOR, .end = e->at, .at = UINT64_MAX},
	};
	enum gh_code code = GH_OK;
	for (size_t i = 0; code == GH_OK && i < (e->zip64 ? 4 : 2); i++)
		if (spans[i].end > spans[i].start)
			code = zip_span_add(ctx, z, spans[i], err);
	return code;
}

enum gh_code zip_close_facts(struct gh_ctx *ctx, struct zip *z, struct gh_err *err)
{
	enum gh_code code = add_records(ctx, z, err);
	if (code == GH_OK)
		code = flatten(ctx, z, err);
	if (code == GH_OK && z->unordered)
		row_numbers(ctx, z->unordered_at, name_at(ctx, z, z->unordered_at), "order", z->unordered, z->n);
	if (code == GH_OK && !z->over)
		code = row_duplicates(ctx, z, err);
	if (code == GH_OK && !z->over)
		code = row_places(ctx, z, err);
	if (code == GH_OK && z->notes > NOTES_MAX)
		gh_note(ctx, GH_BAD, z->unordered_at, "%" PRIu64 " further notes about members are left out",
			z->notes - NOTES_MAX);
	z->notes = 0;
	return code;
}
