/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse scan: look, derive, judge, report. */
#include <errno.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/facts.h"
#include "cli/looking.h"
#include "cli/trusted.h"
#include "derive/derive.h"
#include "engine/jail.h"
#include "facts/embed.h"
#include "rules/rules.h"
#include "tree/measure.h"

enum option {
	O_FORMAT,
	O_DB,
	O_JOBS,
	O_FAIL_ON,
	O_SPILL_DIR,
	O_LITERALS,
	O_REFERENCE,
	O_KEYS,
	O_WITHOUT,
	O_PROGRESS,
	O_COLOR,
	O_REDACT,
	O_HANG,
	O_SHUFFLE
};

static const struct gh_option options[] = {
	{"--format", "-f", "FORM[=FILE]", "text, json or html; with =FILE into a file; may be given several times"},
	{"--db", NULL, "FACTS.db", "keep the facts here (a SQLite file); an existing one is continued"},
	{"--jobs", NULL, "N", "workers; as many as processors when not given"},
	{"--fail-on", NULL, "LEVEL", "exit code 1 from this severity on: critical high medium low info never (high)"},
	{"--spill-dir", NULL, "DIR", "where packed streams are unpacked while they are read ($TMPDIR, else /var/tmp)"},
	{"--literals", NULL, "FILE", "also search all content for these words, one a line"},
	{"--reference", NULL, "FILE",
		"tell what the phone has beyond a build that you trust (gifthorse reference make); may be given "
		"several times"},
	{"--known-keys", NULL, "FILE",
		"also name these signing keys; rows as in data/known_keys.tsv; may be given several times"},
	{"--without", NULL, "PLUGIN", "switch a format or inspector off; may be given several times"},
	{"--progress", NULL, "HOW", "auto, bar, plain or none"},
	{"--color", NULL, "WHEN", "auto, always or never (also NO_COLOR)"},
	{"--redact", NULL, NULL,
		"for sharing: serials, IMEI, SSIDs, accounts, MACs, names of inputs are replaced in reports"},
	{"--hang-seconds", NULL, "N", "end a worker that works for so long without a sign of life (60)"},
	{"--shuffle", NULL, "SEED", "hand out the work in another order; the result is the same"},
};

/* ---- arguments ---- */

static bool without(struct gh_scan *s, const char *name)
{
	int bit = gh_plugin_find(gh_str(name));
	if (bit < 0) {
		struct gh_nearest near = {.word = gh_str(name)};
		for (size_t i = 0; i < gh_n_formats; i++)
			gh_nearest(&near, gh_str(gh_formats[i]->name));
		for (size_t i = 0; i < gh_n_inspectors; i++)
			gh_nearest(&near, gh_str(gh_inspectors[i]->name));
		gh_complain("there is no plug-in called %s%s%.*s; docs/formats.md lists them", name,
			near.best.p ? "; did you mean " : "", (int)near.best.n, near.best.p ? near.best.p : "");
		return false;
	}
	gh_plugins_add(&s->config.off, (unsigned)bit);
	s->look_again = true;
	return true;
}

static enum gh_code prepare(struct gh_scan *s, struct gh_err *err)
{
	return gh_trusted_write(s->db, s->id, s->user, err);
}

static struct gh_trusted *trusted(struct gh_scan *s)
{
	return s->user;
}

static bool set(struct gh_scan *s, enum option o, const char *value)
{
	uint64_t n = 0;
	switch (o) {
	case O_DB:
		s->db_path = value;
		return true;
	case O_JOBS:
		if (!gh_number_option(value, 1, 64, &n, "--jobs"))
			return false;
		s->config.jobs = (unsigned)n;
		return true;
	case O_SPILL_DIR:
		s->config.spill_dir = value;
		return true;
	case O_LITERALS:
		s->literals_path = value;
		return true;
	case O_REFERENCE:
		return gh_trusted_add(trusted(s)->references, &trusted(s)->n_references, value, "--reference");
	case O_KEYS:
		return gh_trusted_add(trusted(s)->keys, &trusted(s)->n_keys, value, "--known-keys");
	case O_WITHOUT:
		return without(s, value);
	case O_HANG:
		if (!gh_number_option(value, 1, 3600, &n, "--hang-seconds"))
			return false;
		s->config.hang_seconds = (unsigned)n;
		return true;
	case O_SHUFFLE:
		return gh_number_option(value, 0, INT64_MAX, &s->config.shuffle, "--shuffle");
	case O_PROGRESS:
		return gh_progress_choose(&s->progress, value);
	case O_FORMAT:
		return gh_outputs_add(&s->out, value);
	case O_FAIL_ON:
		return gh_outputs_fail_on(&s->out, value);
	case O_REDACT:
		return s->out.redact = true;
	case O_COLOR:
		return gh_outputs_color(&s->out, value);
	}
	return false;
}

/* 0 to go on, else an exit code plus 1. */
static int parse(struct gh_scan *s, int argc, char **argv)
{
	struct gh_args args = {.argc = argc,
		.argv = argv,
		.i = 1,
		.options = options,
		.n_options = GH_COUNT(options),
		.usage = "scan INPUT... [options]",
		.about = gh_exit_words};
	const char *value;
	for (int o; (o = gh_args_next(&args, &value)) != -2;) {
		if (o == -3)
			return 1 + GH_EXIT_OK;
		if (o == -4 || (o >= 0 && !set(s, (enum option)o, value)))
			return 1 + GH_EXIT_USAGE;
		if (o == -1 && s->n_inputs == GH_INPUTS_MAX) {
			gh_complain("more than %d inputs; put them into one folder", GH_INPUTS_MAX);
			return 1 + GH_EXIT_USAGE;
		}
		if (o == -1)
			s->inputs[s->n_inputs++] = value;
	}
	if (!s->n_inputs) {
		gh_complain("nothing to scan: name a firmware package, an image or a folder (gifthorse scan --help)");
		return 1 + GH_EXIT_USAGE;
	}
	for (size_t i = 0; i < s->n_inputs; i++)
		if (strcmp(s->inputs[i], "-") && !gh_input_readable(s->inputs[i]))
			return 1 + GH_EXIT_USAGE;
	if (s->config.spill_dir && !gh_input_is_folder(s->config.spill_dir)) {
		gh_complain("--spill-dir %s: there is no such folder; make it first", s->config.spill_dir);
		return 1 + GH_EXIT_USAGE;
	}
	return gh_outputs_check(&s->out, s->db_path, s->inputs, s->n_inputs) ? 0 : 1 + GH_EXIT_USAGE;
}

/* ---- literals ---- */

static void literals_sha256(const struct gh_literal *list, size_t n, char out[65])
{
	uint8_t sum[32];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	for (size_t i = 0; i < n; i++)
		EVP_DigestUpdate(ctx, list[i].p, list[i].n + 1); /* with the zero behind it */
	EVP_DigestFinal_ex(ctx, sum, NULL);
	EVP_MD_CTX_free(ctx);
	for (int i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

static struct gh_literals *literals_from(const char *path, char sha256[65], struct gh_err *err)
{
	FILE *f = fopen(path, "r");
	if (!f) {
		gh_fail(err, GH_IO, 0, "%s: %s", path, strerror(errno));
		return NULL;
	}
	struct gh_literal *list = NULL;
	size_t n = 0, cap = 0, line_cap = 0;
	char *line = NULL;
	for (ssize_t len; (len = getline(&line, &line_cap, f)) >= 0;) {
		struct gh_str s = gh_str_trim(gh_strn(line, (size_t)len));
		if (!s.n || *s.p == '#')
			continue;
		if (n == cap) {
			cap = cap ? cap * 2 : 256;
			struct gh_literal *more = realloc(list, cap * sizeof *list);
			if (!more)
				break;
			list = more;
		}
		list[n++] = (struct gh_literal){strndup(s.p, s.n), s.n};
	}
	free(line);
	fclose(f);
	literals_sha256(list, n, sha256);
	struct gh_literals *l = gh_literals_new(list, n, err);
	for (size_t i = 0; i < n; i++)
		free((char *)list[i].p);
	free(list);
	return l;
}

/* Looks, derives, judges; GH_END: interrupted. */
static enum gh_code whole(struct gh_scan *s, struct gh_err *err)
{
	if (gh_scan_start(s, err) || gh_scan_known(s, err))
		return err->code;
	enum gh_code code = gh_scan_look(s, err);
	if (code != GH_OK && code != GH_END)
		return code;
	bool cut = code == GH_END;
	gh_engine_free(s->engine);
	s->engine = NULL;
	if (gh_scan_judge(s, err) || gh_db_end(s->db, cut ? "interrupted" : "complete", err))
		return err->code;
	return code;
}

struct gh_db *gh_scan_quiet(
	const char *const *inputs, size_t n, const struct gh_literals *literals, int64_t *ret_scan, struct gh_err *err)
{
	static struct gh_scan s;
	memset(&s, 0, sizeof s);
	s.config.literals = literals;
	for (; s.n_inputs < n && s.n_inputs < GH_INPUTS_MAX; s.n_inputs++)
		s.inputs[s.n_inputs] = inputs[s.n_inputs];
	enum gh_code code = whole(&s, err);
	gh_engine_free(s.engine);
	*ret_scan = s.id;
	if (code == GH_OK)
		return s.db;
	gh_db_close(s.db);
	return NULL;
}

static int run(struct gh_scan *s, struct gh_err *err)
{
	enum gh_code code = whole(s, err);
	if (code != GH_OK && code != GH_END)
		return GH_EXIT_USAGE;
	bool cut = code == GH_END;
	if (s->ready && s->ready(s, err))
		return GH_EXIT_USAGE;
	int exit_code = gh_outputs_write(&s->out, s->db, s->id, s->db_path, err);
	return cut ? GH_EXIT_INTERRUPTED : exit_code;
}

int gh_scan_run(struct gh_scan *s)
{
	struct gh_err err = {0};
	int exit_code = GH_EXIT_USAGE;
	if (!s->literals_path || (s->config.literals = literals_from(s->literals_path, s->literals_sha256, &err)))
		exit_code = run(s, &err);
	if (exit_code == GH_EXIT_USAGE && err.code)
		gh_complain("%s", err.what);
	gh_engine_free(s->engine);
	gh_db_close(s->db);
	gh_literals_free((struct gh_literals *)s->config.literals);
	return exit_code;
}

int gh_cmd_scan(int argc, char **argv)
{
	static struct gh_trusted given;
	static struct gh_scan s = {.prepare = prepare, .user = &given};
	gh_outputs_init(&s.out);
	int early = parse(&s, argc, argv);
	return early ? early - 1 : gh_scan_run(&s);
}
