/* SPDX-License-Identifier: Apache-2.0 */
/* Brotli (RFC 7932): a thin layer on libbrotlidec. For what the arguments mean see codecs/flow/flow.h. */
#ifndef GH_CODECS_BROTLI_BROTLI_H
#define GH_CODECS_BROTLI_BROTLI_H

#include "codecs/flow/flow.h"

enum gh_code gh_brotli_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err) GH_MUST;
/* One stream: none can follow another, since nothing marks a beginning. */
enum gh_code gh_brotli_pour(struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, uint64_t most,
	struct gh_sink *sink, struct gh_unpacked *ret, struct gh_err *err) GH_MUST;

#endif
