/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse traffic: who does the phone talk to, and who interferes on the way? Never sends a packet. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/given.h"
#include "cli/live.h"
#include "cli/looking.h"

enum {
	KNOWN_MAX = 8 << 10,
	KEYLOG_MAX = 16 << 20,
	ROOTS_MAX = 4 << 20,
};

enum option {
	O_KEYLOG,
	O_INDICATORS,
	O_KNOWN,
	O_GEO,
	O_PHONE,
	O_TRUST,
	O_FIRST_BOOT,
	O_LIVE,
	O_FORMAT,
	O_DB,
	O_JOBS,
	O_FAIL_ON,
	O_SPILL_DIR,
	O_PROGRESS,
	O_COLOR,
};

static const struct gh_option options[] = {
	{"--keylog", NULL, "FILE", "secrets of TLS connections (SSLKEYLOGFILE): opens what they fit"},
	{"--indicators", NULL, "FILE",
		"names and addresses to look for: STIX 2, or one a line; may be given several times"},
	{"--known", NULL, "KIND=VALUE",
		"an identifier of this phone (imei=…, phone=…), found in plain and coded forms; several times"},
	{"--geo", NULL, "FILE.mmdb", "a MaxMind database of countries or networks"},
	{"--phone", NULL, "FACTS.db", "facts of the phone's firmware: ties parties to its apps"},
	{"--trust", NULL, "FILE.pem", "also trust these certificates, besides Android's roots"},
	{"--first-boot", NULL, NULL, "the capture was begun before the phone was first switched on"},
	{"--live", NULL, "IFACE", "capture on this interface until Ctrl-C, then tell"},
	{"--format", "-f", "FORM[=FILE]", "text, json or html; with =FILE into a file; may be given several times"},
	{"--db", NULL, "FACTS.db", "keep the facts here (a SQLite file)"},
	{"--jobs", NULL, "N", "workers; as many as processors when not given"},
	{"--fail-on", NULL, "LEVEL", "exit code 1 from this severity on: critical high medium low info never (high)"},
	{"--spill-dir", NULL, "DIR", "where packed captures are unpacked while they are read ($TMPDIR, else /var/tmp)"},
	{"--progress", NULL, "HOW", "auto, bar, plain or none"},
	{"--color", NULL, "WHEN", "auto, always or never (also NO_COLOR)"},
};

struct traffic {
	struct gh_scan scan;
	struct gh_given_files files;
	char known[KNOWN_MAX];
	size_t known_n;
	const char *live;
};

static bool add_known(struct traffic *t, const char *value)
{
	size_t n = strlen(value);
	if (!strchr(value, '=') || strchr(value, '=') == value || n < 6) {
		gh_complain("--known takes KIND=VALUE, as in --known imei=490154203237518, not %s", value);
		return false;
	}
	if (t->known_n + n + 2 > sizeof t->known) {
		gh_complain("more than %d bytes of --known", KNOWN_MAX);
		return false;
	}
	memcpy(t->known + t->known_n, value, n);
	t->known_n += n;
	t->known[t->known_n++] = '\n';
	return true;
}

static bool whole(const char *path, size_t max, struct gh_str *ret)
{
	struct gh_err err;
	if (gh_given_read(path, max, ret, &err) == GH_OK)
		return true;
	gh_complain("%s", err.what);
	return false;
}

static bool set_file(struct traffic *t, enum option o, const char *value)
{
	struct gh_str pem;
	switch (o) {
	case O_KEYLOG:
		return whole(value, KEYLOG_MAX, &t->scan.given.keylog);
	case O_INDICATORS:
		if (t->files.n_indicators == GH_GIVEN_LISTS) {
			gh_complain("more than %d lists of indicators", GH_GIVEN_LISTS);
			return false;
		}
		t->files.indicators[t->files.n_indicators++] = value;
		return true;
	case O_GEO:
		t->files.geo = value;
		return true;
	case O_PHONE:
		t->files.phone = value;
		return true;
	case O_TRUST:
		return whole(value, ROOTS_MAX, &pem) && gh_given_roots(pem, &t->scan.given.roots);
	default:
		return false;
	}
}

static bool set(struct traffic *t, enum option o, const char *value)
{
	uint64_t n;
	switch (o) {
	case O_KNOWN:
		return add_known(t, value);
	case O_FIRST_BOOT:
		t->files.first_boot = true;
		return true;
	case O_LIVE:
		t->live = value;
		return true;
	case O_DB:
		t->scan.db_path = value;
		return true;
	case O_SPILL_DIR:
		t->scan.config.spill_dir = value;
		return true;
	case O_JOBS:
		if (!gh_str_u64(gh_str(value), 10, &n) || n > 64) {
			gh_complain("--jobs takes a whole number up to 64, not %s", value);
			return false;
		}
		t->scan.config.jobs = (unsigned)n;
		return true;
	case O_FORMAT:
		return gh_outputs_add(&t->scan.out, value);
	case O_FAIL_ON:
		return gh_outputs_fail_on(&t->scan.out, value);
	case O_COLOR:
		return gh_outputs_color(&t->scan.out, value);
	case O_PROGRESS:
		return gh_progress_choose(&t->scan.progress, value);
	default:
		return set_file(t, o, value);
	}
}

static bool inputs_fit(struct traffic *t)
{
	struct gh_scan *s = &t->scan;
	if (t->live && s->n_inputs) {
		gh_complain("--live takes no capture beside it");
		return false;
	}
	if (!t->live && !s->n_inputs) {
		gh_complain("nothing to look at: name a capture (pcap, pcapng, btsnoop), or --live INTERFACE");
		return false;
	}
	for (size_t i = 0; i < s->n_inputs; i++)
		if (strcmp(s->inputs[i], "-") && access(s->inputs[i], R_OK)) {
			gh_complain("%s: %s", s->inputs[i], strerror(errno));
			return false;
		}
	return true;
}

/* 0 to go on, else an exit code plus 1. */
static int parse(struct traffic *t, int argc, char **argv)
{
	struct gh_args args = {.argc = argc,
		.argv = argv,
		.i = 1,
		.options = options,
		.n_options = GH_COUNT(options),
		.usage = "traffic CAPTURE... [options]"};
	const char *value;
	for (int o; (o = gh_args_next(&args, &value)) != -2;) {
		if (o == -3)
			return 1 + GH_EXIT_OK;
		if (o == -4 || (o >= 0 && !set(t, (enum option)o, value)))
			return 1 + GH_EXIT_USAGE;
		if (o == -1 && t->scan.n_inputs == GH_INPUTS_MAX) {
			gh_complain("more than %d captures; put them into one folder", GH_INPUTS_MAX);
			return 1 + GH_EXIT_USAGE;
		}
		if (o == -1)
			t->scan.inputs[t->scan.n_inputs++] = value;
	}
	return inputs_fit(t) ? 0 : 1 + GH_EXIT_USAGE;
}

static enum gh_code prepare(struct gh_scan *s, struct gh_err *err)
{
	const struct traffic *t = s->user;
	return gh_given_write(s->db, s->id, &t->files, err);
}

int gh_cmd_traffic(int argc, char **argv)
{
	static struct traffic t;
	char path[GH_LIVE_PATH] = "";
	gh_outputs_init(&t.scan.out);
	int early = parse(&t, argc, argv);
	if (early)
		return early - 1;
	t.scan.prepare = prepare;
	t.scan.user = &t;
	if (t.known_n)
		t.scan.given.known = gh_strn(t.known, t.known_n);
	t.scan.look_again = true;
	if (t.live) {
		if (!gh_live_capture(t.live, t.scan.config.spill_dir, path))
			return GH_EXIT_USAGE;
		t.scan.inputs[t.scan.n_inputs++] = path;
	}
	int exit_code = gh_scan_run(&t.scan);
	if (t.live)
		gh_live_remove(path);
	free((char *)t.scan.given.keylog.p);
	gh_given_free_roots(&t.scan.given.roots);
	return exit_code;
}
