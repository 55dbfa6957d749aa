/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse compare: looks at two devices in one database, then tells what differs. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/facts.h"
#include "cli/looking.h"
#include "compare/compare.h"
#include "facts/import.h"

enum option { O_FORMAT, O_DB, O_JOBS, O_FAIL_ON, O_SPILL_DIR, O_PROGRESS, O_COLOR, O_SHUFFLE };

static const struct gh_option options[] = {
	{"--format", "-f", "FORM[=FILE]", "text, json or html; with =FILE into a file; may be given several times"},
	{"--db", NULL, "FACTS.db", "keep the facts of both here (a SQLite file); an existing one is continued"},
	{"--jobs", NULL, "N", "workers; as many as processors when not given"},
	{"--fail-on", NULL, "WHAT", "exit code 1 for any difference, for those unexplained, or never (any)"},
	{"--spill-dir", NULL, "DIR", "where packed streams are unpacked while they are read ($TMPDIR, else /var/tmp)"},
	{"--progress", NULL, "HOW", "auto, bar, plain or none"},
	{"--color", NULL, "WHEN", "auto, always or never (also NO_COLOR)"},
	{"--shuffle", NULL, "SEED", "hand out the work in another order; the result is the same"},
};

static const char about[] =
	"A and B are firmware packages, images, unpacked phones as folders, or the FACTS.db of an earlier scan.\n"
	"  A is what you take as the measure (the published build), B what you ask about (the unit).\n"
	"Exit codes: 0 equal in all that was compared; 1 differences; 2 wrong use, or a file cannot be read or\n"
	"  written; 3 equal as far as compared, but parts were damaged, unread or on one side only; 130 interrupted.\n";

struct compare {
	const char *input[2];
	size_t n;
	enum gh_fail_on on;
	bool facts[2];
	int64_t scan[2];
	struct gh_scan looking; /* of one side after the other; out and db_path are of both */
};

static bool fail_on(struct compare *c, const char *value)
{
	static const char *const words[] = {"any", "unexplained", "never"};
	for (int i = 0; i < 3; i++)
		if (strcmp(value, words[i]) == 0) {
			c->on = (enum gh_fail_on)i;
			c->looking.out.fail_on = words[i];
			return true;
		}
	gh_complain("--fail-on takes any, unexplained or never here, not %s", value);
	return false;
}

static bool set(struct compare *c, enum option o, const char *value)
{
	uint64_t n = 0;
	switch (o) {
	case O_FORMAT:
		if (strncmp(value, "integrity", strlen("integrity")) == 0) {
			gh_complain("-f takes text, json=FILE or html=FILE here, not %s", value);
			return false;
		}
		return gh_outputs_add(&c->looking.out, value);
	case O_DB:
		c->looking.db_path = value;
		return true;
	case O_JOBS:
		if (!gh_number_option(value, 1, 64, &n, "--jobs"))
			return false;
		c->looking.config.jobs = (unsigned)n;
		return true;
	case O_FAIL_ON:
		return fail_on(c, value);
	case O_SPILL_DIR:
		c->looking.config.spill_dir = value;
		return true;
	case O_PROGRESS:
		return gh_progress_choose(&c->looking.progress, value);
	case O_COLOR:
		return gh_outputs_color(&c->looking.out, value);
	case O_SHUFFLE:
		return gh_number_option(value, 0, INT64_MAX, &c->looking.config.shuffle, "--shuffle");
	}
	return false;
}

/* Is it a SQLite file? One that is no facts database is told as such when it is opened. */
static bool is_facts(const char *path)
{
	static const char magic[16] = "SQLite format 3";
	char head[16];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool yes =
		fd >= 0 && read(fd, head, sizeof head) == (ssize_t)sizeof head && memcmp(head, magic, sizeof head) == 0;
	if (fd >= 0)
		close(fd);
	return yes;
}

static bool check(struct compare *c)
{
	if (c->n < 2) {
		gh_complain("compare takes two: gifthorse compare PUBLISHED.zip UNIT (gifthorse compare --help)");
		return false;
	}
	if (!strcmp(c->input[0], "-") && !strcmp(c->input[1], "-")) {
		gh_complain("only one of both can be standard input");
		return false;
	}
	for (size_t i = 0; i < 2; i++) {
		if (strcmp(c->input[i], "-") && !gh_input_readable(c->input[i]))
			return false;
		c->facts[i] = strcmp(c->input[i], "-") && is_facts(c->input[i]);
	}
	if (c->looking.config.spill_dir && !gh_input_is_folder(c->looking.config.spill_dir)) {
		gh_complain("--spill-dir %s: there is no such folder; make it first", c->looking.config.spill_dir);
		return false;
	}
	return gh_outputs_check(&c->looking.out, c->looking.db_path, c->input, 2);
}

/* 0 to go on, else an exit code plus 1. */
static int parse(struct compare *c, int argc, char **argv)
{
	struct gh_args args = {argc, argv, 1, options, GH_COUNT(options), "compare A B [options]", false, about};
	const char *value;
	for (int o; (o = gh_args_next(&args, &value)) != -2;) {
		if (o == -3)
			return 1 + GH_EXIT_OK;
		if (o == -4 || (o >= 0 && !set(c, (enum option)o, value)))
			return 1 + GH_EXIT_USAGE;
		if (o == -1 && c->n == 2) {
			gh_complain("compare takes two, and %s is a third; put the images of one phone into one folder",
				value);
			return 1 + GH_EXIT_USAGE;
		}
		if (o == -1)
			c->input[c->n++] = value;
	}
	return check(c) ? 0 : 1 + GH_EXIT_USAGE;
}

/* ---- both sides into one database ---- */

static enum gh_code import(struct compare *c, size_t i, struct gh_err *err)
{
	int64_t scan;
	struct gh_db *from = gh_facts_open(c->input[i], 0, &scan, err);
	enum gh_code code = from ? gh_db_import(c->looking.db, from, scan, &c->scan[i], err) : err->code;
	gh_db_close(from);
	return code;
}

static enum gh_code look(struct compare *c, size_t i, struct gh_err *err)
{
	struct gh_scan *l = &c->looking;
	l->inputs[0] = c->input[i];
	l->n_inputs = 1;
	enum gh_code code = gh_scan_look(l, err);
	c->scan[i] = l->id;
	if (code && code != GH_END)
		return code;
	if (gh_scan_judge(l, err) || gh_db_end(l->db, code ? "interrupted" : "complete", err))
		return err->code;
	return code;
}

/* Facts that are there come first: what they know is not looked at again. GH_END: stopped by the user. */
static enum gh_code look_at_both(struct compare *c, struct gh_err *err)
{
	enum gh_code code = gh_scan_start(&c->looking, err);
	for (size_t i = 0; i < 2 && code == GH_OK; i++)
		if (c->facts[i])
			code = import(c, i, err);
	if (code == GH_OK) /* names of keys; where both are facts, nobody judges, and nobody else loads them */
		code = gh_db_knowledge(c->looking.db, err);
	if (code == GH_OK)
		code = gh_scan_known(&c->looking, err);
	for (size_t i = 0; i < 2 && code == GH_OK; i++)
		if (!c->facts[i])
			code = look(c, i, err);
	gh_engine_free(c->looking.engine);
	c->looking.engine = NULL;
	return code;
}

static enum gh_code write_form(
	void *what, const char *form, const struct gh_report_style *style, FILE *to, struct gh_err *err)
{
	struct gh_comparison *c = what;
	struct gh_compare_style s = {style->color, style->width, style->fail_on, style->html};
	if (strcmp(form, "html") == 0)
		return gh_compare_html(c, &s, to, err);
	if (strcmp(form, "json") == 0)
		gh_compare_json(c, &s, to);
	else
		gh_compare_text(c, &s, to);
	return GH_OK;
}

static int run(struct compare *c, struct gh_err *err)
{
	enum gh_code code = look_at_both(c, err);
	if (code == GH_END) {
		gh_complain("stopped before both were looked at; nothing was compared");
		*err = (struct gh_err){0};
		return GH_EXIT_INTERRUPTED;
	}
	if (code)
		return GH_EXIT_USAGE;
	struct gh_comparison result;
	int exit_code = GH_EXIT_USAGE;
	if (gh_compare(&result, c->looking.db, c->scan[0], c->scan[1], err) == GH_OK &&
		gh_outputs_forms(&c->looking.out, c->looking.db_path, write_form, &result, err))
		exit_code = gh_compare_found(&result, c->on) ? GH_EXIT_FINDINGS
			    : gh_compare_incomplete(&result) ? GH_EXIT_INCOMPLETE
							     : GH_EXIT_OK;
	gh_compare_done(&result);
	return exit_code;
}

int gh_cmd_compare(int argc, char **argv)
{
	static struct compare c;
	struct gh_err err = {0};
	gh_outputs_init(&c.looking.out);
	c.looking.out.fail_on = "any";
	int early = parse(&c, argc, argv);
	if (early)
		return early - 1;
	int exit_code = run(&c, &err);
	if (exit_code == GH_EXIT_USAGE && err.code)
		gh_complain("%s", err.what);
	gh_engine_free(c.looking.engine);
	gh_db_close(c.looking.db);
	return exit_code;
}
