/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets: spending. */
#include "base/budget.h"

enum gh_code gh_spend_bytes(struct gh_budget *budget, uint64_t n, uint64_t at, struct gh_err *err)
{
	if (budget->beat)
		__atomic_fetch_add(budget->beat, 1, __ATOMIC_RELAXED);
	if (n > budget->bytes)
		return gh_fail(err, GH_LIMIT, at, "expands beyond the budget of its container");
	budget->bytes -= n;
	return GH_OK;
}

enum gh_code gh_spend_steps(struct gh_budget *budget, uint64_t n, uint64_t at, struct gh_err *err)
{
	if (budget->beat)
		__atomic_fetch_add(budget->beat, 1, __ATOMIC_RELAXED);
	if (n > budget->steps)
		return gh_fail(err, GH_LIMIT, at, "more work than the budget of its size allows");
	budget->steps -= n;
	return GH_OK;
}
