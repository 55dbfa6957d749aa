/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse coverage: which bytes of the INPUTs belong to what. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/facts.h"
#include "report/report.h"

enum { INPUTS_MAX = 256 };

/* A facts database is known by its first bytes, whatever its name. */
static bool is_database(const char *path)
{
	char head[16] = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, head, sizeof head);
	if (fd >= 0)
		close(fd);
	return n == sizeof head && memcmp(head, "SQLite format 3", 16) == 0;
}

int gh_cmd_coverage(int argc, char **argv)
{
	struct gh_args args = {.argc = argc,
		.argv = argv,
		.i = 1,
		.usage = "coverage INPUT...|FACTS.db",
		.about = "A line a container: its size, and to what its bytes belong. Below: stretches that nothing "
			 "claims, with what they\n"
			 "begin like. The HTML report has the same as a picture.\n"
			 "Exit codes: 0 all bytes are claimed or padding; 1 some are claimed by nothing; 2 wrong use, "
			 "or "
			 "it cannot be read.\n"};
	const char *inputs[INPUTS_MAX];
	int n, early = gh_args_words(&args, inputs, INPUTS_MAX, &n);
	if (early >= 0)
		return early;
	if (!n) {
		gh_complain("name an input or a facts database: gifthorse coverage INPUT");
		return GH_EXIT_USAGE;
	}
	struct gh_err err = {0};
	int64_t scan = 0;
	bool strays = false;
	struct gh_db *db = n == 1 && is_database(inputs[0]) ? gh_facts_open(inputs[0], 0, &scan, &err)
							    : gh_scan_quiet(inputs, (size_t)n, NULL, &scan, &err);
	if (!db || gh_report_cover(db, scan, &strays, stdout, &err)) {
		gh_complain("%s", err.what);
		gh_db_close(db);
		return GH_EXIT_USAGE;
	}
	gh_db_close(db);
	if (!gh_stdout_done())
		return GH_EXIT_USAGE;
	return strays ? GH_EXIT_FINDINGS : GH_EXIT_OK;
}
