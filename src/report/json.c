/* SPDX-License-Identifier: Apache-2.0 */
/* The report as JSON (RFC 8259): the same facts give the same bytes. Names from the input are escaped as on the screen, so that
 * printing a value is harmless; `<` is written as \u003c, so that
 * no tag can stand in it when it is put into HTML. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "report/model.h"

struct json {
	FILE *to;
	struct gh_arena *arena;
	unsigned depth;
	bool first; /* nothing written yet at this depth */
};

static void quoted(struct json *j, struct gh_str s)
{
	putc('"', j->to);
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];
		if (c == '"' || c == '\\')
			fprintf(j->to, "\\%c", c);
		else if (c < 0x20 || c == '<')
			fprintf(j->to, "\\u%04x", c);
		else
			putc(c, j->to);
	}
	putc('"', j->to);
}

/* The comma, the line and the key in front of a value; key NULL in arrays. */
static void before(struct json *j, const char *key)
{
	fprintf(j->to, "%s\n%*s", j->first ? "" : ",", (int)j->depth * 2, "");
	j->first = false;
	if (key)
		fprintf(j->to, "\"%s\": ", key);
}

static void open(struct json *j, const char *key, char bracket)
{
	if (j->depth)
		before(j, key);
	putc(bracket, j->to);
	j->depth++;
	j->first = true;
}

static void shut(struct json *j, char bracket)
{
	j->depth--;
	if (!j->first)
		fprintf(j->to, "\n%*s", (int)j->depth * 2, "");
	putc(bracket, j->to);
	j->first = false;
}

/* Escaped as on a screen; null where there is no value. */
static void text(struct json *j, const char *key, struct gh_str s)
{
	before(j, key);
	if (!s.p) {
		fputs("null", j->to);
		return;
	}
	struct gh_mark mark = gh_arena_mark(j->arena);
	quoted(j, gh_shown(j->arena, s));
	gh_arena_release(j->arena, mark);
}

static void number(struct json *j, const char *key, int64_t n)
{
	before(j, key);
	if (n == GH_NULL)
		fputs("null", j->to);
	else
		fprintf(j->to, "%lld", (long long)n);
}

static void yes(struct json *j, const char *key, bool b)
{
	before(j, key);
	fputs(b ? "true" : "false", j->to);
}

static void head(struct json *j, const struct gh_model *m)
{
	number(j, "schema_version", 1);
	open(j, "tool", '{');
	text(j, "name", GH_STR("gifthorse"));
	text(j, "version", m->version);
	text(j, "rules_sha256", m->rules_sha256);
	text(j, "knowledge_sha256", m->knowledge_sha256);
	shut(j, '}');
	open(j, "scan", '{');
	text(j, "state", gh_str(m->interrupted ? "interrupted" : "complete"));
	text(j, "sandbox", m->sandbox);
	number(j, "crashes", m->crashes);
	yes(j, "redacted", m->redacted);
	shut(j, '}');
	open(j, "inputs", '[');
	for (size_t i = 0; i < m->n_inputs; i++) {
		open(j, NULL, '{');
		text(j, "name", m->inputs[i].name);
		number(j, "size", m->inputs[i].size);
		text(j, "sha256", m->inputs[i].sha256);
		shut(j, '}');
	}
	shut(j, ']');
	open(j, "device", '{');
	for (size_t i = 0; i < m->n_device; i++) {
		char key[64];
		gh_escape(key, sizeof key, m->device[i].key);
		text(j, key, m->device[i].value);
	}
	shut(j, '}');
	open(j, "verdict", '{');
	text(j, "state", gh_str(m->verdict_state));
	text(j, "sentence", m->verdict);
	shut(j, '}');
}

static void amount(struct json *j, const char *key, const char *of, struct gh_amount a)
{
	open(j, key, '{');
	number(j, of, a.files);
	number(j, "bytes", a.bytes);
	shut(j, '}');
}

static void coverage(struct json *j, const struct gh_model *m, size_t cap)
{
	open(j, "coverage", '{');
	for (unsigned i = 0; i < GH_N_LEVELS; i++)
		amount(j, gh_levels[i], "files", m->level[i]);
	open(j, "not_examined", '[');
	size_t n = cap && cap < m->n_holes ? cap : m->n_holes;
	for (size_t i = 0; i < n; i++) {
		const struct gh_hole *h = &m->holes[i];
		open(j, NULL, '{');
		text(j, "place", h->place);
		text(j, "what", h->what);
		text(j, "why", h->why);
		number(j, "bytes", h->bytes);
		yes(j, "damaged", h->damaged);
		yes(j, "opaque", h->opaque);
		shut(j, '}');
	}
	shut(j, ']');
	number(j, "not_examined_left_out", (int64_t)(m->n_holes - n));
	open(j, "not_examined_totals", '{');
	amount(j, "damaged", "places", m->damaged);
	amount(j, "opaque", "places", m->opaque);
	amount(j, "other", "places", m->unexamined);
	shut(j, '}');
	open(j, "rules", '{');
	number(j, "evaluated", m->evaluated);
	number(j, "not_evaluated", m->silent);
	number(j, "found", m->evaluated - m->quiet);
	number(j, "not_found", m->quiet);
	shut(j, '}');
	shut(j, '}');
}

static void bytes(struct json *j, const struct gh_model *m, size_t cap)
{
	size_t n = cap ? gh_min(cap * 4, m->n_covers) : m->n_covers,
	       strays = cap ? gh_min(cap, m->n_strays) : m->n_strays;
	open(j, "bytes", '[');
	for (size_t i = 0; i < n; i++) {
		const struct gh_cover_row *c = &m->covers[i];
		open(j, NULL, '{');
		text(j, "place", c->place);
		text(j, "format", c->format);
		number(j, "size", c->size);
		yes(j, "opened", c->content >= 0);
		number(j, "content", c->content < 0 ? 0 : c->content);
		number(j, "structure", c->structure);
		number(j, "padding", c->padding);
		number(j, "unclaimed", c->unclaimed);
		number(j, "not_told_apart", c->inside);
		number(j, "not_swept", c->unswept);
		shut(j, '}');
	}
	shut(j, ']');
	open(j, "unclaimed", '[');
	for (size_t i = 0; i < strays; i++) {
		const struct gh_stray *u = &m->strays[i];
		open(j, NULL, '{');
		text(j, "place", u->place);
		number(j, "offset", u->at);
		number(j, "bytes", u->len);
		number(j, "entropy_millibits", u->entropy);
		text(j, "begins_like", u->magic);
		text(j, "head", u->head);
		shut(j, '}');
	}
	shut(j, ']');
	number(j, "bytes_left_out", (int64_t)(m->n_covers - n + m->n_strays - strays));
}

static void integrity(struct json *j, const struct gh_model *m, size_t cap)
{
	open(j, "integrity", '{');
	text(j, "vbmeta_digest", gh_vbmeta_digest(m));
	open(j, "verified_boot", '[');
	size_t n = cap && cap < m->n_trust ? cap : m->n_trust;
	for (size_t i = 0; i < n; i++) {
		const struct gh_trust *t = &m->trust[i];
		open(j, NULL, '{');
		text(j, "kind", t->kind);
		text(j, "partition", t->partition);
		text(j, "by", t->by);
		text(j, "state", t->state);
		text(j, "why", t->why);
		text(j, "key_sha1", t->key);
		text(j, "key_known_as", t->known);
		number(j, "rollback", t->rollback);
		number(j, "flags", t->flags);
		shut(j, '}');
	}
	shut(j, ']');
	number(j, "verified_boot_left_out", (int64_t)(m->n_trust - n));
	open(j, "packages", '{');
	for (size_t i = 0; i < m->n_packages; i++) {
		uint64_t count = 0;
		(void)gh_str_u64(m->packages[i].value, 10, &count);
		number(j, m->packages[i].key.p, (int64_t)count);
	}
	shut(j, '}');
	open(j, "not_covered", '{');
	for (size_t k = 0; k < GH_UNCOVERED_LISTS; k++) {
		open(j, gh_uncovered_lists[k], '[');
		for (size_t i = 0; i < m->n_uncovered; i++) {
			const struct gh_uncovered *u = &m->uncovered[i];
			if (!gh_str_is(u->list, gh_uncovered_lists[k]))
				continue;
			open(j, NULL, '{');
			text(j, "name", u->name);
			text(j, "slot", u->slot);
			text(j, "format", u->format);
			number(j, "size", u->size);
			number(j, "files", u->files);
			shut(j, '}');
		}
		shut(j, ']');
	}
	shut(j, '}');
	shut(j, '}');
}

static void axes(struct json *j, const struct gh_model *m)
{
	open(j, "axes", '{');
	for (unsigned i = 0; i < GH_N_AXES; i++) {
		open(j, gh_axes[i], '{');
		text(j, "state", gh_str(m->axis[i].state));
		text(j, "sentence", m->axis[i].sentence);
		shut(j, '}');
	}
	shut(j, '}');
}

static void real(struct json *j, const char *key, double v)
{
	before(j, key);
	fprintf(j->to, "%.3f", v);
}

static void nearness(struct json *j, const struct gh_nearness *a)
{
	open(j, NULL, '{');
	number(j, "reference", a->reference);
	text(j, "scope", gh_str(a->outside ? "outside the stretches told apart" : "all"));
	number(j, "seconds", a->seconds);
	real(j, "bias", a->bias);
	real(j, "limit_low", a->low);
	real(j, "limit_high", a->high);
	real(j, "limit_low_30s", a->low30);
	real(j, "limit_high_30s", a->high30);
	real(j, "mape", a->mape);
	real(j, "within_5_bpm", a->within5);
	real(j, "within_5_percent", a->within5pc);
	real(j, "within_10_percent", a->within10pc);
	if (a->has_ccc)
		real(j, "ccc", a->ccc);
	else
		text(j, "ccc", GH_NONE);
	real(j, "reference_range", a->spread);
	real(j, "worst_minute", a->worst);
	number(j, "worst_minute_at_ms", a->worst_ms);
	number(j, "shift_seconds", a->shift_known ? a->shift : GH_NULL);
	text(j, "shift_how", a->how);
	shut(j, '}');
}

static void recording(struct json *j, const struct gh_watched *w, const struct gh_recorded *r)
{
	open(j, NULL, '{');
	number(j, "id", r->id);
	text(j, "name", r->name);
	number(j, "part", r->part);
	text(j, "role", r->role);
	text(j, "format", r->format);
	text(j, "source", r->source);
	text(j, "sport", r->sport);
	text(j, "state", r->state);
	number(j, "samples", r->samples);
	number(j, "with_heart_rate", r->rates);
	number(j, "from_ms", r->from_ms);
	number(j, "to_ms", r->to_ms);
	yes(j, "clock_set", r->clock > 0);
	open(j, "stretches", '[');
	for (size_t i = 0; i < w->n_spans; i++) {
		const struct gh_stretch *s = &w->span[i];
		if (s->recording != r->id)
			continue;
		open(j, NULL, '{');
		text(j, "kind", s->kind);
		text(j, "certainty", s->certainty);
		yes(j, "by_reference", s->paired);
		number(j, "from_ms", s->from_ms);
		number(j, "to_ms", s->to_ms);
		text(j, "words", s->words);
		shut(j, '}');
	}
	shut(j, ']');
	open(j, "checks", '[');
	for (size_t i = 0; i < w->n_checks; i++)
		if (w->check[i].recording == r->id) {
			open(j, NULL, '{');
			text(j, "what", w->check[i].what);
			text(j, "not_assessed", w->check[i].why_not);
			shut(j, '}');
		}
	shut(j, ']');
	open(j, "accuracy", '[');
	for (size_t i = 0; i < w->n_near; i++)
		if (w->near[i].recording == r->id)
			nearness(j, &w->near[i]);
	shut(j, ']');
	shut(j, '}');
}

/* Only where recordings are: reports of phones stay as they are. */
static void recordings(struct json *j, const struct gh_watched *w)
{
	if (!w->n_recordings)
		return;
	open(j, "recordings", '[');
	for (size_t i = 0; i < w->n_recordings; i++)
		recording(j, w, &w->recording[i]);
	shut(j, ']');
	open(j, "needs_its_maker", '{');
	text(j, "to_be_set_up", GH_STR("not assessed"));
	text(j, "to_read_your_own_data", GH_STR("not assessed"));
	text(j, "to_be_reset", GH_STR("not assessed"));
	shut(j, '}');
}

static void finding(struct json *j, const struct gh_finding *f)
{
	struct gh_mark mark = gh_arena_mark(j->arena);
	open(j, NULL, '{');
	text(j, "rule", f->rule->id);
	text(j, "severity", gh_str(gh_severities[f->severity]));
	text(j, "axis", f->rule->axis);
	text(j, "certainty", f->rule->certainty);
	text(j, "witness", f->rule->witness);
	text(j, "title", f->rule->title);
	text(j, "place", f->place);
	number(j, "offset", f->at);
	text(j, "sha256", f->sha256);
	text(j, "evidence", f->evidence);
	text(j, "verify", gh_verify(j->arena, f));
	text(j, "next", gh_next(j->arena, f));
	text(j, "fingerprint", f->fingerprint);
	shut(j, '}');
	gh_arena_release(j->arena, mark);
}

static void findings(struct json *j, const struct gh_model *m, size_t cap)
{
	size_t left_out = 0;
	open(j, "counts", '{');
	for (unsigned i = 0; i < GH_N_SEVERITIES; i++)
		number(j, gh_severities[i], (int64_t)m->count[i]);
	shut(j, '}');
	open(j, "findings", '[');
	for (size_t g = 0; g < m->n_groups; g++) {
		size_t n = cap && cap < m->groups[g].n ? cap : m->groups[g].n;
		for (size_t i = 0; i < n; i++)
			finding(j, &m->findings[m->groups[g].first + i]);
		left_out += m->groups[g].n - n;
	}
	shut(j, ']');
	number(j, "findings_left_out", (int64_t)left_out);
}

static void parts(struct json *j, const struct gh_model *m)
{
	open(j, "parts", '[');
	for (size_t i = 0; i < m->n_parts; i++) {
		const struct gh_named_part *p = &m->parts[i];
		open(j, NULL, '{');
		text(j, "kind", p->kind);
		text(j, "name", p->name);
		text(j, "certainty", p->certainty);
		text(j, "witness", p->witness);
		text(j, "place", p->place);
		number(j, "offset", p->at);
		shut(j, '}');
	}
	shut(j, ']');
}

static void party(struct json *j, const struct gh_party *p)
{
	struct gh_mark mark = gh_arena_mark(j->arena);
	open(j, NULL, '{');
	text(j, "name", p->name);
	text(j, "named_by", p->by);
	text(j, "state", p->state);
	text(j, "why", p->why);
	text(j, "tls", p->tls);
	text(j, "protocols", p->protocols);
	text(j, "apps", p->apps);
	text(j, "named_in", p->code);
	text(j, "country", p->country);
	text(j, "owner", p->owner);
	yes(j, "local", p->local);
	number(j, "addresses", p->addresses);
	number(j, "connections", p->flows);
	number(j, "first_packet", p->packet);
	text(j, "first", gh_moment(j->arena, p->first_us));
	text(j, "last", gh_moment(j->arena, p->last_us));
	number(j, "bytes_out", p->bytes_out);
	number(j, "bytes_in", p->bytes_in);
	shut(j, '}');
	gh_arena_release(j->arena, mark);
}

static void traffic(struct json *j, const struct gh_model *m, size_t cap)
{
	const struct gh_captures *c = &m->captures;
	if (!c->n)
		return;
	open(j, "traffic", '{');
	number(j, "packets", c->packets);
	number(j, "bytes", c->bytes);
	text(j, "first", gh_moment(j->arena, c->first_us));
	text(j, "last", gh_moment(j->arena, c->last_us));
	number(j, "connections", c->flows);
	number(j, "decrypted_bytes", c->decrypted);
	number(j, "lost_bytes", c->lost_bytes);
	number(j, "wifi_encrypted", c->wifi_encrypted);
	yes(j, "first_boot", c->first_boot);
	text(j, "not_shown", gh_str(gh_traffic_blind));
	open(j, "states", '{');
	number(j, "good", c->good);
	number(j, "bad", c->bad);
	number(j, "not_visible", c->hidden);
	number(j, "not_judged", c->unjudged);
	shut(j, '}');
	open(j, "parties", '[');
	size_t n = cap && cap < m->n_parties ? cap : m->n_parties;
	for (size_t i = 0; i < n; i++)
		party(j, &m->parties[i]);
	shut(j, ']');
	number(j, "parties_left_out", (int64_t)(m->n_parties - n));
	shut(j, '}');
}

static void rules(struct json *j, const struct gh_model *m)
{
	open(j, "rules", '[');
	for (size_t i = 0; i < m->n_states; i++) {
		const struct gh_rule_state *s = &m->states[i];
		open(j, NULL, '{');
		text(j, "id", s->rule->id);
		text(j, "title", s->rule->title);
		text(j, "state", s->state);
		text(j, "why", s->why);
		number(j, "rows", s->rows);
		shut(j, '}');
	}
	shut(j, ']');
}

void gh_json_model(const struct gh_model *m, const struct gh_report_style *style, size_t cap, FILE *to)
{
	struct gh_arena arena;
	gh_arena_init(&arena, 0);
	struct json j = {.to = to, .arena = &arena};
	const char *fail_on = style->fail_on ? style->fail_on : "high";
	open(&j, NULL, '{');
	head(&j, m);
	integrity(&j, m, cap);
	coverage(&j, m, cap);
	bytes(&j, m, cap);
	axes(&j, m);
	recordings(&j, &m->watched);
	findings(&j, m, cap);
	traffic(&j, m, cap);
	rules(&j, m);
	parts(&j, m);
	open(&j, "exit", '{');
	text(&j, "fail_on", gh_str(fail_on));
	yes(&j, "findings", gh_model_at_least(m, fail_on));
	yes(&j, "incomplete", gh_model_incomplete(m));
	shut(&j, '}');
	shut(&j, '}');
	putc('\n', to);
	gh_arena_done(&arena);
}

enum gh_code gh_report_json(
	struct gh_db *db, int64_t scan, const struct gh_report_style *style, FILE *to, struct gh_err *err)
{
	struct gh_model m;
	enum gh_code code = gh_model_read(&m, db, scan, err);
	if (code == GH_OK && style->redact)
		gh_redact(&m);
	if (code == GH_OK)
		gh_json_model(&m, style, 0, to);
	gh_model_done(&m);
	return code;
}
