/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: all memory of a job. Allocations are released together, by going back to a mark; nothing is freed singly. */
#ifndef GH_BASE_ARENA_H
#define GH_BASE_ARENA_H

#include "base/err.h"

struct gh_chunk;

struct gh_arena {
	struct gh_chunk *top; /* chunks in use, newest first */
	struct gh_chunk *free; /* chunks kept for reuse: first-touch page faults cost more than the work in them */
	uint64_t held; /* bytes held in both lists */
	uint64_t limit; /* held may not pass this; 0 = no limit */
	uint64_t failed; /* allocations that failed, so that what is lost by them is told (gh_run_lost) */
	uint64_t *countdown; /* of tests: each allocation takes one, and that which takes the last fails */
};

struct gh_mark {
	struct gh_chunk *top;
	size_t used;
};

void gh_arena_init(struct gh_arena *arena, uint64_t limit);
void gh_arena_done(struct gh_arena *arena);

/* n zeroed bytes aligned to 16, or NULL at the limit. n may be 0. */
void *gh_alloc(struct gh_arena *arena, size_t n) GH_MUST;
/* As gh_alloc, not zeroed: for buffers that are filled at once. */
void *gh_alloc_raw(struct gh_arena *arena, size_t n) GH_MUST;
/* n items of size bytes each; NULL also when the product overflows. */
void *gh_alloc_array(struct gh_arena *arena, size_t n, size_t size) GH_MUST;
/* A copy of n bytes plus a terminating zero. */
char *gh_arena_copy(struct gh_arena *arena, const void *p, size_t n) GH_MUST;

struct gh_mark gh_arena_mark(const struct gh_arena *arena);
/* Everything allocated since the mark is gone. Marks are released in reverse order. */
void gh_arena_release(struct gh_arena *arena, struct gh_mark mark);

#endif
