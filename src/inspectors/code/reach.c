/* SPDX-License-Identifier: Apache-2.0 */
/* CODE: what each node reaches, as sets of capabilities. Strongly connected components (Tarjan, without recursion) come out with the
 * ones they lead to first, so one pass is enough: linear in calls. */
#include "inspectors/code/code.h"

struct frame {
	uint32_t node, edge; /* where it stands in the node's calls and links */
};

struct tarjan {
	struct code_app *app;
	uint32_t *low, *stack;
	struct frame *frame;
	uint32_t n_stack, n_frame, next;
};

static uint32_t edges_of(const struct code_app *app, uint32_t node, uint32_t *ret_first)
{
	*ret_first = 0;
	if (node >= app->n_method)
		return 0;
	*ret_first = app->method[node].edge;
	return (node + 1 < app->n_method ? app->method[node + 1].edge : app->n_edge) - *ret_first;
}

/* Successor k of a node: its calls, then its links. CODE_NONE: a filler; false: no more. */
static bool successor(const struct code_app *app, uint32_t node, uint32_t k, uint32_t *ret)
{
	uint32_t first, n = edges_of(app, node, &first);
	if (k < n) {
		*ret = code_edge_to(app, first + k);
		return true;
	}
	uint32_t link = app->link_first[node] + (k - n);
	if (link >= app->link_first[node + 1])
		return false;
	*ret = app->link_to[link];
	return true;
}

static void enter(struct tarjan *t, uint32_t node)
{
	t->app->scc[node] = t->low[node] = ++t->next; /* scc holds the index until its component is closed */
	t->stack[t->n_stack++] = node;
	t->frame[t->n_frame++] = (struct frame){node, 0};
	t->app->reach[node] = t->app->direct[node];
}

/* All on the stack above the root are one component and reach the same. */
static void close_component(struct tarjan *t, uint32_t root)
{
	uint64_t reach = 0;
	uint32_t at = t->n_stack;
	do
		reach |= t->app->reach[t->stack[--at]];
	while (t->stack[at] != root);
	for (uint32_t i = at; i < t->n_stack; i++) {
		t->app->reach[t->stack[i]] = reach;
		t->low[t->stack[i]] = CODE_NONE; /* closed */
	}
	t->n_stack = at;
}

static void walk(struct tarjan *t, uint32_t root)
{
	struct code_app *app = t->app;
	enter(t, root);
	while (t->n_frame) {
		struct frame *f = &t->frame[t->n_frame - 1];
		uint32_t to, node = f->node;
		if (successor(app, node, f->edge, &to)) {
			f->edge++;
			if (to == CODE_NONE)
				continue;
			if (!app->scc[to])
				enter(t, to);
			else if (t->low[to] == CODE_NONE)
				app->reach[node] |= app->reach[to];
			else if (app->scc[to] < t->low[node])
				t->low[node] = app->scc[to];
			continue;
		}
		t->n_frame--;
		if (t->low[node] == app->scc[node]) {
			close_component(t, node);
		} else if (t->n_frame) {
			uint32_t up = t->frame[t->n_frame - 1].node;
			t->low[up] = t->low[node] < t->low[up] ? t->low[node] : t->low[up];
		}
		if (t->n_frame)
			app->reach[t->frame[t->n_frame - 1].node] |= app->reach[node];
	}
}

enum gh_code code_reach(struct code_app *app, struct gh_err *err)
{
	enum gh_code code = gh_spend_steps(app->ctx->budget, (uint64_t)app->n_node + app->n_edge + app->n_link, 0, err);
	if (code)
		return code;
	app->scc = gh_alloc_array(app->arena, app->n_node, sizeof *app->scc);
	app->reach = gh_alloc_array(app->arena, app->n_node, sizeof *app->reach);
	struct gh_mark mark = gh_arena_mark(app->arena);
	struct tarjan t = {.app = app,
		.low = gh_alloc_raw(app->arena, app->n_node * sizeof(uint32_t)),
		.stack = gh_alloc_raw(app->arena, app->n_node * sizeof(uint32_t)),
		.frame = gh_alloc_raw(app->arena, app->n_node * sizeof(struct frame))};
	if (!app->scc || !app->reach || !t.low || !t.stack || !t.frame)
		return gh_fail(err, GH_NOMEM, 0, "no memory for what the code reaches");
	for (uint32_t i = 0; i < app->n_node; i++)
		if (!app->scc[i])
			walk(&t, i);
	gh_arena_release(app->arena, mark);
	return GH_OK;
}
