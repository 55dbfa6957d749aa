/* SPDX-License-Identifier: Apache-2.0 */
/* Inside LOOK: containers, and one run of one plug-in. Included by tree/ only. */
#ifndef GH_TREE_WALK_H
#define GH_TREE_WALK_H

#include "tree/look.h"
#include "tree/measure.h"

/* One run of one plug-in over one blob: its rows, its notes, its status. */
struct gh_run_of {
	struct gh_ctx ctx;
	struct gh_look *look;
	struct gh_budget budget;
	uint32_t blob;
	int plugin;
	uint64_t base; /* of row numbers */
	uint32_t seq[GH_N_TABLES];
	enum gh_code code; /* the worst noted */
	uint64_t at;
	char why[160];
};

void gh_run_init(struct gh_run_of *run, struct gh_look *look, uint32_t blob, int plugin, uint64_t bytes, uint64_t size);
/* Row numbers for what reading one child brings, apart from those of the listing. */
void gh_run_for_child(struct gh_run_of *run, uint64_t child_row);
/* Writes the status down; code and err are those of the plug-in's own return. */
void gh_run_end(struct gh_run_of *run, enum gh_code code, const struct gh_err *err);

/* An open container. */
struct gh_container {
	const struct gh_format *format; /* NULL: the engine's own (an INPUT, a folder, a spill file) */
	void *state;
	struct gh_source *src;
	uint32_t blob;
	uint32_t depth;
	uint32_t packed; /* packed layers above it */
	uint64_t bytes;
	uint64_t size;
	const struct gh_locator *where; /* NULL: cannot be opened again */
	bool here; /* it lies in memory: its children are looked at here, not handed over */
	struct gh_run_of run;
};

struct gh_container *gh_container_open_job(struct gh_look *look, const struct gh_job *job);

/* Where a content is met. */
struct gh_place {
	struct gh_container *c;
	uint64_t row;
	const struct gh_child *child;
};

/* Looks at one content; returns its blob, or 0 with *err. */
uint32_t gh_look_content(struct gh_look *look, struct gh_source *src, const struct gh_place *at, struct gh_err *err);
/* Looks at one child: its content, its row. */
void gh_look_child(struct gh_look *look, struct gh_container *c, uint64_t row, const struct gh_child *child);
/* Lists a container whose format claims the blob, and looks at or hands over its children. Of proto all but size, state and run
 * are given. */
void gh_look_container(struct gh_look *look, const struct gh_container *proto);
/* child's content: a source, or GH_LIMIT with *ret_spill when it has to be poured into a spill file. */
enum gh_code gh_child_source(struct gh_look *look, struct gh_container *c, const struct gh_child *child,
	struct gh_source **ret, bool *ret_spill, struct gh_err *err);
void gh_phase_set(struct gh_look *look, uint32_t blob, int64_t child, int32_t plugin);
/* Back to where the worker was before it went into something. */
void gh_phase_back(struct gh_look *look, const struct gh_phase *was);
/* What says to leave this out, or NULL. plugin: who would read (a child: its container's format), or -1. */
const struct gh_skip *gh_skip_find(const struct gh_look *look, uint32_t blob, int64_t child, int32_t plugin);

#ifdef GH_FAULTS
#define GH_FAULT(look, plugin, step, name) ((look)->fault ? (look)->fault((look), (plugin), (step), (name)) : (void)0)
#else
#define GH_FAULT(look, plugin, step, name) ((void)0)
#endif

/* What an inspector may unpack of a content of that size. */
uint64_t gh_inspect_budget(uint64_t size);
/* What unpacking a part of a container may produce; packed: how many packed layers it lies in already. */
uint64_t gh_pour_budget(uint64_t bytes, uint64_t part, uint64_t whole, uint32_t packed);
struct gh_locator *gh_locator_step(struct gh_arena *arena, const struct gh_locator *where,
	const struct gh_format *format, const struct gh_child *child);

#endif
