/* SPDX-License-Identifier: Apache-2.0 */
/* CODE: the way from an entry to a deed, for hits only; and how places in code are written. */
#include <stdio.h>

#include "inspectors/code/code.h"

enum {
	SEARCHES =
		512 /* nodes looked at, for each node of the app: some hundred searches that see all of it are more than enough */
};

enum gh_code code_search_make(struct code_app *app, struct code_search *s, struct gh_err *err)
{
	*s = (struct code_search){.queue = gh_alloc_raw(app->arena, ((size_t)app->n_node + 1) * 4),
		.pred = gh_alloc_raw(app->arena, ((size_t)app->n_node + 1) * 4),
		.via = gh_alloc_raw(app->arena, ((size_t)app->n_node + 1) * 4),
		.left = (uint64_t)app->n_node * SEARCHES};
	return s->queue && s->pred && s->via ? GH_OK : gh_fail(err, GH_NOMEM, 0, "no memory for paths");
}

static uint32_t edges_end(const struct code_app *app, uint32_t method)
{
	return method + 1 < app->n_method ? app->method[method + 1].edge : app->n_edge;
}

/* Where call e of a method lies. */
static uint32_t edge_at(const struct code_app *app, uint32_t method, uint32_t e)
{
	uint32_t at = 0;
	for (uint32_t i = app->method[method].edge; i <= e; i++)
		at += code_edge_delta(app, i);
	return at * 2;
}

struct code_step code_first_call(const struct code_app *app, uint32_t method, uint64_t cap)
{
	uint32_t end = edges_end(app, method);
	for (uint32_t e = app->method[method].edge; e < end; e++)
		if (code_edge_to(app, e) != CODE_NONE && app->direct[code_edge_to(app, e)] & cap)
			return (struct code_step){method, edge_at(app, method, e)};
	return (struct code_step){method, 0};
}

static void reach_put(struct code_search *s, uint32_t *n, uint32_t to, uint32_t from, uint32_t via)
{
	if (s->pred[to] != CODE_NONE)
		return;
	s->pred[to] = from;
	s->via[to] = via;
	s->queue[(*n)++] = to;
}

static void path_fill(const struct code_app *app, const struct code_search *s, uint32_t from, uint32_t to, uint64_t cap,
	struct code_path *ret)
{
	struct code_step back[GH_COUNT(ret->step)];
	uint32_t n = 0;
	*ret = (struct code_path){0};
	if (to < app->n_method && app->method[to].code)
		back[n++] = code_first_call(app, to, cap);
	for (uint32_t node = to; node != from; node = s->pred[node]) {
		uint32_t up = s->pred[node];
		if (up >= app->n_method || s->via[node] == CODE_NONE)
			continue;
		if (n < GH_COUNT(back))
			back[n++] = (struct code_step){up, edge_at(app, up, s->via[node])};
		else
			ret->cut = true;
	}
	while (n)
		ret->step[ret->n++] = back[--n];
}

bool code_path_find(struct code_app *app, struct code_search *s, uint32_t from, uint64_t cap, struct code_path *ret)
{
	uint32_t n = 0;
	if (!(app->reach[from] & cap))
		return false;
	memset(s->pred, 0xff, app->n_node * sizeof *s->pred);
	reach_put(s, &n, from, from, CODE_NONE);
	for (uint32_t i = 0; i < n && s->left; i++, s->left--) {
		uint32_t node = s->queue[i];
		if (app->direct[node] & cap) {
			path_fill(app, s, from, node, cap, ret);
			return true;
		}
		if (node < app->n_method)
			for (uint32_t e = app->method[node].edge; e < edges_end(app, node); e++) {
				uint32_t to = code_edge_to(app, e);
				if (to != CODE_NONE && app->reach[to] & cap)
					reach_put(s, &n, to, node, e);
			}
		for (uint32_t k = app->link_first[node]; k < app->link_first[node + 1]; k++)
			if (app->reach[app->link_to[k]] & cap)
				reach_put(s, &n, app->link_to[k], node, CODE_NONE);
	}
	app->over |= !s->left;
	return false;
}

/* ---- text ---- */

struct text {
	char *p;
	size_t n, cap;
};

static void add(struct text *t, struct gh_str s)
{
	size_t k = (size_t)gh_min(s.n, t->cap - t->n);
	if (s.p)
		memcpy(t->p + t->n, s.p, k);
	t->n += s.p ? k : 0;
}

static void add_method(struct text *t, const struct code_app *app, uint32_t method)
{
	const struct code_method *m = &app->method[method];
	const struct dex *d = &app->dex[m->dex];
	struct dex_member_id id;
	struct dex_proto proto;
	add(t, app->type[m->type].name);
	add(t, GH_STR("->"));
	add(t, m->name);
	if (!dex_method(d, m->index, &id) || !dex_proto(d, id.type, &proto))
		return;
	add(t, GH_STR("("));
	for (uint32_t k = 0; k < proto.params.n && t->n < t->cap; k++)
		add(t, dex_type(d, dex_types_get(d, proto.params, k)));
	add(t, GH_STR(")"));
	add(t, dex_type(d, proto.ret));
}

static struct gh_str finish(const struct code_app *app, const struct text *t)
{
	return gh_str_dup(app->arena, gh_strn(t->p, t->n));
}

struct gh_str code_method_text(const struct code_app *app, uint32_t method)
{
	char buf[2048];
	struct text t = {buf, 0, sizeof buf};
	add_method(&t, app, method);
	return finish(app, &t);
}

struct gh_str code_path_text(const struct code_app *app, const struct code_path *path)
{
	char buf[16384], at[32];
	struct text t = {buf, 0, sizeof buf};
	for (uint32_t i = 0; i < path->n; i++) {
		if (i)
			add(&t, GH_STR(" > "));
		if (path->cut && i == 1)
			add(&t, GH_STR("... > "));
		add_method(&t, app, path->step[i].method);
		int n = snprintf(at, sizeof at, " +0x%x", path->step[i].at);
		add(&t, gh_strn(at, (size_t)n));
	}
	return finish(app, &t);
}
