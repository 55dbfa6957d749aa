/* SPDX-License-Identifier: Apache-2.0 */
/* What formats of one packed content share: the child, and what lies behind the stream. */
#ifndef GH_CODECS_FLOW_PACKED_H
#define GH_CODECS_FLOW_PACKED_H

#include "codecs/flow/flow.h"

struct gh_packed {
	struct gh_source *src;
	bool listed;
};

enum gh_code gh_packed_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err) GH_MUST;
/* The one child, then GH_END. size: what is known of it, or 0: three times the packed size is the hint. */
enum gh_code gh_packed_next(struct gh_packed *packed, uint64_t size, struct gh_child *ret) GH_MUST;
/* After gh_NAME_pour() went well: zeros behind it are padding, four bytes that equal the unpacked size are what Linux appends to its
 * kernels; anything else is told. */
enum gh_code gh_packed_rest(struct gh_ctx *ctx, struct gh_source *src, const struct gh_unpacked *u, const char *name,
	struct gh_err *err) GH_MUST;
/* For data(): there is nothing to read at. */
enum gh_code gh_packed_data(struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret,
	struct gh_err *err) GH_MUST;

#endif
