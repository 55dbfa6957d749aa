/* SPDX-License-Identifier: Apache-2.0 */
/* Looking, deriving and judging, step by step, for the commands that scan. */
#include "cli/looking.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "derive/derive.h"
#include "engine/jail.h"
#include "facts/embed.h"
#include "rules/rules.h"

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

/* ---- arguments ---- */

bool gh_number_option(const char *text, uint64_t min, uint64_t max, uint64_t *ret, const char *name)
{
	if (gh_str_u64(gh_str(text), 10, ret) && *ret >= min && *ret <= max)
		return true;
	gh_complain("%s takes a whole number from %llu to %llu, not %s", name, (unsigned long long)min,
		(unsigned long long)max, text);
	return false;
}

bool gh_input_is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool gh_input_readable(const char *input)
{
	struct stat st;
	if (stat(input, &st) || access(input, R_OK)) {
		gh_complain("%s: %s; INPUT is a firmware package, an image or an unpacked phone as a folder", input,
			strerror(errno));
		return false;
	}
	if (S_ISREG(st.st_mode) && !st.st_size) {
		gh_complain("%s is empty: nothing to look at; copy or download it again", input);
		return false;
	}
	return true;
}

/* ---- looking ---- */

static void on_row(void *to, enum gh_table table, uint32_t blob, uint64_t n, uint64_t at, const void *row)
{
	gh_db_row(((struct gh_scan *)to)->db, table, blob, n, at, row);
}

static void on_blob(void *to, const struct gh_blob_row *row)
{
	gh_db_blob(((struct gh_scan *)to)->db, row);
}

static void on_run(void *to, uint32_t blob, unsigned plugin, const char *status, uint64_t at, const char *why)
{
	gh_db_run(((struct gh_scan *)to)->db, blob, plugin, status, at, why);
}

static bool on_tick(void *to, const struct gh_engine_state *state)
{
	struct gh_scan *s = to;
	gh_db_tick(s->db);
	gh_progress_show(&s->progress, "looking", state->jobs_done, state->jobs_known);
	return !stopped;
}

static bool on_known(void *to, uint32_t blob, const uint8_t sha256[32], const struct gh_plugins *plugins)
{
	return gh_engine_know(((struct gh_scan *)to)->engine, blob, sha256, plugins);
}

/* Names of the inputs, one a line. */
static char *inputs_text(const struct gh_scan *s)
{
	size_t n = 1;
	for (size_t i = 0; i < s->n_inputs; i++)
		n += strlen(s->inputs[i]) + 1;
	char *text = calloc(1, n);
	for (size_t i = 0; text && i < s->n_inputs; i++) {
		struct gh_str in = gh_str(s->inputs[i]);
		while (in.n > 1 && in.p[in.n - 1] == '/')
			in.n--;
		struct gh_str base = gh_str_base(in);
		strncat(text, base.p, base.n);
		if (i + 1 < s->n_inputs)
			strcat(text, "\n");
	}
	return text;
}

static enum gh_code scan_begin(struct gh_scan *s, struct gh_err *err)
{
	char rules[65], knowledge[65];
	gh_db_files_sha256(gh_rule_files, gh_n_rule_files, rules);
	gh_db_files_sha256(gh_data_files, gh_n_data_files, knowledge);
	char *inputs = inputs_text(s);
	struct gh_scan_info info = {inputs, rules, knowledge, s->config.off, s->literals_sha256};
	enum gh_code code = gh_db_begin(s->db, &info, &s->id, err);
	free(inputs);
	return code;
}

enum gh_code gh_scan_start(struct gh_scan *s, struct gh_err *err)
{
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	if (!s->given.roots.p && gh_n_root_files)
		s->given.roots = gh_strn(gh_root_files[0].text, gh_root_files[0].n);
	s->config.given = &s->given;
	s->engine = gh_engine_new(&s->config, err);
	if (!s->engine)
		return err->code;
	s->db = gh_db_open(s->db_path, err);
	return s->db ? GH_OK : err->code;
}

enum gh_code gh_scan_known(struct gh_scan *s, struct gh_err *err)
{
	uint32_t last = s->look_again ? gh_db_last_blob(s->db) : gh_db_known(s->db, s->literals_sha256, on_known, s);
	if (gh_engine_start(s->engine, last))
		return GH_OK;
	return gh_fail(err, GH_LIMIT, 0, "the facts database holds too many contents; begin a new one");
}

enum gh_code gh_scan_look(struct gh_scan *s, struct gh_err *err)
{
	struct gh_engine_sink sink = {on_row, on_blob, on_run, on_tick, s};
	uint32_t root = 0;
	enum gh_code code = scan_begin(s, err);
	if (code)
		return code;
	code = gh_engine_scan(s->engine, s->inputs, s->n_inputs, (uint64_t)s->id, &sink, &root, err);
	const struct gh_engine_state *st = gh_engine_state(s->engine);
	struct gh_err ignored = {0};
	uint64_t spilled = st->bytes_spilled - s->spilled;
	unsigned crashes = st->crashes - s->crashes;
	enum gh_code saved = gh_db_looked(
		s->db, root, gh_jail_words(st->walls < 0 ? 0 : st->walls), spilled, crashes, code ? &ignored : err);
	s->spilled = st->bytes_spilled;
	s->crashes = st->crashes;
	gh_progress_end(&s->progress);
	if (spilled)
		fprintf(stderr, "spilled %llu bytes of packed streams to unnamed files in %s\n",
			(unsigned long long)spilled, st->spill_dir);
	return code ? code : saved;
}

enum gh_code gh_scan_judge(struct gh_scan *s, struct gh_err *err)
{
	gh_progress_show(&s->progress, "judging", 0, 0);
	enum gh_code code = s->prepare ? s->prepare(s, err) : GH_OK;
	if (code == GH_OK)
		code = gh_db_knowledge(s->db, err);
	if (code == GH_OK)
		code = gh_derive(s->db, s->id, err);
	if (code == GH_OK)
		code = gh_db_bind(s->db, s->id, err);
	if (code == GH_OK)
		code = gh_judge(s->db, s->id, err);
	gh_progress_end(&s->progress);
	return code;
}
