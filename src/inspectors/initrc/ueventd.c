/* SPDX-License-Identifier: Apache-2.0 */
/* ueventd*.rc: who may open which device node (AOSP system/core/init/README.ueventd.md). */
#include "base/num.h"
#include "inspectors/initrc/initrc.h"

/* "/dev/x 0660 user group", or "/sys/x attribute 0660 user group". */
static enum gh_code node(struct initrc *r, struct gh_err *err)
{
	struct gh_arena *arena = r->ctx->arena;
	uint64_t mode;
	bool plain = r->n >= 4 && gh_str_u64(r->w[1], 8, &mode) && mode <= 07777;
	bool sys = !plain && r->n >= 5 && gh_str_u64(r->w[2], 8, &mode) && mode <= 07777;
	if (!plain && !sys) {
		gh_note(r->ctx, GH_BAD, r->place.at, "line %lld: no mode, user and group", (long long)r->place.line);
		return GH_OK;
	}
	struct gh_str name = r->w[0];
	if (sys)
		name = gh_str_fmt(arena, "%.*s/%.*s", (int)gh_min(name.n, GH_CELL_MAX), name.p,
			(int)gh_min(r->w[1].n, GH_CELL_MAX), r->w[1].p);
	if (!name.p)
		return gh_fail(err, GH_NOMEM, r->place.at, "no memory for a name");
	size_t u = plain ? 2 : 3;
	GH_EMIT(r->ctx, ueventd, r->place.at, .node = gh_text_cell(&r->place, name), .mode = (int64_t)mode,
		.uid = gh_text_cell(&r->place, r->w[u]), .gid = gh_text_cell(&r->place, r->w[u + 1]),
		.line = r->place.line);
	return GH_OK;
}

enum gh_code ueventd_run(struct initrc *r, struct gh_err *err)
{
	enum gh_code code;
	while (!(code = initrc_next(r, err))) {
		struct gh_mark mark = gh_arena_mark(r->ctx->arena);
		/* Subsystems and settings have no nodes. */
		if (r->w[0].n && *r->w[0].p == '/')
			code = node(r, err);
		gh_arena_release(r->ctx->arena, mark);
		if (code)
			return code;
	}
	return code == GH_END ? GH_OK : code;
}
