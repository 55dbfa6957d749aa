/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of an archive as v1 looks at them: by the central directory, each unpacked once and digested. */
#include <openssl/evp.h>

#include "base/sort.h"
#include "codecs/deflate/deflate.h"
#include "inspectors/apk/jar.h"

enum { ENTRIES_MAX = 1 << 18, PIECE = 1 << 20 };

static bool less(const void *a, const void *b)
{
	const struct jar_entry *x = *(struct jar_entry *const *)a, *y = *(struct jar_entry *const *)b;
	int c = jar_compare(x->name, y->name);
	return c ? c < 0 : x->at < y->at;
}

/* One record; *pos moves behind it. */
static enum gh_code entry_read(
	struct gh_ctx *ctx, struct jar_entries *e, uint64_t *pos, struct jar_entry *ret, struct gh_err *err)
{
	struct zip_entry z;
	enum gh_code code = gh_spend_steps(ctx->budget, 1, *pos, err);
	if (code == GH_OK)
		code = zip_central_read(ctx, e->zip, &e->zip->central, *pos, &z, err);
	if (code)
		return code;
	*ret = (struct jar_entry){.at = *pos, .local = z.local, .csize = z.csize, .size = z.size, .method = z.method};
	ret->name = gh_str_dup(ctx->arena, z.name);
	*pos += z.len;
	return ret->name.p ? GH_OK : gh_fail(err, GH_NOMEM, *pos, "no memory for a name");
}

static enum gh_code directory_read(struct gh_ctx *ctx, struct jar_entries *e, size_t most, struct gh_err *err)
{
	uint64_t pos = e->zip->end.central, stop = pos + e->zip->end.central_size;
	while (pos < stop) {
		struct gh_err why = {0};
		if (e->n == most)
			return gh_fail(err, GH_LIMIT, pos, "more entries than the directory has room for");
		enum gh_code code = entry_read(ctx, e, &pos, &e->list[e->n], &why);
		if (code == GH_BAD || code == GH_SHORT) {
			e->why = "the central directory cannot be read to its end";
			e->why_at = why.at;
			return GH_OK;
		}
		if (code)
			return gh_fail(err, code, why.at, "%s", why.what);
		e->n++;
	}
	return GH_OK;
}

static enum gh_code entries_sort(struct gh_ctx *ctx, struct jar_entries *e, struct gh_err *err)
{
	e->sorted = gh_alloc_array(ctx->arena, e->n, sizeof *e->sorted);
	if (!e->sorted)
		return gh_fail(err, GH_NOMEM, 0, "no memory for %zu entries", e->n);
	for (size_t i = 0; i < e->n; i++)
		e->sorted[i] = &e->list[i];
	gh_sort(e->sorted, e->n, sizeof *e->sorted, less);
	for (size_t i = 1; i < e->n && !e->twice_at; i++)
		if (!jar_compare(e->sorted[i - 1]->name, e->sorted[i]->name))
			e->twice_at = e->sorted[i]->at;
	return GH_OK;
}

enum gh_code jar_entries_read(struct gh_ctx *ctx, const struct apk *a, struct jar_entries *ret, struct gh_err *err)
{
	*ret = (struct jar_entries){.zip = gh_alloc(ctx->arena, sizeof *ret->zip)};
	if (!ret->zip)
		return gh_fail(err, GH_NOMEM, 0, "no memory for an archive");
	enum gh_code code = gh_format_zip.open(ctx, a->src, ret->zip, err);
	if (code)
		return code;
	/* Made here, since it is used between marks. */
	ret->zip->local.buf = gh_alloc_raw(ctx->arena, ret->zip->local.cap);
	uint64_t most = gh_min(ret->zip->end.central_size / ZIP_CENTRAL + 1, ENTRIES_MAX);
	ret->list = gh_alloc_array(ctx->arena, (size_t)most, sizeof *ret->list);
	if (!ret->list || !ret->zip->local.buf)
		return gh_fail(err, GH_NOMEM, 0, "no memory for an archive's entries");
	code = directory_read(ctx, ret, (size_t)most, err);
	return code ? code : entries_sort(ctx, ret, err);
}

struct jar_entry *jar_entry_find(const struct jar_entries *e, struct gh_str name)
{
	size_t lo = 0, hi = e->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = jar_compare(e->sorted[mid]->name, name);
		if (!c)
			return e->sorted[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* ---- content ---- */

/* Android takes what is not stored for deflated. */
static enum gh_code pour(struct gh_ctx *ctx, const struct jar_entries *e, const struct jar_entry *entry,
	struct gh_sink *sink, struct gh_err *err)
{
	struct zip_local l;
	struct gh_deflated d;
	enum gh_code code = zip_local_read(ctx, e->zip, entry->local, &l, err);
	if (code)
		return code;
	if (!gh_str_eq(l.name, entry->name))
		return gh_fail(err, GH_BAD, entry->local, "an entry whose local header has another name");
	if (!gh_within(l.data, entry->csize, e->zip->src->size))
		return gh_fail(err, GH_SHORT, l.data, "an entry that reaches behind the archive");
	if (entry->method != ZIP_STORED) {
		code = gh_deflate_pour(ctx, e->zip->src, l.data, entry->csize, entry->size, sink, &d, err);
		if (code == GH_OK && (!d.ended || d.out != entry->size))
			code = gh_fail(err, GH_BAD, l.data, "an entry of another size than the directory says");
		return code;
	}
	if (entry->csize != entry->size)
		return gh_fail(err, GH_BAD, entry->at, "a stored entry of two sizes");
	struct gh_window w = {.src = e->zip->src, .cap = PIECE, .step = PIECE};
	for (uint64_t off = 0; off < entry->size && code == GH_OK;) {
		const uint8_t *p;
		size_t n = (size_t)gh_min(PIECE, entry->size - off);
		code = gh_window_get(&w, ctx->arena, l.data + off, n, &p, err);
		if (code == GH_OK)
			code = gh_spend_bytes(ctx->budget, n, entry->at, err);
		if (code == GH_OK)
			code = gh_sink_put(sink, p, n, err);
		off += n;
	}
	return code;
}

enum gh_code jar_entry_content(struct gh_ctx *ctx, const struct jar_entries *e, const struct jar_entry *entry,
	uint64_t most, const uint8_t **ret, size_t *ret_n, struct gh_err *err)
{
	if (entry->size > most)
		return gh_fail(err, GH_LIMIT, entry->at, "a file of the signature of %" PRIu64 " bytes", entry->size);
	struct gh_sink sink = {.cap = (size_t)entry->size};
	sink.buf = gh_alloc_raw(ctx->arena, sink.cap + 1);
	if (!sink.buf)
		return gh_fail(err, GH_NOMEM, entry->at, "no memory for a file of the signature");
	enum gh_code code = pour(ctx, e, entry, &sink, err);
	*ret = sink.buf;
	*ret_n = sink.len;
	return code;
}

struct summing {
	struct gh_sink sink;
	size_t n;
	EVP_MD_CTX *md[SLOTS];
};

static enum gh_code sum_write(struct gh_sink *self, const void *p, size_t n, struct gh_err *err)
{
	struct summing *s = (struct summing *)self;
	for (size_t i = 0; i < SLOTS; i++)
		if (s->md[i] && EVP_DigestUpdate(s->md[i], p, n) != 1)
			return gh_fail(err, GH_NOMEM, 0, "a digest could not be computed");
	return GH_OK;
}

static const EVP_MD *md_of(enum digest d)
{
	return d == DIGEST_MD5      ? EVP_md5()
	       : d == DIGEST_SHA1   ? EVP_sha1()
	       : d == DIGEST_SHA256 ? EVP_sha256()
	       : d == DIGEST_SHA384 ? EVP_sha384()
				    : EVP_sha512();
}

static bool sums_begin(struct summing *s, const struct jar_section *section)
{
	for (int i = 0; i < SLOTS; i++) {
		if (!section->digests.text[i].p)
			continue;
		s->md[i] = EVP_MD_CTX_new();
		if (!s->md[i] || EVP_DigestInit_ex(s->md[i], md_of(jar_slot_digest((enum slot)i)), NULL) != 1)
			return false;
	}
	return true;
}

static void sums_compare(struct summing *s, struct jar_section *section)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	for (int i = 0; i < SLOTS; i++) {
		unsigned n = 0;
		if (!s->md[i])
			continue;
		bool is = EVP_DigestFinal_ex(s->md[i], sum, &n) == 1 && jar_base64_is(section->digests.text[i], sum, n);
		*(is ? &section->good : &section->bad) |= (uint8_t)(1u << i);
	}
}

enum gh_code jar_entry_digest(struct gh_ctx *ctx, const struct jar_entries *e, const struct jar_entry *entry,
	struct jar_section *section, struct gh_err *err)
{
	struct summing s = {.sink = {.write = sum_write}};
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	enum gh_code code = sums_begin(&s, section) ? pour(ctx, e, entry, &s.sink, err)
						    : gh_fail(err, GH_NOMEM, entry->at, "no memory for a digest");
	if (code == GH_OK)
		sums_compare(&s, section);
	for (size_t i = 0; i < SLOTS; i++)
		EVP_MD_CTX_free(s.md[i]);
	gh_arena_release(ctx->arena, mark);
	return code;
}
