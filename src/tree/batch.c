/* SPDX-License-Identifier: Apache-2.0 */
/* Children on their way from a listing into jobs. */
#include "base/num.h"
#include "base/sort.h"
#include "tree/walk.h"

enum {
	GRAIN_COSTLY =
		512
		<< 10, /* operations of an update have 2 MiB, the blocks of packed file systems at most 1 MiB, mostly 128 KiB */
	SORTED_MAX = 1 << 14, /* children that wait to be ordered: some 6 MiB */
	SORTED_BATCH = 1 << 11, /* of them in one job, or the ends of the jobs cost as much as what lies between */
};

/* Is any byte of it as costly to reach as millions? */
bool gh_costly(const struct gh_container *c)
{
	return c->src && c->format->volume && c->src->grain >= GRAIN_COSTLY;
}

/* Children that wait to be handed over together. */
struct gh_batch {
	struct gh_arena arena; /* their strings */
	struct gh_job_child *list;
	uint32_t n, cap;
	uint64_t bytes;
	uint64_t near; /* of the last child that told where it lies */
	bool sorted; /* they are handed over as they lie in the container */
};

static bool batch_hand(struct gh_look *look, struct gh_container *c, const struct gh_job_child *list, uint32_t n)
{
	struct gh_job job = {.kind = GH_JOB_LOOK,
		.blob = c->blob,
		.format = (int32_t)gh_format_bit(c->format),
		.depth = c->depth,
		.packed = c->packed,
		.bytes = c->bytes,
		.size = c->size,
		.where = *c->where,
		.n = n,
		.children = list};
	bool taken = look->ops->defer(look, &job);
	for (uint32_t i = 0; !taken && i < n; i++)
		gh_look_child(look, c, list[i].n, &list[i].child);
	return taken;
}

static bool lies_before(const void *a, const void *b)
{
	const struct gh_job_child *const *x = a, *const *y = b;
	return (*x)->child.near != (*y)->child.near ? (*x)->child.near < (*y)->child.near : (*x)->n < (*y)->n;
}

/* In the order in which they lie in the container, in pieces that have most of their bytes for themselves. */
static bool batch_hand_sorted(struct gh_look *look, struct gh_container *c, struct gh_batch *b)
{
	struct gh_mark mark = gh_arena_mark(&look->arena);
	const struct gh_job_child **order = gh_alloc_array(&look->arena, b->n, sizeof(void *));
	struct gh_job_child *piece = gh_alloc_array(&look->arena, SORTED_BATCH, sizeof *piece);
	if (!order || !piece) {
		gh_arena_release(&look->arena, mark);
		return false;
	}
	for (uint32_t i = 0; i < b->n; i++)
		order[i] = &b->list[i];
	gh_sort(order, b->n, sizeof(void *), lies_before);
	for (uint32_t i = 0; i < b->n;) {
		uint64_t bytes = 0;
		uint32_t n = 0;
		while (i < b->n && n < SORTED_BATCH && bytes < GH_BATCH_BYTES) {
			piece[n++] = *order[i];
			bytes += order[i++]->child.size;
		}
		batch_hand(look, c, piece, n);
	}
	gh_arena_release(&look->arena, mark);
	return true;
}

static void batch_flush(struct gh_look *look, struct gh_container *c, struct gh_batch *b)
{
	if (b->n && (!b->sorted || !batch_hand_sorted(look, c, b)))
		batch_hand(look, c, b->list, b->n);
	b->n = 0;
	b->bytes = 0;
	gh_arena_release(&b->arena, (struct gh_mark){0});
}

static bool batch_add(struct gh_batch *b, uint64_t row, const struct gh_child *child)
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
	uint64_t near = child->near ? child->near : child->off;
	b->near = near == UINT64_MAX ? b->near : near; /* what does not tell lies with what was listed before it */
	jc->child.near = b->near;
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

void gh_batch_child(
	struct gh_look *look, struct gh_container *c, struct gh_batch *b, uint64_t row, const struct gh_child *child)
{
	if (!b || !worth_a_job(child) || !batch_add(b, row, child)) {
		gh_look_child(look, c, row, child);
		return;
	}
	if (b->n == b->cap || (!b->sorted && b->bytes >= GH_BATCH_BYTES) || child->kind == GH_VOLUME)
		batch_flush(look, c, b);
}

struct gh_batch *gh_batch_new(struct gh_look *look, const struct gh_container *c)
{
	if (!c->where || c->here || !look->ops->defer)
		return NULL;
	struct gh_batch *b = gh_alloc(&look->arena, sizeof *b);
	if (!b)
		return NULL;
	b->sorted = gh_costly(c);
	b->cap = b->sorted ? SORTED_MAX : GH_BATCH_CHILDREN;
	b->list = gh_alloc_raw(&look->arena, b->cap * sizeof *b->list);
	gh_arena_init(&b->arena, 0);
	return b->list ? b : NULL;
}

void gh_batch_end(struct gh_look *look, struct gh_container *c, struct gh_batch *b)
{
	if (!b)
		return;
	batch_flush(look, c, b);
	gh_arena_done(&b->arena);
}
