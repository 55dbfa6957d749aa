/* SPDX-License-Identifier: Apache-2.0 */
/* A member of the archive that an app is, through the reader of that format. */
#include "inspectors/resources/resources.h"

enum {
	RATIO_MAX = 64,
	RATIO_SLACK = 64 << 10,
};

extern const struct gh_format gh_format_zip; /* made by its line in plugins.txt */

/* The format zip has told its rows and notes of this archive itself. */
static uint64_t no_row(struct gh_ctx *ctx, enum gh_table table, uint64_t at, const void *row)
{
	(void)ctx, (void)table, (void)at, (void)row;
	return 0;
}

static void no_note(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *what)
{
	(void)ctx, (void)code, (void)at, (void)what;
}

static const struct gh_ctx_ops quiet = {no_row, no_note};

static enum gh_code content(struct gh_ctx *ctx, void *state, const struct gh_child *child, const uint8_t **ret_p,
	size_t *ret_n, struct gh_err *err)
{
	struct gh_source *src;
	if (!(child->flags & GH_CHILD_STREAM)) {
		enum gh_code code = gh_format_zip.data(ctx, state, child, &src, err);
		*ret_n = (size_t)child->size;
		return code ? code : gh_view(src, ctx->arena, 0, *ret_n, ret_p, err);
	}
	struct gh_sink sink = {
		.cap = (size_t)child->size, .buf = gh_alloc_raw(ctx->arena, (size_t)gh_max(child->size, 1))};
	if (!sink.buf)
		return gh_fail(err, GH_NOMEM, child->off, "no memory for %llu bytes", (unsigned long long)child->size);
	enum gh_code code = gh_format_zip.pour(ctx, state, child, &sink, err);
	*ret_p = sink.buf;
	*ret_n = sink.len;
	return code;
}

enum gh_code res_member(struct gh_ctx *ctx, struct gh_source *zip, struct gh_str name, uint64_t most,
	const uint8_t **ret_p, size_t *ret_n, struct gh_err *err)
{
	struct gh_budget budget = {.steps = ctx->budget->steps, .beat = ctx->budget->beat};
	struct gh_ctx inner = {ctx->arena, &budget, &quiet};
	struct gh_child child;
	void *state = gh_alloc(ctx->arena, gh_format_zip.state_size);
	if (!state)
		return gh_fail(err, GH_NOMEM, 0, "no memory for an archive");
	/* An inspector has no bytes to unpack. No app packs its manifest or table below a sixty-fourth. */
	most = gh_min(most, RATIO_MAX * zip->size + RATIO_SLACK);
	budget.bytes = most;
	enum gh_code code = gh_format_zip.open(&inner, zip, state, err);
	bool found = false;
	while (code == GH_OK && !found) {
		child = (struct gh_child){0};
		code = gh_format_zip.next(&inner, state, &child, err);
		found = code == GH_OK && gh_str_eq(child.name, name) && !(child.flags & GH_CHILD_UNREADABLE);
	}
	if (found) {
		if (child.size > most)
			return gh_fail(err, GH_LIMIT, child.off, "%.*s has %llu bytes", (int)name.n, name.p,
				(unsigned long long)child.size);
		code = content(&inner, state, &child, ret_p, ret_n, err);
	}
	ctx->budget->steps = budget.steps;
	return code;
}
