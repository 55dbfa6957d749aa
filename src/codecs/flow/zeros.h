/* SPDX-License-Identifier: Apache-2.0 */
/* Padding: what lies behind or between the parts of an image. */
#ifndef GH_CODECS_FLOW_ZEROS_H
#define GH_CODECS_FLOW_ZEROS_H

#include "tree/plugin.h"

/* The first byte in [from, to) of src that is not zero, or `to`. Spends a step a window. */
enum gh_code gh_zeros(struct gh_ctx *ctx, struct gh_source *src, uint64_t from, uint64_t to, uint64_t *ret,
	struct gh_err *err) GH_MUST;
/* Notes what lies in [from, to) unless it is zeros: "N bytes <where> are not looked at". */
enum gh_code gh_zeros_or_note(struct gh_ctx *ctx, struct gh_source *src, uint64_t from, uint64_t to, const char *where,
	struct gh_err *err) GH_MUST;

#endif
