/* SPDX-License-Identifier: Apache-2.0 */
/* For ls and cat: walking the containers of one INPUT in a jailed child process, without measuring or judging anything. */
#ifndef GH_CLI_INSIDE_H
#define GH_CLI_INSIDE_H

#include "tree/set.h"

struct gh_inside;

/* An open container on the way. */
struct gh_inside_at {
	const struct gh_inside_at *up; /* NULL: the INPUT */
	const struct gh_format *format;
	void *state;
	struct gh_str name; /* own name in the container above */
	struct gh_str image; /* as places have it: system, apex:com.android.x, ramdisk:boot */
	unsigned depth;
};

enum gh_inside_go {
	GH_INSIDE_ON, /* next child */
	GH_INSIDE_ENTER, /* open this child's content and visit it */
	GH_INSIDE_STOP, /* found: nothing more */
};

/* Called for each child, in order. */
typedef enum gh_inside_go gh_inside_fn(
	struct gh_inside *in, const struct gh_inside_at *at, const struct gh_child *child, void *to);

struct gh_inside {
	struct gh_arena arena;
	struct gh_budget budget;
	int spill[64]; /* files opened before the jail closed, for packed members too large for memory */
	unsigned n_spill;
	const struct gh_set *set; /* behind a child with GH_CHILD_SET */
	gh_inside_fn *visit;
	void *to;
	bool complained; /* something was malformed, and told on standard error */
	bool stopped;
};

/* Walks INPUT (a file) in a child process and returns its exit code: 0, or 1 when `found` stayed false and *to says what was looked
 * for, 2 when the INPUT cannot be read. done() runs in the child behind the walk and gives the code. */
int gh_inside_run(const char *input, gh_inside_fn *visit, int (*done)(struct gh_inside *in, void *to), void *to);

/* The content of a child, whole and seekable; of a set of files, the image that they are together. NULL and a word on standard error when it cannot be had. */
struct gh_source *gh_inside_content(struct gh_inside *in, const struct gh_inside_at *at, const struct gh_child *child);
/* Does this child hold others worth a visit on the way to files: a partition, an image, an archive on top, an APEX? */
bool gh_inside_leads(const struct gh_inside_at *at, const struct gh_child *child);
/* The first bytes of a packed child as a probe without a tail; false where it breaks before they are all there. */
bool gh_inside_peek(struct gh_arena *arena, struct gh_budget *budget, const struct gh_format *format, void *state,
	const struct gh_child *child, struct gh_probe *ret);
/* A partition's name without endings and slot. */
struct gh_str gh_inside_stem(struct gh_str name);

#endif
