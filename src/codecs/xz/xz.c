/* SPDX-License-Identifier: Apache-2.0 */
/* xz and the LZMA kinds by liblzma: see xz.h. */
#include "codecs/xz/xz.h"

#include <lzma.h>

#include "base/num.h"

enum {
	/* A dictionary of 128 MiB: twice that of `xz -9`; headers may ask for 4 GiB. */
	DICT_MAX = 128 << 20,
	MEMORY = DICT_MAX + (1 << 20),
};

enum kind { XZ, ALONE, BLOCK, LZMA1, MICRO };

struct xz {
	enum kind kind;
	lzma_stream z;
	lzma_allocator alloc;
	const struct gh_lzma1 *lzma1; /* LZMA1 */
	lzma_block block; /* BLOCK */
	lzma_filter filters[LZMA_FILTERS_MAX + 1];
	unsigned check;
	uint64_t packed, unpacked; /* MICRO */
	bool exact;
	bool begun; /* a stream was */
	bool told; /* that the check is not known */
	const char *name;
};

static void *xz_alloc(void *pool, size_t n, size_t size)
{
	size_t total;
	return __builtin_mul_overflow(n, size, &total) ? NULL : gh_pool_alloc(pool, total);
}

static void xz_free(void *pool, void *p)
{
	gh_pool_free(pool, p);
}

static enum gh_code xz_code(struct gh_flow *f, struct xz *x, lzma_ret z, struct gh_err *err)
{
	switch (z) {
	case LZMA_OK:
	case LZMA_BUF_ERROR: /* no progress: the windows see to it */
	case LZMA_NO_CHECK:
		return GH_OK;
	case LZMA_STREAM_END:
		return GH_END;
	case LZMA_UNSUPPORTED_CHECK:
		if (!x->told)
			gh_note(f->ctx, GH_UNSUP, f->at,
				"the check of the xz stream is of an unknown type: not verified");
		x->told = true;
		return GH_OK;
	case LZMA_MEM_ERROR:
		return gh_flow_no_memory(f, x->name, 0, err);
	case LZMA_MEMLIMIT_ERROR:
		return gh_fail(err, GH_LIMIT, f->at, "%s needs %llu bytes of memory, %d are allowed", x->name,
			(unsigned long long)lzma_memusage(&x->z), MEMORY);
	case LZMA_OPTIONS_ERROR:
		return gh_fail(err, GH_UNSUP, f->at, "%s with filters or options that are not supported", x->name);
	case LZMA_FORMAT_ERROR:
		return gh_fail(err, GH_BAD, f->at, "no %s header", x->name);
	case LZMA_DATA_ERROR:
		return gh_fail(err, GH_BAD, f->at, "the %s stream is damaged", x->name);
	default:
		return gh_fail(err, GH_BAD, f->at, "liblzma refuses the %s stream (%d)", x->name, (int)z);
	}
}

/* ---- where a stream begins ---- */

/* Zeros between and behind streams: all that lie at hand and are a multiple of four. */
static uint64_t padding(const struct gh_flow *f)
{
	size_t n = 0;
	while (n < f->n && !f->in[n])
		n++;
	return n & ~(size_t)3;
}

static enum gh_code alone_begin(struct gh_flow *f, struct xz *x, struct gh_err *err)
{
	x->begun = true;
	return xz_code(f, x, lzma_alone_decoder(&x->z, MEMORY), err);
}

static enum gh_code block_begin(struct gh_flow *f, struct xz *x, struct gh_err *err)
{
	x->begun = true;
	x->block = (lzma_block){.version = 1, .check = (lzma_check)x->check, .filters = x->filters};
	x->block.header_size = lzma_block_header_size_decode(f->in[0]);
	if (!f->in[0])
		return gh_fail(err, GH_BAD, f->at, "an index where an xz block is stated");
	if (f->n < x->block.header_size)
		return gh_fail(err, GH_SHORT, f->at, "the header of an xz block is cut off");
	x->filters[0].id = LZMA_VLI_UNKNOWN;
	lzma_ret z = lzma_block_header_decode(&x->block, &x->alloc, f->in);
	if (z != LZMA_OK)
		return xz_code(f, x, z, err);
	uint64_t need = lzma_raw_decoder_memusage(x->filters);
	if (need > MEMORY)
		return gh_fail(err, GH_LIMIT, f->at, "%s needs %llu bytes of memory, %d are allowed", x->name,
			(unsigned long long)need, MEMORY);
	f->in += x->block.header_size;
	f->n -= x->block.header_size;
	f->at += x->block.header_size;
	return xz_code(f, x, lzma_block_decoder(&x->z, &x->block), err);
}

static enum gh_code lzma1_begin(struct gh_flow *f, struct xz *x, struct gh_err *err)
{
	lzma_options_lzma o = {.dict_size = x->lzma1->dict, .lc = x->lzma1->lc, .lp = x->lzma1->lp, .pb = x->lzma1->pb};
	if (o.lc > LZMA_LCLP_MAX || o.lp > LZMA_LCLP_MAX - o.lc || o.pb > LZMA_PB_MAX)
		return gh_fail(err, GH_UNSUP, f->at, "lzma with lc %u, lp %u, pb %u", o.lc, o.lp, o.pb);
	lzma_set_ext_size(o, x->unpacked);
	lzma_filter filters[2] = {{LZMA_FILTER_LZMA1EXT, &o}, {LZMA_VLI_UNKNOWN, NULL}};
	return xz_code(f, x, lzma_raw_decoder(&x->z, filters), err);
}

static enum gh_code xz_begin(struct gh_flow *f, void *self, struct gh_err *err)
{
	static const uint8_t magic[6] = {0xfd, '7', 'z', 'X', 'Z', 0};
	struct xz *x = self;
	x->alloc = (lzma_allocator){xz_alloc, xz_free, &f->pool};
	x->z.allocator = &x->alloc;
	switch (x->kind) {
	case XZ:
		f->skip = x->begun ? padding(f) : 0;
		if (f->skip)
			return GH_OK;
		if (f->n < sizeof magic || memcmp(f->in, magic, sizeof magic) != 0)
			return GH_END;
		x->begun = true;
		return xz_code(f, x, lzma_stream_decoder(&x->z, MEMORY, LZMA_TELL_UNSUPPORTED_CHECK), err);
	case ALONE:
		return x->begun ? GH_END : alone_begin(f, x, err);
	case BLOCK:
		return x->begun || !f->n ? GH_END : block_begin(f, x, err);
	case LZMA1:
		return lzma1_begin(f, x, err);
	default:
		return xz_code(f, x,
			lzma_microlzma_decoder(
				&x->z, x->packed, x->unpacked, x->exact, (uint32_t)gh_min(x->lzma1->dict, DICT_MAX)),
			err);
	}
}

static enum gh_code xz_step(struct gh_flow *f, void *self, struct gh_err *err)
{
	struct xz *x = self;
	x->z.next_in = f->in;
	x->z.avail_in = f->n;
	x->z.next_out = f->out;
	x->z.avail_out = f->room;
	lzma_ret z = lzma_code(&x->z, f->last ? LZMA_FINISH : LZMA_RUN);
	f->in = x->z.next_in;
	f->n = x->z.avail_in;
	f->out = x->z.next_out;
	f->room = x->z.avail_out;
	return xz_code(f, x, z, err);
}

static void xz_end(struct gh_flow *f, void *self)
{
	(void)f;
	lzma_end(&((struct xz *)self)->z);
}

static const struct gh_codec xz_codec = {"xz", xz_begin, xz_step, xz_end};
static const struct gh_codec lzma_codec = {"lzma", xz_begin, xz_step, xz_end};

static struct xz xz_make(enum kind kind)
{
	return (struct xz){.kind = kind, .z = LZMA_STREAM_INIT, .name = kind == XZ || kind == BLOCK ? "xz" : "lzma"};
}

/* ---- for others ---- */

enum gh_code gh_xz_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err)
{
	struct xz x = xz_make(XZ);
	return gh_flow_whole(ctx, &xz_codec, &x, in, n, out, cap, ret_n, at, err);
}

enum gh_code gh_xz_pour(struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, uint64_t most,
	struct gh_sink *sink, struct gh_unpacked *ret, struct gh_err *err)
{
	struct xz x = xz_make(XZ);
	return gh_flow_pour(ctx, &xz_codec, &x, src, off, n, most, sink, ret, err);
}

enum gh_code gh_lzma_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err)
{
	struct xz x = xz_make(ALONE);
	return gh_flow_whole(ctx, &lzma_codec, &x, in, n, out, cap, ret_n, at, err);
}

enum gh_code gh_lzma_pour(struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, uint64_t most,
	struct gh_sink *sink, struct gh_unpacked *ret, struct gh_err *err)
{
	struct xz x = xz_make(ALONE);
	return gh_flow_pour(ctx, &lzma_codec, &x, src, off, n, most, sink, ret, err);
}

enum gh_code gh_xz_block(struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, unsigned check,
	struct gh_sink *sink, struct gh_unpacked *ret, struct gh_err *err)
{
	struct xz x = xz_make(BLOCK);
	x.check = check;
	return gh_flow_pour(ctx, &xz_codec, &x, src, off, n, UINT64_MAX, sink, ret, err);
}

/* What must give exactly cap bytes. */
static enum gh_code exactly(enum gh_code code, size_t got, size_t cap, uint64_t at, struct gh_err *err)
{
	if (code == GH_OK && got != cap)
		return gh_fail(err, GH_BAD, at, "lzma gives %zu bytes, %zu are declared", got, cap);
	return code;
}

enum gh_code gh_lzma1_whole(struct gh_ctx *ctx, const struct gh_lzma1 *how, const uint8_t *in, size_t n, uint8_t *out,
	size_t cap, size_t *ret_n, uint64_t at, struct gh_err *err)
{
	struct xz x = xz_make(LZMA1);
	/* What comes is never longer than cap, nor does it reach further back. */
	struct gh_lzma1 bounded = *how;
	bounded.dict = (uint32_t)gh_min(gh_max(gh_min(how->dict, cap), 4096), DICT_MAX);
	x.lzma1 = &bounded;
	x.unpacked = cap;
	enum gh_code code = gh_flow_whole(ctx, &lzma_codec, &x, in, n, out, cap, ret_n, at, err);
	return exactly(code, *ret_n, cap, at, err);
}

enum gh_code gh_microlzma_whole(struct gh_ctx *ctx, uint32_t dict, bool exact, const uint8_t *in, size_t n,
	uint8_t *out, size_t cap, size_t *ret_n, uint64_t at, struct gh_err *err)
{
	struct xz x = xz_make(MICRO);
	struct gh_lzma1 how = {.dict = dict};
	x.lzma1 = &how;
	x.packed = n;
	x.unpacked = cap;
	x.exact = exact;
	enum gh_code code = gh_flow_whole(ctx, &lzma_codec, &x, in, n, out, cap, ret_n, at, err);
	return exactly(code, *ret_n, cap, at, err);
}
