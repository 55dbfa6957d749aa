/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments: one table of options a command, for parsing and for help alike. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

void gh_complain(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("gifthorse: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

const char gh_exit_words[] =
	"Exit codes: 0 nothing found from --fail-on upwards and nothing that is read was damaged; 1 found something;\n"
	"  2 wrong use, or a file cannot be read or written; 3 incomplete: damaged, missing, over a limit,\n"
	"  or none of the checks could be made; 130 "
	"interrupted.\n"
	"  0 does not say that everything was looked at: the report tells what was not.\n";

bool gh_stdout_done(void)
{
	if (!ferror(stdout) && !fflush(stdout))
		return true;
	gh_complain("standard output cannot be written; is the place it goes to full?");
	return false;
}

static void help(const struct gh_args *a)
{
	printf("use: gifthorse %s\n", a->usage);
	for (size_t i = 0; i < a->n_options; i++) {
		const struct gh_option *o = &a->options[i];
		char left[64];
		snprintf(left, sizeof left, "%s%s%s%s%s", o->brief ? o->brief : "", o->brief ? ", " : "", o->name,
			o->arg ? " " : "", o->arg ? o->arg : "");
		printf("  %-28s %s\n", left, o->help);
	}
	printf("  %-28s %s\n", "--help", "this text");
	if (a->about)
		printf("\n%s", a->about);
}

static bool is_option(const struct gh_option *o, const char *word, size_t n)
{
	return (strlen(o->name) == n && strncmp(o->name, word, n) == 0) ||
	       (o->brief && strlen(o->brief) == n && strncmp(o->brief, word, n) == 0);
}

static int unknown(const struct gh_args *a, const char *word)
{
	struct gh_nearest near = {.word = gh_strn(word, strcspn(word, "="))};
	for (size_t i = 0; i < a->n_options; i++)
		gh_nearest(&near, gh_str(a->options[i].name));
	int command = (int)strcspn(a->usage, " ");
	if (near.best.p)
		gh_complain("there is no option %s here; did you mean %.*s? (gifthorse %.*s --help lists all)", word,
			(int)near.best.n, near.best.p, command, a->usage);
	else
		gh_complain("there is no option %s here; gifthorse %.*s --help lists them", word, command, a->usage);
	return -4;
}

int gh_args_next(struct gh_args *a, const char **ret_value)
{
	if (a->i >= a->argc)
		return -2;
	const char *word = a->argv[a->i++];
	*ret_value = word;
	if (a->only_inputs || word[0] != '-' || !word[1])
		return -1;
	if (strcmp(word, "--") == 0) {
		a->only_inputs = true;
		return gh_args_next(a, ret_value);
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		help(a);
		return -3;
	}
	size_t n = strcspn(word, "=");
	for (size_t i = 0; i < a->n_options; i++) {
		const struct gh_option *o = &a->options[i];
		if (!is_option(o, word, n))
			continue;
		if (!o->arg)
			return word[n] ? unknown(a, word) : (int)i;
		if (word[n]) {
			*ret_value = word + n + 1;
			return (int)i;
		}
		if (a->i >= a->argc) {
			gh_complain("%s needs a value: %s %s", word, word, o->arg);
			return -4;
		}
		*ret_value = a->argv[a->i++];
		return (int)i;
	}
	return unknown(a, word);
}

int gh_args_words(struct gh_args *a, const char **words, int max, int *ret_n)
{
	const char *value;
	*ret_n = 0;
	for (int o; (o = gh_args_next(a, &value)) != -2;) {
		if (o == -3)
			return GH_EXIT_OK;
		if (o == -1 && *ret_n == max)
			gh_complain("%s is one word too many; use: gifthorse %s", value, a->usage);
		if (o == -4 || *ret_n == max)
			return GH_EXIT_USAGE;
		words[(*ret_n)++] = value;
	}
	return -1;
}
