/* SPDX-License-Identifier: Apache-2.0 */
/* payload_properties.txt of an update package (system/update_engine, "payload_properties" in payload_consumer and its README): what an
 * updater hands to update_engine beside the payload. */
#include "tree/text.h"

static bool payloadprops_wants(const struct gh_probe *probe)
{
	return gh_str_ends(probe->name, "payload_properties.txt") && gh_text_like(probe);
}

static enum gh_code payloadprops_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct gh_text t;
	struct gh_str line;
	enum gh_code code = gh_text_begin(ctx, blob, &t, err);
	while (!code && (code = gh_text_next(&t, &line, err)) == GH_OK) {
		struct gh_str s = gh_text_trim(line);
		const char *eq = s.n ? memchr(s.p, '=', s.n) : NULL;
		if (!s.n)
			continue;
		if (!eq) {
			gh_note(ctx, GH_BAD, t.at, "line %lld has no '='", (long long)t.line);
			continue;
		}
		size_t n = (size_t)(eq - s.p);
		GH_EMIT(ctx, payload_properties, t.at, .key = gh_text_cell(&t, gh_text_trim(gh_strn(s.p, n))),
			.value = gh_text_cell(&t, gh_text_trim(gh_strn(eq + 1, s.n - n - 1))), .line = t.line);
	}
	return code == GH_END ? GH_OK : code;
}

const struct gh_inspector gh_inspector_payloadprops = {
	.name = "payloadprops",
	.title = "properties of an update package",
	.version = 1,
	.wants = payloadprops_wants,
	.run = payloadprops_run,
};
