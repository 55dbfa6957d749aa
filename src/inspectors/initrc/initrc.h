/* SPDX-License-Identifier: Apache-2.0 */
/* init scripts: words, as init's own tokenizer makes them. */
#ifndef GH_INSPECTORS_INITRC_INITRC_H
#define GH_INSPECTORS_INITRC_INITRC_H

#include "tree/text.h"

enum { INITRC_WORDS = 256 }; /* of one line; init has no limit, real lines have up to 40 */

struct initrc {
	struct gh_ctx *ctx;
	struct gh_str text;
	size_t i; /* the next byte of text */
	uint64_t base; /* of text[0] in the blob */
	int64_t line_no; /* of the next byte */
	char *out; /* words without quotes and escapes; as long as the text */
	size_t out_len;
	/* The line at hand. */
	struct gh_str w[INITRC_WORDS];
	size_t n;
	struct gh_text place; /* at and line only: where the line at hand begins */
};

enum gh_code initrc_begin(struct gh_ctx *ctx, const struct gh_blob *blob, struct initrc *r, struct gh_err *err) GH_MUST;
/* The next line that has words; GH_END behind the last. */
enum gh_code initrc_next(struct initrc *r, struct gh_err *err) GH_MUST;
/* Words from number `from` on, with one blank between; "" for none. Points into the arena or the words. NULL: no memory. */
struct gh_str initrc_join(struct initrc *r, size_t from);

/* ueventd.c */
enum gh_code ueventd_run(struct initrc *r, struct gh_err *err) GH_MUST;

#endif
