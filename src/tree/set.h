/* SPDX-License-Identifier: Apache-2.0 */
/* Sets: files beside each other in an archive or a folder that make one artifact together, told by their names. */
#ifndef GH_TREE_SET_H
#define GH_TREE_SET_H

#include "tree/look.h"

enum {
	GH_SETS_MAX = 256, /* in one container; real packages have some ten */
	/* A packed part that is larger goes through a spill file, since all parts of a set are needed at the same time. */
	GH_PART_WHOLE_MAX = 256 << 10,
};

struct gh_set_part {
	uint32_t role;
	uint32_t index;
	uint32_t nth; /* in the order of the container */
	uint64_t row;
	struct gh_child child; /* its texts lie in the arena of the sets */
};

struct gh_set {
	struct gh_set *next;
	struct gh_str name;
	unsigned format; /* number in gh_formats */
	uint64_t row; /* of the set in the container */
	bool loose; /* its parts are so only if the format knows them by their content */
	uint32_t n;
	struct gh_set_part part[GH_PARTS_MAX]; /* in the order of the container */
	uint8_t order[GH_PARTS_MAX]; /* once it is closed: the parts in the order that the format wants */
};

/* The sets of one container, in the order in which their first parts were met. */
struct gh_sets {
	struct gh_arena arena;
	struct gh_set *first, **last;
	unsigned n;
	uint32_t rows[GH_MAX_PLUGINS]; /* sets of each format so far */
	bool full; /* there were more sets, or more parts of one, than are kept */
};

void gh_sets_init(struct gh_sets *sets);
void gh_sets_done(struct gh_sets *sets);
/* Is the name that of a part, and of which set? */
bool gh_set_name(struct gh_str name, struct gh_arena *arena, unsigned *ret_format, struct gh_part_name *ret);
/* Takes a child that is part of a set, by its name; NULL if it is none. The set stays where it is. */
struct gh_set *gh_sets_add(struct gh_sets *sets, uint64_t row, const struct gh_child *child);
/* Brings the parts into the order that the format wants, and writes into each which it is; blob: of the container. */
void gh_set_close(struct gh_set *set, uint32_t blob);
/* The child that the set is together, as far as it is known without its parts' contents. */
struct gh_child gh_set_child(const struct gh_set *set);
/* Is that content a part, when the name alone is no proof? */
bool gh_part_known(const struct gh_of *of, const struct gh_probe *probe);

#endif
