/* SPDX-License-Identifier: Apache-2.0 */
/* DEX: instructions. source.android.com, "Dalvik bytecode" and "Dalvik executable instruction formats"; the quickened ones (0x73, 0xe3
 * to 0xf2) as dex_instruction_list.h of AOSP has them until Android 11. Nothing is allocated. */
#ifndef GH_INSPECTORS_DEX_DEXINSN_H
#define GH_INSPECTORS_DEX_DEXINSN_H

#include "inspectors/dex/dexfile.h"

/* What the index of an instruction is of. */
enum dex_ref {
	DEX_REF_NONE,
	DEX_REF_STRING,
	DEX_REF_TYPE,
	DEX_REF_FIELD,
	DEX_REF_METHOD,
	DEX_REF_PROTO,
	DEX_REF_CALL_SITE,
	DEX_REF_HANDLE,
	DEX_REF_OFFSET, /* quickened: a field by its offset in the object; which field, the bytes do not say */
	DEX_REF_VTABLE, /* quickened: a method by its place in the vtable */
};

enum dex_payload {
	DEX_PAYLOAD_NONE,
	DEX_PAYLOAD_PACKED = 0x100,
	DEX_PAYLOAD_SPARSE = 0x200,
	DEX_PAYLOAD_ARRAY = 0x300
};

/* Operation codes that analyses name; ranges are inclusive. */
enum dex_op {
	DEX_NOP = 0x00,
	DEX_MOVE = 0x01,
	DEX_MOVE_LAST = 0x09,
	DEX_MOVE_RESULT = 0x0a,
	DEX_MOVE_RESULT_LAST = 0x0c,
	DEX_MOVE_EXCEPTION = 0x0d,
	DEX_RETURN_VOID = 0x0e,
	DEX_RETURN = 0x0f,
	DEX_RETURN_LAST = 0x11,
	DEX_CONST_4 = 0x12,
	DEX_CONST_LAST = 0x19, /* numbers */
	DEX_CONST_STRING = 0x1a,
	DEX_CONST_STRING_JUMBO = 0x1b,
	DEX_CONST_CLASS = 0x1c,
	DEX_CHECK_CAST = 0x1f,
	DEX_INSTANCE_OF = 0x20,
	DEX_ARRAY_LENGTH = 0x21,
	DEX_NEW_INSTANCE = 0x22,
	DEX_NEW_ARRAY = 0x23,
	DEX_FILLED_ARRAY = 0x24,
	DEX_FILLED_ARRAY_RANGE = 0x25,
	DEX_FILL_ARRAY_DATA = 0x26,
	DEX_THROW = 0x27,
	DEX_GOTO = 0x28,
	DEX_GOTO_32 = 0x2a,
	DEX_PACKED_SWITCH = 0x2b,
	DEX_SPARSE_SWITCH = 0x2c,
	DEX_CMP = 0x2d,
	DEX_IF = 0x32,
	DEX_IF_LAST = 0x3d,
	DEX_AGET = 0x44,
	DEX_APUT = 0x4b,
	DEX_APUT_LAST = 0x51,
	DEX_IGET = 0x52,
	DEX_IPUT = 0x59,
	DEX_SGET = 0x60,
	DEX_SPUT = 0x67,
	DEX_SPUT_LAST = 0x6d,
	DEX_INVOKE_VIRTUAL = 0x6e,
	DEX_INVOKE_SUPER = 0x6f,
	DEX_INVOKE_DIRECT = 0x70,
	DEX_INVOKE_STATIC = 0x71,
	DEX_INVOKE_INTERFACE = 0x72,
	DEX_RETURN_VOID_NO_BARRIER = 0x73,
	DEX_INVOKE_RANGE = 0x74,
	DEX_INVOKE_RANGE_LAST = 0x78,
	DEX_UNOP = 0x7b,
	DEX_BINOP = 0x90,
	DEX_BINOP_2ADDR = 0xb0,
	DEX_BINOP_LIT = 0xd0,
	DEX_BINOP_LIT_LAST = 0xe2,
	DEX_QUICK = 0xe3,
	DEX_QUICK_LAST = 0xf2,
	DEX_INVOKE_QUICK = 0xe9,
	DEX_INVOKE_QUICK_RANGE = 0xea,
	DEX_INVOKE_POLYMORPHIC = 0xfa,
	DEX_INVOKE_CUSTOM = 0xfc,
	DEX_INVOKE_CUSTOM_RANGE = 0xfd,
};

struct dex_insn {
	uint32_t at; /* in 16-bit units, from the first instruction of the method */
	uint32_t len; /* units; of a payload all of it */
	uint8_t op;
	uint8_t ref; /* enum dex_ref */
	uint16_t payload; /* enum dex_payload: data between instructions, not code */
	uint32_t index; /* of what ref says */
	uint32_t a, b, c; /* registers as the format has them; c of a range: unused */
	int64_t literal; /* constant, or the branch in units relative to at */
	uint32_t n_args; /* of invokes and filled arrays */
	uint32_t first; /* first register of a range */
	bool range; /* arguments are first, first + 1, ...; else args */
	uint8_t args[5];
};

/* Argument k of an invoke (k < n_args). */
static inline uint32_t dex_arg(const struct dex_insn *in, uint32_t k)
{
	return in->range ? in->first + k : in->args[k < 5 ? k : 4];
}

/* Where reading the instructions of a method stands. */
struct dex_insns {
	struct gh_cursor c;
	uint64_t at; /* of the first one in the bytes */
	uint32_t n; /* units */
	bool bad; /* an operation that does not exist, or one cut by the end: what follows was not read */
};

void dex_insns(const struct dex *d, const struct dex_code *code, struct dex_insns *ret);
/* The next instruction or payload in the order they lie in; false at the end or where it is bad. Each takes at least two bytes. */
bool dex_insns_next(struct dex_insns *it, struct dex_insn *ret);
/* The mnemonic, as "Dalvik bytecode" spells it; NULL: unused. */
const char *dex_op_name(uint8_t op);

/* Is it a call, of whatever kind? */
static inline bool dex_is_invoke(uint8_t op)
{
	return (op >= DEX_INVOKE_VIRTUAL && op <= DEX_INVOKE_INTERFACE) ||
	       (op >= DEX_INVOKE_RANGE && op <= DEX_INVOKE_RANGE_LAST) || op == DEX_INVOKE_QUICK ||
	       op == DEX_INVOKE_QUICK_RANGE || (op >= DEX_INVOKE_POLYMORPHIC && op <= DEX_INVOKE_CUSTOM_RANGE);
}

/* ---- handlers (dex_tries.c) ---- */

struct dex_try {
	uint32_t start, n; /* units that it covers */
	uint64_t handlers; /* offset of its encoded_catch_handler; 0: does not fit */
};

/* Try block i of a method. */
bool dex_try(const struct dex *d, const struct dex_code *code, uint32_t i, struct dex_try *ret);
/* The addresses (units) of the handlers of a try block, at most max of them; returns how many. */
uint32_t dex_handlers(const struct dex *d, const struct dex_try *block, uint32_t *out, uint32_t max);

#endif
