/* SPDX-License-Identifier: Apache-2.0 */
/* Inside verity: a hash tree recomputed over the data it is for. */
#ifndef GH_INSPECTORS_VERITY_TREE_H
#define GH_INSPECTORS_VERITY_TREE_H

#include "tree/plugin.h"

enum { TREE_DIGEST_MAX = 64 };

struct tree_parameters {
	uint64_t data_size; /* a multiple of data_block */
	uint32_t data_block, hash_block; /* powers of two */
	const void *md; /* EVP_MD */
	size_t digest_len;
	const uint8_t *salt;
	size_t salt_len;
	uint64_t tree_off, tree_size; /* where the stored tree lies */
	const uint8_t *root; /* digest_len bytes: what it shall come to */
};

struct tree_result {
	uint8_t root[TREE_DIGEST_MAX];
	bool good; /* the data has that root */
	bool stored_good; /* the stored tree has that root */
	bool stored_same; /* the stored tree is that of the data */
	uint64_t
		first_bad; /* block of the data that is the first to differ from a stored tree with that root; UINT64_MAX: none */
	uint64_t first_other; /* offset of the first block of the stored tree that differs; UINT64_MAX: none */
};

/* One pass over the data, one over the stored tree. */
enum gh_code tree_check(struct gh_ctx *ctx, struct gh_source *src, const struct tree_parameters *p,
	struct tree_result *ret, struct gh_err *err) GH_MUST;

#endif
