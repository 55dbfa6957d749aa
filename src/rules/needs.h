/* SPDX-License-Identifier: Apache-2.0 */
/* Inside rules/: what a rule's silence is worth. */
#ifndef GH_RULES_NEEDS_H
#define GH_RULES_NEEDS_H

#include "rules/rules.h"

/* Why the rule cannot say "not found": the first need that does not hold, as a sentence in the arena; GH_NONE: all hold. */
struct gh_str gh_needs_missing(struct gh_db *db, struct gh_arena *arena, const struct gh_rule *rule);

/* Does the scan hold what the rule is about: a capture for the rules of family T, a recording for those of family W, else a phone? */
bool gh_needs_scope(struct gh_db *db, struct gh_arena *arena, const struct gh_rule *rule);

/* Works out once a scan what gh_needs_missing() asks. */
enum gh_code gh_needs_prepare(struct gh_db *db, int64_t scan, struct gh_err *err) GH_MUST;

#endif
