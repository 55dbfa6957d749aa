/* SPDX-License-Identifier: Apache-2.0 */
/* xz streams (xz-file-format.txt 1.1.0), LZMA alone (.lzma), raw LZMA1 and MicroLZMA: a thin layer on liblzma. For what the arguments
 * of whole() and pour() mean see codecs/flow/flow.h. */
#ifndef GH_CODECS_XZ_XZ_H
#define GH_CODECS_XZ_XZ_H

#include "codecs/flow/flow.h"

/* One xz stream; its checks are verified. */
enum gh_code gh_xz_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err) GH_MUST;
/* All xz streams that follow one another, with the padding between and behind them (zeros, a multiple of four bytes). */
enum gh_code gh_xz_pour(struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, uint64_t most,
	struct gh_sink *sink, struct gh_unpacked *ret, struct gh_err *err) GH_MUST;
/* A single block of an xz stream, its header first, as the index tells it; `check` is the type in the stream's flags (0..15). */
enum gh_code gh_xz_block(struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, unsigned check,
	struct gh_sink *sink, struct gh_unpacked *ret, struct gh_err *err) GH_MUST;

/* LZMA alone, of known or unknown size. */
enum gh_code gh_lzma_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err) GH_MUST;
enum gh_code gh_lzma_pour(struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, uint64_t most,
	struct gh_sink *sink, struct gh_unpacked *ret, struct gh_err *err) GH_MUST;

/* How raw LZMA1 was packed: what its container says of it. */
struct gh_lzma1 {
	unsigned lc, lp, pb;
	uint32_t dict;
};

/* Raw LZMA1 without header or end marker: exactly cap bytes come from all n bytes, or GH_BAD, GH_SHORT. */
enum gh_code gh_lzma1_whole(struct gh_ctx *ctx, const struct gh_lzma1 *how, const uint8_t *in, size_t n, uint8_t *out,
	size_t cap, size_t *ret_n, uint64_t at, struct gh_err *err) GH_MUST;
/* MicroLZMA (EROFS): the first byte holds the properties, inverted. The n bytes are the whole stream. With `exact` it gives exactly cap
 * bytes, else cap bytes are its beginning. dict: the size it was packed with, or more. */
enum gh_code gh_microlzma_whole(struct gh_ctx *ctx, uint32_t dict, bool exact, const uint8_t *in, size_t n,
	uint8_t *out, size_t cap, size_t *ret_n, uint64_t at, struct gh_err *err) GH_MUST;

#endif
