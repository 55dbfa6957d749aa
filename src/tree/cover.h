/* SPDX-License-Identifier: Apache-2.0 */
/* Which bytes of a container belong to what: its children's content, its own structure, padding, or nobody. Included by tree/ only. */
#ifndef GH_TREE_COVER_H
#define GH_TREE_COVER_H

#include "tree/walk.h"

struct gh_span {
	uint64_t at, len;
};

/* Spans that grow in any order; joined when asked for. */
struct gh_spans {
	struct gh_arena *arena;
	struct gh_span *p;
	size_t n, cap;
	bool lost; /* no memory, or more than are kept: what is missing here is not unclaimed */
};

void gh_spans_add(struct gh_spans *s, uint64_t at, uint64_t len);
/* Ascending, apart from each other, nothing behind size. */
void gh_spans_join(struct gh_spans *s, uint64_t size);
uint64_t gh_spans_sum(const struct gh_spans *s);

/* Adds rows `cover` and `unclaimed` to the run of a container whose listing has ended. The container is opened once more, quietly. */
void gh_cover(struct gh_look *look, struct gh_container *c);
/* What an AVB footer at the end of src says lies behind the image: hash tree, error correction, vbmeta, the footer itself. */
void gh_cover_footer(struct gh_source *src, struct gh_arena *arena, struct gh_spans *own);
/* Goes over [at, at+len), which nothing claims: how much of it is padding goes to *padding, the rest is told as rows. *left: bytes
 * that may still be read. */
void gh_cover_sweep(struct gh_container *c, struct gh_span gap, uint64_t *padding, uint64_t *unclaimed, uint64_t *left);

#endif
