/* SPDX-License-Identifier: Apache-2.0 */
/* CODE: what the code of an app is able to do, and by which path. All dex files of one container (APK, jar, vdex, oat, odex) together; a
 * dex file that lies alone by itself. docs/code.md says how. */
#include "inspectors/code/code.h"

enum {
	MEMBERS_MAX = 1 << 18, /* listed in search of dex files */
	DEX_BYTES_MAX = 96 << 20, /* of one app, unpacked; the largest apps have some 80 MiB */
};

/* Rows and notes of the container are told where it is looked at for itself. */
static uint64_t mute_emit(struct gh_ctx *ctx, enum gh_table table, uint64_t at, const void *row)
{
	(void)ctx, (void)table, (void)at, (void)row;
	return 0;
}

static void mute_note(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *what)
{
	(void)ctx, (void)code, (void)at, (void)what;
}

static const struct gh_ctx_ops mute = {.emit = mute_emit, .note = mute_note};

/* classes.dex, classes2.dex: what Android runs of a container. */
static bool runs(struct gh_str name)
{
	if (!gh_str_starts(name, "classes") || !gh_str_ends(name, ".dex"))
		return false;
	for (size_t i = 7; i + 4 < name.n; i++)
		if (name.p[i] < '0' || name.p[i] > '9')
			return false;
	return true;
}

static bool is_dex(const uint8_t *p, size_t n)
{
	return n >= 8 && (!memcmp(p, "dex\n", 4) || !memcmp(p, "cdex", 4));
}

static bool code_wants(const struct gh_probe *probe)
{
	const uint8_t *p = probe->head;
	if (probe->head_len < 8)
		return false;
	if (is_dex(p, probe->head_len))
		return !runs(probe->name);
	if (!memcmp(p, "PK\3\4", 4) || !memcmp(p, "vdex", 4) || !memcmp(p, "dey\n", 4))
		return true;
	return !memcmp(p, "\177ELF", 4) && (gh_str_ends(probe->name, ".odex") || gh_str_ends(probe->name, ".oat") ||
						   gh_str_ends(probe->name, ".dex"));
}

/* ---- the dex files of a container ---- */

static enum gh_code member_read(struct code_app *app, struct gh_ctx *quiet, const struct gh_format *format, void *state,
	const struct gh_child *child, struct gh_err *err)
{
	struct gh_source *src = NULL;
	if (!(child->flags & GH_CHILD_STREAM)) {
		const uint8_t *p;
		enum gh_code code = format->data(quiet, state, child, &src, err);
		if (code == GH_OK && src->size > DEX_BYTES_MAX)
			return gh_fail(
				err, GH_LIMIT, child->off, "a dex file of more than %d MiB", DEX_BYTES_MAX >> 20);
		if (code == GH_OK)
			code = gh_view(src, app->arena, 0, (size_t)src->size, &p, err);
		return code ? code : code_dex_add(app, p, (size_t)src->size, err);
	}
	if (child->size > DEX_BYTES_MAX)
		return gh_fail(err, GH_LIMIT, child->off, "a dex file of more than %d MiB", DEX_BYTES_MAX >> 20);
	struct gh_sink sink = {
		.buf = gh_alloc_raw(app->arena, (size_t)child->size + 1), .cap = (size_t)child->size + 1};
	if (!sink.buf)
		return gh_fail(err, GH_NOMEM, child->off, "no memory for a dex file");
	enum gh_code code = format->pour(quiet, state, child, &sink, err);
	return code ? code : code_dex_add(app, sink.buf, sink.len, err);
}

static enum gh_code container_read(
	struct code_app *app, struct gh_source *src, const struct gh_format *format, struct gh_err *err)
{
	struct gh_ctx quiet = {.arena = app->arena, .budget = app->ctx->budget, .ops = &mute, .given = app->ctx->given};
	void *state = gh_alloc(app->arena, format->state_size);
	if (!state)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a container");
	struct gh_err lost;
	if (format->open(
		    &quiet, src, state, err)) /* of an archive that is told where it is listed; it may hold anything */
		return gh_str_is(gh_str(format->name), "zip") ? GH_OK : err->code;
	for (uint32_t i = 0; i < MEMBERS_MAX; i++) {
		struct gh_child child;
		enum gh_code code = format->next(&quiet, state, &child, &lost);
		if (code)
			return GH_OK;
		if (!runs(child.name) || child.flags & GH_CHILD_UNREADABLE)
			continue;
		code = member_read(app, &quiet, format, state, &child, err);
		if (code == GH_NOMEM || code == GH_IO)
			return code;
		if (code)
			gh_note_err(app->ctx, err);
	}
	return GH_OK;
}

static enum gh_code code_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct code_app *app = gh_alloc(ctx->arena, sizeof *app);
	struct gh_probe probe;
	if (!app)
		return gh_fail(err, GH_NOMEM, 0, "no memory for an app");
	app->ctx = ctx;
	app->arena = ctx->arena;
	enum gh_code code = gh_probe_make(blob->src, blob->name, ctx->arena, &probe, err);
	if (code)
		return code;
	const struct gh_format *format = gh_probe_format(&probe);
	if (is_dex(probe.head, probe.head_len))
		code = blob->data ? code_dex_add(app, blob->data, (size_t)blob->size, err)
				  : gh_fail(err, GH_LIMIT, GH_WHOLE_MAX, "dex file larger than 64 MiB");
	else if (format)
		code = container_read(app, blob->src, format, err);
	if (code || !app->n_dex)
		return code;
	code = code_words_read(&app->words, ctx->arena, err);
	if (code == GH_OK)
		code = code_load(app, err);
	if (code == GH_OK)
		code = code_graph(app, err);
	if (code == GH_OK)
		code = code_reach(app, err);
	return code ? code : code_tell(app, err);
}

const struct gh_inspector gh_inspector_code = {
	.name = "code",
	.title = "what the code of apps is able to do",
	.version = 2,
	.wants = code_wants,
	.run = code_run,
};
