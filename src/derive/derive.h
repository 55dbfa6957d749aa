/* SPDX-License-Identifier: Apache-2.0 */
/* DERIVE: facts of context from facts of content, recomputed in each scan. Each step is one file of SQL in sql/, run in the
 * order of their names; each says what it reads and what it makes. */
#ifndef GH_DERIVE_DERIVE_H
#define GH_DERIVE_DERIVE_H

#include "facts/db.h"

/* Runs all steps for a scan, replacing what an earlier run made for it. */
enum gh_code gh_derive(struct gh_db *db, int64_t scan, struct gh_err *err) GH_MUST;
/* The functions of SQL (gh_stem, gh_slot, …), for steps that run outside of gh_derive. */
enum gh_code gh_derive_functions(struct gh_db *db, struct gh_err *err) GH_MUST;

#endif
