/* SPDX-License-Identifier: Apache-2.0 */
/* all_files.txt, the list of files that unpackers of firmware leave beside an unpacked phone (the dump scripts that public dumps are
 * made with; no specification): a path a line, as `find` prints it, or a size, a tab and a path. flashfile.xml, the maker's list of the
 * images of a package, is read in flashfile.c. */
#include "base/lines.h"
#include "inspectors/listing/listing.h"

static bool listing_wants(const struct gh_probe *probe)
{
	return gh_str_is(probe->name, "all_files.txt") || gh_str_is(probe->name, "flashfile.xml") ||
	       gh_str_is(probe->name, "servicefile.xml");
}

static enum gh_code listing_line(struct gh_ctx *ctx, struct gh_lines *l, struct gh_err *err)
{
	struct gh_str path = l->line;
	uint64_t size = UINT64_MAX;
	const char *tab = memchr(path.p, '\t', path.n);
	if (tab && gh_str_u64(gh_strn(path.p, (size_t)(tab - path.p)), 10, &size))
		path = gh_strn(tab + 1, path.n - (size_t)(tab + 1 - path.p));
	if (gh_str_starts(path, "./"))
		path = gh_strn(path.p + 2, path.n - 2);
	if (!path.n)
		return GH_OK;
	enum gh_code code = gh_spend_steps(ctx->budget, 1, l->at, err);
	if (code == GH_OK)
		GH_EMIT(ctx, listing, gh_lines_at(l, path), .path = path,
			.size = size > INT64_MAX ? GH_NULL : (int64_t)size, .line = l->number);
	return code;
}

static enum gh_code listing_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (!blob->data)
		return gh_fail(err, GH_LIMIT, 0, "too large for a list of files");
	if (!gh_str_is(blob->name, "all_files.txt"))
		return gh_flashfile(ctx, blob, err);
	struct gh_lines l = gh_lines(blob->data, (size_t)blob->size);
	enum gh_code code = GH_OK;
	while (code == GH_OK && gh_lines_next(&l))
		code = listing_line(ctx, &l, err);
	return code;
}

const struct gh_inspector gh_inspector_listing = {.name = "listing",
	.title = "list of a phone's files or images",
	.version = 3,
	.wants = listing_wants,
	.run = listing_run};
