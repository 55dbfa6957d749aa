/* SPDX-License-Identifier: Apache-2.0 */
/* Android sparse images as lists of extents: what one file gives, and what the engine needs to join the files of a split set. */
#ifndef GH_FORMATS_SPARSE_SPARSE_H
#define GH_FORMATS_SPARSE_SPARSE_H

#include "tree/plugin.h"

/* A list of extents of the image, ascending and without overlap, as gh_source_map() takes it. */
struct gh_sparse_list {
	struct gh_extent *ext;
	size_t n;
	size_t cap;
};

#define GH_SPARSE_MAGIC 0xed26ff3au

enum { GH_SPARSE_PROBLEMS = 16 }; /* kept of one file; the others are counted: one damaged length makes many */

struct gh_sparse_problem {
	enum gh_code code;
	uint64_t at; /* in the file */
	char what[96];
};

/* What one file says and what is wrong with it. */
struct gh_sparse_file {
	uint16_t minor;
	uint16_t header_size, chunk_header_size;
	uint32_t block_size;
	uint32_t blocks; /* of the image, as the header says; the same in every file of a split set */
	uint32_t chunks;
	uint32_t checksum; /* 0: none */
	uint32_t crc_chunks;
	uint64_t size; /* of the image in bytes: the header's blocks, or the chunks' if they go beyond */
	uint64_t begin; /* of the image: first byte that a raw or fill chunk of this file gives; size if none does */
	uint64_t given; /* of the image: where the last raw or fill chunk ends; 0 if there is none */
	uint64_t end; /* of the image: where the chunks that could be read end; < size: the rest is lost (or partial) */
	uint64_t used; /* bytes of the file up to the end of its last chunk; another file of the set may follow there */
	uint64_t data; /* bytes that raw chunks give */
	bool cut; /* reading stopped at damage: what lies behind `end` is unknown, not empty */
	size_t n_problems; /* found; the first GH_SPARSE_PROBLEMS are in problem[] */
	struct gh_sparse_problem problem[GH_SPARSE_PROBLEMS];
};

/* Reads the header and the chunk headers of one sparse file and appends its raw and fill extents to *list; raw extents point
 * into src. Skipped ("don't care") blocks and zero fill give no extent: gaps of a map are zeros.
 *
 * To join a split set, call it for each file in the order of their numbers with one list, then make one gh_source_map() of
 * the list, of the largest ret->size. Each file of a set has the image's whole length in its header and skips what its
 * siblings hold. An extent that reaches back over what the list already has is cut and becomes a problem of its file.
 *
 * Damage is in ret->problem, and what was readable before it is in the list. Fails only for an unusable header (GH_BAD,
 * GH_SHORT, GH_UNSUP), GH_NOMEM, GH_IO, or GH_LIMIT of the budget's steps (one a chunk). */
enum gh_code gh_sparse_extents(struct gh_arena *arena, struct gh_budget *budget, struct gh_source *src,
	struct gh_sparse_list *list, struct gh_sparse_file *ret, struct gh_err *err) GH_MUST;

/* Appends an extent behind all others of the list: for the caller's own (the lost end of a damaged file). */
enum gh_code gh_sparse_append(
	struct gh_arena *arena, struct gh_sparse_list *list, const struct gh_extent *e, struct gh_err *err) GH_MUST;

#endif
