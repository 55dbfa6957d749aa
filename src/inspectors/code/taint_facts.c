/* SPDX-License-Identifier: Apache-2.0 */
/* CODE: facts and contexts of following values, and where a fact leads through fields, stores of Android's and changed objects. */
#include "inspectors/code/taint.h"

enum { ALIAS_MAX = 64 /* instructions looked back for where an object came from */ };

/* ---- facts and contexts ---- */

uint32_t taint_fact_push(struct taint *t, uint32_t context, uint32_t pc, uint32_t reg, uint32_t pred)
{
	uint64_t h = ((uint64_t)context << 32 ^ (uint64_t)pc << 12 ^ reg) * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t at = (uint32_t)(h >> 30) & t->fact_mask;
	for (; t->fact_slots[at] != CODE_NONE; at = (at + 1) & t->fact_mask) {
		const struct taint_fact *f = &t->fact[t->fact_slots[at]];
		if (f->context == context && f->pc == pc && f->reg == reg)
			return t->fact_slots[at];
	}
	if (t->n_fact == t->fact_max) {
		t->full = true;
		return CODE_NONE;
	}
	t->fact_slots[at] = t->n_fact;
	t->fact[t->n_fact] = (struct taint_fact){context, pc, reg, pred};
	return t->n_fact++;
}

uint32_t taint_context_get(struct taint *t, uint32_t method, uint32_t entry)
{
	uint64_t h = ((uint64_t)method << 20 ^ entry) * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t at = (uint32_t)(h >> 30) & t->context_mask;
	for (; t->context_slots[at] != CODE_NONE; at = (at + 1) & t->context_mask) {
		const struct taint_context *c = &t->context[t->context_slots[at]];
		if (c->method == method && c->entry == entry)
			return t->context_slots[at];
	}
	if (t->n_context == t->context_max) {
		t->full = true;
		return CODE_NONE;
	}
	t->context_slots[at] = t->n_context;
	t->context[t->n_context] = (struct taint_context){method, entry, CODE_NONE, CODE_NONE};
	return t->n_context++;
}

const struct dex_insn *taint_insn(const struct taint *t, const struct taint_body *b, uint32_t pc)
{
	return &t->insn[b->insn + pc];
}

/* After the call at pc: its result holds it. */
void taint_result(struct taint *t, uint32_t context, const struct taint_body *b, uint32_t pc, uint32_t pred)
{
	if (pc + 1 >= b->n)
		return;
	const struct dex_insn *next = taint_insn(t, b, pc + 1);
	if (next->op >= DEX_MOVE_RESULT && next->op <= DEX_MOVE_RESULT_LAST)
		taint_fact_push(t, context, pc + 2, next->a, pred);
}

/* ---- fields and globals ---- */

void taint_read(struct taint *t, const struct taint_site *s, uint32_t pred)
{
	const struct taint_body *b = taint_body(t, s->method);
	uint32_t pc = b ? taint_pc(t, b, s->unit) : CODE_NONE;
	uint32_t context = pc == CODE_NONE ? CODE_NONE : taint_context_get(t, s->method, 0);
	if (context == CODE_NONE)
		return;
	const struct dex_insn *in = taint_insn(t, b, pc);
	if (dex_is_invoke(in->op))
		taint_result(t, context, b, pc, pred);
	else
		taint_fact_push(t, context, pc + 1, in->a, pred);
}

static bool field_first(struct taint *t, uint32_t field, uint32_t pred)
{
	if (t->field_fact[field] != CODE_NONE)
		return false;
	t->field_fact[field] = pred;
	t->dirty[t->n_dirty++] = field;
	return true;
}

void taint_field(struct taint *t, uint32_t dex, uint32_t index, uint32_t pred)
{
	if (index >= t->app->dex[dex].table[DEX_FIELDS].n)
		return;
	uint32_t f = t->app->field[t->app->field_of[dex][index]].real;
	if (!field_first(t, f, pred))
		return;
	for (uint32_t i = t->read_first[f]; i < t->read_first[f + 1]; i++)
		taint_read(t, &t->read[i], pred);
}

void taint_param(struct taint *t, uint32_t method, uint32_t arg, uint32_t pred)
{
	const struct taint_body *b = taint_body(t, method);
	uint32_t slot = taint_arg_slot(t->app, method, t->app->method[method].access & CODE_ACC_STATIC, arg);
	uint32_t context = b && slot < b->code.ins ? taint_context_get(t, method, 0) : CODE_NONE;
	if (context != CODE_NONE)
		taint_fact_push(t, context, 0, b->code.registers - b->code.ins + slot, pred);
}

/* What is put into a store of Android's by one API comes out of another. */
void taint_store(struct taint *t, struct gh_str name, uint32_t pred)
{
	const struct code_app *app = t->app;
	if (!field_first(t, taint_global(t, name), pred))
		return;
	t->left -= gh_min(t->left, app->n_method / 16);
	for (uint32_t i = 0; i < app->n_method; i++) {
		uint32_t api = app->method[i].api;
		for (uint32_t r = api == CODE_NONE ? CODE_NONE : app->words.api[api].flow; r != CODE_NONE;
			r = app->words.flow[r].next) {
			if (app->words.flow[r].to != CODE_FROM_GLOBAL || !gh_str_eq(app->words.flow[r].name, name))
				continue;
			if (app->method[i].code)
				for (uint32_t k = 1; k < 10; k++)
					if (app->words.flow[r].from >> k & 1)
						taint_param(t, i, k, pred);
			for (uint32_t c = t->call_first[i]; c < t->call_first[i + 1]; c++) {
				struct taint_site s = taint_call_site(t, t->call[c]);
				taint_read(t, &s, pred);
			}
		}
	}
}

/* The object in this register was changed: so were the places it came from. */
void taint_object(
	struct taint *t, uint32_t context, const struct taint_body *b, uint32_t pc, uint32_t reg, uint32_t pred)
{
	taint_fact_push(t, context, pc + 1, reg, pred);
	for (uint32_t n = 0; n < ALIAS_MAX && pc > 0; n++) {
		const struct dex_insn *in = taint_insn(t, b, --pc);
		if (taint_dest(in) != reg)
			continue;
		if (in->op >= DEX_MOVE && in->op <= DEX_MOVE_LAST) {
			reg = in->b;
			taint_fact_push(t, context, pc + 1, reg, pred);
		} else if ((in->op >= DEX_IGET && in->op < DEX_IPUT) || (in->op >= DEX_SGET && in->op < DEX_SPUT)) {
			taint_field(t, t->app->method[b->method].dex, in->index, pred);
			return;
		} else if (in->op >= DEX_AGET && in->op < DEX_APUT) {
			reg = in->b;
			taint_fact_push(t, context, pc + 1, reg, pred);
		} else if (in->op >= DEX_MOVE_RESULT && in->op <= DEX_MOVE_RESULT_LAST && pc > 0 &&
			   dex_is_invoke(taint_insn(t, b, pc - 1)->op) && taint_insn(t, b, pc - 1)->n_args > 0 &&
			   gh_str_is(t->app
					     ->method[t->app->method_of[t->app->method[b->method].dex][gh_min(
						     taint_insn(t, b, pc - 1)->index,
						     t->app->dex[t->app->method[b->method].dex].table[DEX_METHODS].n)]]
					     .name,
				   "append")) {
			reg = dex_arg(taint_insn(t, b, --pc), 0); /* what append() returns is what it was called on */
			taint_fact_push(t, context, pc + 1, reg, pred);
		} else {
			return;
		}
	}
}
