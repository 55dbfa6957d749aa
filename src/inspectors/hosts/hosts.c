/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts files (hosts(5)): an address and the names that lead to it, one row a name. */
#include "base/lines.h"
#include "tree/plugin.h"

enum { SIZE_MAX_HOSTS = 32 << 20 }; /* the largest block lists have some 5 MiB */

static bool hosts_wants(const struct gh_probe *probe)
{
	return gh_str_is(probe->name, "hosts") ||
	       (gh_str_starts(probe->name, "hosts.") && probe->size < SIZE_MAX_HOSTS);
}

static enum gh_code hosts_line(struct gh_ctx *ctx, struct gh_lines *l, struct gh_err *err)
{
	struct gh_str rest = l->line, ip, host;
	const char *comment = memchr(rest.p, '#', rest.n);
	if (comment)
		rest.n = (size_t)(comment - rest.p);
	if (!gh_str_word(&rest, &ip))
		return GH_OK;
	bool any = false;
	while (gh_str_word(&rest, &host)) {
		enum gh_code code = gh_spend_steps(ctx->budget, 1, l->at, err);
		if (code)
			return code;
		GH_EMIT(ctx, hosts_entries, gh_lines_at(l, host), .ip = ip, .host = host, .line = l->number);
		any = true;
	}
	if (!any)
		gh_note(ctx, GH_BAD, l->at, "line %lld has an address without a name", (long long)l->number);
	return GH_OK;
}

static enum gh_code hosts_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (!blob->data)
		return gh_fail(err, GH_LIMIT, 0, "too large for a hosts file");
	struct gh_lines l = gh_lines(blob->data, (size_t)blob->size);
	enum gh_code code = GH_OK;
	while (code == GH_OK && gh_lines_next(&l))
		code = hosts_line(ctx, &l, err);
	return code;
}

const struct gh_inspector gh_inspector_hosts = {
	.name = "hosts", .title = "hosts file", .version = 1, .wants = hosts_wants, .run = hosts_run};
