/* SPDX-License-Identifier: Apache-2.0 */
/* The word that somebody meant. */
#include "base/num.h"
#include "cli/cli.h"

enum { WORD_MAX = 32 }; /* longer ones are compared by their beginning */

unsigned gh_distance(struct gh_str a, struct gh_str b)
{
	unsigned row[WORD_MAX + 1];
	a.n = gh_min(a.n, WORD_MAX);
	b.n = gh_min(b.n, WORD_MAX);
	for (unsigned k = 0; k <= b.n; k++)
		row[k] = k;
	for (size_t i = 1; i <= a.n; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t k = 1; k <= b.n; k++) {
			unsigned change = diagonal + ((a.p[i - 1] | 32) != (b.p[k - 1] | 32));
			diagonal = row[k];
			row[k] = (unsigned)gh_min(change, gh_min(row[k], row[k - 1]) + 1);
		}
	}
	return row[b.n];
}

void gh_nearest(struct gh_nearest *n, struct gh_str candidate)
{
	unsigned d = gh_distance(n->word, candidate);
	/* Two letters that changed places count as two: a short word may have that much wrong, never all of it. */
	if (d > 1 + n->word.n / 3 || d >= candidate.n || (n->best.p && d >= n->best_distance))
		return;
	n->best = candidate;
	n->best_distance = d;
}
