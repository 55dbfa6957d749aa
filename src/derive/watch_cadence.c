/* SPDX-License-Identifier: Apache-2.0 */
/* Cadence taken for a pulse: heart rate that follows the steps of a runner. */
#include "base/num.h"
#include "derive/watch.h"

enum {
	WINDOW_MS = 120000,
	STRIDE_MS = 60000,
	N = 512,
	LEAST = 30, /* pairs in a window */
};

double gh_pearson(const double *a, const double *b, size_t n)
{
	double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
	for (size_t i = 0; i < n; i++) {
		ma += a[i] / (double)n;
		mb += b[i] / (double)n;
	}
	for (size_t i = 0; i < n; i++) {
		ab += (a[i] - ma) * (b[i] - mb);
		aa += (a[i] - ma) * (a[i] - ma);
		bb += (b[i] - mb) * (b[i] - mb);
	}
	return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

struct window {
	double hr[N], cadence[N], delta[N];
	size_t n;
};

static void fill(struct window *x, const struct gh_track *t, size_t i)
{
	int64_t end = t->m[i].t + WINDOW_MS;
	x->n = 0;
	for (; i < t->n && t->m[i].t < end && x->n < N; i++) {
		const struct gh_moment *m = &t->m[i];
		if (isnan(m->hr) || isnan(m->cadence) || m->cadence <= 0)
			continue;
		x->hr[x->n] = (double)m->hr;
		x->cadence[x->n] = (double)m->cadence;
		x->delta[x->n++] = fabs((double)m->hr - (double)m->cadence);
	}
}

/* A walk break in a run: cadence changes by 20 or more within 10 s, and heart rate goes along within 5 s. */
static bool follows(const struct gh_track *t, int64_t from, int64_t to)
{
	for (size_t i = 0; i < t->n && t->m[i].t < to; i++) {
		if (t->m[i].t < from || isnan(t->m[i].cadence) || isnan(t->m[i].hr))
			continue;
		for (size_t k = i + 1; k < t->n && t->m[k].t <= t->m[i].t + 15000; k++) {
			const struct gh_moment *a = &t->m[i], *b = &t->m[k];
			double steps = (double)b->cadence - (double)a->cadence, beats = (double)b->hr - (double)a->hr;
			if (b->t <= a->t + 10000 + 5000 && fabs(steps) >= 20 && steps * beats > 0 &&
				fabs(beats - steps) <= 5)
				return true;
		}
	}
	return false;
}

void gh_watch_cadence(struct gh_watch *w, const struct gh_track *t)
{
	if (!t->has_cadence || !t->sport || strcmp(t->sport, "running") != 0) {
		gh_watch_check(w, t, "cadence lock", t->has_cadence ? "no running in it" : "no cadence in it");
		return;
	}
	struct window *x = gh_alloc(&w->arena, sizeof *x);
	if (!x) {
		w->failed = true;
		return;
	}
	gh_watch_check(w, t, "cadence lock", NULL);
	int64_t from = 0, to = 0;
	for (size_t i = 0; i < t->n;) {
		fill(x, t, i);
		bool locked =
			x->n >= LEAST && gh_pearson(x->hr, x->cadence, x->n) >= 0.9 && gh_median(x->delta, x->n) <= 3;
		if (locked && !to)
			from = t->m[i].t;
		if (locked)
			to = t->m[i].t + WINDOW_MS;
		int64_t next = t->m[i].t + STRIDE_MS;
		while (i < t->n && t->m[i].t < next)
			i++;
		if (to && (!locked || i >= t->n)) {
			/* Two windows that touch. */
			if (to - from >= WINDOW_MS + STRIDE_MS) {
				bool sure = follows(t, from, to);
				gh_span_add(w,
					(struct gh_span){.from = from,
						.to = (int64_t)gh_min((uint64_t)to, (uint64_t)t->m[t->n - 1].t),
						.kind = GH_CADENCE,
						.sure = sure ? GH_CERTAIN : GH_PROBABLE},
					"it equals the steps a minute%s",
					sure ? ", and changes with them within seconds" : "");
			}
			to = 0;
		}
	}
}
