/* SPDX-License-Identifier: Apache-2.0 */
/* Zstandard frames (RFC 8878): a thin layer on libzstd. For what the arguments of whole() and pour() mean see codecs/flow/flow.h. */
#ifndef GH_CODECS_ZSTD_ZSTD_H
#define GH_CODECS_ZSTD_ZSTD_H

#include "codecs/flow/flow.h"

enum {
	/* `zstd --long` takes 128 MiB and the tool itself unpacks no more unasked; headers may ask for exabytes. */
	GH_ZSTD_WINDOW_MAX = 128 << 20,
	GH_ZSTD_HEADER_MAX = 18,
};

struct gh_zstd_frame {
	bool skippable;
	bool sized; /* the content's size is told */
	uint64_t size; /* of the content; of a skippable frame: with its header */
	uint64_t window; /* bytes of history that the decoder must keep */
	uint32_t dict; /* id of the dictionary; 0: none */
	size_t header; /* bytes of the header */
};

/* The header of a frame in p[0..n). GH_END: no frame begins here; GH_SHORT: it goes on behind n; GH_BAD: a reserved bit is set. */
enum gh_code gh_zstd_frame(
	const uint8_t *p, size_t n, uint64_t at, struct gh_zstd_frame *ret, struct gh_err *err) GH_MUST;

/* The first frame that is no skippable one. */
enum gh_code gh_zstd_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err) GH_MUST;
/* All frames that follow one another; skippable ones are stepped over. */
enum gh_code gh_zstd_pour(struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, uint64_t most,
	struct gh_sink *sink, struct gh_unpacked *ret, struct gh_err *err) GH_MUST;

#endif
