/* SPDX-License-Identifier: Apache-2.0 */
/* ELF: program headers, what the loader goes by. System V ABI, "Program Header" and "Note Section". */
#include "inspectors/elf/elf.h"

enum {
	NOTE_HEADER = 12,
	NOTE_BUILD_ID = 3, /* of owner "GNU" */
	INTERP_MAX = 4096, /* PATH_MAX */
	BUILD_ID_MAX = 64, /* SHA-1 has 20, the longest hash 64 */
};

static void segment_read(const struct elf *e, struct gh_cursor *c, struct elf_segment *ret)
{
	ret->type = elf_u32(e, c);
	if (e->wide)
		ret->flags = elf_u32(e, c);
	ret->off = elf_word(e, c);
	ret->vaddr = elf_word(e, c);
	elf_word(e, c); /* physical address */
	ret->filesz = elf_word(e, c);
	elf_word(e, c); /* size in memory */
	if (!e->wide)
		ret->flags = elf_u32(e, c);
	elf_word(e, c); /* alignment */
}

void elf_segments(struct elf *e)
{
	uint64_t ent = e->wide ? 56 : 32, n = e->phnum;
	if (!n || !elf_steps(e, n, e->phoff))
		return;
	if (n > e->blob->size / ent) {
		elf_note(e, ELF_T_SEGMENT, GH_SHORT, e->phoff, "%llu program headers do not fit into the file",
			(unsigned long long)n);
		return;
	}
	const uint8_t *p = elf_view(e, ELF_T_SEGMENT, e->phoff, n * ent, "the table of program headers");
	if (!p)
		return;
	e->seg = gh_alloc_array(e->ctx->arena, (size_t)n, sizeof *e->seg);
	if (!e->seg) {
		elf_note(e, ELF_T_SEGMENT, GH_NOMEM, e->phoff, "no memory for program headers");
		return;
	}
	struct gh_cursor c = gh_cursor(p, (size_t)(n * ent), e->phoff);
	for (e->n_seg = 0; e->n_seg < n; e->n_seg++) {
		struct elf_segment *s = &e->seg[e->n_seg];
		segment_read(e, &c, s);
		e->foreign |= s->type == PT_NULL && (s->flags & PF_MBN_TYPE) == PF_MBN_HASHES;
	}
}

bool elf_offset(const struct elf *e, uint64_t addr, uint64_t *ret_off, uint64_t *ret_left)
{
	for (size_t i = 0; i < e->n_seg; i++) {
		const struct elf_segment *s = &e->seg[i];
		if (s->type != PT_LOAD || addr < s->vaddr || addr - s->vaddr >= s->filesz)
			continue;
		uint64_t skip = addr - s->vaddr, off;
		if (!gh_add(s->off, skip, &off) || off >= e->blob->size)
			return false;
		*ret_off = off;
		*ret_left = gh_min(s->filesz - skip, e->blob->size - off);
		return true;
	}
	return false;
}

/* ---- facts ---- */

static void interp(struct elf *e, const struct elf_segment *s)
{
	uint64_t n = gh_min(s->filesz, INTERP_MAX);
	const uint8_t *p = elf_view(e, ELF_T_SEGMENT, s->off, n, "the interpreter's name");
	if (!p || e->row.interp.p)
		return;
	struct gh_cursor c = gh_cursor(p, (size_t)n, s->off);
	e->row.interp = gh_text(&c, (size_t)n);
}

/* Notes follow each other; the descriptor is aligned to 4 bytes, in some segments to 8. */
static void notes(struct elf *e, uint64_t off, uint64_t size, enum elf_topic topic)
{
	const uint8_t *p = size ? elf_view(e, topic, off, size, "a segment of notes") : NULL;
	if (!p || !elf_steps(e, size / NOTE_HEADER, off))
		return;
	struct gh_cursor c = gh_cursor(p, (size_t)size, off);
	while (gh_left(&c) >= NOTE_HEADER && !e->row.build_id.p) {
		uint32_t name_n = elf_u32(e, &c), desc_n = elf_u32(e, &c), type = elf_u32(e, &c);
		struct gh_cursor name = gh_sub(&c, name_n);
		gh_skip(&c, gh_min(-(uint64_t)name_n & 3, gh_left(&c)));
		struct gh_cursor desc = gh_sub(&c, desc_n);
		gh_skip(&c, gh_min(-(uint64_t)desc_n & 3, gh_left(&c)));
		if (c.bad) {
			elf_note(e, topic, GH_BAD, off, "a note reaches behind its segment");
			return;
		}
		const uint8_t *who = gh_bytes(&name, 4);
		if (type != NOTE_BUILD_ID || name_n != 4 || !who || memcmp(who, "GNU", 4) != 0 || desc_n > BUILD_ID_MAX)
			continue;
		e->row.build_id = gh_hex(e->ctx->arena, gh_bytes(&desc, desc_n), desc_n);
	}
}

void elf_segment_facts(struct elf *e)
{
	for (size_t i = 0; i < e->n_seg; i++) {
		const struct elf_segment *s = &e->seg[i];
		if (s->type == PT_INTERP)
			interp(e, s);
		else if (s->type == PT_NOTE)
			notes(e, s->off, s->filesz, ELF_T_SEGMENT);
		if (s->type == PT_LOAD && s->flags & PF_W && s->flags & PF_X)
			e->row.rwx = 1;
		/* Core files are cut short by limits of the system. */
		if (s->type == PT_LOAD && e->type != ET_CORE && !gh_within(s->off, s->filesz, e->blob->size))
			elf_note(e, ELF_T_SEGMENT, GH_SHORT, s->off, "segment %zu reaches behind the end of the file",
				i);
	}
	/* Objects and kernel modules have no segments. */
	for (size_t i = 0; !e->n_seg && i < e->n_sec; i++)
		if (e->sec[i].type == SHT_NOTE)
			notes(e, e->sec[i].off, e->sec[i].size, ELF_T_SECTION);
}
