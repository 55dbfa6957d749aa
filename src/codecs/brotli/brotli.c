/* SPDX-License-Identifier: Apache-2.0 */
/* Brotli by libbrotlidec: see brotli.h. Windows are those of RFC 7932, 16 MiB at most: the library's "large window" stays off. */
#include "codecs/brotli/brotli.h"

#include <brotli/decode.h>

struct brotli {
	BrotliDecoderState *d;
};

static void *brotli_alloc(void *pool, size_t n)
{
	return gh_pool_alloc(pool, n);
}

static void brotli_free(void *pool, void *p)
{
	gh_pool_free(pool, p);
}

static enum gh_code brotli_begin(struct gh_flow *f, void *self, struct gh_err *err)
{
	struct brotli *b = self;
	if (b->d || !f->n)
		return GH_END;
	b->d = BrotliDecoderCreateInstance(brotli_alloc, brotli_free, &f->pool);
	return b->d ? GH_OK : gh_flow_no_memory(f, "brotli", 0, err);
}

static enum gh_code brotli_failed(struct gh_flow *f, const struct brotli *b, struct gh_err *err)
{
	BrotliDecoderErrorCode e = BrotliDecoderGetErrorCode(b->d);
	if (e <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && e >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
		return gh_flow_no_memory(f, "brotli", 0, err);
	return gh_fail(err, GH_BAD, f->at, "the brotli stream is damaged: %s", BrotliDecoderErrorString(e));
}

static enum gh_code brotli_step(struct gh_flow *f, void *self, struct gh_err *err)
{
	struct brotli *b = self;
	switch (BrotliDecoderDecompressStream(b->d, &f->n, &f->in, &f->room, &f->out, NULL)) {
	case BROTLI_DECODER_RESULT_SUCCESS:
		return GH_END;
	case BROTLI_DECODER_RESULT_ERROR:
		return brotli_failed(f, b, err);
	default:
		return GH_OK;
	}
}

static void brotli_end(struct gh_flow *f, void *self)
{
	(void)f;
	if (((struct brotli *)self)->d)
		BrotliDecoderDestroyInstance(((struct brotli *)self)->d);
}

static const struct gh_codec brotli_codec = {"brotli", brotli_begin, brotli_step, brotli_end};

enum gh_code gh_brotli_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err)
{
	struct brotli b = {0};
	return gh_flow_whole(ctx, &brotli_codec, &b, in, n, out, cap, ret_n, at, err);
}

enum gh_code gh_brotli_pour(struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, uint64_t most,
	struct gh_sink *sink, struct gh_unpacked *ret, struct gh_err *err)
{
	struct brotli b = {0};
	return gh_flow_pour(ctx, &brotli_codec, &b, src, off, n, most, sink, ret, err);
}
