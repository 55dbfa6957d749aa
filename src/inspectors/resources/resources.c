/* SPDX-License-Identifier: Apache-2.0 */
/* Apps: the name they show, and their network security configuration. The manifest refers to both by number; resources.arsc of the same
 * APK says what the numbers stand for. So this looks at the archive, not at its members one by one. */
#include "inspectors/resources/resources.h"

enum {
	MANIFEST_MAX = 8 << 20, /* the largest of a phone has 500 KiB */
	TABLE_MAX = 48 << 20, /* and the largest table 15 MiB */
	CONFIG_MAX = 1 << 20,
};

/* Label and configuration as the application element says them; the first one counts. */
static enum gh_code application(struct axml *x, struct axml_attr *label, struct axml_attr *config, struct gh_err *err)
{
	struct axml_node node;
	enum gh_code code;
	struct axml_attr a[A_N];
	uint64_t depth = 0;
	while ((code = axml_next(x, &node, err)) == GH_OK) {
		if (!node.start) {
			depth -= depth > 0;
			continue;
		}
		if (++depth != 2 || !axml_string_is(x, node.name, "application"))
			continue;
		axml_attrs(x, &node, a);
		*label = a[A_LABEL];
		*config = a[A_NETWORK_CONFIG];
		break;
	}
	if (x->err.code)
		*err = x->err;
	return x->err.code ? x->err.code : code == GH_END ? GH_OK : code;
}

static bool is_reference(const struct axml_attr *a)
{
	return a->set && (a->type == AXML_T_REFERENCE || a->type == AXML_T_DYN_REFERENCE) && a->data;
}

struct app {
	struct gh_ctx *ctx;
	struct gh_source *src;
	struct axml manifest;
	struct axml_attr label, config;
	struct res_table table;
	bool has_table;
};

static struct gh_str text_of(struct app *app, const struct axml_attr *a, enum res_language language)
{
	if (is_reference(a))
		return app->has_table ? res_text(&app->table, a->data, language) : GH_NONE;
	return language == RES_DEFAULT ? axml_text(&app->manifest, a) : GH_NONE;
}

static enum gh_code table_read(struct app *app, struct gh_err *err)
{
	const uint8_t *p;
	size_t n;
	if (!is_reference(&app->label) && !is_reference(&app->config))
		return GH_OK;
	enum gh_code code = res_member(app->ctx, app->src, GH_STR("resources.arsc"), TABLE_MAX, &p, &n, err);
	if (code == GH_OK)
		code = res_open(&app->table, app->ctx, p, n, err);
	app->has_table = code == GH_OK;
	return code == GH_END ? GH_OK : code;
}

static enum gh_code tell(struct app *app, struct gh_err *err)
{
	const uint8_t *p;
	size_t n;
	struct gh_str file = text_of(app, &app->config, RES_DEFAULT);
	GH_EMIT(app->ctx, app_labels, 0, .ref = axml_reference(&app->manifest, &app->label),
		.label = text_of(app, &app->label, RES_DEFAULT), .label_en = text_of(app, &app->label, RES_ENGLISH),
		.network_config = file);
	if (app->has_table && app->table.err.code) {
		*err = app->table.err;
		return err->code;
	}
	if (!file.p)
		return GH_OK;
	enum gh_code code = res_member(app->ctx, app->src, file, CONFIG_MAX, &p, &n, err);
	if (code == GH_END) {
		gh_note(app->ctx, GH_BAD, 0, "the network configuration %.*s is not in the archive",
			(int)gh_min(file.n, 60), file.p);
		return GH_OK;
	}
	return code ? code : res_netsec(app->ctx, app->has_table ? &app->table : NULL, p, n, err);
}

static bool resources_wants(const struct gh_probe *probe)
{
	bool head = probe->head_len >= 4 && memcmp(probe->head, "PK\3\4", 4) == 0;
	return head || memmem(probe->tail, probe->tail_len, "PK\5\6", 4);
}

/* What is damaged in archive, manifest or table: manifest and archive have readers that tell it. */
static enum gh_code resources_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	const uint8_t *p;
	size_t n;
	struct app *app = gh_alloc(ctx->arena, sizeof *app);
	if (!app)
		return gh_fail(err, GH_NOMEM, 0, "no memory to read an app");
	app->ctx = ctx;
	app->src = blob->src;
	enum gh_code code = res_member(ctx, blob->src, GH_STR("AndroidManifest.xml"), MANIFEST_MAX, &p, &n, err);
	if (code == GH_END || code == GH_BAD || code == GH_SHORT)
		return GH_OK;
	if (code == GH_OK)
		code = axml_open(&app->manifest, ctx, p, n, err);
	app->manifest.quiet = true;
	if (code == GH_BAD || code == GH_SHORT)
		return GH_OK;
	if (code == GH_OK) {
		axml_rewind(&app->manifest);
		code = application(&app->manifest, &app->label, &app->config, err);
	}
	if (code == GH_OK)
		code = table_read(app, err);
	return code ? code : tell(app, err);
}

const struct gh_inspector gh_inspector_resources = {
	.name = "resources",
	.title = "names and network configuration of apps",
	.version = 1,
	.wants = resources_wants,
	.run = resources_run,
};
