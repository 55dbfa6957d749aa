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
	bool look_again; /* what is given changes what content says: nothing known is taken over */
	/* Optional: writes what was given into the database, before DERIVE. */
	enum gh_code (*prepare)(struct gh_scan *s, struct gh_err *err);
	void *user;
	struct gh_engine *engine;
	struct gh_db *db;
	int64_t id;
	struct gh_progress progress;
};

/* From the first byte to the reports; an exit code. */
int gh_scan_run(struct gh_scan *s);

#endif
