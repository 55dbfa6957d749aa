/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of a capture: one region of fixed size, cut into pieces of powers of two that are given back and used again. What a capture
 * may hold at once is bounded by it, whatever the capture. */
#ifndef GH_CAPTURE_POOL_H
#define GH_CAPTURE_POOL_H

#include "base/arena.h"

enum { GH_POOL_CLASSES = 14 }; /* 64 bytes to 512 KiB */

struct gh_pool {
	uint8_t *region;
	size_t size, used; /* used: cut off so far; pieces never go back to the region, only to their class */
	void *free[GH_POOL_CLASSES];
	uint64_t refused; /* requests that found nothing */
};

/* false: no memory in the arena. */
bool gh_pool_init(struct gh_pool *pool, struct gh_arena *arena, size_t size) GH_MUST;
/* At least n bytes, zeroed if asked; NULL when the pool is spent or n is above the largest class. */
void *gh_pool_get(struct gh_pool *pool, size_t n) GH_MUST;
void *gh_pool_zero(struct gh_pool *pool, size_t n) GH_MUST;
/* Gives back what was got with the same n; p may be NULL. */
void gh_pool_put(struct gh_pool *pool, void *p, size_t n);

/* A buffer that grows by classes, up to a limit of its owner. */
struct gh_buf {
	uint8_t *p;
	uint32_t n, cap;
};

/* Appends; false (and nothing appended) when it would pass max or the pool is spent. */
bool gh_buf_add(struct gh_pool *pool, struct gh_buf *buf, const void *p, size_t n, size_t max) GH_MUST;
/* Drops the first n bytes. */
void gh_buf_drop(struct gh_buf *buf, size_t n);
void gh_buf_free(struct gh_pool *pool, struct gh_buf *buf);

#endif
