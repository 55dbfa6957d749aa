/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: a coordinator that parses nothing, and jailed workers that do all the reading. */
#ifndef GH_ENGINE_ENGINE_H
#define GH_ENGINE_ENGINE_H

#include "tree/look.h"

struct gh_engine;

struct gh_engine_config {
	unsigned jobs; /* workers; 0: one a processor */
	const char *spill_dir; /* NULL: $TMPDIR, else /var/tmp */
	const struct gh_literals *literals;
	const struct gh_given *given; /* NULL: nothing */
	struct gh_plugins off; /* switched off */
	unsigned hang_seconds; /* without a heartbeat; 0: 60 */
	uint64_t shuffle; /* not 0: take jobs in an order drawn from this seed (tests) */
};

struct gh_engine_state {
	uint64_t jobs_done, jobs_known;
	uint64_t bytes_spilled;
	const char *spill_dir; /* where, if bytes_spilled */
	unsigned workers;
	unsigned crashes; /* workers that died or were ended for hanging, and were replaced */
	int walls; /* of the jail, as gh_jail_words() tells; -1: no worker has said yet */
};

/* What the engine finds, in the order in which it comes; all from one process. */
struct gh_engine_sink {
	void (*row)(void *to, enum gh_table table, uint32_t blob, uint64_t n, uint64_t at, const void *row);
	void (*blob)(void *to, const struct gh_blob_row *row);
	void (*run)(void *to, uint32_t blob, unsigned plugin, const char *status, uint64_t at, const char *why);
	/* About twice a second; false: stop (the user asked). */
	bool (*tick)(void *to, const struct gh_engine_state *state);
	void *to;
};

/* Maps shared memory and forks the template. Call before opening databases or sockets: workers inherit what is open, and close it.
 * NULL and *err on failure. */
struct gh_engine *gh_engine_new(const struct gh_engine_config *config, struct gh_err *err);
void gh_engine_free(struct gh_engine *engine);

/* Content known from before: its number, and the plug-ins that need not run again. Before gh_engine_scan. */
bool gh_engine_know(
	struct gh_engine *engine, uint32_t blob, const uint8_t sha256[32], const struct gh_plugins *plugins);
/* New blobs get numbers behind `last`. */
bool gh_engine_start(struct gh_engine *engine, uint32_t last);

/* Looks at INPUTs (a file, a folder, or "-"). The rows of the root hang on the blob *ret_root: one member an INPUT.
 * GH_IO with *err when an INPUT cannot be read at all. `scan` tells scans in one database apart. */
enum gh_code gh_engine_scan(struct gh_engine *engine, const char *const *inputs, size_t n, uint64_t scan,
	const struct gh_engine_sink *sink, uint32_t *ret_root, struct gh_err *err) GH_MUST;

const struct gh_engine_state *gh_engine_state(const struct gh_engine *engine);

#endif
