/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings in the report: reading them, and the words that all forms share. Nothing in them says where somebody was. */
#include "report/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"

/* ---- reading ---- */

struct reader {
	struct gh_model *m;
	sqlite3_stmt *st;
	size_t n;
	bool failed;
};

static struct gh_str text(struct reader *r, int i)
{
	if (sqlite3_column_type(r->st, i) == SQLITE_NULL)
		return GH_NONE;
	struct gh_str s = gh_str_dup(
		&r->m->arena, gh_strn(sqlite3_column_text(r->st, i), (size_t)sqlite3_column_bytes(r->st, i)));
	r->failed |= !s.p;
	return s;
}

static int64_t number(struct reader *r, int i)
{
	return sqlite3_column_int64(r->st, i);
}

static double real(struct reader *r, int i)
{
	return sqlite3_column_double(r->st, i);
}

static void recorded(struct reader *r, void *at)
{
	*(struct gh_recorded *)at = (struct gh_recorded){number(r, 0), number(r, 1), number(r, 2), number(r, 3),
		number(r, 4), number(r, 5), number(r, 6), number(r, 7), text(r, 8), text(r, 9), text(r, 10),
		text(r, 11), text(r, 12), text(r, 13), text(r, 14), number(r, 15)};
}

static void stretch(struct reader *r, void *at)
{
	*(struct gh_stretch *)at = (struct gh_stretch){number(r, 0), number(r, 1), number(r, 2), text(r, 3), text(r, 4),
		text(r, 5), text(r, 6), number(r, 7) > 0};
}

static void nearness(struct reader *r, void *at)
{
	*(struct gh_nearness *)at = (struct gh_nearness){.recording = number(r, 0),
		.reference = number(r, 1),
		.seconds = number(r, 2),
		.shift = number(r, 3),
		.worst_ms = number(r, 4),
		.outside = number(r, 5) > 0,
		.shift_known = number(r, 6) > 0,
		.has_ccc = sqlite3_column_type(r->st, 16) != SQLITE_NULL,
		.bias = real(r, 7),
		.low = real(r, 8),
		.high = real(r, 9),
		.low30 = real(r, 10),
		.high30 = real(r, 11),
		.mape = real(r, 12),
		.within5 = real(r, 13),
		.within5pc = real(r, 14),
		.within10pc = real(r, 15),
		.ccc = real(r, 16),
		.spread = real(r, 17),
		.worst = real(r, 18),
		.how = text(r, 19)};
}

static void check(struct reader *r, void *at)
{
	*(struct gh_watch_check *)at = (struct gh_watch_check){number(r, 0), text(r, 1), text(r, 2)};
}

static void point(struct reader *r, void *at)
{
	*(struct gh_plot_point *)at = (struct gh_plot_point){number(r, 0), number(r, 1), real(r, 2), real(r, 3)};
}

static void maker(struct reader *r, void *at)
{
	*(struct gh_maker_line *)at = (struct gh_maker_line){
		text(r, 0), text(r, 1), text(r, 2), text(r, 3), text(r, 4), text(r, 5), number(r, 6)};
}

/* Every row of a statement into an array; what it counts comes first. */
static void *all(struct reader *r, const char *sql, size_t size, void (*take)(struct reader *r, void *at))
{
	sqlite3 *db = gh_db_handle(r->m->db);
	char *list = NULL;
	size_t cap = 0;
	r->n = 0;
	if (sqlite3_prepare_v2(db, sql, -1, &r->st, NULL) != SQLITE_OK) {
		r->failed = true;
		return NULL;
	}
	sqlite3_bind_int64(r->st, 1, r->m->scan);
	while (!r->failed && sqlite3_step(r->st) == SQLITE_ROW) {
		if (r->n == cap) {
			char *more = gh_alloc_array(&r->m->arena, cap = cap ? cap * 2 : 64, size);
			if (!more) {
				r->failed = true;
				break;
			}
			if (r->n)
				memcpy(more, list, r->n * size);
			list = more;
		}
		take(r, list + size * r->n++);
	}
	sqlite3_finalize(r->st);
	return list;
}

enum gh_code gh_watched_read(struct gh_model *m, struct gh_err *err)
{
	struct reader r = {.m = m};
	struct gh_watched *w = &m->watched;
	w->recording = all(&r,
		"SELECT d.id, c.samples, d.rates, coalesce(d.from_ms,0), coalesce(d.to_ms,0), d.part, c.clock, "
		"c.strap, d.name, c.format, c.source, c.maker, c.sport, c.state, "
		"d.role, (SELECT coalesce(sum(to_ms-from_ms),0) FROM d_watch_spans x WHERE x.scan_id=?1 AND "
		"x.recording=d.id AND x.kind IN ('pause','gap','reboot','clock')) FROM "
		"d_recordings d JOIN c_recordings c ON c.blob_id=d.blob_id AND c.part=d.part WHERE d.scan_id=?1 ORDER "
		"BY d.role DESC, d.id",
		sizeof *w->recording, recorded);
	w->n_recordings = r.n;
	if (!r.n)
		return r.failed ? gh_fail(err, GH_IO, 0, "report: recordings cannot be read") : GH_OK;
	w->span = all(&r,
		"SELECT recording, s.from_ms, s.to_ms, kind, certainty, words, CASE WHEN c.clock THEN "
		"strftime('%Y-%m-%d "
		"%H:%M:%S',s.from_ms/1000,'unixepoch')||'–'||"
		"strftime('%H:%M:%S UTC',s.to_ms/1000,'unixepoch') ELSE (s.from_ms/1000)||' s–'||(s.to_ms/1000)||' s' "
		"END, "
		"paired FROM d_watch_spans s JOIN d_recordings d ON "
		"d.scan_id=s.scan_id AND d.id=s.recording JOIN c_recordings c ON c.blob_id=d.blob_id AND c.part=d.part "
		"WHERE s.scan_id=?1 ORDER BY recording, s.from_ms, kind, words",
		sizeof *w->span, stretch);
	w->n_spans = r.n;
	w->near = all(&r,
		"SELECT a.recording, a.reference, a.seconds, s.seconds, worst_ms, scope<>'all', known, bias, low, "
		"high, low30, high30, mape, within5, within5pc, within10pc, ccc, "
		"spread, worst, how FROM d_watch_accuracy a JOIN d_watch_shifts s USING(scan_id, recording, reference) "
		"WHERE a.scan_id=?1 ORDER BY 1, 2, 6",
		sizeof *w->near, nearness);
	w->n_near = r.n;
	w->check = all(&r,
		"SELECT recording, what, max(why_not) FROM d_watch_checks WHERE scan_id=?1 GROUP BY 1, 2 ORDER BY 1, 2",
		sizeof *w->check, check);
	w->n_checks = r.n;
	w->maker = all(&r,
		"SELECT act, answer, certainty, witness, words, settle, n FROM d_watch_maker WHERE scan_id=?1 ORDER BY "
		"CASE "
		"act WHEN 'setup' THEN 0 WHEN 'data' THEN 1 ELSE 2 END, n",
		sizeof *w->maker, maker);
	w->n_maker = r.n;
	w->point = all(&r, "SELECT recording, t, hr, coalesce(ref,0) FROM d_watch_pairs WHERE scan_id=?1 ORDER BY 1, 2",
		sizeof *w->point, point);
	w->n_points = r.n;
	return r.failed ? gh_fail(err, GH_IO, 0, "report: recordings cannot be read") : GH_OK;
}

/* ---- words ---- */

struct gh_str gh_watch_seconds(struct gh_arena *z, int64_t ms)
{
	long long s = (long long)ms / 1000;
	return s >= 3600  ? gh_str_fmt(z, "%lld h %lld min", s / 3600, s / 60 % 60)
	       : s >= 120 ? gh_str_fmt(z, "%lld min %lld s", s / 60, s % 60)
			  : gh_str_fmt(z, "%lld s", s);
}

/* "fenix.fit: 1 h 2 min, 3,722 samples, running" */
struct gh_str gh_recorded_line(struct gh_arena *z, const struct gh_recorded *r)
{
	int64_t ms = r->to_ms - r->from_ms - r->gap_ms;
	struct gh_str name = gh_shown(z, r->name), length = gh_watch_seconds(z, ms > 0 ? ms : 0),
		      n = gh_number(z, r->samples), hr = gh_number(z, r->rates);
	struct gh_str part = r->part ? gh_str_fmt(z, " part %lld", (long long)r->part + 1) : GH_STR("");
	struct gh_str source = gh_shown(z, r->source.p ? r->source : GH_STR(""));
	return gh_str_fmt(z, "%.*s%s (%s, %.*s): %s recorded, %s samples, %s with heart rate%s%.*s%s%.*s%s",
		(int)name.n, name.p, part.p, gh_str_is(r->role, "reference") ? "reference" : "judged", (int)r->format.n,
		r->format.p, length.p, n.p, hr.p, r->sport.p ? ", " : "", (int)r->sport.n, r->sport.p ? r->sport.p : "",
		source.n ? ", " : "", (int)source.n, source.n ? source.p : "",
		r->strap == 1 && !gh_str_is(r->role, "reference")
			? "; the file names another heart-rate sensor: this may not be the watch's own"
			: "");
}

/* "off by 2.1 % on average (within the 10 % used with CTA-2065) …" */
struct gh_str gh_nearness_line(struct gh_arena *z, const struct gh_nearness *a)
{
	struct gh_str ccc =
		a->has_ccc ? gh_str_fmt(z, "CCC %.2f", a->ccc)
			   : gh_str_fmt(z, "CCC not assessed: the reference varied by %.0f bpm only", a->spread);
	struct gh_str shift = a->shift_known
				      ? gh_str_fmt(z, "it is %lld s %s the reference (lag, or clocks that differ)",
						llabs((long long)a->shift), a->shift < 0 ? "ahead of" : "behind")
				      : gh_str_fmt(z, "lag not assessed: %.*s", (int)a->how.n, a->how.p);
	return gh_str_fmt(z,
		"%s: off by %.1f %% on average, %s the 10 %% used with CTA-2065; bias %+.1f bpm, 95 %% limits %+.1f to "
		"%+.1f (of 30 s means %+.1f to %+.1f; single seconds hang together); "
		"within 5 bpm %.0f %%, within 5 %% %.0f %%, within 10 %% %.0f %%; %s; %lld s compared; worst minute "
		"%+.0f bpm; %s",
		a->outside ? "Without the stretches told apart" : "Against the reference", a->mape,
		a->mape <= 10 ? "within" : "beyond", a->bias, a->low, a->high, a->low30, a->high30, a->within5,
		a->within5pc, a->within10pc, ccc.p, (long long)a->seconds, a->worst, shift.p);
}

struct gh_str gh_maker_act(const struct gh_maker_line *l)
{
	return gh_str_is(l->act, "setup")  ? GH_STR("to be set up")
	       : gh_str_is(l->act, "data") ? GH_STR("to read your own data")
					   : GH_STR("to be reset");
}

/* "no (certain; witness: bytes of the app): ..." */
struct gh_str gh_maker_words(struct gh_arena *z, const struct gh_maker_line *l)
{
	struct gh_str words = gh_shown(z, l->words);
	if (!l->certainty.p)
		return gh_str_fmt(z, "%.*s: %.*s. Would settle it: %.*s", (int)l->answer.n, l->answer.p, (int)words.n,
			words.p, (int)l->settle.n, l->settle.p);
	return gh_str_fmt(z, "%.*s (%.*s; witness: %.*s): %.*s. Would settle it: %.*s", (int)l->answer.n, l->answer.p,
		(int)l->certainty.n, l->certainty.p, (int)l->witness.n, l->witness.p, (int)words.n, words.p,
		(int)l->settle.n, l->settle.p);
}

/* Bad stretches of one certainty, in all: milliseconds. */
static int64_t bad(const struct gh_watched *w, const char *certainty)
{
	static const char *const kinds[] = {"half", "double", "cadence", "frozen", "low", "high"};
	int64_t ms = 0;
	for (size_t i = 0; i < w->n_spans; i++)
		for (size_t k = 0; k < GH_COUNT(kinds); k++)
			if (gh_str_is(w->span[i].kind, kinds[k]) && gh_str_is(w->span[i].certainty, certainty))
				ms += w->span[i].to_ms - w->span[i].from_ms;
	return ms;
}

void gh_watch_verdict(struct gh_model *m)
{
	struct gh_watched *w = &m->watched;
	struct gh_arena *z = &m->arena;
	int64_t sure = bad(w, "certain"), likely = bad(w, "probable"), maybe = bad(w, "suspected");
	bool rates = false, unfinished = false;
	for (size_t i = 0; i < w->n_recordings; i++) {
		rates |= w->recording[i].rates > 0 && !gh_str_is(w->recording[i].role, "reference");
		unfinished |= gh_str_is(w->recording[i].state, "unterminated");
	}
	m->verdict_state = sure                                                 ? "grave"
			   : likely || maybe || unfinished || m->count[GH_HIGH] ? "lesser"
										: "nothing_found";
	if (!rates) {
		m->verdict_state = "not_judged";
		m->headline = GH_STR("No heart rate was recorded: nothing can be said about it.");
	} else if (sure)
		m->headline = gh_str_fmt(z, "For %s it did not show its wearer's heart rate: certain%s.",
			gh_watch_seconds(z, sure).p, w->n_near ? ", as far as the reference is right" : "");
	else if (likely)
		m->headline = gh_str_fmt(
			z, "For %s it probably did not show its wearer's heart rate.", gh_watch_seconds(z, likely).p);
	else if (maybe)
		m->headline = gh_str_fmt(z, "For %s it may have shown another rate than its wearer's: suspected only.",
			gh_watch_seconds(z, maybe).p);
	else
		m->headline = GH_STR("No stretch was found in which heart rate is wrong.");
	if (unfinished)
		m->headline = gh_str_fmt(
			z, "%.*s The device stopped while it was recording.", (int)m->headline.n, m->headline.p);
	m->beside = !rates ? GH_STR("Give a recording with heart rate in it.")
		    : w->n_near
			    ? GH_STR("This holds for these recordings and where the reference covers them; other days "
				     "and other exercise would settle more (gifthorse watch --plan).")
			    : GH_STR("Without a reference only what begins or ends inside a recording is seen; that "
				     "nothing was found does not show that it is right. A chest strap worn beside it "
				     "would settle it: gifthorse watch RECORDING --against STRAP.");
}

/* A character a slice of time, for a screen: at most `width`. */
struct gh_str gh_watch_strip(struct gh_model *m, const struct gh_recorded *r, unsigned width, int64_t *ret_minutes)
{
	static const char *const kinds[] = {
		"half", "double", "cadence", "frozen", "low", "high", "reboot", "dropout", "gap", "pause"};
	static const char letters[] = "HDCFLURxgp";
	int64_t minutes = (r->to_ms - r->from_ms) / 60000 + 1, step = (minutes + width - 1) / width;
	size_t n = (size_t)((minutes + step - 1) / step);
	char *s = gh_alloc(&m->arena, n + 1);
	*ret_minutes = step;
	if (!s || minutes > 60 * 24 * 60)
		return GH_NONE;
	memset(s, r->rates ? '-' : ' ', n);
	for (size_t k = GH_COUNT(kinds); k-- > 0;)
		for (size_t i = 0; i < m->watched.n_spans; i++) {
			const struct gh_stretch *x = &m->watched.span[i];
			if (x->recording != r->id || !gh_str_is(x->kind, kinds[k]))
				continue;
			int64_t a = (x->from_ms - r->from_ms) / 60000 / step,
				b = (x->to_ms - r->from_ms) / 60000 / step;
			for (int64_t c = a < 0 ? 0 : a; c <= b && c < (int64_t)n; c++)
				s[c] = letters[k];
		}
	return gh_strn(s, n);
}
