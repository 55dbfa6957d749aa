/* SPDX-License-Identifier: Apache-2.0 */
/* dm-verity hash trees (Documentation/admin-guide/device-mapper/verity.rst, hash type 1): every block is hashed behind the salt; digests,
 * padded to a power of two, fill blocks that are hashed in turn. Recomputed as the data passes: a block of digests a level is held. */
#include "inspectors/verity/tree.h"

#include <openssl/evp.h>

#include "base/num.h"
#include "source/window.h"

enum {
	LEVELS = 12, /* of 512-byte blocks and 64-byte digests: 8 each, more than 2^36 blocks of data */
	WINDOW = 1 << 20,
};

struct level {
	uint8_t *block;
	size_t used;
	uint64_t n; /* blocks finished */
	uint64_t count; /* blocks it will have */
	uint64_t off; /* of its first block in the stored tree */
	uint64_t differs; /* first block that the stored tree has otherwise; UINT64_MAX: none */
	uint64_t entry; /* and the digest in it */
};

struct tree {
	struct gh_ctx *ctx;
	struct gh_source *src;
	const struct tree_parameters *p;
	EVP_MD_CTX *salted, *md; /* salted: after the salt */
	size_t width; /* of a digest in a block */
	unsigned n_levels;
	struct level level[LEVELS];
	struct gh_window stored;
	uint8_t top[TREE_DIGEST_MAX];
	uint8_t zero[TREE_DIGEST_MAX]; /* digest of a block of zeros, once it is known */
	bool has_zero, tree_there;
};

static bool block_hash(struct tree *t, const uint8_t *p, size_t n, uint8_t *ret)
{
	return EVP_MD_CTX_copy_ex(t->md, t->salted) == 1 && EVP_DigestUpdate(t->md, p, n) == 1 &&
	       EVP_DigestFinal_ex(t->md, ret, NULL) == 1;
}

static bool is_zero(const uint8_t *p, size_t n)
{
	return !p[0] && !memcmp(p, p + 1, n - 1);
}

/* Much of a partition is empty: the digest of such a block is computed once. */
static bool data_hash(struct tree *t, const uint8_t *p, uint8_t *ret)
{
	size_t n = t->p->data_block;
	bool zero = is_zero(p, n);
	if (zero && t->has_zero) {
		memcpy(ret, t->zero, t->p->digest_len);
		return true;
	}
	if (!block_hash(t, p, n, ret))
		return false;
	if (zero)
		memcpy(t->zero, ret, t->p->digest_len);
	t->has_zero |= zero;
	return true;
}

/* ---- levels ---- */

static enum gh_code stored_compare(struct tree *t, struct level *l, struct gh_err *err)
{
	const uint8_t *p;
	size_t n = t->p->hash_block;
	if (!t->tree_there || l->differs != UINT64_MAX)
		return GH_OK;
	enum gh_code code = gh_window_get(&t->stored, t->ctx->arena, l->off + l->n * n, n, &p, err);
	if (code || !memcmp(p, l->block, n))
		return code;
	l->differs = l->n;
	while (!memcmp(p + l->entry * t->width, l->block + l->entry * t->width, t->width))
		l->entry++;
	return GH_OK;
}

static enum gh_code digest_add(struct tree *t, unsigned k, const uint8_t *sum, struct gh_err *err);

static enum gh_code block_close(struct tree *t, unsigned k, struct gh_err *err)
{
	struct level *l = &t->level[k];
	uint8_t sum[TREE_DIGEST_MAX];
	memset(l->block + l->used, 0, t->p->hash_block - l->used);
	enum gh_code code = stored_compare(t, l, err);
	if (code)
		return code;
	if (!block_hash(t, l->block, t->p->hash_block, sum))
		return gh_fail(err, GH_NOMEM, l->off, "a digest could not be computed");
	l->used = 0;
	l->n++;
	return digest_add(t, k + 1, sum, err);
}

static enum gh_code digest_add(struct tree *t, unsigned k, const uint8_t *sum, struct gh_err *err)
{
	if (k == t->n_levels) {
		memcpy(t->top, sum, t->p->digest_len);
		return GH_OK;
	}
	struct level *l = &t->level[k];
	memcpy(l->block + l->used, sum, t->p->digest_len);
	memset(l->block + l->used + t->p->digest_len, 0, t->width - t->p->digest_len);
	l->used += t->width;
	return l->used == t->p->hash_block ? block_close(t, k, err) : GH_OK;
}

/* How many levels, and where each lies: the one next to the root comes first. */
static enum gh_code levels_lay(struct tree *t, struct gh_err *err)
{
	uint64_t n = t->p->data_size / t->p->data_block, per = t->p->hash_block / t->width, off = t->p->tree_off,
		 size = 0;
	while (n > 1) {
		if (t->n_levels == LEVELS)
			return gh_fail(err, GH_LIMIT, off, "a hash tree of more than %d levels", LEVELS);
		struct level *l = &t->level[t->n_levels++];
		n = n / per + (n % per != 0);
		*l = (struct level){
			.block = gh_alloc_raw(t->ctx->arena, t->p->hash_block), .count = n, .differs = UINT64_MAX};
		if (!l->block)
			return gh_fail(err, GH_NOMEM, off, "no memory for a hash tree");
		size += n * t->p->hash_block;
	}
	t->tree_there = t->p->tree_size >= size && gh_within(off, size, t->src->size);
	for (unsigned k = t->n_levels; k-- > 0;) {
		t->level[k].off = off;
		off += t->level[k].count * t->p->hash_block;
	}
	return GH_OK;
}

/* ---- passes ---- */

static enum gh_code data_pass(struct tree *t, struct gh_err *err)
{
	struct gh_window w = {.src = t->src, .cap = WINDOW, .step = WINDOW};
	uint8_t sum[TREE_DIGEST_MAX];
	for (uint64_t at = 0; at < t->p->data_size;) {
		const uint8_t *p;
		size_t n = (size_t)gh_min(WINDOW, t->p->data_size - at);
		enum gh_code code = gh_spend_steps(t->ctx->budget, n / t->p->data_block, at, err);
		if (code == GH_OK)
			code = gh_window_get(&w, t->ctx->arena, at, n, &p, err);
		for (size_t i = 0; i < n && code == GH_OK; i += t->p->data_block)
			code = data_hash(t, p + i, sum) ? digest_add(t, 0, sum, err)
							: gh_fail(err, GH_NOMEM, at, "a digest could not be computed");
		if (code)
			return code;
		at += n;
	}
	/* Upwards: what a level has begun is closed before the level above is. */
	for (unsigned k = 0; k < t->n_levels; k++)
		if (t->level[k].used) {
			enum gh_code code = block_close(t, k, err);
			if (code)
				return code;
		}
	return GH_OK;
}

/* Does the stored tree hold together, from its leaves' blocks up to that root? Level by level against the one above. */
static enum gh_code stored_pass(struct tree *t, bool *ret, struct gh_err *err)
{
	uint8_t sum[TREE_DIGEST_MAX];
	*ret = t->tree_there;
	for (unsigned k = t->n_levels; *ret && k-- > 0;) {
		const struct level *l = &t->level[k];
		uint64_t per = t->p->hash_block / t->width;
		struct gh_window w = {.src = t->src, .cap = WINDOW, .step = WINDOW}, above = w;
		for (uint64_t i = 0; i < l->count && *ret; i++) {
			const uint8_t *p, *want = t->p->root;
			enum gh_code code = gh_spend_steps(t->ctx->budget, 1, l->off, err);
			if (code == GH_OK)
				code = gh_window_get(
					&w, t->ctx->arena, l->off + i * t->p->hash_block, t->p->hash_block, &p, err);
			if (code == GH_OK && k + 1 < t->n_levels)
				code = gh_window_get(&above, t->ctx->arena,
					t->level[k + 1].off + i / per * t->p->hash_block + i % per * t->width, t->width,
					&want, err);
			if (code)
				return code;
			*ret = block_hash(t, p, t->p->hash_block, sum) && !memcmp(sum, want, t->p->digest_len);
		}
	}
	return GH_OK;
}

static enum gh_code run(struct tree *t, struct tree_result *r, struct gh_err *err)
{
	const struct tree_parameters *p = t->p;
	if (!t->md || !t->salted || EVP_DigestInit_ex(t->salted, p->md, NULL) != 1 ||
		EVP_DigestUpdate(t->salted, p->salt, p->salt_len) != 1)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a hash tree");
	enum gh_code code = levels_lay(t, err);
	if (code == GH_OK)
		code = data_pass(t, err);
	if (code)
		return code;
	memcpy(r->root, t->top, p->digest_len);
	r->good = !memcmp(t->top, p->root, p->digest_len);
	r->stored_same = t->tree_there;
	for (unsigned k = 0; k < t->n_levels; k++)
		if (t->level[k].differs != UINT64_MAX) {
			r->stored_same = false;
			r->first_other = gh_min(r->first_other, t->level[k].off + t->level[k].differs * p->hash_block);
		}
	if (r->stored_same || !t->tree_there) {
		r->stored_good = r->good && t->tree_there;
		return GH_OK;
	}
	code = stored_pass(t, &r->stored_good, err);
	if (code == GH_OK && r->stored_good && t->n_levels && t->level[0].differs != UINT64_MAX)
		r->first_bad = t->level[0].differs * (p->hash_block / t->width) + t->level[0].entry;
	return code;
}

enum gh_code tree_check(struct gh_ctx *ctx, struct gh_source *src, const struct tree_parameters *p,
	struct tree_result *ret, struct gh_err *err)
{
	struct tree *t = gh_alloc(ctx->arena, sizeof *t);
	*ret = (struct tree_result){.first_bad = UINT64_MAX, .first_other = UINT64_MAX};
	if (!t)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a hash tree");
	*t = (struct tree){.ctx = ctx, .src = src, .p = p, .width = 1};
	while (t->width < p->digest_len)
		t->width *= 2;
	t->stored = (struct gh_window){.src = src, .cap = WINDOW, .step = p->hash_block};
	t->salted = EVP_MD_CTX_new();
	t->md = EVP_MD_CTX_new();
	enum gh_code code = run(t, ret, err);
	EVP_MD_CTX_free(t->salted);
	EVP_MD_CTX_free(t->md);
	return code;
}
