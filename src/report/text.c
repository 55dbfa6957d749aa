/* SPDX-License-Identifier: Apache-2.0 */
/* The first screen: at most 24 lines, wrapped to the terminal; when piped, one line a thing and no escapes. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "report/model.h"
#include "report/wrap.h"

enum {
	LINES_MAX = 24, /* of a terminal that nobody made larger */
	FINDINGS_MAX = 5,
	PLACE_MAX = 60, /* columns of a place on a terminal; the report holds it whole */
	WIDTH_MIN = 30, /* narrower ones break lines themselves */
};

struct screen {
	struct gh_arena *arena;
	unsigned width;
	bool color;
	size_t max; /* lines: LINES_MAX, less while room is kept */
	struct gh_str line[LINES_MAX];
	const char *paint[LINES_MAX]; /* of the first word, or of all */
	bool whole[LINES_MAX];
	size_t n;
};

/* Adds s wrapped, every line behind `indent` blanks (the first behind `first`). What goes over t->max lines is not added. */
static void put(struct screen *t, struct gh_str s, unsigned first, unsigned indent, const char *paint)
{
	for (unsigned in = first; t->n < t->max && (s.n || in == first); in = indent) {
		size_t n = t->width ? gh_fit(s, gh_max(t->width, WIDTH_MIN) - in) : s.n;
		struct gh_str part = gh_strn(s.p, n);
		while (part.n && part.p[part.n - 1] == ' ')
			part.n--;
		t->paint[t->n] = in == first ? paint : NULL;
		t->line[t->n++] = gh_str_fmt(t->arena, "%*s%.*s", (int)in, "", (int)part.n, part.p);
		s = gh_strn(s.p + n, s.n - n);
		if (!s.n)
			return;
	}
}

static struct gh_str property(const struct gh_model *m, const char *key)
{
	for (size_t i = 0; i < m->n_device; i++)
		if (gh_str_is(m->device[i].key, key))
			return gh_shown(&((struct gh_model *)m)->arena, m->device[i].value);
	return GH_NONE;
}

/* ---- the parts ---- */

static void put_inputs(struct screen *t, struct gh_model *m)
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
	put(t, s, 0, 2, NULL);
}

static void put_device(struct screen *t, const struct gh_model *m)
{
	static const char *const keys[] = {"brand", "model", "release", "security_patch", "build_type", "build_tags"};
	static const char *const labels[] = {"", "", "Android ", "security patch ", "build ", ""};
	struct gh_str s = GH_STR("");
	for (size_t i = 0; i < GH_COUNT(keys); i++) {
		struct gh_str v = property(m, keys[i]);
		if (v.n)
			s = gh_str_fmt(t->arena, "%.*s%s%s%.*s", (int)s.n, s.p,
				s.n ? (i == 1 || i == 5 ? " " : ", ") : "It calls itself ", labels[i], (int)v.n, v.p);
	}
	if (s.n)
		put(t, s, 0, 2, NULL);
}

static void put_axes(struct screen *t, const struct gh_model *m)
{
	static const char *const names[] = {"Integrity", "Provenance", "Behaviour", "Coverage"};
	struct gh_str s = GH_STR("");
	for (unsigned i = 0; i < GH_N_AXES; i++) {
		const struct gh_axis *a = &m->axis[i];
		struct gh_str w = gh_axis_word(t->arena, a);
		s = gh_str_fmt(t->arena, "%.*s%s%s: %.*s", (int)s.n, s.p, i ? " · " : "", names[i], (int)w.n, w.p);
	}
	put(t, s, 0, 2, NULL);
}

static void put_coverage(struct screen *t, const struct gh_model *m)
{
	struct gh_arena *z = t->arena;
	const struct gh_amount *l = m->level;
	struct gh_str s = GH_STR("Coverage:");
	for (unsigned i = GH_READ; i < GH_N_LEVELS; i++) {
		struct gh_str n = gh_number(z, l[i].files), b = gh_size(z, l[i].bytes),
			      all = gh_number(z, l[GH_FILES].files);
		s = gh_str_fmt(z, "%.*s %s %.*s", (int)s.n, s.p, gh_levels[i], (int)n.n, n.p);
		if (i == GH_READ)
			s = gh_str_fmt(z, "%.*s of %.*s files", (int)s.n, s.p, (int)all.n, all.p);
		s = l[i].files ? gh_str_fmt(z, "%.*s (%.*s),", (int)s.n, s.p, (int)b.n, b.p)
			       : gh_str_fmt(z, "%.*s,", (int)s.n, s.p);
	}
	struct gh_amount out = {m->unexamined.files + m->damaged.files, m->unexamined.bytes + m->damaged.bytes};
	struct gh_str n = gh_number(z, out.files), b = gh_size(z, out.bytes), on = gh_number(z, m->opaque.files),
		      ob = gh_size(z, m->opaque.bytes);
	put(t,
		gh_str_fmt(z, "%.*s not examined %.*s (%.*s)%s, opaque by nature %.*s (%.*s).", (int)s.n, s.p, (int)n.n,
			n.p, (int)b.n, b.p,
			m->damaged.files ? gh_str_fmt(z, ", damaged, missing or over a limit %lld of them",
						   (long long)m->damaged.files)
						   .p
					 : "",
			(int)on.n, on.p, (int)ob.n, ob.p),
		0, 2, NULL);
}

static void put_warnings(struct screen *t, const struct gh_model *m)
{
	static const char bold[] = "\033[1m";
	if (m->sandbox.p && !m->jailed)
		put(t,
			GH_STR("Warning: this kernel did not lock the readers in. Whoever made the input may have "
			       "reached this computer."),
			0, 2, bold);
	if (m->crashes)
		put(t,
			gh_str_fmt(t->arena,
				"Warning: readers crashed or hung %lld time%s; what they read is among the places not "
				"examined.",
				(long long)m->crashes, m->crashes == 1 ? "" : "s"),
			0, 2, bold);
	if (m->other_rules)
		put(t,
			GH_STR("Note: the scan was judged with other rules than this version has; scan again to use "
			       "these."),
			0, 2, bold);
}

/* The middle of a long place is left out where room is short. */
static struct gh_str short_place(struct screen *t, struct gh_str place)
{
	size_t head = gh_fit(place, PLACE_MAX / 2), tail = place.n - gh_min(place.n, PLACE_MAX / 2);
	while (tail < place.n && (place.p[tail] & 0xc0) == 0x80)
		tail++;
	if (!t->width || tail <= head)
		return place;
	return gh_str_fmt(t->arena, "%.*s…%.*s", (int)head, place.p, (int)(place.n - tail), place.p + tail);
}

static void put_finding(struct screen *t, const struct gh_model *m, const struct gh_group *g)
{
	static const char *const words[] = {"CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"};
	static const char *const paints[] = {"\033[1;31m", "\033[31m", "\033[33m", "\033[36m", "\033[2m"};
	struct gh_arena *z = t->arena;
	const struct gh_finding *f = &m->findings[g->first];
	const struct gh_rule *r = g->rule;
	struct gh_str place = short_place(t, gh_shown(z, f->place)), next = gh_next_short(z, f);
	put(t,
		gh_str_fmt(z, "%-8s %.*s [%.*s, by %.*s; %.*s]", words[g->severity], (int)r->title.n, r->title.p,
			(int)r->certainty.n, r->certainty.p, (int)r->witness.n, r->witness.p, (int)r->id.n, r->id.p),
		0, 9, paints[g->severity]);
	struct gh_str others = g->n > 1 ? gh_str_fmt(z, " and %zu more", g->n - 1) : GH_STR("");
	next = gh_shown(z, next);
	put(t, gh_str_fmt(z, "%.*s%.*s → %.*s", (int)place.n, place.p, (int)others.n, others.p, (int)next.n, next.p), 9,
		9, NULL);
}

static void put_rest(struct screen *t, const struct gh_model *m, const struct gh_report_style *style)
{
	struct gh_arena *z = t->arena;
	struct gh_str counts = gh_counts(z, m->count);
	put(t,
		gh_str_fmt(z, "In all: %.*s finding%s; %u check%s found nothing, %u could not be made.", (int)counts.n,
			counts.p, m->n_findings == 1 ? "" : "s", m->quiet, m->quiet == 1 ? "" : "s", m->silent),
		0, 2, NULL);
	if (m->n_findings && m->groups[0].severity <= GH_MEDIUM)
		put(t,
			GH_STR("Before anything else: keep the firmware file; no update, no reset, no log-in until a "
			       "copy is safe."),
			0, 2, NULL);
	struct gh_str html = style->html ? gh_shown(z, gh_str(style->html)) : GH_NONE;
	struct gh_str db = style->db ? gh_shown(z, gh_str(style->db)) : GH_STR("FACTS.db");
	if (html.p)
		put(t,
			gh_str_fmt(z, "All of it, with the evidence: %.*s%s%.*s", (int)html.n, html.p,
				style->db ? "; the facts: " : "", style->db ? (int)db.n : 0, db.p),
			0, 2, NULL);
	else
		put(t,
			gh_str_fmt(z, "All of it, with the evidence: gifthorse %s %.*s -f html=report.html",
				style->db ? "report" : "scan", style->db ? (int)db.n : 5, style->db ? db.p : "INPUT"),
			0, 2, NULL);
}

/* ---- the screen ---- */

static void print(const struct screen *t, FILE *to)
{
	for (size_t i = 0; i < t->n; i++) {
		struct gh_str s = gh_shown(t->arena, t->line[i]); /* the last gate: nothing raw passes it */
		const char *blank = s.n ? memchr(s.p, ' ', s.n) : NULL;
		size_t painted = t->whole[i] || !blank ? s.n : (size_t)(blank - s.p);
		bool paint = t->color && t->paint[i];
		fprintf(to, "%s%.*s%s%.*s\n", paint ? t->paint[i] : "", (int)painted, s.n ? s.p : "",
			paint ? "\033[0m" : "", (int)(s.n - painted), s.n ? s.p + painted : "");
	}
}

/* The parts around the findings first, so that the findings get the lines that are left. */
static void compose(struct screen *t, struct gh_model *m, const struct gh_report_style *style)
{
	struct screen tail = {.arena = t->arena, .width = t->width, .max = LINES_MAX / 2};
	put_rest(&tail, m, style);
	t->max = LINES_MAX - tail.n;
	put_inputs(t, m);
	put_device(t, m);
	put(t, GH_STR(""), 0, 0, NULL);
	size_t from = t->n;
	put(t, m->verdict, 0, 0, NULL);
	for (size_t i = from; i < t->n; i++) {
		t->paint[i] = "\033[1m";
		t->whole[i] = true;
	}
	put_axes(t, m);
	put_coverage(t, m);
	put_warnings(t, m);
	size_t blanks = m->n_groups ? 2 : 1;
	for (size_t i = 0, shown = 0; i < m->n_groups && shown < FINDINGS_MAX; i++) {
		struct screen one = {.arena = t->arena, .width = t->width, .max = LINES_MAX};
		put_finding(&one, m, &m->groups[i]);
		if (t->n + one.n + tail.n + blanks > LINES_MAX)
			break;
		if (!shown++) {
			put(t, GH_STR(""), 0, 0, NULL);
			blanks = 1;
		}
		put_finding(t, m, &m->groups[i]);
	}
	if (t->n < t->max)
		put(t, GH_STR(""), 0, 0, NULL);
	for (size_t i = 0; i < tail.n && t->n < LINES_MAX; i++)
		t->line[t->n++] = tail.line[i];
}

enum gh_code gh_report_text(
	struct gh_db *db, int64_t scan, const struct gh_report_style *style, FILE *to, struct gh_err *err)
{
	struct gh_model m;
	enum gh_code code = gh_model_read(&m, db, scan, err);
	if (code == GH_OK) {
		struct screen t = {.arena = &m.arena, .width = style->width, .color = style->color};
		compose(&t, &m, style);
		print(&t, to);
	}
	gh_model_done(&m);
	return code;
}
