/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the engine: the coordinator's jobs, files and workers. */
#ifndef GH_ENGINE_COORDINATOR_H
#define GH_ENGINE_COORDINATOR_H

#include "engine/shared.h"
#include "engine/wire.h"

/* A file that jobs read: an INPUT, a file in an INPUT folder, or a spill file. */
struct gh_base {
	int fd; /* -1: opened when needed, by path */
	int folder; /* directory descriptor that path is relative to */
	char *path;
	uint64_t size;
	uint32_t spill; /* 1 + watermark; 0: none */
	uint32_t refs; /* jobs that still need it */
	bool whole_first; /* a spill of unknown size: its jobs wait until it is complete */
};

struct gh_pending {
	struct gh_pending *next;
	enum gh_job_kind kind;
	uint32_t base;
	uint32_t attempt;
	struct gh_skip *skip;
	uint32_t n_skip;
	size_t len;
	uint8_t job[];
};

struct gh_slot {
	int pid; /* 0: none */
	int fd;
	struct gh_pending *job; /* NULL: idle */
	uint32_t filling; /* 1 + watermark it fills */
	struct gh_wire_in in;
	uint64_t beat; /* last seen */
	int64_t moved; /* when it was seen to move, in milliseconds */
	bool hung;
};

struct gh_engine {
	struct gh_engine_config config;
	struct gh_shared *shared;
	struct gh_claims *claims;
	struct gh_worker_kit kit;
	struct gh_template template;
	struct gh_engine_state state;
	const struct gh_engine_sink *sink;
	struct gh_slot slot[GH_SLOTS];
	unsigned n_workers;
	struct gh_pending *first, **last; /* to look at, in order */
	struct gh_pending *pours, **last_pour;
	struct gh_base *bases;
	size_t n_bases, cap_bases;
	uint32_t n_spills;
	char spill_dir[256];
	uint64_t random;
};

/* A new base; its number, or UINT32_MAX. */
uint32_t gh_base_add(struct gh_engine *e, const struct gh_base *base);
/* A file that no name reaches, in the spill directory; -1 with errno. */
int gh_spill_file(struct gh_engine *e);
/* Puts a job into the queue (a copy); false without memory. */
bool gh_queue_add(struct gh_engine *e, const struct gh_job *job, bool front);
/* Opens a file of an INPUT folder for reading, never outside it; -1 with errno. */
int gh_folder_open_file(int folder, const char *path);
/* Lists a folder: a row for each entry, a job for each file. n_input: its member number in the root. */
enum gh_code gh_folder_walk(
	struct gh_engine *e, int fd, const char *name, uint32_t root, uint64_t n_input, struct gh_err *err);

#endif
