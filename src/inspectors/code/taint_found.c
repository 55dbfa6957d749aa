/* SPDX-License-Identifier: Apache-2.0 */
/* CODE: a value that reached a sink: by which way, and from which entries its source is reached. */
#include "inspectors/code/taint.h"

/* Types that Android makes objects of by itself, and from which the method is reached: some of them. Searched backwards, once for each
 * method that a source lies in. */
static void entries_of(struct taint *t, uint32_t method)
{
	const struct code_app *app = t->app;
	uint32_t n = 0;
	if (t->entry_method == method)
		return;
	t->entry_method = method;
	t->n_entry = 0;
	memset(t->entry_seen, 0, app->n_node);
	t->left -= gh_min(t->left, app->n_node / 64);
	t->entry_queue[n++] = method;
	t->entry_seen[method] = 1;
	for (uint32_t i = 0; i < n && t->n_entry < GH_COUNT(t->entry) && t->left; i++, t->left--) {
		uint32_t node = t->entry_queue[i];
		const struct code_type *type = node < app->n_method ? NULL : &app->type[node - app->n_method];
		if (type && type->dex != CODE_NONE && type->role >= CODE_ACTIVITY && type->role <= CODE_APPLICATION)
			t->entry[t->n_entry++] = node - app->n_method;
		for (uint32_t c = t->call_first[node]; c < t->call_first[node + 1]; c++) {
			uint32_t from = taint_call_site(t, t->call[c]).method;
			if (!t->entry_seen[from]) {
				t->entry_seen[from] = 1;
				t->entry_queue[n++] = from;
			}
		}
		for (uint32_t k = t->back_first[node]; k < t->back_first[node + 1]; k++)
			if (!t->entry_seen[t->back[k]]) {
				t->entry_seen[t->back[k]] = 1;
				t->entry_queue[n++] = t->back[k];
			}
	}
}

/* The way of a fact, from the source on: where it left one method for another. */
static void path_make(const struct taint *t, uint32_t fact, struct code_leak *leak)
{
	struct code_step back[GH_COUNT(leak->path.step)];
	uint32_t n = 0, method = CODE_NONE;
	for (uint32_t f = fact; f != CODE_NONE; f = t->fact[f].pred) {
		uint32_t m = t->context[t->fact[f].context].method;
		if (m == method)
			continue;
		method = m;
		const uint32_t body = t->body_of[m];
		uint32_t at = 0;
		if (body != CODE_NONE && t->fact[f].pc < t->body[body].n)
			at = taint_insn(t, &t->body[body], t->fact[f].pc)->at * 2;
		if (n < GH_COUNT(back))
			back[n++] = (struct code_step){m, at};
		else
			leak->path.cut = true;
		leak->steps |= t->app->direct[m];
		for (uint32_t e = t->app->method[m].edge; m + 1 < t->app->n_method && e < t->app->method[m + 1].edge;
			e++)
			if (code_edge_to(t->app, e) != CODE_NONE)
				leak->steps |= t->app->direct[code_edge_to(t->app, e)];
	}
	leak->path.step[0] = t->from;
	leak->path.n = 1;
	if (n > 1 && back[n - 1].method == t->from.method)
		n--; /* the source's own method is told as where the source is */
	for (uint32_t i = n; i > 0 && leak->path.n < GH_COUNT(leak->path.step); i--)
		leak->path.step[leak->path.n++] = back[i - 1];
}

void taint_found(struct taint *t, const struct taint_fact *f, uint32_t fact, const struct taint_body *b, uint64_t sinks)
{
	uint32_t key = b->method * 31 + taint_insn(t, b, f->pc)->at;
	for (uint32_t i = 0; i < t->n_seen; i++)
		if (t->seen_sink[i] == key)
			return;
	if (t->n_seen < GH_COUNT(t->seen_sink))
		t->seen_sink[t->n_seen++] = key;
	entries_of(t, t->from.method);
	struct code_leak leak = {.from = t->from,
		.entry = t->entry,
		.n_entry = t->n_entry,
		.to = {b->method, taint_insn(t, b, f->pc)->at * 2}};
	path_make(t, fact, &leak);
	if (leak.path.n > 1)
		leak.path.step[leak.path.n - 1].at = leak.to.at;
	for (uint64_t source = t->cap; source; source &= source - 1)
		for (uint64_t sink = sinks; sink; sink &= sink - 1) {
			leak.source = source & -source;
			leak.sink = sink & -sink;
			t->found(t->app, &leak, t->to);
		}
}
