/* SPDX-License-Identifier: Apache-2.0 */
/* ELF: symbols that other files see. System V ABI, "Symbol Table" and "Hash Table"; the GNU hash table as binutils write it. */
#include "inspectors/elf/elf.h"

enum {
	SYM_32 = 16,
	SYM_64 = 24,
	SHN_UNDEF = 0,
	STB_LOCAL = 0,
	PIECE = 1024, /* entries of a hash table read at once */
};

struct table {
	uint64_t off, n; /* symbols */
	const uint8_t *str;
	size_t str_n;
};

/* ---- how many ---- */

/* DT_HASH: its second number. */
static bool count_hash(struct elf *e, uint64_t *ret)
{
	uint64_t off, left;
	if (!e->dyn.hash)
		return false;
	if (!elf_offset(e, e->dyn.hash, &off, &left) || left < 8) {
		elf_note(e, ELF_T_SYMBOL, GH_BAD, e->dyn.at, "the hash table of the symbols lies in no segment");
		return false;
	}
	const uint8_t *p = elf_view(e, ELF_T_SYMBOL, off, 8, "the hash table of the symbols");
	if (!p)
		return false;
	struct gh_cursor c = gh_cursor(p, 8, off);
	gh_skip(&c, 4);
	*ret = elf_u32(e, &c);
	return true;
}

/* The greatest of n 32-bit numbers, or the index of the first odd one (`odd`). false: not to be had. */
static bool scan(struct elf *e, uint64_t off, uint64_t n, bool odd, uint64_t *ret)
{
	*ret = 0;
	if (!elf_steps(e, 1, off))
		return false;
	for (uint64_t i = 0; i < n;) {
		uint64_t k = gh_min(PIECE, n - i);
		struct gh_mark mark = gh_arena_mark(e->ctx->arena);
		const uint8_t *p = elf_view(e, ELF_T_SYMBOL, off + 4 * i, 4 * k, "the GNU hash table");
		if (!p || !elf_steps(e, k, off))
			return false;
		struct gh_cursor c = gh_cursor(p, (size_t)(4 * k), off + 4 * i);
		for (uint64_t j = 0; j < k; j++) {
			uint32_t v = elf_u32(e, &c);
			if (odd && v & 1) {
				*ret = i + j;
				return true;
			}
			if (!odd)
				*ret = gh_max(*ret, v);
		}
		gh_arena_release(e->ctx->arena, mark);
		i += k;
	}
	return !odd;
}

/* DT_GNU_HASH: the last symbol is the end of the chain of the greatest bucket. A table without symbols tells nothing. */
static bool count_gnu(struct elf *e, uint64_t *ret)
{
	uint64_t off, left, last, end;
	if (!e->dyn.gnu_hash)
		return false;
	if (!elf_offset(e, e->dyn.gnu_hash, &off, &left) || left < 16) {
		elf_note(e, ELF_T_SYMBOL, GH_BAD, e->dyn.at, "the GNU hash table lies in no segment");
		return false;
	}
	const uint8_t *p = elf_view(e, ELF_T_SYMBOL, off, 16, "the GNU hash table");
	if (!p)
		return false;
	struct gh_cursor c = gh_cursor(p, 16, off);
	uint64_t buckets = elf_u32(e, &c), first = elf_u32(e, &c), bloom = elf_u32(e, &c);
	uint64_t bucket_at = 16 + bloom * (e->wide ? 8 : 4), chain_at = bucket_at + 4 * buckets;
	if (chain_at > left) {
		elf_note(e, ELF_T_SYMBOL, GH_BAD, off, "the GNU hash table reaches behind its segment");
		return false;
	}
	if (!scan(e, off + bucket_at, buckets, false, &last) || !last)
		return false;
	uint64_t room = (left - chain_at) / 4;
	if (last < first || last - first >= room ||
		!scan(e, off + chain_at + 4 * (last - first), room - (last - first), true, &end)) {
		elf_note(e, ELF_T_SYMBOL, GH_BAD, off, "a chain of the GNU hash table has no end");
		return false;
	}
	*ret = last + end + 1;
	return true;
}

/* ---- the tables ---- */

static uint64_t symbol_size(const struct elf *e)
{
	return e->wide ? SYM_64 : SYM_32;
}

static bool dynamic_table(struct elf *e, struct table *ret)
{
	const struct elf_dynamic *d = &e->dyn;
	uint64_t size = symbol_size(e), left, n = 0;
	if (!d->found || !d->symtab)
		return false;
	if (!elf_offset(e, d->symtab, &ret->off, &left)) {
		elf_note(e, ELF_T_SYMBOL, GH_BAD, d->at, "the symbols of the dynamic section lie in no segment");
		return false;
	}
	if (d->syment && d->syment != size) {
		elf_note(e, ELF_T_SYMBOL, GH_BAD, d->at, "symbols of %llu bytes", (unsigned long long)d->syment);
		return false;
	}
	const struct elf_section *s = elf_section(e, SHT_DYNSYM);
	bool told = count_hash(e, &n) || count_gnu(e, &n), same = s && s->addr == d->symtab;
	if (s && (!same || (told && s->size / size != n)))
		elf_note(e, ELF_T_SYMBOL, GH_BAD, s->at, "sections and segments name different dynamic symbols");
	if (!told && same)
		n = s->size / size;
	else if (!told)
		n = d->behind == UINT64_MAX ? 0 : (d->behind - d->symtab) / size;
	if (n > left / size) {
		elf_note(e, ELF_T_SYMBOL, GH_BAD, ret->off, "%llu symbols do not fit into their segment",
			(unsigned long long)n);
		n = left / size;
	}
	ret->n = n;
	ret->str = d->str;
	ret->str_n = d->str_n;
	return true;
}

/* Objects and kernel modules are linked by their sections. */
static bool object_table(struct elf *e, struct table *ret)
{
	const struct elf_section *s = e->type == ET_REL ? elf_section(e, SHT_SYMTAB) : NULL;
	if (!s || s->link >= e->n_sec)
		return false;
	const struct elf_section *t = &e->sec[s->link];
	ret->off = s->off;
	ret->n = s->size / symbol_size(e);
	ret->str = elf_view(e, ELF_T_SYMBOL, t->off, t->size, "names of symbols");
	ret->str_n = ret->str ? (size_t)t->size : 0;
	return true;
}

/* ---- symbols ---- */

struct symbol {
	uint32_t name;
	uint8_t bind, type, visibility;
	uint16_t section;
	uint64_t value, size;
};

static void symbol_read(const struct elf *e, struct gh_cursor *c, struct symbol *ret)
{
	ret->name = elf_u32(e, c);
	if (!e->wide) {
		ret->value = elf_u32(e, c);
		ret->size = elf_u32(e, c);
	}
	uint8_t info = gh_u8(c);
	ret->bind = info >> 4;
	ret->type = info & 15;
	ret->visibility = gh_u8(c) & 3;
	ret->section = elf_u16(e, c);
	if (e->wide) {
		ret->value = elf_u64(e, c);
		ret->size = elf_u64(e, c);
	}
}

static const char *bind_word(uint8_t bind)
{
	static const char *const word[] = {"local", "global", "weak"};
	return bind < GH_COUNT(word) ? word[bind] : bind == 10 ? "unique" : "other";
}

static const char *stype_word(uint8_t type)
{
	static const char *const word[] = {"notype", "object", "func", "section", "file", "common", "tls"};
	return type < GH_COUNT(word) ? word[type] : type == 10 ? "ifunc" : "other";
}

static struct gh_str symbol_name(const struct table *t, uint32_t name)
{
	struct gh_cursor c = gh_cursor(t->str, t->str_n, 0);
	gh_seek(&c, name);
	return gh_cstr(&c);
}

static bool is_oatdata(const struct table *t, uint32_t name)
{
	static const char word[] = "oatdata";
	return gh_within(name, sizeof word, t->str_n) && memcmp(t->str + name, word, sizeof word) == 0;
}

static void symbol_take(struct elf *e, const struct table *t, const struct symbol *s, uint64_t at)
{
	bool defined = s->section != SHN_UNDEF;
	/* Hidden (2) and internal (1) symbols are not for others. */
	if (defined && s->bind != STB_LOCAL && (s->visibility == 0 || s->visibility == 3))
		e->row.n_exports++;
	bool oat = defined && is_oatdata(t, s->name);
	if (oat)
		e->row.oatdata = 1;
	if (defined ? !oat : !s->name)
		return;
	struct gh_str name = symbol_name(t, s->name);
	if (!name.p) {
		elf_note(e, ELF_T_SYMBOL, GH_BAD, at, "a symbol's name lies outside the strings");
		return;
	}
	if (!defined)
		e->row.n_imports++;
	GH_EMIT(e->ctx, elf_symbols, at, .name = name, .defined = defined, .bind = gh_str(bind_word(s->bind)),
		.stype = gh_str(stype_word(s->type)), .value = (int64_t)s->value, .size = (int64_t)s->size);
}

void elf_symbols(struct elf *e)
{
	struct table t = {0};
	uint64_t size = symbol_size(e);
	if (!dynamic_table(e, &t) && !object_table(e, &t))
		return;
	if (t.n < 2 || t.n > e->blob->size / size || !elf_steps(e, t.n, t.off))
		return;
	const uint8_t *p = elf_view(e, ELF_T_SYMBOL, t.off, t.n * size, "the table of symbols");
	if (!p)
		return;
	struct gh_cursor c = gh_cursor(p, (size_t)(t.n * size), t.off);
	gh_skip(&c, size); /* the first only keeps its place */
	for (uint64_t i = 1; i < t.n; i++) {
		struct symbol s = {0};
		uint64_t at = gh_at(&c);
		symbol_read(e, &c, &s);
		symbol_take(e, &t, &s, at);
	}
}
