/* SPDX-License-Identifier: Apache-2.0 */
/* DEFLATE (RFC 1951) by libdeflate (whole members), ISA-L (long streams: twice as fast as zlib) and zlib (what is damaged: it says
 * why, and delivers all that came before). */
#include "codecs/deflate/deflate.h"

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <zlib.h>

#include "base/num.h"

enum {
	PIECE = 256 << 10, /* of input and output in the streaming path: stays in the second-level cache */
	FIRST = 4
		<< 10, /* the first piece of input; then twice as much each time: of a tiny stream little is read in vain */
	/* Packed input of the whole-buffer path: what unpacks to GH_WHOLE_MAX is hardly larger; more is streamed. */
	WHOLE_IN = GH_WHOLE_MAX + (1 << 20),
};

uint32_t gh_crc32(uint32_t crc, const void *p, size_t n)
{
	return libdeflate_crc32(crc, p, n);
}

/* ---- whole buffers ---- */

/* Room of the whole-buffer path: 0 where it is not open. */
static size_t whole_room(const struct gh_ctx *ctx, const struct gh_sink *sink, uint64_t n, uint64_t most)
{
	if (!sink || !sink->buf || n > WHOLE_IN)
		return 0;
	return (size_t)gh_min(gh_min(most, sink->cap - sink->len), ctx->budget->bytes);
}

/* GH_END: this path cannot say what the stream is worth; the streaming one shall. */
static enum gh_code whole_pour(struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, uint64_t most,
	struct gh_sink *sink, struct gh_deflated *ret, struct gh_err *err)
{
	const uint8_t *in;
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	enum gh_code code = gh_view(src, ctx->arena, off, (size_t)n, &in, err);
	/* libdeflate 1.14 knows no allocator per object: 11 KiB of the system's, freed below. */
	struct libdeflate_decompressor *d = code ? NULL : libdeflate_alloc_decompressor();
	size_t used = 0, made = 0;
	if (code == GH_OK && !d)
		code = gh_fail(err, GH_NOMEM, off, "no memory to unpack");
	if (code == GH_OK && libdeflate_deflate_decompress_ex(d, in, (size_t)n, sink->buf + sink->len, (size_t)most,
				     &used, &made) != LIBDEFLATE_SUCCESS)
		code = GH_END;
	libdeflate_free_decompressor(d);
	gh_arena_release(ctx->arena, mark);
	if (code)
		return code;
	*ret = (struct gh_deflated){used, made, gh_crc32(0, sink->buf + sink->len, made), true};
	sink->len += made;
	return gh_spend_bytes(ctx->budget, made, off, err);
}

/* ---- streams ---- */

struct flow {
	struct gh_ctx *ctx;
	struct gh_source *src;
	struct gh_sink *sink;
	struct gh_deflated *ret;
	uint64_t next; /* where the next piece of input lies */
	uint64_t end; /* of the input */
	uint64_t start;
	uint64_t most;
	size_t piece; /* of input to read next */
	uint8_t *in, *out;
	struct inflate_state *fast; /* ISA-L's, or NULL: zlib */
	uint64_t total_in;
	z_stream z;
};

static void *flow_alloc(void *arena, uInt n, uInt size)
{
	return gh_alloc_array(arena, n, size);
}

static void flow_free(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

static enum gh_code flow_fill(struct flow *f, struct gh_err *err)
{
	size_t n = (size_t)gh_min(f->piece, f->end - f->next);
	f->piece = (size_t)gh_min(2 * f->piece, PIECE);
	enum gh_code code = gh_read(f->src, f->next, f->in, n, err);
	if (code)
		return code;
	f->next += n;
	f->z.next_in = f->in;
	f->z.avail_in = (uInt)n;
	return GH_OK;
}

/* Delivers what lies in the output piece, but never more than was asked for. */
static enum gh_code flow_put(struct flow *f, size_t n, struct gh_err *err)
{
	n = (size_t)gh_min(n, f->most - f->ret->out);
	enum gh_code code = gh_spend_bytes(f->ctx->budget, n, f->start + f->total_in, err);
	if (code == GH_OK && f->sink)
		code = gh_sink_put(f->sink, f->out, n, err);
	if (code)
		return code;
	f->ret->crc = gh_crc32(f->ret->crc, f->out, n);
	f->ret->out += n;
	return GH_OK;
}

/* One call of the library: what it made, and zlib's word for how it ended. */
static int flow_call(struct flow *f, uInt room, uint64_t *ret_made)
{
	if (!f->fast) {
		f->z.next_out = f->out;
		f->z.avail_out = room;
		int z = inflate(&f->z, Z_NO_FLUSH);
		*ret_made = room - f->z.avail_out;
		f->total_in = f->z.total_in;
		return z;
	}
	struct inflate_state *s = f->fast;
	s->next_in = f->z.next_in;
	s->avail_in = f->z.avail_in;
	s->next_out = f->out;
	s->avail_out = room;
	int code = isal_inflate(s);
	f->total_in += f->z.avail_in - s->avail_in;
	f->z.next_in = s->next_in;
	f->z.avail_in = s->avail_in;
	*ret_made = room - s->avail_out;
	if (code < 0)
		return Z_DATA_ERROR;
	if (s->block_state != ISAL_BLOCK_FINISH)
		return Z_OK;
	f->total_in -= (uint64_t)s->read_in_length / 8; /* whole bytes that were taken in but belong to what follows */
	return Z_STREAM_END;
}

/* One call and what it delivers. GH_END when nothing more is to come. */
static enum gh_code flow_step(struct flow *f, struct gh_err *err)
{
	enum gh_code code = !f->z.avail_in && f->next < f->end ? flow_fill(f, err) : GH_OK;
	if (code)
		return code;
	/* One byte more than wanted tells a stream that goes on from one that ends here. */
	uint64_t left = f->most - f->ret->out, made;
	int z = flow_call(f, left < PIECE ? (uInt)left + 1 : PIECE, &made);
	bool more = made > left;
	code = flow_put(f, (size_t)made, err);
	f->ret->in = f->total_in;
	if (code)
		return code;
	uint64_t at = f->start + f->total_in;
	if (more)
		return GH_END;
	f->ret->ended = z == Z_STREAM_END;
	if (z == Z_STREAM_END)
		return GH_END;
	if (z == Z_MEM_ERROR)
		return gh_fail(err, GH_NOMEM, at, "no memory to unpack");
	if (z != Z_OK && z != Z_BUF_ERROR)
		return gh_fail(err, GH_BAD, at, "the deflate stream is damaged: %s", f->z.msg ? f->z.msg : "data");
	if (!made && !f->z.avail_in && f->next == f->end)
		return gh_fail(err, GH_SHORT, at, "the deflate stream is cut off");
	return GH_OK;
}

static enum gh_code flow_pour(struct flow *f, struct gh_err *err)
{
	enum { LONG = 1 << 20 };
	f->in = gh_alloc_raw(f->ctx->arena, PIECE);
	f->out = gh_alloc_raw(f->ctx->arena, PIECE);
	bool is_long = f->sink && !f->sink->buf && f->end - f->start > LONG;
	f->fast = is_long ? gh_alloc_raw(f->ctx->arena, sizeof *f->fast) : NULL;
	if (!f->in || !f->out || (is_long && !f->fast) || inflateInit2(&f->z, -MAX_WBITS) != Z_OK)
		return gh_fail(err, GH_NOMEM, f->start, "no memory to unpack");
	if (f->fast)
		isal_inflate_init(f->fast);
	enum gh_code code;
	do
		code = flow_step(f, err);
	while (code == GH_OK);
	inflateEnd(&f->z);
	return code == GH_END ? GH_OK : code;
}

enum gh_code gh_deflate_pour(struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, uint64_t most,
	struct gh_sink *sink, struct gh_deflated *ret, struct gh_err *err)
{
	*ret = (struct gh_deflated){0};
	if (!gh_within(off, n, src->size))
		return gh_fail(err, GH_SHORT, off, "the packed data lies behind the end");
	size_t room = whole_room(ctx, sink, n, most);
	if (room) {
		enum gh_code code = whole_pour(ctx, src, off, n, room, sink, ret, err);
		if (code != GH_END)
			return code;
	}
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	struct flow f = {.ctx = ctx,
		.src = src,
		.sink = sink,
		.ret = ret,
		.next = off,
		.end = off + n,
		.start = off,
		.most = most,
		.piece = FIRST,
		.z = {.zalloc = flow_alloc, .zfree = flow_free, .opaque = ctx->arena}};
	enum gh_code code = flow_pour(&f, err);
	gh_arena_release(ctx->arena, mark);
	return code;
}
