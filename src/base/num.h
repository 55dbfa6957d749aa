/* SPDX-License-Identifier: Apache-2.0 */
/* Checked arithmetic on numbers that come from the input. Each returns false on overflow and leaves *ret alone. */
#ifndef GH_BASE_NUM_H
#define GH_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool gh_add(uint64_t a, uint64_t b, uint64_t *ret)
{
	return !__builtin_add_overflow(a, b, ret);
}

static inline bool gh_mul(uint64_t a, uint64_t b, uint64_t *ret)
{
	return !__builtin_mul_overflow(a, b, ret);
}

/* Is [off, off+n) inside [0, size)? */
static inline bool gh_within(uint64_t off, uint64_t n, uint64_t size)
{
	return off <= size && n <= size - off;
}

/* Rounds a up to a multiple of b (a power of two). */
static inline bool gh_align(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t t;
	if (!gh_add(a, b - 1, &t))
		return false;
	*ret = t & ~(b - 1);
	return true;
}

static inline uint64_t gh_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t gh_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#define GH_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
