/* SPDX-License-Identifier: Apache-2.0 */
/* Split sets of sparse images. */
#ifndef GH_FORMATS_SPARSE_SET_H
#define GH_FORMATS_SPARSE_SET_H

#include "formats/sparse/sparse.h"

enum sparse_state { SPARSE_THERE, SPARSE_GONE, SPARSE_POINTER, SPARSE_TWICE };

struct sparse_piece {
	const struct gh_part *part;
	enum sparse_state state;
	bool read; /* it is in the image */
	enum gh_code code; /* why it is not */
	uint64_t twice; /* bytes that it gives and others had given */
	struct gh_sparse_file file;
};

struct sparse_set {
	struct sparse_piece *piece; /* in the order of their numbers */
	size_t n, there, magic;
	struct gh_sparse_list *list;
	uint64_t size, data; /* of the image; of it, what is stored */
	uint64_t end; /* of what is given so far */
	bool cut; /* the file before was cut off */
};

bool sparse_part(struct gh_str name, struct gh_arena *arena, struct gh_part_name *ret);
/* Reads the files of a set into t->list; or *ret_whole: they are, joined by bytes, one file. */
enum gh_code sparse_set_open(struct gh_ctx *ctx, const struct gh_part *parts, size_t n, struct sparse_set *t,
	struct gh_source **ret_whole, struct gh_err *err);
/* A row for each file, there or not, and what is wrong with them. */
void sparse_set_describe(struct gh_ctx *ctx, const struct sparse_set *t);

#endif
