/* SPDX-License-Identifier: Apache-2.0 */
/* Inside DERIVE: what recordings of heart rate show of the device that made them. */
#ifndef GH_DERIVE_WATCH_H
#define GH_DERIVE_WATCH_H

#include <math.h>

#include "facts/db.h"

/* One moment of a recording. NAN: not there. */
struct gh_moment {
	int64_t t; /* ms */
	float hr, cadence; /* per minute; cadence in steps or turns */
	float distance; /* m */
	int8_t contact; /* 1, 0, -1: not said */
	bool moving; /* another channel says that the body moves */
};

struct gh_mark_at {
	int64_t t;
	char kind; /* b begin (of the timer), s stop, f file, d device */
};

struct gh_beat_at {
	int64_t t;
	float rr; /* ms */
};

/* A recording in memory. Times rise; where they went back, that was told and the rest left out. */
struct gh_track {
	int64_t blob, part, id; /* id: of the row in d_recordings */
	const char *state, *format, *sport;
	bool reference, has_events, has_cadence;
	struct gh_moment *m;
	size_t n, rates; /* rates: moments with heart rate */
	struct gh_mark_at *mark;
	size_t n_marks;
	struct gh_beat_at *beat;
	size_t n_beats;
	int64_t interval; /* ms, the median between moments */
};

enum gh_span_kind {
	GH_HALF,
	GH_DOUBLE,
	GH_CADENCE,
	GH_FROZEN,
	GH_DROPOUT,
	GH_PAUSE,
	GH_GAP,
	GH_REBOOT,
	GH_CLOCK,
	GH_LOW,
	GH_TOO_HIGH,
	GH_N_SPAN_KINDS
};

enum gh_sure { GH_CERTAIN, GH_PROBABLE, GH_SUSPECTED };

/* A stretch of a recording of which something is to be said. */
struct gh_span {
	int64_t from, to; /* ms */
	enum gh_span_kind kind;
	enum gh_sure sure;
	bool paired; /* shown by a reference */
	double a, b; /* heart rates before and in it, or what the words say */
	char words[200];
};

struct gh_watch {
	sqlite3 *sql;
	int64_t scan;
	struct gh_arena arena;
	struct gh_span *span;
	size_t n_spans, cap_spans;
	bool compared; /* the recording at hand, with a reference */
	bool failed; /* no memory */
};

/* Adds a span; the words say what was seen, by printf. */
void gh_span_add(struct gh_watch *w, struct gh_span s, const char *fmt, ...) GH_PRINTF(3, 4);
/* Was something looked for in this recording, or why not? state NULL: it was. */
void gh_watch_check(struct gh_watch *w, const struct gh_track *t, const char *what, const char *why_not);

double gh_median(double *v, size_t n); /* sorts v; NAN for none */
bool gh_less_double(const void *a, const void *b);
double gh_pearson(const double *a, const double *b, size_t n); /* 0 where either does not vary */

/* From one recording alone. */
void gh_watch_halves(struct gh_watch *w, const struct gh_track *t);
void gh_watch_from_start(struct gh_watch *w, const struct gh_track *t);
void gh_watch_frozen(struct gh_watch *w, const struct gh_track *t);
void gh_watch_beats(struct gh_watch *w, const struct gh_track *t);
void gh_watch_cadence(struct gh_watch *w, const struct gh_track *t);
void gh_watch_gaps(struct gh_watch *w, const struct gh_track *t);
/* Against a reference; writes d_watch_accuracy and d_watch_pairs. */
void gh_watch_pair(struct gh_watch *w, const struct gh_track *t, const struct gh_track *ref);

/* Does it need its maker? From d_watch_given and the recordings' formats into d_watch_maker. */
void gh_watch_maker(struct gh_watch *w);

/* The step of DERIVE. */
enum gh_code gh_derive_watch(struct gh_db *db, int64_t scan, struct gh_err *err) GH_MUST;

#endif
