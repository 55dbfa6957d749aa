/* SPDX-License-Identifier: Apache-2.0 */
/* bzip2 by libbz2: see bzip2.h. A stream needs 3.7 MB at most, whatever its header says. */
#include "codecs/bzip2/bzip2.h"

#include <bzlib.h>

#include "base/num.h"

enum { CALL_MAX = 1 << 30 }; /* the library counts in unsigned int */

struct bzip2 {
	bz_stream z;
	bool open;
};

static void *bzip2_alloc(void *pool, int n, int size)
{
	size_t total;
	return n < 0 || size < 0 || __builtin_mul_overflow((size_t)n, (size_t)size, &total)
		       ? NULL
		       : gh_pool_alloc(pool, total);
}

static void bzip2_free(void *pool, void *p)
{
	gh_pool_free(pool, p);
}

static void bzip2_end(struct gh_flow *f, void *self)
{
	struct bzip2 *b = self;
	(void)f;
	if (b->open)
		BZ2_bzDecompressEnd(&b->z);
	b->open = false;
}

static enum gh_code bzip2_begin(struct gh_flow *f, void *self, struct gh_err *err)
{
	struct bzip2 *b = self;
	if (f->n < 4 || memcmp(f->in, "BZh", 3) != 0 || f->in[3] < '1' || f->in[3] > '9')
		return GH_END;
	bzip2_end(f, self);
	b->z = (bz_stream){.bzalloc = bzip2_alloc, .bzfree = bzip2_free, .opaque = &f->pool};
	if (BZ2_bzDecompressInit(&b->z, 0, 0) != BZ_OK)
		return gh_flow_no_memory(f, "bzip2", 0, err);
	b->open = true;
	return GH_OK;
}

static enum gh_code bzip2_step(struct gh_flow *f, void *self, struct gh_err *err)
{
	struct bzip2 *b = self;
	unsigned n = (unsigned)gh_min(f->n, CALL_MAX), room = (unsigned)gh_min(f->room, CALL_MAX);
	b->z.next_in = (char *)f->in; /* the library's type; it only reads there */
	b->z.avail_in = n;
	b->z.next_out = (char *)f->out;
	b->z.avail_out = room;
	int code = BZ2_bzDecompress(&b->z);
	f->in += n - b->z.avail_in;
	f->n -= n - b->z.avail_in;
	f->out += room - b->z.avail_out;
	f->room -= room - b->z.avail_out;
	switch (code) {
	case BZ_OK:
		return GH_OK;
	case BZ_STREAM_END:
		return GH_END;
	case BZ_MEM_ERROR:
		return gh_flow_no_memory(f, "bzip2", 0, err);
	default:
		return gh_fail(err, GH_BAD, f->at, "the bzip2 stream is damaged (%d)", code);
	}
}

static const struct gh_codec bzip2_codec = {"bzip2", bzip2_begin, bzip2_step, bzip2_end};

enum gh_code gh_bzip2_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err)
{
	struct bzip2 b = {0};
	return gh_flow_whole(ctx, &bzip2_codec, &b, in, n, out, cap, ret_n, at, err);
}

enum gh_code gh_bzip2_pour(struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, uint64_t most,
	struct gh_sink *sink, struct gh_unpacked *ret, struct gh_err *err)
{
	struct bzip2 b = {0};
	return gh_flow_pour(ctx, &bzip2_codec, &b, src, off, n, most, sink, ret, err);
}
