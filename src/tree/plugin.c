/* SPDX-License-Identifier: Apache-2.0 */
/* What every plug-in shares: notes and sinks. */
#include "tree/plugin.h"

#include <stdarg.h>
#include <stdio.h>

void gh_note(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *fmt, ...)
{
	char what[160];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	ctx->ops->note(ctx, code, at, what);
}

void gh_note_err(struct gh_ctx *ctx, const struct gh_err *err)
{
	ctx->ops->note(ctx, err->code, err->at, err->what);
}

enum gh_code gh_sink_put(struct gh_sink *sink, const void *p, size_t n, struct gh_err *err)
{
	if (!n)
		return GH_OK;
	if (!sink->buf)
		return sink->write(sink, p, n, err);
	/* A full buffer tells the walk that the content wants a spill file. */
	size_t fits = n < sink->cap - sink->len ? n : sink->cap - sink->len;
	memcpy(sink->buf + sink->len, p, fits);
	sink->len += fits;
	sink->full = fits < n;
	return fits == n ? GH_OK : gh_fail(err, GH_LIMIT, sink->len, "unpacks to more than %zu bytes", sink->cap);
}

const struct gh_format *gh_format_find(struct gh_str name)
{
	for (size_t i = 0; i < gh_n_formats; i++)
		if (gh_str_is(name, gh_formats[i]->name))
			return gh_formats[i];
	return NULL;
}
