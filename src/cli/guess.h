/* SPDX-License-Identifier: Apache-2.0 */
/* What a file looks like that no format here claims. */
#ifndef GH_CLI_GUESS_H
#define GH_CLI_GUESS_H

#include "tree/plugin.h"

struct gh_guess {
	const char *what; /* NULL: nothing known begins like it */
	const char *then; /* what to do with it */
	uint64_t at; /* where the bytes stand that it was known by */
	bool weak; /* by its bytes' kind alone */
};

/* The nearest kind, by magic numbers at the usual places, then by what the bytes are like. */
struct gh_guess gh_guess(const struct gh_probe *probe);
/* Bits a byte of what the probe holds. */
double gh_guess_entropy(const struct gh_probe *probe);

#endif
