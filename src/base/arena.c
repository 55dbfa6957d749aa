/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: a stack of chunks from mmap, kept for reuse after release. */
#include "base/arena.h"

#include <string.h>
#include <sys/mman.h>

#include "base/num.h"

enum {
	CHUNK_MIN = 256 << 10, /* small enough that an idle worker holds little, large enough that mmap is rare */
	KEEP_MAX = 72 << 20, /* one whole 64 MiB member plus slack is kept for the next; more goes back to the system */
	ALIGN = 16,
};

struct gh_chunk {
	struct gh_chunk *below;
	size_t size; /* of data */
	size_t used;
	size_t dirty; /* data[0..dirty) may be non-zero */
	_Alignas(ALIGN) uint8_t data[];
};

void gh_arena_init(struct gh_arena *arena, uint64_t limit)
{
	*arena = (struct gh_arena){.limit = limit};
}

static void chunk_unmap(struct gh_arena *arena, struct gh_chunk *c)
{
	arena->held -= c->size;
	munmap(c, c->size + sizeof *c);
}

static uint64_t free_held(const struct gh_arena *arena)
{
	uint64_t n = 0;
	for (const struct gh_chunk *c = arena->free; c; c = c->below)
		n += c->size;
	return n;
}

static void chunk_drop(struct gh_arena *arena, struct gh_chunk *c)
{
	if (free_held(arena) + c->size > KEEP_MAX) {
		chunk_unmap(arena, c);
		return;
	}
	c->used = 0;
	c->below = arena->free;
	arena->free = c;
}

void gh_arena_done(struct gh_arena *arena)
{
	for (struct gh_chunk *c; (c = arena->top);) {
		arena->top = c->below;
		chunk_unmap(arena, c);
	}
	for (struct gh_chunk *c; (c = arena->free);) {
		arena->free = c->below;
		chunk_unmap(arena, c);
	}
}

/* The smallest kept chunk that fits, unless it is far too large for the need. */
static struct gh_chunk *chunk_reuse(struct gh_arena *arena, size_t n)
{
	struct gh_chunk **best = NULL;
	for (struct gh_chunk **p = &arena->free; *p; p = &(*p)->below)
		if ((*p)->size >= n && ((*p)->size <= CHUNK_MIN || (*p)->size / 2 <= n) &&
			(!best || (*p)->size < (*best)->size))
			best = p;
	if (!best)
		return NULL;
	struct gh_chunk *c = *best;
	*best = c->below;
	return c;
}

static struct gh_chunk *chunk_map(struct gh_arena *arena, size_t n)
{
	size_t size = n > CHUNK_MIN ? (n + 0xffff) & ~(size_t)0xffff : CHUNK_MIN;
	while (arena->limit && arena->held + size > arena->limit && arena->free) {
		struct gh_chunk *c = arena->free;
		arena->free = c->below;
		chunk_unmap(arena, c);
	}
	if (arena->limit && (size > arena->limit || arena->held > arena->limit - size))
		return NULL;
	struct gh_chunk *c = mmap(NULL, size + sizeof *c, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c == MAP_FAILED)
		return NULL;
	c->size = size;
	c->dirty = 0;
	arena->held += size;
	return c;
}

/* The top chunk with room for n bytes; NULL at the limit. */
static struct gh_chunk *room(struct gh_arena *arena, size_t n)
{
	struct gh_chunk *c = arena->top;
	if (c && c->size - c->used >= n)
		return c;
	c = chunk_reuse(arena, n);
	if (!c)
		c = chunk_map(arena, n);
	if (!c)
		return NULL;
	c->used = 0;
	c->below = arena->top;
	arena->top = c;
	return c;
}

static void *take(struct gh_arena *arena, size_t n, bool zero)
{
	bool fails = n > SIZE_MAX / 2 || (arena->countdown && *arena->countdown && !--*arena->countdown);
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	struct gh_chunk *c = fails ? NULL : room(arena, n);
	if (!c) {
		arena->failed++;
		return NULL;
	}
	uint8_t *p = c->data + c->used;
	if (zero && c->dirty > c->used)
		memset(p, 0, gh_min(n, c->dirty - c->used));
	c->used += n;
	if (c->dirty < c->used)
		c->dirty = c->used;
	return p;
}

void *gh_alloc(struct gh_arena *arena, size_t n)
{
	return take(arena, n, true);
}

void *gh_alloc_raw(struct gh_arena *arena, size_t n)
{
	return take(arena, n, false);
}

void *gh_alloc_array(struct gh_arena *arena, size_t n, size_t size)
{
	size_t total;
	return gh_alloc(arena, __builtin_mul_overflow(n, size, &total) ? SIZE_MAX : total);
}

char *gh_arena_copy(struct gh_arena *arena, const void *p, size_t n)
{
	char *s = gh_alloc_raw(arena, n == SIZE_MAX ? n : n + 1);
	if (!s)
		return NULL;
	if (n)
		memcpy(s, p, n);
	s[n] = 0;
	return s;
}

struct gh_mark gh_arena_mark(const struct gh_arena *arena)
{
	return (struct gh_mark){arena->top, arena->top ? arena->top->used : 0};
}

void gh_arena_release(struct gh_arena *arena, struct gh_mark mark)
{
	while (arena->top != mark.top) {
		struct gh_chunk *c = arena->top;
		arena->top = c->below;
		chunk_drop(arena, c);
	}
	if (arena->top)
		arena->top->used = mark.used;
}
