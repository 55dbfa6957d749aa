/* SPDX-License-Identifier: Apache-2.0 */
/* What a report says of recordings of heart rate. */
#ifndef GH_REPORT_WATCH_H
#define GH_REPORT_WATCH_H

#include "base/str.h"

struct gh_recorded {
	int64_t id, samples, rates, from_ms, to_ms, part, clock, strap;
	struct gh_str name, format, source, maker, sport, state, role;
	int64_t gap_ms; /* of pauses, gaps and jumps: not recorded */
};

struct gh_stretch {
	int64_t recording, from_ms, to_ms;
	struct gh_str kind, certainty, words, times;
	bool paired;
};

struct gh_nearness {
	int64_t recording, reference, seconds, shift, worst_ms;
	bool outside, shift_known, has_ccc;
	double bias, low, high, low30, high30, mape, within5, within5pc, within10pc, ccc, spread, worst;
	struct gh_str how;
};

struct gh_watch_check {
	int64_t recording;
	struct gh_str what, why_not;
};

/* A line of evidence for whether it needs its maker; n 0 is the answer. */
struct gh_maker_line {
	struct gh_str act, answer, certainty, witness, words, settle;
	int64_t n;
};

/* One point of the plot; ref 0: none. */
struct gh_plot_point {
	int64_t recording, t;
	double hr, ref;
};

struct gh_watched {
	struct gh_recorded *recording;
	struct gh_stretch *span;
	struct gh_nearness *near;
	struct gh_watch_check *check;
	struct gh_plot_point *point;
	struct gh_maker_line *maker;
	size_t n_recordings, n_spans, n_near, n_checks, n_points, n_maker;
};

#endif
