/* SPDX-License-Identifier: Apache-2.0 */
/* The report as JSON (RFC 8259): the same facts give the same bytes. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "report/jsonout.h"
#include "report/model.h"

static void head(struct gh_json *j, const struct gh_model *m)
{
	gh_json_number(j, "schema_version", 1);
	gh_json_open(j, "tool", '{');
	gh_json_text(j, "name", GH_STR("gifthorse"));
	gh_json_text(j, "version", m->version);
	gh_json_text(j, "rules_sha256", m->rules_sha256);
	gh_json_text(j, "knowledge_sha256", m->knowledge_sha256);
	gh_json_shut(j, '}');
	gh_json_open(j, "scan", '{');
	gh_json_text(j, "state", gh_str(m->interrupted ? "interrupted" : "complete"));
	gh_json_text(j, "sandbox", m->sandbox);
	gh_json_number(j, "crashes", m->crashes);
	gh_json_yes(j, "redacted", m->redacted);
	gh_json_shut(j, '}');
	gh_json_open(j, "inputs", '[');
	for (size_t i = 0; i < m->n_inputs; i++) {
		gh_json_open(j, NULL, '{');
		gh_json_text(j, "name", m->inputs[i].name);
		gh_json_number(j, "size", m->inputs[i].size);
		gh_json_text(j, "sha256", m->inputs[i].sha256);
		gh_json_shut(j, '}');
	}
	gh_json_shut(j, ']');
	gh_json_open(j, "device", '{');
	for (size_t i = 0; i < m->n_device; i++) {
		char key[64];
		gh_escape(key, sizeof key, m->device[i].key);
		gh_json_text(j, key, m->device[i].value);
	}
	gh_json_shut(j, '}');
	gh_json_open(j, "verdict", '{');
	gh_json_text(j, "state", gh_str(m->verdict_state));
	gh_json_text(j, "sentence", m->verdict);
	gh_json_shut(j, '}');
}

static void amount(struct gh_json *j, const char *key, const char *of, struct gh_amount a)
{
	gh_json_open(j, key, '{');
	gh_json_number(j, of, a.files);
	gh_json_number(j, "bytes", a.bytes);
	gh_json_shut(j, '}');
}

static void coverage(struct gh_json *j, const struct gh_model *m, size_t cap)
{
	gh_json_open(j, "coverage", '{');
	for (unsigned i = 0; i < GH_N_LEVELS; i++)
		amount(j, gh_levels[i], "files", m->level[i]);
	gh_json_open(j, "not_examined", '[');
	size_t n = cap && cap < m->n_holes ? cap : m->n_holes;
	for (size_t i = 0; i < n; i++) {
		const struct gh_hole *h = &m->holes[i];
		gh_json_open(j, NULL, '{');
		gh_json_text(j, "place", h->place);
		gh_json_text(j, "what", h->what);
		gh_json_text(j, "why", h->why);
		gh_json_number(j, "bytes", h->bytes);
		gh_json_yes(j, "damaged", h->damaged);
		gh_json_yes(j, "opaque", h->opaque);
		gh_json_shut(j, '}');
	}
	gh_json_shut(j, ']');
	gh_json_number(j, "not_examined_left_out", (int64_t)(m->n_holes - n));
	gh_json_open(j, "not_examined_totals", '{');
	amount(j, "damaged", "places", m->damaged);
	amount(j, "opaque", "places", m->opaque);
	amount(j, "other", "places", m->unexamined);
	gh_json_shut(j, '}');
	gh_json_open(j, "rules", '{');
	gh_json_number(j, "evaluated", m->evaluated);
	gh_json_number(j, "not_evaluated", m->silent);
	gh_json_number(j, "found", m->evaluated - m->quiet);
	gh_json_number(j, "not_found", m->quiet);
	gh_json_shut(j, '}');
	gh_json_shut(j, '}');
}

static void bytes(struct gh_json *j, const struct gh_model *m, size_t cap)
{
	size_t n = cap ? gh_min(cap * 4, m->n_covers) : m->n_covers,
	       strays = cap ? gh_min(cap, m->n_strays) : m->n_strays;
	gh_json_open(j, "bytes", '[');
	for (size_t i = 0; i < n; i++) {
		const struct gh_cover_row *c = &m->covers[i];
		gh_json_open(j, NULL, '{');
		gh_json_text(j, "place", c->place);
		gh_json_text(j, "format", c->format);
		gh_json_number(j, "size", c->size);
		gh_json_yes(j, "opened", c->content >= 0);
		gh_json_number(j, "content", c->content < 0 ? 0 : c->content);
		gh_json_number(j, "structure", c->structure);
		gh_json_number(j, "padding", c->padding);
		gh_json_number(j, "unclaimed", c->unclaimed);
		gh_json_number(j, "not_told_apart", c->inside);
		gh_json_number(j, "not_swept", c->unswept);
		gh_json_shut(j, '}');
	}
	gh_json_shut(j, ']');
	gh_json_open(j, "unclaimed", '[');
	for (size_t i = 0; i < strays; i++) {
		const struct gh_stray *u = &m->strays[i];
		gh_json_open(j, NULL, '{');
		gh_json_text(j, "place", u->place);
		gh_json_number(j, "offset", u->at);
		gh_json_number(j, "bytes", u->len);
		gh_json_number(j, "entropy_millibits", u->entropy);
		gh_json_text(j, "begins_like", u->magic);
		gh_json_text(j, "head", u->head);
		gh_json_shut(j, '}');
	}
	gh_json_shut(j, ']');
	gh_json_number(j, "bytes_left_out", (int64_t)(m->n_covers - n + m->n_strays - strays));
}

static void integrity(struct gh_json *j, const struct gh_model *m, size_t cap)
{
	gh_json_open(j, "integrity", '{');
	gh_json_text(j, "vbmeta_digest", gh_vbmeta_digest(m));
	gh_json_open(j, "verified_boot", '[');
	size_t n = cap && cap < m->n_trust ? cap : m->n_trust;
	for (size_t i = 0; i < n; i++) {
		const struct gh_trust *t = &m->trust[i];
		gh_json_open(j, NULL, '{');
		gh_json_text(j, "kind", t->kind);
		gh_json_text(j, "partition", t->partition);
		gh_json_text(j, "by", t->by);
		gh_json_text(j, "state", t->state);
		gh_json_text(j, "why", t->why);
		gh_json_text(j, "key_sha1", t->key);
		gh_json_text(j, "key_known_as", t->known);
		gh_json_number(j, "rollback", t->rollback);
		gh_json_number(j, "flags", t->flags);
		gh_json_shut(j, '}');
	}
	gh_json_shut(j, ']');
	gh_json_number(j, "verified_boot_left_out", (int64_t)(m->n_trust - n));
	gh_json_open(j, "packages", '{');
	for (size_t i = 0; i < m->n_packages; i++) {
		uint64_t count = 0;
		(void)gh_str_u64(m->packages[i].value, 10, &count);
		gh_json_number(j, m->packages[i].key.p, (int64_t)count);
	}
	gh_json_shut(j, '}');
	gh_json_open(j, "not_covered", '{');
	for (size_t k = 0; k < GH_UNCOVERED_LISTS; k++) {
		gh_json_open(j, gh_uncovered_lists[k], '[');
		for (size_t i = 0; i < m->n_uncovered; i++) {
			const struct gh_uncovered *u = &m->uncovered[i];
			if (!gh_str_is(u->list, gh_uncovered_lists[k]))
				continue;
			gh_json_open(j, NULL, '{');
			gh_json_text(j, "name", u->name);
			gh_json_text(j, "slot", u->slot);
			gh_json_text(j, "format", u->format);
			gh_json_number(j, "size", u->size);
			gh_json_number(j, "files", u->files);
			gh_json_text(j, "signed", u->holds);
			gh_json_shut(j, '}');
		}
		gh_json_shut(j, ']');
	}
	gh_json_shut(j, '}');
	gh_json_shut(j, '}');
}

static void axes(struct gh_json *j, const struct gh_model *m)
{
	gh_json_open(j, "axes", '{');
	for (unsigned i = 0; i < GH_N_AXES; i++) {
		gh_json_open(j, gh_axes[i], '{');
		gh_json_text(j, "state", gh_str(m->axis[i].state));
		gh_json_text(j, "sentence", m->axis[i].sentence);
		gh_json_shut(j, '}');
	}
	gh_json_shut(j, '}');
}

static void nearness(struct gh_json *j, const struct gh_nearness *a)
{
	gh_json_open(j, NULL, '{');
	gh_json_number(j, "reference", a->reference);
	gh_json_text(j, "scope", gh_str(a->outside ? "outside the stretches told apart" : "all"));
	gh_json_number(j, "seconds", a->seconds);
	gh_json_real(j, "bias", a->bias);
	gh_json_real(j, "limit_low", a->low);
	gh_json_real(j, "limit_high", a->high);
	gh_json_real(j, "limit_low_30s", a->low30);
	gh_json_real(j, "limit_high_30s", a->high30);
	gh_json_real(j, "mape", a->mape);
	gh_json_real(j, "within_5_bpm", a->within5);
	gh_json_real(j, "within_5_percent", a->within5pc);
	gh_json_real(j, "within_10_percent", a->within10pc);
	if (a->has_ccc)
		gh_json_real(j, "ccc", a->ccc);
	else
		gh_json_text(j, "ccc", GH_NONE);
	gh_json_real(j, "reference_range", a->spread);
	gh_json_real(j, "worst_minute", a->worst);
	gh_json_number(j, "worst_minute_at_ms", a->worst_ms);
	gh_json_number(j, "shift_seconds", a->shift_known ? a->shift : GH_NULL);
	gh_json_text(j, "shift_how", a->how);
	gh_json_shut(j, '}');
}

static void recording(struct gh_json *j, const struct gh_watched *w, const struct gh_recorded *r)
{
	gh_json_open(j, NULL, '{');
	gh_json_number(j, "id", r->id);
	gh_json_text(j, "name", r->name);
	gh_json_number(j, "part", r->part);
	gh_json_text(j, "role", r->role);
	gh_json_text(j, "format", r->format);
	gh_json_text(j, "source", r->source);
	gh_json_text(j, "sport", r->sport);
	gh_json_text(j, "state", r->state);
	gh_json_number(j, "samples", r->samples);
	gh_json_number(j, "with_heart_rate", r->rates);
	gh_json_number(j, "from_ms", r->from_ms);
	gh_json_number(j, "to_ms", r->to_ms);
	gh_json_yes(j, "clock_set", r->clock > 0);
	gh_json_open(j, "stretches", '[');
	for (size_t i = 0; i < w->n_spans; i++) {
		const struct gh_stretch *s = &w->span[i];
		if (s->recording != r->id)
			continue;
		gh_json_open(j, NULL, '{');
		gh_json_text(j, "kind", s->kind);
		gh_json_text(j, "certainty", s->certainty);
		gh_json_yes(j, "by_reference", s->paired);
		gh_json_number(j, "from_ms", s->from_ms);
		gh_json_number(j, "to_ms", s->to_ms);
		gh_json_text(j, "words", s->words);
		gh_json_shut(j, '}');
	}
	gh_json_shut(j, ']');
	gh_json_open(j, "checks", '[');
	for (size_t i = 0; i < w->n_checks; i++)
		if (w->check[i].recording == r->id) {
			gh_json_open(j, NULL, '{');
			gh_json_text(j, "what", w->check[i].what);
			gh_json_text(j, "not_assessed", w->check[i].why_not);
			gh_json_shut(j, '}');
		}
	gh_json_shut(j, ']');
	gh_json_open(j, "accuracy", '[');
	for (size_t i = 0; i < w->n_near; i++)
		if (w->near[i].recording == r->id)
			nearness(j, &w->near[i]);
	gh_json_shut(j, ']');
	gh_json_shut(j, '}');
}

/* Only where recordings are: reports of phones stay as they are. */
static void recordings(struct gh_json *j, const struct gh_watched *w)
{
	if (!w->n_recordings)
		return;
	gh_json_open(j, "recordings", '[');
	for (size_t i = 0; i < w->n_recordings; i++)
		recording(j, w, &w->recording[i]);
	gh_json_shut(j, ']');
	gh_json_open(j, "needs_its_maker", '[');
	for (size_t i = 0; i < w->n_maker; i++) {
		const struct gh_maker_line *l = &w->maker[i];
		gh_json_open(j, NULL, '{');
		gh_json_text(j, "what", gh_maker_act(l));
		gh_json_yes(j, "is_the_answer", l->n == 0);
		gh_json_text(j, "answer", l->answer);
		gh_json_text(j, "certainty", l->certainty);
		gh_json_text(j, "witness", l->witness);
		gh_json_text(j, "words", l->words);
		gh_json_text(j, "would_settle_it", l->settle);
		gh_json_shut(j, '}');
	}
	gh_json_shut(j, ']');
}

/* Only where a running phone said something: other reports stay as they are. */
static void told(struct gh_json *j, const struct gh_model *m, size_t cap)
{
	if (!m->n_told)
		return;
	gh_json_open(j, "phone_says", '[');
	for (size_t i = 0; i < m->n_told && (!cap || i < cap); i++) {
		gh_json_open(j, NULL, '{');
		gh_json_text(j, "of", m->told[i].part);
		gh_json_text(j, "what", m->told[i].what);
		gh_json_text(j, "value", m->told[i].value);
		gh_json_text(j, "file", m->told[i].place);
		if (m->told[i].line != GH_NULL)
			gh_json_number(j, "line", m->told[i].line);
		gh_json_text(j, "witness", GH_STR("the phone's own word"));
		gh_json_shut(j, '}');
	}
	gh_json_shut(j, ']');
}

static void finding(struct gh_json *j, const struct gh_finding *f)
{
	struct gh_mark mark = gh_arena_mark(j->arena);
	gh_json_open(j, NULL, '{');
	gh_json_text(j, "rule", f->rule->id);
	gh_json_text(j, "severity", gh_str(gh_severities[f->severity]));
	gh_json_text(j, "axis", f->rule->axis);
	gh_json_text(j, "certainty", f->rule->certainty);
	gh_json_text(j, "witness", f->rule->witness);
	gh_json_text(j, "title", f->rule->title);
	gh_json_text(j, "place", f->place);
	gh_json_number(j, "offset", f->at);
	gh_json_text(j, "sha256", f->sha256);
	gh_json_text(j, "evidence", f->evidence);
	gh_json_text(j, "verify", gh_verify(j->arena, f));
	gh_json_text(j, "next", gh_next(j->arena, f));
	gh_json_text(j, "fingerprint", f->fingerprint);
	gh_json_shut(j, '}');
	gh_arena_release(j->arena, mark);
}

static void findings(struct gh_json *j, const struct gh_model *m, size_t cap)
{
	size_t left_out = 0;
	gh_json_open(j, "counts", '{');
	for (unsigned i = 0; i < GH_N_SEVERITIES; i++)
		gh_json_number(j, gh_severities[i], (int64_t)m->count[i]);
	gh_json_shut(j, '}');
	gh_json_open(j, "findings", '[');
	for (size_t g = 0; g < m->n_groups; g++) {
		size_t n = cap && cap < m->groups[g].n ? cap : m->groups[g].n;
		for (size_t i = 0; i < n; i++)
			finding(j, &m->findings[m->groups[g].first + i]);
		left_out += m->groups[g].n - n;
	}
	gh_json_shut(j, ']');
	gh_json_number(j, "findings_left_out", (int64_t)left_out);
}

static void parts(struct gh_json *j, const struct gh_model *m)
{
	gh_json_open(j, "parts", '[');
	for (size_t i = 0; i < m->n_parts; i++) {
		const struct gh_named_part *p = &m->parts[i];
		gh_json_open(j, NULL, '{');
		gh_json_text(j, "kind", p->kind);
		gh_json_text(j, "name", p->name);
		gh_json_text(j, "certainty", p->certainty);
		gh_json_text(j, "witness", p->witness);
		gh_json_text(j, "place", p->place);
		gh_json_number(j, "offset", p->at);
		gh_json_shut(j, '}');
	}
	gh_json_shut(j, ']');
}

static void party(struct gh_json *j, const struct gh_party *p)
{
	struct gh_mark mark = gh_arena_mark(j->arena);
	gh_json_open(j, NULL, '{');
	gh_json_text(j, "name", p->name);
	gh_json_text(j, "named_by", p->by);
	gh_json_text(j, "state", p->state);
	gh_json_text(j, "why", p->why);
	gh_json_text(j, "tls", p->tls);
	gh_json_text(j, "protocols", p->protocols);
	gh_json_text(j, "apps", p->apps);
	gh_json_text(j, "named_in", p->code);
	gh_json_text(j, "country", p->country);
	gh_json_text(j, "owner", p->owner);
	gh_json_yes(j, "local", p->local);
	gh_json_number(j, "addresses", p->addresses);
	gh_json_number(j, "connections", p->flows);
	gh_json_number(j, "first_packet", p->packet);
	gh_json_text(j, "first", gh_moment(j->arena, p->first_us));
	gh_json_text(j, "last", gh_moment(j->arena, p->last_us));
	gh_json_number(j, "bytes_out", p->bytes_out);
	gh_json_number(j, "bytes_in", p->bytes_in);
	gh_json_shut(j, '}');
	gh_arena_release(j->arena, mark);
}

static void traffic(struct gh_json *j, const struct gh_model *m, size_t cap)
{
	const struct gh_captures *c = &m->captures;
	if (!c->n)
		return;
	gh_json_open(j, "traffic", '{');
	gh_json_number(j, "packets", c->packets);
	gh_json_number(j, "bytes", c->bytes);
	gh_json_text(j, "first", gh_moment(j->arena, c->first_us));
	gh_json_text(j, "last", gh_moment(j->arena, c->last_us));
	gh_json_number(j, "connections", c->flows);
	gh_json_number(j, "decrypted_bytes", c->decrypted);
	gh_json_number(j, "lost_bytes", c->lost_bytes);
	gh_json_number(j, "wifi_encrypted", c->wifi_encrypted);
	gh_json_yes(j, "first_boot", c->first_boot);
	gh_json_text(j, "not_shown", gh_str(gh_traffic_blind));
	gh_json_open(j, "states", '{');
	gh_json_number(j, "good", c->good);
	gh_json_number(j, "bad", c->bad);
	gh_json_number(j, "not_visible", c->hidden);
	gh_json_number(j, "not_judged", c->unjudged);
	gh_json_shut(j, '}');
	gh_json_open(j, "parties", '[');
	size_t n = cap && cap < m->n_parties ? cap : m->n_parties;
	for (size_t i = 0; i < n; i++)
		party(j, &m->parties[i]);
	gh_json_shut(j, ']');
	gh_json_number(j, "parties_left_out", (int64_t)(m->n_parties - n));
	gh_json_shut(j, '}');
}

static void rules(struct gh_json *j, const struct gh_model *m)
{
	gh_json_open(j, "rules", '[');
	for (size_t i = 0; i < m->n_states; i++) {
		const struct gh_rule_state *s = &m->states[i];
		gh_json_open(j, NULL, '{');
		gh_json_text(j, "id", s->rule->id);
		gh_json_text(j, "title", s->rule->title);
		gh_json_text(j, "state", s->state);
		gh_json_text(j, "why", s->why);
		gh_json_number(j, "rows", s->rows);
		gh_json_shut(j, '}');
	}
	gh_json_shut(j, ']');
}

void gh_json_model(const struct gh_model *m, const struct gh_report_style *style, size_t cap, FILE *to)
{
	struct gh_arena arena;
	gh_arena_init(&arena, 0);
	struct gh_json j = {.to = to, .arena = &arena};
	const char *fail_on = style->fail_on ? style->fail_on : "high";
	gh_json_open(&j, NULL, '{');
	head(&j, m);
	integrity(&j, m, cap);
	coverage(&j, m, cap);
	bytes(&j, m, cap);
	axes(&j, m);
	recordings(&j, &m->watched);
	told(&j, m, cap);
	findings(&j, m, cap);
	traffic(&j, m, cap);
	rules(&j, m);
	parts(&j, m);
	gh_json_open(&j, "exit", '{');
	gh_json_text(&j, "fail_on", gh_str(fail_on));
	gh_json_yes(&j, "findings", gh_model_at_least(m, fail_on));
	gh_json_yes(&j, "incomplete", gh_model_incomplete(m));
	gh_json_shut(&j, '}');
	gh_json_shut(&j, '}');
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
