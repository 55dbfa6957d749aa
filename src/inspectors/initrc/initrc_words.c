/* SPDX-License-Identifier: Apache-2.0 */
/* init scripts: words and lines (AOSP system/core/init/tokenizer.cpp). Quotes keep blanks, a backslash before the end of a line
 * goes on with the next. */
#include "inspectors/initrc/initrc.h"

enum gh_code initrc_begin(struct gh_ctx *ctx, const struct gh_blob *blob, struct initrc *r, struct gh_err *err)
{
	*r = (struct initrc){.ctx = ctx, .line_no = 1};
	enum gh_code code = gh_text_begin(ctx, blob, &r->place, err);
	if (code)
		return code;
	r->text = r->place.lines.rest;
	r->base = gh_text_base(&r->place);
	r->out = gh_alloc_raw(ctx->arena, r->text.n + 1);
	return r->out ? GH_OK : gh_fail(err, GH_NOMEM, 0, "no memory for %zu bytes of text", r->text.n);
}

static int peek(const struct initrc *r, size_t ahead)
{
	return r->i + ahead < r->text.n ? (unsigned char)r->text.p[r->i + ahead] : -1;
}

static void put(struct initrc *r, int c)
{
	r->out[r->out_len++] = (char)c;
}

/* Up to the closing quote; without one to the end of the line: init gives up on the file there, we read on. */
static void quoted(struct initrc *r)
{
	uint64_t at = r->base + r->i;
	const char *rest = r->text.p + ++r->i;
	const char *end = memchr(rest, '"', r->text.n - r->i);
	if (!end) {
		gh_note(r->ctx, GH_BAD, at, "line %lld: a quote that is not closed: init reads nothing behind it",
			(long long)r->line_no);
		end = memchr(rest, '\n', r->text.n - r->i);
	}
	size_t n = end ? (size_t)(end - rest) : r->text.n - r->i;
	for (size_t k = 0; k < n; k++) {
		r->line_no += rest[k] == '\n';
		put(r, rest[k]);
	}
	r->i += n;
	if (peek(r, 0) == '"')
		r->i++;
}

/* Behind a backslash: a letter that stands for a character, the end of the line, or the character itself. */
static void escaped(struct initrc *r)
{
	r->i++;
	int c = peek(r, 0);
	if (c < 0)
		return;
	if (c == '\r') {
		r->i++;
		if (peek(r, 0) != '\n')
			return;
	}
	if (peek(r, 0) == '\n') {
		r->i++;
		r->line_no++;
		while (peek(r, 0) == ' ' || peek(r, 0) == '\t')
			r->i++;
		return;
	}
	r->i++;
	put(r, c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c);
}

static struct gh_str word(struct initrc *r)
{
	size_t begin = r->out_len;
	for (int c; (c = peek(r, 0)) >= 0 && c != ' ' && c != '\t' && c != '\r' && c != '\n';) {
		if (c == '"') {
			quoted(r);
		} else if (c == '\\') {
			escaped(r);
		} else {
			put(r, c);
			r->i++;
		}
	}
	return gh_strn(r->out + begin, r->out_len - begin);
}

static void comment(struct initrc *r)
{
	const char *nl = memchr(r->text.p + r->i, '\n', r->text.n - r->i);
	r->i = nl ? (size_t)(nl - r->text.p) : r->text.n;
}

static void add_word(struct initrc *r)
{
	if (r->n == 0) {
		r->place.at = r->base + r->i;
		r->place.line = r->line_no;
	}
	struct gh_str w = word(r);
	if (r->n == INITRC_WORDS)
		gh_note(r->ctx, GH_LIMIT, r->place.at, "line %lld has more than %d words", (long long)r->place.line,
			INITRC_WORDS);
	if (r->n < INITRC_WORDS)
		r->w[r->n] = w;
	r->n++;
}

enum gh_code initrc_next(struct initrc *r, struct gh_err *err)
{
	r->n = 0;
	r->out_len = 0;
	for (;;) {
		enum gh_code code = gh_spend_steps(r->ctx->budget, 1, r->base + r->i, err);
		if (code)
			return code;
		int c = peek(r, 0);
		if (c < 0 || c == '\n') {
			r->i += c == '\n';
			r->line_no += c == '\n';
			if (r->n || c < 0)
				break;
		} else if (c == ' ' || c == '\t' || c == '\r') {
			r->i++;
		} else if (c == '#') {
			comment(r);
		} else {
			add_word(r);
		}
	}
	if (!r->n)
		return GH_END;
	if (r->n > INITRC_WORDS)
		r->n = INITRC_WORDS;
	return GH_OK;
}

struct gh_str initrc_join(struct initrc *r, size_t from)
{
	size_t n = 0;
	for (size_t i = from; i < r->n; i++)
		n += r->w[i].n + 1;
	char *p = n ? gh_alloc_raw(r->ctx->arena, n) : NULL;
	if (!p)
		return n ? GH_NONE : GH_STR("");
	size_t o = 0;
	for (size_t i = from; i < r->n; i++) {
		memcpy(p + o, r->w[i].p, r->w[i].n);
		o += r->w[i].n;
		p[o++] = ' ';
	}
	return gh_text_cell(&r->place, gh_strn(p, o - 1));
}
