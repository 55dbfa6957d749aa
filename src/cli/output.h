/* SPDX-License-Identifier: Apache-2.0 */
/* What commands share on their way out: the forms of a report, exit codes, progress. */
#ifndef GH_CLI_OUTPUT_H
#define GH_CLI_OUTPUT_H

#include "report/report.h"

enum { GH_OUTPUTS_MAX = 16 };

struct gh_output {
	const char *form; /* text integrity json html */
	const char *file; /* NULL: standard output */
};

struct gh_outputs {
	struct gh_output list[GH_OUTPUTS_MAX];
	size_t n;
	const char *fail_on;
	bool redact;
	int color; /* -1 auto, 0, 1 */
};

void gh_outputs_init(struct gh_outputs *out);
/* Each tells what is wrong and returns false. */
bool gh_outputs_add(struct gh_outputs *out, const char *value);
bool gh_outputs_fail_on(struct gh_outputs *out, const char *value);
bool gh_outputs_color(struct gh_outputs *out, const char *value);
/* Before any work: can every file be written, is none named twice, and is none of them (or `db`, which may be NULL) one of the
 * inputs or inside of one? Evidence is never written over. Tells what is wrong and returns false. */
bool gh_outputs_check(const struct gh_outputs *out, const char *db, const char *const *inputs, size_t n_inputs);
/* Writes all forms (files through a temporary name) and returns the exit code; text to standard output when nothing else goes there. */
int gh_outputs_write(struct gh_outputs *out, struct gh_db *db, int64_t scan, const char *db_path, struct gh_err *err);

struct gh_progress {
	int how; /* 0 auto, 1 bar, 2 plain, 3 none */
	int64_t last;
	bool shown;
};

bool gh_progress_choose(struct gh_progress *p, const char *value);
void gh_progress_show(struct gh_progress *p, const char *what, uint64_t done, uint64_t known);
/* Wipes the bar. */
void gh_progress_end(struct gh_progress *p);

#endif
