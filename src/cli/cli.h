/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one function a sub-command. Each gets its own arguments (argv[0] is its name) and returns an exit code. */
#ifndef GH_CLI_CLI_H
#define GH_CLI_CLI_H

#include "base/err.h"

enum gh_exit {
	GH_EXIT_OK = 0, /* nothing at or above --fail-on */
	GH_EXIT_FINDINGS = 1, /* findings at or above --fail-on; wins over 3 */
	GH_EXIT_USAGE = 2, /* usage, or a file that cannot be read or written */
	GH_EXIT_INCOMPLETE =
		3, /* bytes of a format we read were damaged, missing, over a limit, or their reader stopped */
	GH_EXIT_INTERRUPTED = 130,
};

int gh_cmd_scan(int argc, char **argv);
int gh_cmd_traffic(int argc, char **argv);
int gh_cmd_ls(int argc, char **argv);
int gh_cmd_cat(int argc, char **argv);
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
};

/* The next argument: the number of an option (its value in *ret_value), -1 for an INPUT (in *ret_value), -2 at the end, -3 when it
 * was --help (printed) and -4 when it was wrong (told, with the next step). */
int gh_args_next(struct gh_args *args, const char **ret_value);

/* Prints "gifthorse: …" on stderr. */
void gh_complain(const char *fmt, ...) GH_PRINTF(1, 2);

#endif
