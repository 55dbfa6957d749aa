/* SPDX-License-Identifier: Apache-2.0 */
/* An allocator for libraries that free: the arena frees nothing singly, so freed blocks are kept in a list and used again. A library
 * has a handful of them. */
#include "base/num.h"
#include "codecs/flow/flow.h"

enum {
	SLACK = 4096, /* a block may be this much larger than the need, or… */
	WASTE = 4, /* …so many times: a small need must not take the window */
};

struct gh_pool_block {
	_Alignas(16) size_t size;
	struct gh_pool_block *next;
};

static bool pool_fits(const struct gh_pool_block *b, size_t n)
{
	return b->size >= n && (b->size - n <= SLACK || b->size / WASTE <= n);
}

void *gh_pool_alloc(struct gh_pool *pool, size_t n)
{
	struct gh_pool_block **best = NULL;
	for (struct gh_pool_block **p = &pool->free; *p; p = &(*p)->next)
		if (pool_fits(*p, n) && (!best || (*p)->size < (*best)->size))
			best = p;
	struct gh_pool_block *b = best ? *best : NULL;
	if (b) {
		*best = b->next;
		return b + 1;
	}
	if (n > SIZE_MAX / 2)
		return NULL;
	b = gh_alloc_raw(pool->arena, sizeof *b + n);
	if (!b)
		return NULL;
	b->size = n;
	return b + 1;
}

void gh_pool_free(struct gh_pool *pool, void *p)
{
	if (!p)
		return;
	struct gh_pool_block *b = (struct gh_pool_block *)p - 1;
	b->next = pool->free;
	pool->free = b;
}
