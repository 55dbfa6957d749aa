/* SPDX-License-Identifier: Apache-2.0 */
/* DEX: instructions, one after the other. "Dalvik executable instruction formats": the letters of a format are its kind here. */
#include "inspectors/dex/dexinsn.h"

enum format {
	UNUSED,
	F10X,
	F12X,
	F11N,
	F11X,
	F10T,
	F20T,
	F22X,
	F21T,
	F21S,
	F21H,
	F21C,
	F23X,
	F22B,
	F22T,
	F22S,
	F22C,
	F30T,
	F32X,
	F31I,
	F31T,
	F31C,
	F35C,
	F3RC,
	F51L,
	F45CC,
	F4RCC,
};

/* Units of each. */
static const uint8_t units[] = {[UNUSED] = 1,
	[F10X] = 1,
	[F12X] = 1,
	[F11N] = 1,
	[F11X] = 1,
	[F10T] = 1,
	[F20T] = 2,
	[F22X] = 2,
	[F21T] = 2,
	[F21S] = 2,
	[F21H] = 2,
	[F21C] = 2,
	[F23X] = 2,
	[F22B] = 2,
	[F22T] = 2,
	[F22S] = 2,
	[F22C] = 2,
	[F30T] = 3,
	[F32X] = 3,
	[F31I] = 3,
	[F31T] = 3,
	[F31C] = 3,
	[F35C] = 3,
	[F3RC] = 3,
	[F51L] = 5,
	[F45CC] = 4,
	[F4RCC] = 4};

struct op {
	const char *name;
	uint8_t format, ref;
};

#define S DEX_REF_STRING
#define T DEX_REF_TYPE
#define F DEX_REF_FIELD
#define M DEX_REF_METHOD
#define O DEX_REF_OFFSET
#define V DEX_REF_VTABLE
static const struct op ops[256] = {[0x00] = {"nop", F10X},
	{"move", F12X},
	{"move/from16", F22X},
	{"move/16", F32X},
	{"move-wide", F12X},
	{"move-wide/from16", F22X},
	{"move-wide/16", F32X},
	{"move-object", F12X},
	{"move-object/from16", F22X},
	{"move-object/16", F32X},
	{"move-result", F11X},
	{"move-result-wide", F11X},
	{"move-result-object", F11X},
	{"move-exception", F11X},
	{"return-void", F10X},
	{"return", F11X},
	{"return-wide", F11X},
	{"return-object", F11X},
	{"const/4", F11N},
	{"const/16", F21S},
	{"const", F31I},
	{"const/high16", F21H},
	{"const-wide/16", F21S},
	{"const-wide/32", F31I},
	{"const-wide", F51L},
	{"const-wide/high16", F21H},
	{"const-string", F21C, S},
	{"const-string/jumbo", F31C, S},
	{"const-class", F21C, T},
	{"monitor-enter", F11X},
	{"monitor-exit", F11X},
	{"check-cast", F21C, T},
	{"instance-of", F22C, T},
	{"array-length", F12X},
	{"new-instance", F21C, T},
	{"new-array", F22C, T},
	{"filled-new-array", F35C, T},
	{"filled-new-array/range", F3RC, T},
	{"fill-array-data", F31T},
	{"throw", F11X},
	{"goto", F10T},
	{"goto/16", F20T},
	{"goto/32", F30T},
	{"packed-switch", F31T},
	{"sparse-switch", F31T},
	{"cmpl-float", F23X},
	{"cmpg-float", F23X},
	{"cmpl-double", F23X},
	{"cmpg-double", F23X},
	{"cmp-long", F23X},
	{"if-eq", F22T},
	{"if-ne", F22T},
	{"if-lt", F22T},
	{"if-ge", F22T},
	{"if-gt", F22T},
	{"if-le", F22T},
	{"if-eqz", F21T},
	{"if-nez", F21T},
	{"if-ltz", F21T},
	{"if-gez", F21T},
	{"if-gtz", F21T},
	{"if-lez", F21T},
	[0x44] = {"aget", F23X},
	{"aget-wide", F23X},
	{"aget-object", F23X},
	{"aget-boolean", F23X},
	{"aget-byte", F23X},
	{"aget-char", F23X},
	{"aget-short", F23X},
	{"aput", F23X},
	{"aput-wide", F23X},
	{"aput-object", F23X},
	{"aput-boolean", F23X},
	{"aput-byte", F23X},
	{"aput-char", F23X},
	{"aput-short", F23X},
	{"iget", F22C, F},
	{"iget-wide", F22C, F},
	{"iget-object", F22C, F},
	{"iget-boolean", F22C, F},
	{"iget-byte", F22C, F},
	{"iget-char", F22C, F},
	{"iget-short", F22C, F},
	{"iput", F22C, F},
	{"iput-wide", F22C, F},
	{"iput-object", F22C, F},
	{"iput-boolean", F22C, F},
	{"iput-byte", F22C, F},
	{"iput-char", F22C, F},
	{"iput-short", F22C, F},
	{"sget", F21C, F},
	{"sget-wide", F21C, F},
	{"sget-object", F21C, F},
	{"sget-boolean", F21C, F},
	{"sget-byte", F21C, F},
	{"sget-char", F21C, F},
	{"sget-short", F21C, F},
	{"sput", F21C, F},
	{"sput-wide", F21C, F},
	{"sput-object", F21C, F},
	{"sput-boolean", F21C, F},
	{"sput-byte", F21C, F},
	{"sput-char", F21C, F},
	{"sput-short", F21C, F},
	{"invoke-virtual", F35C, M},
	{"invoke-super", F35C, M},
	{"invoke-direct", F35C, M},
	{"invoke-static", F35C, M},
	{"invoke-interface", F35C, M},
	{"return-void-no-barrier", F10X},
	{"invoke-virtual/range", F3RC, M},
	{"invoke-super/range", F3RC, M},
	{"invoke-direct/range", F3RC, M},
	{"invoke-static/range", F3RC, M},
	{"invoke-interface/range", F3RC, M},
	[0x7b] = {"neg-int", F12X},
	{"not-int", F12X},
	{"neg-long", F12X},
	{"not-long", F12X},
	{"neg-float", F12X},
	{"neg-double", F12X},
	{"int-to-long", F12X},
	{"int-to-float", F12X},
	{"int-to-double", F12X},
	{"long-to-int", F12X},
	{"long-to-float", F12X},
	{"long-to-double", F12X},
	{"float-to-int", F12X},
	{"float-to-long", F12X},
	{"float-to-double", F12X},
	{"double-to-int", F12X},
	{"double-to-long", F12X},
	{"double-to-float", F12X},
	{"int-to-byte", F12X},
	{"int-to-char", F12X},
	{"int-to-short", F12X},
	{"add-int", F23X},
	{"sub-int", F23X},
	{"mul-int", F23X},
	{"div-int", F23X},
	{"rem-int", F23X},
	{"and-int", F23X},
	{"or-int", F23X},
	{"xor-int", F23X},
	{"shl-int", F23X},
	{"shr-int", F23X},
	{"ushr-int", F23X},
	{"add-long", F23X},
	{"sub-long", F23X},
	{"mul-long", F23X},
	{"div-long", F23X},
	{"rem-long", F23X},
	{"and-long", F23X},
	{"or-long", F23X},
	{"xor-long", F23X},
	{"shl-long", F23X},
	{"shr-long", F23X},
	{"ushr-long", F23X},
	{"add-float", F23X},
	{"sub-float", F23X},
	{"mul-float", F23X},
	{"div-float", F23X},
	{"rem-float", F23X},
	{"add-double", F23X},
	{"sub-double", F23X},
	{"mul-double", F23X},
	{"div-double", F23X},
	{"rem-double", F23X},
	{"add-int/2addr", F12X},
	{"sub-int/2addr", F12X},
	{"mul-int/2addr", F12X},
	{"div-int/2addr", F12X},
	{"rem-int/2addr", F12X},
	{"and-int/2addr", F12X},
	{"or-int/2addr", F12X},
	{"xor-int/2addr", F12X},
	{"shl-int/2addr", F12X},
	{"shr-int/2addr", F12X},
	{"ushr-int/2addr", F12X},
	{"add-long/2addr", F12X},
	{"sub-long/2addr", F12X},
	{"mul-long/2addr", F12X},
	{"div-long/2addr", F12X},
	{"rem-long/2addr", F12X},
	{"and-long/2addr", F12X},
	{"or-long/2addr", F12X},
	{"xor-long/2addr", F12X},
	{"shl-long/2addr", F12X},
	{"shr-long/2addr", F12X},
	{"ushr-long/2addr", F12X},
	{"add-float/2addr", F12X},
	{"sub-float/2addr", F12X},
	{"mul-float/2addr", F12X},
	{"div-float/2addr", F12X},
	{"rem-float/2addr", F12X},
	{"add-double/2addr", F12X},
	{"sub-double/2addr", F12X},
	{"mul-double/2addr", F12X},
	{"div-double/2addr", F12X},
	{"rem-double/2addr", F12X},
	{"add-int/lit16", F22S},
	{"rsub-int", F22S},
	{"mul-int/lit16", F22S},
	{"div-int/lit16", F22S},
	{"rem-int/lit16", F22S},
	{"and-int/lit16", F22S},
	{"or-int/lit16", F22S},
	{"xor-int/lit16", F22S},
	{"add-int/lit8", F22B},
	{"rsub-int/lit8", F22B},
	{"mul-int/lit8", F22B},
	{"div-int/lit8", F22B},
	{"rem-int/lit8", F22B},
	{"and-int/lit8", F22B},
	{"or-int/lit8", F22B},
	{"xor-int/lit8", F22B},
	{"shl-int/lit8", F22B},
	{"shr-int/lit8", F22B},
	{"ushr-int/lit8", F22B},
	{"iget-quick", F22C, O},
	{"iget-wide-quick", F22C, O},
	{"iget-object-quick", F22C, O},
	{"iput-quick", F22C, O},
	{"iput-wide-quick", F22C, O},
	{"iput-object-quick", F22C, O},
	{"invoke-virtual-quick", F35C, V},
	{"invoke-virtual/range-quick", F3RC, V},
	{"iput-boolean-quick", F22C, O},
	{"iput-byte-quick", F22C, O},
	{"iput-char-quick", F22C, O},
	{"iput-short-quick", F22C, O},
	{"iget-boolean-quick", F22C, O},
	{"iget-byte-quick", F22C, O},
	{"iget-char-quick", F22C, O},
	{"iget-short-quick", F22C, O},
	[0xfa] = {"invoke-polymorphic", F45CC, M},
	{"invoke-polymorphic/range", F4RCC, M},
	{"invoke-custom", F35C, DEX_REF_CALL_SITE},
	{"invoke-custom/range", F3RC, DEX_REF_CALL_SITE},
	{"const-method-handle", F21C, DEX_REF_HANDLE},
	{"const-method-type", F21C, DEX_REF_PROTO}};
#undef S
#undef T
#undef F
#undef M
#undef O
#undef V

const char *dex_op_name(uint8_t op)
{
	return ops[op].name;
}

/* ---- operands ---- */

/* Registers of an invoke with up to five: A|G in the first unit, F E D C in the third. */
static void args_read(struct dex_insn *in, unsigned high, uint16_t w)
{
	in->n_args = (uint32_t)gh_min(high >> 4, 5);
	for (unsigned i = 0; i < 4; i++)
		in->args[i] = w >> (4 * i) & 15;
	in->args[4] = high & 15;
}

static void two_units(struct dex_insn *in, enum format f, unsigned high, uint16_t w)
{
	in->a = high;
	switch (f) {
	case F20T:
		in->a = 0;
		in->literal = (int16_t)w;
		break;
	case F21T:
	case F21S:
		in->literal = (int16_t)w;
		break;
	case F21H: /* of a wide constant the upper 16 of 64 bits */
		in->literal = in->op == DEX_CONST_LAST ? (int64_t)((uint64_t)w << 48) : (int32_t)((uint32_t)w << 16);
		break;
	case F22X:
		in->b = w;
		break;
	case F21C:
		in->index = w;
		break;
	case F23X:
		in->b = w & 255;
		in->c = w >> 8;
		break;
	case F22B:
		in->b = w & 255;
		in->literal = (int8_t)(w >> 8);
		break;
	case F22T:
	case F22S:
		in->a = high & 15;
		in->b = high >> 4;
		in->literal = (int16_t)w;
		break;
	default: /* F22C */
		in->a = high & 15;
		in->b = high >> 4;
		in->index = w;
	}
}

static void more_units(struct dex_insn *in, enum format f, unsigned high, struct gh_cursor *c)
{
	uint32_t w = gh_u16(c), x = gh_u16(c);
	in->a = high;
	switch (f) {
	case F30T:
		in->a = 0;
		in->literal = (int32_t)(w | x << 16);
		break;
	case F32X:
		in->a = w;
		in->b = x;
		break;
	case F31I:
	case F31T:
		in->literal = (int32_t)(w | x << 16);
		break;
	case F31C:
		in->index = w | x << 16;
		break;
	case F51L:
		in->literal = (int64_t)(w | x << 16 | (uint64_t)gh_u32(c) << 32);
		break;
	case F35C:
	case F45CC:
		in->index = w;
		args_read(in, high, (uint16_t)x);
		break;
	default: /* F3RC, F4RCC */
		in->index = w;
		in->n_args = high;
		in->first = x;
		in->range = true;
	}
}

/* Data of a switch or an array, behind its first unit. */
static bool payload_read(struct dex_insns *it, struct dex_insn *in)
{
	uint64_t n = gh_u16(&it->c), len = 2 + n * 4; /* sparse */
	if (in->payload == DEX_PAYLOAD_PACKED)
		len = 4 + n * 2;
	if (in->payload == DEX_PAYLOAD_ARRAY)
		len = 4 + ((uint64_t)gh_u32(&it->c) * n + 1) / 2;
	if (it->c.bad || len > it->n - in->at)
		return false;
	in->len = (uint32_t)len;
	gh_seek(&it->c, ((uint64_t)in->at + len) * 2);
	return !it->c.bad;
}

/* ---- the walk ---- */

void dex_insns(const struct dex *d, const struct dex_code *code, struct dex_insns *ret)
{
	struct gh_cursor all = gh_cursor(d->p, d->n, 0);
	gh_seek(&all, code->at);
	*ret = (struct dex_insns){.c = gh_sub(&all, (uint64_t)code->n * 2), .at = code->at, .n = code->n};
	ret->c.base = 0;
	ret->bad = all.bad;
}

bool dex_insns_next(struct dex_insns *it, struct dex_insn *ret)
{
	uint32_t at = (uint32_t)(it->c.i / 2);
	if (it->bad || at >= it->n)
		return false;
	uint16_t w = gh_u16(&it->c);
	const struct op *op = &ops[w & 255];
	unsigned high = w >> 8;
	*ret = (struct dex_insn){.at = at, .op = (uint8_t)w, .ref = op->ref, .len = units[op->format]};
	bool ok = op->format != UNUSED && ret->len <= it->n - at;
	if (ok && ret->op == DEX_NOP && high >= 1 && high <= 3) {
		ret->payload = w;
		ok = payload_read(it, ret);
	} else if (ok && ret->len == 1) {
		ret->a = op->format == F12X || op->format == F11N ? high & 15 : high;
		ret->b = high >> 4;
		ret->literal = op->format == F11N ? (int8_t)high >> 4 : (int8_t)high;
	} else if (ok && ret->len == 2) {
		two_units(ret, op->format, high, gh_u16(&it->c));
	} else if (ok) {
		more_units(ret, op->format, high, &it->c);
		gh_seek(&it->c, ((uint64_t)at + ret->len) * 2);
	}
	it->bad = !ok;
	return ok;
}
