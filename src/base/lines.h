/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a text with their number and offset, as the inspectors of text files need them. */
#ifndef GH_BASE_LINES_H
#define GH_BASE_LINES_H

#include "base/str.h"

struct gh_lines {
	struct gh_str all;
	struct gh_str rest;
	struct gh_str line; /* without LF, and without CR before it */
	uint64_t at; /* offset of the line */
	int64_t number; /* from 1 */
};

/* Begins behind a UTF-8 byte order mark, if there is one. */
struct gh_lines gh_lines(const void *p, size_t n);
/* The next line; false at the end. */
bool gh_lines_next(struct gh_lines *l);
/* Offset of a part of the text. */
static inline uint64_t gh_lines_at(const struct gh_lines *l, struct gh_str part)
{
	return (uint64_t)(part.p - l->all.p);
}

#endif
