/* SPDX-License-Identifier: Apache-2.0 */
/* The windows around a stream codec: see flow.h. */
#include "codecs/flow/flow.h"

#include "base/num.h"

enum {
	PIECE = 256 << 10, /* of input and output: stays in the second-level cache */
	FIRST = 4 << 10, /* of input at first, then twice as much each time: of a tiny stream little is read in vain */
};

struct pump {
	struct gh_flow f;
	const struct gh_codec *codec;
	void *self;
	struct gh_source *src;
	struct gh_sink *sink;
	struct gh_unpacked *ret;
	uint64_t start;
	uint64_t next; /* where the next piece of input lies */
	uint64_t end; /* of the input */
	uint64_t most;
	size_t piece;
	uint8_t *in, *out;
	bool begun; /* begin() said yes once */
	bool inside; /* a stream */
};

enum gh_code gh_flow_no_memory(struct gh_flow *f, const char *name, uint64_t need, struct gh_err *err)
{
	f->poor = true;
	if (!need)
		return gh_fail(err, GH_LIMIT, f->at, "no memory to unpack %s", name);
	return gh_fail(
		err, GH_LIMIT, f->at, "%s: no memory for a window of %llu bytes", name, (unsigned long long)need);
}

/* What is left is kept in front, since a stream's head may lie across two pieces. */
static enum gh_code pump_fill(struct pump *p, struct gh_err *err)
{
	struct gh_flow *f = &p->f;
	memmove(p->in, f->in, f->n);
	size_t n = (size_t)gh_min(gh_min(p->piece, PIECE - f->n), p->end - p->next);
	p->piece = (size_t)gh_min(2 * p->piece, PIECE);
	f->in = p->in;
	enum gh_code code = gh_read(p->src, p->next, p->in + f->n, n, err);
	if (code)
		return code;
	f->n += n;
	p->next += n;
	f->last = p->next == p->end;
	return GH_OK;
}

static void pump_take(struct pump *p, size_t n)
{
	p->f.in += n;
	p->f.n -= n;
	p->f.at += n;
}

/* Steps over what begin() asked for. */
static enum gh_code pump_skip(struct pump *p, struct gh_err *err)
{
	struct gh_flow *f = &p->f;
	uint64_t left = p->end - f->at;
	if (f->skip > left)
		return gh_fail(err, GH_SHORT, f->at, "%s: %llu bytes to step over, %llu there", p->codec->name,
			(unsigned long long)f->skip, (unsigned long long)left);
	size_t here = (size_t)gh_min(f->skip, f->n);
	uint64_t behind = f->skip - here;
	pump_take(p, here);
	p->next += behind;
	f->at += behind;
	f->last = p->next == p->end;
	f->skip = 0;
	p->ret->in = f->at - p->start;
	return GH_OK;
}

/* GH_END: no further stream. */
static enum gh_code pump_begin(struct pump *p, struct gh_err *err)
{
	struct gh_flow *f = &p->f;
	enum gh_code code = f->n < GH_FLOW_HEAD && !f->last ? pump_fill(p, err) : GH_OK;
	if (code)
		return code;
	if (!f->n && p->begun)
		return GH_END;
	code = gh_spend_steps(f->ctx->budget, 1, f->at, err);
	if (code == GH_OK)
		code = p->codec->begin(f, p->self, err);
	if (code == GH_END && !p->begun)
		return gh_fail(err, GH_BAD, f->at, "no %s stream begins here", p->codec->name);
	if (code)
		return code;
	p->begun = true;
	if (f->skip)
		return pump_skip(p, err);
	p->ret->streams++;
	p->inside = true;
	p->ret->ended = false;
	return GH_OK;
}

/* Where output goes: straight into the sink's buffer where that has room, else into the piece. One byte more than `most` tells a
 * stream that goes on from one that ends here. */
static void pump_aim(struct pump *p)
{
	uint64_t left = p->most - p->ret->out;
	struct gh_sink *s = p->sink;
	if (s && s->buf && left && s->len < s->cap) {
		p->f.out = s->buf + s->len;
		p->f.room = (size_t)gh_min(left, s->cap - s->len);
		return;
	}
	p->f.out = p->out;
	p->f.room = left < PIECE ? (size_t)left + 1 : PIECE;
	if (s && s->buf)
		p->f.room = 1; /* any byte is one too many */
}

static enum gh_code pump_put(struct pump *p, size_t n, struct gh_err *err)
{
	n = (size_t)gh_min(n, p->most - p->ret->out);
	enum gh_code code = gh_spend_bytes(p->f.ctx->budget, n, p->f.at, err);
	if (code)
		return code;
	if (n && p->sink && p->sink->buf && p->sink->len < p->sink->cap)
		p->sink->len += n;
	else if (n && p->sink)
		code = gh_sink_put(p->sink, p->out, n, err);
	if (code == GH_OK)
		p->ret->out += n;
	return code;
}

/* One call of the codec and what it delivers. GH_END when nothing more is to come. */
static enum gh_code pump_step(struct pump *p, struct gh_err *err)
{
	struct gh_flow *f = &p->f;
	enum gh_code code = !f->n && !f->last ? pump_fill(p, err) : GH_OK;
	if (code)
		return code;
	pump_aim(p);
	struct gh_err step_err = {0};
	size_t room = f->room, had = f->n;
	code = p->codec->step(f, p->self, &step_err);
	size_t made = room - f->room, used = had - f->n;
	f->at += used;
	p->ret->in = f->at - p->start;
	bool more = made > p->most - p->ret->out;
	enum gh_code put = pump_put(p, made, err);
	if (put)
		return put;
	if (more)
		return GH_END;
	if (code == GH_END) {
		p->inside = false;
		p->ret->ended = true;
		return GH_OK;
	}
	if (code) {
		step_err.at = f->at;
		if (err)
			*err = step_err;
		return code;
	}
	if (made || used || (!f->n && !f->last))
		return GH_OK;
	if (!f->n)
		return gh_fail(err, GH_SHORT, f->at, "the %s stream is cut off", p->codec->name);
	/* Asks for more than lies at hand. */
	if (!f->last && f->n < PIECE)
		return pump_fill(p, err);
	return gh_fail(err, f->last ? GH_SHORT : GH_BAD, f->at, "the %s stream does not go on", p->codec->name);
}

static enum gh_code pump_run(struct pump *p, struct gh_err *err)
{
	p->in = gh_alloc_raw(p->f.ctx->arena, PIECE);
	p->out = gh_alloc_raw(p->f.ctx->arena, PIECE);
	p->f.in = p->in;
	if (!p->in || !p->out)
		return gh_fail(err, GH_NOMEM, p->start, "no memory to unpack");
	p->f.last = p->next == p->end;
	enum gh_code code;
	do
		code = p->inside ? pump_step(p, err) : pump_begin(p, err);
	while (code == GH_OK);
	if (p->codec->end)
		p->codec->end(&p->f, p->self);
	return code == GH_END ? GH_OK : code;
}

enum gh_code gh_flow_pour(struct gh_ctx *ctx, const struct gh_codec *codec, void *self, struct gh_source *src,
	uint64_t off, uint64_t n, uint64_t most, struct gh_sink *sink, struct gh_unpacked *ret, struct gh_err *err)
{
	*ret = (struct gh_unpacked){0};
	if (!gh_within(off, n, src->size))
		return gh_fail(err, GH_SHORT, off, "the packed data lies behind the end");
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	struct pump p = {.f = {.ctx = ctx, .pool = {.arena = ctx->arena}, .at = off},
		.codec = codec,
		.self = self,
		.src = src,
		.sink = sink,
		.ret = ret,
		.start = off,
		.next = off,
		.end = off + n,
		.most = most,
		.piece = FIRST};
	enum gh_code code = pump_run(&p, err);
	if (p.f.poor && sink && sink->buf)
		sink->full = true; /* without the buffer there would be more memory */
	gh_arena_release(ctx->arena, mark);
	return code;
}

/* ---- whole buffers ---- */

static enum gh_code whole_steps(
	const struct gh_codec *codec, void *self, struct gh_flow *f, size_t *ret_n, struct gh_err *err)
{
	uint8_t beyond;
	bool full = false;
	for (;;) {
		size_t had = f->n, room;
		if (!f->room && !full) {
			full = true;
			f->out = &beyond;
		}
		if (full)
			f->room = 1;
		room = f->room;
		enum gh_code code = codec->step(f, self, err);
		size_t made = room - f->room;
		f->at += had - f->n;
		if (full && made)
			return gh_fail(err, GH_LIMIT, f->at, "%s unpacks to more than %zu bytes", codec->name, *ret_n);
		*ret_n += made;
		if (code)
			return code == GH_END ? GH_OK : code;
		if (!made && had == f->n)
			return gh_fail(err, GH_SHORT, f->at, "the %s stream is cut off", codec->name);
	}
}

enum gh_code gh_flow_whole(struct gh_ctx *ctx, const struct gh_codec *codec, void *self, const uint8_t *in, size_t n,
	uint8_t *out, size_t cap, size_t *ret_n, uint64_t at, struct gh_err *err)
{
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	struct gh_flow f = {.ctx = ctx,
		.pool = {.arena = ctx->arena},
		.in = in,
		.n = n,
		.out = out,
		.room = cap,
		.at = at,
		.last = true};
	enum gh_code code;
	*ret_n = 0;
	do {
		f.skip = 0;
		code = codec->begin(&f, self, err);
		if (code == GH_OK && f.skip > f.n)
			code = gh_fail(err, GH_SHORT, f.at, "the %s stream is cut off", codec->name);
		if (code == GH_OK) {
			f.in += f.skip;
			f.n -= (size_t)f.skip;
			f.at += f.skip;
		}
	} while (code == GH_OK && f.skip);
	if (code == GH_END)
		code = gh_fail(err, GH_BAD, f.at, "no %s stream begins here", codec->name);
	if (code == GH_OK)
		code = whole_steps(codec, self, &f, ret_n, err);
	if (codec->end)
		codec->end(&f, self);
	gh_arena_release(ctx->arena, mark);
	return code;
}
