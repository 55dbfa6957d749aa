/* SPDX-License-Identifier: Apache-2.0 */
/* Sets: telling the coordinator of them and of their parts, and looking at one whose parts are at hand. */
#include "base/num.h"
#include "tree/set.h"
#include "tree/walk.h"

bool gh_sets_apart(const struct gh_look *look, const struct gh_container *c)
{
	return look->ops->defer && c->where && !c->where->n_parts;
}

bool gh_set_announce(struct gh_look *look, struct gh_container *c, const struct gh_set *set)
{
	struct gh_mark mark = gh_arena_mark(&look->arena);
	struct gh_part_at *parts = gh_alloc_array(&look->arena, set->n, sizeof *parts);
	bool ok = parts != NULL;
	for (uint32_t i = 0; ok && i < set->n; i++) {
		const struct gh_set_part *p = &set->part[set->order[i]];
		parts[i] =
			(struct gh_part_at){.name = p->child.name, .role = p->role, .index = p->index, .row = p->row};
	}
	struct gh_job_child jc = {.n = set->row, .child = gh_set_child(set)};
	struct gh_job job = {.kind = GH_JOB_SET,
		.blob = c->blob,
		.format = -1,
		.depth = c->depth,
		.packed = c->packed,
		.bytes = c->bytes,
		.size = c->size,
		.where = {.n_parts = set->n, .parts = parts},
		.n = 1,
		.children = &jc};
	ok = ok && look->ops->defer(look, &job);
	gh_arena_release(&look->arena, mark);
	return ok;
}

void gh_part_tell(struct gh_look *look, const struct gh_place *at, uint64_t size)
{
	const struct gh_container *c = at->c;
	struct gh_mark mark = gh_arena_mark(&look->arena);
	struct gh_locator *where =
		gh_sets_apart(look, c) ? gh_locator_step(&look->arena, c->where, c->format, at->child) : NULL;
	struct gh_job_child jc = {.n = at->row, .child = *at->child};
	jc.child.size = size;
	jc.child.name = GH_NONE;
	struct gh_job job = {.kind = GH_JOB_PART,
		.blob = c->blob,
		.format = -1,
		.packed = c->packed + (at->child->flags & GH_CHILD_STREAM && c->format),
		.n = 1,
		.children = &jc};
	if (where) {
		job.where = *where;
		(void)look->ops->defer(look, &job);
	}
	gh_arena_release(&look->arena, mark);
}

/* ---- here and now ---- */

static enum gh_code pour_here(struct gh_look *look, struct gh_container *c, const struct gh_format *f,
	struct gh_run_of *run, void *state, const struct gh_child *child, struct gh_source **src, struct gh_err *err)
{
	bool hint = child->flags & GH_CHILD_SIZE_HINT;
	struct gh_sink sink = {.cap = hint ? GH_WHOLE_MAX : (size_t)gh_min(child->size, GH_WHOLE_MAX)};
	sink.buf = gh_alloc_raw(&look->arena, gh_max(sink.cap, 1));
	if (!sink.buf)
		return gh_fail(err, GH_NOMEM, 0, "no memory to unpack a part of a set");
	run->budget.bytes = gh_pour_budget(c->bytes, gh_max((*src)->size, 1), c->size, c->packed);
	(void)!f->pour(&run->ctx, state, child, &sink, err);
	*src = gh_source_memory(&look->arena, sink.buf, sink.len);
	return *src ? GH_OK : gh_fail(err, GH_NOMEM, 0, "no memory to unpack a part of a set");
}

/* The one content of a packing; *src stays as it is where it is not packed. */
static enum gh_code unpack(struct gh_look *look, struct gh_container *c, struct gh_str name, struct gh_source **src,
	uint32_t *packed, struct gh_err *err)
{
	struct gh_probe probe;
	enum gh_code code = gh_probe_make(*src, gh_str_base(name), &look->arena, &probe, err);
	const struct gh_format *f = code ? NULL : gh_probe_format(&probe);
	if (!f || !f->packing)
		return code;
	struct gh_child child = {0};
	struct gh_run_of *run = gh_alloc(&look->arena, sizeof *run);
	void *state = gh_alloc(&look->arena, f->state_size);
	if (!state || !run)
		return gh_fail(err, GH_NOMEM, 0, "no memory to unpack a part of a set");
	gh_run_init(run, look, c->blob, c->run.plugin, c->run.budget.bytes, (*src)->size);
	run->ctx.ops = &gh_quiet_ops; /* what is wrong with it is told where the part is looked at */
	code = f->open(&run->ctx, *src, state, err);
	if (code == GH_OK)
		code = f->next(&run->ctx, state, &child, err);
	if (code)
		return code;
	++*packed;
	return child.flags & GH_CHILD_STREAM ? pour_here(look, c, f, run, state, &child, src, err)
					     : f->data(&run->ctx, state, &child, src, err);
}

static struct gh_source *part_here(
	struct gh_look *look, struct gh_container *c, const struct gh_set_part *p, uint32_t *packed, struct gh_err *err)
{
	struct gh_child child = p->child;
	struct gh_source *src = NULL;
	struct gh_probe probe;
	bool to_spill;
	child.of = (struct gh_of){0};
	*packed = c->packed + (child.flags & GH_CHILD_STREAM && c->format);
	if (gh_child_source(look, c, &child, &src, &to_spill, err) || !src ||
		unpack(look, c, child.name, &src, packed, err))
		return NULL;
	if (p->child.of.loose && (gh_probe_make(src, gh_str_base(child.name), &look->arena, &probe, err) ||
					 !gh_part_known(&p->child.of, &probe)))
		return NULL;
	return src;
}

void gh_set_look_here(struct gh_look *look, struct gh_container *c, const struct gh_set *set)
{
	struct gh_mark mark = gh_arena_mark(&look->arena);
	struct gh_part *parts = gh_alloc_array(&look->arena, set->n, sizeof *parts);
	struct gh_container *with = gh_alloc(&look->arena, sizeof *with);
	struct gh_child child = gh_set_child(set);
	uint32_t there = 0;
	if (!parts || !with)
		return;
	*with = *c;
	with->where = NULL;
	gh_run_for_child(&c->run, set->row); /* what parts bring up was told where they were looked at */
	c->run.ctx.ops = &gh_quiet_ops;
	for (uint32_t i = 0; i < set->n; i++) {
		const struct gh_set_part *p = &set->part[set->order[i]];
		struct gh_err err = {0};
		uint32_t packed;
		parts[i] = (struct gh_part){p->child.name, p->role, p->index, p->row, NULL};
		parts[i].src = part_here(look, c, p, &packed, &err);
		if (!parts[i].src)
			continue;
		there++;
		with->packed = (uint32_t)gh_max(with->packed, packed);
		child.size += gh_min(parts[i].src->size, UINT64_MAX - child.size);
	}
	c->run = with->run;
	with->parts = parts;
	with->n_parts = set->n;
	if (there || !set->loose)
		gh_look_child(look, with, set->row, &child);
	gh_arena_release(&look->arena, mark);
}
