/* SPDX-License-Identifier: Apache-2.0 */
/* Containers: listing them, reaching their children, opening them again for a job. */
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "tree/cover.h"
#include "tree/set.h"
#include "tree/walk.h"

enum {
	OPEN_MAX = 4, /* container chains kept open: the jobs of one walk come mostly in a row */
	OPEN_MEMORY =
		112 << 20, /* state of one chain: central directories, extents, block caches, one unpacked member */
	CHILDREN_MAX = 1 << 24, /* of one container: row numbers have 24 bits */
	MEMO_BYTES = 24 << 20, /* inodes, attributes and directories of some 60,000 files */
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
	s->child.of = (struct gh_of){0};
	return l;
}

/* ---- reading a child ---- */

static enum gh_code child_poured(struct gh_look *look, struct gh_container *c, const struct gh_child *child,
	struct gh_source **ret, bool *ret_spill, struct gh_err *err)
{
	bool hint = child->flags & GH_CHILD_SIZE_HINT;
	size_t most = child->of.row && gh_sets_apart(look, c) ? GH_PART_WHOLE_MAX : GH_WHOLE_MAX;
	if (child->size > most && !hint) {
		*ret_spill = true;
		return GH_LIMIT;
	}
	struct gh_sink sink = {.cap = hint ? most : (size_t)child->size};
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

static enum gh_code reopen(struct gh_look *look, struct gh_arena *arena, const struct gh_container *proto,
	struct gh_container *k, struct gh_err *err);

/* ---- listing ---- */

/* The listing stopped here before: what comes behind is not known. */
static enum gh_code cut_short(struct gh_look *look, struct gh_container *c, const struct gh_skip *skip)
{
	char what[64];
	snprintf(what, sizeof what, "stopped while it listed what comes behind %u entries", skip->listed);
	look->ops->run(look, c->blob, gh_format_bit(c->format), skip->why, 0, what);
	return GH_END;
}

enum { LISTED_DEPTH = 2 }; /* a maker's list lies at the top of its package */

/* Is there a list in the container that states MD5s? It is listed once more for that, since the list may come last. */
static bool states_md5(struct gh_look *look, struct gh_container *c)
{
	if (!c->format->indexed || c->depth > LISTED_DEPTH)
		return false;
	struct gh_mark mark = gh_arena_mark(&look->arena);
	struct gh_container k;
	struct gh_err err;
	bool found = false;
	struct gh_container proto = {.format = c->format, .src = c->src, .blob = c->blob, .bytes = c->bytes};
	enum gh_code code = reopen(look, &look->arena, &proto, &k, &err);
	for (uint32_t n = 0; code == GH_OK && !found && n < CHILDREN_MAX; n++) {
		struct gh_child child = {0};
		code = gh_spend_steps(&k.run.budget, 1, 0, &err);
		if (code == GH_OK)
			code = k.format->next(&k.run.ctx, k.state, &child, &err);
		found = code == GH_OK && gh_measure_list(child.name);
	}
	gh_arena_release(&look->arena, mark);
	return found;
}

/* The one content of a part's packing is the part; of an archive or a folder, some names are those of parts. */
static bool is_part(struct gh_container *c, struct gh_sets *sets, uint64_t row, uint32_t n, struct gh_child *child)
{
	if (c->format->packing && !n)
		child->of = c->of;
	return sets && gh_child_has_content(child) && gh_sets_add(sets, row, child);
}

static enum gh_code list(
	struct gh_look *look, struct gh_container *c, struct gh_batch *b, struct gh_sets *sets, struct gh_err *err)
{
	unsigned bit = gh_format_bit(c->format);
	const struct gh_skip *skip = gh_skip_find(look, c->blob, -1, (int32_t)bit);
	uint32_t md5 = states_md5(look, c) ? GH_CHILD_MD5 : 0;
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
		child.flags |= md5;
		if (!is_part(c, sets, gh_child_row(bit, n), n, &child))
			gh_batch_child(look, c, b, gh_child_row(bit, n), &child);
	}
	return gh_fail(err, GH_LIMIT, 0, "more than %d children", CHILDREN_MAX);
}

/* In a phone's own file system such names mean nothing, and what is packed has one content. */
static struct gh_sets *sets_new(struct gh_look *look, const struct gh_format *format)
{
	struct gh_sets *s = format->volume || format->packing ? NULL : gh_alloc(&look->arena, sizeof *s);
	if (s)
		gh_sets_init(s);
	return s;
}

/* The listing has ended: which sets there are is known now. */
static void sets_end(struct gh_look *look, struct gh_container *c, struct gh_batch *b, struct gh_sets *sets)
{
	if (sets->full)
		gh_note(&c->run.ctx, GH_LIMIT, 0, "more files of sets than are kept: some are looked at one by one");
	for (struct gh_set *set = sets->first; set; set = set->next) {
		gh_set_close(set, c->blob);
		bool apart = gh_sets_apart(look, c) && gh_set_announce(look, c, set);
		for (uint32_t i = 0; i < set->n; i++)
			gh_batch_child(look, c, b, set->part[i].row, &set->part[i].child);
		if (!apart)
			gh_set_look_here(look, c, set);
	}
}

static void container_init(struct gh_container *c, struct gh_look *look, const struct gh_container *proto)
{
	*c = *proto;
	c->size = c->src ? c->src->size : proto->size;
	gh_run_init(&c->run, look, c->blob, (int)gh_format_bit(c->format), c->bytes, c->size);
	c->run.src = c->src;
}

/* A file system that is packed in large pieces is walked twice, here and for coverage, and its inodes lie anywhere. */
static void remember(struct gh_look *look, struct gh_container *c)
{
	if (!gh_costly(c))
		return;
	struct gh_source *memo = gh_source_memo(&look->arena, c->src, MEMO_BYTES);
	c->src = memo ? memo : c->src;
}

void gh_look_container(struct gh_look *look, const struct gh_container *proto)
{
	const struct gh_format *format = proto->format;
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
	remember(look, c);
	gh_phase_set(look, blob, -1, (int32_t)gh_format_bit(format));
	struct gh_err err = {0};
	enum gh_code code = c->n_parts ? format->open_set(&c->run.ctx, c->parts, c->n_parts, state, &err)
				       : format->open(&c->run.ctx, c->src, state, &err);
	if (code == GH_OK && format->describe)
		code = format->describe(&c->run.ctx, state, &err);
	struct gh_batch *b = code == GH_OK ? gh_batch_new(look, c) : NULL;
	struct gh_sets *sets = code == GH_OK ? sets_new(look, format) : NULL;
	if (code == GH_OK)
		code = list(look, c, b, sets, &err);
	if (sets) {
		sets_end(look, c, b, sets);
		gh_sets_done(sets);
	}
	gh_batch_end(look, c, b);
	if (code == GH_END)
		gh_cover(look, c);
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

const struct gh_ctx_ops gh_quiet_ops = {quiet_emit, quiet_note};

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

/* Opens one container on the way; proto has its format, and its source or parts. */
static enum gh_code reopen(struct gh_look *look, struct gh_arena *arena, const struct gh_container *proto,
	struct gh_container *k, struct gh_err *err)
{
	container_init(k, look, proto);
	k->run.ctx.arena = arena;
	k->run.ctx.ops = &gh_quiet_ops;
	k->state = gh_alloc(arena, k->format->state_size);
	if (!k->state)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a container");
	if (!k->n_parts)
		return k->format->open(&k->run.ctx, k->src, k->state, err);
	return k->format->open_set(&k->run.ctx, k->parts, k->n_parts, k->state, err);
}

/* From what proto has (a source, or parts) over the first n steps down to a container of this format. */
static enum gh_code chain(struct gh_look *look, struct gh_arena *arena, const struct gh_locator *where, uint32_t n,
	int32_t format, struct gh_container *proto, struct gh_container *c, struct gh_err *err)
{
	for (uint32_t i = 0; i <= n; i++) {
		struct gh_container *k = i == n ? c : gh_alloc(arena, sizeof *k);
		if (!k)
			return gh_fail(err, GH_NOMEM, 0, "no memory for a container");
		proto->format = gh_formats[i == n ? format : where->step[i].format];
		enum gh_code code = reopen(look, arena, proto, k, err);
		proto->parts = NULL;
		proto->n_parts = 0;
		if (code == GH_OK && i < n)
			code = step_down(k, &where->step[i].child, arena, &proto->src, err);
		if (code)
			return code;
	}
	/* Nobody hears what is noted here: a format that opened half would lack children without a word. */
	return arena->failed ? gh_fail(err, GH_NOMEM, 0, "no memory to open a container again") : GH_OK;
}

/* ---- opening sets ---- */

/* The container that the last part came from: mostly the others lie in it too. */
struct neighbour {
	const struct gh_locator *where;
	struct gh_container c;
};

static bool same_step(const struct gh_step *a, const struct gh_step *b)
{
	return a->format == b->format && a->child.cookie[0] == b->child.cookie[0] &&
	       a->child.cookie[1] == b->child.cookie[1] && a->child.off == b->child.off &&
	       a->child.size == b->child.size;
}

static bool same_container(const struct gh_locator *a, const struct gh_locator *b)
{
	if (!a || a->base != b->base || a->n != b->n || a->step[a->n - 1].format != b->step[b->n - 1].format)
		return false;
	for (uint32_t i = 0; i + 1 < a->n; i++)
		if (!same_step(&a->step[i], &b->step[i]))
			return false;
	return true;
}

static enum gh_code part_open(struct gh_look *look, struct gh_arena *arena, const struct gh_locator *where,
	struct neighbour *near, struct gh_source **ret, struct gh_err *err)
{
	if (where->n && same_container(near->where, where))
		return step_down(&near->c, &where->step[where->n - 1].child, arena, ret, err);
	struct gh_container proto = {.src = look->ops->base(look, arena, where->base)};
	near->where = NULL;
	if (!proto.src)
		return gh_fail(err, GH_IO, 0, "a file of the set cannot be opened");
	*ret = proto.src;
	if (!where->n)
		return GH_OK;
	const struct gh_step *last = &where->step[where->n - 1];
	enum gh_code code = chain(look, arena, where, where->n - 1, last->format, &proto, &near->c, err);
	if (code)
		return code;
	near->where = where;
	return step_down(&near->c, &last->child, arena, ret, err);
}

enum gh_code gh_parts_open(struct gh_look *look, struct gh_arena *arena, const struct gh_locator *where,
	struct gh_part **ret, uint64_t *ret_size, struct gh_err *err)
{
	struct gh_part *list = gh_alloc_array(arena, where->n_parts, sizeof *list);
	struct neighbour *near = gh_alloc(arena, sizeof *near);
	if (!list || !near)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the parts of a set");
	*ret = list;
	*ret_size = 0;
	for (uint32_t i = 0; i < where->n_parts; i++) {
		const struct gh_part_at *p = &where->parts[i];
		list[i] = (struct gh_part){gh_str_dup(arena, p->name), p->role, p->index, p->row, NULL};
		/* A part that does not open is one that is not there; why, its own listing told. */
		if (p->there && part_open(look, arena, &p->where, near, &list[i].src, err) == GH_NOMEM)
			return GH_NOMEM;
		if (list[i].src && !gh_add(*ret_size, list[i].src->size, ret_size))
			return gh_fail(err, GH_LIMIT, 0, "a set of more than 16 EiB");
		__atomic_fetch_add(&look->phase->beat, 1, __ATOMIC_RELAXED);
	}
	return GH_OK;
}

/* The whole way from the base file, or from the parts, to the open container, in one arena. */
static enum gh_code whole_chain(struct gh_look *look, struct gh_arena *arena, const struct gh_job *job,
	struct gh_container *c, struct gh_err *err)
{
	struct gh_container proto = {
		.blob = job->blob, .depth = job->depth, .packed = job->packed, .bytes = job->bytes};
	if (job->where.n_parts) {
		struct gh_part *parts;
		enum gh_code code = gh_parts_open(look, arena, &job->where, &parts, &proto.size, err);
		if (code)
			return code;
		proto.parts = parts;
		proto.n_parts = job->where.n_parts;
	} else if (!(proto.src = look->ops->base(look, arena, job->where.base))) {
		return gh_fail(err, GH_NOMEM, 0, "no memory for the input");
	}
	return chain(look, arena, &job->where, job->where.n, job->format, &proto, c, err);
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

/* A copy that lives as long as the arena. */
static bool way_keep(struct gh_arena *arena, const struct gh_locator *where, struct gh_locator *ret)
{
	*ret = *where;
	if (!where->n_parts)
		return true;
	struct gh_part_at *parts = gh_alloc_array(arena, where->n_parts, sizeof *parts);
	if (!parts)
		return false;
	memcpy(parts, where->parts, where->n_parts * sizeof *parts);
	for (uint32_t i = 0; i < where->n_parts; i++) {
		parts[i].name = gh_str_dup(arena, parts[i].name);
		if (where->parts[i].name.p && !parts[i].name.p)
			return false;
	}
	ret->parts = parts;
	return true;
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
	if (!c || !where || whole_chain(look, &o->arena, job, c, err) || !way_keep(&o->arena, &job->where, where))
		return NULL;
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
			if (!job->where.n_parts)
				c->src = look->ops->base(look, &look->arena, job->where.base);
		}
		if (c && (c->src || job->where.n_parts))
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
