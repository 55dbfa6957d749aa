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
	struct gh_source *src; /* for excerpts; may be NULL */
	uint32_t seq[GH_N_TABLES];
	uint64_t failed; /* allocations that had failed before it */
	enum gh_code code; /* the worst noted */
	uint64_t at;
	char why[160];
};

void gh_run_init(struct gh_run_of *run, struct gh_look *look, uint32_t blob, int plugin, uint64_t bytes, uint64_t size);
/* Row numbers for what reading one child brings, apart from those of the listing. */
void gh_run_for_child(struct gh_run_of *run, uint64_t child_row);
/* Notes it where an allocation failed since the run began: a plug-in that went on without what did not fit has lost something. */
void gh_run_lost(struct gh_run_of *run);
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
	const struct gh_part *parts; /* a set: opened from these, and not from src */
	size_t n_parts;
	struct gh_of of; /* packing around a part of a set */
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

/* Is any byte of it as costly to reach as millions? */
bool gh_costly(const struct gh_container *c);
/* Children that wait to be handed over together; NULL: they are looked at one by one. */
struct gh_batch;
struct gh_batch *gh_batch_new(struct gh_look *look, const struct gh_container *c);
void gh_batch_child(
	struct gh_look *look, struct gh_container *c, struct gh_batch *b, uint64_t row, const struct gh_child *child);
void gh_batch_end(struct gh_look *look, struct gh_container *c, struct gh_batch *b);
/* child's content: a source, or GH_LIMIT with *ret_spill when it has to be poured into a spill file. */
enum gh_code gh_child_source(struct gh_look *look, struct gh_container *c, const struct gh_child *child,
	struct gh_source **ret, bool *ret_spill, struct gh_err *err);
/* ---- sets ---- */

struct gh_set;
/* Does the coordinator put the sets of this container together, from parts that other jobs find? Else it is done here and now. */
bool gh_sets_apart(const struct gh_look *look, const struct gh_container *c);
/* Tells the coordinator of a set; its parts are to follow. False: it is done here. */
bool gh_set_announce(struct gh_look *look, struct gh_container *c, const struct gh_set *set);
/* Tells it the way to a part: the child itself. */
void gh_part_tell(struct gh_look *look, const struct gh_place *at, uint64_t size);
/* Looks at a set from the container at hand, its parts all in memory. */
void gh_set_look_here(struct gh_look *look, struct gh_container *c, const struct gh_set *set);
/* The parts that the locator names, as sources; what is not there has none. */
enum gh_code gh_parts_open(struct gh_look *look, struct gh_arena *arena, const struct gh_locator *where,
	struct gh_part **ret, uint64_t *ret_size, struct gh_err *err);
/* Looks at the set behind this child, opened from parts; returns its blob, or 0 with *err. where: NULL where it cannot be opened
 * again. */
uint32_t gh_look_set(struct gh_look *look, const struct gh_place *at, const struct gh_part *parts, size_t n,
	uint64_t size, const struct gh_locator *where, struct gh_err *err);
extern const struct gh_ctx_ops gh_quiet_ops; /* what is told is dropped: it was told before */
/* Is there anything to read in it? */
bool gh_child_has_content(const struct gh_child *child);

/* A row with the MD5, if it was measured; part: of so many bytes before the end, 0: of all. */
void gh_md5_tell(struct gh_look *look, uint32_t blob, const struct gh_measure *m, uint64_t part);
/* The hash of a content whose blob is known already, and what its child's flags ask for besides. */
enum gh_code gh_hash_apart(
	struct gh_look *look, struct gh_source *src, uint32_t blob, uint32_t flags, struct gh_err *err) GH_MUST;
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
