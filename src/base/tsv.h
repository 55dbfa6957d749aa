/* SPDX-License-Identifier: Apache-2.0 */
/* Fields between tabs, one record a line. In a field, backslash and every byte below a blank, and DEL, stand as \xNN; the rest
 * as it is, whatever its encoding. */
#ifndef GH_BASE_TSV_H
#define GH_BASE_TSV_H

#include "base/str.h"

/* Writes s as a field; at most cap-1 bytes and a zero. false, and nothing, when it does not fit: it needs up to 4 bytes for one. */
bool gh_tsv_put(char *buf, size_t cap, struct gh_str s, size_t *ret_n);
/* The next field of a line, still written as it stands; false when there is none left. */
bool gh_tsv_next(struct gh_str *rest, struct gh_str *ret_field);
/* What a field says, in the arena; p NULL where it is not well written, or without memory. */
struct gh_str gh_tsv_read(struct gh_arena *arena, struct gh_str field);

#endif
