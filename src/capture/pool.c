/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of a capture. */
#include "capture/pool.h"

#include <string.h>

enum { SMALLEST = 64 };

bool gh_pool_init(struct gh_pool *pool, struct gh_arena *arena, size_t size)
{
	*pool = (struct gh_pool){.region = gh_alloc_raw(arena, size), .size = size};
	return pool->region != NULL;
}

/* The class of n bytes, or GH_POOL_CLASSES. */
static unsigned class_of(size_t n)
{
	unsigned i = 0;
	while (i < GH_POOL_CLASSES && (size_t)SMALLEST << i < n)
		i++;
	return i;
}

void *gh_pool_get(struct gh_pool *pool, size_t n)
{
	unsigned i = class_of(n);
	if (i < GH_POOL_CLASSES && pool->free[i]) {
		void *p = pool->free[i];
		memcpy(&pool->free[i], p, sizeof(void *));
		return p;
	}
	if (i == GH_POOL_CLASSES || pool->size - pool->used < (size_t)SMALLEST << i) {
		pool->refused++;
		return NULL;
	}
	void *p = pool->region + pool->used;
	pool->used += (size_t)SMALLEST << i;
	return p;
}

void *gh_pool_zero(struct gh_pool *pool, size_t n)
{
	void *p = gh_pool_get(pool, n);
	if (p)
		memset(p, 0, n);
	return p;
}

void gh_pool_put(struct gh_pool *pool, void *p, size_t n)
{
	unsigned i = class_of(n);
	if (!p)
		return;
	memcpy(p, &pool->free[i], sizeof(void *));
	pool->free[i] = p;
}

bool gh_buf_add(struct gh_pool *pool, struct gh_buf *buf, const void *p, size_t n, size_t max)
{
	if (n > max || buf->n > max - n)
		return false;
	if (buf->n + n > buf->cap) {
		size_t cap = buf->cap ? buf->cap : 1024;
		while (cap < buf->n + n)
			cap *= 2;
		uint8_t *more = gh_pool_get(pool, cap);
		if (!more)
			return false;
		if (buf->n)
			memcpy(more, buf->p, buf->n);
		gh_pool_put(pool, buf->p, buf->cap);
		buf->p = more;
		buf->cap = (uint32_t)cap;
	}
	if (n)
		memcpy(buf->p + buf->n, p, n);
	buf->n += (uint32_t)n;
	return true;
}

void gh_buf_drop(struct gh_buf *buf, size_t n)
{
	if (n < buf->n)
		memmove(buf->p, buf->p + n, buf->n - n);
	buf->n -= (uint32_t)(n < buf->n ? n : buf->n);
}

void gh_buf_free(struct gh_pool *pool, struct gh_buf *buf)
{
	gh_pool_put(pool, buf->p, buf->cap);
	*buf = (struct gh_buf){0};
}
