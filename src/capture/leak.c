/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers in clear bytes: by key and shape, and the values the user typed in, as they are or as base64, hexadecimal, MD5, SHA-1, SHA-256.
 * Percent encoding and base64 are undone once. */
#include "capture/leak.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "base/num.h"
#include "codecs/deflate/deflate.h"

enum {
	KNOWN = 24, /* values */
	FORMS = 12, /* of each */
	FORM = 160, /* bytes of one: base64 of 100 */
	SEARCH = 64 << 10, /* bytes of one direction of a flow */
	PIECE = 40 << 10, /* at once */
	SEEN = 4096, /* a power of two; what was told already */
	ROWS = 20000,
	WORD = 24, /* base64 shorter than this is any word */
};

struct form {
	const char *name;
	uint16_t n;
	bool any_case;
	char p[FORM];
};

struct known {
	char kind[24];
	unsigned n;
	struct form form[FORMS];
};

struct gh_known {
	unsigned n;
	uint64_t seen[SEEN];
	struct known list[KNOWN];
};

/* ---- the user's values ---- */

static void form_add(struct known *k, const char *name, const void *p, size_t n, bool any_case)
{
	if (k->n == FORMS || !n || n > FORM)
		return;
	struct form *f = &k->form[k->n++];
	*f = (struct form){.name = name, .n = (uint16_t)n, .any_case = any_case};
	memcpy(f->p, p, n);
}

static void hex_form(struct known *k, const char *name, const uint8_t *p, size_t n)
{
	char hex[FORM];
	if (2 * n + 1 > sizeof hex)
		return;
	for (size_t i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", p[i]);
	form_add(k, name, hex, 2 * n, true);
}

static void hash_forms(struct known *k, struct gh_str v)
{
	const struct {
		const char *name;
		const EVP_MD *md;
	} list[] = {{"md5", EVP_md5()}, {"sha1", EVP_sha1()}, {"sha256", EVP_sha256()}};
	for (size_t i = 0; i < GH_COUNT(list); i++) {
		uint8_t sum[EVP_MAX_MD_SIZE];
		unsigned n = 0;
		if (EVP_Digest(v.p, v.n, sum, &n, list[i].md, NULL))
			hex_form(k, list[i].name, sum, n);
	}
}

/* base64 at each of the three places a value can stand in a longer text: the characters that depend on it alone. */
static void base64_forms(struct known *k, struct gh_str v)
{
	for (unsigned shift = 0; shift < 3; shift++) {
		uint8_t in[110] = {0}, out[160];
		if (v.n + shift > 100)
			return;
		memcpy(in + shift, v.p, v.n);
		int n = EVP_EncodeBlock(out, in, (int)(v.n + shift));
		size_t from = shift ? shift + 1 : 0, whole = (v.n + shift) * 8 / 6;
		if (n > 0 && whole > from + 8)
			form_add(k, "base64", out + from, whole - from, false);
	}
}

static void known_add(struct gh_known *all, struct gh_str kind, struct gh_str v)
{
	if (all->n == KNOWN || v.n < 4 || v.n > 100 || !kind.n)
		return;
	struct known *k = &all->list[all->n++];
	memcpy(k->kind, kind.p, gh_min(kind.n, sizeof k->kind - 1));
	form_add(k, "plain", v.p, v.n, true);
	hex_form(k, "hex", (const uint8_t *)v.p, v.n);
	base64_forms(k, v);
	hash_forms(k, v);
	char upper[100], lower[100];
	for (size_t i = 0; i < v.n; i++) {
		upper[i] = (char)toupper((unsigned char)v.p[i]);
		lower[i] = (char)tolower((unsigned char)v.p[i]);
	}
	if (memcmp(upper, v.p, v.n) != 0)
		hash_forms(k, gh_strn(upper, v.n));
	else if (memcmp(lower, v.p, v.n) != 0)
		hash_forms(k, gh_strn(lower, v.n));
}

bool gh_leak_init(struct gh_traffic *t)
{
	if (!(t->known = gh_alloc(t->ctx->arena, sizeof *t->known)))
		return false;
	struct gh_str rest = t->ctx->given ? t->ctx->given->known : GH_NONE, line;
	while (rest.p && gh_str_line(&rest, &line)) {
		const char *eq = memchr(line.p, '=', line.n);
		if (eq)
			known_add(t->known, gh_str_trim(gh_strn(line.p, (size_t)(eq - line.p))),
				gh_str_trim(gh_strn(eq + 1, line.n - (size_t)(eq + 1 - line.p))));
	}
	return true;
}

/* ---- searching ---- */

struct search {
	struct gh_traffic *t;
	const struct gh_here *h;
	const char *where, *coding; /* coding: NULL, or how the bytes were packed */
};

static void tell(const struct search *s, const char *kind, const char *form, struct gh_str value, bool known)
{
	struct gh_traffic *t = s->t;
	bool inside = s->h->flow->inside;
	uint64_t id = gh_str_hash(value) * 31 + gh_str_hash(gh_str(kind)) + gh_str_hash(gh_str(form)) +
		      s->h->flow->row * 0x9e3779b97f4a7c15u;
	uint64_t *seen = &t->known->seen[(id ^ id >> 32) & (SEEN - 1)];
	if (*seen == id || t->count.leaks++ >= ROWS)
		return;
	*seen = id;
	GH_EMIT(t->ctx, leaks, s->h->pkt->at, .flow = (int64_t)s->h->flow->row, .packet = (int64_t)s->h->pkt->number,
		.kind = gh_str(kind), .form = gh_str(form), .coding = gh_str(s->coding), .spot = gh_str(s->where),
		.outward = !s->h->dir, .inside_tls = inside, .known = known, .value = value);
}

static size_t next_of(const uint8_t *p, size_t n, size_t from, int c)
{
	const uint8_t *hit = from < n ? memchr(p + from, c, n - from) : NULL;
	return hit ? (size_t)(hit - p) : n;
}

static const uint8_t *find_form(const uint8_t *p, size_t n, const struct form *f)
{
	if (!f->any_case)
		return memmem(p, n, f->p, f->n);
	if (n < f->n)
		return NULL;
	size_t last = n - f->n + 1;
	int low = tolower((uint8_t)f->p[0]), up = toupper((uint8_t)f->p[0]);
	size_t a = next_of(p, last, 0, low), b = up == low ? last : next_of(p, last, 0, up);
	while (a < last || b < last) {
		size_t at = gh_min(a, b);
		if (strncasecmp((const char *)p + at, f->p, f->n) == 0)
			return p + at;
		if (at == a)
			a = next_of(p, last, at + 1, low);
		else
			b = next_of(p, last, at + 1, up);
	}
	return NULL;
}

static void search_known(const struct search *s, const uint8_t *p, size_t n)
{
	for (unsigned i = 0; i < s->t->known->n; i++)
		for (unsigned k = 0; k < s->t->known->list[i].n; k++) {
			const struct known *v = &s->t->known->list[i];
			const uint8_t *hit = find_form(p, n, &v->form[k]);
			if (hit)
				tell(s, v->kind, v->form[k].name, gh_strn(hit, v->form[k].n), true);
		}
}

enum {
	KEY = 1,
	VALUE = 2,
	BASE64 = 4,
	KEY_MAX = 32,
	VALUE_MAX = 64,
};

/* Every byte of a stream is asked what it can be part of: a table, not a call. */
static const uint8_t kinds[256] = {['0' ... '9'] = KEY | VALUE | BASE64,
	['A' ... 'Z'] = KEY | VALUE | BASE64,
	['a' ... 'z'] = KEY | VALUE | BASE64,
	['_'] = KEY | VALUE | BASE64,
	['-'] = KEY | VALUE | BASE64,
	['+'] = VALUE | BASE64,
	['/'] = BASE64,
	['.'] = VALUE,
	[':'] = VALUE};

/* Words of a key, in lower case without '-'. */
static struct gh_str key_of(const uint8_t *p, size_t n, char buf[KEY_MAX])
{
	size_t len = 0;
	for (size_t i = 0; i < n; i++)
		if (p[i] != '-')
			buf[len++] = (char)tolower(p[i]);
	return gh_strn(buf, len);
}

static bool quote(uint8_t c)
{
	return c == '"' || c == '\'' || c == ' ';
}

/* What stands around the sign at p[at]: a key before it, a value behind it. */
static void search_key(const struct search *s, const uint8_t *p, size_t n, size_t at)
{
	size_t end = at, from, value = at + 1, stop;
	while (end && at - end < 3 && quote(p[end - 1]))
		end--;
	for (from = end; from && end - from < KEY_MAX && kinds[p[from - 1]] & KEY; from--)
		;
	if (from == end || end - from >= KEY_MAX)
		return;
	while (value < n && quote(p[value]))
		value++;
	for (stop = value; stop < n && stop - value <= VALUE_MAX && kinds[p[stop]] & VALUE; stop++)
		;
	if (stop == value || stop - value > VALUE_MAX)
		return;
	char buf[KEY_MAX];
	struct gh_str v = gh_strn(p + value, stop - value);
	const char *kind = gh_leak_kind(key_of(p + from, end - from, buf), v);
	if (kind)
		tell(s, kind, "plain", v, false);
}

/* key=value, "key":"value", key: value. The signs are rare, so they are looked for and not the words. */
static void search_keys(const struct search *s, const uint8_t *p, size_t n)
{
	size_t eq = next_of(p, n, 0, '='), colon = next_of(p, n, 0, ':');
	while (eq < n || colon < n) {
		size_t at = gh_min(eq, colon);
		search_key(s, p, n, at);
		if (at == eq)
			eq = next_of(p, n, at + 1, '=');
		else
			colon = next_of(p, n, at + 1, ':');
	}
}

static int base64_digit(uint8_t c)
{
	if (isupper(c))
		return c - 'A';
	if (islower(c))
		return c - 'a' + 26;
	if (isdigit(c))
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static size_t unbase64(const uint8_t *p, size_t n, uint8_t *out)
{
	uint32_t bits = 0;
	size_t len = 0, held = 0;
	for (size_t i = 0; i < n; i++) {
		bits = bits << 6 | (uint32_t)base64_digit(p[i]);
		held += 6;
		if (held >= 8)
			out[len++] = (uint8_t)(bits >> (held -= 8));
	}
	return len;
}

static bool is_text(const uint8_t *p, size_t n)
{
	size_t good = 0;
	for (size_t i = 0; i < n; i++)
		good += (p[i] >= 0x20 && p[i] < 0x7f) || p[i] == '\n' || p[i] == '\r' || p[i] == '\t';
	return good * 10 >= n * 9;
}

static void search_plain(const struct search *s, const uint8_t *p, size_t n)
{
	search_known(s, p, n);
	search_keys(s, p, n);
}

static void search_base64(const struct search *s, const uint8_t *p, size_t n, uint8_t *out)
{
	struct search in = *s;
	in.coding = "base64";
	for (size_t i = 0; n - i >= WORD;) {
		/* A run that is long enough holds every WORDth byte: the last one is asked first. */
		size_t to = i + WORD;
		while (to > i && kinds[p[to - 1]] & BASE64)
			to--;
		if (to > i) {
			i = to;
			continue;
		}
		for (to = i + WORD; to < n && kinds[p[to]] & BASE64; to++)
			;
		size_t len = unbase64(p + i, to - i, out);
		if (is_text(out, len))
			search_plain(&in, out, len);
		i = to;
	}
}

static int hex_digit(uint8_t c)
{
	return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

/* Undoes percent encoding; the length, or 0 when there is none. */
static size_t unescape(const uint8_t *p, size_t n, uint8_t *out)
{
	size_t len = 0;
	bool any = false;
	if (!memchr(p, '%', n))
		return 0;
	for (size_t i = 0; i < n; i++) {
		bool esc = p[i] == '%' && i + 2 < n && hex_digit(p[i + 1]) >= 0 && hex_digit(p[i + 2]) >= 0;
		out[len++] = esc ? (uint8_t)(hex_digit(p[i + 1]) << 4 | hex_digit(p[i + 2])) : p[i];
		i += esc ? 2 : 0;
		any |= esc;
	}
	return any ? len : 0;
}

void gh_leak_search(struct gh_traffic *t, const struct gh_here *h, const char *where, const uint8_t *p, size_t n)
{
	struct search s = {t, h, where, NULL};
	struct gh_app *a = h->flow->app;
	n = gh_min(n, PIECE);
	if (!n || (a && a->searched[h->dir] >= SEARCH) || !gh_step(t, 1 + n / 4))
		return;
	if (a)
		a->searched[h->dir] += (uint32_t)n;
	struct gh_mark mark = gh_arena_mark(t->ctx->arena);
	uint8_t *out = gh_alloc_raw(t->ctx->arena, n), *more = gh_alloc_raw(t->ctx->arena, n);
	if (out && more) {
		search_plain(&s, p, n);
		size_t len = unescape(p, n, out);
		search_base64(&s, p, n, more);
		if (len) {
			s.coding = "percent";
			search_plain(&s, out, len);
			search_base64(&s, out, len, more);
		}
	}
	gh_arena_release(t->ctx->arena, mark);
}

/* Length of a gzip header (RFC 1952), or 0. */
static size_t gzip_head(const uint8_t *p, size_t n)
{
	struct gh_cursor c = gh_cursor(p, n, 0);
	gh_skip(&c, 3);
	uint8_t flags = gh_u8(&c);
	gh_skip(&c, 6);
	if (flags & 4)
		gh_skip(&c, gh_u16(&c));
	if (flags & 8)
		(void)gh_cstr(&c);
	if (flags & 16)
		(void)gh_cstr(&c);
	if (flags & 2)
		gh_skip(&c, 2);
	return c.bad ? 0 : c.i;
}

size_t gh_gunzip_some(struct gh_ctx *ctx, const uint8_t *p, size_t n, uint8_t *out, size_t cap)
{
	size_t head = n > 18 && p[0] == 0x1f && p[1] == 0x8b ? gzip_head(p, n) : 0;
	struct gh_sink sink = {.buf = out, .cap = cap};
	struct gh_deflated d;
	struct gh_err err;
	struct gh_source *src = head ? gh_source_memory(ctx->arena, p, n) : NULL;
	/* What an inspector unpacks has no budget of bytes of its own; here the room for it bounds it. */
	struct gh_budget own = {.bytes = cap, .steps = ctx->budget->steps, .beat = ctx->budget->beat};
	struct gh_ctx of = *ctx;
	if (!src)
		return 0;
	of.budget = &own;
	/* Cut off on purpose: what came before the end is what is looked through. */
	(void)!gh_deflate_pour(&of, src, head, n - head, cap, &sink, &d, &err);
	return sink.len;
}
