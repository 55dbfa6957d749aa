/* SPDX-License-Identifier: Apache-2.0 */
/* gzip (RFC 1952): one content, of one or more members that follow one another. */
#include <stdio.h>

#include "base/num.h"
#include "codecs/deflate/deflate.h"
#include "inspectors/fdt/fdt_head.h"

enum {
	HEAD = 10, /* bytes of a member's fixed header */
	TRAILER = 8,
	HEADER_MAX = 192 << 10, /* extra field 64 KiB; names of 64 KiB each are longer than any system's */
	WHOLE_IN = GH_WHOLE_MAX, /* packed bytes read at once where the content is wanted whole */
	RATIO = 1032, /* deflate cannot pack tighter */
	FLAG_CRC = 2,
	FLAG_EXTRA = 4,
	FLAG_NAME = 8,
	FLAG_COMMENT = 16,
	FLAGS_RESERVED = 0xe0,
};

struct gzip {
	struct gh_source *src;
	uint64_t data; /* where the first member's stream begins */
	struct gh_str name, comment;
	uint32_t mtime;
	bool bad_crc; /* of the first header */
	bool listed;
};

struct header {
	struct gh_str name, comment;
	uint32_t mtime;
	size_t len;
	bool bad_crc;
};

static enum gh_bid gzip_bid(const struct gh_probe *probe)
{
	struct gh_cursor c = gh_cursor(probe->head, probe->head_len, 0);
	const uint8_t *p = gh_bytes(&c, HEAD);
	return p && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8 && !(p[3] & FLAGS_RESERVED) ? GH_BID_MAGIC : GH_BID_NO;
}

static void header_fields(struct gh_cursor *c, unsigned flags, struct header *ret)
{
	gh_skip(c, 4);
	ret->mtime = gh_u32(c);
	gh_skip(c, 2);
	if (flags & FLAG_EXTRA)
		gh_skip(c, gh_u16(c));
	if (flags & FLAG_NAME)
		ret->name = gh_cstr(c);
	if (flags & FLAG_COMMENT)
		ret->comment = gh_cstr(c);
}

/* Parses the header in p[0..n). GH_END: no gzip header; GH_SHORT: it goes on behind n. */
static enum gh_code header_parse(const uint8_t *p, size_t n, uint64_t at, struct header *ret, struct gh_err *err)
{
	*ret = (struct header){0};
	if (n < 3 || p[0] != 0x1f || p[1] != 0x8b || p[2] != 8)
		return GH_END;
	struct gh_cursor c = gh_cursor(p, n, at), flag = gh_cursor(p, n, at);
	gh_skip(&flag, 3);
	unsigned flags = gh_u8(&flag);
	header_fields(&c, flags, ret);
	if (flags & FLAG_CRC && !c.bad) {
		uint16_t want = (uint16_t)gh_crc32(0, p, c.i);
		ret->bad_crc = gh_u16(&c) != want;
	}
	ret->len = c.i;
	if (flags & FLAGS_RESERVED)
		return gh_fail(err, GH_UNSUP, at + 3, "reserved gzip flags %02x", flags & FLAGS_RESERVED);
	return gh_cursor_check(&c, "the gzip header", err);
}

/* Reads the header at `at`: mostly it is short, so little is read first. Its strings lie in the arena or in the source. */
static enum gh_code header_read(
	struct gh_ctx *ctx, struct gh_source *src, uint64_t at, struct header *ret, struct gh_err *err)
{
	enum gh_code code = GH_SHORT;
	for (uint64_t n = 512; code == GH_SHORT; n = HEADER_MAX) {
		const uint8_t *p;
		size_t take = (size_t)gh_min(n, src->size - at);
		code = gh_view(src, ctx->arena, at, take, &p, err);
		if (code)
			return code;
		code = header_parse(p, take, at, ret, err);
		if (take < n)
			break;
		if (code == GH_SHORT && n == HEADER_MAX)
			return gh_fail(err, GH_LIMIT, at, "a gzip header longer than %d bytes", HEADER_MAX);
	}
	return code;
}

static enum gh_code gzip_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct gzip *g = state;
	struct header h;
	enum gh_code code = header_read(ctx, src, 0, &h, err);
	if (code == GH_END)
		return gh_fail(err, GH_BAD, 0, "no gzip header");
	if (code)
		return code;
	*g = (struct gzip){.src = src,
		.data = h.len,
		.name = h.name,
		.comment = h.comment,
		.mtime = h.mtime,
		.bad_crc = h.bad_crc};
	return GH_OK;
}

static enum gh_code gzip_describe(struct gh_ctx *ctx, void *state, struct gh_err *err)
{
	struct gzip *g = state;
	char text[16];
	(void)err;
	if (g->bad_crc)
		gh_note(ctx, GH_BAD, g->data - 2, "the CRC of the gzip header is wrong");
	if (g->comment.p)
		GH_EMIT(ctx, archive_facts, 0, .kind = GH_STR("comment"), .value = g->comment);
	if (g->mtime) {
		snprintf(text, sizeof text, "%u", (unsigned)g->mtime);
		GH_EMIT(ctx, archive_facts, 4, .kind = GH_STR("time"), .value = gh_str(text));
	}
	return GH_OK;
}

/* The last four bytes are the size modulo 2^32, of the last member alone: a hint when it can be true. */
static enum gh_code size_hint(struct gzip *g, uint64_t *ret, struct gh_err *err)
{
	uint8_t last[4];
	uint64_t csize = g->src->size - g->data;
	*ret = csize * 3;
	if (csize < TRAILER)
		return GH_OK;
	enum gh_code code = gh_read(g->src, g->src->size - 4, last, sizeof last, err);
	struct gh_cursor c = gh_cursor(last, sizeof last, g->src->size - 4);
	uint64_t size = gh_u32(&c);
	if (code == GH_OK && size / RATIO <= csize && size + size / 1000 + 64 >= csize)
		*ret = size;
	return code;
}

static enum gh_code gzip_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct gzip *g = state;
	(void)ctx;
	if (g->listed)
		return GH_END;
	g->listed = true;
	*ret = (struct gh_child){.kind = GH_MEMBER,
		.flags = GH_CHILD_STREAM | GH_CHILD_SIZE_HINT,
		.name = g->name.n ? g->name : GH_STR("content"),
		.off = g->data,
		.csize = g->src->size - g->data};
	return size_hint(g, &ret->size, err);
}

/* ---- content ---- */

struct pour {
	struct gh_ctx *ctx;
	struct gh_source *src;
	struct gh_sink *sink;
	uint64_t pos;
	uint64_t members;
};

static enum gh_code check_trailer(struct pour *p, const struct gh_deflated *d, struct gh_err *err)
{
	uint8_t buf[TRAILER];
	if (p->src->size - p->pos < TRAILER)
		return gh_fail(err, GH_SHORT, p->pos, "the gzip trailer is cut off");
	enum gh_code code = gh_read(p->src, p->pos, buf, sizeof buf, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(buf, sizeof buf, p->pos);
	uint32_t crc = gh_u32(&c), size = gh_u32(&c);
	if (crc != d->crc)
		gh_note(p->ctx, GH_BAD, p->pos, "CRC-32 of the content is %08x, stated is %08x", d->crc, crc);
	if (size != (uint32_t)d->out)
		gh_note(p->ctx, GH_BAD, p->pos + 4, "the content has %llu bytes, stated modulo 2^32 are %u",
			(unsigned long long)d->out, size);
	p->pos += TRAILER;
	return GH_OK;
}

/* What lies behind the last member: zeros pad to a block, anything else is told. */
static enum gh_code rest(struct pour *p, struct gh_err *err)
{
	enum { STEP = 16 << 10 };
	struct gh_mark mark = gh_arena_mark(p->ctx->arena);
	uint8_t *buf = gh_alloc_raw(p->ctx->arena, STEP);
	enum gh_code code = buf ? GH_OK : gh_fail(err, GH_NOMEM, p->pos, "no memory for a window");
	for (uint64_t at = p->pos; code == GH_OK && at < p->src->size;) {
		size_t n = (size_t)gh_min(STEP, p->src->size - at), i = 0;
		code = gh_spend_steps(p->ctx->budget, 1, at, err);
		if (code == GH_OK)
			code = gh_read(p->src, at, buf, n, err);
		while (code == GH_OK && i < n && !buf[i])
			i++;
		at += i;
		if (code == GH_OK && i < n && fdt_follows(p->src, at))
			break; /* a kernel with device trees behind it: the format zimage lists them */
		if (code == GH_OK && i < n) {
			gh_note(p->ctx, GH_UNSUP, at, "%llu bytes behind the gzip stream are not looked at",
				(unsigned long long)(p->src->size - at));
			break;
		}
	}
	gh_arena_release(p->ctx->arena, mark);
	return code;
}

/* One member. GH_END when none begins at pos. */
static enum gh_code member(struct pour *p, struct gh_err *err)
{
	struct header h;
	struct gh_deflated d;
	struct gh_mark mark = gh_arena_mark(p->ctx->arena);
	enum gh_code code = header_read(p->ctx, p->src, p->pos, &h, err);
	gh_arena_release(p->ctx->arena, mark);
	if (code == GH_OK)
		code = gh_spend_steps(p->ctx->budget, 1, p->pos, err);
	if (code)
		return code;
	if (h.bad_crc && p->members)
		gh_note(p->ctx, GH_BAD, p->pos, "the CRC of the header of a further member is wrong");
	p->pos += h.len;
	p->members++;
	uint64_t most = p->sink->buf ? p->sink->cap - p->sink->len : UINT64_MAX;
	code = gh_deflate_pour(p->ctx, p->src, p->pos, p->src->size - p->pos, most, p->sink, &d, err);
	if (code)
		return code;
	if (!d.ended)
		return gh_fail(err, GH_LIMIT, p->pos + d.in, "unpacks to more than %zu bytes", p->sink->cap);
	p->pos += d.in;
	return check_trailer(p, &d, err);
}

/* Where the content is wanted whole, the packed bytes are too: each member is then unpacked where it lies. */
static enum gh_code gather(struct pour *p, struct gh_err *err)
{
	const uint8_t *all;
	if (!p->sink->buf || p->src->size > WHOLE_IN)
		return GH_OK;
	enum gh_code code = gh_view(p->src, p->ctx->arena, 0, (size_t)p->src->size, &all, err);
	if (code)
		return code;
	p->src = gh_source_memory(p->ctx->arena, all, (size_t)p->src->size);
	return p->src ? GH_OK : gh_fail(err, GH_NOMEM, 0, "no memory for a source");
}

static enum gh_code gzip_pour(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_sink *sink, struct gh_err *err)
{
	struct gzip *g = state;
	struct pour p = {.ctx = ctx, .src = g->src, .sink = sink};
	(void)child;
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	enum gh_code code = gather(&p, err);
	while (code == GH_OK && p.pos < p.src->size)
		code = member(&p, err);
	if (code == GH_END)
		code = rest(&p, err);
	gh_arena_release(ctx->arena, mark);
	return code;
}

static enum gh_code gzip_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	(void)ctx, (void)state, (void)ret;
	return gh_fail(err, GH_UNSUP, child->off, "a gzip stream has no place to read at");
}

const struct gh_format gh_format_gzip = {
	.name = "gzip",
	.title = "gzip stream",
	.version = 1,
	.packing = true,
	.state_size = sizeof(struct gzip),
	.bid = gzip_bid,
	.open = gzip_open,
	.describe = gzip_describe,
	.next = gzip_next,
	.data = gzip_data,
	.pour = gzip_pour,
};
