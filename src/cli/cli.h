/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one function a sub-command. Each gets its own arguments (argv[0] is its name) and returns an exit code. */
#ifndef GH_CLI_CLI_H
#define GH_CLI_CLI_H

#include "base/err.h"
#include "base/str.h"

enum gh_exit {
	GH_EXIT_OK = 0, /* nothing at or above --fail-on */
	GH_EXIT_FINDINGS = 1, /* findings at or above --fail-on; wins over 3 */
	GH_EXIT_USAGE = 2, /* usage, or a file that cannot be read or written */
	GH_EXIT_INCOMPLETE =
		3, /* bytes of a format we read were damaged, missing, over a limit, or their reader stopped; or no check could be made at all */
	GH_EXIT_INTERRUPTED = 130,
};

int gh_cmd_scan(int argc, char **argv);
int gh_cmd_watch(int argc, char **argv);
int gh_cmd_traffic(int argc, char **argv);
int gh_cmd_phone(int argc, char **argv);
int gh_cmd_compare(int argc, char **argv);
int gh_cmd_reference(int argc, char **argv);
int gh_cmd_ls(int argc, char **argv);
int gh_cmd_cat(int argc, char **argv);
int gh_cmd_dex(int argc, char **argv);
int gh_cmd_methods(int argc, char **argv);
int gh_cmd_callers(int argc, char **argv);
int gh_cmd_identify(int argc, char **argv);
int gh_cmd_coverage(int argc, char **argv);
int gh_cmd_unpack(int argc, char **argv);
int gh_cmd_report(int argc, char **argv);
int gh_cmd_query(int argc, char **argv);
int gh_cmd_rules(int argc, char **argv);
int gh_cmd_explain(int argc, char **argv);

/* One option of a command, for parsing and for --help. */
struct gh_option {
	const char *name; /* "--db" */
	const char *brief; /* "-f" or NULL */
	const char *arg; /* "FILE", or NULL for a switch */
	const char *help;
};

struct gh_args {
	int argc;
	char **argv;
	int i;
	const struct gh_option *options;
	size_t n_options;
	const char *usage; /* first line of --help, without the program's name */
	bool only_inputs; /* after -- */
	const char *about; /* what stands below the options in --help, or NULL */
};

/* The next argument: the number of an option (its value in *ret_value), -1 for an INPUT (in *ret_value), -2 at the end, -3 when it
 * was --help (printed) and -4 when it was wrong (told, with the next step). */
int gh_args_next(struct gh_args *args, const char **ret_value);

/* Letters to change, add or leave out to make b of a, without regard to case (Levenshtein). */
unsigned gh_distance(struct gh_str a, struct gh_str b);

/* Looks for the candidate that a misspelt word was meant to be: call for each; best.p stays NULL where none is near. */
struct gh_nearest {
	struct gh_str word, best;
	unsigned best_distance;
};
void gh_nearest(struct gh_nearest *n, struct gh_str candidate);

/* For commands that take words and no options but --help: at most max of them. -1 to go on (*ret_n words), else an exit code. */
int gh_args_words(struct gh_args *args, const char **words, int max, int *ret_n);

/* Writes out what is left of standard output; false, and a word on stderr, when not all of it could be written. */
bool gh_stdout_done(void);

/* Exit codes in words, for gh_args.about. */
extern const char gh_exit_words[];

/* Prints "gifthorse: …" on stderr. */
void gh_complain(const char *fmt, ...) GH_PRINTF(1, 2);

#endif
