/* SPDX-License-Identifier: Apache-2.0 */
/* OAT: where the symbol oatdata points to, as the runtime finds it: through the dynamic section. System V ABI, "Dynamic section". */
#include "formats/oat/oat.h"

enum {
	PT_LOAD = 1,
	PT_DYNAMIC = 2,
	DT_HASH = 4,
	DT_STRTAB = 5,
	DT_SYMTAB = 6,
	DT_STRSZ = 10,
	SEGMENTS_MAX = 64, /* an oat file has ten */
	DYNAMIC_MAX = 64 * 16, /* and ten entries */
	SYMBOLS_MAX = 64, /* oatdata, oatlastword and at most ten more */
	STRINGS_MAX = 64 << 10,
};

struct elf {
	struct gh_ctx *ctx;
	struct gh_source *src;
	bool wide;
	uint64_t phoff;
	uint32_t phnum, phent;
	uint64_t hash, strtab, symtab, strsz; /* addresses, size */
};

static uint64_t word(const struct elf *e, struct gh_cursor *c)
{
	return e->wide ? gh_u64(c) : gh_u32(c);
}

static enum gh_code view(struct elf *e, uint64_t at, uint64_t n, struct gh_cursor *ret, struct gh_err *err)
{
	const uint8_t *p;
	enum gh_code code = gh_view(e->src, e->ctx->arena, at, (size_t)n, &p, err);
	*ret = gh_cursor(code ? NULL : p, code ? 0 : (size_t)n, at);
	return code;
}

struct segment {
	uint32_t type;
	uint64_t off, addr, size;
};

static enum gh_code segment(struct elf *e, uint32_t i, struct segment *ret, struct gh_err *err)
{
	struct gh_cursor c;
	enum gh_code code = view(e, e->phoff + (uint64_t)i * e->phent, e->phent, &c, err);
	ret->type = gh_u32(&c);
	if (e->wide)
		gh_skip(&c, 4);
	ret->off = word(e, &c);
	ret->addr = word(e, &c);
	gh_skip(&c, e->wide ? 8 : 4);
	ret->size = word(e, &c);
	return code;
}

/* An address as an offset in the file. */
static enum gh_code locate(struct elf *e, uint64_t addr, uint64_t *ret, struct gh_err *err)
{
	for (uint32_t i = 0; i < e->phnum; i++) {
		struct segment s;
		enum gh_code code = segment(e, i, &s, err);
		if (code)
			return code;
		if (s.type == PT_LOAD && addr >= s.addr && addr - s.addr < s.size && gh_add(s.off, addr - s.addr, ret))
			return GH_OK;
	}
	return gh_fail(err, GH_BAD, 0, "address 0x%" PRIx64 " lies in no segment", addr);
}

static enum gh_code header(struct elf *e, struct gh_err *err)
{
	struct gh_cursor c;
	enum gh_code code = view(e, 0, 52, &c, err);
	if (code)
		return code;
	gh_skip(&c, 4);
	uint8_t class = gh_u8(&c), order = gh_u8(&c);
	e->wide = class == 2;
	if (class < 1 || class > 2 || order != 1)
		return gh_fail(err, GH_UNSUP, 4, "ELF class %u and byte order %u", class, order);
	code = view(e, 0, e->wide ? 64 : 52, &c, err);
	gh_skip(&c, e->wide ? 32 : 28);
	e->phoff = word(e, &c);
	gh_skip(&c, (e->wide ? 8 : 4) + 6);
	e->phent = gh_u16(&c);
	e->phnum = gh_u16(&c);
	if (code)
		return code;
	if (e->phent < (e->wide ? 56 : 32) || e->phnum > SEGMENTS_MAX)
		return gh_fail(err, GH_BAD, 42, "%u program headers of %u bytes", e->phnum, e->phent);
	return GH_OK;
}

static enum gh_code dynamic(struct elf *e, struct gh_err *err)
{
	struct segment s = {0};
	struct gh_cursor c;
	for (uint32_t i = 0; i < e->phnum && s.type != PT_DYNAMIC; i++) {
		enum gh_code code = segment(e, i, &s, err);
		if (code)
			return code;
	}
	if (s.type != PT_DYNAMIC)
		return gh_fail(err, GH_BAD, 0, "no dynamic section: no symbol oatdata");
	enum gh_code code = view(e, s.off, gh_min(s.size, DYNAMIC_MAX), &c, err);
	while (!code && gh_left(&c) >= (e->wide ? 16 : 8)) {
		uint64_t tag = word(e, &c), value = word(e, &c);
		if (!tag)
			break;
		if (tag == DT_HASH)
			e->hash = value;
		else if (tag == DT_STRTAB)
			e->strtab = value;
		else if (tag == DT_SYMTAB)
			e->symtab = value;
		else if (tag == DT_STRSZ)
			e->strsz = value;
	}
	return code;
}

/* How many symbols there are: the second word of the hash table. */
static enum gh_code count(struct elf *e, uint32_t *ret, struct gh_err *err)
{
	uint64_t at;
	struct gh_cursor c;
	enum gh_code code = locate(e, e->hash, &at, err);
	if (code == GH_OK)
		code = view(e, at, 8, &c, err);
	if (code)
		return code;
	gh_skip(&c, 4);
	*ret = (uint32_t)gh_min(gh_u32(&c), SYMBOLS_MAX);
	return GH_OK;
}

static enum gh_code symbol(struct elf *e, uint64_t *ret, struct gh_err *err)
{
	uint32_t n = 0;
	uint64_t symbols = 0, strings = 0;
	struct gh_cursor c = {0}, names = {0};
	enum gh_code code = count(e, &n, err);
	if (code == GH_OK)
		code = locate(e, e->symtab, &symbols, err);
	if (code == GH_OK)
		code = locate(e, e->strtab, &strings, err);
	if (code == GH_OK)
		code = view(e, symbols, (uint64_t)n * (e->wide ? 24 : 16), &c, err);
	if (code == GH_OK)
		code = view(e, strings, gh_min(e->strsz, STRINGS_MAX), &names, err);
	for (uint32_t i = 0; !code && i < n; i++) {
		uint32_t name = gh_u32(&c);
		gh_skip(&c, e->wide ? 4 : 0);
		uint64_t value = word(e, &c);
		gh_skip(&c, 8);
		struct gh_cursor s = names;
		gh_seek(&s, name);
		if (gh_str_is(gh_cstr(&s), "oatdata"))
			return locate(e, value, ret, err);
	}
	return code ? code : gh_fail(err, GH_BAD, 0, "no symbol oatdata");
}

enum gh_code oat_find(struct gh_ctx *ctx, struct gh_source *src, uint64_t *ret, struct gh_err *err)
{
	struct elf e = {.ctx = ctx, .src = src};
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	enum gh_code code = header(&e, err);
	if (code == GH_OK)
		code = dynamic(&e, err);
	if (code == GH_OK)
		code = symbol(&e, ret, err);
	gh_arena_release(ctx->arena, mark);
	return code;
}
