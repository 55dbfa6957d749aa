/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the engine: the coordinator's jobs, files and workers. */
#ifndef GH_ENGINE_COORDINATOR_H
#define GH_ENGINE_COORDINATOR_H

#include "engine/shared.h"
#include "engine/wire.h"
#include "tree/set.h"

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
	int32_t format; /* of the container; -1: none */
	uint32_t n; /* children */
	uint32_t n_bases;
	uint32_t *bases; /* the files it reads, each once; the first is that of an ordinary job */
	uint32_t n_holds;
	uint32_t *holds; /* sets that may be waiting for what it finds */
	uint32_t attempt;
	struct gh_skip *skip;
	uint32_t n_skip;
	size_t len;
	uint8_t job[];
};

struct gh_known_set;

struct gh_slot {
	int pid; /* 0: none */
	int fd;
	struct gh_pending *job; /* NULL: idle */
	uint32_t filling; /* 1 + watermark it fills */
	struct gh_wire_in in;
	uint64_t beat; /* last seen */
	int64_t moved; /* when it was seen to move, in milliseconds */
	int64_t worked; /* how long it had worked then */
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
	struct gh_known_set *sets;
	size_t n_sets;
	char spill_dir[256];
	uint64_t random;
	uint32_t deaths[GH_MAX_PLUGINS], hangs[GH_MAX_PLUGINS]; /* of workers, by plug-in */
	int64_t next_tick, watched; /* milliseconds */
};

int64_t gh_now_ms(void);

/* A new base; its number, or UINT32_MAX. */
uint32_t gh_base_add(struct gh_engine *e, const struct gh_base *base);
/* A file that no name reaches, in the spill directory; -1 with errno. */
int gh_spill_file(struct gh_engine *e);
/* Puts a job into the queue (a copy); false without memory. */
bool gh_queue_add(struct gh_engine *e, const struct gh_job *job, bool front);
/* Its two halves: the copy (NULL without memory), and the queue that it goes into. */
struct gh_pending *gh_pending_new(struct gh_engine *e, const struct gh_job *job);
/* A copy that is not to be done, but keeps its files. */
struct gh_pending *gh_pending_kept(struct gh_engine *e, const struct gh_job *job);
/* The set waits until this job is done. */
void gh_pending_hold(struct gh_engine *e, struct gh_pending *p, uint32_t set);
void gh_queue_put(struct gh_engine *e, struct gh_pending *p, bool front);
void gh_pending_free(struct gh_engine *e, struct gh_pending *p);
/* Takes the job at `at` out of the queue whose end is *tail. */
struct gh_pending *gh_queue_unlink(struct gh_pending **at, struct gh_pending ***tail);

/* Makes a set known, that its parts may be told: a GH_JOB_SET, from the job `by` (NULL: from the coordinator itself). */
bool gh_set_add(struct gh_engine *e, const struct gh_job *job, struct gh_pending *by);
/* The way to a part: a GH_JOB_PART. */
void gh_set_part(struct gh_engine *e, const struct gh_job *job);
/* The set that waits for this part, or UINT32_MAX. */
uint32_t gh_set_number(struct gh_engine *e, const struct gh_of *of);
void gh_set_hold(struct gh_engine *e, uint32_t number);
/* When nobody holds it any more, it is looked at with what was found. */
void gh_set_release(struct gh_engine *e, uint32_t number);
/* Nothing more comes of any set; then, when no job is left that holds one, they are forgotten. */
void gh_sets_drop(struct gh_engine *e);
void gh_sets_end(struct gh_engine *e);
/* Do all files of that job exist? */
bool gh_bases_known(const struct gh_engine *e, const struct gh_job *job);

/* Gives every idle worker a job, if there is one. */
void gh_hand_out(struct gh_engine *e);
/* A job that cannot be done at all: its children's rows say so. Frees it. */
void gh_give_up(struct gh_engine *e, struct gh_pending *p, const char *code, const char *why);
/* A worker's channel closed, or made no sense. */
void gh_slot_died(struct gh_engine *e, unsigned slot);
/* Ends workers that show no sign of life. */
void gh_slots_watch(struct gh_engine *e, int64_t now);
/* Works on until less than `most` bytes of jobs wait. GH_END: the user stops. */
enum gh_code gh_engine_pump(struct gh_engine *e, uint64_t most, struct gh_err *err) GH_MUST;
/* Tells how far it is; GH_END: the user stops. */
enum gh_code gh_tick(struct gh_engine *e, struct gh_err *err) GH_MUST;
/* Queues the jobs of one INPUT, by its name on the command line. */
enum gh_code gh_input_add(struct gh_engine *e, const char *name, uint64_t n, uint32_t root, struct gh_sets *sets,
	struct gh_err *err) GH_MUST;
/* Queues the job of one file, by its base; sets: where it waits if its name says that it is part of one. */
bool gh_file_queue(struct gh_engine *e, struct gh_sets *sets, uint32_t blob, uint32_t depth, uint32_t base,
	uint64_t row, const struct gh_child *child);
/* No more files come: the sets among them are made known, and the files that waited are queued. */
bool gh_files_end(struct gh_engine *e, struct gh_sets *sets, uint32_t blob, uint32_t depth);
/* Opens a file of an INPUT folder for reading, never outside it; -1 with errno. */
int gh_folder_open_file(int folder, const char *path);
/* Lists a folder: a row for each entry, a job for each file. n_input: its member number in the root. */
enum gh_code gh_folder_walk(
	struct gh_engine *e, int fd, const char *name, uint32_t root, uint64_t n_input, struct gh_err *err);

#endif
