/* SPDX-License-Identifier: Apache-2.0 */
/* The sentences of a report. Never a number for the whole, never a word that says nothing is wrong, never an accusation: what the
 * software is able to do, whose bytes say so, and what could not be looked at. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "report/model.h"

struct gh_str gh_shown(struct gh_arena *arena, struct gh_str s)
{
	size_t cap = s.n * 4 + 1;
	char *buf = gh_alloc_raw(arena, cap);
	return buf ? gh_strn(buf, gh_escape(buf, cap, s)) : GH_STR("");
}

struct gh_str gh_number(struct gh_arena *arena, int64_t n)
{
	char digits[32], out[48];
	int len = snprintf(digits, sizeof digits, "%lld", (long long)n), o = 0;
	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0 && digits[i - 1] != '-')
			out[o++] = ',';
		out[o++] = digits[i];
	}
	return gh_str_dup(arena, gh_strn(out, (size_t)o));
}

int64_t gh_total(int64_t a, int64_t b)
{
	int64_t sum = a < 0 ? 0 : a, more = b < 0 ? 0 : b;
	return sum > INT64_MAX - more ? INT64_MAX : sum + more;
}

struct gh_str gh_size(struct gh_arena *arena, int64_t n)
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
	if (n < 0)
		return GH_STR("size not known");
	if (n < 1000)
		return gh_str_fmt(arena, "%lld byte%s", (long long)n, n == 1 ? "" : "s");
	double v = (double)n;
	size_t u = 0;
	while (v >= 999.95 && u + 1 < GH_COUNT(units)) {
		v /= 1000;
		u++;
	}
	return gh_str_fmt(arena, "%.1f %s", v, units[u]);
}

struct gh_str gh_counts(struct gh_arena *arena, const uint64_t count[GH_N_SEVERITIES])
{
	struct gh_str s = GH_STR("");
	unsigned kinds = 0, done = 0;
	for (unsigned i = 0; i < GH_N_SEVERITIES; i++)
		kinds += count[i] != 0;
	for (unsigned i = 0; i < GH_N_SEVERITIES; i++) {
		if (!count[i])
			continue;
		struct gh_str n = gh_number(arena, (int64_t)count[i]);
		const char *glue = !done ? "" : done + 1 == kinds ? " and " : ", ";
		s = gh_str_fmt(arena, "%.*s%s%.*s %s", (int)s.n, s.p, glue, (int)n.n, n.p, gh_severities[i]);
		done++;
	}
	return done ? s : GH_STR("no");
}

/* ---- axes ---- */

static uint64_t total(const uint64_t count[GH_N_SEVERITIES])
{
	uint64_t n = 0;
	for (unsigned i = 0; i < GH_N_SEVERITIES; i++)
		n += count[i];
	return n;
}

struct gh_str gh_axis_word(struct gh_arena *arena, const struct gh_axis *a)
{
	static const char *const words[][2] = {{"nothing_found", "none found"},
		{"partly_checked", "none found, partly checked"}, {"not_checked", "not checked"},
		{"all_read", "all read"}, {"gaps", "with gaps"}, {"incomplete", "incomplete"}};
	uint64_t n = total(a->count);
	if (n)
		return gh_str_fmt(arena, "%llu found", (unsigned long long)n);
	for (size_t i = 0; i < GH_COUNT(words); i++)
		if (strcmp(words[i][0], a->state) == 0)
			return gh_str(words[i][1]);
	return gh_str(a->state);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static struct gh_str checks_sentence(struct gh_model *m, const struct gh_axis *a)
{
	if (!a->evaluated)
		return a->silent ? gh_str_fmt(&m->arena, "None of the %u checks of this kind could be made.", a->silent)
				 : GH_STR("There is no check of this kind yet.");
	if (!a->silent)
		return gh_str_fmt(&m->arena, "None of the %u checks of this kind found anything.", a->evaluated);
	return gh_str_fmt(&m->arena, "None of the %u checks that could be made found anything; %u could not be made.",
		a->evaluated, a->silent);
}

/* The most severe finding of an axis names it. */
static struct gh_str found_sentence(struct gh_model *m, unsigned axis)
{
	const struct gh_axis *a = &m->axis[axis];
	struct gh_str counts = gh_counts(&m->arena, a->count);
	struct gh_str not_made = a->silent ? gh_str_fmt(&m->arena, " %u check%s of this kind could not be made.",
						     a->silent, plural(a->silent))
					   : GH_STR("");
	for (size_t i = 0; i < m->n_groups; i++)
		if (gh_str_is(m->groups[i].rule->axis, gh_axes[axis]))
			return gh_str_fmt(&m->arena, "%.*s finding%s; first: %.*s.%.*s", (int)counts.n, counts.p,
				plural(total(a->count)), (int)m->groups[i].rule->title.n, m->groups[i].rule->title.p,
				(int)not_made.n, not_made.p);
	return counts;
}

static struct gh_str join(struct gh_model *m, struct gh_str a, const char *b)
{
	return gh_str_fmt(&m->arena, "%.*s %s", (int)a.n, a.p, b);
}

static void axis_words(struct gh_model *m, unsigned axis)
{
	static const char *const limits[] = {
		[GH_INTEGRITY] = "No file can show that a phone enforces a key.",
		[GH_PROVENANCE] = "No published build was given to compare with.",
		[GH_BEHAVIOUR] =
			"This tells what the software is able to do, not what it did; native code was not followed.",
	};
	struct gh_axis *a = &m->axis[axis];
	bool found = total(a->count) > 0;
	a->state = found                                ? "findings"
		   : !a->evaluated                      ? "not_checked"
		   : a->silent || axis == GH_PROVENANCE ? "partly_checked" /* nothing was given to compare with */
							: "nothing_found";
	const char *limit = m->captures.n && !m->phone && axis == GH_BEHAVIOUR
				    ? "This tells what the capture shows, not what it leaves out."
				    : limits[axis];
	a->sentence = join(m, found ? found_sentence(m, axis) : checks_sentence(m, a), limit);
}

static void coverage_words(struct gh_model *m)
{
	struct gh_arena *z = &m->arena;
	struct gh_axis *a = &m->axis[GH_COVERAGE];
	const struct gh_amount *l = m->level;
	int64_t holes = m->unexamined.files + m->damaged.files + m->opaque.files;
	a->state = gh_model_incomplete(m)                          ? "incomplete"
		   : holes || l[GH_READ].files < l[GH_FILES].files ? "gaps"
								   : "all_read";
	struct gh_str files = gh_number(z, l[GH_FILES].files), read = gh_number(z, l[GH_READ].files),
		      understood = gh_number(z, l[GH_UNDERSTOOD].files), n = gh_number(z, holes),
		      bytes = gh_size(z, gh_total(m->unexamined.bytes, gh_total(m->damaged.bytes, m->opaque.bytes)));
	struct gh_str s = gh_str_fmt(z,
		"Of %.*s file%s %.*s were read and %.*s understood to their end; code was followed in %lld.",
		(int)files.n, files.p, plural((uint64_t)l[GH_FILES].files), (int)read.n, read.p, (int)understood.n,
		understood.p, (long long)l[GH_ANALYSED].files);
	if (holes)
		s = gh_str_fmt(z,
			"%.*s %.*s place%s (%.*s) %s not examined, %lld of them damaged, missing or over a limit, %lld "
			"opaque "
			"by nature.",
			(int)s.n, s.p, (int)n.n, n.p, plural((uint64_t)holes), (int)bytes.n, bytes.p,
			holes == 1 ? "was" : "were", (long long)m->damaged.files, (long long)m->opaque.files);
	if (total(a->count)) {
		struct gh_str f = found_sentence(m, GH_COVERAGE);
		s = gh_str_fmt(z, "%.*s %.*s", (int)s.n, s.p, (int)f.n, f.p);
	}
	a->sentence = s;
}

/* ---- verdict ---- */

/* What the grave findings of an axis amount to; NULL where there are none. */
static const char *grave(const struct gh_model *m, unsigned axis)
{
	const uint64_t *n = m->axis[axis].count;
	if (!n[GH_CRITICAL] && !n[GH_HIGH])
		return NULL;
	switch (axis) {
	case GH_BEHAVIOUR:
		return n[GH_CRITICAL] ? "as it stands, others are able to take it over"
				      : "its software leaves doors open to others";
	case GH_INTEGRITY:
		return "its protection against changed software is off or can be passed";
	case GH_PROVENANCE:
		return "what it says about itself does not fit together";
	default:
		return "important parts of it could not be read";
	}
}

static void grave_verdict(struct gh_model *m)
{
	static const unsigned order[] = {GH_BEHAVIOUR, GH_INTEGRITY, GH_PROVENANCE, GH_COVERAGE};
	struct gh_arena *z = &m->arena;
	bool critical = m->count[GH_CRITICAL] != 0;
	struct gh_str s = gh_str(critical ? "Do not rely on this phone yet:" : "Ask before you rely on this phone:");
	const char *glue = " ";
	for (size_t i = 0; i < GH_COUNT(order); i++)
		if (grave(m, order[i])) {
			s = gh_str_fmt(z, "%.*s%s%s", (int)s.n, s.p, glue, grave(m, order[i]));
			glue = "; ";
		}
	m->verdict_state = critical ? "critical" : "high";
	m->headline = gh_str_fmt(z, "%.*s.", (int)s.n, s.p);
	m->beside = GH_STR("Whether anybody made use of it is not shown.");
}

static void mild_verdict(struct gh_model *m, struct gh_str rest)
{
	struct gh_arena *z = &m->arena;
	struct gh_str counts = gh_counts(z, m->count);
	uint64_t n = total(m->count);
	if (n) {
		m->verdict_state = "lesser";
		m->headline = m->silent ? gh_str_fmt(z,
						  "Of the %u checks that could be made none found anything critical or "
						  "high; %.*s.",
						  m->evaluated, (int)rest.n, rest.p)
					: gh_str_fmt(z, "None of the %u checks found anything critical or high.",
						  m->evaluated);
		m->beside = gh_str_fmt(z, "%.*s finding%s should be read.", (int)counts.n, counts.p, plural(n));
	} else if (!m->phone && m->n_told) {
		m->verdict_state = m->evaluated ? "nothing_found" : "not_judged";
		m->headline = gh_str_fmt(z, "What the phone says of itself shows nothing that %u check%s looked for.",
			m->evaluated, plural(m->evaluated));
		m->beside = GH_STR(
			"Its software was not given: a changed phone can say anything. This is not a guarantee.");
	} else if (!m->phone) {
		m->verdict_state = "not_recognised";
		m->headline = GH_STR("Nothing can be said about a phone.");
		m->beside = GH_STR("No part of a phone's software was recognised in this input: compare it with what "
				   "you meant to give. Firmware packages, images and unpacked phones are read.");
	} else if (!m->evaluated) {
		m->verdict_state = "not_judged";
		m->headline = gh_str_fmt(z, "Nothing can be said: none of the %u checks could be made.", m->silent);
	} else {
		m->verdict_state = "nothing_found";
		m->headline = m->silent
				      ? gh_str_fmt(z, "None of the %u checks that could be made found anything; %.*s.",
						m->evaluated, (int)rest.n, rest.p)
				      : gh_str_fmt(z, "None of the %u checks found anything.", m->evaluated);
		m->beside = GH_STR("This is not a guarantee.");
	}
}

static void verdict(struct gh_model *m)
{
	struct gh_str rest = gh_str_fmt(&m->arena, "%u check%s could not be made", m->silent, plural(m->silent));
	if (m->watched.n_recordings && !m->phone)
		gh_watch_verdict(m);
	else if (m->captures.n && !m->phone)
		gh_traffic_verdict(m);
	else if (m->count[GH_CRITICAL] || m->count[GH_HIGH])
		grave_verdict(m);
	else
		mild_verdict(m, rest);
	if (m->damaged.files)
		m->beside = join(m, m->beside, "Parts of the input are missing or could not be read to their end.");
	m->beside = gh_str_trim(m->beside);
	if (m->interrupted)
		m->headline = gh_str_fmt(&m->arena,
			"The scan was interrupted; this is told from what was read until then. %.*s",
			(int)m->headline.n, m->headline.p);
	m->verdict = gh_str_trim(
		gh_str_fmt(&m->arena, "%.*s %.*s", (int)m->headline.n, m->headline.p, (int)m->beside.n, m->beside.p));
}

void gh_words(struct gh_model *m)
{
	m->beside = GH_STR("");
	for (unsigned i = 0; i < GH_COVERAGE; i++)
		axis_words(m, i);
	coverage_words(m);
	verdict(m);
}
