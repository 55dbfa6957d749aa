/* SPDX-License-Identifier: Apache-2.0 */
/* Zstandard by libzstd: see zstd.h. Only ZSTD_createDCtx_advanced() takes an allocator; it is exported, though called unstable. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

#include "base/num.h"
#include "codecs/zstd/zstd.h"

enum {
	MAGIC_SKIP = 0x184d2a50, /* the lowest four bits are free */
	WINDOW_LOG_MAX = 27,
};

static const uint32_t MAGIC = 0xfd2fb528;

struct zstd {
	ZSTD_DCtx *d;
	uint64_t window;
	size_t hint; /* bytes up to the end of the header or block at hand */
};

/* Content size of 1, 2, 4 or 8 bytes as the descriptor says; two bytes count from 256. */
static void content_size(struct gh_cursor *c, unsigned descriptor, struct gh_zstd_frame *ret)
{
	bool single = descriptor & 0x20;
	ret->sized = true;
	switch (descriptor >> 6) {
	case 0:
		ret->sized = single;
		ret->size = single ? gh_u8(c) : 0;
		break;
	case 1:
		ret->size = gh_u16(c) + 256u;
		break;
	case 2:
		ret->size = gh_u32(c);
		break;
	default:
		ret->size = gh_u64(c);
	}
	if (single)
		ret->window = ret->size;
}

enum gh_code gh_zstd_frame(const uint8_t *p, size_t n, uint64_t at, struct gh_zstd_frame *ret, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(p, n, at);
	uint32_t magic = gh_u32(&c);
	*ret = (struct gh_zstd_frame){0};
	if (c.bad || (magic != MAGIC && (magic & ~15u) != MAGIC_SKIP))
		return GH_END;
	if (magic != MAGIC) {
		ret->skippable = true;
		ret->size = 8 + (uint64_t)gh_u32(&c);
		return gh_cursor_check(&c, "the header of a skippable frame", err);
	}
	unsigned descriptor = gh_u8(&c);
	if (descriptor & 8)
		return gh_fail(err, GH_BAD, at + 4, "a reserved bit of the zstd frame is set");
	if (!(descriptor & 0x20)) {
		unsigned w = gh_u8(&c);
		uint64_t base = 1ull << (10 + (w >> 3));
		ret->window = base + base / 8 * (w & 7);
	}
	unsigned id = descriptor & 3;
	ret->dict = id == 0 ? 0 : id == 1 ? gh_u8(&c) : id == 2 ? gh_u16(&c) : gh_u32(&c);
	content_size(&c, descriptor, ret);
	ret->header = c.i;
	return gh_cursor_check(&c, "the header of a zstd frame", err);
}

static enum gh_code zstd_code(struct gh_flow *f, const struct zstd *z, size_t got, struct gh_err *err)
{
	ZSTD_ErrorCode e = ZSTD_getErrorCode(got);
	if (e == ZSTD_error_memory_allocation)
		return gh_flow_no_memory(f, "zstd", z->window, err);
	return gh_fail(err, GH_BAD, f->at, "the zstd frame is damaged: %s", ZSTD_getErrorString(e));
}

static void *zstd_alloc(void *pool, size_t n)
{
	return gh_pool_alloc(pool, n);
}

static void zstd_free(void *pool, void *p)
{
	gh_pool_free(pool, p);
}

static enum gh_code zstd_make(struct gh_flow *f, struct zstd *z, struct gh_err *err)
{
	if (!z->d)
		z->d = ZSTD_createDCtx_advanced((ZSTD_customMem){zstd_alloc, zstd_free, &f->pool});
	if (!z->d)
		return gh_flow_no_memory(f, "zstd", 0, err);
	ZSTD_DCtx_reset(z->d, ZSTD_reset_session_only);
	ZSTD_DCtx_setParameter(z->d, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	return GH_OK;
}

static enum gh_code zstd_begin(struct gh_flow *f, void *self, struct gh_err *err)
{
	struct zstd *z = self;
	struct gh_zstd_frame h;
	enum gh_code code = gh_zstd_frame(f->in, f->n, f->at, &h, err);
	if (code)
		return code;
	if (h.skippable) {
		f->skip = h.size;
		return GH_OK;
	}
	if (h.dict)
		return gh_fail(err, GH_UNSUP, f->at + 5, "a zstd frame that needs dictionary %u", h.dict);
	if (h.window > GH_ZSTD_WINDOW_MAX)
		return gh_fail(err, GH_LIMIT, f->at + 5, "a zstd window of %llu bytes, %d are allowed",
			(unsigned long long)h.window, GH_ZSTD_WINDOW_MAX);
	z->window = h.window;
	z->hint = h.header;
	return zstd_make(f, z, err);
}

static enum gh_code zstd_step(struct gh_flow *f, void *self, struct gh_err *err)
{
	struct zstd *z = self;
	/* No more than a block at once: of a call that fails the library does not tell what it delivered before. */
	ZSTD_inBuffer in = {f->in, (size_t)gh_min(f->n, z->hint), 0};
	ZSTD_outBuffer out = {f->out, f->room, 0};
	size_t got = ZSTD_decompressStream(z->d, &out, &in);
	f->in += in.pos;
	f->n -= in.pos;
	f->out += out.pos;
	f->room -= out.pos;
	if (ZSTD_isError(got))
		return zstd_code(f, z, got, err);
	z->hint = got;
	return got == 0 ? GH_END : GH_OK;
}

static void zstd_end(struct gh_flow *f, void *self)
{
	(void)f;
	ZSTD_freeDCtx(((struct zstd *)self)->d);
}

static const struct gh_codec zstd_codec = {"zstd", zstd_begin, zstd_step, zstd_end};

/* The way without a window, for a single frame that fits. GH_END: that is not so, or something is wrong with it. */
static enum gh_code zstd_at_once(
	struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n)
{
	struct gh_zstd_frame h;
	size_t size = ZSTD_findFrameCompressedSize(in, n);
	if (ZSTD_isError(size) || gh_zstd_frame(in, n, 0, &h, NULL) || h.skippable || h.dict)
		return GH_END;
	struct gh_pool pool = {.arena = ctx->arena};
	ZSTD_DCtx *d = ZSTD_createDCtx_advanced((ZSTD_customMem){zstd_alloc, zstd_free, &pool});
	size_t got = d ? ZSTD_decompressDCtx(d, out, cap, in, size) : 0;
	ZSTD_freeDCtx(d);
	if (!d || ZSTD_isError(got))
		return GH_END;
	*ret_n = got;
	return GH_OK;
}

enum gh_code gh_zstd_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err)
{
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	enum gh_code code = zstd_at_once(ctx, in, n, out, cap, ret_n);
	gh_arena_release(ctx->arena, mark);
	if (code != GH_END)
		return code;
	struct zstd z = {0};
	return gh_flow_whole(ctx, &zstd_codec, &z, in, n, out, cap, ret_n, at, err);
}

enum gh_code gh_zstd_pour(struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, uint64_t most,
	struct gh_sink *sink, struct gh_unpacked *ret, struct gh_err *err)
{
	struct zstd z = {0};
	return gh_flow_pour(ctx, &zstd_codec, &z, src, off, n, most, sink, ret, err);
}
