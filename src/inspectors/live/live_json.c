/* SPDX-License-Identifier: Apache-2.0 */
/* JSON (RFC 8259), read in one pass without recursion. */
#include "inspectors/live/live_json.h"

struct reader {
	struct gh_ctx *ctx;
	struct gh_str all;
	size_t i;
	uint64_t base;
	char open[JSON_DEPTH + 1]; /* '[' or '{' */
	int depth;
	struct gh_str key;
	void (*event)(void *to, const struct json_event *e);
	void *to;
	struct gh_err *err;
};

static enum gh_code bad(struct reader *r, const char *what)
{
	return gh_fail(r->err, GH_BAD, r->base + r->i, "no JSON: %s", what);
}

static char peek(struct reader *r)
{
	while (r->i < r->all.n && r->all.p[r->i] && strchr(" \t\r\n", r->all.p[r->i]))
		r->i++;
	return r->i < r->all.n ? r->all.p[r->i] : 0;
}

static bool hex4(struct reader *r, size_t at, uint32_t *ret)
{
	uint64_t v;
	if (at + 4 > r->all.n || !gh_str_u64(gh_strn(r->all.p + at, 4), 16, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

static size_t utf8(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}

/* An escape at r->i, behind its backslash. Returns the bytes written, 0: none such. At most as many as it has itself. */
static size_t escape(struct reader *r, char *out)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	uint32_t c, low;
	char e = r->i < r->all.n ? r->all.p[r->i++] : 0;
	const char *known = e ? strchr(from, e) : NULL;
	if (known) {
		*out = into[known - from];
		return 1;
	}
	if (e != 'u' || !hex4(r, r->i, &c))
		return 0;
	r->i += 4;
	if (c >= 0xd800 && c < 0xdc00 && r->i + 6 <= r->all.n && r->all.p[r->i] == '\\' && r->all.p[r->i + 1] == 'u' &&
		hex4(r, r->i + 2, &low) && low >= 0xdc00 && low < 0xe000) {
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		r->i += 6;
	}
	return utf8(c, out);
}

/* A string at r->i, which is its quote. */
static enum gh_code string(struct reader *r, struct gh_str *ret)
{
	size_t begin = ++r->i, n = 0;
	while (r->i < r->all.n && r->all.p[r->i] != '"' && r->all.p[r->i] != '\\')
		r->i++;
	*ret = gh_strn(r->all.p + begin, r->i - begin);
	if (r->i < r->all.n && r->all.p[r->i] == '"') {
		r->i++;
		return GH_OK;
	}
	size_t end = r->i;
	while (end < r->all.n && r->all.p[end] != '"')
		end += r->all.p[end] == '\\' ? 2 : 1;
	if (end >= r->all.n)
		return bad(r, "a string without an end");
	char *out = gh_alloc_raw(r->ctx->arena, end - begin);
	if (!out)
		return gh_fail(r->err, GH_NOMEM, r->base + begin, "no memory for a string");
	memcpy(out, ret->p, n = ret->n);
	while (r->i < end) {
		if (r->all.p[r->i] != '\\') {
			out[n++] = r->all.p[r->i++];
			continue;
		}
		r->i++;
		size_t more = escape(r, out + n);
		if (!more)
			return bad(r, "an escape that there is none of");
		n += more;
	}
	*ret = gh_strn(out, n);
	r->i = end + 1;
	return GH_OK;
}

static void tell(struct reader *r, enum json_type type, uint64_t at, struct gh_str value)
{
	struct json_event e = {.type = type, .depth = r->depth, .key = r->key, .value = value, .at = r->base + at};
	r->event(r->to, &e);
	r->key = GH_NONE;
}

static enum gh_code scalar(struct reader *r)
{
	static const struct {
		const char *word;
		enum json_type type;
	} words[] = {{"true", JSON_TRUE}, {"false", JSON_FALSE}, {"null", JSON_NULL}};
	size_t at = r->i;
	struct gh_str rest = gh_strn(r->all.p + at, r->all.n - at), s = rest;
	for (size_t i = 0; i < 3; i++)
		if (gh_str_starts(rest, words[i].word)) {
			r->i += strlen(words[i].word);
			tell(r, words[i].type, at, GH_NONE);
			return GH_OK;
		}
	s.n = 0;
	while (s.n < rest.n && rest.p[s.n] && strchr("+-0123456789.eE", rest.p[s.n]))
		s.n++;
	if (!s.n)
		return bad(r, "no value");
	r->i += s.n;
	tell(r, JSON_NUMBER, at, s);
	return GH_OK;
}

static enum gh_code value(struct reader *r)
{
	char c = peek(r);
	size_t at = r->i;
	if (c == '{' || c == '[') {
		if (r->depth == JSON_DEPTH)
			return gh_fail(r->err, GH_LIMIT, r->base + r->i, "JSON more than %d deep", JSON_DEPTH);
		r->open[++r->depth] = c;
		r->i++;
		tell(r, JSON_OPEN, at, GH_NONE);
		return GH_OK;
	}
	if (c != '"')
		return scalar(r);
	struct gh_str s;
	enum gh_code code = string(r, &s);
	if (code == GH_OK)
		tell(r, JSON_TEXT, at, s);
	return code;
}

/* The key of an object's next member. */
static enum gh_code key(struct reader *r)
{
	if (peek(r) != '"')
		return bad(r, "no key");
	enum gh_code code = string(r, &r->key);
	if (code)
		return code;
	if (peek(r) != ':')
		return bad(r, "no colon behind a key");
	r->i++;
	return GH_OK;
}

/* In a container: its end, or its next member. first: nothing came before it, so no comma is wanted. */
static enum gh_code member(struct reader *r, bool first)
{
	char c = peek(r);
	if (c == (r->open[r->depth] == '{' ? '}' : ']')) {
		size_t at = r->i++;
		r->key = GH_NONE;
		tell(r, JSON_CLOSE, at, GH_NONE);
		r->depth--;
		return GH_OK;
	}
	if (!first) {
		if (c != ',')
			return bad(r, "no comma");
		r->i++;
	}
	enum gh_code code = r->open[r->depth] == '{' ? key(r) : GH_OK;
	return code ? code : value(r);
}

enum gh_code live_json(struct gh_ctx *ctx, struct gh_str text, uint64_t base,
	void (*event)(void *to, const struct json_event *e), void *to, struct gh_err *err)
{
	struct reader r = {.ctx = ctx, .all = text, .base = base, .event = event, .to = to, .err = err};
	enum gh_code code = value(&r);
	while (!code && r.depth) {
		char before = r.i ? r.all.p[r.i - 1] : 0;
		code = gh_spend_steps(ctx->budget, 1, base + r.i, err);
		if (!code)
			code = member(&r, before == '[' || before == '{');
	}
	if (!code && peek(&r))
		return bad(&r, "something behind its end");
	return code;
}
