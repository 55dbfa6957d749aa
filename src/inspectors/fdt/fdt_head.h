/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a flattened device tree, as its readers and those of images with appended trees need it. */
#ifndef GH_INSPECTORS_FDT_HEAD_H
#define GH_INSPECTORS_FDT_HEAD_H

#include "tree/plugin.h"

enum {
	FDT_HEAD = 36, /* bytes that versions 16 and 17 have in common */
	FDT_HEAD_17 = 40,
};

struct fdt_head {
	uint32_t size; /* totalsize, this header included */
	uint32_t structs, strings, reserve; /* offsets */
	uint32_t version, compatible;
	uint32_t cpu;
	uint32_t strings_size;
	uint32_t structs_size; /* version 16 does not say: up to the strings or the end */
};

/* Does a device tree's magic stand at p[0..n)? */
bool fdt_magic(const uint8_t *p, size_t n);
/* The header at p[0..n) of a tree that has `room` bytes to lie in. GH_BAD: no such header, or its blocks lie outside of the tree;
 * GH_SHORT: the tree is cut off (the header is given); GH_UNSUP: a version before 16. `at` is for errors. */
enum gh_code fdt_head_read(
	const uint8_t *p, size_t n, uint64_t room, uint64_t at, struct fdt_head *ret, struct gh_err *err) GH_MUST;
/* The next whole tree at or behind `from`: *ret_at and its header; GH_END: there is none. Spends a step a window. */
enum gh_code fdt_find(struct gh_ctx *ctx, struct gh_source *src, uint64_t from, uint64_t *ret_at, struct fdt_head *ret,
	struct gh_err *err) GH_MUST;
/* Does a whole tree begin at `at`? */
bool fdt_begins(struct gh_source *src, uint64_t at, struct fdt_head *ret);
/* Do the last bytes of a content look like the end of a tree: names of properties, each with its zero, then perhaps padding? */
bool fdt_tail(const uint8_t *p, size_t n);
/* Does a tree begin at `at` of a packed kernel that ends like one? Then the format zimage reads what lies there. */
bool fdt_follows(struct gh_source *src, uint64_t at);

#endif
