/* SPDX-License-Identifier: Apache-2.0 */
/* CODE: what following values looks up: who calls a method, who reads a field, where a source is, and methods in decoded form. */
#include "inspectors/code/taint.h"

enum {
	SEEDS_MAX = 4096, /* sources of one app that are followed; a large app has some hundreds */
	INSNS_MAX = 1 << 17, /* decoded at a time: 10 MB */
	BODIES_MAX = 1 << 14,
};

uint32_t taint_dest(const struct dex_insn *in)
{
	uint8_t op = in->op;
	bool writes = (op >= DEX_MOVE && op <= DEX_MOVE_EXCEPTION) || (op >= DEX_CONST_4 && op <= DEX_CONST_CLASS) ||
		      (op >= DEX_INSTANCE_OF && op <= DEX_NEW_ARRAY) || (op >= DEX_CMP && op < DEX_IF) ||
		      (op >= DEX_AGET && op < DEX_APUT) || (op >= DEX_IGET && op < DEX_IPUT) ||
		      (op >= DEX_SGET && op < DEX_SPUT) || (op >= DEX_UNOP && op <= DEX_BINOP_LIT_LAST) || op >= 0xfe;
	return writes ? in->a : CODE_NONE;
}

bool taint_static(const struct dex_insn *in)
{
	return in->op == DEX_INVOKE_STATIC || in->op == DEX_INVOKE_STATIC + (DEX_INVOKE_RANGE - DEX_INVOKE_VIRTUAL);
}

/* ---- arguments and slots: long and double take two ---- */

static bool params_of(const struct code_app *app, uint32_t method, struct dex_proto *ret)
{
	struct dex_member_id id;
	const struct dex *d = &app->dex[app->method[method].dex];
	return dex_method(d, app->method[method].index, &id) && dex_proto(d, id.type, ret);
}

static uint32_t width(const struct code_app *app, uint32_t method, const struct dex_proto *proto, uint32_t k)
{
	const struct dex *d = &app->dex[app->method[method].dex];
	struct gh_str type = dex_type(d, dex_types_get(d, proto->params, k));
	return type.n == 1 && (*type.p == 'J' || *type.p == 'D') ? 2 : 1;
}

uint32_t taint_slot_arg(const struct code_app *app, uint32_t method, bool is_static, uint32_t slot)
{
	struct dex_proto proto;
	uint32_t at = is_static ? 0 : 1;
	if (!is_static && slot == 0)
		return 0;
	for (uint32_t k = 0; params_of(app, method, &proto) && k < proto.params.n && at <= slot; k++) {
		if (at == slot)
			return k + 1;
		at += width(app, method, &proto, k);
	}
	return CODE_NONE;
}

uint32_t taint_arg_slot(const struct code_app *app, uint32_t method, bool is_static, uint32_t arg)
{
	struct dex_proto proto;
	uint32_t at = is_static ? 0 : 1;
	if (arg == 0)
		return is_static ? CODE_NONE : 0;
	if (!params_of(app, method, &proto) || arg > proto.params.n)
		return CODE_NONE;
	for (uint32_t k = 0; k + 1 < arg; k++)
		at += width(app, method, &proto, k);
	return at;
}

struct gh_str taint_arg_type(const struct code_app *app, uint32_t method, bool is_static, uint32_t arg)
{
	struct dex_proto proto;
	const struct dex *d = &app->dex[app->method[method].dex];
	if (arg == 0)
		return is_static ? GH_NONE : app->type[app->method[method].type].name;
	if (!params_of(app, method, &proto) || arg > proto.params.n)
		return GH_NONE;
	return dex_type(d, dex_types_get(d, proto.params, arg - 1));
}

/* ---- decoded methods ---- */

void taint_forget(struct taint *t)
{
	for (uint32_t i = 0; i < t->n_body; i++)
		t->body_of[t->body[i].method] = CODE_NONE;
	t->n_body = t->insn_used = t->map_used = 0;
}

bool taint_crowded(const struct taint *t)
{
	return t->n_body > t->body_max / 2 || t->insn_used > t->insn_max / 2 || t->map_used > t->map_max / 2;
}

struct taint_body *taint_body(struct taint *t, uint32_t method)
{
	struct taint_body b = {.method = method, .insn = t->insn_used, .map = t->map_used};
	struct dex_insns it;
	if (t->body_of[method] != CODE_NONE)
		return &t->body[t->body_of[method]];
	if (!code_body(t->app, method, &b.code))
		return NULL;
	if (t->n_body == t->body_max || b.code.n > t->map_max - t->map_used || b.code.n > t->insn_max - t->insn_used) {
		t->full = true;
		return NULL;
	}
	b.units = b.code.n;
	memset(t->map + b.map, 0xff, (size_t)b.units * sizeof *t->map);
	dex_insns(&t->app->dex[t->app->method[method].dex], &b.code, &it);
	while (dex_insns_next(&it, &t->insn[b.insn + b.n])) {
		t->map[b.map + t->insn[b.insn + b.n].at] = b.n;
		b.n++;
	}
	t->insn_used += b.n;
	t->map_used += b.units;
	t->body[t->n_body] = b;
	t->body_of[method] = t->n_body;
	t->left -= gh_min(t->left, b.units);
	return &t->body[t->n_body++];
}

uint32_t taint_pc(const struct taint *t, const struct taint_body *b, uint32_t unit)
{
	return unit < b->units ? t->map[b->map + unit] : CODE_NONE;
}

/* ---- who calls ---- */

struct taint_site taint_call_site(struct taint *t, uint32_t edge)
{
	const struct code_app *app = t->app;
	uint32_t low = 0, high = app->n_method;
	while (high - low > 1) { /* the last method whose first call is not behind this one */
		uint32_t middle = low + (high - low) / 2;
		if (app->method[middle].edge <= edge)
			low = middle;
		else
			high = middle;
	}
	struct taint_site ret = {.method = low};
	for (uint32_t e = app->method[low].edge; e <= edge; e++)
		ret.unit += code_edge_delta(app, e);
	t->left -= gh_min(t->left, (edge - app->method[low].edge) / 16);
	return ret;
}

static bool calls_index(struct taint *t)
{
	const struct code_app *app = t->app;
	t->call_first = gh_alloc_array(app->arena, (size_t)app->n_node + 2, sizeof *t->call_first);
	t->call = gh_alloc_raw(app->arena, ((size_t)app->n_edge + 1) * sizeof *t->call);
	t->back_first = gh_alloc_array(app->arena, (size_t)app->n_node + 2, sizeof *t->back_first);
	t->back = gh_alloc_raw(app->arena, ((size_t)app->n_link + 1) * sizeof *t->back);
	if (!t->call_first || !t->call || !t->back_first || !t->back)
		return false;
	for (uint32_t e = 0; e < app->n_edge; e++)
		if (code_edge_to(app, e) != CODE_NONE)
			t->call_first[code_edge_to(app, e) + 2]++;
	for (uint32_t i = 0; i < app->n_link; i++)
		t->back_first[app->link_to[i] + 2]++;
	for (uint32_t i = 2; i < app->n_node + 2; i++) {
		t->call_first[i] += t->call_first[i - 1];
		t->back_first[i] += t->back_first[i - 1];
	}
	for (uint32_t e = 0; e < app->n_edge; e++)
		if (code_edge_to(app, e) != CODE_NONE)
			t->call[t->call_first[code_edge_to(app, e) + 1]++] = e;
	for (uint32_t from = 0; from < app->n_node; from++)
		for (uint32_t i = app->link_first[from]; i < app->link_first[from + 1]; i++)
			t->back[t->back_first[app->link_to[i] + 1]++] = from;
	return true;
}

/* ---- fields, and sources that are no calls ---- */

static void seed_add(struct taint *t, uint32_t method, uint32_t unit, uint64_t cap)
{
	if (t->n_seed == t->seed_max) {
		t->app->cut++;
		return;
	}
	t->seed[t->n_seed] = (struct taint_site){method, unit};
	t->seed_cap[t->n_seed++] = cap;
}

/* Called for each instruction that reads a field or brings something up without a call. fill: the second time. */
static void insn_index(struct taint *t, uint32_t method, const struct dex_insn *in, bool fill)
{
	const struct code_app *app = t->app;
	uint32_t k = app->method[method].dex;
	bool get = (in->op >= DEX_IGET && in->op < DEX_IPUT) || (in->op >= DEX_SGET && in->op < DEX_SPUT);
	if (get && in->index < app->dex[k].table[DEX_FIELDS].n) {
		uint32_t f = app->field[app->field_of[k][in->index]].real;
		if (!fill)
			t->read_first[f + 2]++;
		else
			t->read[t->read_first[f + 1]++] = (struct taint_site){method, in->at};
		if (fill && in->op >= DEX_SGET && !app->field[f].defined) {
			struct dex_member_id id;
			uint32_t api = dex_field(&app->dex[k], in->index, &id)
					       ? code_api_find(&app->words, app->type[app->field[f].type].name,
							 dex_string(&app->dex[k], id.name))
					       : CODE_NONE;
			if (api != CODE_NONE && app->words.api[api].source)
				seed_add(t, method, in->at, app->words.api[api].source);
		}
	} else if (fill && in->ref == DEX_REF_STRING) {
		struct gh_str s = dex_string(&app->dex[k], in->index);
		uint64_t cap = s.p && s.n > 12 && *s.p == 'c' ? code_uri_cap(s) : 0;
		if (cap)
			seed_add(t, method, in->at, cap);
	}
}

static enum gh_code code_index(struct taint *t, bool fill, struct gh_err *err)
{
	struct code_app *app = t->app;
	for (uint32_t i = 0; i < app->n_method; i++) {
		struct dex_code body;
		struct dex_insns it;
		struct dex_insn in;
		if (!code_body(app, i, &body))
			continue;
		enum gh_code code = gh_spend_steps(app->ctx->budget, body.n / 2, body.at, err);
		if (code)
			return code;
		dex_insns(&app->dex[app->method[i].dex], &body, &it);
		while (dex_insns_next(&it, &in))
			insn_index(t, i, &in, fill);
	}
	return GH_OK;
}

static void sources_index(struct taint *t)
{
	const struct code_app *app = t->app;
	for (uint32_t i = 0; i < app->n_method; i++) {
		const struct code_method *m = &app->method[i];
		if (m->api == CODE_NONE || !app->words.api[m->api].source)
			continue;
		const struct code_api *api = &app->words.api[m->api];
		if (m->code && api->from >> 31)
			seed_add(t, i, CODE_NONE, api->source); /* Android hands it in */
		if (code_method_real(app, i) == CODE_NONE && api->from << 1)
			for (uint32_t c = t->call_first[i]; c < t->call_first[i + 1]; c++) {
				struct taint_site s = taint_call_site(t, t->call[c]);
				seed_add(t, s.method, s.unit, api->source);
			}
	}
}

uint32_t taint_global(const struct taint *t, struct gh_str name)
{
	return t->app->n_field + (uint32_t)(gh_str_hash(name) % TAINT_GLOBALS);
}

static bool pools_make(struct taint *t)
{
	struct code_app *app = t->app;
	struct gh_arena *a = app->arena;
	t->insn_max = t->map_max = (uint32_t)gh_min(app->units + 16, INSNS_MAX);
	t->body_max = (uint32_t)gh_min(app->n_method + 1, BODIES_MAX);
	t->seed_max = (uint32_t)gh_min(app->n_edge / 2 + app->n_method / 4 + 64, SEEDS_MAX);
	t->insn = gh_alloc_raw(a, ((size_t)t->insn_max + 1) * sizeof *t->insn);
	t->map = gh_alloc_raw(a, (size_t)t->map_max * sizeof *t->map);
	t->body = gh_alloc_raw(a, t->body_max * sizeof *t->body);
	t->body_of = gh_alloc_raw(a, ((size_t)app->n_method + 1) * sizeof *t->body_of);
	t->seed = gh_alloc_raw(a, t->seed_max * sizeof *t->seed);
	t->seed_cap = gh_alloc_raw(a, t->seed_max * sizeof *t->seed_cap);
	t->read_first = gh_alloc_array(a, (size_t)app->n_field + 3, sizeof *t->read_first);
	t->field_fact = gh_alloc_raw(a, ((size_t)app->n_field + TAINT_GLOBALS) * sizeof *t->field_fact);
	t->dirty = gh_alloc_raw(a, ((size_t)app->n_field + TAINT_GLOBALS) * sizeof *t->dirty);
	if (!t->insn || !t->map || !t->body || !t->body_of || !t->seed || !t->seed_cap || !t->read_first ||
		!t->field_fact || !t->dirty)
		return false;
	memset(t->body_of, 0xff, ((size_t)app->n_method + 1) * sizeof *t->body_of);
	memset(t->field_fact, 0xff, ((size_t)app->n_field + TAINT_GLOBALS) * sizeof *t->field_fact);
	return true;
}

enum gh_code taint_index(struct taint *t, struct gh_err *err)
{
	if (!calls_index(t) || !pools_make(t))
		return gh_fail(err, GH_NOMEM, 0, "no memory to follow values");
	enum gh_code code = code_index(t, false, err);
	if (code)
		return code;
	for (uint32_t i = 2; i < t->app->n_field + 2; i++)
		t->read_first[i] += t->read_first[i - 1];
	t->read = gh_alloc_raw(t->app->arena, ((size_t)t->read_first[t->app->n_field + 1] + 1) * sizeof *t->read);
	if (!t->read)
		return gh_fail(err, GH_NOMEM, 0, "no memory to follow values");
	code = code_index(t, true, err);
	if (code == GH_OK)
		sources_index(t);
	return code;
}
