/* SPDX-License-Identifier: Apache-2.0 */
/* DEFLATE and zlib streams from one buffer to another: libdeflate, and zlib where that cannot say how far a stream came. */
#include <libdeflate.h>
#include <zlib.h>

#include "base/num.h"
#include "codecs/deflate/deflate.h"

static void *whole_alloc(void *arena, uInt n, uInt size)
{
	return gh_alloc_array(arena, n, size);
}

static void whole_free(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

/* zlib delivers what comes before an error or the end of out. */
static enum gh_code slow(struct gh_ctx *ctx, int bits, const uint8_t *in, size_t n, uint8_t *out, size_t cap,
	size_t *ret_n, uint64_t at, struct gh_err *err)
{
	enum { PIECE = 1 << 30 }; /* the library counts in unsigned int */
	uint8_t beyond;
	z_stream z = {.zalloc = whole_alloc, .zfree = whole_free, .opaque = ctx->arena, .next_in = (uint8_t *)in};
	if (inflateInit2(&z, bits) != Z_OK)
		return gh_fail(err, GH_NOMEM, at, "no memory to unpack");
	size_t used = 0;
	int code = Z_OK;
	while (code == Z_OK) {
		uInt give = (uInt)gh_min(n - used, PIECE), room = (uInt)gh_min(cap - *ret_n, PIECE);
		bool over = !room;
		z.avail_in = give;
		z.next_out = over ? &beyond : out + *ret_n;
		z.avail_out = over ? 1 : room;
		code = inflate(&z, Z_NO_FLUSH);
		used += give - z.avail_in;
		if (over && !z.avail_out) {
			inflateEnd(&z);
			return gh_fail(err, GH_LIMIT, at + used, "deflate gives more than %zu bytes", cap);
		}
		*ret_n += over ? 0 : room - z.avail_out;
	}
	inflateEnd(&z);
	if (code == Z_STREAM_END)
		return GH_OK;
	if (code == Z_BUF_ERROR)
		return gh_fail(err, GH_SHORT, at + used, "the deflate stream is cut off");
	return gh_fail(err, GH_BAD, at + used, "the deflate stream is damaged: %s", z.msg ? z.msg : "data");
}

static enum gh_code whole(struct gh_ctx *ctx, bool zlib, const uint8_t *in, size_t n, uint8_t *out, size_t cap,
	size_t *ret_n, uint64_t at, struct gh_err *err)
{
	size_t used, made = 0;
	*ret_n = 0;
	/* libdeflate 1.14 knows no allocator per object: 11 KiB of the system's, freed below. */
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	if (!d)
		return gh_fail(err, GH_NOMEM, at, "no memory to unpack");
	enum libdeflate_result r = zlib ? libdeflate_zlib_decompress_ex(d, in, n, out, cap, &used, &made)
					: libdeflate_deflate_decompress_ex(d, in, n, out, cap, &used, &made);
	libdeflate_free_decompressor(d);
	if (r == LIBDEFLATE_SUCCESS) {
		*ret_n = made;
		return GH_OK;
	}
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	enum gh_code code = slow(ctx, zlib ? MAX_WBITS : -MAX_WBITS, in, n, out, cap, ret_n, at, err);
	gh_arena_release(ctx->arena, mark);
	return code;
}

enum gh_code gh_deflate_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err)
{
	return whole(ctx, false, in, n, out, cap, ret_n, at, err);
}

enum gh_code gh_zlib_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err)
{
	return whole(ctx, true, in, n, out, cap, ret_n, at, err);
}
