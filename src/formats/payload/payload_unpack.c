/* SPDX-License-Identifier: Apache-2.0 */
/* What operations deliver: data as it lies there, or packed by bzip2, xz, zstd; its SHA-256 is checked before any of it is given. */
#include <openssl/evp.h>

#include "base/num.h"
#include "codecs/bzip2/bzip2.h"
#include "codecs/xz/xz.h"
#include "codecs/zstd/zstd.h"
#include "formats/payload/payload.h"

enum {
	PIECE = 256 << 10, /* of data that is hashed */
	/* Unpacked operations that are kept: a directory, its inodes and the files they lead to lie in different ones. */
	KEEP_BYTES = 24 << 20, /* a chain of containers may have 112 MiB, 64 of them for one whole member */
	KEEP_MAX = 12,
};

static uint64_t quiet_emit(struct gh_ctx *ctx, enum gh_table table, uint64_t at, const void *row)
{
	(void)ctx, (void)table, (void)at, (void)row;
	return 0;
}

static void quiet_note(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *what)
{
	(void)ctx, (void)code, (void)at, (void)what;
}

/* The piece that holds off. */
static struct payload_piece *piece_at(struct payload_pieces *s, uint64_t off)
{
	size_t lo = 0, hi = s->n;
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;
		if (s->list[mid].at <= off)
			lo = mid;
		else
			hi = mid;
	}
	return &s->list[lo];
}

/* ---- digests ---- */

static enum gh_code differs(const struct payload_piece *p, struct gh_err *err)
{
	return gh_fail(
		err, GH_BAD, p->data, "operation %u: the SHA-256 of its data is not the one in the manifest", p->op);
}

static enum gh_code judge(struct payload_piece *p, const uint8_t sum[32], struct gh_err *err)
{
	p->verdict = memcmp(sum, p->sha256, 32) == 0 ? PAYLOAD_GOOD : PAYLOAD_DIFFERS;
	return p->verdict == PAYLOAD_GOOD ? GH_OK : differs(p, err);
}

static enum gh_code check_memory(struct payload_piece *p, const uint8_t *data, struct gh_err *err)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	if (p->verdict == PAYLOAD_DIFFERS)
		return differs(p, err);
	if (p->verdict == PAYLOAD_GOOD || !p->sha256)
		return GH_OK;
	if (EVP_Digest(data, p->length, sum, NULL, EVP_sha256(), NULL) != 1)
		return gh_fail(err, GH_NOMEM, p->data, "no memory to hash");
	return judge(p, sum, err);
}

static enum gh_code hash_source(
	struct payload_pieces *s, const struct payload_piece *p, EVP_MD_CTX *md, uint8_t *buf, struct gh_err *err)
{
	for (uint64_t off = 0; off < p->length; off += PIECE) {
		size_t n = (size_t)gh_min(PIECE, p->length - off);
		enum gh_code code = gh_read(s->src, p->data + off, buf, n, err);
		if (code)
			return code;
		EVP_DigestUpdate(md, buf, n);
	}
	return GH_OK;
}

static enum gh_code check_source(struct payload_pieces *s, struct payload_piece *p, struct gh_err *err)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	if (p->verdict == PAYLOAD_DIFFERS)
		return differs(p, err);
	if (p->verdict == PAYLOAD_GOOD || !p->sha256)
		return GH_OK;
	struct gh_mark mark = gh_arena_mark(s->arena);
	uint8_t *buf = gh_alloc_raw(s->arena, (size_t)gh_min(PIECE, p->length));
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	enum gh_code code = GH_OK;
	if (!buf || !md || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		code = gh_fail(err, GH_NOMEM, p->data, "no memory to hash");
	if (code == GH_OK)
		code = hash_source(s, p, md, buf, err);
	if (code == GH_OK && EVP_DigestFinal_ex(md, sum, NULL) != 1)
		code = gh_fail(err, GH_NOMEM, p->data, "no memory to hash");
	EVP_MD_CTX_free(md);
	gh_arena_release(s->arena, mark);
	return code ? code : judge(p, sum, err);
}

/* ---- as it lies there ---- */

struct plain {
	struct gh_source base;
	struct payload_pieces *s;
};

static enum gh_code plain_read(struct gh_source *self, uint64_t off, void *buf, size_t n, struct gh_err *err)
{
	struct payload_pieces *s = ((struct plain *)self)->s;
	uint8_t *to = buf;
	while (n) {
		struct payload_piece *p = piece_at(s, off);
		uint64_t skip = off - p->at;
		size_t step = (size_t)gh_min(n, p->size - skip);
		enum gh_code code = check_source(s, p, err);
		if (code == GH_OK)
			code = gh_read(s->src, p->data + skip, to, step, err);
		if (code)
			return code;
		to += step;
		off += step;
		n -= step;
	}
	return GH_OK;
}

static enum gh_code plain_run(struct gh_source *self, uint64_t off, struct gh_run *ret, struct gh_err *err)
{
	struct payload_pieces *s = ((struct plain *)self)->s;
	struct payload_piece *p = piece_at(s, off);
	enum gh_code code = gh_run_at(s->src, p->data + (off - p->at), ret, err);
	if (code == GH_OK)
		ret->len = gh_min(ret->len, p->size - (off - p->at));
	return code;
}

struct gh_source *payload_plain(struct payload_pieces *s)
{
	static const struct gh_source_ops ops = {.read = plain_read, .run = plain_run};
	struct plain *p = gh_alloc(s->arena, sizeof *p);
	if (!p)
		return NULL;
	*p = (struct plain){{&ops, s->size}, s};
	return &p->base;
}

/* ---- packed ---- */

static enum gh_code packed_find(void *self, uint64_t off, struct gh_block *ret, struct gh_err *err)
{
	struct payload_pieces *s = self;
	(void)err;
	struct payload_piece *p = piece_at(s, off);
	*ret = (struct gh_block){p->at, (uint32_t)p->size, {(uint64_t)(p - s->list)}};
	return GH_OK;
}

static enum gh_code decode(struct gh_ctx *ctx, const struct payload_piece *p, const uint8_t *in, uint8_t *out,
	size_t *ret_n, struct gh_err *err)
{
	size_t n = (size_t)p->length, cap = (size_t)p->size;
	switch (p->type) {
	case PAYLOAD_REPLACE_BZ:
		return gh_bzip2_whole(ctx, in, n, out, cap, ret_n, p->data, err);
	case PAYLOAD_REPLACE_XZ:
		return gh_xz_whole(ctx, in, n, out, cap, ret_n, p->data, err);
	case PAYLOAD_REPLACE_ZSTD:
		return gh_zstd_whole(ctx, in, n, out, cap, ret_n, p->data, err);
	default:
		if (n > cap)
			return gh_fail(err, GH_LIMIT, p->data, "operation %u: more data than it writes", p->op);
		memcpy(out, in, n);
		*ret_n = n;
		return GH_OK;
	}
}

/* The last block of a partition may be filled up with zeros; less than that is not what the operation is to write. */
static enum gh_code fill_up(
	const struct payload_pieces *s, const struct payload_piece *p, uint8_t *out, size_t n, struct gh_err *err)
{
	if (p->size - n >= s->block_size)
		return gh_fail(err, GH_BAD, p->data, "operation %u gives %zu bytes, it is to write %llu", p->op, n,
			(unsigned long long)p->size);
	memset(out + n, 0, (size_t)p->size - n);
	return GH_OK;
}

static enum gh_code packed_unpack(void *self, const struct gh_block *block, uint8_t *out, struct gh_err *err)
{
	static const struct gh_ctx_ops quiet = {quiet_emit, quiet_note};
	struct payload_pieces *s = self;
	struct payload_piece *p = &s->list[block->tag[0]];
	struct gh_budget budget = {block->len, 1 << 10, NULL};
	struct gh_ctx ctx = {s->arena, &budget, &quiet};
	struct gh_mark mark = gh_arena_mark(s->arena);
	const uint8_t *in;
	size_t n = 0;
	enum gh_code code = gh_view(s->src, s->arena, p->data, (size_t)p->length, &in, err);
	if (code == GH_OK)
		code = check_memory(p, in, err);
	if (code == GH_OK)
		code = decode(&ctx, p, in, out, &n, err);
	gh_arena_release(s->arena, mark);
	return code ? code : fill_up(s, p, out, n, err);
}

struct gh_source *payload_packed(struct payload_pieces *s)
{
	static const struct gh_blocks_ops ops = {packed_find, packed_unpack};
	uint32_t max = (uint32_t)s->largest;
	return gh_source_blocks(s->arena, &ops, s, s->size, max, (unsigned)gh_min(KEEP_BYTES / max, KEEP_MAX));
}
