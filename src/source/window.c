/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: windows. */
#include "source/window.h"

#include "base/num.h"

static enum gh_code window_load(struct gh_window *w, struct gh_arena *arena, uint64_t off, size_t n, struct gh_err *err)
{
	if (!w->buf && !(w->buf = gh_alloc_raw(arena, w->cap)))
		return gh_fail(err, GH_NOMEM, off, "no memory for a window");
	size_t get = (size_t)gh_min(gh_max(n, w->step), w->src->size - off);
	w->n = 0;
	enum gh_code code = gh_read(w->src, off, w->buf, get, err);
	if (code)
		return code;
	w->at = off;
	w->n = get;
	return GH_OK;
}

enum gh_code gh_window_get(
	struct gh_window *w, struct gh_arena *arena, uint64_t off, size_t n, const uint8_t **ret, struct gh_err *err)
{
	if (!gh_within(off, n, w->src->size))
		return gh_fail(err, GH_SHORT, off, "%zu bytes wanted, the data ends at %llu", n,
			(unsigned long long)w->src->size);
	if (n && w->src->ops->view && (*ret = w->src->ops->view(w->src, off, n)))
		return GH_OK;
	if (n > w->cap)
		return gh_fail(err, GH_LIMIT, off, "a record of %zu bytes is longer than %zu", n, w->cap);
	if (!w->buf || off < w->at || off - w->at > w->n || n > w->n - (off - w->at)) {
		enum gh_code code = window_load(w, arena, off, n, err);
		if (code)
			return code;
	}
	*ret = w->buf + (off - w->at);
	return GH_OK;
}
