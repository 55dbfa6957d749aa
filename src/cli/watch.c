/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse watch: is what it recorded of its wearer's heart true? */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/looking.h"
#include "cli/maker.h"

enum option {
	O_AGAINST,
	O_APP,
	O_PACKAGE,
	O_CAPTURE,
	O_HR_HANDLE,
	O_PLAN,
	O_FORMAT,
	O_DB,
	O_JOBS,
	O_FAIL_ON,
	O_PROGRESS,
	O_COLOR,
	O_REDACT
};

static const struct gh_option options[] = {
	{"--against", NULL, "REFERENCE",
		"a recording of the same time by another sensor (a chest strap); may be given several times"},
	{"--app", NULL, "APP.apk", "the watch's companion app, or the FACTS.db of its scan: does it need its maker?"},
	{"--package", NULL, "NAME", "which app it is, where --app names facts of several"},
	{"--capture", NULL, "[ACT=]FILE",
		"the phone's traffic while the watch was set up (setup=FILE), read out (data=), reset (reset=): a "
		"capture, or "
		"the FACTS.db of gifthorse traffic; may be given several times"},
	{"--hr-handle", NULL, "HANDLE",
		"the attribute of heart rate in a Bluetooth log that does not show its discovery (as 0x2a)"},
	{"--plan", NULL, NULL, "print a test of one week, and what each part of it shows"},
	{"--format", "-f", "FORM[=FILE]", "text, json or html; with =FILE into a file; may be given several times"},
	{"--db", NULL, "FACTS.db", "keep the facts here (a SQLite file)"},
	{"--jobs", NULL, "N", "workers; as many as processors when not given"},
	{"--fail-on", NULL, "LEVEL", "exit code 1 from this severity on: critical high medium low info never (high)"},
	{"--progress", NULL, "HOW", "auto, bar, plain or none"},
	{"--color", NULL, "WHEN", "auto, always or never (also NO_COLOR)"},
	{"--redact", NULL, NULL, "for sharing: names of inputs and what tells of a person are replaced in reports"},
};

struct watch {
	struct gh_scan scan;
	bool reference[GH_INPUTS_MAX];
	bool plan;
	struct gh_maker maker;
};

static const char plan_text[] =
	"A week with the watch, within the time in which it can be given back\n"
	"\n"
	"Wear a chest strap beside it and record both each time (strap: any app or a second watch; the watch: its own "
	"activity).\n"
	"Set both clocks before, begin and end both together. Then: gifthorse watch WATCH.fit --against STRAP.fit -f "
	"html=day1.html\n"
	"\n"
	"Day 1  Rest      10 minutes sitting, hands still, then 10 minutes typing.\n"
	"                 Shows: the error when nothing disturbs it; drop-outs and frozen values at rest.\n"
	"Day 2  Stairs    5 minutes sitting, then 5 times four floors up and down, 2 minutes sitting between.\n"
	"                 Shows: how many seconds it lags, and whether it follows quick rises and falls.\n"
	"Day 3  Intervals 15 minutes easy, then 6 times 3 minutes hard (above 135), 2 minutes easy between.\n"
	"                 Shows: a lock at half or double the rate. It shows best where the rate passes 135 and falls "
	"again.\n"
	"Day 4  Run       40 minutes, with a break of 3 minutes walking in the middle and one near the end.\n"
	"                 Shows: cadence taken for a pulse: at a break the steps fall at once, the heart only slowly.\n"
	"Day 5  Sweat     An hour that makes you sweat, indoors. Do not touch the watch; note the time whenever it "
	"shows nothing.\n"
	"                 Shows: lost contact, and whether it comes back alone.\n"
	"Day 6  Cold      30 minutes outdoors in the cold, watch on bare skin; then a shower with it on.\n"
	"                 Shows: lost contact with cold skin and in water, and what it writes down then.\n"
	"Day 7  Long      The longest workout you do, recorded in one piece.\n"
	"                 Shows: restarts, unfinished files, gaps of the whole device, the clock.\n"
	"\n"
	"Once, before day 1, and again at the end: can it be set up, read out and reset without its maker's account? "
	"Try each in\n"
	"flight mode of the phone, and keep what it says. gifthorse scan APP.apk tells what its app asks for.\n"
	"What a strap cannot settle: without any second sensor only locks that begin or end inside a recording are "
	"found.\n";

static bool add(struct watch *w, const char *path, bool reference)
{
	struct gh_scan *s = &w->scan;
	if (s->n_inputs == GH_INPUTS_MAX) {
		gh_complain("more than %d recordings; put them into one folder", GH_INPUTS_MAX);
		return false;
	}
	if (strcmp(path, "-") && access(path, R_OK)) {
		gh_complain("%s: %s; name a recording: FIT, TCX, GPX, CSV, Gadgetbridge's database, a "
			    "Bluetooth log",
			path, strerror(errno));
		return false;
	}
	w->reference[s->n_inputs] = reference;
	s->inputs[s->n_inputs++] = path;
	return true;
}

static bool hr_handle(struct watch *w, const char *value)
{
	uint64_t n;
	bool hex = value[0] == '0' && (value[1] == 'x' || value[1] == 'X');
	if (!gh_str_u64(gh_str(value + (hex ? 2 : 0)), hex ? 16 : 10, &n) || !n || n > 0xffff) {
		gh_complain("--hr-handle takes the number of an attribute from 1 to 0xffff, not %s", value);
		return false;
	}
	w->scan.given.hr_handle = (uint16_t)n;
	return true;
}

static bool set(struct watch *w, enum option o, const char *value)
{
	uint64_t n;
	switch (o) {
	case O_AGAINST:
		return add(w, value, true);
	case O_APP:
		w->maker.app = value;
		return gh_input_readable(value);
	case O_PACKAGE:
		w->maker.package = value;
		return true;
	case O_CAPTURE:
		return gh_maker_capture(&w->maker, value);
	case O_HR_HANDLE:
		return hr_handle(w, value);
	case O_PLAN:
		w->plan = true;
		return true;
	case O_DB:
		w->scan.db_path = value;
		return true;
	case O_JOBS:
		if (!gh_str_u64(gh_str(value), 10, &n) || !n || n > 64) {
			gh_complain("--jobs takes a whole number from 1 to 64, not %s", value);
			return false;
		}
		w->scan.config.jobs = (unsigned)n;
		return true;
	case O_FORMAT:
		return gh_outputs_add(&w->scan.out, value);
	case O_FAIL_ON:
		return gh_outputs_fail_on(&w->scan.out, value);
	case O_COLOR:
		return gh_outputs_color(&w->scan.out, value);
	case O_REDACT:
		w->scan.out.redact = true;
		return true;
	case O_PROGRESS:
		return gh_progress_choose(&w->scan.progress, value);
	}
	return false;
}

static bool any_watch(const struct watch *w)
{
	for (size_t i = 0; i < w->scan.n_inputs; i++)
		if (!w->reference[i])
			return true;
	return false;
}

/* 0 to go on, else an exit code plus 1. */
static int parse(struct watch *w, int argc, char **argv)
{
	struct gh_args args = {.argc = argc,
		.argv = argv,
		.i = 1,
		.options = options,
		.n_options = GH_COUNT(options),
		.usage = "watch RECORDING... [--against REFERENCE] [options]",
		.about = gh_exit_words};
	const char *value;
	for (int o; (o = gh_args_next(&args, &value)) != -2;) {
		if (o == -3)
			return 1 + GH_EXIT_OK;
		if (o == -4 || (o >= 0 && !set(w, (enum option)o, value)) || (o == -1 && !add(w, value, false)))
			return 1 + GH_EXIT_USAGE;
	}
	if (w->plan) {
		fputs(plan_text, stdout);
		return 1 + (gh_stdout_done() ? GH_EXIT_OK : GH_EXIT_USAGE);
	}
	if (!any_watch(w)) {
		gh_complain("no recording to judge: name what the watch recorded (gifthorse watch --help)");
		return 1 + GH_EXIT_USAGE;
	}
	return gh_outputs_check(&w->scan.out, w->scan.db_path, w->scan.inputs, w->scan.n_inputs) ? 0
												 : 1 + GH_EXIT_USAGE;
}

/* Which of the INPUTs are the reference. */
static enum gh_code prepare(struct gh_scan *s, struct gh_err *err)
{
	const struct watch *w = s->user;
	char sql[160];
	enum gh_code code = GH_OK;
	for (size_t i = 0; i < s->n_inputs && code == GH_OK; i++) {
		snprintf(sql, sizeof sql, "INSERT INTO d_watch_references VALUES(%lld,%zu)", (long long)s->id, i);
		if (w->reference[i])
			code = gh_db_script(s->db, sql, err);
	}
	return code ? code : gh_maker_write(&w->maker, s->db, s->id, err);
}

/* A report of nothing would look like one that found nothing. */
static enum gh_code ready(struct gh_scan *s, struct gh_err *err)
{
	if (gh_db_number(s->db, "SELECT EXISTS(SELECT 1 FROM temp.recordings WHERE role='watch')", 0))
		return GH_OK;
	return gh_fail(err, GH_BAD, 0,
		"there is no recording in what was named: FIT, TCX, GPX, CSV with a column of heart rate, "
		"Gadgetbridge's "
		"database and Bluetooth logs of the heart-rate service are read");
}

int gh_cmd_watch(int argc, char **argv)
{
	static struct watch w;
	gh_outputs_init(&w.scan.out);
	int early = parse(&w, argc, argv);
	if (early)
		return early - 1;
	w.scan.look_again = true; /* what is given changes what a log says */
	w.scan.prepare = prepare;
	w.scan.ready = ready;
	w.scan.user = &w;
	struct gh_err err = {0};
	int exit_code = GH_EXIT_USAGE;
	if (gh_maker_look(&w.maker, &err) == GH_OK)
		exit_code = gh_scan_run(&w.scan);
	else
		gh_complain("%s", err.what);
	gh_arena_done(&w.maker.arena);
	return exit_code;
}
