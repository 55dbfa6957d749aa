/* SPDX-License-Identifier: Apache-2.0 */
/* ELF: the dynamic section, reached as the loader reaches it, through the program headers. System V ABI, "Dynamic Section". */
#include "inspectors/elf/elf.h"

enum {
	DT_NULL = 0,
	DT_NEEDED = 1,
	DT_PLTGOT = 3,
	DT_HASH = 4,
	DT_STRTAB = 5,
	DT_SYMTAB = 6,
	DT_RELA = 7,
	DT_STRSZ = 10,
	DT_SYMENT = 11,
	DT_INIT = 12,
	DT_FINI = 13,
	DT_SONAME = 14,
	DT_RPATH = 15,
	DT_REL = 17,
	DT_TEXTREL = 22,
	DT_JMPREL = 23,
	DT_INIT_ARRAY = 25,
	DT_FINI_ARRAY = 26,
	DT_INIT_ARRAYSZ = 27,
	DT_RUNPATH = 29,
	DT_FLAGS = 30,
	DT_PREINIT_ARRAYSZ = 33,
	DT_RELR = 36,
	DT_ANDROID_REL = 0x6000000f,
	DT_ANDROID_RELA = 0x60000011,
	DT_GNU_HASH = 0x6ffffef5,
	DT_VERSYM = 0x6ffffff0,
	DT_FLAGS_1 = 0x6ffffffb,
	DT_VERDEF = 0x6ffffffc,
	DT_VERNEED = 0x6ffffffe,
	DF_TEXTREL = 4,
	DF_1_PIE = 0x08000000,
};

/* One table's address; the nearest behind the symbols bounds their number. */
static void table_at(struct elf_dynamic *d, uint64_t addr)
{
	if (addr > d->symtab)
		d->behind = gh_min(d->behind, addr);
}

static void entry_take(struct elf_dynamic *d, uint64_t tag, uint64_t v)
{
	switch (tag) {
	case DT_HASH:
		d->hash = v;
		break;
	case DT_GNU_HASH:
		d->gnu_hash = v;
		break;
	case DT_STRTAB:
		d->strtab = v;
		break;
	case DT_STRSZ:
		d->strsz = v;
		break;
	case DT_SYMTAB:
		d->symtab = v;
		break;
	case DT_SYMENT:
		d->syment = v;
		break;
	case DT_SONAME:
		d->soname = v + 1;
		break;
	case DT_RPATH:
		if (!d->runpath) /* the older tag counts only without the newer */
			d->runpath = v + 1;
		break;
	case DT_RUNPATH:
		d->runpath = v + 1;
		break;
	case DT_INIT:
		d->init = v;
		break;
	case DT_INIT_ARRAYSZ:
		d->init_size = v;
		break;
	case DT_PREINIT_ARRAYSZ:
		d->preinit_size = v;
		break;
	case DT_TEXTREL:
		d->textrel = true;
		break;
	case DT_FLAGS:
		d->flags = v;
		break;
	case DT_FLAGS_1:
		d->flags1 = v;
		break;
	default:
		break;
	}
}

static bool is_table(uint64_t tag)
{
	static const uint64_t tags[] = {DT_HASH, DT_GNU_HASH, DT_STRTAB, DT_RELA, DT_REL, DT_RELR, DT_JMPREL, DT_VERSYM,
		DT_VERDEF, DT_VERNEED, DT_INIT, DT_FINI, DT_INIT_ARRAY, DT_FINI_ARRAY, DT_PLTGOT, DT_ANDROID_REL,
		DT_ANDROID_RELA};
	for (size_t i = 0; i < GH_COUNT(tags); i++)
		if (tags[i] == tag)
			return true;
	return false;
}

/* Calls back for each entry before DT_NULL. */
static void entries(
	struct elf *e, const uint8_t *p, uint64_t n, void (*each)(struct elf *, uint64_t at, uint64_t tag, uint64_t v))
{
	struct elf_dynamic *d = &e->dyn;
	size_t ent = e->wide ? 16 : 8;
	struct gh_cursor c = gh_cursor(p, (size_t)n * ent, d->at);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = gh_at(&c), tag = elf_word(e, &c), v = elf_word(e, &c);
		if (tag == DT_NULL) {
			d->n = i;
			return;
		}
		each(e, at, tag, v);
	}
	d->n = n;
}

static void first_pass(struct elf *e, uint64_t at, uint64_t tag, uint64_t v)
{
	(void)at;
	entry_take(&e->dyn, tag, v);
}

static void table_pass(struct elf *e, uint64_t at, uint64_t tag, uint64_t v)
{
	(void)at;
	if (is_table(tag))
		table_at(&e->dyn, v);
}

static struct gh_str string_at(struct elf *e, uint64_t off, uint64_t at)
{
	struct gh_cursor c = gh_cursor(e->dyn.str, e->dyn.str_n, at);
	gh_seek(&c, off);
	struct gh_str s = gh_cstr(&c);
	if (c.bad)
		elf_note(e, ELF_T_DYNAMIC, GH_BAD, at, "a name of the dynamic section lies outside its strings");
	return s;
}

static void needed_pass(struct elf *e, uint64_t at, uint64_t tag, uint64_t v)
{
	if (tag == DT_NEEDED)
		GH_EMIT(e->ctx, elf_needed, at, .soname = string_at(e, v, at));
}

static void strings_load(struct elf *e)
{
	struct elf_dynamic *d = &e->dyn;
	uint64_t off, left;
	if (!d->strtab)
		return;
	if (!elf_offset(e, d->strtab, &off, &left)) {
		elf_note(e, ELF_T_DYNAMIC, GH_BAD, d->at, "the strings of the dynamic section lie in no segment");
		return;
	}
	if (d->strsz > left)
		elf_note(e, ELF_T_DYNAMIC, GH_BAD, d->at,
			"the strings of the dynamic section reach behind their segment");
	uint64_t n = gh_min(d->strsz, left);
	d->str = elf_view(e, ELF_T_DYNAMIC, off, n, "strings of the dynamic section");
	d->str_n = d->str ? (size_t)n : 0;
}

/* What the section table says of the same: it must agree, or tools and loader see different files. A file with the debugging
 * information alone has the sections without content. */
static bool section_agrees(struct elf *e, const struct elf_segment *s)
{
	for (size_t i = 1; i < e->n_sec; i++)
		if (e->sec[i].type == SHT_NOBITS && gh_str_is(e->sec[i].name, ".dynamic"))
			return false;
	const struct elf_section *t = elf_section(e, SHT_DYNAMIC);
	if (t && s && (t->off != s->off || t->addr != s->vaddr))
		elf_note(e, ELF_T_DYNAMIC, GH_BAD, t->at, "sections and segments name different dynamic sections");
	else if (t && !s && (e->type == ET_EXEC || e->type == ET_DYN))
		elf_note(e, ELF_T_DYNAMIC, GH_BAD, t->at, "a dynamic section that no segment names");
	return true;
}

static void facts(struct elf *e)
{
	const struct elf_dynamic *d = &e->dyn;
	unsigned word = e->wide ? 8 : 4;
	if (d->soname)
		e->row.soname = string_at(e, d->soname - 1, d->at);
	if (d->runpath)
		e->row.runpath = string_at(e, d->runpath - 1, d->at);
	e->row.n_init = (d->init != 0) + (int64_t)(d->init_size / word) + (int64_t)(d->preinit_size / word);
	e->row.textrel = d->textrel || d->flags & DF_TEXTREL;
}

static const struct elf_segment *segment(const struct elf *e, uint32_t type)
{
	for (size_t i = 0; i < e->n_seg; i++)
		if (e->seg[i].type == type)
			return &e->seg[i];
	return NULL;
}

static void dynamic_read(struct elf *e, const struct elf_segment *s)
{
	struct elf_dynamic *d = &e->dyn;
	size_t ent = e->wide ? 16 : 8;
	uint64_t n = s->filesz / ent;
	d->at = s->off;
	d->behind = UINT64_MAX;
	const uint8_t *p = elf_view(e, ELF_T_DYNAMIC, s->off, n * ent, "the dynamic section");
	if (!p || !elf_steps(e, 3 * n, s->off))
		return;
	d->found = true;
	entries(e, p, n, first_pass);
	entries(e, p, n, table_pass);
	strings_load(e);
	entries(e, p, n, needed_pass);
	if (d->n == n)
		elf_note(e, ELF_T_DYNAMIC, GH_BAD, s->off, "the dynamic section has no end");
	facts(e);
}

void elf_dynamic(struct elf *e)
{
	const struct elf_segment *s = segment(e, PT_DYNAMIC);
	if (section_agrees(e, s) && s)
		dynamic_read(e, s);
	bool program = e->type == ET_EXEC || (e->type == ET_DYN && e->dyn.flags1 & DF_1_PIE);
	e->row.is_static = program && !e->row.interp.p;
}
