/* SPDX-License-Identifier: Apache-2.0 */
/* ELF, inside: what the parts of the inspector share. System V ABI, chapters 4 and 5 ("Object Files", "Program Loading and Dynamic
 * Linking"), and the GNU and Android additions to it. */
#ifndef GH_INSPECTORS_ELF_ELF_H
#define GH_INSPECTORS_ELF_ELF_H

#include "base/num.h"
#include "tree/plugin.h"

enum {
	ELF_TABLE_MAX =
		64 << 20, /* a table of a file that is not whole in memory; Chromium's symbols are below 1 MiB */
	ELF_NOTES_MAX = 8, /* of one kind in one file: a file of nonsense is told in a few lines */
};

enum { ET_REL = 1, ET_EXEC = 2, ET_DYN = 3, ET_CORE = 4 };
enum { PT_NULL = 0, PT_LOAD = 1, PT_DYNAMIC = 2, PT_INTERP = 3, PT_NOTE = 4 };
enum { PF_X = 1, PF_W = 2 };
/* Qualcomm's loader of modem, DSP and TEE images knows a PT_NULL segment by these bits: 2 holds the hashes of all segments. */
enum { PF_MBN_TYPE = 7 << 24, PF_MBN_HASHES = 2 << 24 };
enum { SHT_SYMTAB = 2, SHT_DYNAMIC = 6, SHT_NOTE = 7, SHT_NOBITS = 8, SHT_DYNSYM = 11 };
enum { SHF_ALLOC = 2, SHF_TLS = 0x400 };

struct elf_segment {
	uint32_t type, flags;
	uint64_t off, vaddr, filesz;
};

struct elf_section {
	struct gh_str name; /* p NULL: cannot be read */
	uint32_t type, link;
	uint64_t flags, addr, off, size, entsize;
	uint64_t at; /* of its header */
};

/* Dynamic section: addresses and sizes as it has them; 0: not there. */
struct elf_dynamic {
	bool found;
	uint64_t at, n; /* offset of the first entry, entries before DT_NULL */
	uint64_t strtab, strsz, symtab, syment, hash, gnu_hash;
	uint64_t soname, runpath; /* offset in strings + 1 */
	uint64_t init, init_size, preinit_size;
	uint64_t flags, flags1;
	uint64_t behind; /* least address of a table behind the symbols: UINT64_MAX: none */
	bool textrel;
	const uint8_t *str; /* the strings, str_n bytes */
	size_t str_n;
};

/* Notes of one kind are counted. */
enum elf_topic { ELF_T_SEGMENT, ELF_T_SECTION, ELF_T_PLACE, ELF_T_DYNAMIC, ELF_T_SYMBOL, ELF_T_OTHER, ELF_TOPICS };

struct elf {
	struct gh_ctx *ctx;
	const struct gh_blob *blob;
	bool wide, big; /* 64 bits, big endian */
	bool foreign; /* no program of the phone's own processor: see elf_note */
	uint32_t type, machine;
	uint64_t phoff, phnum, shoff, shnum, shstrndx;
	struct elf_segment *seg;
	size_t n_seg;
	struct elf_section *sec;
	size_t n_sec;
	struct elf_dynamic dyn;
	struct gh_row_elf row;
	uint32_t noted[ELF_TOPICS];
};

static inline uint16_t elf_u16(const struct elf *e, struct gh_cursor *c)
{
	return e->big ? gh_u16be(c) : gh_u16(c);
}

static inline uint32_t elf_u32(const struct elf *e, struct gh_cursor *c)
{
	return e->big ? gh_u32be(c) : gh_u32(c);
}

static inline uint64_t elf_u64(const struct elf *e, struct gh_cursor *c)
{
	return e->big ? gh_u64be(c) : gh_u64(c);
}

/* An address, offset or size: as wide as the file's class. */
static inline uint64_t elf_word(const struct elf *e, struct gh_cursor *c)
{
	return e->wide ? elf_u64(e, c) : elf_u32(e, c);
}

/* elf.c */
/* What is odd in an image of another processor is no damage: such images come in pieces, with sizes of the whole. It is told as not
 * supported. */
void elf_note(struct elf *e, enum elf_topic topic, enum gh_code code, uint64_t at, const char *fmt, ...)
	GH_PRINTF(5, 6);
/* n bytes at off, or NULL, which is noted with `what`. */
const uint8_t *elf_view(struct elf *e, enum elf_topic topic, uint64_t off, uint64_t n, const char *what);
/* A step of the budget for each of n entries; false (noted) when it is spent. */
bool elf_steps(struct elf *e, uint64_t n, uint64_t at);

/* elf_segments.c */
void elf_segments(struct elf *e);
/* Interpreter, build id, segments that are writable and executable. */
void elf_segment_facts(struct elf *e);
/* Where the address lies in the file, and how many bytes of its segment follow there. */
bool elf_offset(const struct elf *e, uint64_t addr, uint64_t *ret_off, uint64_t *ret_left);

/* elf_sections.c */
void elf_sections(struct elf *e);
void elf_section_facts(struct elf *e);
/* The first section of a type, or NULL. */
const struct elf_section *elf_section(const struct elf *e, uint32_t type);

/* elf_dynamic.c */
void elf_dynamic(struct elf *e);

/* elf_symbols.c */
void elf_symbols(struct elf *e);

#endif
