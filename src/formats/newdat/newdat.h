/* SPDX-License-Identifier: Apache-2.0 */
/* Block updates: the transfer list, and which bytes of the image each of its commands gives. */
#ifndef GH_FORMATS_NEWDAT_NEWDAT_H
#define GH_FORMATS_NEWDAT_NEWDAT_H

#include "tree/plugin.h"

enum {
	NEWDAT_BLOCK = 4096,
	NEWDAT_LIST_MAX =
		32 << 20, /* bytes of a transfer list; those of whole images stay below 1 MiB, of deltas below 16 */
	NEWDAT_RANGES_MAX = 1 << 20, /* 24 MiB of memory; real lists have some thousands */
	NEWDAT_NOTES = 32, /* about lines; the others are counted */
};

enum newdat_word {
	NEWDAT_NEW,
	NEWDAT_ZERO,
	NEWDAT_ERASE,
	NEWDAT_MOVE,
	NEWDAT_BSDIFF,
	NEWDAT_IMGDIFF,
	NEWDAT_STASH,
	NEWDAT_FREE,
	NEWDAT_HASH_TREE,
	NEWDAT_WORDS,
};

extern const char *const newdat_words[NEWDAT_WORDS];

/* Blocks [from, to) of the image, by the seq-th range of the list. */
struct newdat_range {
	uint32_t from, to;
	uint32_t seq;
	uint32_t word;
	uint64_t data; /* NEWDAT_NEW: where its bytes begin in new.dat */
};

struct newdat_list {
	uint64_t version;
	uint64_t total; /* blocks that it says are written */
	uint64_t stash_entries, stash_blocks; /* version 2 and later */
	uint64_t written; /* blocks that its commands write */
	uint64_t commands[NEWDAT_WORDS], blocks[NEWDAT_WORDS];
	uint64_t data; /* bytes of new.dat that it wants */
	uint32_t end; /* blocks of the image: behind the last that a command names */
	struct newdat_range *range;
	size_t n, cap;
	uint64_t bad; /* lines that make no sense */
	bool lost; /* of the image, some blocks are not known: a line that makes no sense may have given them */
};

/* Reads a transfer list; what makes no sense is noted with its offset and stepped over. */
enum gh_code newdat_read(struct gh_ctx *ctx, struct gh_source *src, struct newdat_list *ret, struct gh_err *err);
/* The ranges in the order of the image, none over another: the later one counts. */
enum gh_code newdat_flatten(struct gh_ctx *ctx, struct newdat_list *l, struct gh_err *err);

#endif
