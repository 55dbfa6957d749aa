/* SPDX-License-Identifier: Apache-2.0 */
/* Property files: key=value lines and imports, as init reads them (AOSP system/core/init/property_service.cpp, LoadProperties). */
#include "tree/text.h"

static bool properties_wants(const struct gh_probe *probe)
{
	struct gh_str n = probe->name;
	bool name = gh_str_ends(n, ".prop") || gh_str_is(n, "prop.default") || gh_str_starts(n, "build.prop.") ||
		    gh_str_starts(n, "default.prop.");
	return name && gh_text_like(probe);
}

static void properties_line(struct gh_text *t, struct gh_str s)
{
	s = gh_text_trim(s);
	if (!s.n || *s.p == '#')
		return;
	if (gh_str_starts(s, "import ")) {
		GH_EMIT(t->ctx, properties, t->at, .key = GH_STR("import"),
			.value = gh_text_cell(t, gh_text_trim(gh_strn(s.p + 7, s.n - 7))), .line = t->line);
		return;
	}
	const char *eq = memchr(s.p, '=', s.n);
	if (!eq)
		return;
	size_t key_len = (size_t)(eq - s.p);
	GH_EMIT(t->ctx, properties, t->at, .key = gh_text_cell(t, gh_text_trim(gh_strn(s.p, key_len))),
		.value = gh_text_cell(t, gh_text_trim(gh_strn(eq + 1, s.n - key_len - 1))), .line = t->line);
}

static enum gh_code properties_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct gh_text t;
	struct gh_str line;
	enum gh_code code = gh_text_begin(ctx, blob, &t, err);
	while (!code) {
		code = gh_text_next(&t, &line, err);
		if (!code)
			properties_line(&t, line);
	}
	return code == GH_END ? GH_OK : code;
}

const struct gh_inspector gh_inspector_properties = {
	.name = "properties",
	.title = "property files",
	.version = 1,
	.wants = properties_wants,
	.run = properties_run,
};
