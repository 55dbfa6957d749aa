/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at inputs, for the commands that do: the engine, the database it fills, deriving and judging. */
#ifndef GH_CLI_LOOKING_H
#define GH_CLI_LOOKING_H

#include "cli/output.h"
#include "engine/engine.h"

struct gh_looking {
	struct gh_engine *engine;
	struct gh_db *db;
	struct gh_progress progress;
	uint64_t off; /* plug-ins switched off */
	int64_t id; /* of the scan at hand */
	uint64_t spilled; /* by the scans before this one */
	unsigned crashes;
};

/* Starts the engine, then opens the database (NULL: in memory). Signals end the looking from here on. */
enum gh_code gh_looking_start(
	struct gh_looking *l, const struct gh_engine_config *config, const char *db_path, struct gh_err *err) GH_MUST;
/* Once, before the first scan: what the database knows of contents is used again, if `reuse`. */
enum gh_code gh_looking_begin(struct gh_looking *l, bool reuse, struct gh_err *err) GH_MUST;
/* One device. May be called again: what was looked at for the first is not looked at for the second. GH_END: stopped by the user. */
enum gh_code gh_looking_scan(struct gh_looking *l, const char *const *inputs, size_t n, struct gh_err *err) GH_MUST;
/* Ends the engine; its memory is free. */
void gh_looking_rest(struct gh_looking *l);
/* DERIVE and JUDGE for the scan at hand. */
enum gh_code gh_looking_judge(struct gh_looking *l, struct gh_err *err) GH_MUST;
void gh_looking_end(struct gh_looking *l);

/* ---- arguments that these commands share; each tells what is wrong ---- */

bool gh_input_is_folder(const char *path);
bool gh_input_readable(const char *input);
bool gh_number_option(const char *text, uint64_t min, uint64_t max, uint64_t *ret, const char *name);

#endif
