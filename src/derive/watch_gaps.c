/* SPDX-License-Identifier: Apache-2.0 */
/* Where nothing was recorded: heart rate alone lost, the wearer's pause, a gap of the whole device, a restart, and clocks that jump. */
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

static bool said_lost(const struct gh_track *t, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (t->m[i].contact == 0)
			return true;
	return false;
}

/* Heart rate is missing in (last, next) while the recorder went on. */
static void dropout(struct gh_watch *w, const struct gh_track *t, size_t last, size_t next)
{
	bool end = next == t->n;
	int64_t from = t->m[last].t, to = t->m[end ? t->n - 1 : next].t;
	bool own_word = said_lost(t, last, next), fading = ladder(t, last);
	if (to - from <= limit(t, LOST_MS, 5))
		return;
	gh_span_add(w,
		(struct gh_span){
			.from = from, .to = to, .kind = GH_DROPOUT, .sure = GH_CERTAIN, .a = (double)t->m[last].hr},
		"no heart rate for %lld s while the recording went on%s%s%s", (long long)(to - from) / 1000,
		own_word ? "; the sensor itself says that it lost contact" : "",
		fading ? "; it faded first, as when contact is lost" : "", end ? "; it did not come back" : "");
}

static void dropouts(struct gh_watch *w, const struct gh_track *t)
{
	size_t last = SIZE_MAX;
	if (!t->rates) {
		gh_watch_check(w, t, "drop-outs", "no heart rate in it at all");
		return;
	}
	gh_watch_check(w, t, "drop-outs", NULL);
	bool hole = false; /* a gap of the whole device is told as that */
	for (size_t i = 0; i < t->n; i++) {
		hole |= last != SIZE_MAX && i && t->m[i].t - t->m[i - 1].t > limit(t, LOST_MS, 5);
		if (isnan(t->m[i].hr))
			continue;
		if (last != SIZE_MAX && i > last + 1 && !hole)
			dropout(w, t, last, i);
		last = i;
		hole = false;
	}
	if (last != SIZE_MAX && last + 1 < t->n && !hole)
		dropout(w, t, last, t->n);
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
