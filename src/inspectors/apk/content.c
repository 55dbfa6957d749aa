/* SPDX-License-Identifier: Apache-2.0 */
/* Digests over an APK's content (source.android.com, "APK Signature Scheme v2", "Integrity-protected contents"): the archive without
 * its signing block, in chunks of 1 MiB, or as the fs-verity tree over it. One pass, whatever is wanted. */
#include <openssl/evp.h>

#include "inspectors/apk/verify.h"

enum {
	CHUNK = 1 << 20,
	BLOCK = 4096, /* of the tree */
	TREE_SUM = 32,
	TREE_SALT = 8, /* zeros */
};

/* Grows by one digest at a time; the first `at` bytes are in use. */
struct list {
	uint8_t *p;
	size_t at, cap;
};

struct pass {
	struct gh_ctx *ctx;
	const struct apk *a;
	EVP_MD_CTX *md;
	struct list chunks[2]; /* SHA-256, SHA-512 */
	struct list leaves;
	uint8_t *part; /* of a block of the tree that the section before began */
	size_t part_n;
	uint64_t total;
	unsigned want;
};

static const EVP_MD *md_of(enum content kind)
{
	return kind == CONTENT_SHA512 ? EVP_sha512() : EVP_sha256();
}

static bool hash_begin(EVP_MD_CTX *md, enum content kind, const void *prefix, size_t n)
{
	return EVP_DigestInit_ex(md, md_of(kind), NULL) == 1 && EVP_DigestUpdate(md, prefix, n) == 1;
}

static bool hash_end(EVP_MD_CTX *md, const void *p, size_t n, uint8_t *ret)
{
	return EVP_DigestUpdate(md, p, n) == 1 && EVP_DigestFinal_ex(md, ret, NULL) == 1;
}

static void put32(uint8_t *p, size_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static bool chunk_add(struct pass *s, enum content kind, const uint8_t *p, size_t n)
{
	struct list *l = &s->chunks[kind == CONTENT_SHA512];
	size_t len = kind == CONTENT_SHA512 ? 64 : 32;
	uint8_t head[5] = {0xa5};
	put32(head + 1, n);
	bool ok = l->cap - l->at >= len && hash_begin(s->md, kind, head, sizeof head) &&
		  hash_end(s->md, p, n, l->p + l->at);
	l->at += len;
	return ok;
}

static bool leaf(EVP_MD_CTX *md, struct list *l, const uint8_t *p)
{
	static const uint8_t salt[TREE_SALT];
	bool ok = l->cap - l->at >= TREE_SUM && hash_begin(md, CONTENT_VERITY, salt, sizeof salt) &&
		  hash_end(md, p, BLOCK, l->p + l->at);
	l->at += TREE_SUM;
	return ok;
}

/* Blocks of the tree run on from section to section. */
static bool tree_add(struct pass *s, const uint8_t *p, size_t n)
{
	s->total += n;
	while (n) {
		if (!s->part_n && n >= BLOCK) {
			if (!leaf(s->md, &s->leaves, p))
				return false;
			p += BLOCK;
			n -= BLOCK;
			continue;
		}
		size_t k = (size_t)gh_min(n, BLOCK - s->part_n);
		memcpy(s->part + s->part_n, p, k);
		s->part_n += k;
		p += k;
		n -= k;
		if (s->part_n < BLOCK)
			continue;
		if (!leaf(s->md, &s->leaves, s->part))
			return false;
		s->part_n = 0;
	}
	return true;
}

static enum gh_code feed(struct pass *s, const uint8_t *p, size_t n, uint64_t at, struct gh_err *err)
{
	bool ok = true;
	for (unsigned k = 0; k < CONTENTS; k++)
		if (s->want >> k & 1)
			ok = ok && (k == CONTENT_VERITY ? tree_add(s, p, n) : chunk_add(s, k, p, n));
	return ok ? GH_OK : gh_fail(err, GH_NOMEM, at, "a digest could not be computed");
}

static enum gh_code section(struct pass *s, uint64_t from, uint64_t to, struct gh_err *err)
{
	struct gh_window w = {.src = s->a->src, .cap = CHUNK, .step = CHUNK};
	while (from < to) {
		const uint8_t *p;
		size_t n = (size_t)gh_min(CHUNK, to - from);
		enum gh_code code = gh_spend_steps(s->ctx->budget, 1, from, err);
		if (code == GH_OK)
			code = gh_window_get(&w, s->ctx->arena, from, n, &p, err);
		if (code == GH_OK)
			code = feed(s, p, n, from, err);
		if (code)
			return code;
		from += n;
	}
	return GH_OK;
}

/* The end record, as it would be without a signing block. */
static enum gh_code end_section(struct pass *s, struct gh_err *err)
{
	uint8_t buf[ZIP_TAIL];
	uint64_t at = s->a->end.at;
	size_t n = (size_t)(s->a->src->size - at);
	enum gh_code code = gh_read(s->a->src, at, buf, n, err);
	if (code)
		return code;
	put32(buf + 16, (size_t)s->a->block);
	return feed(s, buf, n, at, err);
}

/* Levels of the tree over the leaves, each padded with zeros to whole blocks; its root is the digest of the top block. */
static bool tree_root(struct pass *s, uint8_t *ret)
{
	struct list *l = &s->leaves;
	if (s->part_n) {
		memset(s->part + s->part_n, 0, BLOCK - s->part_n);
		if (!leaf(s->md, l, s->part))
			return false;
	}
	for (;;) {
		size_t n = (l->at + BLOCK - 1) / BLOCK * BLOCK;
		memset(l->p + l->at, 0, n - l->at);
		/* Upwards in place: a block becomes 32 bytes at or before where it lay. */
		struct list up = {.p = l->p, .cap = n};
		for (size_t i = 0; i < n; i += BLOCK) {
			uint8_t block[BLOCK];
			memcpy(block, l->p + i, BLOCK);
			if (!leaf(s->md, &up, block))
				return false;
		}
		l->at = up.at;
		if (n == BLOCK)
			break;
	}
	memcpy(ret, l->p, TREE_SUM);
	put32(ret + TREE_SUM, (size_t)(s->total & UINT32_MAX));
	put32(ret + TREE_SUM + 4, (size_t)(s->total >> 32));
	return true;
}

static bool close_pass(struct pass *s, struct apk_digests *d)
{
	bool ok = true;
	for (unsigned k = 0; k < CONTENTS && ok; k++) {
		if (!(s->want >> k & 1))
			continue;
		d->len[k] = k == CONTENT_SHA512 ? 64 : k == CONTENT_SHA256 ? 32 : TREE_SUM + 8;
		if (k == CONTENT_VERITY) {
			ok = tree_root(s, d->sum[k]);
			continue;
		}
		const struct list *l = &s->chunks[k == CONTENT_SHA512];
		uint8_t head[5] = {0x5a};
		put32(head + 1, l->at / d->len[k]);
		ok = hash_begin(s->md, k, head, sizeof head) && hash_end(s->md, l->p, l->at, d->sum[k]);
	}
	return ok;
}

static bool list_make(struct gh_ctx *ctx, struct list *l, uint64_t n, size_t len)
{
	uint64_t size;
	if (!gh_mul(n, len, &size) || size > SIZE_MAX - BLOCK)
		return false;
	l->cap = (size_t)size + BLOCK;
	l->p = gh_alloc_raw(ctx->arena, l->cap);
	return l->p != NULL;
}

static enum gh_code pass_run(struct pass *s, struct gh_err *err)
{
	uint64_t size = s->a->src->size, chunks = size / CHUNK + 4, blocks = size / BLOCK + 2;
	bool room = (!(s->want >> CONTENT_SHA256 & 1) || list_make(s->ctx, &s->chunks[0], chunks, 32)) &&
		    (!(s->want >> CONTENT_SHA512 & 1) || list_make(s->ctx, &s->chunks[1], chunks, 64)) &&
		    (!(s->want >> CONTENT_VERITY & 1) || list_make(s->ctx, &s->leaves, blocks, TREE_SUM));
	s->part = gh_alloc(s->ctx->arena, BLOCK);
	if (!room || !s->part || !s->md)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the digests of an archive");
	enum gh_code code = section(s, 0, s->a->block, err);
	if (code == GH_OK)
		code = section(s, s->a->end.central, s->a->end.at, err);
	return code ? code : end_section(s, err);
}

enum gh_code apk_digest(struct gh_ctx *ctx, const struct apk *a, struct apk_digests *d, struct gh_err *err)
{
	struct pass s = {.ctx = ctx, .a = a, .want = d->want & ~d->have};
	if (!s.want)
		return GH_OK;
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	s.md = EVP_MD_CTX_new();
	enum gh_code code = pass_run(&s, err);
	if (code == GH_OK && !close_pass(&s, d))
		code = gh_fail(err, GH_NOMEM, 0, "a digest could not be computed");
	EVP_MD_CTX_free(s.md);
	gh_arena_release(ctx->arena, mark);
	if (code == GH_OK)
		d->have |= s.want;
	return code;
}
