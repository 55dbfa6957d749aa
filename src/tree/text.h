/* SPDX-License-Identifier: Apache-2.0 */
/* What inspectors of text files share: lines with their number and offset, words, and cells of bounded length. */
#ifndef GH_TREE_TEXT_H
#define GH_TREE_TEXT_H

#include "base/lines.h"
#include "tree/plugin.h"

enum {
	GH_CELL_MAX =
		64
		<< 10, /* bytes of text in one cell; the longest real ones (group lists, commands) stay below 4 KiB */
};

struct gh_text {
	struct gh_ctx *ctx;
	struct gh_lines lines;
	uint64_t at; /* of the line at hand in the blob */
	int64_t line; /* its number, from 1 */
};

/* Is the beginning of the content text rather than some binary format? Zeros are let through: they are told by gh_text_begin. */
bool gh_text_like(const struct gh_probe *probe);
/* Steps over a byte order mark and notes the first zero byte: C programs stop reading there, and so may miss what follows. */
enum gh_code gh_text_begin(
	struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_text *ret, struct gh_err *err) GH_MUST;
/* What gh_text_begin stepped over, in bytes. */
static inline uint64_t gh_text_base(const struct gh_text *t)
{
	return t->lines.all.n - t->lines.rest.n;
}
/* The next line without its LF or CRLF; GH_END behind the last. */
enum gh_code gh_text_next(struct gh_text *t, struct gh_str *ret_line, struct gh_err *err) GH_MUST;
/* Without white space (as C's isspace has it) at both ends. */
struct gh_str gh_text_trim(struct gh_str s);
/* The next word between white space; no quotes. */
bool gh_text_word(struct gh_str *rest, struct gh_str *ret_word);
/* s, or what of it fits into a cell, which is then noted. Never NULL. */
struct gh_str gh_text_cell(struct gh_text *t, struct gh_str s);

#endif
