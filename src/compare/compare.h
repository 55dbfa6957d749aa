/* SPDX-License-Identifier: Apache-2.0 */
/* COMPARE: two scans of one database, A and B, as two devices. First whether both are the same build; then what only one of them has and
 * what differs; and what could not be compared. What is told is what is so: no difference is an accusation. */
#ifndef GH_COMPARE_COMPARE_H
#define GH_COMPARE_COMPARE_H

#include <stdio.h>

#include "facts/db.h"
#include "report/report.h"

enum gh_fail_on { GH_ON_ANY, GH_ON_UNEXPLAINED, GH_ON_NEVER };

struct gh_compared_input {
	struct gh_str name, sha256; /* of a folder: no digest */
	int64_t size;
};

struct gh_side {
	int64_t scan;
	struct gh_compared_input *inputs;
	size_t n_inputs;
	struct gh_str device; /* what it calls itself */
	bool interrupted;
	int64_t damaged; /* containers that were damaged or over a limit: more may lie in them */
};

struct gh_gate_fact {
	struct gh_str kind, key, a, b, state; /* same, differs, one side */
};

struct gh_field {
	struct gh_str name, a, b; /* of lists: what only A has, what only B has, one a line */
};

struct gh_difference {
	unsigned group;
	struct gh_str kind; /* changed only_a only_b */
	struct gh_str what; /* file dir link … partition */
	struct gh_str place, sha_a, sha_b, note;
	bool of_unit; /* units of one build differ in it */
	int64_t files; /* in a partition that only one side has; GH_NULL: not known */
	size_t first, n; /* fields */
};

struct gh_not_compared {
	struct gh_str why, side, image, example; /* side: that lacks it; NULL: not told apart */
	int64_t n;
};

struct gh_comparison {
	struct gh_arena arena;
	struct gh_side side[2];
	const char *gate; /* same different contradicts unknown */
	struct gh_str gate_sentence;
	struct gh_gate_fact *facts;
	size_t n_facts;
	struct gh_difference *diffs;
	size_t n_diffs;
	struct gh_field *fields;
	size_t n_fields;
	struct gh_not_compared *out;
	size_t n_out;
	int64_t both, equal,
		with_attributes; /* places that both have; of these equal in all compared; compared with owner and the like */
	size_t n_changed, n_only[2], n_partitions,
		n_of_unit; /* partitions: that only one side has; n_of_unit is apart from the others */
	int64_t n_unread; /* places whose content one side could not read, and the like */
	const char *verdict_state; /* equal equal_as_far differences different_build nothing */
	struct gh_str verdict;
};

/* Runs the steps and reads what they made. */
enum gh_code gh_compare(struct gh_comparison *c, struct gh_db *db, int64_t a, int64_t b, struct gh_err *err) GH_MUST;
void gh_compare_done(struct gh_comparison *c);

/* Differences at all; anything that ought to have been compared and was not. */
bool gh_compare_found(const struct gh_comparison *c, enum gh_fail_on on);
bool gh_compare_incomplete(const struct gh_comparison *c);

/* ---- words.c ---- */
enum { GH_GROUPS = 14 };
const char *gh_group_name(unsigned group);
/* "changed: content, mode"; "only in A". */
struct gh_str gh_difference_words(struct gh_comparison *c, const struct gh_difference *d);
void gh_compare_words(struct gh_comparison *c);

/* ---- the forms ---- */
struct gh_compare_style {
	bool color;
	unsigned width;
	const char *fail_on;
	const char *html; /* name of the HTML report of the same run, or NULL */
};
void gh_compare_text(struct gh_comparison *c, const struct gh_compare_style *style, FILE *to);
void gh_compare_json(struct gh_comparison *c, const struct gh_compare_style *style, FILE *to);
enum gh_code gh_compare_html(
	struct gh_comparison *c, const struct gh_compare_style *style, FILE *to, struct gh_err *err) GH_MUST;

#endif
