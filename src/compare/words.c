/* SPDX-License-Identifier: Apache-2.0 */
/* The sentences of a comparison. A difference is told as what is so; whose fault it is, and whether it is one, is not in the bytes. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "compare/compare.h"
#include "report/model.h"

const char *gh_group_name(unsigned group)
{
	static const char *const names[GH_GROUPS] = {"", "Code that every app loads",
		"Programs with rights of their own", "Privileged apps", "Start-up and boot images",
		"Keys, certificates and names that are trusted", "Permissions that are given", "Properties",
		"Programs and libraries", "Other apps", "Firmware partitions", "Partitions that only one side has",
		"Other files", "Differs between honest units too"};
	return names[group < GH_GROUPS ? group : GH_GROUPS - 2];
}

struct gh_str gh_difference_words(struct gh_comparison *c, const struct gh_difference *d)
{
	if (gh_str_is(d->kind, "only_a"))
		return GH_STR("only in A");
	if (gh_str_is(d->kind, "only_b"))
		return GH_STR("only in B");
	struct gh_str s = GH_STR("");
	bool more = false; /* what a change of content amounts to says more than the word */
	for (size_t i = 0; i < d->n; i++)
		more |= i && gh_str_is(c->fields[d->first].name, "content");
	for (size_t i = more; i < d->n; i++)
		s = gh_str_fmt(&c->arena, "%.*s%s%.*s", (int)s.n, s.p, s.n ? ", " : "",
			(int)c->fields[d->first + i].name.n, c->fields[d->first + i].name.p);
	return s;
}

/* ---- the gate ---- */

static size_t facts_in(const struct gh_comparison *c, const char *state)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n_facts; i++)
		n += gh_str_is(c->facts[i].state, state) && !gh_str_is(c->facts[i].kind, "verified boot");
	return n;
}

static struct gh_str shown(struct gh_comparison *c, struct gh_str s)
{
	return gh_shown(&c->arena, s);
}

/* The first fact that differs, and how many more. */
static struct gh_str first_difference(struct gh_comparison *c)
{
	size_t n = facts_in(c, "differs");
	for (size_t i = 0; i < c->n_facts; i++) {
		const struct gh_gate_fact *f = &c->facts[i];
		if (!gh_str_is(f->state, "differs") || gh_str_is(f->kind, "verified boot"))
			continue;
		struct gh_str key = shown(c, f->key), a = shown(c, f->a), b = shown(c, f->b);
		struct gh_str more = n > 1 ? gh_str_fmt(&c->arena, ", and %zu more", n - 1) : GH_STR("");
		return gh_str_fmt(&c->arena, "%.*s is %.*s in A and %.*s in B%.*s", (int)key.n, key.p, (int)a.n, a.p,
			(int)b.n, b.p, (int)more.n, more.p);
	}
	return GH_STR("");
}

static bool vouched_differs(const struct gh_comparison *c)
{
	for (size_t i = 0; i < c->n_facts; i++)
		if (gh_str_is(c->facts[i].kind, "verified boot") && gh_str_is(c->facts[i].state, "differs"))
			return true;
	return false;
}

static void gate_words(struct gh_comparison *c)
{
	struct gh_str first = first_difference(c);
	size_t same = facts_in(c, "same");
	const char *vouched = vouched_differs(c) ? " What verified boot vouches for is not the same." : "";
	if (strcmp(c->gate, "same") == 0)
		c->gate_sentence = gh_str_fmt(&c->arena,
			"Same build, by their own word: all %zu names of build, patch level, date and product that "
			"both give "
			"agree.%s",
			same, vouched);
	else if (strcmp(c->gate, "different") == 0)
		c->gate_sentence = gh_str_fmt(
			&c->arena, "Different build, cannot judge the unit by it: %.*s.", (int)first.n, first.p);
	else if (strcmp(c->gate, "contradicts") == 0)
		c->gate_sentence = gh_str_fmt(&c->arena,
			"Cannot tell whether it is the same build: %.*s; %zu other names agree.%s", (int)first.n,
			first.p, same, vouched);
	else
		c->gate_sentence =
			GH_STR("Cannot tell whether it is the same build: A and B have no name of a build in common.");
}

/* ---- the verdict ---- */

static struct gh_str count(struct gh_comparison *c, size_t n, const char *one, const char *many)
{
	struct gh_str s = gh_number(&c->arena, (int64_t)n);
	return gh_str_fmt(&c->arena, "%.*s %s", (int)s.n, s.p, n == 1 ? one : many);
}

static struct gh_str listed(struct gh_comparison *c)
{
	enum { SEEN = 3 };
	struct gh_str s = GH_STR("");
	size_t n = 0;
	for (size_t i = 0; i < c->n_diffs; i++) {
		const struct gh_difference *d = &c->diffs[i];
		if (d->of_unit || (gh_str_is(d->what, "partition") && !gh_str_is(d->kind, "changed")) || n++ >= SEEN)
			continue;
		struct gh_str place = shown(c, d->place);
		s = gh_str_fmt(&c->arena, "%.*s%s%.*s", (int)s.n, s.p, s.n ? ", " : "", (int)place.n, place.p);
	}
	return n > SEEN ? gh_str_fmt(&c->arena, "%.*s and %zu more", (int)s.n, s.p, n - SEEN) : s;
}

static struct gh_str asides(struct gh_comparison *c)
{
	struct gh_str s = GH_STR("");
	if (c->n_of_unit) {
		struct gh_str n = count(c, c->n_of_unit, "place differs", "places differ");
		s = gh_str_fmt(&c->arena, " %.*s that differ between honest units too.", (int)n.n, n.p);
	}
	if (c->n_partitions) {
		struct gh_str n = count(c, c->n_partitions, "partition lies", "partitions lie");
		s = gh_str_fmt(&c->arena, "%.*s %.*s on one side only and could not be compared.", (int)s.n, s.p,
			(int)n.n, n.p);
	}
	if (c->side[0].damaged || c->side[1].damaged)
		s = gh_str_fmt(&c->arena, "%.*s Parts of %s could not be read to their end.", (int)s.n, s.p,
			!c->side[1].damaged   ? "A"
			: !c->side[0].damaged ? "B"
					      : "A and of B");
	if (c->n_unread) {
		struct gh_str n = count(c, (size_t)c->n_unread, "place", "places");
		s = gh_str_fmt(&c->arena, "%.*s %.*s could not be read on one side and %s not compared.", (int)s.n, s.p,
			(int)n.n, n.p, c->n_unread == 1 ? "was" : "were");
	}
	return s;
}

static struct gh_str main_sentence(struct gh_comparison *c)
{
	size_t n = c->n_changed + c->n_only[0] + c->n_only[1];
	struct gh_str list = listed(c), these = count(c, n, "place differs", "places differ");
	bool other = strcmp(c->gate, "different") == 0;
	if (!c->both && !n) {
		c->verdict_state = "nothing";
		return GH_STR("A and B hold nothing in common that could be compared.");
	}
	if (!n) {
		c->verdict_state = gh_compare_incomplete(c) ? "equal_as_far" : "equal";
		return GH_STR("B equals what you gave as A in all that both hold and that was compared.");
	}
	c->verdict_state = other ? "different_build" : "differences";
	if (other)
		return gh_str_fmt(&c->arena,
			"A and B are two builds, and neither can judge the other: that they differ is to be expected, "
			"and says "
			"nothing about the unit. Between them %.*s.",
			(int)these.n, these.p);
	return gh_str_fmt(&c->arena, "B equals what you gave as A in all that both hold, but for this: %.*s (%.*s).",
		(int)these.n, these.p, (int)list.n, list.p);
}

void gh_compare_words(struct gh_comparison *c)
{
	gate_words(c);
	struct gh_str s = main_sentence(c), more = asides(c);
	c->verdict = gh_str_fmt(&c->arena, "%.*s%.*s Whether A is what the maker published was not checked.", (int)s.n,
		s.p, (int)more.n, more.p);
	if (c->side[0].interrupted || c->side[1].interrupted)
		c->verdict =
			gh_str_fmt(&c->arena, "A scan was interrupted; this holds for what was read until then. %.*s",
				(int)c->verdict.n, c->verdict.p);
}
