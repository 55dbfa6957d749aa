/* SPDX-License-Identifier: Apache-2.0 */
/* ELF: section headers, what tools go by and the loader does not. System V ABI, "Sections". */
#include "inspectors/elf/elf.h"

static void section_read(const struct elf *e, struct gh_cursor *c, struct elf_section *ret, uint32_t *ret_name)
{
	ret->at = gh_at(c);
	*ret_name = elf_u32(e, c);
	ret->type = elf_u32(e, c);
	ret->flags = elf_word(e, c);
	ret->addr = elf_word(e, c);
	ret->off = elf_word(e, c);
	ret->size = elf_word(e, c);
	ret->link = elf_u32(e, c);
	elf_u32(e, c); /* info */
	elf_word(e, c); /* alignment */
	ret->entsize = elf_word(e, c);
}

static struct gh_str name_read(struct elf *e, const uint8_t *p, size_t n, uint32_t name, uint64_t at)
{
	struct gh_cursor c = gh_cursor(p, n, 0);
	gh_seek(&c, name);
	struct gh_str s = gh_cstr(&c);
	if (c.bad)
		elf_note(e, ELF_T_SECTION, GH_BAD, at, "a section's name lies outside the names");
	return s;
}

static void names(struct elf *e, const uint32_t *name)
{
	if (!e->shstrndx)
		return;
	if (e->shstrndx >= e->n_sec) {
		elf_note(e, ELF_T_SECTION, GH_BAD, e->shoff, "the section with the names, %llu, is not there",
			(unsigned long long)e->shstrndx);
		return;
	}
	const struct elf_section *s = &e->sec[e->shstrndx];
	const uint8_t *p =
		s->type == SHT_NOBITS ? NULL : elf_view(e, ELF_T_SECTION, s->off, s->size, "names of sections");
	for (size_t i = 1; p && i < e->n_sec; i++)
		e->sec[i].name = name_read(e, p, (size_t)s->size, name[i], e->sec[i].at);
}

void elf_sections(struct elf *e)
{
	uint64_t ent = e->wide ? 64 : 40, n = e->shnum;
	if (!n || !elf_steps(e, n, e->shoff))
		return;
	if (n > e->blob->size / ent) {
		elf_note(e, ELF_T_SECTION, GH_SHORT, e->shoff, "%llu section headers do not fit into the file",
			(unsigned long long)n);
		return;
	}
	const uint8_t *p = elf_view(e, ELF_T_SECTION, e->shoff, n * ent, "the table of section headers");
	if (!p)
		return;
	e->sec = gh_alloc_array(e->ctx->arena, (size_t)n, sizeof *e->sec);
	uint32_t *name = gh_alloc_array(e->ctx->arena, (size_t)n, sizeof *name);
	if (!e->sec || !name) {
		elf_note(e, ELF_T_SECTION, GH_NOMEM, e->shoff, "no memory for section headers");
		return;
	}
	struct gh_cursor c = gh_cursor(p, (size_t)(n * ent), e->shoff);
	for (e->n_sec = 0; e->n_sec < n; e->n_sec++)
		section_read(e, &c, &e->sec[e->n_sec], &name[e->n_sec]);
	names(e, name);
}

const struct elf_section *elf_section(const struct elf *e, uint32_t type)
{
	for (size_t i = 1; i < e->n_sec; i++)
		if (e->sec[i].type == type)
			return &e->sec[i];
	return NULL;
}

/* Does a section that is loaded lie where the segments say its address comes from? Tools show the one, the phone runs the other. */
static void place_check(struct elf *e, const struct elf_section *s)
{
	bool held = false;
	if (!(s->flags & SHF_ALLOC) || s->flags & SHF_TLS || !s->size || s->type == SHT_NOBITS)
		return;
	for (size_t i = 0; i < e->n_seg; i++) {
		const struct elf_segment *g = &e->seg[i];
		if (g->type != PT_LOAD || s->addr < g->vaddr || s->addr - g->vaddr >= g->filesz)
			continue;
		if (s->off - g->off == s->addr - g->vaddr)
			return;
		held = true;
	}
	if (held)
		elf_note(e, ELF_T_PLACE, GH_BAD, s->at, "section %.*s lies elsewhere than the segment with its address",
			(int)gh_min(s->name.n, 40), s->name.p ? s->name.p : "");
}

void elf_section_facts(struct elf *e)
{
	e->row.stripped = !elf_section(e, SHT_SYMTAB);
	/* Section 0 only keeps its place. */
	if (e->n_seg && e->n_sec && !elf_steps(e, (uint64_t)e->n_seg * e->n_sec, e->shoff))
		return;
	for (size_t i = 1; i < e->n_sec; i++) {
		const struct elf_section *s = &e->sec[i];
		GH_EMIT(e->ctx, elf_sections, s->at, .name = s->name, .off = (int64_t)s->off, .size = (int64_t)s->size,
			.flags = (int64_t)s->flags);
		if (s->type != SHT_NOBITS && !gh_within(s->off, s->size, e->blob->size))
			elf_note(
				e, ELF_T_SECTION, GH_SHORT, s->at, "section %zu reaches behind the end of the file", i);
		place_check(e, s);
	}
}
