/* SPDX-License-Identifier: Apache-2.0 */
/* LOOK in one process, for tests, fuzzing and the drive tool: claims in a plain table, rows to callbacks. */
#ifndef GH_TESTS_HARNESS_H
#define GH_TESTS_HARNESS_H

#include "tree/look.h"

struct gh_harness {
	struct gh_look look;
	struct gh_phase phase;
	struct gh_source *(*source)(struct gh_harness *h, struct gh_arena *arena);
	void (*row)(struct gh_harness *h, enum gh_table table, uint32_t blob, uint64_t n, uint64_t at, const void *row);
	void (*blob)(struct gh_harness *h, const struct gh_blob_row *row);
	void (*run)(
		struct gh_harness *h, uint32_t blob, unsigned plugin, const char *status, uint64_t at, const char *why);
	void *user;
	struct gh_harness_key *keys; /* claims */
	size_t n_keys, cap_keys;
	uint32_t next_blob;
};

/* Callbacks may be NULL. */
void gh_harness_init(struct gh_harness *h, uint64_t memory_limit);
void gh_harness_done(struct gh_harness *h);
/* Switches every plug-in off but this one; and then this one on too. -1: none. */
void gh_harness_only(struct gh_harness *h, int plugin);
void gh_harness_also(struct gh_harness *h, int plugin);
/* Looks at what source() gives as INPUT `name`, everything below included. */
void gh_harness_look(struct gh_harness *h, struct gh_str name, uint64_t size);

#endif
