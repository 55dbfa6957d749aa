/* SPDX-License-Identifier: Apache-2.0 */
/* A scan as commands make one: look, derive, judge, report. */
#ifndef GH_CLI_LOOKING_H
#define GH_CLI_LOOKING_H

#include "cli/output.h"
#include "engine/engine.h"

enum { GH_INPUTS_MAX = 1024 };

struct gh_scan {
	struct gh_engine_config config;
	struct gh_given given; /* roots: the shipped ones where none are set */
	struct gh_outputs out;
	const char *inputs[GH_INPUTS_MAX];
	size_t n_inputs;
	const char *db_path;
	const char *literals_path;
	char literals_sha256[65]; /* "": none */
	bool look_again; /* what is given changes what content says: nothing known is taken over */
	/* Optional: writes what was given into the database, before DERIVE. */
	enum gh_code (*prepare)(struct gh_scan *s, struct gh_err *err);
	/* Optional: after DERIVE and JUDGE, before the reports; what it fails with ends the command. */
	enum gh_code (*ready)(struct gh_scan *s, struct gh_err *err);
	void *user;
	struct gh_engine *engine;
	struct gh_db *db;
	int64_t id;
	struct gh_progress progress;
	uint64_t spilled; /* by the scans before the one at hand */
	unsigned crashes;
};

/* From the first byte to the reports; an exit code. */
int gh_scan_run(struct gh_scan *s);

/* ---- its steps ---- */

/* The engine, then the database (db_path NULL: in memory). Signals end the looking from here on. */
enum gh_code gh_scan_start(struct gh_scan *s, struct gh_err *err) GH_MUST;
/* Once, before the first look: what the database knows of contents is used again. */
enum gh_code gh_scan_known(struct gh_scan *s, struct gh_err *err) GH_MUST;
/* One device: s->inputs. May be called again for another: shared content is looked at once. GH_END: stopped by the user. */
enum gh_code gh_scan_look(struct gh_scan *s, struct gh_err *err) GH_MUST;
/* DERIVE and JUDGE for the scan at hand. */
enum gh_code gh_scan_judge(struct gh_scan *s, struct gh_err *err) GH_MUST;

/* ---- arguments that such commands share; each tells what is wrong ---- */

bool gh_input_is_folder(const char *path);
bool gh_input_readable(const char *input);
bool gh_number_option(const char *text, uint64_t min, uint64_t max, uint64_t *ret, const char *name);

#endif
