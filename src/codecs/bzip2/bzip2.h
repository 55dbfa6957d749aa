/* SPDX-License-Identifier: Apache-2.0 */
/* bzip2 streams: a thin layer on libbz2. For what the arguments mean see codecs/flow/flow.h. */
#ifndef GH_CODECS_BZIP2_BZIP2_H
#define GH_CODECS_BZIP2_BZIP2_H

#include "codecs/flow/flow.h"

enum gh_code gh_bzip2_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err) GH_MUST;
/* All streams that follow one another. */
enum gh_code gh_bzip2_pour(struct gh_ctx *ctx, struct gh_source *src, uint64_t off, uint64_t n, uint64_t most,
	struct gh_sink *sink, struct gh_unpacked *ret, struct gh_err *err) GH_MUST;

#endif
