/* SPDX-License-Identifier: Apache-2.0 */
/* The packed kernel inside an ARM zImage: its place is not written down, so its magic number is looked for, as the kernel's own
 * scripts/extract-ikconfig does. */
#include "base/num.h"
#include "codecs/deflate/deflate.h"
#include "codecs/xz/xz.h"
#include "codecs/zstd/zstd.h"
#include "formats/lz4/lz4_stream.h"
#include "formats/zimage/zimage.h"

enum {
	GZIP_HEAD = 10,
	GZIP_NAMED = 8, /* flag */
	NAME_MAX_GZIP = 256,
	LZMA_HEAD = 13,
	WINDOW = 64 << 10,
	LONGEST = LZMA_HEAD,
};

enum zimage_method zimage_method(const uint8_t *p, size_t n)
{
	static const struct {
		enum zimage_method method;
		uint8_t n;
		const char *bytes;
	} list[] = {{ZIMAGE_GZIP, 3, "\37\213\10"}, {ZIMAGE_XZ, 6, "\3757zXZ\0"}, {ZIMAGE_ZSTD, 4, "\050\265\057\375"},
		{ZIMAGE_LZ4, 4, "\2\x21\x4c\x18"}};
	if (n < LONGEST)
		return 0;
	for (size_t i = 0; i < GH_COUNT(list); i++)
		if (memcmp(p, list[i].bytes, list[i].n) == 0)
			return list[i].method;
	/* lc 3, lp 0, pb 2; size unknown, as `xz --format=lzma` writes a stream. */
	return memcmp(p, "\x5d\0\0", 3) == 0 && memcmp(p + 5, "\377\377\377\377\377\377\377\377", 8) == 0 ? ZIMAGE_LZMA
													  : 0;
}

static bool in_window(struct zimage *z, const uint8_t *p, size_t n, uint64_t at)
{
	static const uint8_t first[] = {0x1f, 0xfd, 0x28, 0x02, 0x5d};
	for (size_t i = 0; i + LONGEST <= n; i++) {
		if (!memchr(first, p[i], sizeof first))
			continue;
		enum zimage_method m = zimage_method(p + i, n - i);
		/* No flags but a name: three bytes alone stand in code too. */
		if (!m || (m == ZIMAGE_GZIP && p[i + 3] & ~GZIP_NAMED))
			continue;
		z->method = m;
		z->payload = at + i;
		z->payload_size = z->end - z->payload;
		return true;
	}
	return false;
}

/* Legacy LZ4 has no end of its own: blocks follow as long as their sizes can be true. The kernel's size in bytes stands behind the
 * last (scripts/Makefile.lib, size_append): it is larger than a block, or does not fit any more. */
static enum gh_code lz4_end(struct gh_ctx *ctx, struct zimage *z, struct gh_err *err)
{
	uint64_t at = z->payload + 4;
	while (at < z->end && z->end - at >= 4) {
		uint8_t b[4];
		enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
		if (code == GH_OK)
			code = gh_read(z->src, at, b, sizeof b, err);
		if (code)
			return code;
		struct gh_cursor c = gh_cursor(b, sizeof b, at);
		uint32_t n = gh_u32(&c);
		if (!n || n > LZ4_LEGACY_PACKED_MAX || n > z->end - at - 4)
			break;
		at += 4 + (uint64_t)n;
	}
	z->payload_size = at - z->payload;
	return GH_OK;
}

enum gh_code zimage_find(struct gh_ctx *ctx, struct zimage *z, struct gh_err *err)
{
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	enum gh_code code = GH_END;
	for (uint64_t from = 0x30; code == GH_END && from < z->end && z->end - from >= LONGEST;) {
		const uint8_t *p;
		size_t n = (size_t)gh_min(WINDOW, z->end - from);
		code = gh_spend_steps(ctx->budget, 1 + n / 64, from, err);
		if (code == GH_OK)
			code = gh_view(z->src, ctx->arena, from, n, &p, err);
		if (code == GH_OK)
			code = in_window(z, p, n, from) ? GH_OK : GH_END;
		from += n == z->end - from ? n : n - (LONGEST - 1);
		gh_arena_release(ctx->arena, mark);
	}
	return code == GH_OK && z->method == ZIMAGE_LZ4 ? lz4_end(ctx, z, err) : code;
}

static enum gh_code gzip(
	struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, struct gh_sink *sink, struct gh_err *err)
{
	uint8_t head[GZIP_HEAD + NAME_MAX_GZIP], trailer[8];
	struct gh_deflated d;
	size_t have = (size_t)gh_min(sizeof head, n);
	enum gh_code code = gh_read(src, off, head, have, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(head, have, off);
	gh_skip(&c, 3);
	uint8_t flags = gh_u8(&c);
	gh_skip(&c, GZIP_HEAD - 4);
	if (flags & GZIP_NAMED)
		(void)gh_cstr(&c);
	code = gh_cursor_check(&c, "the gzip header of the kernel", err);
	if (code == GH_OK)
		code = gh_deflate_pour(ctx, src, off + c.i, n - c.i, UINT64_MAX, sink, &d, err);
	if (code)
		return code;
	uint64_t at = off + c.i + d.in;
	if (n - c.i - d.in < sizeof trailer)
		return gh_fail(err, GH_SHORT, at, "the gzip trailer of the kernel is cut off");
	code = gh_read(src, at, trailer, sizeof trailer, err);
	struct gh_cursor t = gh_cursor(trailer, sizeof trailer, at);
	if (code == GH_OK && gh_u32(&t) != d.crc)
		gh_note(ctx, GH_BAD, at, "the CRC of the packed kernel is wrong");
	return code;
}

enum gh_code zimage_pour(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_sink *sink, struct gh_err *err)
{
	struct zimage *z = state;
	struct gh_unpacked u;
	uint64_t off = child->off, n = child->csize;
	if (!gh_within(off, n, z->src->size))
		return gh_fail(err, GH_BAD, off, "no such part of a kernel image");
	switch ((enum zimage_method)child->cookie[0]) {
	case ZIMAGE_GZIP:
		return gzip(ctx, z->src, off, n, sink, err);
	case ZIMAGE_XZ:
		return gh_xz_pour(ctx, z->src, off, n, UINT64_MAX, sink, &u, err);
	case ZIMAGE_LZMA:
		return gh_lzma_pour(ctx, z->src, off, n, UINT64_MAX, sink, &u, err);
	case ZIMAGE_ZSTD:
		return gh_zstd_pour(ctx, z->src, off, n, UINT64_MAX, sink, &u, err);
	case ZIMAGE_LZ4: {
		struct gh_source *part = gh_source_slice(ctx->arena, z->src, off, n);
		return part ? lz4_streams(ctx, part, sink, err) : gh_fail(err, GH_NOMEM, off, "no memory for a source");
	}
	}
	return gh_fail(err, GH_BAD, off, "an unknown packing");
}
