/* SPDX-License-Identifier: Apache-2.0 */
/* Containers: listing them, reaching their children, opening them again for a job. */
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "tree/walk.h"

enum {
	OPEN_MAX = 4, /* container chains kept open: the jobs of one walk come mostly in a row */
	OPEN_MEMORY =
		112 << 20, /* state of one chain: central directories, extents, block caches, one unpacked member */
	CHILDREN_MAX = 1 << 24, /* of one container: row numbers have 24 bits */
};

struct gh_locator *gh_locator_step(struct gh_arena *arena, const struct gh_locator *where,
	const struct gh_format *format, const struct gh_child *child)
{
	if (format && where->n >= GH_MAX_DEPTH)
		return NULL;
	struct gh_locator *l = gh_alloc(arena, sizeof *l);
	if (!l)
		return NULL;
	*l = *where;
	if (!format)
		return l;
	struct gh_step *s = &l->step[l->n++];
	s->format = (uint8_t)gh_format_bit(format);
	s->child = *child;
	s->child.name = GH_NONE;
	s->child.attr = (struct gh_attr){0};
	return l;
}

/* ---- reading a child ---- */

static enum gh_code child_poured(struct gh_look *look, struct gh_container *c, const struct gh_child *child,
	struct gh_source **ret, bool *ret_spill, struct gh_err *err)
{
	bool hint = child->flags & GH_CHILD_SIZE_HINT;
	if (child->size > GH_WHOLE_MAX && !hint) {
		*ret_spill = true;
		return GH_LIMIT;
	}
	struct gh_sink sink = {.cap = hint ? GH_WHOLE_MAX : (size_t)child->size};
	sink.buf = gh_alloc_raw(&look->arena, gh_max(sink.cap, 1));
	if (!sink.buf)
		return gh_fail(err, GH_NOMEM, child->off, "no memory to unpack %zu bytes", sink.cap);
	c->run.budget.bytes = gh_pour_budget(c->bytes, gh_max(child->csize, 1), c->size, c->packed);
	GH_FAULT(look, c->format->name, "pour", child->name);
	enum gh_code code = c->format->pour(&c->run.ctx, c->state, child, &sink, err);
	if (code == GH_LIMIT && hint && (sink.full || sink.len == sink.cap)) {
		*ret_spill = true;
		return code;
	}
	*ret = gh_source_memory(&look->arena, sink.buf, sink.len);
	return code;
}

enum gh_code gh_child_source(struct gh_look *look, struct gh_container *c, const struct gh_child *child,
	struct gh_source **ret, bool *ret_spill, struct gh_err *err)
{
	*ret = NULL;
	*ret_spill = false;
	if (!c->format) {
		*ret = c->src;
		return GH_OK;
	}
	if (child->flags & GH_CHILD_STREAM)
		return child_poured(look, c, child, ret, ret_spill, err);
	GH_FAULT(look, c->format->name, "read", child->name);
	return c->format->data(&c->run.ctx, c->state, child, ret, err);
}

/* ---- listing ---- */

/* Children that wait to be handed over together. */
struct batch {
	struct gh_arena arena; /* their strings */
	struct gh_job_child list[GH_BATCH_CHILDREN];
	uint32_t n;
	uint64_t bytes;
};

static bool batch_flush(struct gh_look *look, struct gh_container *c, struct batch *b)
{
	if (!b->n)
		return true;
	struct gh_job job = {.kind = GH_JOB_LOOK,
		.blob = c->blob,
		.format = (int32_t)gh_format_bit(c->format),
		.depth = c->depth,
		.packed = c->packed,
		.bytes = c->bytes,
		.size = c->size,
		.where = *c->where,
		.n = b->n,
		.children = b->list};
	bool taken = look->ops->defer(look, &job);
	for (uint32_t i = 0; !taken && i < b->n; i++)
		gh_look_child(look, c, b->list[i].n, &b->list[i].child);
	b->n = 0;
	b->bytes = 0;
	gh_arena_release(&b->arena, (struct gh_mark){0});
	return taken;
}

static bool batch_add(struct batch *b, uint64_t row, const struct gh_child *child)
{
	struct gh_job_child *jc = &b->list[b->n];
	*jc = (struct gh_job_child){.n = row, .child = *child};
	struct gh_str *strings[] = {&jc->child.name, &jc->child.attr.selinux, &jc->child.attr.link};
	for (size_t i = 0; i < GH_COUNT(strings); i++) {
		bool had = strings[i]->p != NULL;
		*strings[i] = gh_str_dup(&b->arena, *strings[i]);
		if (had && !strings[i]->p)
			return false;
	}
	b->n++;
	b->bytes += child->size;
	return true;
}

static bool worth_a_job(const struct gh_child *child)
{
	if (child->flags & GH_CHILD_UNREADABLE)
		return false;
	return child->kind != GH_FILE || ((child->attr.mode & 0170000) == 0100000 && child->size);
}

static void list_child(
	struct gh_look *look, struct gh_container *c, struct batch *b, uint64_t row, const struct gh_child *child)
{
	if (!b || !worth_a_job(child) || !batch_add(b, row, child)) {
		gh_look_child(look, c, row, child);
		return;
	}
	if (b->n == GH_BATCH_CHILDREN || b->bytes >= GH_BATCH_BYTES || child->kind == GH_VOLUME)
		batch_flush(look, c, b);
}

/* The listing stopped here before: what comes behind is not known. */
static enum gh_code cut_short(struct gh_look *look, struct gh_container *c, const struct gh_skip *skip)
{
	char what[64];
	snprintf(what, sizeof what, "stopped while it listed what comes behind %u entries", skip->listed);
	look->ops->run(look, c->blob, gh_format_bit(c->format), skip->why, 0, what);
	return GH_END;
}

static enum gh_code list(struct gh_look *look, struct gh_container *c, struct batch *b, struct gh_err *err)
{
	unsigned bit = gh_format_bit(c->format);
	const struct gh_skip *skip = gh_skip_find(look, c->blob, -1, (int32_t)bit);
	for (uint32_t n = 0; n < CHILDREN_MAX; n++) {
		struct gh_child child = {0};
		if (skip && n == skip->listed)
			return cut_short(look, c, skip);
		gh_phase_set(look, c->blob, -1, (int32_t)bit);
		look->phase->listed = n;
		enum gh_code code = gh_spend_steps(&c->run.budget, 1, 0, err);
		if (code == GH_OK)
			code = c->format->next(&c->run.ctx, c->state, &child, err);
		if (code)
			return code;
		GH_FAULT(look, c->format->name, "next", child.name);
		list_child(look, c, b, gh_child_row(bit, n), &child);
	}
	return gh_fail(err, GH_LIMIT, 0, "more than %d children", CHILDREN_MAX);
}

static struct batch *batch_new(struct gh_look *look, const struct gh_container *c)
{
	if (!c->where || c->here || !look->ops->defer)
		return NULL;
	struct batch *b = gh_alloc(&look->arena, sizeof *b);
	if (b)
		gh_arena_init(&b->arena, 0);
	return b;
}

static void container_init(struct gh_container *c, struct gh_look *look, const struct gh_container *proto)
{
	*c = *proto;
	c->size = c->src ? c->src->size : 0;
	gh_run_init(&c->run, look, c->blob, (int)gh_format_bit(c->format), c->bytes, c->size);
}

void gh_look_container(struct gh_look *look, const struct gh_container *proto)
{
	const struct gh_format *format = proto->format;
	struct gh_source *src = proto->src;
	uint32_t blob = proto->blob;
	struct gh_mark mark = gh_arena_mark(&look->arena);
	struct gh_container *c = gh_alloc(&look->arena, sizeof *c);
	void *state = gh_alloc(&look->arena, format->state_size);
	if (!c || !state) {
		look->ops->run(look, blob, gh_format_bit(format), "nomem", 0, "no memory to open this container");
		return;
	}
	container_init(c, look, proto);
	c->state = state;
	gh_phase_set(look, blob, -1, (int32_t)gh_format_bit(format));
	struct gh_err err = {0};
	enum gh_code code = format->open(&c->run.ctx, src, state, &err);
	if (code == GH_OK && format->describe)
		code = format->describe(&c->run.ctx, state, &err);
	struct batch *b = code == GH_OK ? batch_new(look, c) : NULL;
	if (code == GH_OK)
		code = list(look, c, b, &err);
	if (b) {
		batch_flush(look, c, b);
		gh_arena_done(&b->arena);
	}
	gh_run_end(&c->run, code, &err);
	gh_arena_release(&look->arena, mark);
}

/* ---- opening again ---- */

/* What is told while a container is opened again was told when it was listed. */
static uint64_t quiet_emit(struct gh_ctx *ctx, enum gh_table table, uint64_t at, const void *row)
{
	(void)ctx, (void)table, (void)at, (void)row;
	return 0;
}

static void quiet_note(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *what)
{
	(void)ctx, (void)code, (void)at, (void)what;
}

static const struct gh_ctx_ops quiet_ops = {quiet_emit, quiet_note};

struct gh_open {
	struct gh_arena arena;
	struct gh_str key; /* the encoded way */
	struct gh_container *c;
	uint64_t used;
};

/* One step down: the source of a child, unpacked into the arena when it is packed. */
static enum gh_code step_down(struct gh_container *k, const struct gh_child *child, struct gh_arena *arena,
	struct gh_source **ret, struct gh_err *err)
{
	if (!(child->flags & GH_CHILD_STREAM))
		return k->format->data(&k->run.ctx, k->state, child, ret, err);
	struct gh_sink sink = {
		.cap = child->flags & GH_CHILD_SIZE_HINT ? GH_WHOLE_MAX : gh_min(child->size, GH_WHOLE_MAX)};
	sink.buf = gh_alloc_raw(arena, gh_max(sink.cap, 1));
	if (!sink.buf)
		return gh_fail(err, GH_NOMEM, child->off, "no memory to unpack a container again");
	k->run.budget.bytes = sink.cap;
	(void)!k->format->pour(&k->run.ctx, k->state, child, &sink, err); /* its faults were told the first time */
	*ret = gh_source_memory(arena, sink.buf, sink.len);
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, child->off, "no memory to unpack a container again");
}

/* The whole way from the base file to the open container, in one arena. */
static enum gh_code chain(struct gh_look *look, struct gh_arena *arena, const struct gh_job *job,
	struct gh_container *c, struct gh_err *err)
{
	struct gh_source *src = look->ops->base(look, arena, job->where.base);
	if (!src)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the input");
	for (uint32_t i = 0; i <= job->where.n; i++) {
		bool last = i == job->where.n;
		int32_t f = last ? job->format : job->where.step[i].format;
		struct gh_container *k = last ? c : gh_alloc(arena, sizeof *k);
		if (!k)
			return gh_fail(err, GH_NOMEM, 0, "no memory for a container");
		container_init(k, look,
			&(struct gh_container){.format = gh_formats[f],
				.src = src,
				.blob = job->blob,
				.depth = job->depth,
				.packed = job->packed,
				.bytes = job->bytes});
		k->run.ctx.arena = arena;
		k->run.ctx.ops = &quiet_ops;
		k->state = gh_alloc(arena, k->format->state_size);
		if (!k->state)
			return gh_fail(err, GH_NOMEM, 0, "no memory for a container");
		enum gh_code code = k->format->open(&k->run.ctx, src, k->state, err);
		if (code == GH_OK && !last)
			code = step_down(k, &job->where.step[i].child, arena, &src, err);
		if (code)
			return code;
	}
	c->src = src;
	/* Nobody hears what is noted here: a format that opened half would lack children without a word. */
	return arena->failed ? gh_fail(err, GH_NOMEM, 0, "no memory to open a container again") : GH_OK;
}

static struct gh_open *open_slot(struct gh_look *look, struct gh_str key)
{
	if (!look->open)
		look->open = calloc(OPEN_MAX, sizeof *look->open);
	struct gh_open *best = look->open;
	for (int i = 0; best && i < OPEN_MAX; i++) {
		struct gh_open *o = &look->open[i];
		if (o->c && gh_str_eq(o->key, key))
			return o;
		if (o->used < best->used)
			best = o;
	}
	if (best) {
		gh_arena_done(&best->arena);
		*best = (struct gh_open){0};
		gh_arena_init(&best->arena, OPEN_MEMORY);
		best->arena.countdown = look->arena.countdown;
	}
	return best;
}

void gh_open_done(struct gh_look *look)
{
	for (int i = 0; look->open && i < OPEN_MAX; i++)
		gh_arena_done(&look->open[i].arena);
	free(look->open);
	look->open = NULL;
}

/* What makes two jobs use the same open chain. */
static bool chain_key(struct gh_arena *arena, const struct gh_job *job, struct gh_str *ret)
{
	struct gh_job key = *job;
	key.kind = GH_JOB_LOOK;
	key.n = 0;
	return gh_job_encode(arena, &key, ret);
}

static struct gh_container *open_chain(struct gh_look *look, const struct gh_job *job, struct gh_err *err)
{
	struct gh_str key;
	if (!chain_key(&look->arena, job, &key))
		return NULL;
	struct gh_open *o = open_slot(look, key);
	if (!o)
		return NULL;
	o->used = ++look->open_clock;
	if (o->c)
		return o->c;
	o->key = gh_str_dup(&o->arena, key);
	struct gh_container *c = gh_alloc(&o->arena, sizeof *c);
	struct gh_locator *where = gh_alloc(&o->arena, sizeof *where);
	if (!c || !where || chain(look, &o->arena, job, c, err))
		return NULL;
	*where = job->where;
	c->where = where;
	o->c = c;
	return c;
}

struct gh_container *gh_container_open_job(struct gh_look *look, const struct gh_job *job)
{
	struct gh_err err = {.code = GH_NOMEM, .what = "no memory to open a container again"};
	gh_phase_set(look, job->blob, job->n == 1 ? (int64_t)job->children[0].n : -1, job->format);
	struct gh_container *c = NULL;
	if (job->format < 0) {
		c = gh_alloc(&look->arena, sizeof *c);
		if (c) {
			*c = (struct gh_container){.blob = job->blob,
				.depth = job->depth,
				.packed = job->packed,
				.bytes = job->bytes,
				.size = job->size,
				.where = &job->where};
			c->src = look->ops->base(look, &look->arena, job->where.base);
		}
		if (c && c->src)
			return c;
	} else {
		c = open_chain(look, job, &err);
	}
	if (!c) {
		unsigned bit = job->format < 0 ? GH_MAX_PLUGINS : (unsigned)job->format;
		if (bit < GH_MAX_PLUGINS)
			look->ops->run(look, job->blob, bit, gh_code_word(err.code), err.at, err.what);
		return NULL;
	}
	/* The state stays; the run, with its budget and its notes, is this job's. */
	gh_run_init(&c->run, look, job->blob, job->format, job->bytes, job->size);
	return c;
}
