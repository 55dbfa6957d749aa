/* SPDX-License-Identifier: Apache-2.0 */
/* Padding: see zeros.h. */
#include "codecs/flow/zeros.h"

#include "base/num.h"

enum { WINDOW = 64 << 10 };

enum gh_code gh_zeros(
	struct gh_ctx *ctx, struct gh_source *src, uint64_t from, uint64_t to, uint64_t *ret, struct gh_err *err)
{
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	enum gh_code code = GH_OK;
	uint64_t at = from;
	for (size_t i = 0, n = 0; code == GH_OK && i == n && at < to; at += i) {
		const uint8_t *p;
		n = (size_t)gh_min(WINDOW, to - at);
		code = gh_spend_steps(ctx->budget, 1, at, err);
		if (code == GH_OK)
			code = gh_view(src, ctx->arena, at, n, &p, err);
		for (i = 0; code == GH_OK && i < n && !p[i];)
			i++;
		gh_arena_release(ctx->arena, mark);
	}
	*ret = at;
	return code;
}

enum gh_code gh_zeros_or_note(
	struct gh_ctx *ctx, struct gh_source *src, uint64_t from, uint64_t to, const char *where, struct gh_err *err)
{
	uint64_t at;
	enum gh_code code = gh_zeros(ctx, src, from, to, &at, err);
	if (code == GH_OK && at < to)
		gh_note(ctx, GH_UNSUP, at, "%llu bytes %s are not looked at", (unsigned long long)(to - at), where);
	return code;
}
