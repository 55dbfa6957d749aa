/* SPDX-License-Identifier: Apache-2.0 */
/* The first screen: at most 24 lines, wrapped to the terminal; when piped, one line a thing and no escapes. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "report/model.h"
#include "report/screen.h"
#include "report/wrap.h"

enum {
	FINDINGS_MAX = 5,
	PLACE_MAX = 60, /* columns of a place on a terminal; the report holds it whole */
	PLACE_COMPACT = 40,
};

static struct gh_str property(const struct gh_model *m, const char *key)
{
	for (size_t i = 0; i < m->n_device; i++)
		if (gh_str_is(m->device[i].key, key))
			return gh_shown(&((struct gh_model *)m)->arena, m->device[i].value);
	return GH_NONE;
}

/* ---- the parts ---- */

static void put_inputs(struct gh_screen *t, struct gh_model *m)
{
	struct gh_arena *z = t->arena;
	struct gh_str s = gh_str_fmt(z, "gifthorse %.*s:", (int)m->version.n, m->version.p);
	for (size_t i = 0; i < m->n_inputs && i < 3; i++) {
		const struct gh_input *in = &m->inputs[i];
		struct gh_str name = gh_shown(z, in->name), size = gh_size(z, in->size);
		s = gh_str_fmt(z, "%.*s%s %.*s (%.*s%s%.*s%s)", (int)s.n, s.p, i ? "," : "", (int)name.n, name.p,
			(int)size.n, size.p, in->sha256.p ? ", SHA-256 " : "", (int)gh_min(in->sha256.n, 16),
			in->sha256.p ? in->sha256.p : "", in->sha256.p ? "…" : "");
	}
	if (m->n_inputs > 3)
		s = gh_str_fmt(z, "%.*s and %zu more", (int)s.n, s.p, m->n_inputs - 3);
	gh_screen_put(t, s, 0, 2, NULL);
}

static void put_device(struct gh_screen *t, const struct gh_model *m)
{
	static const char *const keys[] = {"brand", "model", "release", "security_patch", "build_type", "build_tags"};
	static const char *const before[] = {"", " ", ", Android ", ", patch ", ", ", " "};
	struct gh_str s = GH_STR("");
	for (size_t i = 0; i < GH_COUNT(keys); i++) {
		struct gh_str v = property(m, keys[i]);
		if (v.n)
			s = gh_str_fmt(t->arena, "%.*s%s%.*s", (int)s.n, s.p, before[i], (int)v.n, v.p);
	}
	if (s.n)
		gh_screen_put(t,
			gh_str_fmt(t->arena, "It calls itself %.*s", (int)s.n - (*s.p == ','), s.p + (*s.p == ',')), 0,
			2, NULL);
}

static void put_axes(struct gh_screen *t, const struct gh_model *m)
{
	static const char *const names[] = {"Integrity", "Provenance", "Behaviour"};
	struct gh_str s = GH_STR("");
	for (unsigned i = 0; i < GH_COVERAGE; i++) {
		struct gh_str w = gh_axis_word(t->arena, &m->axis[i]);
		s = gh_str_fmt(t->arena, "%.*s%s%s: %.*s", (int)s.n, s.p, i ? " · " : "", names[i], (int)w.n, w.p);
	}
	gh_screen_put(t, s, 0, 2, NULL);
}

/* "322 understood (283.6 MB)" */
static struct gh_str amount(struct gh_screen *t, struct gh_amount a, const char *what, const char *more)
{
	struct gh_str n = gh_number(t->arena, a.files), b = gh_size(t->arena, a.bytes);
	if (!a.files)
		return gh_str_fmt(t->arena, "0 %s", what);
	return gh_str_fmt(t->arena, "%s %s (%s%s)", n.p, what, b.p, more);
}

static void put_coverage(struct gh_screen *t, const struct gh_model *m)
{
	struct gh_arena *z = t->arena;
	const struct gh_amount *l = m->level;
	struct gh_amount out = {
		m->unexamined.files + m->damaged.files, gh_total(m->unexamined.bytes, m->damaged.bytes)};
	struct gh_str state = gh_axis_word(z, &m->axis[GH_COVERAGE]);
	struct gh_str what = gh_str_fmt(
		z, "of %s file%s read", gh_number(z, l[GH_FILES].files).p, l[GH_FILES].files == 1 ? "" : "s");
	struct gh_str damaged = GH_STR("");
	if (m->damaged.files)
		damaged = gh_str_fmt(z, ", %s damaged or missing", gh_number(z, m->damaged.files).p);
	gh_screen_put(t,
		gh_str_fmt(z, "Coverage %.*s: %s, %s, %s; %s, %s.", (int)state.n, state.p,
			amount(t, l[GH_READ], what.p, "").p, amount(t, l[GH_UNDERSTOOD], "understood", "").p,
			amount(t, l[GH_ANALYSED], "analysed", "").p, amount(t, out, "not examined", damaged.p).p,
			amount(t, m->opaque, "opaque", "").p),
		0, 2, NULL);
}

static void put_warnings(struct gh_screen *t, const struct gh_model *m)
{
	static const char bold[] = "\033[1m";
	const char *fmt = "Warning: readers crashed or hung %lld time%s; what they read counts as not examined.";
	if (m->sandbox.p && !m->jailed)
		gh_screen_put(t,
			GH_STR("Warning: the readers were not locked in; the input may have reached this computer."), 0,
			2, bold);
	if (m->crashes)
		gh_screen_put(
			t, gh_str_fmt(t->arena, fmt, (long long)m->crashes, m->crashes == 1 ? "" : "s"), 0, 2, bold);
	if (m->other_rules)
		gh_screen_put(t,
			GH_STR("Note: other rules than this version's judged the scan; scan again to use these."), 0, 2,
			bold);
}

/* The middle of a long place is left out where room is short. */
static struct gh_str short_place(struct gh_screen *t, struct gh_str place)
{
	unsigned half = (t->compact ? PLACE_COMPACT : PLACE_MAX) / 2;
	size_t head = gh_fit(place, half), tail = place.n - gh_min(place.n, half);
	while (tail < place.n && (place.p[tail] & 0xc0) == 0x80)
		tail++;
	if (!t->width || tail <= head)
		return place;
	return gh_str_fmt(t->arena, "%.*s…%.*s", (int)head, place.p, (int)(place.n - tail), place.p + tail);
}

/* Whose word it is, in one word. */
static struct gh_str short_witness(struct gh_str witness)
{
	static const char *const words[][2] = {{"bytes of an image", "image"}, {"a signature", "signature"},
		{"hardware attestation", "attestation"}, {"a capture", "capture"},
		{"the phone's own word", "its own word"}, {"a recording", "recording"}};
	for (size_t i = 0; i < GH_COUNT(words); i++)
		if (gh_str_is(witness, words[i][0]))
			return gh_str(words[i][1]);
	return witness;
}

static void put_finding(struct gh_screen *t, const struct gh_model *m, const struct gh_group *g)
{
	static const char *const words[] = {"CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"};
	static const char *const paints[] = {"\033[1;31m", "\033[31m", "\033[33m", "\033[36m", "\033[2m"};
	struct gh_arena *z = t->arena;
	const struct gh_finding *f = &m->findings[g->first];
	const struct gh_rule *r = g->rule;
	struct gh_str place = short_place(t, gh_shown(z, f->place)), next = gh_shown(z, gh_next_short(z, f));
	struct gh_str witness = t->compact ? short_witness(r->witness) : r->witness;
	gh_screen_put(t,
		gh_str_fmt(z, "%-8s %.*s [%.*s%s%.*s]", words[g->severity], (int)r->title.n, r->title.p,
			(int)r->certainty.n, r->certainty.p, t->compact ? " · " : ", by ", (int)witness.n, witness.p),
		0, 9, paints[g->severity]);
	struct gh_str others =
		g->n > 1 ? gh_str_fmt(z, t->compact ? " (+%s)" : " and %s more", gh_number(z, (int64_t)g->n - 1).p)
			 : GH_STR("");
	struct gh_str line = gh_str_fmt(z, "%.*s %.*s%.*s → %.*s", (int)r->id.n, r->id.p, (int)place.n, place.p,
		(int)others.n, others.p, (int)next.n, next.p);
	gh_screen_put(t, line, 9, 9, NULL);
}

static void put_rest(struct gh_screen *t, const struct gh_model *m, const struct gh_report_style *style)
{
	struct gh_arena *z = t->arena;
	struct gh_str counts = gh_counts(z, m->count);
	const char *html = style->html ? gh_shown(z, gh_str(style->html)).p : NULL;
	const char *db = style->db ? gh_shown(z, gh_str(style->db)).p : NULL;
	gh_screen_put(t,
		gh_str_fmt(z, "In all: %.*s finding%s. Checks: %u found nothing, %u not made.", (int)counts.n, counts.p,
			m->n_findings == 1 ? "" : "s", m->quiet, m->silent),
		0, 2, NULL);
	if (m->n_findings && m->groups[0].severity <= GH_MEDIUM && (m->phone || !m->watched.n_recordings))
		gh_screen_put(t,
			m->captures.n && !m->phone ? GH_STR("First keep a copy of the capture; until this is explained "
							    "no log-in over this connection.")
						   : GH_STR("First keep a copy of the firmware; until then no log-in, "
							    "no update, no reset."),
			0, 2, NULL);
	if (m->captures.n)
		gh_screen_put(t, gh_str(gh_traffic_blind), 0, 2, NULL);
	struct gh_str where = html && db ? gh_str_fmt(z, "All of it: %s; the facts: %s", html, db)
			      : html     ? gh_str_fmt(z, "All of it: %s", html)
			      : db       ? gh_str_fmt(z, "All of it: gifthorse report %s -f html=report.html", db)
			      : m->watched.n_recordings && !m->phone
				      ? GH_STR("All of it: gifthorse watch RECORDING -f html=report.html")
			      : m->captures.n && !m->phone
				      ? GH_STR("All of it: gifthorse traffic CAPTURE -f html=report.html")
				      : GH_STR("All of it: gifthorse scan INPUT -f html=report.html");
	gh_screen_put(t, where, 0, 2, NULL);
}

/* ---- the screen ---- */

static void put_verdict(struct gh_screen *t, const struct gh_model *m)
{
	size_t from = t->n;
	gh_screen_put(t, m->verdict, 0, 0, NULL);
	for (size_t i = from; i < t->n; i++) {
		t->paint[i] = "\033[1m";
		t->whole[i] = true;
	}
}

/* Of recordings: a line and a strip each, and the numbers against the reference. */
static void put_watched(struct gh_screen *t, struct gh_model *m)
{
	enum { RECORDINGS = 3, STRIP = 60 };
	struct gh_watched *w = &m->watched;
	for (size_t i = 0; i < gh_min(w->n_recordings, RECORDINGS); i++) {
		const struct gh_recorded *r = &w->recording[i];
		int64_t minutes;
		gh_screen_put(t, gh_recorded_line(t->arena, r), 0, 2, NULL);
		if (gh_str_is(r->role, "reference"))
			continue;
		struct gh_str s = gh_watch_strip(m, r, STRIP, &minutes);
		if (s.n)
			gh_screen_put(t,
				gh_str_fmt(t->arena, "[%.*s] %lld min a sign", (int)s.n, s.p, (long long)minutes), 2, 2,
				NULL);
	}
	if (w->n_recordings > RECORDINGS)
		gh_screen_put(t,
			gh_str_fmt(t->arena, "and %zu more recordings, in the report", w->n_recordings - RECORDINGS), 0,
			2, NULL);
	gh_screen_put(t,
		GH_STR("H half D double C cadence F frozen L low U high R restart x lost contact g gap p pause"), 2, 2,
		NULL);
	for (size_t i = 0; i < gh_min(w->n_near, 1); i++)
		gh_screen_put(t, gh_nearness_line(t->arena, &w->near[i]), 0, 2, NULL);
	gh_screen_put(t, GH_STR("Does it need its maker?"), 0, 0, NULL);
	for (size_t i = 0; i < w->n_maker; i++) {
		const struct gh_maker_line *l = &w->maker[i];
		struct gh_str act = gh_maker_act(l), words = gh_maker_words(t->arena, l);
		if (!l->n)
			gh_screen_put(t, gh_str_fmt(t->arena, "%.*s: %.*s", (int)act.n, act.p, (int)words.n, words.p),
				2, 4, NULL);
	}
}

/* Of a capture: its size, and the parties, bad ones first; what is left out is counted. */
static void put_traffic(struct gh_screen *t, struct gh_model *m)
{
	enum { PARTIES = 6 };
	struct gh_arena *z = t->arena;
	size_t n = gh_min(m->n_parties, PARTIES);
	gh_screen_put(t, gh_traffic_line(m), 0, 2, NULL);
	if (m->captures.decrypted)
		gh_screen_put(
			t, gh_str_fmt(z, "A key log opened %s.", gh_size(z, m->captures.decrypted).p), 0, 2, NULL);
	for (size_t i = 0; i < n; i++) {
		struct gh_str line = gh_party_line(z, &m->parties[i]);
		size_t fit = t->width ? gh_fit(line, t->width) : line.n;
		gh_screen_put(t, gh_strn(line.p, fit), 0, 2, NULL);
	}
	if (n < m->n_parties)
		gh_screen_put(t, gh_str_fmt(z, "and %zu more parties, in the report", m->n_parties - n), 0, 2, NULL);
}

/* Of a running phone: what it says it is, and how much more it says. */
static void put_told(struct gh_screen *t, const struct gh_model *m)
{
	enum { LINES = 4 };
	size_t shown = 0;
	for (size_t i = 0; i < m->n_told && shown < LINES; i++) {
		const struct gh_told *s = &m->told[i];
		if (!gh_str_is(s->part, "It says it is") && !gh_str_is(s->part, "Packages"))
			continue;
		struct gh_str line = gh_str_fmt(
			t->arena, "It says: %.*s %.*s", (int)s->what.n, s->what.p, (int)s->value.n, s->value.p);
		gh_screen_put(t, gh_strn(line.p, t->width ? gh_fit(line, t->width) : line.n), 0, 2, NULL);
		shown++;
	}
	if (m->n_told > shown)
		gh_screen_put(t,
			gh_str_fmt(t->arena, "and %zu more lines of its own word, in the report", m->n_told - shown), 0,
			2, NULL);
}

/* What stands around the findings goes first: these get the lines that are left. Returns how many are shown. */
static size_t compose(struct gh_screen *t, struct gh_model *m, const struct gh_report_style *style)
{
	struct gh_screen tail = {
		.arena = t->arena, .width = t->width, .compact = t->compact, .max = GH_SCREEN_LINES / 2};
	size_t blank = !t->compact, shown = 0;
	put_rest(&tail, m, style);
	t->max = GH_SCREEN_LINES - tail.n - blank;
	put_inputs(t, m);
	put_device(t, m);
	if (blank)
		gh_screen_put(t, GH_STR(""), 0, 0, NULL);
	put_verdict(t, m);
	if (m->watched.n_recordings)
		put_watched(t, m);
	if (m->captures.n)
		put_traffic(t, m);
	if (m->n_told)
		put_told(t, m);
	if (m->phone || (!m->captures.n && !m->watched.n_recordings))
		put_axes(t, m);
	put_coverage(t, m);
	put_warnings(t, m);
	if (m->n_groups)
		gh_screen_put(t, GH_STR(""), 0, 0, NULL);
	for (; shown < m->n_groups && shown < FINDINGS_MAX; shown++) {
		struct gh_screen one = {
			.arena = t->arena, .width = t->width, .compact = t->compact, .max = GH_SCREEN_LINES};
		put_finding(&one, m, &m->groups[shown]);
		if (t->n + one.n > t->max)
			break;
		put_finding(t, m, &m->groups[shown]);
	}
	t->max = GH_SCREEN_LINES;
	if (blank)
		gh_screen_put(t, GH_STR(""), 0, 0, NULL);
	for (size_t i = 0; i < tail.n && t->n < GH_SCREEN_LINES; i++)
		t->line[t->n++] = tail.line[i];
	return shown;
}

enum gh_code gh_report_text(
	struct gh_db *db, int64_t scan, const struct gh_report_style *style, FILE *to, struct gh_err *err)
{
	struct gh_model m;
	enum gh_code code = gh_model_read(&m, db, scan, err);
	if (code == GH_OK && style->redact)
		gh_redact(&m);
	if (code == GH_OK) {
		struct gh_screen t = {.arena = &m.arena, .width = style->width, .color = style->color};
		if (compose(&t, &m, style) < gh_min(m.n_groups, FINDINGS_MAX) && t.width > GH_SCREEN_NARROW)
			t = (struct gh_screen){.arena = &m.arena, .width = t.width, .color = t.color, .compact = true};
		if (t.compact)
			compose(&t, &m, style);
		gh_screen_print(&t, to);
	}
	gh_model_done(&m);
	return code;
}
