/* SPDX-License-Identifier: Apache-2.0 */
/* Transfer lists of block updates, versions 1 to 4, after bootable/recovery/updater/blockimg.cpp of AOSP. */
#include <stdarg.h>
#include <stdio.h>

#include "base/lines.h"
#include "base/num.h"
#include "base/sort.h"
#include "formats/newdat/newdat.h"

const char *const newdat_words[NEWDAT_WORDS] = {
	"new", "zero", "erase", "move", "bsdiff", "imgdiff", "stash", "free", "compute_hash_tree"};

struct reader {
	struct gh_ctx *ctx;
	struct newdat_list *l;
	struct gh_lines lines;
	struct gh_err *err;
};

static void GH_PRINTF(3, 4) complain(struct reader *r, enum gh_code code, const char *fmt, ...)
{
	char what[120];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	if (r->l->bad++ < NEWDAT_NOTES)
		gh_note(r->ctx, code, r->lines.at, "line %lld: %s", (long long)r->lines.number, what);
}

static bool word(struct gh_str *rest, struct gh_str *ret)
{
	while (rest->n && *rest->p == ' ')
		*rest = gh_strn(rest->p + 1, rest->n - 1);
	size_t n = 0;
	while (n < rest->n && rest->p[n] != ' ')
		n++;
	*ret = gh_strn(rest->p, n);
	*rest = gh_strn(rest->p + n, rest->n - n);
	return n != 0;
}

static bool number(struct gh_str s, uint64_t *ret)
{
	return s.n && *s.p >= '0' && *s.p <= '9' && gh_str_u64(s, 10, ret);
}

/* The next of the numbers that commas separate. */
static bool next_number(struct gh_str *rest, uint64_t *ret)
{
	const char *comma = rest->n ? memchr(rest->p, ',', rest->n) : NULL;
	size_t n = comma ? (size_t)(comma - rest->p) : rest->n;
	struct gh_str s = gh_strn(rest->p, n);
	*rest = gh_strn(rest->p + n + (comma != NULL), rest->n - n - (comma != NULL));
	return number(s, ret);
}

static enum gh_code range_add(struct reader *r, struct newdat_range g)
{
	struct newdat_list *l = r->l;
	if (l->n == l->cap) {
		size_t cap = l->cap ? gh_min(l->cap * 2, NEWDAT_RANGES_MAX) : 256;
		if (l->n >= NEWDAT_RANGES_MAX)
			return gh_fail(r->err, GH_LIMIT, r->lines.at, "more than %d ranges", NEWDAT_RANGES_MAX);
		struct newdat_range *more = gh_alloc_array(r->ctx->arena, cap, sizeof *more);
		if (!more)
			return gh_fail(r->err, GH_NOMEM, r->lines.at, "no memory for %zu ranges", cap);
		if (l->n)
			memcpy(more, l->range, l->n * sizeof *more);
		l->range = more;
		l->cap = cap;
	}
	g.seq = (uint32_t)l->n;
	l->range[l->n++] = g;
	return GH_OK;
}

/* "4,0,10,20,30": so many numbers, then pairs of first block and the one behind the last. */
static enum gh_code ranges(struct reader *r, struct gh_str s, uint32_t what)
{
	struct newdat_list *l = r->l;
	uint64_t n, from, to;
	if (!next_number(&s, &n) || !n || n % 2) {
		complain(r, GH_BAD, "a range set that is none");
		l->lost = true;
		return GH_OK;
	}
	for (uint64_t i = 0; i < n; i += 2) {
		enum gh_code code = gh_spend_steps(r->ctx->budget, 1, r->lines.at, r->err);
		if (code)
			return code;
		if (!next_number(&s, &from) || !next_number(&s, &to) || from >= to || to > UINT32_MAX) {
			complain(r, GH_BAD, "a range set ends early, or a range is none");
			l->lost = true;
			return GH_OK;
		}
		struct newdat_range g = {.from = (uint32_t)from, .to = (uint32_t)to, .word = what, .data = l->data};
		code = range_add(r, g);
		if (code)
			return code;
		l->blocks[what] += to - from;
		l->end = (uint32_t)gh_max(l->end, to);
		if (what == NEWDAT_NEW)
			l->data += (to - from) * NEWDAT_BLOCK;
		if (what != NEWDAT_ERASE)
			l->written += to - from;
	}
	if (s.n)
		complain(r, GH_BAD, "a range set goes on behind its end");
	return GH_OK;
}

/* Which word of the line is the range set that a command writes: versions 1 to 4 differ. -1: it writes nothing. */
static int target_word(uint32_t what, uint64_t version)
{
	switch (what) {
	case NEWDAT_NEW:
	case NEWDAT_ZERO:
	case NEWDAT_ERASE:
	case NEWDAT_HASH_TREE:
		return 0;
	case NEWDAT_MOVE: /* v1: source target; v2: target …; v3: hash target … */
		return version == 2 ? 0 : 1;
	case NEWDAT_BSDIFF:
	case NEWDAT_IMGDIFF: /* start length, then v1: source target; v2: target …; v3: hash hash target … */
		return version == 1 ? 3 : version == 2 ? 2 : 4;
	default:
		return -1;
	}
}

static enum gh_code command(struct reader *r)
{
	struct gh_str rest = r->lines.line, s;
	uint32_t what = 0;
	if (!word(&rest, &s))
		return GH_OK;
	while (what < NEWDAT_WORDS && !gh_str_is(s, newdat_words[what]))
		what++;
	if (what == NEWDAT_WORDS) {
		complain(r, GH_UNSUP, "a command that is not known");
		r->l->lost = true;
		return GH_OK;
	}
	r->l->commands[what]++;
	int target = target_word(what, r->l->version);
	for (int i = 0; i <= target; i++)
		if (!word(&rest, &s)) {
			complain(r, GH_BAD, "%s without its ranges", newdat_words[what]);
			r->l->lost = true;
			return GH_OK;
		}
	return target < 0 ? GH_OK : ranges(r, s, what);
}

static bool head_number(struct reader *r, uint64_t *ret)
{
	return gh_lines_next(&r->lines) && number(gh_str_trim(r->lines.line), ret);
}

static enum gh_code header(struct reader *r)
{
	struct newdat_list *l = r->l;
	if (!head_number(r, &l->version))
		return gh_fail(r->err, GH_BAD, 0, "the transfer list does not begin with its version");
	if (!l->version || l->version > 4)
		return gh_fail(r->err, GH_UNSUP, 0, "transfer list version %llu", (unsigned long long)l->version);
	if (!head_number(r, &l->total))
		return gh_fail(
			r->err, GH_BAD, r->lines.at, "the transfer list does not tell how many blocks it writes");
	if (l->version >= 2 && (!head_number(r, &l->stash_entries) || !head_number(r, &l->stash_blocks)))
		return gh_fail(r->err, GH_BAD, r->lines.at, "the transfer list does not tell how much it stashes");
	return GH_OK;
}

enum gh_code newdat_read(struct gh_ctx *ctx, struct gh_source *src, struct newdat_list *ret, struct gh_err *err)
{
	const uint8_t *p;
	struct reader r = {.ctx = ctx, .l = ret, .err = err};
	*ret = (struct newdat_list){0};
	if (src->size > NEWDAT_LIST_MAX)
		return gh_fail(
			err, GH_LIMIT, NEWDAT_LIST_MAX, "a transfer list of %llu bytes", (unsigned long long)src->size);
	enum gh_code code = gh_view(src, ctx->arena, 0, (size_t)src->size, &p, err);
	if (code)
		return code;
	r.lines = gh_lines(p, (size_t)src->size);
	code = header(&r);
	while (code == GH_OK && gh_lines_next(&r.lines)) {
		code = gh_spend_steps(ctx->budget, 1, r.lines.at, err);
		if (code == GH_OK)
			code = command(&r);
	}
	if (ret->bad > NEWDAT_NOTES)
		gh_note(ctx, GH_BAD, 0, "%llu more lines like these", (unsigned long long)(ret->bad - NEWDAT_NOTES));
	return code;
}

/* ---- one after the other ---- */

static bool by_start(const void *a, const void *b)
{
	const struct newdat_range *x = a, *y = b;
	return x->from != y->from ? x->from < y->from : x->seq < y->seq;
}

/* A heap of the ranges that cover the block at hand: the latest on top. */
struct heap {
	const struct newdat_range **at;
	size_t n;
};

static void swap(struct heap *h, size_t a, size_t b)
{
	const struct newdat_range *t = h->at[a];
	h->at[a] = h->at[b];
	h->at[b] = t;
}

static void heap_push(struct heap *h, const struct newdat_range *g)
{
	size_t i = h->n++;
	h->at[i] = g;
	for (; i && h->at[(i - 1) / 2]->seq < h->at[i]->seq; i = (i - 1) / 2)
		swap(h, i, (i - 1) / 2);
}

static void heap_pop(struct heap *h)
{
	h->at[0] = h->at[--h->n];
	for (size_t i = 0;;) {
		size_t k = i * 2 + 1;
		if (k + 1 < h->n && h->at[k + 1]->seq > h->at[k]->seq)
			k++;
		if (k >= h->n || h->at[k]->seq < h->at[i]->seq)
			return;
		swap(h, i, k);
		i = k;
	}
}

static bool overlap(const struct newdat_list *l)
{
	for (size_t i = 1; i < l->n; i++)
		if (l->range[i].from < l->range[i - 1].to)
			return true;
	return false;
}

static struct newdat_range piece(const struct newdat_range *g, uint32_t from, uint32_t to)
{
	struct newdat_range p = *g;
	p.data += (uint64_t)(from - g->from) * NEWDAT_BLOCK;
	p.from = from;
	p.to = to;
	return p;
}

enum gh_code newdat_flatten(struct gh_ctx *ctx, struct newdat_list *l, struct gh_err *err)
{
	gh_sort(l->range, l->n, sizeof *l->range, by_start);
	if (!overlap(l))
		return GH_OK;
	/* Each range begins one piece at most, and ends one. */
	struct newdat_range *out = gh_alloc_array(ctx->arena, l->n * 2, sizeof *out);
	struct heap h = {gh_alloc_array(ctx->arena, l->n, sizeof *h.at), 0};
	size_t n = 0, i = 0;
	if (!out || !h.at)
		return gh_fail(err, GH_NOMEM, 0, "no memory for %zu ranges", l->n * 2);
	for (uint32_t at = 0; i < l->n || h.n;) {
		enum gh_code code = gh_spend_steps(ctx->budget, 1, 0, err);
		if (code)
			return code;
		if (!h.n)
			at = (uint32_t)gh_max(at, l->range[i].from);
		for (; i < l->n && l->range[i].from <= at; i++)
			heap_push(&h, &l->range[i]);
		if (h.at[0]->to <= at) {
			heap_pop(&h);
			continue;
		}
		uint32_t to = i < l->n ? (uint32_t)gh_min(h.at[0]->to, l->range[i].from) : h.at[0]->to;
		bool on = n && out[n - 1].seq == h.at[0]->seq && out[n - 1].to == at;
		if (on)
			out[n - 1].to = to;
		else
			out[n++] = piece(h.at[0], at, to);
		at = to;
	}
	l->range = out;
	l->n = n;
	return GH_OK;
}
