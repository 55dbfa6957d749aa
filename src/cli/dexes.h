/* SPDX-License-Identifier: Apache-2.0 */
/* For dex, methods and callers: every dex file inside an INPUT, in a jailed child, and the names in it on standard output. */
#ifndef GH_CLI_DEXES_H
#define GH_CLI_DEXES_H

#include "inspectors/dex/dexfile.h"

struct gh_dexes {
	const char *path; /* only the dex files whose place ends in it, or NULL */
	void (*each)(const struct dex *d, struct gh_dexes *self);
	void *to;
	bool any, broken;
};

/* Calls each() for all dex files of the INPUT; returns the exit code. */
int gh_dexes_run(const char *input, struct gh_dexes *dexes);

/* As they are shown: modified UTF-8 as UTF-8, what is no text escaped. */
void gh_dex_put(struct gh_str s);
void gh_dex_put_type(const struct dex *d, uint32_t i);
/* Lcom/x/Y;->m(I)V, Lcom/x/Y;->f:I */
void gh_dex_put_member(const struct dex *d, bool method, uint32_t i);
/* The same of a method, into out (cut at cap - 1), not escaped; returns its length. */
size_t gh_dex_method_text(const struct dex *d, uint32_t i, char *out, size_t cap);

#endif
