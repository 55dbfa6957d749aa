/* SPDX-License-Identifier: Apache-2.0 */
/* Where nothing was recorded: heart rate alone lost, the wearer's pause, a gap of the whole device, a restart, and clocks that jump. */
#include <stdio.h>

#include "base/num.h"
#include "derive/watch.h"

enum {
	LOST_MS = 10000, /* heart rate missing for longer is a drop-out */
	REBOOT_MS = 60000,
	DAY_MS = 86400000,
	LADDER_MS = 60000,
};

static int64_t limit(const struct gh_track *t, int64_t least, int64_t times)
{
	return (int64_t)gh_max((uint64_t)least, (uint64_t)(times * t->interval));
}

/* Was it falling before it was lost: a sensor that had lost contact while it still sent? */
static bool ladder(const struct gh_track *t, size_t last)
{
	float most = 0;
	for (size_t i = last + 1; i-- > 0 && t->m[last].t - t->m[i].t <= LADDER_MS;)
		if (!isnan(t->m[i].hr) && t->m[i].hr > most)
			most = t->m[i].hr;
	return most >= 90 && t->m[last].hr <= 0.6f * most;
}

/* Nothing to go by: no heart rate, or the sensor itself says that it has no contact. */
static bool lost(const struct gh_moment *m)
{
	return isnan(m->hr) || m->contact == 0;
}

/* What it told of the time from..to: its own word, and what it showed all the same. */
struct told {
	bool own_word;
	float low, high; /* NAN: nothing */
};

static struct told told(const struct gh_track *t, size_t from, size_t to)
{
	struct told x = {false, NAN, NAN};
	for (size_t i = from; i < to; i++) {
		x.own_word |= t->m[i].contact == 0;
		x.low = fminf(x.low, t->m[i].hr);
		x.high = fmaxf(x.high, t->m[i].hr);
	}
	return x;
}

/* Heart rate is lost from the moment `first` on, up to `next`, while the recorder went on. */
static void dropout(struct gh_watch *w, const struct gh_track *t, size_t first, size_t next)
{
	enum { SHOWN = 60 };
	bool end = next == t->n, begin = first == 0;
	size_t last = begin ? 0 : first - 1;
	int64_t from = t->m[last].t, to = t->m[end ? t->n - 1 : next].t;
	struct told x = told(t, first, next);
	char shown[SHOWN] = "";
	if (to - from <= limit(t, LOST_MS, 5))
		return;
	if (!isnan(x.low))
		snprintf(shown, sizeof shown, ", and showed %.0f to %.0f all the same", (double)x.low, (double)x.high);
	gh_span_add(w,
		(struct gh_span){
			.from = from, .to = to, .kind = GH_DROPOUT, .sure = GH_CERTAIN, .a = (double)t->m[last].hr},
		"%s for %lld s while the recording went on%s%s%s%s",
		isnan(x.low) ? "no heart rate" : "lost contact by its own word", (long long)(to - from) / 1000,
		isnan(x.low) && x.own_word ? "; the sensor itself says that it lost contact" : shown,
		!begin && ladder(t, last) ? "; it faded first, as when contact is lost" : "",
		begin ? "; from the start" : "", end ? "; it did not come back" : "");
}

/* A search for the pulse at the start is no drop-out; a sensor that says it has no contact is. */
static void dropouts(struct gh_watch *w, const struct gh_track *t)
{
	if (!t->rates) {
		gh_watch_check(w, t, "drop-outs", "no heart rate in it at all");
		return;
	}
	gh_watch_check(w, t, "drop-outs", NULL);
	for (size_t i = 0, next; i < t->n; i = next + 1) {
		bool hole = false; /* a gap of the whole device is told as that */
		for (; i < t->n && !lost(&t->m[i]);)
			i++;
		for (next = i; next < t->n && lost(&t->m[next]); next++)
			hole |= next && t->m[next].t - t->m[next - 1].t > limit(t, LOST_MS, 5);
		hole |= next < t->n && next && t->m[next].t - t->m[next - 1].t > limit(t, LOST_MS, 5);
		if (i < next && !hole && (i || told(t, i, next).own_word))
			dropout(w, t, i, next);
	}
}

/* ---- gaps of the whole device ---- */

static bool marked(const struct gh_track *t, int64_t from, int64_t to, char kind)
{
	for (size_t i = 0; i < t->n_marks; i++)
		if (t->mark[i].kind == kind && t->mark[i].t >= from && t->mark[i].t <= to)
			return true;
	return false;
}

/* The timer was stopped: the last word before the gap, or in it. */
static bool stopped(const struct gh_track *t, int64_t from, int64_t to)
{
	char last = 0;
	for (size_t i = 0; i < t->n_marks && t->mark[i].t <= from; i++)
		if (t->mark[i].kind == 's' || t->mark[i].kind == 'b')
			last = t->mark[i].kind;
	return last == 's' || marked(t, from, to, 's');
}

static void gap(struct gh_watch *w, const struct gh_track *t, size_t i)
{
	const struct gh_moment *a = &t->m[i - 1], *b = &t->m[i];
	struct gh_span s = {.from = a->t, .to = b->t, .kind = GH_GAP, .sure = GH_CERTAIN};
	long long sec = (long long)(b->t - a->t) / 1000;
	bool again = marked(t, a->t + 1, b->t + 60000, 'f') || marked(t, a->t + 1, b->t + 60000, 'd');
	bool reset = !isnan(a->distance) && !isnan(b->distance) && a->distance > 50 && b->distance < a->distance / 2;
	if (b->t - a->t > DAY_MS) {
		s.kind = GH_CLOCK;
		gh_span_add(w, s, "the clock jumps forward by %lld s", sec);
	} else if (t->has_events && stopped(t, a->t, b->t)) {
		s.kind = GH_PAUSE;
		gh_span_add(w, s, "paused for %lld s (the timer was stopped)", sec);
	} else if (!t->has_events) {
		gh_span_add(w, s, "nothing was recorded for %lld s; whether it was paused is not in this format", sec);
	} else if (b->t - a->t > limit(t, REBOOT_MS, 10)) {
		s.kind = GH_REBOOT;
		s.sure = again || reset ? GH_PROBABLE : GH_SUSPECTED;
		gh_span_add(w, s, "nothing was recorded for %lld s and nobody stopped it%s", sec,
			reset   ? "; the distance begins again"
			: again ? "; the device announces itself again"
				: "");
	} else {
		gh_span_add(w, s, "nothing was recorded for %lld s", sec);
	}
}

void gh_watch_gaps(struct gh_watch *w, const struct gh_track *t)
{
	gh_watch_check(
		w, t, "pauses and restarts", t->has_events ? NULL : "the format does not say when it was paused");
	for (size_t i = 1; i < t->n; i++)
		if (t->m[i].t - t->m[i - 1].t > limit(t, LOST_MS, 5))
			gap(w, t, i);
	dropouts(w, t);
}
