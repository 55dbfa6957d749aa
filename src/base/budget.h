/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets: what a container may cost, fixed by its input alone, so that results never depend on timing. */
#ifndef GH_BASE_BUDGET_H
#define GH_BASE_BUDGET_H

#include "base/err.h"

struct gh_budget {
	uint64_t bytes; /* that decompression below this container may still produce */
	uint64_t steps; /* of loops over the input's own counts */
	uint64_t *beat; /* shared heartbeat for the watchdog, may be NULL */
};

/* Takes n bytes or steps; GH_LIMIT (and *err) when the budget is spent. `at` is told to the user. */
enum gh_code gh_spend_bytes(struct gh_budget *budget, uint64_t n, uint64_t at, struct gh_err *err) GH_MUST;
enum gh_code gh_spend_steps(struct gh_budget *budget, uint64_t n, uint64_t at, struct gh_err *err) GH_MUST;

#endif
