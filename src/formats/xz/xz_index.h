/* SPDX-License-Identifier: Apache-2.0 */
/* The index of an xz file: where its blocks lie (xz-file-format.txt, chapters 2 and 4). */
#ifndef GH_FORMATS_XZ_XZ_INDEX_H
#define GH_FORMATS_XZ_XZ_INDEX_H

#include "tree/plugin.h"

struct xz_block {
	uint64_t from; /* of its header, in the file */
	uint64_t packed; /* header, data, padding and check */
	uint64_t at; /* in the content */
	uint64_t size; /* unpacked */
	uint8_t check; /* type of check of its stream */
};

struct xz_index {
	struct xz_block *blocks; /* ascending */
	uint64_t n;
	uint64_t size; /* of the content */
	uint64_t largest; /* block, unpacked */
};

/* Reads the indexes of all streams, from the end. GH_END: the file has none that fits to its end and to itself; it is then unpacked in
 * order. Memory from the arena. */
enum gh_code xz_index_read(struct gh_ctx *ctx, struct gh_source *src, struct xz_index *ret, struct gh_err *err) GH_MUST;

#endif
