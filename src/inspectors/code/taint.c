/* SPDX-License-Identifier: Apache-2.0 */
/* CODE: following values from a source to sinks: along registers with the order of instructions, into and out of methods by summaries
 * that are found on the way (a call that was followed once is not followed again), through fields by name, through arrays as wholes,
 * through Android's own code as data/code_flow.tsv says. */
#include "inspectors/code/taint.h"

enum {
	FACTS_MAX = 1 << 17, /* of one source */
	TARGETS_MAX = 64, /* methods that one call may mean */
	THROWN = 0x10000, /* no register: the exception that leaves the method here */
	STEPS_A_UNIT = 64, /* of all sources together, for each unit of code: keeps it linear */
};

/* ---- leaving a method ---- */

static void throw_push(
	struct taint *t, uint32_t context, const struct taint_body *b, uint32_t pc, uint32_t pred, bool *ret_caught);

/* Taint that leaves by `out` arrives behind the call at pc in another context. */
static void arrive(
	struct taint *t, uint32_t context, const struct taint_body *b, uint32_t pc, const struct taint_out *out)
{
	const struct dex_insn *in = taint_insn(t, b, pc);
	bool caught;
	if (!dex_is_invoke(in->op))
		return;
	if (out->kind == TAINT_RESULT)
		taint_result(t, context, b, pc, out->fact);
	else if (out->kind == TAINT_ARG && out->slot < in->n_args)
		taint_object(t, context, b, pc, dex_arg(in, out->slot), out->fact);
	else if (out->kind == TAINT_THROWN)
		throw_push(t, context, b, pc, out->fact, &caught);
}

/* Nobody is known to have called: then everybody may have. */
static void arrive_all(struct taint *t, uint32_t node, const struct taint_out *out)
{
	for (uint32_t c = t->call_first[node]; c < t->call_first[node + 1]; c++) {
		struct taint_site s = taint_call_site(t, t->call[c]);
		const struct taint_body *b = taint_body(t, s.method);
		uint32_t pc = b ? taint_pc(t, b, s.unit) : CODE_NONE;
		uint32_t context = pc == CODE_NONE ? CODE_NONE : taint_context_get(t, s.method, 0);
		if (context != CODE_NONE)
			arrive(t, context, b, pc, out);
	}
}

static void callback_push(struct taint *t, uint32_t type, const struct code_flow *r, uint32_t pred, unsigned depth);

static void leave(struct taint *t, uint32_t context, enum taint_exit kind, uint32_t slot, uint32_t fact)
{
	struct code_app *app = t->app;
	for (uint32_t o = t->context[context].out; o != CODE_NONE; o = t->out[o].next)
		if (t->out[o].kind == kind && t->out[o].slot == slot)
			return;
	if (t->n_out == t->link_max) {
		t->full = true;
		return;
	}
	struct taint_out *out = &t->out[t->n_out];
	*out = (struct taint_out){t->context[context].out, fact, slot, (uint8_t)kind};
	t->context[context].out = t->n_out++;
	for (uint32_t i = t->context[context].in; i != CODE_NONE; i = t->in[i].next) {
		const struct taint_fact *f = &t->fact[t->in[i].fact];
		const struct taint_body *b = taint_body(t, t->context[f->context].method);
		if (b)
			arrive(t, f->context, b, f->pc, out);
	}
	uint32_t method = t->context[context].method;
	if (t->context[context].entry == 0) {
		arrive_all(t, method, out);
		for (uint32_t i = t->back_first[method]; i < t->back_first[method + 1]; i++)
			if (t->back[i] < app->n_method)
				arrive_all(t, t->back[i], out);
	}
	uint32_t api = kind == TAINT_THROWN ? CODE_NONE : app->method[method].api, arg = 0;
	if (kind == TAINT_ARG)
		arg = taint_slot_arg(app, method, app->method[method].access & CODE_ACC_STATIC, slot);
	for (uint32_t r = api == CODE_NONE || arg > 30 ? CODE_NONE : app->words.api[api].flow; r != CODE_NONE;
		r = app->words.flow[r].next) {
		const struct code_flow *rule = &app->words.flow[r];
		if (rule->to == CODE_TO_CALLBACK && kind == TAINT_RESULT && rule->from & 1)
			callback_push(t, app->method[method].type, rule, fact, 0);
		else if (rule->to == CODE_TO_GLOBAL && kind == TAINT_ARG && rule->from >> arg & 1)
			taint_store(t, rule->name, fact);
	}
}

static void throw_push(
	struct taint *t, uint32_t context, const struct taint_body *b, uint32_t pc, uint32_t pred, bool *ret_caught)
{
	const struct dex *d = &t->app->dex[t->app->method[b->method].dex];
	uint32_t at = taint_insn(t, b, pc)->at, handler[16];
	*ret_caught = false;
	for (uint32_t i = 0; i < b->code.tries; i++) {
		struct dex_try block;
		if (!dex_try(d, &b->code, i, &block) || at < block.start || at - block.start >= block.n)
			continue;
		uint32_t n = dex_handlers(d, &block, handler, GH_COUNT(handler));
		for (uint32_t k = 0; k < n; k++) {
			uint32_t to = taint_pc(t, b, handler[k]);
			*ret_caught = true;
			if (to != CODE_NONE && taint_insn(t, b, to)->op == DEX_MOVE_EXCEPTION)
				taint_fact_push(t, context, to + 1, taint_insn(t, b, to)->a, pred);
		}
	}
	if (!*ret_caught)
		taint_fact_push(t, context, pc, THROWN, pred);
}

/* ---- calls ---- */

/* Up to the class: Lcom/x/ */
static struct gh_str package_of(struct gh_str type)
{
	while (type.n && type.p[type.n - 1] != '/')
		type.n--;
	return type;
}

/* Where only Android's own type is known, an object of the sender's own package is more likely meant than one of a library's. */
static void callback_near(struct taint *t, uint32_t type, const struct code_flow *r, uint32_t from, uint32_t pred)
{
	const struct code_app *app = t->app;
	struct gh_str mine = package_of(app->type[app->method[from].type].name);
	bool any = false;
	for (uint32_t down = app->type[type].down; down != CODE_NONE && app->type[type].dex == CODE_NONE;
		down = app->type[down].beside)
		if (gh_str_eq(package_of(app->type[down].name), mine)) {
			callback_push(t, down, r, pred, 0);
			any = true;
		}
	if (!any)
		callback_push(t, type, r, pred, 0);
}

static void callback_push(struct taint *t, uint32_t type, const struct code_flow *r, uint32_t pred, unsigned depth)
{
	const struct code_app *app = t->app;
	for (uint32_t m = app->type[type].first; m != CODE_NONE; m = app->method[m].next)
		if (gh_str_eq(app->method[m].name, r->name) && app->method[m].code)
			taint_param(t, m, r->arg, pred);
	for (uint32_t down = app->type[type].down; down != CODE_NONE && depth < 8; down = app->type[down].beside)
		callback_push(t, down, r, pred, depth + 1);
}

/* Where a component takes an Intent in. */
static void component_push(struct taint *t, uint32_t type, uint32_t pred)
{
	static const struct {
		const char *name;
		uint32_t arg;
	} doors[] = {{"onReceive", 2}, {"onStartCommand", 1}, {"onStart", 1}, {"onHandleIntent", 1}, {"onBind", 1},
		{"onNewIntent", 1}};
	const struct code_app *app = t->app;
	for (uint32_t m = app->type[type].first; m != CODE_NONE; m = app->method[m].next) {
		for (size_t i = 0; i < GH_COUNT(doors); i++)
			if (gh_str_is(app->method[m].name, doors[i].name) && app->method[m].code)
				taint_param(t, m, doors[i].arg, pred);
		uint32_t end = m + 1 < app->n_method ? app->method[m + 1].edge : app->n_edge;
		for (uint32_t e = app->method[m].edge; app->method[m].code && e < end; e++) {
			uint32_t to = code_edge_to(app, e);
			if (to < app->n_method && gh_str_is(app->method[to].name, "getIntent")) {
				struct taint_site s = taint_call_site(t, e);
				taint_read(t, &s, pred);
			}
		}
	}
}

/* The Intent goes to the component whose class this method names; where it names none, to whichever may take it. */
static void intent_push(struct taint *t, uint32_t method, uint32_t pred)
{
	const struct code_app *app = t->app;
	uint32_t end = method + 1 < app->n_method ? app->method[method + 1].edge : app->n_edge;
	bool named = false;
	for (uint32_t e = app->method[method].edge; e < end; e++) {
		uint32_t to = code_edge_to(app, e);
		if (to == CODE_NONE || to < app->n_method)
			continue;
		const struct code_type *type = &app->type[to - app->n_method];
		if (type->role >= CODE_ACTIVITY && type->role <= CODE_RECEIVER) {
			named = true;
			component_push(t, to - app->n_method, pred);
		}
	}
	for (uint32_t i = 0; i < app->n_type && !named && t->left; i++, t->left--)
		if (app->type[i].dex != CODE_NONE && app->type[i].role >= CODE_ACTIVITY &&
			app->type[i].role <= CODE_RECEIVER)
			component_push(t, i, pred);
}

static bool takes_in(struct gh_str name)
{
	static const char *const words[] = {"<init>", "append", "add", "put", "set", "insert", "write", "push", "offer",
		"enqueue", "print", "update", "replace"};
	for (size_t i = 0; i < GH_COUNT(words); i++)
		if (gh_str_starts(name, words[i]))
			return true;
	return false;
}

/* A value goes as argument n into code that is not here. */
static void api_call(
	struct taint *t, const struct taint_fact *f, uint32_t fact, const struct taint_body *b, uint32_t to, uint32_t n)
{
	const struct code_app *app = t->app;
	const struct code_method *m = &app->method[to];
	const struct dex_insn *in = taint_insn(t, b, f->pc);
	const struct code_api *api = m->api == CODE_NONE ? NULL : &app->words.api[m->api];
	uint32_t slot0 = taint_static(in) || !in->n_args ? CODE_NONE : dex_arg(in, 0);
	if (api && api->sink && api->into >> n & 1)
		taint_found(t, f, fact, b, api->sink);
	if (!api || api->flow == CODE_NONE) {
		taint_result(t, f->context, b, f->pc, fact);
		if (n > 0 && slot0 != CODE_NONE && takes_in(m->name))
			taint_object(t, f->context, b, f->pc, slot0, fact);
		return;
	}
	for (uint32_t r = api->flow; r != CODE_NONE; r = app->words.flow[r].next) {
		const struct code_flow *rule = &app->words.flow[r];
		uint32_t slot = CODE_NONE;
		if (rule->to == CODE_FROM_GLOBAL || rule->to == CODE_TO_NOTHING || !(rule->from >> n & 1))
			continue;
		switch (rule->to) {
		case CODE_TO_RESULT:
			taint_result(t, f->context, b, f->pc, fact);
			break;
		case CODE_TO_ARG:
			slot = taint_arg_slot(app, to, taint_static(in), rule->arg);
			if (slot < in->n_args)
				taint_object(t, f->context, b, f->pc, dex_arg(in, slot), fact);
			break;
		case CODE_TO_CALLBACK:
			callback_near(t, m->type, rule, b->method, fact);
			break;
		case CODE_TO_GLOBAL:
			taint_store(t, rule->name, fact);
			break;
		default:
			intent_push(t, b->method, fact);
		}
	}
}

static void enter(struct taint *t, uint32_t fact, uint32_t method, uint32_t slot)
{
	const struct taint_body *b = taint_body(t, method);
	uint32_t context = b && slot < b->code.ins ? taint_context_get(t, method, slot + 1) : CODE_NONE;
	if (context == CODE_NONE)
		return;
	taint_fact_push(t, context, 0, b->code.registers - b->code.ins + slot, fact);
	if (t->n_in == t->link_max) {
		t->full = true;
		return;
	}
	t->in[t->n_in] = (struct taint_in){t->context[context].in, fact};
	t->context[context].in = t->n_in++;
	const struct taint_fact f = t->fact[fact];
	const struct taint_body *from = taint_body(t, t->context[f.context].method);
	for (uint32_t o = t->context[context].out; from && o != CODE_NONE; o = t->out[o].next) {
		struct taint_out out = t->out[o];
		arrive(t, f.context, from, f.pc, &out);
	}
}

static void call(struct taint *t, uint32_t fact, const struct taint_body *b, const struct dex_insn *in)
{
	struct code_app *app = t->app;
	const struct taint_fact f = t->fact[fact];
	uint32_t k = app->method[b->method].dex;
	if (in->ref != DEX_REF_METHOD || in->index >= app->dex[k].table[DEX_METHODS].n)
		return;
	uint32_t to = app->method_of[k][in->index];
	for (uint32_t slot = 0; slot < in->n_args; slot++) {
		if (dex_arg(in, slot) != f.reg)
			continue;
		uint32_t n = 0;
		if (app->method[to].code) {
			enter(t, fact, to, slot);
			n++;
		}
		for (uint32_t i = app->link_first[to]; i < app->link_first[to + 1] && n < TARGETS_MAX; i++)
			if (app->link_to[i] < app->n_method && app->method[app->link_to[i]].code) {
				enter(t, fact, app->link_to[i], slot);
				n++;
			}
		uint32_t arg = n ? CODE_NONE : taint_slot_arg(app, to, taint_static(in), slot);
		if (arg < 31)
			api_call(t, &f, fact, b, to, arg);
	}
}

/* ---- one instruction ---- */

static void leave_by_args(struct taint *t, uint32_t fact, const struct taint_body *b)
{
	const struct taint_fact f = t->fact[fact];
	uint32_t first = b->code.registers - gh_min(b->code.ins, b->code.registers), slot = f.reg - first;
	if (f.reg < first || t->context[f.context].entry == slot + 1)
		return;
	bool is_static = t->app->method[b->method].access & CODE_ACC_STATIC;
	struct gh_str type =
		taint_arg_type(t->app, b->method, is_static, taint_slot_arg(t->app, b->method, is_static, slot));
	if (type.n && (*type.p == 'L' || *type.p == '[') && !gh_str_is(type, "Ljava/lang/String;"))
		leave(t, f.context, TAINT_ARG, slot, fact);
}

/* What the instruction makes of a value in register r: the register that holds it too, or CODE_NONE. */
static uint32_t spread(const struct dex_insn *in, uint32_t r)
{
	uint8_t op = in->op;
	bool yes = false;
	if ((op >= DEX_MOVE && op <= DEX_MOVE_LAST) || (op >= DEX_AGET && op < DEX_APUT) ||
		(op >= DEX_IGET && op < DEX_IPUT) || (op >= DEX_UNOP && op < DEX_BINOP) ||
		(op >= DEX_BINOP_LIT && op <= DEX_BINOP_LIT_LAST))
		yes = in->b == r;
	else if (op >= DEX_BINOP && op < DEX_BINOP_2ADDR)
		yes = in->b == r || in->c == r;
	else if (op >= DEX_BINOP_2ADDR && op < DEX_BINOP_LIT)
		yes = in->a == r || in->b == r;
	return yes ? in->a : CODE_NONE;
}

static bool outside_field(const struct code_app *app, uint32_t dex, uint32_t index)
{
	if (index >= app->dex[dex].table[DEX_FIELDS].n)
		return false;
	const struct code_field *field = &app->field[app->field[app->field_of[dex][index]].real];
	return !field->defined && app->type[field->type].dex == CODE_NONE;
}

static void effects(struct taint *t, uint32_t fact, const struct taint_body *b, const struct dex_insn *in)
{
	const struct taint_fact f = t->fact[fact];
	uint32_t dex = t->app->method[b->method].dex, to = spread(in, f.reg);
	bool caught;
	if (to != CODE_NONE)
		taint_fact_push(t, f.context, f.pc + 1, to, fact);
	else if (dex_is_invoke(in->op))
		call(t, fact, b, in);
	else if (in->op >= DEX_APUT && in->op <= DEX_APUT_LAST && in->a == f.reg)
		taint_object(t, f.context, b, f.pc, in->b, fact);
	else if (in->op >= DEX_IPUT && in->op < DEX_SGET && in->a == f.reg && outside_field(t->app, dex, in->index))
		taint_object(t, f.context, b, f.pc, in->b,
			fact); /* of Android's own objects (Message.obj): the object is meant, not all of its kind */
	else if (((in->op >= DEX_IPUT && in->op < DEX_SGET) || (in->op >= DEX_SPUT && in->op <= DEX_SPUT_LAST)) &&
		 in->a == f.reg)
		taint_field(t, dex, in->index, fact);
	else if (in->op == DEX_THROW && in->a == f.reg)
		throw_push(t, f.context, b, f.pc, fact, &caught);
	else if (in->op == DEX_FILLED_ARRAY || in->op == DEX_FILLED_ARRAY_RANGE)
		for (uint32_t k = 0; k < in->n_args; k++)
			if (dex_arg(in, k) == f.reg)
				taint_result(t, f.context, b, f.pc, fact);
	if (in->op >= DEX_RETURN_VOID && in->op <= DEX_RETURN_LAST) {
		if (in->op != DEX_RETURN_VOID && in->a == f.reg)
			leave(t, f.context, TAINT_RESULT, 0, fact);
		leave_by_args(t, fact, b);
	}
}

static void go(struct taint *t, uint32_t fact, const struct taint_body *b, uint32_t unit)
{
	uint32_t pc = taint_pc(t, b, unit);
	if (pc != CODE_NONE)
		taint_fact_push(t, t->fact[fact].context, pc, t->fact[fact].reg, fact);
}

/* Cases of a switch, out of its payload. */
static void go_switch(struct taint *t, uint32_t fact, const struct taint_body *b, const struct dex_insn *in)
{
	const struct dex *d = &t->app->dex[t->app->method[b->method].dex];
	uint64_t at = (uint64_t)((int64_t)in->at + in->literal);
	struct gh_cursor all = gh_cursor(d->p, d->n, 0);
	gh_seek(&all, b->code.at);
	struct gh_cursor c = gh_sub(&all, (uint64_t)b->code.n * 2);
	c.base = 0;
	gh_seek(&c, at * 2);
	uint16_t ident = gh_u16(&c), n = gh_u16(&c);
	gh_skip(&c, ident == DEX_PAYLOAD_PACKED ? 4 : (uint64_t)n * 4);
	for (uint32_t i = 0; i < n && !c.bad; i++)
		go(t, fact, b, in->at + gh_u32(&c));
}

static void go_handlers(struct taint *t, uint32_t fact, const struct taint_body *b, const struct dex_insn *in)
{
	const struct dex *d = &t->app->dex[t->app->method[b->method].dex];
	uint32_t handler[16];
	for (uint32_t i = 0; i < b->code.tries; i++) {
		struct dex_try block;
		if (!dex_try(d, &b->code, i, &block) || in->at < block.start || in->at - block.start >= block.n)
			continue;
		uint32_t n = dex_handlers(d, &block, handler, GH_COUNT(handler));
		for (uint32_t k = 0; k < n; k++)
			go(t, fact, b, handler[k]);
	}
}

static void step(struct taint *t, uint32_t fact)
{
	const struct taint_fact f = t->fact[fact];
	const struct taint_body *b = taint_body(t, t->context[f.context].method);
	if (!b || f.pc >= b->n)
		return;
	const struct dex_insn *in = taint_insn(t, b, f.pc);
	if (f.reg == THROWN)
		leave(t, f.context, TAINT_THROWN, 0, fact);
	if (in->payload || f.reg == THROWN)
		return;
	effects(t, fact, b, in);
	if (b->code.tries && (dex_is_invoke(in->op) || in->op == DEX_THROW))
		go_handlers(t, fact, b, in);
	if (taint_dest(in) == f.reg)
		return;
	bool ends = (in->op >= DEX_RETURN_VOID && in->op <= DEX_RETURN_LAST) || in->op == DEX_THROW ||
		    in->op == DEX_RETURN_VOID_NO_BARRIER || (in->op >= DEX_GOTO && in->op <= DEX_GOTO_32);
	if (!ends)
		taint_fact_push(t, f.context, f.pc + 1, f.reg, fact);
	if ((in->op >= DEX_GOTO && in->op <= DEX_GOTO_32) || (in->op >= DEX_IF && in->op <= DEX_IF_LAST))
		go(t, fact, b, (uint32_t)((int64_t)in->at + in->literal));
	else if (in->op == DEX_PACKED_SWITCH || in->op == DEX_SPARSE_SWITCH)
		go_switch(t, fact, b, in);
}

/* ---- one source ---- */

static void begin(struct taint *t)
{
	t->n_fact = t->done = t->n_context = t->n_in = t->n_out = t->n_seen = 0;
	memset(t->fact_slots, 0xff, ((size_t)t->fact_mask + 1) * sizeof *t->fact_slots);
	memset(t->context_slots, 0xff, ((size_t)t->context_mask + 1) * sizeof *t->context_slots);
	for (uint32_t i = 0; i < t->n_dirty; i++)
		t->field_fact[t->dirty[i]] = CODE_NONE;
	t->n_dirty = 0;
	t->full = false;
	if (taint_crowded(t))
		taint_forget(t);
}

static void seed_push(struct taint *t, const struct taint_site *s)
{
	const struct code_app *app = t->app;
	const struct taint_body *b = taint_body(t, s->method);
	uint32_t api = app->method[s->method].api;
	if (!b)
		return;
	t->from = (struct code_step){s->method, s->unit == CODE_NONE ? 0 : s->unit * 2};
	if (s->unit == CODE_NONE) {
		for (uint32_t k = 1; k < 10; k++)
			if (api != CODE_NONE && app->words.api[api].from >> k & 1)
				taint_param(t, s->method, k, CODE_NONE);
		return;
	}
	uint32_t pc = taint_pc(t, b, s->unit), context = taint_context_get(t, s->method, 0);
	if (pc == CODE_NONE || context == CODE_NONE)
		return;
	const struct dex_insn *in = taint_insn(t, b, pc);
	if (!dex_is_invoke(in->op)) {
		taint_fact_push(t, context, pc + 1, in->a, CODE_NONE);
		return;
	}
	uint32_t k = app->method[s->method].dex,
		 to = in->index < app->dex[k].table[DEX_METHODS].n ? app->method_of[k][in->index] : 0;
	api = app->method[to].api;
	if (api == CODE_NONE)
		return;
	if (app->words.api[api].from & 1)
		taint_result(t, context, b, pc, CODE_NONE);
	for (uint32_t n = 1; n < 10; n++) {
		uint32_t slot =
			app->words.api[api].from >> n & 1 ? taint_arg_slot(app, to, taint_static(in), n) : CODE_NONE;
		if (slot < in->n_args)
			taint_object(t, context, b, pc, dex_arg(in, slot), CODE_NONE);
	}
}

static bool memory(struct taint *t)
{
	struct gh_arena *a = t->app->arena;
	uint32_t n = 1024;
	while (n < FACTS_MAX && n < t->app->units * 2)
		n *= 2;
	t->fact_max = n;
	t->fact_mask = n * 2 - 1;
	t->context_max = n / 8;
	t->context_mask = n / 4 - 1;
	t->link_max = n / 2;
	t->fact = gh_alloc_raw(a, n * sizeof *t->fact);
	t->fact_slots = gh_alloc_raw(a, (size_t)n * 2 * sizeof *t->fact_slots);
	t->context = gh_alloc_raw(a, t->context_max * sizeof *t->context);
	t->context_slots = gh_alloc_raw(a, n / 4 * sizeof *t->context_slots);
	t->in = gh_alloc_raw(a, t->link_max * sizeof *t->in);
	t->out = gh_alloc_raw(a, t->link_max * sizeof *t->out);
	t->entry_seen = gh_alloc_raw(a, (size_t)t->app->n_node + 1);
	t->entry_queue = gh_alloc_raw(a, ((size_t)t->app->n_node + 1) * sizeof *t->entry_queue);
	if (!t->entry_seen || !t->entry_queue)
		return false;
	return t->fact && t->fact_slots && t->context && t->context_slots && t->in && t->out;
}

enum gh_code code_taint(struct code_app *app, code_leak_fn *found, void *to, struct gh_err *err)
{
	struct taint t = {.app = app,
		.found = found,
		.to = to,
		.left = app->units * STEPS_A_UNIT + 65536,
		.entry_method = CODE_NONE};
	uint64_t all = t.left;
	enum gh_code code = taint_index(&t, err);
	if (code)
		return code;
	if (!memory(&t))
		return gh_fail(err, GH_NOMEM, 0, "no memory to follow values");
	for (uint32_t i = 0; i < t.n_seed; i++) {
		begin(&t);
		t.cap = t.seed_cap[i];
		seed_push(&t, &t.seed[i]);
		for (; t.done < t.n_fact && t.left; t.done++, t.left--)
			step(&t, t.done);
		app->cut += t.full || !t.left;
	}
	return gh_spend_steps(app->ctx->budget, gh_min(all - t.left, app->ctx->budget->steps), 0, err);
}
