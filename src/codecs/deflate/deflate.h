/* SPDX-License-Identifier: Apache-2.0 */
/* DEFLATE (RFC 1951): raw streams, poured into a sink. A thin layer: libdeflate where input and output lie whole in memory,
 * zlib where they do not or where the stream is broken and what comes before the break is wanted. */
#ifndef GH_CODECS_DEFLATE_DEFLATE_H
#define GH_CODECS_DEFLATE_DEFLATE_H

#include "tree/plugin.h"

/* How a stream went; filled on success and on failure. */
struct gh_deflated {
	uint64_t in; /* bytes of input used, up to and with the stream's last */
	uint64_t out; /* bytes delivered */
	uint32_t crc; /* CRC-32 of what was delivered */
	bool ended; /* the stream's own end was reached; false with GH_OK: there is more than `most` */
};

/* Unpacks the stream that begins at `off` of src and lies within n bytes, delivers at most `most` bytes of it to the sink (sink may
 * be NULL: nothing is delivered, only measured) and spends budget->bytes for them. GH_BAD: no DEFLATE, err->at in src;
 * GH_SHORT: the n bytes end before the stream; GH_LIMIT: the budget or the sink is full. Scratch memory is taken from the arena
 * and given back: a sink's write() must not keep anything in that arena. */
enum gh_code gh_deflate_pour(struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, uint64_t most,
	struct gh_sink *sink, struct gh_deflated *ret, struct gh_err *err) GH_MUST;

/* One raw stream, or one of zlib (RFC 1950, its Adler-32 verified), in in[0..n) to out[0..cap); *ret_n says how many bytes came, with
 * errors too. What lies behind the stream is not looked at. GH_LIMIT: out is full and the stream not over (who needs only the first
 * bytes has them); GH_SHORT: the input ends first; GH_BAD. `at` is where the input lies. No budget is spent: cap is the caller's. */
enum gh_code gh_deflate_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err) GH_MUST;
enum gh_code gh_zlib_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err) GH_MUST;

/* CRC-32 as gzip and zip use it, over a further piece; begins with 0. */
uint32_t gh_crc32(uint32_t crc, const void *p, size_t n);

#endif
