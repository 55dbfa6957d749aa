/* SPDX-License-Identifier: Apache-2.0 */
/* Sets: collecting their parts by name. */
#include "tree/set.h"

#include "base/sort.h"

enum { MEMORY = 24 << 20 }; /* of the names and children of all parts that are kept */

void gh_sets_init(struct gh_sets *s)
{
	*s = (struct gh_sets){.last = NULL};
	s->last = &s->first;
	gh_arena_init(&s->arena, MEMORY);
}

void gh_sets_done(struct gh_sets *s)
{
	gh_arena_done(&s->arena);
}

bool gh_set_name(struct gh_str name, struct gh_arena *arena, unsigned *ret_format, struct gh_part_name *ret)
{
	for (unsigned i = 0; i < gh_n_formats; i++) {
		*ret = (struct gh_part_name){0};
		if (gh_formats[i]->part && gh_formats[i]->part(name, arena, ret)) {
			*ret_format = i;
			return true;
		}
	}
	return false;
}

static struct gh_set *find(struct gh_sets *s, unsigned format, const struct gh_part_name *p)
{
	for (struct gh_set *set = s->first; set; set = set->next)
		if (set->format == format && set->loose == p->loose && gh_str_eq(set->name, p->set))
			return set;
	return NULL;
}

static struct gh_set *set_new(struct gh_sets *s, unsigned format, const struct gh_part_name *p)
{
	struct gh_set *set = s->n < GH_SETS_MAX ? gh_alloc(&s->arena, sizeof *set) : NULL;
	if (!set)
		return NULL;
	set->format = format;
	set->loose = p->loose;
	set->name = gh_str_dup(&s->arena, p->set);
	if (!set->name.p)
		return NULL;
	set->row = gh_child_row(format, s->rows[format]++);
	s->n++;
	*s->last = set;
	s->last = &set->next;
	return set;
}

static bool keep(struct gh_sets *s, struct gh_str *text)
{
	bool had = text->p != NULL;
	*text = gh_str_dup(&s->arena, *text);
	return !had || text->p;
}

struct gh_set *gh_sets_add(struct gh_sets *s, uint64_t row, const struct gh_child *child)
{
	struct gh_part_name p;
	unsigned format;
	struct gh_mark mark = gh_arena_mark(&s->arena);
	if (!gh_set_name(child->name, &s->arena, &format, &p))
		return NULL;
	struct gh_set *set = find(s, format, &p);
	if (set)
		gh_arena_release(&s->arena, mark);
	else
		set = set_new(s, format, &p);
	if (!set || set->n == GH_PARTS_MAX) {
		s->full = true;
		return NULL;
	}
	struct gh_set_part *part = &set->part[set->n];
	*part = (struct gh_set_part){.role = p.role, .index = p.index, .nth = set->n, .row = row, .child = *child};
	if (!keep(s, &part->child.name) || !keep(s, &part->child.attr.selinux) || !keep(s, &part->child.attr.link)) {
		s->full = true;
		return NULL;
	}
	set->n++;
	return set;
}

static bool before(const void *a, const void *b)
{
	const struct gh_set_part *const *x = a, *const *y = b;
	if ((*x)->role != (*y)->role)
		return (*x)->role < (*y)->role;
	return (*x)->index != (*y)->index ? (*x)->index < (*y)->index : (*x)->nth < (*y)->nth;
}

void gh_set_close(struct gh_set *set, uint32_t blob)
{
	const struct gh_set_part *order[GH_PARTS_MAX];
	for (uint32_t i = 0; i < set->n; i++)
		order[i] = &set->part[i];
	gh_sort(order, set->n, sizeof order[0], before);
	for (uint32_t i = 0; i < set->n; i++) {
		set->order[i] = (uint8_t)(order[i] - set->part);
		set->part[set->order[i]].child.of = (struct gh_of){set->row, blob, i, set->loose};
	}
}

struct gh_child gh_set_child(const struct gh_set *set)
{
	struct gh_child c = {
		.kind = GH_VOLUME, .flags = GH_CHILD_SET, .name = set->name, .off = UINT64_MAX, .of.loose = set->loose};
	for (uint32_t i = 0; i < set->n; i++) {
		uint64_t n = set->part[i].child.csize;
		c.csize = n > UINT64_MAX - c.csize ? UINT64_MAX : c.csize + n;
	}
	return c;
}

bool gh_part_known(const struct gh_of *of, const struct gh_probe *probe)
{
	return !of->loose || gh_formats[gh_row_format(of->row)]->bid(probe) >= GH_BID_MAGIC;
}
