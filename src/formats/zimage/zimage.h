/* SPDX-License-Identifier: Apache-2.0 */
/* Inside zimage: what is known of an open kernel image. */
#ifndef GH_FORMATS_ZIMAGE_H
#define GH_FORMATS_ZIMAGE_H

#include "inspectors/fdt/fdt_head.h"

enum zimage_kind { ZIMAGE_NONE, ZIMAGE_ARM, ZIMAGE_ARM64, ZIMAGE_EFI, ZIMAGE_X86, ZIMAGE_RAW, ZIMAGE_PACKED };
enum zimage_method { ZIMAGE_GZIP = 1, ZIMAGE_XZ, ZIMAGE_LZMA, ZIMAGE_ZSTD, ZIMAGE_LZ4 };

struct zimage {
	struct gh_source *src;
	enum zimage_kind kind;
	uint64_t end; /* of the zImage itself */
	uint64_t payload, payload_size; /* of the kernel inside; 0: none */
	enum zimage_method method; /* of a zImage's kernel, which is unpacked here; 0: given as it lies */
	bool listed;
	uint64_t pos; /* where trees are looked for */
	uint32_t trees;
};

/* How what begins at p[0..n) is packed; 0: not in a way that kernels are. */
enum zimage_method zimage_method(const uint8_t *p, size_t n);
/* Finds the packed kernel behind a zImage's unpacking code: payload, payload_size, method. GH_END: none. */
enum gh_code zimage_find(struct gh_ctx *ctx, struct zimage *z, struct gh_err *err) GH_MUST;
enum gh_code zimage_pour(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_sink *sink, struct gh_err *err);

#endif
