/* SPDX-License-Identifier: Apache-2.0 */
/* The rules: loading the shipped ones and judging a scan with them. A rule is one SELECT over the views, with a page of
 * explanation; src/rules/README.md tells how one is written. */
#ifndef GH_RULES_RULES_H
#define GH_RULES_RULES_H

#include "facts/db.h"

struct gh_rule {
	struct gh_str id, title, severity, axis, certainty, witness, needs, cases, lookalike, explain, verify, next;
	const char *sql; /* the statement, with a zero behind it */
};

/* The shipped rules, in the order of their ids; the array lives in the arena, strings in the program. GH_BAD when one is malformed. */
enum gh_code gh_rules_load(
	struct gh_arena *arena, const struct gh_rule **ret, size_t *ret_n, struct gh_err *err) GH_MUST;
const struct gh_rule *gh_rules_find(const struct gh_rule *rules, size_t n, struct gh_str id);

/* Fills findings and rule_states of a scan. State is found, not_found or not_evaluated; `why` says what was missing, also beside
 * found. Silence is computed: not_found only where every need of the rule holds and nothing in the scan stayed unread. */
enum gh_code gh_judge(struct gh_db *db, int64_t scan, struct gh_err *err) GH_MUST;

#endif
