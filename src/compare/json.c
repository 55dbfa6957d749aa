/* SPDX-License-Identifier: Apache-2.0 */
/* A comparison as JSON: the same two inputs give the same bytes. */
#include <string.h>

#include "compare/compare.h"
#include "report/jsonout.h"

static void side(struct gh_json *j, const char *key, const struct gh_side *s)
{
	gh_json_open(j, key, '{');
	gh_json_open(j, "inputs", '[');
	for (size_t i = 0; i < s->n_inputs; i++) {
		gh_json_open(j, NULL, '{');
		gh_json_text(j, "name", s->inputs[i].name);
		gh_json_number(j, "size", s->inputs[i].size);
		gh_json_text(j, "sha256", s->inputs[i].sha256);
		gh_json_shut(j, '}');
	}
	gh_json_shut(j, ']');
	gh_json_text(j, "device", s->device);
	gh_json_yes(j, "interrupted", s->interrupted);
	gh_json_number(j, "damaged", s->damaged);
	gh_json_shut(j, '}');
}

static void gate(struct gh_json *j, const struct gh_comparison *c)
{
	gh_json_open(j, "gate", '{');
	gh_json_text(j, "state", gh_str(c->gate));
	gh_json_text(j, "sentence", c->gate_sentence);
	gh_json_open(j, "facts", '[');
	for (size_t i = 0; i < c->n_facts; i++) {
		const struct gh_gate_fact *f = &c->facts[i];
		gh_json_open(j, NULL, '{');
		gh_json_text(j, "kind", f->kind);
		gh_json_text(j, "key", f->key);
		gh_json_text(j, "a", f->a);
		gh_json_text(j, "b", f->b);
		gh_json_text(j, "state", f->state);
		gh_json_shut(j, '}');
	}
	gh_json_shut(j, ']');
	gh_json_shut(j, '}');
}

/* Lists are arrays; single values are text. */
static void value(struct gh_json *j, const char *key, struct gh_str s)
{
	struct gh_str line;
	gh_json_open(j, key, '[');
	while (s.p && gh_str_line(&s, &line))
		gh_json_text(j, NULL, line);
	gh_json_shut(j, ']');
}

static void difference(struct gh_json *j, const struct gh_comparison *c, const struct gh_difference *d)
{
	gh_json_open(j, NULL, '{');
	gh_json_text(j, "group", gh_str(gh_group_name(d->group)));
	gh_json_text(j, "kind", d->kind);
	gh_json_text(j, "what", d->what);
	gh_json_text(j, "place", d->place);
	gh_json_text(j, "sha256_a", d->sha_a);
	gh_json_text(j, "sha256_b", d->sha_b);
	gh_json_yes(j, "of_unit", d->of_unit);
	gh_json_text(j, "note", d->note);
	if (d->files != GH_NULL)
		gh_json_number(j, "files", d->files);
	gh_json_open(j, "fields", '[');
	for (size_t i = 0; i < d->n; i++) {
		gh_json_open(j, NULL, '{');
		gh_json_text(j, "field", c->fields[d->first + i].name);
		value(j, "a", c->fields[d->first + i].a);
		value(j, "b", c->fields[d->first + i].b);
		gh_json_shut(j, '}');
	}
	gh_json_shut(j, ']');
	gh_json_shut(j, '}');
}

static void not_compared(struct gh_json *j, const struct gh_comparison *c)
{
	gh_json_open(j, "not_compared", '[');
	for (size_t i = 0; i < c->n_out; i++) {
		gh_json_open(j, NULL, '{');
		gh_json_text(j, "why", c->out[i].why);
		gh_json_text(j, "side", c->out[i].side);
		gh_json_text(j, "partition", c->out[i].image);
		gh_json_number(j, "places", c->out[i].n);
		gh_json_text(j, "example", c->out[i].example);
		gh_json_shut(j, '}');
	}
	gh_json_shut(j, ']');
}

static void counts(struct gh_json *j, const struct gh_comparison *c)
{
	gh_json_open(j, "counts", '{');
	gh_json_number(j, "both", c->both);
	gh_json_number(j, "equal", c->equal);
	gh_json_number(j, "with_attributes", c->with_attributes);
	gh_json_number(j, "changed", (int64_t)c->n_changed);
	gh_json_number(j, "only_a", (int64_t)c->n_only[0]);
	gh_json_number(j, "only_b", (int64_t)c->n_only[1]);
	gh_json_number(j, "partitions_on_one_side", (int64_t)c->n_partitions);
	gh_json_number(j, "of_unit", (int64_t)c->n_of_unit);
	gh_json_number(j, "unread", c->n_unread);
	gh_json_shut(j, '}');
}

void gh_compare_json(struct gh_comparison *c, const struct gh_compare_style *style, FILE *to)
{
	struct gh_json j = {.to = to, .arena = &c->arena};
	gh_json_open(&j, NULL, '{');
	gh_json_number(&j, "schema_version", 1);
	gh_json_text(&j, "kind", GH_STR("comparison"));
	gh_json_open(&j, "tool", '{');
	gh_json_text(&j, "name", GH_STR("gifthorse"));
	gh_json_text(&j, "version", GH_STR(GH_VERSION));
	gh_json_shut(&j, '}');
	side(&j, "a", &c->side[0]);
	side(&j, "b", &c->side[1]);
	gate(&j, c);
	gh_json_open(&j, "verdict", '{');
	gh_json_text(&j, "state", gh_str(c->verdict_state));
	gh_json_text(&j, "sentence", c->verdict);
	gh_json_shut(&j, '}');
	counts(&j, c);
	gh_json_open(&j, "differences", '[');
	for (size_t i = 0; i < c->n_diffs; i++)
		difference(&j, c, &c->diffs[i]);
	gh_json_shut(&j, ']');
	not_compared(&j, c);
	gh_json_open(&j, "exit", '{');
	gh_json_text(&j, "fail_on", gh_str(style->fail_on));
	gh_json_yes(&j, "incomplete", gh_compare_incomplete(c));
	gh_json_shut(&j, '}');
	gh_json_shut(&j, '}');
	putc('\n', to);
}
