/* SPDX-License-Identifier: Apache-2.0 */
/* Heap sort. */
#include "base/sort.h"

#include <assert.h>
#include <string.h>

struct items {
	unsigned char *p;
	size_t size;
	bool (*less)(const void *a, const void *b);
};

static void *item(const struct items *v, size_t i)
{
	return v->p + i * v->size;
}

static void swap(const struct items *v, size_t i, size_t k)
{
	unsigned char t[GH_SORT_ITEM_MAX];
	memcpy(t, item(v, i), v->size);
	memcpy(item(v, i), item(v, k), v->size);
	memcpy(item(v, k), t, v->size);
}

static void sift(const struct items *v, size_t i, size_t n)
{
	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && v->less(item(v, child), item(v, child + 1)))
			child++;
		if (!v->less(item(v, i), item(v, child)))
			return;
		swap(v, i, child);
	}
}

void gh_sort(void *items, size_t n, size_t size, bool (*less)(const void *a, const void *b))
{
	const struct items v = {items, size, less};
	assert(size <= GH_SORT_ITEM_MAX);
	size_t i = 1;
	while (i < n && !less(item(&v, i), item(&v, i - 1)))
		i++;
	if (i >= n)
		return;
	for (i = n / 2; i-- > 0;)
		sift(&v, i, n);
	for (i = n; i-- > 1;) {
		swap(&v, 0, i);
		sift(&v, 0, i);
	}
}
