/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of JAR files and their signature files (JAR File Specification, "Name-Value pairs and Sections"), as Android reads them. */
#include <strings.h>

#include "base/sort.h"
#include "inspectors/apk/jar.h"

enum { SECTIONS_MAX = 1 << 18, LINE_LEFT = 1 };

static const struct {
	const char *word;
	enum digest digest;
} slots[SLOTS] = {
	[SLOT_SHA512] = {"SHA-512", DIGEST_SHA512},
	[SLOT_SHA384] = {"SHA-384", DIGEST_SHA384},
	[SLOT_SHA256] = {"SHA-256", DIGEST_SHA256},
	[SLOT_SHA1] = {"SHA1", DIGEST_SHA1},
	[SLOT_MD5] = {"MD5", DIGEST_MD5},
	[SLOT_SHA] = {"SHA", DIGEST_SHA1},
	[SLOT_SHA_1] = {"SHA-1", DIGEST_SHA1},
};

enum digest jar_slot_digest(enum slot slot)
{
	return slots[slot].digest;
}

/* ---- lines ---- */

struct text {
	const uint8_t *p;
	size_t n, i;
};

/* The next line without its end (CR LF, LF or CR); false behind the last. */
static bool line_next(struct text *t, struct gh_str *ret)
{
	if (t->i >= t->n)
		return false;
	size_t from = t->i, at = from;
	while (at < t->n && t->p[at] != '\n' && t->p[at] != '\r')
		at++;
	*ret = gh_strn(t->p + from, at - from);
	if (at < t->n)
		at += t->p[at] == '\r' && at + 1 < t->n && t->p[at + 1] == '\n' ? 2 : 1;
	t->i = at;
	return true;
}

static bool continues(const struct text *t)
{
	return t->i < t->n && t->p[t->i] == ' ';
}

/* A line with those that continue it, each behind a blank. False: an empty line, or the end. */
static bool attribute_next(struct gh_ctx *ctx, struct text *t, struct gh_str *ret)
{
	struct gh_str more;
	size_t from = t->i;
	if (!line_next(t, ret) || !ret->n)
		return false;
	if (!continues(t))
		return true;
	struct text ahead = *t;
	size_t most = ret->n;
	while (continues(&ahead) && line_next(&ahead, &more))
		most += more.n;
	char *out = gh_alloc_raw(ctx->arena, most);
	if (!out) {
		t->i = from;
		return false;
	}
	size_t n = ret->n;
	memcpy(out, ret->p, n);
	while (continues(t) && line_next(t, &more)) {
		memcpy(out + n, more.p + LINE_LEFT, more.n - LINE_LEFT);
		n += more.n - LINE_LEFT;
	}
	*ret = gh_strn(out, n);
	return true;
}

/* ---- attributes ---- */

static bool name_is(struct gh_str name, const char *z)
{
	return name.n == strlen(z) && !strncasecmp(name.p, z, name.n);
}

static void keep(struct gh_str *to, struct gh_str value)
{
	if (!to->p)
		*to = value;
}

static bool digest_keep(struct jar_digests *d, struct gh_str name, const char *suffix, struct gh_str value)
{
	size_t k = strlen(suffix);
	if (name.n <= k || strncasecmp(name.p + name.n - k, suffix, k))
		return false;
	for (int i = 0; i < SLOTS; i++)
		if (name_is(gh_strn(name.p, name.n - k), slots[i].word))
			keep(&d->text[i], value);
	return true;
}

static void attribute_take(struct jar_file *f, struct jar_section *s, struct gh_str line)
{
	const char *colon = memmem(line.p, line.n, ": ", 2);
	struct gh_str name = line, value = GH_STR("");
	if (colon) {
		name.n = (size_t)(colon - line.p);
		value = gh_strn(colon + 2, line.n - name.n - 2);
	}
	if (name_is(name, "Name"))
		keep(&s->name, value);
	else if (name_is(name, "Digest-Algorithms"))
		keep(&s->order, value);
	else if (digest_keep(&s->digests, name, "-Digest", value) || s != &f->main)
		return;
	else if (name_is(name, "Signature-Version"))
		keep(&f->version, value);
	else if (name_is(name, "Created-By"))
		keep(&f->created_by, value);
	else if (name_is(name, "X-Android-APK-Signed"))
		keep(&f->announced, value);
	else if (!digest_keep(&f->whole, name, "-Digest-Manifest", value))
		(void)digest_keep(&f->main_attributes, name, "-Digest-Manifest-Main-Attributes", value);
}

/* ---- sections ---- */

/* Empty lines before a section are nobody's. */
static bool section_read(struct gh_ctx *ctx, struct jar_file *f, struct text *t, struct jar_section *s)
{
	struct gh_str line;
	while (t->i < t->n && (t->p[t->i] == '\n' || t->p[t->i] == '\r'))
		(void)line_next(t, &line);
	*s = (struct jar_section){.at = t->i};
	if (t->i >= t->n)
		return false;
	while (attribute_next(ctx, t, &line))
		attribute_take(f, s, line);
	s->n = t->i - s->at;
	return true;
}

int jar_compare(struct gh_str a, struct gh_str b)
{
	int c = memcmp(a.p, b.p, gh_min(a.n, b.n));
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static bool less(const void *a, const void *b)
{
	const struct jar_section *x = *(struct jar_section *const *)a, *y = *(struct jar_section *const *)b;
	int c = jar_compare(x->name, y->name);
	return c ? c < 0 : x->at < y->at;
}

static enum gh_code sections_sort(struct gh_ctx *ctx, struct jar_file *f, struct gh_err *err)
{
	struct jar_section **order = gh_alloc_array(ctx->arena, f->n_sections, sizeof *order);
	struct jar_section *sorted = gh_alloc_array(ctx->arena, f->n_sections, sizeof *sorted);
	if (!order || !sorted)
		return gh_fail(err, GH_NOMEM, f->at, "no memory for %zu sections", f->n_sections);
	for (size_t i = 0; i < f->n_sections; i++)
		order[i] = &f->sections[i];
	gh_sort(order, f->n_sections, sizeof *order, less);
	for (size_t i = 0; i < f->n_sections; i++) {
		sorted[i] = *order[i];
		f->twice |= i && !jar_compare(sorted[i - 1].name, sorted[i].name);
	}
	f->sections = sorted;
	return GH_OK;
}

/* How many sections there can be: one begins behind an empty line. */
static size_t sections_most(const struct jar_file *f)
{
	struct text t = {f->p, f->n, 0};
	struct gh_str line;
	size_t n = 1;
	while (line_next(&t, &line))
		n += !line.n;
	return n;
}

enum gh_code jar_file_read(struct gh_ctx *ctx, struct jar_file *f, struct gh_err *err)
{
	struct text t = {f->p, f->n, 0};
	size_t most = sections_most(f);
	if (most > SECTIONS_MAX)
		return gh_fail(err, GH_LIMIT, f->at, "more than %d sections", SECTIONS_MAX);
	f->sections = gh_alloc_array(ctx->arena, most, sizeof *f->sections);
	if (!f->sections)
		return gh_fail(err, GH_NOMEM, f->at, "no memory for %zu sections", most);
	(void)section_read(ctx, f, &t, &f->main);
	while (f->n_sections < most && section_read(ctx, f, &t, &f->sections[f->n_sections])) {
		enum gh_code code = gh_spend_steps(ctx->budget, 1, f->at, err);
		if (code)
			return code;
		f->unnamed |= !f->sections[f->n_sections].name.p;
		if (f->sections[f->n_sections].name.p)
			f->n_sections++;
	}
	if (t.i < t.n)
		return gh_fail(err, GH_NOMEM, f->at, "no memory for a section");
	return sections_sort(ctx, f, err);
}

struct jar_section *jar_section_find(const struct jar_file *f, struct gh_str name)
{
	size_t lo = 0, hi = f->n_sections;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = jar_compare(f->sections[mid].name, name);
		if (!c)
			return &f->sections[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* ---- digests ---- */

static enum slot slot_of(struct gh_str word)
{
	for (int i = 0; i < SLOTS; i++)
		if (name_is(word, slots[i].word))
			return (enum slot)i;
	return SLOT_NONE;
}

/* Before Android 4.3: the first of Digest-Algorithms that is there and known. */
static enum slot slot_old(const struct jar_digests *d, struct gh_str order, int32_t sdk)
{
	struct gh_str rest = order.p ? order : GH_STR("SHA SHA1"), word;
	while (gh_str_word(&rest, &word)) {
		enum slot k = slot_of(word);
		bool later = k == SLOT_SHA384 || k == SLOT_SHA512;
		if (k != SLOT_NONE && d->text[k].p && !(later && sdk < SDK_9))
			return k;
	}
	return SLOT_NONE;
}

enum slot jar_slot(const struct jar_digests *d, struct gh_str order, int32_t sdk)
{
	if (sdk < SDK_18)
		return slot_old(d, order, sdk);
	for (int i = SLOT_SHA512; i <= SLOT_SHA1; i++)
		if (d->text[i].p)
			return (enum slot)i;
	return SLOT_NONE;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool jar_base64_is(struct gh_str text, const uint8_t *p, size_t n)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t out = 0, i = 0;
	for (; i < text.n && text.p[i] != '='; i++) {
		int v = base64_value(text.p[i]);
		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		held += 6;
		if (held >= 8) {
			held -= 8;
			if (out >= n || p[out++] != (uint8_t)(bits >> held))
				return false;
		}
	}
	while (i < text.n && text.p[i] == '=')
		i++;
	return out == n && i == text.n;
}

void jar_digests_compare(const struct jar_digests *d, const void *p, size_t n, uint8_t *good, uint8_t *bad)
{
	uint8_t sum[PUBKEY_DIGEST_MAX];
	for (int i = 0; i < SLOTS; i++) {
		if (!d->text[i].p)
			continue;
		enum digest digest = slots[i].digest;
		bool is = digest_data(digest, p, n, sum) && jar_base64_is(d->text[i], sum, digest_len(digest));
		*(is ? good : bad) |= (uint8_t)(1u << i);
	}
}
