/* SPDX-License-Identifier: Apache-2.0 */
/* The first screen of a comparison: at most 24 lines. */
#include <string.h>

#include "base/num.h"
#include "compare/compare.h"
#include "report/model.h"
#include "report/screen.h"

enum { PLACES_MAX = 3 /* of a group, where lines are not wrapped */ };

static const char bold[] = "\033[1m";

static void put_inputs(struct gh_screen *t, struct gh_comparison *c)
{
	struct gh_arena *z = t->arena;
	struct gh_str s = GH_STR("gifthorse " GH_VERSION " compare:");
	for (unsigned i = 0; i < 2; i++) {
		const struct gh_side *side = &c->side[i];
		s = gh_str_fmt(z, "%.*s%s %c", (int)s.n, s.p, i ? ";" : "", "AB"[i]);
		for (size_t k = 0; k < side->n_inputs && k < 2; k++) {
			const struct gh_compared_input *in = &side->inputs[k];
			struct gh_str name = gh_shown(z, in->name), size = gh_size(z, in->size);
			s = gh_str_fmt(z, "%.*s%s %.*s", (int)s.n, s.p, k ? "," : "", (int)name.n, name.p);
			if (in->sha256.p)
				s = gh_str_fmt(z, "%.*s (%.*s, SHA-256 %.16s…)", (int)s.n, s.p, (int)size.n, size.p,
					in->sha256.p);
		}
		if (side->n_inputs > 2)
			s = gh_str_fmt(z, "%.*s and %zu more", (int)s.n, s.p, side->n_inputs - 2);
	}
	gh_screen_put(t, s, 0, 2, NULL);
}

static void put_group(struct gh_screen *t, struct gh_comparison *c, unsigned group)
{
	struct gh_arena *z = t->arena;
	size_t n = 0;
	struct gh_str s = GH_STR("");
	for (size_t i = 0; i < c->n_diffs; i++) {
		const struct gh_difference *d = &c->diffs[i];
		if (d->group != group || n++ >= (t->width ? 1 : PLACES_MAX))
			continue;
		struct gh_str place = gh_shown(z, d->place), words = gh_difference_words(c, d);
		s = gh_str_fmt(z, "%.*s%s%.*s [%.*s]", (int)s.n, s.p, s.n ? "; " : "", (int)place.n, place.p,
			(int)words.n, words.p);
	}
	size_t seen = gh_min(n, t->width ? 1 : PLACES_MAX);
	if (!n)
		return;
	if (n > seen)
		s = gh_str_fmt(z, "%.*s; %zu more", (int)s.n, s.p, n - seen);
	gh_screen_put(t, gh_str_fmt(z, "%s (%zu): %.*s", gh_group_name(group), n, (int)s.n, s.p), 0, 2, NULL);
}

static void put_compared(struct gh_screen *t, struct gh_comparison *c)
{
	struct gh_arena *z = t->arena;
	struct gh_str both = gh_number(z, c->both), equal = gh_number(z, c->equal),
		      owners = gh_number(z, c->with_attributes);
	int64_t attributes = 0, beside = 0;
	for (size_t i = 0; i < c->n_out; i++) {
		if (gh_str_starts(c->out[i].why, "mode, owner") || gh_str_starts(c->out[i].why, "label and"))
			attributes += c->out[i].n;
		else
			beside += c->out[i].n;
	}
	struct gh_str s =
		gh_str_fmt(z, "Compared: %.*s places of both, %.*s of them equal; %.*s with mode, owner and label.",
			(int)both.n, both.p, (int)equal.n, equal.p, (int)owners.n, owners.p);
	if (attributes || beside) {
		struct gh_str a = gh_number(z, attributes), b = gh_number(z, beside);
		s = gh_str_fmt(z, "%.*s Not compared: mode, owner or label of %.*s; %.*s other places.", (int)s.n, s.p,
			(int)a.n, a.p, (int)b.n, b.p);
	}
	gh_screen_put(t, s, 0, 2, NULL);
}

static void put_rest(struct gh_screen *t, struct gh_comparison *c, const struct gh_compare_style *style)
{
	struct gh_arena *z = t->arena;
	struct gh_str changed = gh_number(z, (int64_t)c->n_changed), a = gh_number(z, (int64_t)c->n_only[0]),
		      b = gh_number(z, (int64_t)c->n_only[1]);
	gh_screen_put(t,
		gh_str_fmt(z, "In all: %.*s changed, %.*s only in A, %.*s only in B.", (int)changed.n, changed.p,
			(int)a.n, a.p, (int)b.n, b.p),
		0, 2, NULL);
	const char *html = style->html ? gh_shown(z, gh_str(style->html)).p : NULL;
	gh_screen_put(t,
		html ? gh_str_fmt(z, "All of it: %s", html)
		     : GH_STR("All of it: gifthorse compare A B -f html=compare.html"),
		0, 2, NULL);
}

void gh_compare_text(struct gh_comparison *c, const struct gh_compare_style *style, FILE *to)
{
	struct gh_screen tail = {.arena = &c->arena, .width = style->width, .max = GH_SCREEN_LINES / 2};
	struct gh_screen t = {.arena = &c->arena, .width = style->width, .color = style->color};
	put_rest(&tail, c, style);
	t.max = GH_SCREEN_LINES - tail.n;
	put_inputs(&t, c);
	gh_screen_put(&t, c->gate_sentence, 0, 2, NULL);
	gh_screen_put(&t, GH_STR(""), 0, 0, NULL);
	size_t from = t.n;
	gh_screen_put(&t, c->verdict, 0, 0, NULL);
	for (size_t i = from; i < t.n; i++) {
		t.paint[i] = bold;
		t.whole[i] = true;
	}
	put_compared(&t, c);
	if (c->n_diffs)
		gh_screen_put(&t, GH_STR(""), 0, 0, NULL);
	for (unsigned g = 1; g < GH_GROUPS; g++)
		put_group(&t, c, g);
	for (size_t i = 0; i < tail.n && t.n < GH_SCREEN_LINES; i++)
		t.line[t.n++] = tail.line[i];
	gh_screen_print(&t, to);
}
