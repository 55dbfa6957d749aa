/* SPDX-License-Identifier: Apache-2.0 */
/* Half and double heart rates seen without a reference: no heart falls from 135 to 68 within half a minute. The limits and what they cost in false
 * alarms are in docs/watch.md. */
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/sort.h"
#include "derive/watch.h"

enum {
	STEP_MS = 26000, /* longest transition downwards: smoothing in watches */
	RISE_MS = 8000, /* upwards alone: hearts rise fast when exercise begins, but not within this */
	WINDOW_MS = 10000, /* medians before and after */
	BREAK_MS = 15000, /* a gap in which anything may have happened */
	INTERVAL_MAX = 5000, /* sparser recordings cannot show a step */
	WINDOW_N = 64, /* samples of a window that are used */
	LOW_MS = 60000, /* a rise alone is told where it was low for so long */
	HOLD_MS = 20000, /* a lock shorter than this is not told */
	FROZEN_FAST = 90,
	FROZEN_MS = 120000,
	FROZEN_REST_MS = 300000,
	FROZEN_INTERVAL = 10000,
};

bool gh_less_double(const void *a, const void *b)
{
	double x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y;
}

/* Two windows a second of a day: by insertion, since neighbours hardly differ. */
static void sort_few(double *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		double x = v[i];
		size_t k = i;
		for (; k && v[k - 1] > x; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
}

double gh_median(double *v, size_t n)
{
	if (!n)
		return NAN;
	if (n <= WINDOW_N)
		sort_few(v, n);
	else
		gh_sort(v, n, sizeof *v, gh_less_double);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* The moments with heart rate, and the medians around each. */
struct rates {
	size_t n;
	int64_t *t;
	float *hr, *before, *after;
};

static float window(const struct rates *r, size_t i, int way)
{
	double v[WINDOW_N];
	size_t n = 0;
	for (size_t k = i; n < WINDOW_N; k += (size_t)(int64_t)way) {
		if (llabs(r->t[k] - r->t[i]) > WINDOW_MS ||
			(n && llabs(r->t[k] - r->t[k - (size_t)(int64_t)way]) > BREAK_MS))
			break;
		v[n++] = r->hr[k];
		if ((way < 0 && !k) || k + 1 == r->n + (way < 0))
			break;
	}
	return n < 2 ? NAN : (float)gh_median(v, n);
}

static bool rates_of(struct gh_watch *w, const struct gh_track *t, struct rates *r)
{
	*r = (struct rates){0, gh_alloc_array(&w->arena, t->n, sizeof *r->t),
		gh_alloc_array(&w->arena, t->n, sizeof *r->hr), gh_alloc_array(&w->arena, t->n, sizeof *r->hr),
		gh_alloc_array(&w->arena, t->n, sizeof *r->hr)};
	if (!r->t || !r->hr || !r->before || !r->after) {
		w->failed = true;
		return false;
	}
	for (size_t i = 0; i < t->n; i++)
		if (!isnan(t->m[i].hr)) {
			r->t[r->n] = t->m[i].t;
			r->hr[r->n++] = t->m[i].hr;
		}
	for (size_t i = 0; i < r->n; i++) {
		r->before[i] = window(r, i, -1);
		r->after[i] = window(r, i, 1);
	}
	return true;
}

/* The first j behind i, at most `ms` later and without a break between, whose median stands to that before i as lo..hi; 0: none. */
static size_t step(const struct rates *r, size_t i, int64_t ms, double lo, double hi, double least)
{
	double a = r->before[i];
	if (isnan(a))
		return 0;
	for (size_t j = i + 1; j < r->n && r->t[j] - r->t[i] <= ms && r->t[j] - r->t[j - 1] <= BREAK_MS; j++) {
		double b = r->after[j];
		if (b >= lo * a && b <= hi * a && fabs(a - b) >= least)
			return j;
	}
	return 0;
}

/* Did the rate come to k by a step whose ratio lies in lo..hi, within the longest transition? */
static bool stepped(const struct rates *r, size_t from, size_t k, double lo, double hi)
{
	for (size_t m = k; m-- > from && r->t[k] - r->t[m] <= STEP_MS && r->t[m + 1] - r->t[m] <= BREAK_MS;) {
		double ratio = (double)r->after[k] / (double)r->before[m];
		if (ratio >= lo && ratio <= hi)
			return true;
	}
	return false;
}

/* Where the rate crosses the middle between a and b, from i on. */
static size_t crossing(const struct rates *r, size_t i, size_t j, double a, double b)
{
	double middle = (a + b) / 2;
	for (; i < j; i++)
		if ((a > b) == (r->hr[i] < middle))
			break;
	return i;
}

/* The end of a half span that was entered at j from a; *ret_sure: GH_CERTAIN where a step upwards ends it. */
static size_t half_end(const struct rates *r, size_t j, double a, enum gh_sure *ret_sure)
{
	*ret_sure = GH_PROBABLE;
	for (size_t k = j + 1; k < r->n; k++) {
		if (isnan(r->after[k]) || r->t[k] - r->t[j] < HOLD_MS)
			continue;
		bool up = stepped(r, j, k, 1.7, 2.4);
		if (up || r->after[k] > 0.8 * a) {
			*ret_sure = up ? GH_CERTAIN : GH_PROBABLE;
			return k;
		}
	}
	return r->n - 1;
}

/* Behind the end at k of what was told, where the medians know nothing of it any more. */
static size_t beyond(const struct rates *r, size_t k)
{
	size_t i = k;
	while (i + 1 < r->n && r->t[i] - r->t[k] < STEP_MS)
		i++;
	return i;
}

static size_t half_from(struct gh_watch *w, const struct rates *r, size_t i, size_t j)
{
	double a = r->before[i], b = r->after[j];
	enum gh_sure sure;
	size_t k = half_end(r, j, a, &sure), from = crossing(r, i, j, a, b);
	if (r->t[k] - r->t[from] < HOLD_MS)
		return j;
	gh_span_add(w,
		(struct gh_span){.from = r->t[from], .to = r->t[k], .kind = GH_HALF, .sure = sure, .a = a, .b = b},
		"%.0f fell to %.0f within %lld s; twice that is %.0f%s", a, b, (long long)(r->t[j] - r->t[i]) / 1000,
		2 * b,
		sure == GH_CERTAIN ? "; it ended by a step back up"
		: k + 1 == r->n    ? "; it lasts to the end of the recording"
				   : "; it ended gradually");
	return beyond(r, k);
}

/* The medians look 10 s around: how long did the rise itself take, from a tenth above a to a tenth below b? */
static bool quick(const struct rates *r, size_t i, double a, double b)
{
	size_t from = i, to;
	while (from + 1 < r->n && (double)r->hr[from + 1] <= 1.1 * a)
		from++;
	for (to = from; to + 1 < r->n && (double)r->hr[to] < 0.9 * b;)
		to++;
	return r->t[to] - r->t[from] <= RISE_MS;
}

/* A step up by twice: the end of a lock at half that began before the recording, or the begin of one at double. */
static size_t double_from(struct gh_watch *w, const struct rates *r, size_t i, size_t j)
{
	double a = r->before[i], b = r->after[j];
	for (size_t k = j + 1; k < r->n; k++) {
		if (isnan(r->after[k]) || r->t[k] - r->t[j] < HOLD_MS || !stepped(r, j, k, 0.42, 0.58))
			continue;
		gh_span_add(w,
			(struct gh_span){
				.from = r->t[j], .to = r->t[k], .kind = GH_DOUBLE, .sure = GH_CERTAIN, .a = a, .b = b},
			"%.0f rose to %.0f within %lld s, and fell by half again", a, b,
			(long long)(r->t[j] - r->t[i]) / 1000);
		return beyond(r, k);
	}
	size_t from = i;
	while (from && r->t[from] - r->t[from - 1] <= BREAK_MS && r->hr[from - 1] < 0.7f * (float)b)
		from--;
	if (r->t[i] - r->t[from] >= LOW_MS)
		gh_span_add(w,
			(struct gh_span){.from = r->t[from],
				.to = r->t[i],
				.kind = GH_HALF,
				.sure = GH_SUSPECTED,
				.a = b,
				.b = a},
			"%.0f rose to %.0f within %lld s and stayed: half before it, or double after it; a reference "
			"would settle it",
			a, b, (long long)(r->t[j] - r->t[i]) / 1000);
	return beyond(r, j);
}

void gh_watch_halves(struct gh_watch *w, const struct gh_track *t)
{
	struct rates r;
	if (t->interval > INTERVAL_MAX) {
		char why[80];
		snprintf(why, sizeof why, "sampled every %lld s", (long long)t->interval / 1000);
		gh_watch_check(w, t, "half-rate inside", why);
		return;
	}
	gh_watch_check(w, t, "half-rate inside", NULL);
	if (!rates_of(w, t, &r))
		return;
	for (size_t i = 0, j; i < r.n; i++) {
		if (r.before[i] >= 100 && (j = step(&r, i, STEP_MS, 0.42, 0.58, 45)))
			i = half_from(w, &r, i, j);
		else if (r.before[i] >= 40 && (j = step(&r, i, RISE_MS, 1.72, 2.4, 45)) && r.after[j] >= 100 &&
			 quick(&r, i, (double)r.before[i], (double)r.after[j]))
			i = double_from(w, &r, i, j);
	}
}

/* Running at a pulse that half as fast a heart would have: only suspected. */
void gh_watch_from_start(struct gh_watch *w, const struct gh_track *t)
{
	enum { WARM_MS = 180000, SPAN_MS = 120000, PART_MS = 10000, N = 1024 };
	double v[N];
	if (!t->has_cadence || !t->sport || strcmp(t->sport, "running") != 0) {
		gh_watch_check(
			w, t, "half-rate from the start", t->has_cadence ? "no running in it" : "no cadence in it");
		return;
	}
	gh_watch_check(w, t, "half-rate from the start", NULL);
	for (size_t i = 0, from = 0, n = 0; i <= t->n; i++) {
		const struct gh_moment *m = &t->m[i];
		bool fast = i < t->n && m->t - t->m[0].t >= WARM_MS && m->cadence >= 150 &&
			    (i == from || m->t - m[-1].t <= PART_MS);
		if (fast) {
			if (!isnan(m->hr) && n < N)
				v[n++] = (double)m->hr;
			continue;
		}
		double median = gh_median(v, n);
		if (i > from && n > 10 && t->m[i - 1].t - t->m[from].t >= SPAN_MS && median < 100 && median >= 60)
			gh_span_add(w,
				(struct gh_span){.from = t->m[from].t,
					.to = t->m[i - 1].t,
					.kind = GH_HALF,
					.sure = GH_SUSPECTED,
					.a = 2 * median,
					.b = median},
				"%.0f while running at 150 steps a minute or more; twice that would be %.0f: needs a "
				"reference",
				median, 2 * median);
		from = i + 1;
		n = 0;
	}
}

void gh_watch_frozen(struct gh_watch *w, const struct gh_track *t)
{
	if (t->interval > FROZEN_INTERVAL) {
		gh_watch_check(w, t, "frozen values", "sampled too seldom");
		return;
	}
	gh_watch_check(w, t, "frozen values", NULL);
	for (size_t i = 0; i < t->n;) {
		size_t k = i + 1;
		while (k < t->n && t->m[k].hr == t->m[i].hr && t->m[k].t - t->m[k - 1].t <= 60000)
			k++;
		int64_t ms = t->m[k - 1].t - t->m[i].t;
		if (!isnan(t->m[i].hr) && ms >= (t->m[i].hr >= FROZEN_FAST ? FROZEN_MS : FROZEN_REST_MS))
			gh_span_add(w,
				(struct gh_span){.from = t->m[i].t,
					.to = t->m[k - 1].t,
					.kind = GH_FROZEN,
					.sure = GH_PROBABLE,
					.a = (double)t->m[i].hr},
				"%.0f without any change for %lld s", (double)t->m[i].hr, (long long)ms / 1000);
		i = k;
	}
}

/* The device's own beats against its own rate, minute by minute. */
void gh_watch_beats(struct gh_watch *w, const struct gh_track *t)
{
	enum { MINUTE = 60000, N = 512 };
	if (t->n_beats < 60) {
		gh_watch_check(w, t, "rate against its own beats", "no single beats in it");
		return;
	}
	gh_watch_check(w, t, "rate against its own beats", NULL);
	for (size_t i = 0, k = 0; i < t->n_beats;) {
		double rr[N], hr[N];
		size_t n = 0, h = 0;
		int64_t from = t->beat[i].t, to = from + MINUTE;
		for (; i < t->n_beats && t->beat[i].t < to; i++)
			if (n < N && t->beat[i].rr >= 250 && t->beat[i].rr <= 2400)
				rr[n++] = (double)t->beat[i].rr;
		for (; k < t->n && t->m[k].t < to; k++)
			if (t->m[k].t >= from && !isnan(t->m[k].hr) && h < N)
				hr[h++] = (double)t->m[k].hr;
		double own = 60000 / gh_median(rr, n), shown = gh_median(hr, h);
		if (n < 20 || h < 10 || shown / own < 0.45 || shown / own > 0.55)
			continue;
		gh_span_add(w,
			(struct gh_span){.from = from,
				.to = gh_min((uint64_t)to, (uint64_t)t->m[t->n - 1].t),
				.kind = GH_HALF,
				.sure = GH_CERTAIN,
				.a = own,
				.b = shown},
			"it shows %.0f while its own beats are %.0f a minute", shown, own);
	}
}
