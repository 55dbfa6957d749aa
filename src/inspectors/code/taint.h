/* SPDX-License-Identifier: Apache-2.0 */
/* CODE: following values. What the parts of the taint analysis share. A fact is "just before this instruction, in this context, this
 * register holds something that came from the source". A context is a method entered with one tainted argument, or with none: then the
 * value came up inside, or through a field. */
#ifndef GH_INSPECTORS_CODE_TAINT_H
#define GH_INSPECTORS_CODE_TAINT_H

#include "inspectors/code/code.h"

struct taint_body { /* a method, decoded */
	uint32_t method;
	uint32_t insn, n; /* in the pool */
	uint32_t map, units; /* number of the instruction at a unit, in the pool */
	struct dex_code code;
};

struct taint_fact {
	uint32_t context, pc, reg;
	uint32_t pred; /* CODE_NONE: the source */
};

struct taint_context {
	uint32_t method;
	uint32_t entry; /* slot + 1 of the tainted argument; 0: none */
	uint32_t in, out; /* calls that lead here, ways that taint leaves */
};

enum taint_exit { TAINT_RESULT, TAINT_ARG, TAINT_THROWN };

struct taint_in {
	uint32_t next, fact;
};

struct taint_out {
	uint32_t next, fact, slot;
	uint8_t kind; /* enum taint_exit */
};

struct taint_site {
	uint32_t method, unit;
};

struct taint {
	struct code_app *app;
	code_leak_fn *found;
	void *to;
	/* indexes (taint_index.c) */
	uint32_t *call_first, *call; /* edges by whom they call */
	uint32_t *back_first, *back; /* links by where they lead */
	uint32_t *read_first; /* by field: where it is read */
	struct taint_site *read;
	struct taint_site *seed; /* instructions that bring something up */
	uint64_t *seed_cap;
	uint32_t n_seed, seed_max;
	/* decoded methods */
	struct taint_body *body;
	uint32_t *body_of; /* by method, or CODE_NONE */
	uint32_t n_body, body_max, insn_used, insn_max, map_used, map_max;
	struct dex_insn *insn;
	uint32_t *map;
	/* of one source */
	struct taint_fact *fact;
	uint32_t n_fact, done, fact_max, *fact_slots, fact_mask;
	struct taint_context *context;
	uint32_t n_context, context_max, *context_slots, context_mask;
	struct taint_in *in;
	struct taint_out *out;
	uint32_t n_in, n_out, link_max;
	uint32_t *field_fact, *dirty, n_dirty; /* fields (and behind them globals) that were written */
	uint64_t cap;
	struct code_step from;
	uint64_t left; /* steps for all sources together */
	bool full; /* this source was not followed to its end */
	uint32_t seen_sink[64], n_seen;
	uint8_t *entry_seen;
	uint32_t *entry_queue, entry_method, entry[16], n_entry; /* what was asked last */
};

enum { TAINT_GLOBALS = 64 };

enum gh_code taint_index(struct taint *t, struct gh_err *err);
/* The decoded method, NULL where it has no code or does not fit. What was handed out before stays until taint_forget(). */
struct taint_body *taint_body(struct taint *t, uint32_t method);
bool taint_crowded(const struct taint *t);
void taint_forget(struct taint *t);
/* The instruction at a unit, or CODE_NONE. */
uint32_t taint_pc(const struct taint *t, const struct taint_body *b, uint32_t unit);
/* The method and place of a call. */
struct taint_site taint_call_site(struct taint *t, uint32_t edge);
/* Argument (0 the object, from 1 the others) at a slot of a call, and the slot of an argument; CODE_NONE. */
uint32_t taint_slot_arg(const struct code_app *app, uint32_t method, bool is_static, uint32_t slot);
uint32_t taint_arg_slot(const struct code_app *app, uint32_t method, bool is_static, uint32_t arg);
/* The type of an argument, or GH_NONE. */
struct gh_str taint_arg_type(const struct code_app *app, uint32_t method, bool is_static, uint32_t arg);
bool taint_static(const struct dex_insn *in);
/* The register that an instruction writes, or CODE_NONE. */
uint32_t taint_dest(const struct dex_insn *in);
uint32_t taint_global(const struct taint *t, struct gh_str name);

/* ---- taint_facts.c ---- */

/* A fact, new or known; CODE_NONE: no room. */
uint32_t taint_fact_push(struct taint *t, uint32_t context, uint32_t pc, uint32_t reg, uint32_t pred);
uint32_t taint_context_get(struct taint *t, uint32_t method, uint32_t entry);
const struct dex_insn *taint_insn(const struct taint *t, const struct taint_body *b, uint32_t pc);
/* After the call at pc: its result holds it. */
void taint_result(struct taint *t, uint32_t context, const struct taint_body *b, uint32_t pc, uint32_t pred);
/* What reads at a place holds it. */
void taint_read(struct taint *t, const struct taint_site *s, uint32_t pred);
/* A field was written, by its number in a dex. */
void taint_field(struct taint *t, uint32_t dex, uint32_t index, uint32_t pred);
/* Android hands it to a method as argument. */
void taint_param(struct taint *t, uint32_t method, uint32_t arg, uint32_t pred);
/* What is put into a store of Android's by one API comes out of another. */
void taint_store(struct taint *t, struct gh_str name, uint32_t pred);
/* The object in this register was changed: so were the places it came from. */
void taint_object(
	struct taint *t, uint32_t context, const struct taint_body *b, uint32_t pc, uint32_t reg, uint32_t pred);

/* ---- taint_found.c ---- */

/* A fact at a call that is a sink: tells it, once for each source. */
void taint_found(
	struct taint *t, const struct taint_fact *f, uint32_t fact, const struct taint_body *b, uint64_t sinks);

#endif
