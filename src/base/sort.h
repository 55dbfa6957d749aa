/* SPDX-License-Identifier: Apache-2.0 */
/* A heap sort: no input makes it slow, and it needs no memory (qsort of the C library may do either). Not stable. */
#ifndef GH_BASE_SORT_H
#define GH_BASE_SORT_H

#include <stdbool.h>
#include <stddef.h>

/* Sorts n items of size bytes each (at most GH_SORT_ITEM_MAX); input that is sorted already costs one pass. */
void gh_sort(void *items, size_t n, size_t size, bool (*less)(const void *a, const void *b));

enum { GH_SORT_ITEM_MAX = 64 };

#endif
