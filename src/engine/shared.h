/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the engine: memory that the coordinator and all workers share, and how workers are made. */
#ifndef GH_ENGINE_SHARED_H
#define GH_ENGINE_SHARED_H

#include "engine/claims.h"
#include "engine/engine.h"

enum {
	GH_WORKERS_MAX = 64,
	GH_POURERS = 2, /* processes that fill spill files, besides the workers */
	GH_SLOTS = GH_WORKERS_MAX + GH_POURERS,
	GH_SPILLS_MAX = 512, /* spill files in one scan */
};

enum { GH_QUEUE_MAX = 96 << 20 }; /* more jobs than this wait nowhere */

struct gh_shared {
	struct gh_phase phase[GH_SLOTS];
	int walls[GH_SLOTS]; /* of each worker's jail, plus 1 */
	struct gh_watermark mark[GH_SPILLS_MAX];
	uint64_t queued; /* atomic; bytes of jobs that wait in the coordinator */
	uint32_t pours; /* atomic; streams that were to be unpacked into spill files so far */
	struct gh_plugins given_up; /* shared; those that stopped too often in this scan */
};

/* What a worker is born with. */
struct gh_worker_kit {
	const struct gh_engine_config *config;
	struct gh_shared *shared;
	struct gh_claims *claims;
};

#ifdef GH_FAULTS
/* The fault that the environment asks for (GH_FAULT), or NULL. */
gh_fault_fn *gh_fault_wanted(void);
#endif

/* A worker's life, in its own process; channel is its end of the socket pair. */
_Noreturn void gh_worker_main(const struct gh_worker_kit *kit, unsigned slot, int channel);

/* The template: a process forked early, from which workers are forked, so that they inherit nothing of the coordinator's. */
struct gh_template {
	int fd;
	int pid;
};

bool gh_template_start(struct gh_template *t, const struct gh_worker_kit *kit);
/* A new worker for a slot: its process (a child of the caller) and the caller's end of the channel. */
bool gh_template_fork(struct gh_template *t, unsigned slot, int *ret_pid, int *ret_fd);
void gh_template_stop(struct gh_template *t);

#endif
