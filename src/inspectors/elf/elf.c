/* SPDX-License-Identifier: Apache-2.0 */
/* ELF files: executables, libraries, objects, kernel modules. System V ABI, "ELF header". */
#include "inspectors/elf/elf.h"

#include <stdarg.h>
#include <stdio.h>

enum {
	IDENT = 16,
	HEADER_32 = 52,
	HEADER_64 = 64,
	PHENT_32 = 32,
	PHENT_64 = 56,
	SHENT_32 = 40,
	SHENT_64 = 64,
	COUNT_ELSEWHERE = 0xffff, /* the true number stands in section 0 */
};

static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};

void elf_note(struct elf *e, enum elf_topic topic, enum gh_code code, uint64_t at, const char *fmt, ...)
{
	char what[160];
	if (e->noted[topic]++ >= ELF_NOTES_MAX)
		return;
	if (e->foreign && (code == GH_BAD || code == GH_SHORT))
		code = GH_UNSUP;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	gh_note(e->ctx, code, at, "%s", what);
}

const uint8_t *elf_view(struct elf *e, enum elf_topic topic, uint64_t off, uint64_t n, const char *what)
{
	const struct gh_blob *b = e->blob;
	const uint8_t *p = NULL;
	struct gh_err err;
	if (!gh_within(off, n, b->size))
		elf_note(e, topic, GH_SHORT, off, "%s reaches behind the end of the file", what);
	else if (b->data)
		return b->data + off;
	else if (n > ELF_TABLE_MAX)
		elf_note(e, topic, GH_LIMIT, off, "%s has %llu bytes", what, (unsigned long long)n);
	else if (gh_view(b->src, e->ctx->arena, off, (size_t)n, &p, &err))
		gh_note_err(e->ctx, &err);
	return p;
}

bool elf_steps(struct elf *e, uint64_t n, uint64_t at)
{
	struct gh_err err;
	if (gh_spend_steps(e->ctx->budget, n, at, &err) == GH_OK)
		return true;
	gh_note_err(e->ctx, &err);
	return false;
}

/* ---- header ---- */

/* Counts that do not fit the header are in the first section header. */
static void counts_elsewhere(struct elf *e)
{
	if (!e->shoff || (e->phnum != COUNT_ELSEWHERE && e->shnum && e->shstrndx != COUNT_ELSEWHERE))
		return;
	size_t n = e->wide ? SHENT_64 : SHENT_32;
	const uint8_t *p = elf_view(e, ELF_T_OTHER, e->shoff, n, "the first section header");
	if (!p)
		return;
	struct gh_cursor c = gh_cursor(p, n, e->shoff);
	gh_skip(&c, e->wide ? 32 : 20);
	uint64_t size = elf_word(e, &c);
	uint32_t link = elf_u32(e, &c), info = elf_u32(e, &c);
	if (e->phnum == COUNT_ELSEWHERE)
		e->phnum = info;
	if (!e->shnum)
		e->shnum = size;
	if (e->shstrndx == COUNT_ELSEWHERE)
		e->shstrndx = link;
}

/* NULL: not a processor that runs Android. */
static const char *machine_known(const struct elf *e)
{
	switch (e->machine) {
	case 3:
		return "x86";
	case 40:
		return "arm";
	case 62:
		return "x86_64";
	case 183:
		return "aarch64";
	case 243:
		return e->wide ? "riscv64" : NULL;
	default:
		return NULL;
	}
}

static bool header(struct elf *e)
{
	uint8_t class = 0, data = 0;
	const uint8_t *p = elf_view(e, ELF_T_OTHER, 0, IDENT, "the ELF header");
	if (!p)
		return false;
	struct gh_cursor c = gh_cursor(p, IDENT, 0);
	gh_skip(&c, 4);
	class = gh_u8(&c);
	data = gh_u8(&c);
	if (class < 1 || class > 2 || data < 1 || data > 2) {
		elf_note(e, ELF_T_OTHER, GH_BAD, 4, "class %u and byte order %u are unknown", class, data);
		return false;
	}
	e->wide = class == 2;
	e->big = data == 2;
	size_t n = e->wide ? HEADER_64 : HEADER_32;
	if (!(p = elf_view(e, ELF_T_OTHER, 0, n, "the ELF header")))
		return false;
	c = gh_cursor(p, n, 0);
	gh_skip(&c, IDENT);
	e->type = elf_u16(e, &c);
	e->machine = elf_u16(e, &c);
	gh_skip(&c, 4);
	elf_word(e, &c); /* entry point */
	e->phoff = elf_word(e, &c);
	e->shoff = elf_word(e, &c);
	gh_skip(&c, 6);
	e->foreign = !machine_known(e);
	uint16_t phentsize = elf_u16(e, &c);
	e->phnum = elf_u16(e, &c);
	uint16_t shentsize = elf_u16(e, &c);
	e->shnum = elf_u16(e, &c);
	e->shstrndx = elf_u16(e, &c);
	if (e->phnum && phentsize != (e->wide ? PHENT_64 : PHENT_32)) {
		elf_note(e, ELF_T_SEGMENT, GH_BAD, 0, "program headers of %u bytes", phentsize);
		e->phnum = 0;
	}
	if (e->shoff && shentsize != (e->wide ? SHENT_64 : SHENT_32)) {
		if (e->shnum)
			elf_note(e, ELF_T_SECTION, GH_BAD, 0, "section headers of %u bytes", shentsize);
		e->shoff = 0;
	}
	if (!e->shoff)
		e->shnum = 0;
	counts_elsewhere(e);
	return true;
}

static const char *type_word(const struct elf *e)
{
	static const char *const word[] = {"other", "rel", "exec", "dyn", "core"};
	return e->type < GH_COUNT(word) ? word[e->type] : word[0];
}

/* ---- the inspector ---- */

static bool elf_wants(const struct gh_probe *probe)
{
	return probe->head_len >= sizeof magic && memcmp(probe->head, magic, sizeof magic) == 0;
}

static enum gh_code elf_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct elf *e = gh_alloc(ctx->arena, sizeof *e);
	if (!e)
		return gh_fail(err, GH_NOMEM, 0, "no memory to read an ELF file");
	e->ctx = ctx;
	e->blob = blob;
	if (!header(e))
		return GH_OK;
	const char *machine = machine_known(e);
	e->row.machine = gh_str(machine ? machine : "other");
	e->row.etype = gh_str(type_word(e));
	e->row.bits = e->wide ? 64 : 32;
	elf_segments(e);
	elf_sections(e);
	elf_segment_facts(e);
	elf_section_facts(e);
	elf_dynamic(e);
	elf_symbols(e);
	ctx->ops->emit(ctx, GH_T_elf, 0, &e->row);
	return GH_OK;
}

const struct gh_inspector gh_inspector_elf = {
	.name = "elf",
	.title = "ELF executables and libraries",
	.version = 2,
	.wants = elf_wants,
	.run = elf_run,
};
