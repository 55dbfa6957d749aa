/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that `gifthorse phone` wrote: what the phone said of its own files. */
#ifndef GH_ENGINE_ACQUIRED_H
#define GH_ENGINE_ACQUIRED_H

#include "base/str.h"

/* What entries.attrs says of such files. */
enum gh_told_kind {
	GH_TOLD_HERE = 2, /* attributes by the phone's own word, content pulled */
	GH_TOLD_DENIED = 3, /* the phone does not let it be read */
	GH_TOLD_HASHED = 4, /* hashed by the phone itself, since a reference has that content */
	GH_TOLD_LEFT = 5, /* not tried, or cut off */
};

struct gh_told {
	struct gh_str path, label, target; /* p NULL: not told */
	uint32_t mode; /* with its type; 0: not told */
	uint32_t uid, gid;
	uint64_t size;
	int64_t mtime;
	enum gh_told_kind kind;
	bool hashed, used;
	uint8_t sha256[32];
};

struct gh_acquired {
	struct gh_told *v; /* by path */
	size_t n;
	bool cut; /* lines that could not be read, or too many */
};

/* Is the folder an acquisition? Reads its files.tsv then; false also without memory. */
bool gh_acquired_read(int folder, struct gh_arena *arena, struct gh_acquired *ret);
struct gh_told *gh_acquired_find(const struct gh_acquired *a, struct gh_str path);

#endif
