/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lz4: the streams of one file. */
#ifndef GH_FORMATS_LZ4_LZ4_STREAM_H
#define GH_FORMATS_LZ4_LZ4_STREAM_H

#include "tree/plugin.h"

enum {
	LZ4_FRAME_HEADER_MAX = 19,
	LZ4_LEGACY_BLOCK = 8 << 20, /* unpacked */
	LZ4_LEGACY_PACKED_MAX = LZ4_LEGACY_BLOCK + LZ4_LEGACY_BLOCK / 255 + 16, /* LZ4_compressBound */
	LZ4_HISTORY = 64 << 10,
};

static const uint32_t LZ4_MAGIC_LEGACY = 0x184c2102, LZ4_MAGIC_FRAME = 0x184d2204, LZ4_MAGIC_SKIP = 0x184d2a50;

struct lz4_frame {
	uint32_t header_size;
	uint32_t block_max;
	bool independent, block_sums, content_sum, sized, dictionary, checked;
	uint64_t content_size;
};

/* A frame header at p. GH_SHORT, or GH_UNSUP for other versions of the format. */
enum gh_code lz4_frame_header(const uint8_t *p, size_t n, uint64_t at, struct lz4_frame *ret, struct gh_err *err);
/* Unpacks all streams of src. */
enum gh_code lz4_streams(struct gh_ctx *ctx, struct gh_source *src, struct gh_sink *sink, struct gh_err *err);

#endif
