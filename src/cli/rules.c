/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse rules: the list. gifthorse explain RULE: the whole page of one. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "report/wrap.h"
#include "rules/rules.h"

enum { NEAREST = 3, ID_MAX = 32 };

static unsigned width(void)
{
	struct winsize ws = {0};
	return isatty(1) && ioctl(1, TIOCGWINSZ, &ws) == 0 && ws.ws_col >= 40 ? ws.ws_col : 0;
}

/* Paragraphs wrapped to the width behind a label; one line each when piped. */
static void put(const char *label, struct gh_str s)
{
	unsigned w = width(), room = w ? w - 13 : 0;
	struct gh_str paragraph;
	while (gh_str_line(&s, &paragraph)) {
		do {
			size_t n = room ? gh_fit(paragraph, room) : paragraph.n;
			printf("%-12s %.*s\n", label, (int)gh_str_trim(gh_strn(paragraph.p, n)).n, paragraph.p);
			paragraph = gh_strn(paragraph.p + n, paragraph.n - n);
			label = "";
		} while (paragraph.n);
	}
}

static int parse(int argc, char **argv, const struct gh_option *options, size_t n, const char *usage, bool *ret_switch,
	const char **ret_word)
{
	struct gh_args args = {argc, argv, 1, options, n, usage, false, NULL};
	const char *value;
	for (int o; (o = gh_args_next(&args, &value)) != -2;) {
		if (o == -3)
			return 1 + GH_EXIT_OK;
		if (o == -4)
			return 1 + GH_EXIT_USAGE;
		if (o >= 0) {
			*ret_switch = true;
			continue;
		}
		if (!ret_word || *ret_word) {
			gh_complain("%s is one word too many: gifthorse %s", value, usage);
			return 1 + GH_EXIT_USAGE;
		}
		*ret_word = value;
	}
	return 0;
}

int gh_cmd_rules(int argc, char **argv)
{
	static const struct gh_option options[] = {
		{"--long", NULL, NULL, "also what each needs and the case it is drawn from"}};
	bool more = false;
	int early = parse(argc, argv, options, GH_COUNT(options), "rules [--long]", &more, NULL);
	if (early)
		return early - 1;
	struct gh_arena arena;
	struct gh_err err = {0};
	const struct gh_rule *r;
	size_t n;
	gh_arena_init(&arena, 0);
	if (gh_rules_load(&arena, &r, &n, &err)) {
		gh_complain("%s", err.what);
		n = 0;
	}
	for (size_t i = 0; i < n; i++) {
		printf("%.*s  %-8.*s  %-10.*s  %.*s\n", (int)r[i].id.n, r[i].id.p, (int)r[i].severity.n,
			r[i].severity.p, (int)r[i].axis.n, r[i].axis.p, (int)r[i].title.n, r[i].title.p);
		if (more) {
			put("        needs", r[i].needs);
			put("        case", r[i].cases);
		}
	}
	gh_arena_done(&arena);
	return err.code || !gh_stdout_done() ? GH_EXIT_USAGE : GH_EXIT_OK;
}

static void tell_nearest(const struct gh_rule *rules, size_t n, struct gh_str word)
{
	char names[NEAREST * (ID_MAX + 2) + 1] = "";
	size_t o = 0, told = 0;
	for (unsigned d = 0; d <= ID_MAX && told < NEAREST; d++)
		for (size_t i = 0; i < n && told < NEAREST; i++)
			if (gh_distance(rules[i].id, word) == d)
				o += (size_t)snprintf(names + o, sizeof names - o, "%s%.*s", told++ ? ", " : "",
					(int)gh_min(rules[i].id.n, ID_MAX), rules[i].id.p);
	gh_complain("there is no rule %.*s; near it: %s (gifthorse rules lists all)", (int)word.n, word.p, names);
}

static void explain(const struct gh_rule *r)
{
	printf("%.*s: %.*s\n\n", (int)r->id.n, r->id.p, (int)r->title.n, r->title.p);
	put("severity", r->severity);
	put("axis", r->axis);
	put("certainty", r->certainty);
	put("witness", r->witness);
	put("needs", r->needs);
	put("case", r->cases);
	putchar('\n');
	put("what it is", r->explain);
	putchar('\n');
	put("looks alike", r->lookalike);
	putchar('\n');
	put("by hand", r->verify);
	putchar('\n');
	put("what to do", r->next);
}

int gh_cmd_explain(int argc, char **argv)
{
	const char *word = NULL;
	bool unused;
	int early = parse(argc, argv, NULL, 0, "explain RULE", &unused, &word);
	if (early)
		return early - 1;
	if (!word) {
		gh_complain("name a rule, as: gifthorse explain GH-N01 (gifthorse rules lists all)");
		return GH_EXIT_USAGE;
	}
	struct gh_arena arena;
	struct gh_err err = {0};
	const struct gh_rule *rules, *found = NULL;
	size_t n;
	gh_arena_init(&arena, 0);
	if (gh_rules_load(&arena, &rules, &n, &err)) {
		gh_complain("%s", err.what);
	} else {
		for (size_t i = 0; i < n && !found; i++)
			if (rules[i].id.n == strlen(word) && strncasecmp(rules[i].id.p, word, rules[i].id.n) == 0)
				found = &rules[i];
		if (found)
			explain(found);
		else
			tell_nearest(rules, n, gh_str(word));
	}
	gh_arena_done(&arena);
	return found && gh_stdout_done() ? GH_EXIT_OK : GH_EXIT_USAGE;
}
