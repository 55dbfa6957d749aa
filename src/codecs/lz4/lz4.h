/* SPDX-License-Identifier: Apache-2.0 */
/* LZ4 blocks (lz4_Block_format.md), a thin layer on liblz4. Frames are the business of formats. */
#ifndef GH_CODECS_LZ4_LZ4_H
#define GH_CODECS_LZ4_LZ4_H

#include "base/err.h"

/* Unpacks one raw block. Without `partial`, the n bytes at in must be exactly one block and give exactly out_n bytes; with it,
 * the first out_n bytes that the block gives are enough, and what follows them in the input is ignored. GH_BAD with `at`
 * otherwise; out may then hold anything. */
enum gh_code gh_lz4_block(
	const uint8_t *in, size_t n, uint8_t *out, size_t out_n, bool partial, uint64_t at, struct gh_err *err) GH_MUST;

/* Unpacks one raw block that gives up to cap bytes; *ret_n says how many. The `history` bytes before out (at most 64 KiB) are
 * what came before, for blocks that depend on it. */
enum gh_code gh_lz4_next(const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t history, size_t *ret_n,
	uint64_t at, struct gh_err *err) GH_MUST;

#endif
