/* SPDX-License-Identifier: Apache-2.0 */
/* A first screen: at most 24 lines, wrapped to the terminal; when piped, one line a thing and no escapes. */
#ifndef GH_REPORT_SCREEN_H
#define GH_REPORT_SCREEN_H

#include <stdio.h>

#include "base/str.h"

enum {
	GH_SCREEN_LINES = 24, /* of a terminal that nobody made larger */
	GH_SCREEN_NARROW = 30, /* narrower ones break lines themselves */
};

struct gh_screen {
	struct gh_arena *arena;
	unsigned width;
	bool color;
	bool compact; /* shorter words, one line where there were several */
	size_t max; /* lines: GH_SCREEN_LINES, less while room is kept */
	struct gh_str line[GH_SCREEN_LINES];
	const char *paint[GH_SCREEN_LINES]; /* of the first word, or of all */
	bool whole[GH_SCREEN_LINES];
	size_t n;
};

/* Adds s wrapped, every line behind `indent` blanks (the first behind `first`). What goes over t->max lines is not added. */
void gh_screen_put(struct gh_screen *t, struct gh_str s, unsigned first, unsigned indent, const char *paint);
void gh_screen_print(const struct gh_screen *t, FILE *to);

#endif
