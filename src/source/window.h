/* SPDX-License-Identifier: Apache-2.0 */
/* A window is a piece of a source held in memory, so that neighbouring fields and records cost one read. */
#ifndef GH_SOURCE_WINDOW_H
#define GH_SOURCE_WINDOW_H

#include "source/source.h"

struct gh_window {
	struct gh_source *src;
	size_t cap; /* the most that is asked for at once; also the size of the buffer */
	size_t step; /* bytes read ahead at least; up to cap */
	uint8_t *buf; /* made at first use */
	uint64_t at;
	size_t n;
};

/* n bytes at off, valid until the window's next use: in the source where it lies in memory, else in the buffer, which is taken from
 * the arena when first needed (so not between a mark and its release, if the window is to live longer). GH_SHORT if the range is not inside the source, GH_LIMIT if n is above cap. */
enum gh_code gh_window_get(struct gh_window *w, struct gh_arena *arena, uint64_t off, size_t n, const uint8_t **ret,
	struct gh_err *err) GH_MUST;

#endif
