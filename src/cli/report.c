/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse report: the findings of a scan again, from its facts alone. */
#include "base/num.h"
#include "cli/cli.h"
#include "cli/facts.h"
#include "cli/output.h"

enum option { O_SCAN, O_FORMAT, O_FAIL_ON, O_COLOR, O_REDACT };

static const struct gh_option options[] = {
	{"--scan", NULL, "N", "a scan other than the newest in this database"},
	{"--format", "-f", "FORM[=FILE]", "text, json or html; with =FILE into a file; may be given several times"},
	{"--fail-on", NULL, "LEVEL", "exit code 1 from this severity on: critical high medium low info never (high)"},
	{"--color", NULL, "WHEN", "auto, always or never (also NO_COLOR)"},
	{"--redact", NULL, NULL, "for sharing: serials, IMEI, SSIDs, accounts, MACs, names of inputs replaced"},
};

struct report {
	struct gh_outputs out;
	const char *path;
	int64_t scan;
};

static bool set(struct report *r, enum option o, const char *value)
{
	switch (o) {
	case O_SCAN:
		return gh_facts_scan(value, &r->scan);
	case O_FORMAT:
		return gh_outputs_add(&r->out, value);
	case O_FAIL_ON:
		return gh_outputs_fail_on(&r->out, value);
	case O_COLOR:
		return gh_outputs_color(&r->out, value);
	case O_REDACT:
		return r->out.redact = true;
	}
	return false;
}

/* 0 to go on, else an exit code plus 1. */
static int parse(struct report *r, int argc, char **argv)
{
	struct gh_args args = {
		argc, argv, 1, options, GH_COUNT(options), "report FACTS.db [options]", false, gh_exit_words};
	const char *value;
	for (int o; (o = gh_args_next(&args, &value)) != -2;) {
		if (o == -3)
			return 1 + GH_EXIT_OK;
		if (o == -4 || (o >= 0 && !set(r, (enum option)o, value)))
			return 1 + GH_EXIT_USAGE;
		if (o == -1 && r->path) {
			gh_complain("report takes one facts database");
			return 1 + GH_EXIT_USAGE;
		}
		if (o == -1)
			r->path = value;
	}
	if (r->path)
		return gh_outputs_check(&r->out, NULL, &r->path, 1) ? 0 : 1 + GH_EXIT_USAGE;
	gh_complain(
		"name the facts database: gifthorse report FACTS.db (gifthorse scan INPUT --db FACTS.db writes one)");
	return 1 + GH_EXIT_USAGE;
}

int gh_cmd_report(int argc, char **argv)
{
	struct report r = {0};
	struct gh_err err = {0};
	gh_outputs_init(&r.out);
	int early = parse(&r, argc, argv);
	if (early)
		return early - 1;
	int64_t scan;
	struct gh_db *db = gh_facts_open(r.path, r.scan, &scan, &err);
	int exit_code = db ? gh_outputs_write(&r.out, db, scan, r.path, &err) : GH_EXIT_USAGE;
	if (exit_code == GH_EXIT_USAGE && err.code)
		gh_complain("%s", err.what);
	gh_db_close(db);
	return exit_code;
}
