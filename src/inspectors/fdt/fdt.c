/* SPDX-License-Identifier: Apache-2.0 */
/* Flattened device trees, versions 16 and 17 (Devicetree Specification 0.4, chapter 5): one row a tree, one a node that says what it
 * is. All nodes and properties are read; kept are the properties that name a part. */
#include "base/num.h"
#include "codecs/deflate/deflate.h"
#include "inspectors/fdt/fdt_head.h"

enum {
	DEPTH_MAX = 64, /* the deepest real trees nest nine */
	PATH_MAX_FDT = 1024,
	ROWS_MAX = 16384, /* nodes of one tree that are kept; the largest real ones have some 6,000 */
	REG_MAX = 64, /* bytes of reg that are shown */
	CELL_MAX_FDT = 1024, /* of a list of strings */
	NOTES_MAX = 8,
	T_BEGIN = 1,
	T_END = 2,
	T_PROP = 3,
	T_NOP = 4,
	T_LAST = 9,
};

/* A node that is open: what it has said of itself. */
struct node {
	size_t path; /* length of the path with its own name */
	uint64_t at;
	struct gh_str compatible, model, status, label, panel, reg;
	uint32_t props;
};

struct tree {
	struct gh_ctx *ctx;
	const uint8_t *all;
	struct fdt_head h;
	struct node node[DEPTH_MAX];
	unsigned depth; /* nodes that are open */
	char path[PATH_MAX_FDT];
	uint64_t nodes, props, rows;
	uint32_t crc; /* CRC-32 over all, in order: of a node path and zero; of a property name, zero, length, value */
	unsigned notes;
	struct gh_str model, compatible, board_id, chip_id;
	int64_t fragments;
};

static bool fdt_wants(const struct gh_probe *probe)
{
	return fdt_magic(probe->head, probe->head_len);
}

static void note(struct tree *t, enum gh_code code, uint64_t at, const char *what)
{
	if (t->notes++ < NOTES_MAX)
		gh_note(t->ctx, code, at, "%s", what);
}

/* ---- values ---- */

/* One or more strings, each with its zero, none empty, all printable: joined by blanks. GH_NONE: something else. */
static struct gh_str strings(struct tree *t, const uint8_t *p, size_t n)
{
	if (n < 2 || p[n - 1])
		return GH_NONE;
	for (size_t i = 0; i < n; i++)
		if (p[i] >= 0x7f || (p[i] < 0x20 && p[i]) || (!p[i] && (!i || !p[i - 1])))
			return GH_NONE;
	n = gh_min(n - 1, CELL_MAX_FDT);
	struct gh_str s = gh_str_dup(t->ctx->arena, gh_strn(p, n));
	for (size_t i = 0; s.p && i < n; i++)
		if (!s.p[i])
			((char *)s.p)[i] = ' ';
	return s.p ? s : GH_NONE;
}

static struct gh_str bytes(struct tree *t, const uint8_t *p, size_t n)
{
	return gh_hex(t->ctx->arena, p, gh_min(n, REG_MAX));
}

static void of_root(struct tree *t, struct gh_str name, const uint8_t *p, size_t n)
{
	if (gh_str_is(name, "model"))
		t->model = strings(t, p, n);
	else if (gh_str_is(name, "compatible"))
		t->compatible = strings(t, p, n);
	else if (gh_str_is(name, "qcom,msm-id"))
		t->chip_id = bytes(t, p, n);
	else if (gh_str_is(name, "qcom,board-id") || gh_str_is(name, "board_id"))
		t->board_id = bytes(t, p, n);
}

static void of_node(struct tree *t, struct node *d, struct gh_str name, const uint8_t *p, size_t n)
{
	const struct {
		const char *name;
		struct gh_str *to;
	} list[] = {{"compatible", &d->compatible}, {"model", &d->model}, {"status", &d->status}, {"label", &d->label}};
	for (size_t i = 0; i < GH_COUNT(list); i++)
		if (gh_str_is(name, list[i].name))
			*list[i].to = strings(t, p, n);
	if (gh_str_is(name, "reg"))
		d->reg = bytes(t, p, n);
	if (gh_str_ends(name, "panel-name"))
		d->panel = strings(t, p, n);
}

/* ---- the structure block ---- */

static enum gh_code property(struct tree *t, struct gh_cursor *c)
{
	uint64_t at = gh_at(c) - 4;
	uint32_t n = gh_u32be(c), nameoff = gh_u32be(c);
	const uint8_t *p = gh_bytes(c, n);
	gh_skip(c, -n & 3);
	if (c->bad || !p)
		return GH_SHORT;
	if (!t->depth) {
		note(t, GH_BAD, at, "a property outside of every node");
		return GH_OK;
	}
	struct node *d = &t->node[t->depth - 1];
	struct gh_cursor names = gh_cursor(t->all + t->h.strings, t->h.strings_size, t->h.strings);
	gh_seek(&names, nameoff);
	struct gh_str name = gh_cstr(&names);
	if (names.bad) {
		note(t, GH_BAD, at + 8, "the name of a property lies outside of the strings");
		return GH_OK;
	}
	uint8_t len[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	t->crc = gh_crc32(gh_crc32(gh_crc32(t->crc, name.p, name.n + 1), len, 4), p, n);
	d->props++;
	t->props++;
	if (t->depth == 1)
		of_root(t, name, p, n);
	of_node(t, d, name, p, n);
	return GH_OK;
}

/* Nodes that say what they are; bare ones (clocks' parents, pin groups) are counted only. */
static void emit(struct tree *t, const struct node *d)
{
	if (!d->compatible.p && !d->model.p && !d->label.p && !d->panel.p)
		return;
	if (t->rows == ROWS_MAX)
		gh_note(t->ctx, GH_LIMIT, d->at, "more than %d nodes: the others are not kept", ROWS_MAX);
	if (t->rows++ >= ROWS_MAX)
		return;
	struct gh_str path = gh_str_dup(t->ctx->arena, d->path ? gh_strn(t->path, d->path) : GH_STR("/"));
	GH_EMIT(t->ctx, dt_nodes, d->at, .path = path, .compatible = d->compatible, .status = d->status,
		.model = d->model, .label = d->label, .panel = d->panel, .reg = d->reg, .props = d->props);
}

static enum gh_code node_begin(struct tree *t, struct gh_cursor *c)
{
	uint64_t at = gh_at(c) - 4;
	struct gh_str name = gh_cstr(c);
	if (c->bad)
		return GH_SHORT;
	gh_skip(c, -(uint64_t)c->i & 3);
	if (t->depth == DEPTH_MAX) {
		note(t, GH_LIMIT, at, "nodes nested more than 64 deep");
		return GH_LIMIT;
	}
	size_t before = t->depth ? t->node[t->depth - 1].path : 0;
	if (!t->depth && t->nodes)
		note(t, GH_BAD, at, "a second root");
	if (name.n + 1 > sizeof t->path - before) {
		note(t, GH_LIMIT, at, "a path longer than 1023 bytes");
		return GH_LIMIT;
	}
	struct node *d = &t->node[t->depth];
	*d = (struct node){.path = before, .at = at};
	if (t->depth || name.n) {
		t->path[before] = '/';
		memcpy(t->path + before + 1, name.p, name.n);
		d->path += name.n + 1;
	}
	t->crc = gh_crc32(gh_crc32(t->crc, t->path, d->path), "", 1);
	t->fragments += t->depth == 1 && gh_str_starts(name, "fragment");
	t->depth++;
	t->nodes++;
	return GH_OK;
}

static enum gh_code token(struct tree *t, struct gh_cursor *c)
{
	uint64_t at = gh_at(c);
	switch (gh_u32be(c)) {
	case T_BEGIN:
		return node_begin(t, c);
	case T_PROP:
		return property(t, c);
	case T_NOP:
		return c->bad ? GH_SHORT : GH_OK;
	case T_END:
		if (!t->depth) {
			note(t, GH_BAD, at, "the end of a node that was not begun");
			return GH_BAD;
		}
		emit(t, &t->node[--t->depth]);
		return GH_OK;
	case T_LAST:
		return GH_END;
	}
	if (c->bad)
		return GH_SHORT;
	note(t, GH_BAD, at, "an unknown token");
	return GH_BAD;
}

static enum gh_code walk(struct tree *t, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(t->all + t->h.structs, t->h.structs_size, t->h.structs);
	enum gh_code code = GH_OK;
	while (code == GH_OK) {
		code = gh_spend_steps(t->ctx->budget, 1, gh_at(&c), err);
		if (code)
			return code;
		code = token(t, &c);
	}
	if (code == GH_SHORT)
		note(t, GH_SHORT, gh_at(&c), "the tree ends before its end token");
	else if (code == GH_END && t->depth)
		note(t, GH_BAD, gh_at(&c), "nodes are open where the tree ends");
	while (t->depth) /* what was read of them stays */
		emit(t, &t->node[--t->depth]);
	return GH_OK;
}

static enum gh_code fdt_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct fdt_head next;
	struct tree *t = gh_alloc(ctx->arena, sizeof *t);
	if (!blob->data)
		return gh_fail(err, GH_LIMIT, 0, "too large for a device tree");
	if (!t)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a device tree");
	t->ctx = ctx;
	t->all = blob->data;
	enum gh_code code = fdt_head_read(blob->data, (size_t)blob->size, blob->size, 0, &t->h, err);
	if (code == GH_SHORT && t->h.size) { /* cut off: what is there is read */
		gh_note_err(ctx, err);
		t->h.structs_size = (uint32_t)gh_min(t->h.structs_size, blob->size - gh_min(t->h.structs, blob->size));
		t->h.strings_size = (uint32_t)gh_min(t->h.strings_size, blob->size - gh_min(t->h.strings, blob->size));
		t->h.structs = (uint32_t)gh_min(t->h.structs, blob->size);
		t->h.strings = (uint32_t)gh_min(t->h.strings, blob->size);
		code = GH_OK;
	}
	if (code)
		return code;
	/* Several trees one behind the other are children of their own (formats/dtbo). */
	uint64_t behind = ((uint64_t)t->h.size + 3) & ~3ULL;
	if (fdt_begins(blob->src, behind, &next) || fdt_begins(blob->src, t->h.size, &next))
		return GH_OK;
	code = walk(t, err);
	GH_EMIT(ctx, dt_trees, 0, .model = t->model, .compatible = t->compatible, .chip_id = t->chip_id,
		.board_id = t->board_id, .version = t->h.version, .size = t->h.size, .nodes = (int64_t)t->nodes,
		.props = (int64_t)t->props, .fragments = t->fragments, .crc = t->crc);
	return code;
}

const struct gh_inspector gh_inspector_fdt = {
	.name = "fdt", .title = "device trees", .version = 1, .wants = fdt_wants, .run = fdt_run};
