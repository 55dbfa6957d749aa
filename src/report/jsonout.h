/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON (RFC 8259), one value a call. Names from the input are escaped as on the screen, so that printing a value is harmless;
 * `<` is written as \u003c, so that no tag can stand in it when it is put into HTML. */
#ifndef GH_REPORT_JSONOUT_H
#define GH_REPORT_JSONOUT_H

#include <stdio.h>

#include "base/str.h"

struct gh_json {
	FILE *to;
	struct gh_arena *arena;
	unsigned depth;
	bool first; /* nothing written yet at this depth */
};

/* An object '{' or an array '['; key NULL in arrays and for the outermost. */
void gh_json_open(struct gh_json *j, const char *key, char bracket);
void gh_json_shut(struct gh_json *j, char bracket);
/* Escaped as on a screen; null where there is no value. */
void gh_json_text(struct gh_json *j, const char *key, struct gh_str s);
/* GH_NULL is null. */
void gh_json_number(struct gh_json *j, const char *key, int64_t n);
/* Three digits behind the point. */
void gh_json_real(struct gh_json *j, const char *key, double v);
void gh_json_yes(struct gh_json *j, const char *key, bool b);

#endif
