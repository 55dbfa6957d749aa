/* SPDX-License-Identifier: Apache-2.0 */
/* Sets: the coordinator gathers the ways to the parts of a set, which are found by different jobs, and queues one job for what they
 * are together. A set is held by every job that may still find a part of it, or name a set of its container. */
#include <stdlib.h>

#include "base/num.h"
#include "engine/coordinator.h"

enum { SETS_MAX = 4096 }; /* in one scan: they come from jailed workers, which may have been taken over */

struct gh_known_set {
	uint64_t row;
	uint32_t blob;
	uint32_t held; /* by so many jobs */
	uint32_t n, found;
	bool gone; /* its job was queued, or cannot be */
	struct gh_pending *proto; /* the announcement */
	struct gh_pending **part; /* the ways that were found; NULL: not yet */
};

static struct gh_known_set *find(struct gh_engine *e, uint32_t blob, uint64_t row)
{
	for (size_t i = e->n_sets; i-- > 0;)
		if (e->sets[i].blob == blob && e->sets[i].row == row)
			return &e->sets[i];
	return NULL;
}

/* The job over all parts that were found. Strings of the pieces point into them. */
static bool set_job(struct gh_known_set *s, struct gh_arena *arena, struct gh_job *ret)
{
	if (!gh_job_decode(arena, s->proto->job, s->proto->len, ret) || ret->where.n_parts != s->n)
		return false;
	struct gh_part_at *parts = (struct gh_part_at *)ret->where.parts;
	struct gh_job_child *jc = (struct gh_job_child *)ret->children;
	bool any = false;
	for (uint32_t i = 0; i < s->n; i++) {
		struct gh_job part;
		if (!s->part[i] || !gh_job_decode(arena, s->part[i]->job, s->part[i]->len, &part))
			continue;
		parts[i].there = any = true;
		parts[i].where = part.where;
		ret->packed = (uint32_t)gh_max(ret->packed, part.packed);
		jc->child.size += gh_min(part.children[0].child.size, UINT64_MAX - jc->child.size);
	}
	ret->kind = GH_JOB_LOOK;
	return any || !jc->child.of.loose;
}

static void set_drop(struct gh_engine *e, struct gh_known_set *s)
{
	for (uint32_t i = 0; s->part && i < s->n; i++)
		if (s->part[i])
			gh_pending_free(e, s->part[i]);
	if (s->proto)
		gh_pending_free(e, s->proto);
	free(s->part);
	s->part = NULL;
	s->proto = NULL;
	s->gone = true;
}

static void set_go(struct gh_engine *e, struct gh_known_set *s)
{
	struct gh_arena arena;
	struct gh_job job;
	gh_arena_init(&arena, 0);
	s->gone = true;
	if (set_job(s, &arena, &job))
		gh_queue_add(e, &job, false);
	gh_arena_done(&arena);
	set_drop(e, s);
}

bool gh_set_add(struct gh_engine *e, const struct gh_job *job, struct gh_pending *by)
{
	if (job->n != 1 || !job->where.n_parts || job->children[0].child.kind == GH_FILE)
		return false;
	uint64_t row = job->children[0].n;
	if (find(e, job->blob, row))
		return true;
	if (e->n_sets >= SETS_MAX)
		return false;
	struct gh_known_set *more = realloc(e->sets, (e->n_sets + 1) * sizeof *more);
	if (!more)
		return false;
	e->sets = more;
	struct gh_known_set *s = &e->sets[e->n_sets];
	*s = (struct gh_known_set){.row = row, .blob = job->blob, .n = job->where.n_parts};
	s->part = calloc(s->n, sizeof *s->part);
	s->proto = gh_pending_kept(e, job);
	if (!s->part || !s->proto) {
		set_drop(e, s);
		return false;
	}
	e->n_sets++;
	if (by)
		gh_pending_hold(e, by, (uint32_t)(s - e->sets));
	return true;
}

void gh_set_part(struct gh_engine *e, const struct gh_job *job)
{
	const struct gh_of *of = &job->children[0].child.of;
	struct gh_known_set *s = find(e, of->blob, of->row);
	if (!s || s->gone || of->part >= s->n || s->part[of->part] || job->where.n_parts)
		return;
	s->part[of->part] = gh_pending_kept(e, job);
	s->found += s->part[of->part] != NULL;
	if (s->found == s->n)
		set_go(e, s);
}

uint32_t gh_set_number(struct gh_engine *e, const struct gh_of *of)
{
	struct gh_known_set *s = of->row ? find(e, of->blob, of->row) : NULL;
	return s && !s->gone ? (uint32_t)(s - e->sets) : UINT32_MAX;
}

void gh_set_hold(struct gh_engine *e, uint32_t number)
{
	e->sets[number].held++;
}

void gh_set_release(struct gh_engine *e, uint32_t number)
{
	struct gh_known_set *s = &e->sets[number];
	if (--s->held == 0 && !s->gone)
		set_go(e, s);
}

void gh_sets_drop(struct gh_engine *e)
{
	for (size_t i = 0; i < e->n_sets; i++)
		set_drop(e, &e->sets[i]);
}

void gh_sets_end(struct gh_engine *e)
{
	free(e->sets);
	e->sets = NULL;
	e->n_sets = 0;
}

/* ---- files of a folder, and INPUTs ---- */

static bool file_job(
	struct gh_engine *e, uint32_t blob, uint32_t depth, uint32_t base, uint64_t row, const struct gh_child *child)
{
	struct gh_job_child jc = {.n = row, .child = *child};
	struct gh_job job = {.kind = GH_JOB_LOOK,
		.blob = blob,
		.format = -1,
		.depth = depth,
		.bytes = gh_look_budget(child->size),
		.size = child->size,
		.where = {.base = base},
		.n = 1,
		.children = &jc};
	return gh_queue_add(e, &job, false);
}

bool gh_file_queue(struct gh_engine *e, struct gh_sets *sets, uint32_t blob, uint32_t depth, uint32_t base,
	uint64_t row, const struct gh_child *child)
{
	struct gh_child c = *child;
	c.cookie[0] = base; /* no format reads it */
	return gh_sets_add(sets, row, &c) || file_job(e, blob, depth, base, row, child);
}

static bool set_end(struct gh_engine *e, struct gh_set *set, uint32_t blob, uint32_t depth)
{
	struct gh_part_at *parts = calloc(set->n, sizeof *parts);
	struct gh_job_child jc = {.n = set->row, .child = gh_set_child(set)};
	struct gh_job job = {.kind = GH_JOB_SET,
		.blob = blob,
		.format = -1,
		.depth = depth,
		.bytes = gh_look_budget(jc.child.csize),
		.size = jc.child.csize,
		.where = {.n_parts = set->n, .parts = parts},
		.n = 1,
		.children = &jc};
	gh_set_close(set, blob);
	for (uint32_t i = 0; parts && i < set->n; i++) {
		const struct gh_set_part *p = &set->part[set->order[i]];
		parts[i] =
			(struct gh_part_at){.name = p->child.name, .role = p->role, .index = p->index, .row = p->row};
	}
	bool queued = true, ok = parts && gh_set_add(e, &job, NULL);
	uint32_t number = ok ? gh_set_number(e, &(struct gh_of){.row = set->row, .blob = blob}) : 0;
	if (ok)
		gh_set_hold(e, number);
	for (uint32_t i = 0; i < set->n; i++) {
		const struct gh_set_part *p = &set->part[i];
		struct gh_child child = p->child;
		child.cookie[0] = 0;
		queued &= file_job(e, blob, depth, (uint32_t)p->child.cookie[0], p->row, &child);
	}
	if (ok)
		gh_set_release(e, number);
	free(parts);
	return ok && queued;
}

bool gh_files_end(struct gh_engine *e, struct gh_sets *sets, uint32_t blob, uint32_t depth)
{
	bool ok = true;
	for (struct gh_set *set = sets->first; set; set = set->next)
		ok &= set_end(e, set, blob, depth);
	return ok;
}
