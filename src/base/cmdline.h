/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel command lines, split as the kernel splits them (lib/cmdline.c, next_arg). */
#ifndef GH_BASE_CMDLINE_H
#define GH_BASE_CMDLINE_H

#include "base/str.h"

struct gh_arg {
	struct gh_str key;
	struct gh_str value; /* p NULL: no '=' */
	size_t at; /* of the argument in the text given to the first call, if *rest began there */
};

/* The next argument of *rest, which moves behind it; false at the end. Blanks inside double quotes do not separate; quotes
 * around a value or the whole argument are dropped. at is relative to `text`. */
bool gh_arg_next(struct gh_str text, struct gh_str *rest, struct gh_arg *ret);

#endif
