/* SPDX-License-Identifier: Apache-2.0 */
/* Measuring content in one pass: libcrypto for SHA-256, libhs (Vectorscan or Hyperscan) for literals. */
#include "tree/measure.h"

#include <hs.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/num.h"

enum {
	PIECE = 128 << 10, /* hashed and searched while it is in the cache */
	WINDOW = 1 << 20, /* of a source that is not in memory */
	LITERAL_MAX = 256, /* overlap between windows */
	ENTROPY_PIECES = 64,
	ENTROPY_PIECE = 4096,
};

struct gh_literals {
	hs_database_t *db;
	hs_scratch_t *scratch;
	struct gh_literal *list;
	uint8_t *seen; /* per literal: already hit in this content; cleared through `hit` */
	uint32_t *hit;
	size_t n_hit;
	size_t n;
};

static EVP_MD *sha256(void)
{
	static EVP_MD *md;
	if (!md)
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
	return md;
}

void gh_digest_begin(void *digest)
{
	EVP_DigestInit_ex2(digest, sha256(), NULL);
}

void gh_digest_add(void *digest, const void *p, size_t n)
{
	EVP_DigestUpdate(digest, p, n);
}

void gh_digest_end(void *digest, uint8_t out[32])
{
	EVP_DigestFinal_ex(digest, out, NULL);
}

/* Old lists state it; nothing rests on it but whether content is what they say. */
static void md5_begin(struct gh_measure *m)
{
	static EVP_MD *md;
	if (m->md5_digest && !md)
		md = EVP_MD_fetch(NULL, "MD5", NULL);
	if (m->md5_digest && (!md || !EVP_DigestInit_ex2(m->md5_digest, md, NULL)))
		m->md5_digest = NULL;
}

static void md5_add(struct gh_measure *m, const void *p, size_t n)
{
	if (m->md5_digest)
		EVP_DigestUpdate(m->md5_digest, p, gh_min(n, m->md5_size));
	m->md5_size -= gh_min(n, m->md5_size);
}

static void md5_end(struct gh_measure *m)
{
	if (m->md5_digest)
		EVP_DigestFinal_ex(m->md5_digest, m->md5, NULL);
}

void gh_md5_warm(void *digest)
{
	struct gh_measure m = {.md5_digest = digest};
	md5_begin(&m);
	md5_end(&m);
}

uint64_t gh_measure_md5_line(const struct gh_probe *probe)
{
	size_t n = probe->tail_len, i = n;
	if (!gh_str_ends(probe->name, ".tar.md5") || !n || probe->tail[n - 1] != '\n')
		return 0;
	while (i && probe->tail[i - 1]) /* an archive ends with zeros */
		i--;
	if (!i || n - i < 34)
		return 0;
	for (size_t k = i; k < i + 32; k++) {
		uint8_t c = probe->tail[k];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return 0;
	}
	return probe->tail[i + 32] == ' ' ? probe->size - (n - i) : 0;
}

bool gh_measure_list(struct gh_str name)
{
	struct gh_str base = gh_str_base(name);
	return gh_str_is(base, "flashfile.xml") || gh_str_is(base, "servicefile.xml");
}

static bool literals_copy(struct gh_literals *l, const struct gh_literal *list, size_t n)
{
	l->list = calloc(n ? n : 1, sizeof *l->list);
	l->seen = calloc(n ? n : 1, 1);
	l->hit = calloc(n ? n : 1, sizeof *l->hit);
	if (!l->list || !l->seen || !l->hit)
		return false;
	for (size_t i = 0; i < n; i++) {
		char *p = malloc(list[i].n ? list[i].n : 1);
		if (!p)
			return false;
		memcpy(p, list[i].p, list[i].n);
		l->list[i] = (struct gh_literal){p, list[i].n};
		l->n = i + 1;
	}
	return true;
}

static bool literals_compile(struct gh_literals *l, struct gh_err *err)
{
	const char **expr = calloc(l->n, sizeof *expr);
	size_t *len = calloc(l->n, sizeof *len);
	unsigned *flags = calloc(l->n, sizeof *flags), *ids = calloc(l->n, sizeof *ids);
	bool ok = expr && len && flags && ids;
	for (size_t i = 0; ok && i < l->n; i++) {
		expr[i] = l->list[i].p;
		len[i] = l->list[i].n;
		flags[i] = HS_FLAG_SINGLEMATCH;
		ids[i] = (unsigned)i;
	}
	hs_compile_error_t *bad = NULL;
	if (ok && hs_compile_lit_multi(expr, flags, ids, len, (unsigned)l->n, HS_MODE_BLOCK, NULL, &l->db, &bad)) {
		gh_fail(err, GH_BAD, bad && bad->expression >= 0 ? (uint64_t)bad->expression : 0, "literals: %s",
			bad ? bad->message : "cannot be compiled");
		ok = false;
	}
	hs_free_compile_error(bad);
	if (ok && hs_alloc_scratch(l->db, &l->scratch))
		ok = !gh_fail(err, GH_NOMEM, 0, "literals: no memory to search with");
	free(expr);
	free(len);
	free(flags);
	free(ids);
	return ok;
}

struct gh_literals *gh_literals_new(const struct gh_literal *list, size_t n, struct gh_err *err)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].n < 4 || list[i].n > LITERAL_MAX) {
			gh_fail(err, GH_BAD, i, "literal %zu is not 4 to %d bytes long", i + 1, LITERAL_MAX);
			return NULL;
		}
	struct gh_literals *l = calloc(1, sizeof *l);
	if (!l || !n || !literals_copy(l, list, n) || !literals_compile(l, err)) {
		gh_literals_free(l);
		return NULL;
	}
	return l;
}

void gh_literals_free(struct gh_literals *l)
{
	if (!l)
		return;
	hs_free_scratch(l->scratch);
	hs_free_database(l->db);
	for (size_t i = 0; i < l->n; i++)
		free((void *)l->list[i].p);
	free(l->list);
	free(l->seen);
	free(l->hit);
	free(l);
}

struct gh_literal gh_literals_get(const struct gh_literals *l, uint32_t i)
{
	return l->list[i];
}

struct search {
	struct gh_literals *l;
	struct gh_measure *m;
	uint64_t base; /* offset of the piece in the content */
};

static int on_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
	struct search *s = ctx;
	(void)from, (void)flags;
	if (s->l->seen[id])
		return 0;
	s->l->seen[id] = 1;
	s->l->hit[s->l->n_hit++] = id;
	s->m->hit(s->m->to, id, s->base + to - s->l->list[id].n);
	return 0;
}

static void search_piece(struct search *s, const uint8_t *p, size_t n, uint64_t base)
{
	if (!s->l)
		return;
	s->base = base;
	hs_scan(s->l->db, (const char *)p, (unsigned)n, 0, s->l->scratch, on_hit, s);
}

static void search_end(struct search *s)
{
	if (!s->l)
		return;
	for (size_t i = 0; i < s->l->n_hit; i++)
		s->l->seen[s->l->hit[i]] = 0;
	s->l->n_hit = 0;
}

void gh_measure_data(void *digest, const struct gh_literals *literals, const uint8_t *p, size_t n, uint64_t *beat,
	struct gh_measure *m)
{
	struct search s = {.l = m->hit ? (struct gh_literals *)literals : NULL, .m = m};
	gh_digest_begin(digest);
	md5_begin(m);
	for (size_t i = 0; i < n; i += PIECE) {
		size_t step = gh_min(n - i, PIECE);
		size_t back = gh_min(i, LITERAL_MAX - 1); /* a literal may lie across two pieces */
		gh_digest_add(digest, p + i, step);
		md5_add(m, p + i, step);
		search_piece(&s, p + i - back, step + back, i - back);
		__atomic_fetch_add(beat, 1, __ATOMIC_RELAXED);
	}
	gh_digest_end(digest, m->sha256);
	md5_end(m);
	search_end(&s);
}

enum gh_code gh_measure_source(void *digest, const struct gh_literals *literals, struct gh_source *src,
	struct gh_arena *arena, uint64_t *beat, struct gh_measure *m, struct gh_err *err)
{
	struct gh_mark mark = gh_arena_mark(arena);
	uint8_t *buf = gh_alloc_raw(arena, WINDOW + LITERAL_MAX);
	if (!buf)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a window");
	struct search s = {.l = m->hit ? (struct gh_literals *)literals : NULL, .m = m};
	enum gh_code code = GH_OK;
	uint8_t *window = buf + LITERAL_MAX;
	size_t back = 0;
	gh_digest_begin(digest);
	md5_begin(m);
	for (uint64_t off = 0; off < src->size && code == GH_OK;) {
		size_t n = gh_min(src->size - off, WINDOW);
		code = gh_read(src, off, window, n, err);
		if (code)
			break;
		gh_digest_add(digest, window, n);
		md5_add(m, window, n);
		search_piece(&s, window - back, n + back, off - back);
		back = gh_min(n, LITERAL_MAX - 1);
		memmove(window - back, window + n - back, back);
		off += n;
		__atomic_fetch_add(beat, 1, __ATOMIC_RELAXED);
	}
	gh_digest_end(digest, m->sha256);
	md5_end(m);
	search_end(&s);
	gh_arena_release(arena, mark);
	return code;
}

enum gh_code gh_entropy(struct gh_source *src, struct gh_arena *arena, double *ret, struct gh_err *err)
{
	uint64_t count[256] = {0}, total = 0;
	uint64_t pieces = gh_min(ENTROPY_PIECES, (src->size + ENTROPY_PIECE - 1) / ENTROPY_PIECE);
	for (uint64_t i = 0; i < pieces; i++) {
		uint64_t off = pieces > 1 ? (src->size - 1) / ENTROPY_PIECE * i / (pieces - 1) * ENTROPY_PIECE : 0;
		size_t n = gh_min(ENTROPY_PIECE, src->size - off);
		struct gh_mark mark = gh_arena_mark(arena);
		const uint8_t *p;
		enum gh_code code = gh_view(src, arena, off, n, &p, err);
		if (code)
			return code;
		for (size_t j = 0; j < n; j++)
			count[p[j]]++;
		total += n;
		gh_arena_release(arena, mark);
	}
	double bits = 0;
	for (int i = 0; i < 256; i++)
		if (count[i])
			bits -= (double)count[i] / (double)total * log2((double)count[i] / (double)total);
	*ret = bits > 0 ? bits : 0;
	return GH_OK;
}
