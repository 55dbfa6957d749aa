/* SPDX-License-Identifier: Apache-2.0 */
/* What a report says of captures: who was talked to, in which of three states, and what the capture cannot show. */
#include <stdio.h>
#include <time.h>

#include "base/num.h"
#include "report/model.h"

const char gh_traffic_blind[] = "No capture shows what a provider's own equipment does, whether the mobile network "
				"fell back to 2G or sent without "
				"encryption, or SMS and calls.";

const char *gh_party_word(const struct gh_party *p)
{
	if (gh_str_is(p->state, "good"))
		return "good";
	if (gh_str_is(p->state, "bad"))
		return "bad";
	return p->state.p ? "not visible" : "not judged";
}

struct gh_str gh_span(struct gh_arena *arena, int64_t us)
{
	int64_t s = us / 1000000;
	if (s < 60)
		return gh_str_fmt(arena, "%lld.%lld s", (long long)s, (long long)(us / 100000 % 10));
	if (s < 3600)
		return gh_str_fmt(arena, "%lld min %lld s", (long long)s / 60, (long long)s % 60);
	if (s < 172800)
		return gh_str_fmt(arena, "%lld h %lld min", (long long)s / 3600, (long long)s / 60 % 60);
	return gh_str_fmt(arena, "%lld days", (long long)s / 86400);
}

struct gh_str gh_moment(struct gh_arena *arena, int64_t us)
{
	struct tm tm;
	time_t t = (time_t)(us / 1000000);
	if (us == GH_NULL || us < 0 || !gmtime_r(&t, &tm) || tm.tm_year > 8099)
		return GH_STR("not known");
	return gh_str_fmt(arena, "%04d-%02d-%02d %02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		tm.tm_hour, tm.tm_min, tm.tm_sec);
}

struct gh_str gh_traffic_line(struct gh_model *m)
{
	struct gh_arena *z = &m->arena;
	const struct gh_captures *c = &m->captures;
	return gh_str_fmt(z, "%s packets, %s, within %s; %s connection%s with %zu part%s", gh_number(z, c->packets).p,
		gh_size(z, c->bytes).p, gh_span(z, c->last_us - c->first_us).p, gh_number(z, c->flows).p,
		c->flows == 1 ? "" : "s", m->n_parties, m->n_parties == 1 ? "y" : "ies");
}

/* How the parties are distributed over the states. */
static struct gh_str states(struct gh_model *m)
{
	const struct gh_captures *c = &m->captures;
	return gh_str_fmt(&m->arena,
		"%zu part%s: %lld showed a certificate that proves who they are, %lld %s readable or wrongly "
		"certified, of %lld the capture cannot "
		"tell, and %lld were not to be judged (names, time, the local network, no data).",
		m->n_parties, m->n_parties == 1 ? "y" : "ies", (long long)c->good, (long long)c->bad,
		c->bad == 1 ? "was" : "were", (long long)c->hidden, (long long)c->unjudged);
}

void gh_traffic_verdict(struct gh_model *m)
{
	struct gh_arena *z = &m->arena;
	if (!m->captures.packets) {
		m->verdict_state = "not_recognised";
		m->headline = GH_STR("Nothing can be said: the capture holds no packet.");
		return;
	}
	if (m->count[GH_CRITICAL] || m->count[GH_HIGH]) {
		bool critical = m->count[GH_CRITICAL] != 0;
		struct gh_str title = m->groups[0].rule->title;
		m->verdict_state = critical ? "critical" : "high";
		m->headline = gh_str_fmt(z, "%s: %c%.*s.",
			critical ? "Do not rely on this connection" : "Ask before you rely on this connection",
			title.n ? title.p[0] | 0x20 : ' ', (int)title.n - 1, title.p + 1);
	} else {
		m->verdict_state = m->n_findings ? "lesser" : "nothing_found";
		m->headline = gh_str_fmt(z,
			"None of the %u checks that could be made found anything%s; %u could not be made.",
			m->evaluated, m->n_findings ? " critical or high" : "", m->silent);
	}
	struct gh_str s = states(m);
	m->beside = gh_str_fmt(z, "%.*s This is not a guarantee.", (int)s.n, s.p);
}

struct gh_str gh_party_line(struct gh_arena *z, const struct gh_party *p)
{
	struct gh_str name = gh_shown(z, p->name), why = p->why.p ? gh_shown(z, p->why) : GH_STR(""),
		      app = p->apps.p ? gh_shown(z, p->apps) : GH_STR("");
	return gh_str_fmt(z, "%-11s %.*s%s%.*s, %s out, %s in%s%.*s%s%.*s", gh_party_word(p), (int)name.n, name.p,
		app.n ? ", " : "", (int)app.n, app.p, gh_size(z, p->bytes_out).p, gh_size(z, p->bytes_in).p,
		p->tls.p ? ", TLS " : "", (int)p->tls.n, p->tls.p ? p->tls.p : "", why.n ? ": " : "", (int)why.n,
		why.p);
}
