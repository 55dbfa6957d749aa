/* SPDX-License-Identifier: Apache-2.0 */
/* DERIVE of recordings: loads each, looks for what is wrong in it, writes spans, checks and the numbers against a reference. */
#include "derive/watch.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/sort.h"

enum {
	TRACKS = 256, /* recordings of one scan that are looked at together */
	BACK_MS = 60000, /* a clock set back by more: the rest is moved behind what was before */
};

static const char *const kinds[] = {
	"half", "double", "cadence", "frozen", "dropout", "pause", "gap", "reboot", "clock", "low", "high"};
static const char *const sures[] = {"certain", "probable", "suspected"};

void gh_span_add(struct gh_watch *w, struct gh_span s, const char *fmt, ...)
{
	if (w->n_spans == w->cap_spans) {
		size_t cap = w->cap_spans ? w->cap_spans * 2 : 64;
		struct gh_span *more = sqlite3_realloc64(w->span, cap * sizeof *more);
		if (!more) {
			w->failed = true;
			return;
		}
		w->span = more;
		w->cap_spans = cap;
	}
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(s.words, sizeof s.words, fmt, ap);
	va_end(ap);
	w->span[w->n_spans++] = s;
}

static sqlite3_stmt *prepare(struct gh_watch *w, const char *sql)
{
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(w->sql, sql, -1, &st, NULL) != SQLITE_OK)
		w->failed = true;
	return st;
}

static void run(struct gh_watch *w, sqlite3_stmt *st)
{
	w->failed |= !st || sqlite3_step(st) != SQLITE_DONE;
	sqlite3_finalize(st);
}

void gh_watch_check(struct gh_watch *w, const struct gh_track *t, const char *what, const char *why_not)
{
	sqlite3_stmt *st = prepare(w, "INSERT INTO d_watch_checks VALUES(?,?,?,?)");
	sqlite3_bind_int64(st, 1, w->scan);
	sqlite3_bind_int64(st, 2, t->id);
	sqlite3_bind_text(st, 3, what, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 4, why_not, -1, SQLITE_TRANSIENT);
	run(w, st);
}

static void write_spans(struct gh_watch *w, const struct gh_track *t)
{
	sqlite3_stmt *st = prepare(w, "INSERT INTO d_watch_spans VALUES(?,?,?,?,?,?,?,?,?,?)");
	for (size_t i = 0; st && i < w->n_spans; i++) {
		const struct gh_span *s = &w->span[i];
		sqlite3_bind_int64(st, 1, w->scan);
		sqlite3_bind_int64(st, 2, t->id);
		sqlite3_bind_text(st, 3, kinds[s->kind], -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, 4, s->from);
		sqlite3_bind_int64(st, 5, s->to);
		sqlite3_bind_text(st, 6, sures[s->sure], -1, SQLITE_STATIC);
		sqlite3_bind_int(st, 7, s->paired);
		sqlite3_bind_double(st, 8, s->a);
		sqlite3_bind_double(st, 9, s->b);
		sqlite3_bind_text(st, 10, s->words, -1, SQLITE_TRANSIENT);
		w->failed |= sqlite3_step(st) != SQLITE_DONE;
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	w->n_spans = 0;
}

/* ---- loading ---- */

static float real(sqlite3_stmt *st, int i)
{
	return sqlite3_column_type(st, i) == SQLITE_NULL ? NAN : (float)sqlite3_column_double(st, i);
}

static sqlite3_stmt *rows_of(struct gh_watch *w, const struct gh_track *t, const char *sql)
{
	sqlite3_stmt *st = prepare(w, sql);
	sqlite3_bind_int64(st, 1, t->blob);
	sqlite3_bind_int64(st, 2, t->part);
	return st;
}

/* Takes a moment in; times that go back are told. */
static void take(struct gh_watch *w, struct gh_track *t, struct gh_moment m, int64_t *shift)
{
	m.t += *shift;
	if (t->n && m.t < t->m[t->n - 1].t) {
		int64_t last = t->m[t->n - 1].t, back = last - m.t;
		gh_span_add(w, (struct gh_span){.from = last, .to = last, .kind = GH_CLOCK, .sure = GH_CERTAIN},
			"the clock goes back by %lld s", (long long)(back + 999) / 1000);
		if (back <= BACK_MS)
			return;
		*shift += back + 1000;
		m.t += back + 1000;
	}
	t->rates += !isnan(m.hr);
	t->has_cadence |= m.cadence > 0;
	t->m[t->n++] = m;
}

static bool less_i64(const void *a, const void *b)
{
	int64_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y;
}

static int64_t median_interval(struct gh_watch *w, const struct gh_track *t)
{
	struct gh_mark mark = gh_arena_mark(&w->arena);
	int64_t *v = gh_alloc_array(&w->arena, t->n, sizeof *v), ret = 1000;
	for (size_t i = 1; v && i < t->n; i++)
		v[i - 1] = t->m[i].t - t->m[i - 1].t;
	if (v && t->n > 1) {
		gh_sort(v, t->n - 1, sizeof *v, less_i64);
		ret = v[(t->n - 1) / 2];
	}
	gh_arena_release(&w->arena, mark);
	return (int64_t)gh_max(1, (uint64_t)ret);
}

static void load_samples(struct gh_watch *w, struct gh_track *t, int64_t n)
{
	/* Gadgetbridge's tables are in the order of their keys; the others are in that of the recorder. */
	bool by_time = strcmp(t->format, "gadgetbridge") == 0;
	sqlite3_stmt *st = rows_of(w, t,
		by_time ? "SELECT t, hr, cadence, distance, contact, speed FROM c_samples WHERE blob_id=?1 AND part=?2 "
			  "ORDER BY t, n"
			: "SELECT t, hr, cadence, distance, contact, speed FROM c_samples WHERE blob_id=?1 AND part=?2 "
			  "ORDER BY n");
	float per =
		t->sport && strcmp(t->sport, "running") == 0 && strcmp(t->format, "csv") != 0 ? 2 : 1; /* of one leg */
	int64_t shift = 0;
	if (!(t->m = gh_alloc_array(&w->arena, (size_t)n + 1, sizeof *t->m)))
		w->failed = true;
	while (t->m && (int64_t)t->n < n && sqlite3_step(st) == SQLITE_ROW)
		take(w, t,
			(struct gh_moment){.t = sqlite3_column_int64(st, 0),
				.hr = real(st, 1),
				.cadence = per * real(st, 2),
				.distance = real(st, 3) / 1000,
				.contact = sqlite3_column_type(st, 4) == SQLITE_NULL
						   ? -1
						   : (int8_t)(sqlite3_column_int(st, 4) != 0),
				.moving = sqlite3_column_int64(st, 5) > 0},
			&shift);
	sqlite3_finalize(st);
}

static void load_marks(struct gh_watch *w, struct gh_track *t)
{
	enum { MARKS = 100000 };
	sqlite3_stmt *st = rows_of(
		w, t, "SELECT t, kind FROM c_recorder_events WHERE blob_id=?1 AND part=?2 ORDER BY n LIMIT 100000");
	t->mark = gh_alloc_array(&w->arena, MARKS, sizeof *t->mark);
	while (t->mark && t->n_marks < MARKS && sqlite3_step(st) == SQLITE_ROW) {
		const char *kind = (const char *)sqlite3_column_text(st, 1);
		t->mark[t->n_marks++] =
			(struct gh_mark_at){sqlite3_column_int64(st, 0), kind && strcmp(kind, "start") == 0 ? 'b'
									 : kind                             ? *kind
													    : '?'};
	}
	sqlite3_finalize(st);
	for (size_t i = 0; i < t->n_marks; i++)
		t->has_events |= t->mark[i].kind == 'b' || t->mark[i].kind == 's';
}

static void load_beats(struct gh_watch *w, struct gh_track *t)
{
	sqlite3_stmt *st = rows_of(w, t, "SELECT count(*) FROM c_beats WHERE blob_id=?1 AND part=?2");
	size_t n = st && sqlite3_step(st) == SQLITE_ROW ? (size_t)sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	if (!n || !(t->beat = gh_alloc_array(&w->arena, n, sizeof *t->beat)))
		return;
	st = rows_of(w, t, "SELECT t, rr FROM c_beats WHERE blob_id=?1 AND part=?2 ORDER BY n");
	while (st && t->n_beats < n && sqlite3_step(st) == SQLITE_ROW)
		t->beat[t->n_beats++] = (struct gh_beat_at){sqlite3_column_int64(st, 0), real(st, 1)};
	sqlite3_finalize(st);
}

static const char *word(struct gh_watch *w, sqlite3_stmt *st, int i)
{
	const char *z = (const char *)sqlite3_column_text(st, i);
	return z ? gh_arena_copy(&w->arena, z, strlen(z)) : NULL;
}

/* What every form of the report tells of it. */
static void write_extent(struct gh_watch *w, const struct gh_track *t)
{
	sqlite3_stmt *st =
		prepare(w, "UPDATE d_recordings SET rates=?3, from_ms=?4, to_ms=?5 WHERE scan_id=?1 AND id=?2");
	sqlite3_bind_int64(st, 1, w->scan);
	sqlite3_bind_int64(st, 2, t->id);
	sqlite3_bind_int64(st, 3, (int64_t)t->rates);
	if (t->n) {
		sqlite3_bind_int64(st, 4, t->m[0].t);
		sqlite3_bind_int64(st, 5, t->m[t->n - 1].t);
	}
	run(w, st);
}

static size_t load(struct gh_watch *w, struct gh_track *tracks)
{
	size_t n = 0;
	sqlite3_stmt *st =
		prepare(w, "SELECT d.id, d.blob_id, d.part, d.role, c.format, c.sport, c.state, c.samples FROM "
			   "d_recordings d JOIN c_recordings c ON c.blob_id=d.blob_id AND c.part=d.part "
			   "WHERE d.scan_id=?1 AND c.samples>0 ORDER BY d.id");
	sqlite3_bind_int64(st, 1, w->scan);
	while (st && n < TRACKS && !w->failed && sqlite3_step(st) == SQLITE_ROW) {
		const char *role = (const char *)sqlite3_column_text(st, 3);
		struct gh_track *t = &tracks[n++];
		*t = (struct gh_track){.id = sqlite3_column_int64(st, 0),
			.blob = sqlite3_column_int64(st, 1),
			.part = sqlite3_column_int64(st, 2),
			.reference = role && strcmp(role, "reference") == 0,
			.format = word(w, st, 4),
			.sport = word(w, st, 5),
			.state = word(w, st, 6)};
		if (!t->format)
			t->format = "";
		load_samples(w, t, sqlite3_column_int64(st, 7));
		write_spans(w, t);
		write_extent(w, t);
		load_marks(w, t);
		load_beats(w, t);
		t->interval = median_interval(w, t);
	}
	sqlite3_finalize(st);
	return n;
}

/* ---- all of them ---- */

/* Of what could not be read nothing was looked for. */
static void unread(struct gh_watch *w)
{
	sqlite3_stmt *st = prepare(w,
		"INSERT INTO d_watch_checks SELECT d.scan_id, d.id, column1, CASE c.state WHEN 'unread' THEN c.source "
		"ELSE "
		"'nothing could be read of it' END FROM d_recordings d JOIN c_recordings c ON c.blob_id=d.blob_id AND "
		"c.part=d.part, (VALUES('half-rate inside'),('half-rate from the start'),('cadence lock'),('frozen "
		"values'),"
		"('drop-outs'),('pauses and restarts'),('rate against its own beats'),('accuracy against a "
		"reference')) WHERE "
		"d.scan_id=?1 AND c.samples=0");
	sqlite3_bind_int64(st, 1, w->scan);
	run(w, st);
}

/* Begun again by itself soon after another that nobody ended. */
static void begun_again(struct gh_watch *w, const struct gh_track *all, size_t n, const struct gh_track *t)
{
	for (size_t i = 0; i < n; i++) {
		const struct gh_track *b = &all[i];
		int64_t apart = b->n && t->n ? b->m[0].t - t->m[t->n - 1].t : 0;
		if (b == t || b->reference || apart < 20000 || apart > 600000 || !t->has_events)
			continue;
		if (t->mark[t->n_marks - 1].kind == 's' || (t->n_marks > 1 && t->mark[t->n_marks - 2].kind == 's'))
			continue;
		gh_span_add(w,
			(struct gh_span){
				.from = t->m[t->n - 1].t, .to = b->m[0].t, .kind = GH_REBOOT, .sure = GH_PROBABLE},
			"the recording ends without being stopped, and another begins %lld s later",
			(long long)apart / 1000);
		return;
	}
}

/* Points for the plot of what no reference was compared with. */
static void plotted(struct gh_watch *w, const struct gh_track *t)
{
	enum { PLOTTED = 1500 };
	sqlite3_stmt *st = prepare(w, "INSERT INTO d_watch_pairs VALUES(?1,?2,NULL,?3,?4,NULL)");
	size_t stride = t->rates / PLOTTED + 1, n = 0;
	for (size_t i = 0; st && i < t->n; i++) {
		if (isnan(t->m[i].hr) || n++ % stride)
			continue;
		sqlite3_bind_int64(st, 1, w->scan);
		sqlite3_bind_int64(st, 2, t->id);
		sqlite3_bind_int64(st, 3, t->m[i].t);
		sqlite3_bind_double(st, 4, (double)t->m[i].hr);
		w->failed |= sqlite3_step(st) != SQLITE_DONE;
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
}

static void look_at(struct gh_watch *w, const struct gh_track *all, size_t n, const struct gh_track *t)
{
	bool any = false;
	w->compared = false;
	if (t->n < 2)
		return;
	gh_watch_gaps(w, t);
	if (t->rates) {
		gh_watch_halves(w, t);
		gh_watch_from_start(w, t);
		gh_watch_frozen(w, t);
		gh_watch_beats(w, t);
		gh_watch_cadence(w, t);
	}
	begun_again(w, all, n, t);
	for (size_t i = 0; i < n && !t->reference && t->rates; i++)
		if (all[i].reference && all[i].rates > 1) {
			gh_watch_pair(w, t, &all[i]);
			any = true;
		}
	if (!any && !t->reference)
		gh_watch_check(w, t, "accuracy against a reference", "no reference was given (--against)");
	write_spans(w, t);
	if (!t->reference && !w->compared)
		plotted(w, t);
}

enum gh_code gh_derive_watch(struct gh_db *db, int64_t scan, struct gh_err *err)
{
	struct gh_watch w = {.sql = gh_db_handle(db), .scan = scan};
	if (!gh_db_number(db, "SELECT EXISTS(SELECT 1 FROM d_recordings WHERE scan_id=(SELECT scan_id FROM cur))", 0))
		return GH_OK;
	gh_arena_init(&w.arena, (uint64_t)1 << 30);
	struct gh_track *tracks = gh_alloc_array(&w.arena, TRACKS, sizeof *tracks);
	size_t n = tracks ? load(&w, tracks) : 0;
	unread(&w);
	gh_watch_maker(&w);
	for (size_t i = 0; i < n && !w.failed; i++)
		look_at(&w, tracks, n, &tracks[i]);
	sqlite3_free(w.span);
	gh_arena_done(&w.arena);
	return tracks && !w.failed ? GH_OK
				   : gh_fail(err, GH_NOMEM, 0, "recordings: %.80s",
					     tracks ? sqlite3_errmsg(gh_db_handle(db)) : "no memory");
}
