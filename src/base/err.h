/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: a code, where in the input, and a sentence. Filled once, by the deepest function that knows. */
#ifndef GH_BASE_ERR_H
#define GH_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gh_code {
	GH_OK = 0,
	GH_END, /* a note: nothing more follows */
	GH_IO, /* ours: the operating system refused a read or write */
	GH_NOMEM, /* ours: the arena's limit */
	GH_SHORT, /* the input's: it ends before the format says */
	GH_BAD, /* the input's: it contradicts its format */
	GH_UNSUP, /* the input's: valid, but a feature we do not read */
	GH_LIMIT, /* the input's: beyond a stated limit or budget */
};

struct gh_err {
	enum gh_code code;
	uint64_t at; /* byte offset in the artifact being read */
	char what[120];
};

#define GH_MUST __attribute__((warn_unused_result))
#define GH_PRINTF(a, b) __attribute__((format(printf, a, b)))

/* Fills *err (which may be NULL) and returns code, so that a failure is one line. */
enum gh_code gh_fail(struct gh_err *err, enum gh_code code, uint64_t at, const char *fmt, ...) GH_PRINTF(4, 5);

/* The word stored in blob_runs.status and shown to users: ok, io, nomem, short, bad, unsup, limit. */
const char *gh_code_word(enum gh_code code);

#endif
