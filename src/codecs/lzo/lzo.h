/* SPDX-License-Identifier: Apache-2.0 */
/* LZO1X blocks, and those of LZO-RLE (Linux, Documentation/staging/lzo.rst). */
#ifndef GH_CODECS_LZO_LZO_H
#define GH_CODECS_LZO_LZO_H

#include "tree/plugin.h"

/* Unpacks the block in in[0..n) to out[0..cap); *ret_n says how many bytes came, with errors too. What lies behind its end is not
 * looked at. Linux's "lzo-rle" is told by its version byte. GH_LIMIT: out is full and the
 * block not over; GH_SHORT: the input ends first; GH_BAD: it refers to what lies before the output. ctx is not used: no memory is
 * needed. `at` is where the input lies. */
enum gh_code gh_lzo_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err) GH_MUST;

#endif
