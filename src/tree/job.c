/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs as bytes, for the channel between coordinator and workers. Both ends are one program: fields go out as they are, but
 * what comes in is checked, since a worker that was taken over may write anything. */
#include "base/num.h"
#include "tree/look.h"

struct out {
	uint8_t *p;
	size_t n, cap;
};

static void put(struct out *o, const void *p, size_t n)
{
	if (n > o->cap - o->n) {
		o->n = o->cap + 1;
		return;
	}
	if (n)
		memcpy(o->p + o->n, p, n);
	o->n += n;
}

static void put64(struct out *o, uint64_t v)
{
	uint8_t b[8];
	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	put(o, b, 8);
}

static void put_str(struct out *o, struct gh_str s)
{
	put64(o, s.p ? s.n : UINT64_MAX);
	put(o, s.p, s.p ? s.n : 0);
}

static void put_child(struct out *o, const struct gh_child *c)
{
	uint64_t v[] = {c->kind, c->flags, c->cookie[0], c->cookie[1], c->off, c->csize, c->size, c->attr.ino,
		c->attr.mode, c->attr.uid, c->attr.gid, c->attr.nlink, (uint64_t)c->attr.mtime, c->attr.rdev,
		c->attr.caps, c->attr.iflags, c->of.row, c->of.blob, c->of.part, c->of.loose};
	for (size_t i = 0; i < GH_COUNT(v); i++)
		put64(o, v[i]);
	put_str(o, c->name);
	put_str(o, c->attr.selinux);
	put_str(o, c->attr.link);
}

/* Bytes of one, its strings empty, without steps. */
enum { CHILD_MIN = 20 * 8 + 3 * 8, JOB_CHILD_MIN = 16 + CHILD_MIN, WAY_MIN = 2 * 8, PART_MIN = 5 * 8 + WAY_MIN };

static size_t child_len(const struct gh_child *c)
{
	return CHILD_MIN + c->name.n + c->attr.selinux.n + c->attr.link.n;
}

static size_t way_len(const struct gh_locator *l)
{
	size_t n = WAY_MIN + l->n * (size_t)8;
	for (uint32_t i = 0; i < l->n; i++)
		n += child_len(&l->step[i].child);
	return n;
}

static void put_way(struct out *o, const struct gh_locator *l)
{
	put64(o, l->base);
	put64(o, l->n);
	for (uint32_t i = 0; i < l->n; i++) {
		put64(o, l->step[i].format);
		put_child(o, &l->step[i].child);
	}
}

static void put_part(struct out *o, const struct gh_part_at *p)
{
	put_str(o, p->name);
	put64(o, p->role);
	put64(o, p->index);
	put64(o, p->row);
	put64(o, p->there);
	put_way(o, &p->where);
}

bool gh_job_encode(struct gh_arena *arena, const struct gh_job *job, struct gh_str *ret)
{
	struct out o = {.cap = 9 * 8 + way_len(&job->where)};
	for (uint32_t i = 0; i < job->where.n_parts; i++)
		o.cap += PART_MIN - WAY_MIN + job->where.parts[i].name.n + way_len(&job->where.parts[i].where);
	for (uint32_t i = 0; i < job->n; i++)
		o.cap += JOB_CHILD_MIN - CHILD_MIN + child_len(&job->children[i].child);
	o.p = gh_alloc_raw(arena, o.cap);
	if (!o.p)
		return false;
	uint64_t v[] = {job->kind, job->blob, (uint64_t)(int64_t)job->format, job->depth, job->packed, job->bytes,
		job->size, job->where.n_parts, job->n};
	for (size_t i = 0; i < GH_COUNT(v); i++)
		put64(&o, v[i]);
	put_way(&o, &job->where);
	for (uint32_t i = 0; i < job->where.n_parts; i++)
		put_part(&o, &job->where.parts[i]);
	for (uint32_t i = 0; i < job->n; i++) {
		put64(&o, job->children[i].n);
		put64(&o, job->children[i].blob);
		put_child(&o, &job->children[i].child);
	}
	*ret = gh_strn(o.p, o.n);
	return o.n <= o.cap;
}

static struct gh_str take_str(struct gh_cursor *c)
{
	uint64_t n = gh_u64(c);
	if (n == UINT64_MAX)
		return GH_NONE;
	struct gh_cursor s = gh_sub(c, n);
	return gh_strn(s.p, s.n);
}

static void take_child(struct gh_cursor *c, struct gh_child *ret)
{
	ret->kind = gh_u64(c) % 3;
	ret->flags = (uint32_t)gh_u64(c);
	ret->cookie[0] = gh_u64(c);
	ret->cookie[1] = gh_u64(c);
	ret->off = gh_u64(c);
	ret->csize = gh_u64(c);
	ret->size = gh_u64(c);
	ret->attr.ino = gh_u64(c);
	ret->attr.mode = (uint32_t)gh_u64(c);
	ret->attr.uid = (uint32_t)gh_u64(c);
	ret->attr.gid = (uint32_t)gh_u64(c);
	ret->attr.nlink = (uint32_t)gh_u64(c);
	ret->attr.mtime = (int64_t)gh_u64(c);
	ret->attr.rdev = gh_u64(c);
	ret->attr.caps = gh_u64(c);
	ret->attr.iflags = (uint32_t)gh_u64(c);
	ret->of.row = gh_u64(c);
	ret->of.blob = (uint32_t)gh_u64(c);
	ret->of.part = (uint32_t)gh_u64(c);
	ret->of.loose = (uint32_t)gh_u64(c);
	ret->name = take_str(c);
	ret->attr.selinux = take_str(c);
	ret->attr.link = take_str(c);
}

static bool take_way(struct gh_cursor *c, struct gh_locator *ret)
{
	ret->base = (uint32_t)gh_u64(c);
	uint64_t steps = gh_u64(c);
	if (c->bad || steps > GH_MAX_DEPTH)
		return false;
	ret->n = (uint32_t)steps;
	for (uint32_t i = 0; i < steps; i++) {
		uint64_t f = gh_u64(c);
		if (f >= gh_n_formats)
			return false;
		ret->step[i].format = (uint8_t)f;
		take_child(c, &ret->step[i].child);
	}
	return !c->bad;
}

static bool take_parts(struct gh_arena *arena, struct gh_cursor *c, struct gh_locator *ret, uint64_t n)
{
	struct gh_part_at *list = gh_alloc_array(arena, n, sizeof *list);
	if (!list)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		list[i].name = take_str(c);
		list[i].role = (uint32_t)gh_u64(c);
		list[i].index = (uint32_t)gh_u64(c);
		list[i].row = gh_u64(c);
		list[i].there = gh_u64(c) != 0;
		if (!take_way(c, &list[i].where))
			return false;
	}
	ret->n_parts = (uint32_t)n;
	ret->parts = list;
	return true;
}

bool gh_job_decode(struct gh_arena *arena, const uint8_t *p, size_t n, struct gh_job *ret)
{
	struct gh_cursor c = gh_cursor(p, n, 0);
	*ret = (struct gh_job){.kind = gh_u64(&c) % GH_N_JOB_KINDS};
	ret->blob = (uint32_t)gh_u64(&c);
	ret->format = (int32_t)gh_u64(&c);
	ret->depth = (uint32_t)gh_u64(&c);
	ret->packed = (uint32_t)gh_u64(&c);
	ret->bytes = gh_u64(&c);
	ret->size = gh_u64(&c);
	uint64_t parts = gh_u64(&c), children = gh_u64(&c);
	bool format_ok = ret->format >= -1 && ret->format < (int32_t)gh_n_formats;
	if (c.bad || !format_ok || parts > GH_PARTS_MAX || !take_way(&c, &ret->where) ||
		(parts && !take_parts(arena, &c, &ret->where, parts)) || children > gh_left(&c) / JOB_CHILD_MIN)
		return false;
	struct gh_job_child *list = gh_alloc_array(arena, (size_t)children, sizeof *list);
	if (!list)
		return false;
	for (uint64_t i = 0; i < children; i++) {
		list[i].n = gh_u64(&c);
		list[i].blob = (uint32_t)gh_u64(&c);
		take_child(&c, &list[i].child);
	}
	ret->n = (uint32_t)children;
	ret->children = list;
	return !c.bad && c.i == c.n;
}
