/* SPDX-License-Identifier: Apache-2.0 */
/* LZ4 streams: frames and legacy frames, one behind the other (lz4_Frame_format.md 1.6.3 of the LZ4 project). */
#include "formats/lz4/lz4_stream.h"

#include "base/num.h"
#include "codecs/lz4/lz4.h"
#include "formats/lz4/xxh32.h"

struct stream {
	struct gh_ctx *ctx;
	struct gh_source *src;
	struct gh_sink *sink;
	uint64_t pos;
	uint64_t total; /* unpacked so far */
	uint8_t *in;
	size_t in_cap;
	uint8_t *out; /* LZ4_HISTORY bytes of history, then a block */
	size_t out_cap;
	size_t history;
};

static enum gh_code word(struct stream *s, uint32_t *ret, struct gh_err *err)
{
	uint8_t b[4];
	enum gh_code code = gh_read(s->src, s->pos, b, 4, err);
	struct gh_cursor c = gh_cursor(b, 4, s->pos);
	*ret = gh_u32(&c);
	return code;
}

static bool is_magic(uint32_t v)
{
	return v == LZ4_MAGIC_LEGACY || v == LZ4_MAGIC_FRAME || (v & ~15u) == LZ4_MAGIC_SKIP;
}

/* Room for packed blocks of `in` and unpacked ones of `out` bytes; the buffers only grow. */
static enum gh_code room(struct stream *s, size_t in, size_t out, struct gh_err *err)
{
	if (in > s->in_cap) {
		s->in = gh_alloc_raw(s->ctx->arena, in);
		s->in_cap = s->in ? in : 0;
	}
	if (out > s->out_cap) {
		s->out = gh_alloc_raw(s->ctx->arena, LZ4_HISTORY + out);
		s->out_cap = s->out ? out : 0;
	}
	s->history = 0;
	return s->in && s->out ? GH_OK : gh_fail(err, GH_NOMEM, s->pos, "no memory for LZ4 blocks of %zu bytes", out);
}

static enum gh_code deliver(struct stream *s, size_t n, struct gh_err *err)
{
	s->total += n;
	enum gh_code code = gh_spend_bytes(s->ctx->budget, n, s->pos, err);
	if (code == GH_OK)
		code = gh_sink_put(s->sink, s->out + LZ4_HISTORY, n, err);
	return code;
}

/* ---- legacy ---- */

static enum gh_code legacy_block(struct stream *s, uint32_t n, struct gh_err *err)
{
	size_t got;
	enum gh_code code = gh_spend_steps(s->ctx->budget, 1, s->pos, err);
	if (code == GH_OK)
		code = gh_read(s->src, s->pos + 4, s->in, n, err);
	if (code == GH_OK)
		code = gh_lz4_next(s->in, n, s->out + LZ4_HISTORY, LZ4_LEGACY_BLOCK, 0, &got, s->pos, err);
	if (code == GH_OK)
		code = deliver(s, got, err);
	s->pos += 4 + (uint64_t)n;
	return code;
}

/* Blocks up to the end of the file, or to a word that can be no block's size: another magic, padding, the kernel's size. */
static enum gh_code legacy(struct stream *s, struct gh_err *err)
{
	enum gh_code code = room(s, LZ4_LEGACY_PACKED_MAX, LZ4_LEGACY_BLOCK, err);
	s->pos += 4;
	while (code == GH_OK && s->src->size - s->pos > 4) {
		uint32_t n;
		code = word(s, &n, err);
		if (code || !n || n > LZ4_LEGACY_PACKED_MAX)
			break;
		code = legacy_block(s, n, err);
	}
	return code;
}

/* ---- frames ---- */

enum gh_code lz4_frame_header(const uint8_t *p, size_t n, uint64_t at, struct lz4_frame *ret, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(p, n, at);
	*ret = (struct lz4_frame){0};
	gh_skip(&c, 4);
	uint8_t flags = gh_u8(&c), block = gh_u8(&c) >> 4 & 7;
	if (!c.bad && (flags >> 6 != 1 || block < 4))
		return gh_fail(err, GH_UNSUP, at + 4, "LZ4 frame version %u, block size %u", flags >> 6, block);
	ret->block_max = 1u << (2 * block + 8);
	ret->independent = flags & 0x20;
	ret->block_sums = flags & 0x10;
	ret->sized = flags & 8;
	ret->content_sum = flags & 4;
	ret->dictionary = flags & 1;
	if (ret->sized)
		ret->content_size = gh_u64(&c);
	if (ret->dictionary)
		gh_skip(&c, 4);
	size_t end = c.i;
	uint8_t sum = gh_u8(&c);
	ret->header_size = (uint32_t)c.i;
	ret->checked = !c.bad && sum == (xxh32(p + 4, end - 4) >> 8 & 255);
	return gh_cursor_check(&c, "the LZ4 frame header", err);
}

static enum gh_code frame_open(struct stream *s, struct lz4_frame *f, struct gh_err *err)
{
	uint8_t head[LZ4_FRAME_HEADER_MAX];
	size_t n = gh_min(sizeof head, s->src->size - s->pos);
	enum gh_code code = gh_read(s->src, s->pos, head, n, err);
	if (code == GH_OK)
		code = lz4_frame_header(head, n, s->pos, f, err);
	if (code)
		return code;
	if (f->dictionary)
		return gh_fail(err, GH_UNSUP, s->pos + 4, "an LZ4 frame that needs a dictionary");
	if (!f->checked)
		gh_note(s->ctx, GH_BAD, s->pos + f->header_size - 1, "the checksum of the LZ4 frame header is wrong");
	s->pos += f->header_size;
	return room(s, f->block_max, f->block_max, err);
}

static void history_keep(struct stream *s, size_t n)
{
	memmove(s->out, s->out + n, LZ4_HISTORY);
	s->history = gh_min(s->history + n, LZ4_HISTORY);
}

static enum gh_code frame_block(
	struct stream *s, const struct lz4_frame *f, uint32_t size, size_t *ret_n, struct gh_err *err)
{
	uint32_t n = size & 0x7fffffff;
	uint64_t at = s->pos;
	if (n > f->block_max)
		return gh_fail(err, GH_BAD, at, "an LZ4 block of %u bytes where %u are the most", n, f->block_max);
	bool packed = !(size >> 31);
	uint8_t *in = packed ? s->in : s->out + LZ4_HISTORY;
	enum gh_code code = gh_read(s->src, at + 4, in, n, err);
	s->pos += 4 + (uint64_t)n;
	uint32_t sum = 0;
	if (code == GH_OK && f->block_sums) {
		code = word(s, &sum, err);
		s->pos += 4;
	}
	if (code)
		return code;
	if (f->block_sums && sum != xxh32(in, n))
		gh_note(s->ctx, GH_BAD, at, "the checksum of an LZ4 block is wrong");
	*ret_n = n;
	return packed ? gh_lz4_next(s->in, n, s->out + LZ4_HISTORY, f->block_max, f->independent ? 0 : s->history,
				ret_n, at, err)
		      : GH_OK;
}

static enum gh_code frame_end(
	struct stream *s, const struct lz4_frame *f, const struct xxh32 *sum, uint64_t size, struct gh_err *err)
{
	s->pos += 4;
	if (f->content_sum) {
		uint32_t want;
		enum gh_code code = word(s, &want, err);
		if (code)
			return code;
		if (want != xxh32_end(sum))
			gh_note(s->ctx, GH_BAD, s->pos, "the checksum of the unpacked content is wrong");
		s->pos += 4;
	}
	if (f->sized && size != f->content_size)
		gh_note(s->ctx, GH_BAD, s->pos, "the LZ4 frame gives %llu bytes, %llu are declared",
			(unsigned long long)size, (unsigned long long)f->content_size);
	return GH_OK;
}

static enum gh_code frame(struct stream *s, struct gh_err *err)
{
	struct lz4_frame f;
	struct xxh32 sum;
	uint64_t begin = s->total;
	enum gh_code code = frame_open(s, &f, err);
	xxh32_begin(&sum);
	while (code == GH_OK) {
		uint32_t size;
		size_t n = 0;
		code = gh_spend_steps(s->ctx->budget, 1, s->pos, err);
		if (code == GH_OK)
			code = word(s, &size, err);
		if (code == GH_OK && !size)
			return frame_end(s, &f, &sum, s->total - begin, err);
		if (code == GH_OK)
			code = frame_block(s, &f, size, &n, err);
		if (code)
			return code;
		if (f.content_sum)
			xxh32_add(&sum, s->out + LZ4_HISTORY, n);
		code = deliver(s, n, err);
		if (!f.independent)
			history_keep(s, n);
	}
	return code;
}

/* ---- all ---- */

/* What follows the last stream: zeros (padding of a boot section), or the size that Linux appends to its kernels. */
static enum gh_code behind(struct stream *s, struct gh_err *err)
{
	uint64_t left = s->src->size - s->pos;
	uint32_t v;
	if (left == 4) {
		enum gh_code code = word(s, &v, err);
		if (code || v == (uint32_t)s->total)
			return code;
	}
	uint8_t b[4096];
	for (uint64_t at = s->pos; at < s->src->size;) {
		size_t n = gh_min(s->src->size - at, sizeof b);
		enum gh_code code = gh_spend_steps(s->ctx->budget, 1, at, err);
		if (code == GH_OK)
			code = gh_read(s->src, at, b, n, err);
		if (code)
			return code;
		for (size_t i = 0; i < n; i++)
			if (b[i])
				return gh_fail(err, GH_UNSUP, at + i, "%llu bytes behind the LZ4 stream are not read",
					(unsigned long long)left);
		at += n;
	}
	return GH_OK;
}

static enum gh_code skip(struct stream *s, struct gh_err *err)
{
	uint32_t n;
	s->pos += 4;
	enum gh_code code = word(s, &n, err);
	if (code == GH_OK && !gh_within(s->pos + 4, n, s->src->size))
		code = gh_fail(err, GH_SHORT, s->pos, "a skippable frame of %u bytes is cut off", n);
	s->pos += 4 + (uint64_t)n;
	return code;
}

enum gh_code lz4_streams(struct gh_ctx *ctx, struct gh_source *src, struct gh_sink *sink, struct gh_err *err)
{
	struct stream s = {.ctx = ctx, .src = src, .sink = sink};
	enum gh_code code = GH_OK;
	while (code == GH_OK && s.pos < src->size) {
		uint32_t magic = 0;
		code = gh_spend_steps(ctx->budget, 1, s.pos, err);
		if (code == GH_OK && src->size - s.pos >= 4)
			code = word(&s, &magic, err);
		if (code)
			return code;
		if (!is_magic(magic))
			return behind(&s, err);
		if (magic == LZ4_MAGIC_LEGACY)
			code = legacy(&s, err);
		else
			code = magic == LZ4_MAGIC_FRAME ? frame(&s, err) : skip(&s, err);
	}
	return code;
}
