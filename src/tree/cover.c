/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage by bytes. A container is opened once more over a source that writes down what is read: that is its structure. Where its
 * children's content lies is their own word (offset and length), or what their sources say of each run. What is left is swept. */
#include "tree/cover.h"

#include "base/num.h"

enum {
	CHILDREN_MAX = 1 << 20,
	SWEEP_MAX = 64 << 20, /* bytes of gaps read in one container; holes cost nothing */
	SPANS_MAX = 48 << 20, /* memory for three lists of spans, and what they grew from */
};

/* Runs of the watched source are marked, so that bytes of other sources (memory, a spill) are not taken for its own. */
static const uint64_t MARK = 1ull << 62;

struct pass {
	struct gh_ctx ctx; /* first: the plug-in gets it */
	struct gh_budget budget;
	/* The spans' own: a plug-in gives back what it took from its arena, and with it what grew there while it read. */
	struct gh_arena arena;
	struct gh_spans content, own, last; /* last: read by the call that ended the listing */
	struct gh_spans *reads; /* where reads go; NULL: nowhere */
	uint64_t fs_size;
	bool unplaced; /* content whose place is not known */
};

struct watched {
	struct gh_source base;
	struct gh_source *below;
	struct pass *pass;
};

static enum gh_code watched_read(struct gh_source *self, uint64_t off, void *buf, size_t n, struct gh_err *err)
{
	struct watched *w = (struct watched *)self;
	if (w->pass->reads)
		gh_spans_add(w->pass->reads, off, n);
	return gh_read(w->below, off, buf, n, err);
}

static enum gh_code watched_run(struct gh_source *self, uint64_t off, struct gh_run *ret, struct gh_err *err)
{
	struct watched *w = (struct watched *)self;
	enum gh_code code = gh_run_at(w->below, off, ret, err);
	ret->bottom = MARK + off; /* of holes too: they are claimed like bytes */
	return code;
}

static uint64_t pass_emit(struct gh_ctx *ctx, enum gh_table table, uint64_t at, const void *row)
{
	(void)at;
	if (table == GH_T_fs_info && ((const struct gh_row_fs_info *)row)->size > 0)
		((struct pass *)ctx)->fs_size = (uint64_t)((const struct gh_row_fs_info *)row)->size;
	return 0;
}

static void pass_note(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *what)
{
	(void)ctx, (void)code, (void)at, (void)what;
}

static void pass_claim(void *to, uint64_t off, uint64_t len)
{
	gh_spans_add(&((struct pass *)to)->last, off, len);
}

/* Where a child's bytes lie. */
static void place(struct pass *p, const struct gh_format *f, void *state, const struct gh_child *child)
{
	struct gh_source *src = NULL;
	struct gh_err err;
	bool stated = child->off != UINT64_MAX && child->csize;
	bool file = child->kind != GH_FILE || (child->attr.mode & 0170000) == 0100000;
	if (!file || !child->size || child->flags & GH_CHILD_UNREADABLE)
		return;
	if (child->flags & GH_CHILD_STREAM || !f->data || f->data(&p->ctx, state, child, &src, &err) || !src) {
		if (stated)
			gh_spans_add(&p->content, child->off, child->csize);
		p->unplaced |= !stated;
		return;
	}
	for (uint64_t off = 0; off < src->size;) {
		struct gh_run run;
		if (gh_spend_steps(&p->budget, 1, off, &err) || gh_run_at(src, off, &run, &err)) {
			p->unplaced = true;
			return;
		}
		if (run.bottom != UINT64_MAX && run.bottom >= MARK)
			gh_spans_add(&p->content, run.bottom - MARK, run.len);
		else if (run.kind == GH_RUN_DATA && run.bottom == UINT64_MAX && stated)
			gh_spans_add(&p->content, child->off, child->csize);
		else if (run.kind == GH_RUN_DATA && run.bottom == UINT64_MAX)
			p->unplaced = true;
		off += run.len;
	}
}

static uint64_t furthest(const struct gh_spans *s)
{
	uint64_t end = 0;
	for (size_t i = 0; i < s->n; i++)
		end = gh_max(end, s->p[i].at + s->p[i].len);
	return end;
}

/* Takes over what the last call read. The call that ended the listing may have looked behind the end for what does not belong
 * there, which is no claim either. */
static void take(struct pass *p, bool ended)
{
	uint64_t end = ended ? gh_max(furthest(&p->own), furthest(&p->content)) : UINT64_MAX;
	for (size_t i = 0; i < p->last.n; i++)
		if (p->last.p[i].at < end)
			gh_spans_add(&p->own, p->last.p[i].at, gh_min(p->last.p[i].len, end - p->last.p[i].at));
}

/* False: it could not be listed to its end a second time, so nothing can be said. */
static bool relist(struct pass *p, const struct gh_format *f, struct gh_source *src)
{
	void *state = gh_alloc(p->ctx.arena, f->state_size);
	struct gh_err err;
	if (!state || f->open(&p->ctx, src, state, &err))
		return false;
	/* Describing also looks for what does not belong there: to have been looked at is no claim. */
	p->reads = NULL;
	if (f->describe && f->describe(&p->ctx, state, &err))
		return false;
	enum gh_code code = GH_OK;
	for (uint32_t n = 0; code == GH_OK && n < CHILDREN_MAX; n++) {
		struct gh_child child = {0};
		code = gh_spend_steps(&p->budget, 1, 0, &err);
		p->reads = &p->last;
		p->last.n = 0;
		if (code == GH_OK)
			code = f->next(&p->ctx, state, &child, &err);
		p->reads = &p->own;
		take(p, code != GH_OK && !f->volume);
		if (code)
			break;
		struct gh_mark mark = gh_arena_mark(p->ctx.arena);
		place(p, f, state, &child);
		gh_arena_release(p->ctx.arena, mark);
	}
	p->last.n = 0;
	p->reads = &p->last;
	if (f->claims && f->claims(&p->ctx, state, pass_claim, p))
		p->own.n = 0;
	p->reads = NULL;
	take(p, false);
	p->own.lost |= p->last.lost;
	return code == GH_END;
}

static void tell(struct gh_container *c, struct pass *p, bool whole)
{
	uint64_t size = c->src->size, padding = 0, unclaimed = 0, inside = 0, left = SWEEP_MAX, at = 0, unswept = 0;
	gh_spans_join(&p->content, size);
	uint64_t content = gh_spans_sum(&p->content);
	for (size_t i = 0; i < p->content.n; i++)
		gh_spans_add(&p->own, p->content.p[i].at, p->content.p[i].len);
	gh_spans_join(&p->own, size);
	uint64_t claimed = gh_spans_sum(&p->own);
	bool apart = whole && !p->own.lost && !p->content.lost;
	/* Inside of a file system whose contents cannot be placed, or that does not tell its structure, a gap means nothing. */
	bool dark = p->unplaced || (c->format->volume && !c->format->claims);
	uint64_t blind = !apart ? size : dark ? (p->fs_size ? p->fs_size : size) : 0;
	for (size_t i = 0; i <= p->own.n; i++) {
		uint64_t end = i < p->own.n ? p->own.p[i].at : size;
		if (at < blind && at < end) {
			inside += gh_min(end, blind) - at;
			at = gh_min(end, blind);
		}
		if (at < end) {
			uint64_t before = padding + unclaimed;
			gh_cover_sweep(c, (struct gh_span){at, end - at}, &padding, &unclaimed, &left);
			uint64_t told = padding + unclaimed - before;
			unswept += end - at > told && !left ? end - at - told : 0;
		}
		at = i < p->own.n ? p->own.p[i].at + p->own.p[i].len : size;
	}
	uint64_t sum = content + padding + unclaimed + inside + unswept;
	(void)claimed;
	GH_EMIT(&c->run.ctx, cover, 0, .size = (int64_t)size, .content = (int64_t)content,
		.structure = (int64_t)(size > sum ? size - sum : 0), .padding = (int64_t)padding,
		.unclaimed = (int64_t)unclaimed, .inside = (int64_t)inside, .unswept = (int64_t)unswept);
}

void gh_cover(struct gh_look *look, struct gh_container *c)
{
	static const struct gh_ctx_ops ops = {pass_emit, pass_note};
	static const struct gh_source_ops watch = {.read = watched_read, .run = watched_run};
	if (!c->src || c->src->size > INT64_MAX)
		return;
	struct gh_mark mark = gh_arena_mark(&look->arena);
	struct pass *p = gh_alloc(&look->arena, sizeof *p);
	struct watched *w = gh_alloc(&look->arena, sizeof *w);
	if (p && w) {
		p->budget = (struct gh_budget){c->bytes, c->run.budget.steps, &look->phase->beat};
		p->ctx = (struct gh_ctx){&look->arena, &p->budget, &ops};
		gh_arena_init(&p->arena, SPANS_MAX);
		p->content.arena = p->own.arena = p->last.arena = &p->arena;
		p->reads = &p->own;
		*w = (struct watched){{&watch, c->src->size, c->src->grain}, c->src, p};
		bool whole = relist(p, c->format, &w->base);
		gh_cover_footer(c->src, &look->arena, &p->own);
		tell(c, p, whole);
		gh_arena_done(&p->arena);
	}
	gh_arena_release(&look->arena, mark);
}
