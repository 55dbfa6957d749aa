/* SPDX-License-Identifier: Apache-2.0 */
/* What a running phone says of itself, as reports show it. */
#ifndef GH_REPORT_TOLD_H
#define GH_REPORT_TOLD_H

#include "base/str.h"

struct gh_told {
	struct gh_str part, what, value, place; /* place: where it says so */
	int64_t line; /* GH_NULL: not of a line */
};

#endif
