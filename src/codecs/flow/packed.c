/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of one packed content: see packed.h. */
#include "codecs/flow/packed.h"

#include "base/num.h"

enum gh_code gh_packed_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	(void)ctx, (void)err;
	((struct gh_packed *)state)->src = src;
	return GH_OK;
}

enum gh_code gh_packed_next(struct gh_packed *packed, uint64_t size, struct gh_child *ret)
{
	if (packed->listed)
		return GH_END;
	packed->listed = true;
	*ret = (struct gh_child){.kind = GH_MEMBER,
		.flags = GH_CHILD_STREAM | GH_CHILD_SIZE_HINT,
		.name = GH_STR("content"),
		.csize = packed->src->size,
		.size = size};
	if (!size && !gh_mul(packed->src->size, 3, &ret->size))
		ret->size = packed->src->size;
	return GH_OK;
}

static enum gh_code is_size(struct gh_source *src, const struct gh_unpacked *u, bool *ret, struct gh_err *err)
{
	uint8_t b[4];
	*ret = false;
	if (src->size - u->in != sizeof b)
		return GH_OK;
	enum gh_code code = gh_read(src, u->in, b, sizeof b, err);
	struct gh_cursor c = gh_cursor(b, sizeof b, u->in);
	*ret = gh_u32(&c) == (uint32_t)u->out;
	return code;
}

enum gh_code gh_packed_rest(
	struct gh_ctx *ctx, struct gh_source *src, const struct gh_unpacked *u, const char *name, struct gh_err *err)
{
	uint8_t b[4096];
	bool size;
	enum gh_code code = is_size(src, u, &size, err);
	for (uint64_t at = u->in; code == GH_OK && !size && at < src->size;) {
		size_t n = gh_min(src->size - at, sizeof b);
		code = gh_spend_steps(ctx->budget, 1, at, err);
		if (code == GH_OK)
			code = gh_read(src, at, b, n, err);
		for (size_t i = 0; code == GH_OK && i < n; i++)
			if (b[i])
				return gh_fail(err, GH_UNSUP, at + i, "%llu bytes behind the %s stream are not read",
					(unsigned long long)(src->size - at - i), name);
		at += n;
	}
	return code;
}

enum gh_code gh_packed_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	(void)ctx, (void)state, (void)ret;
	return gh_fail(err, GH_UNSUP, child->off, "a packed stream has no place to read at");
}
