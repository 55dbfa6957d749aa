/* SPDX-License-Identifier: Apache-2.0 */
/* DEX as a library: tables, classes and code of a dex file in memory. source.android.com, "Dalvik executable format" (035 to 041), and
 * libdexfile of AOSP for CompactDex (cdex001, Android 9 to 11). Nothing is copied or allocated: whatever is handed out points into
 * the bytes, which must outlive it. Every index and offset is checked where it is used; what does not fit is absent. */
#ifndef GH_INSPECTORS_DEX_DEXFILE_H
#define GH_INSPECTORS_DEX_DEXFILE_H

#include "base/num.h"
#include "cursor/cursor.h"

enum {
	DEX_NONE = 0xffffffffu, /* no index */
	DEX_HEADER = 0x70,
	DEX_HEADER_41 = 0x78, /* with container size and offset of the header */
	DEX_HEADER_COMPACT = 0x88,
};

enum dex_table_kind { DEX_STRINGS, DEX_TYPES, DEX_PROTOS, DEX_FIELDS, DEX_METHODS, DEX_CLASSES, DEX_N_TABLES };

/* In the order of enum dex_table_kind, for people. */
extern const char *const dex_table_words[DEX_N_TABLES];

struct dex_table {
	uint64_t at; /* in the bytes */
	uint32_t n; /* entries that lie inside */
	uint32_t said; /* entries that the header says */
};

struct dex {
	const uint8_t *p;
	size_t n;
	uint64_t head; /* of this dex in p: above 0 for the second and further ones of a container (041) */
	uint64_t data; /* what offsets of the data section are relative to */
	unsigned version;
	bool compact;
	uint32_t checksum, file_size, header_size;
	uint64_t container; /* bytes of all dex files that belong together; the file's own size before 041 */
	uint64_t signature; /* offset of 20 bytes */
	struct dex_table table[DEX_N_TABLES];
};

/* Does it begin like a dex file of a version that is read here? */
bool dex_is(const uint8_t *p, size_t n);
/* Reads the header at `head` of n bytes at p. GH_UNSUP: another version or byte order; GH_SHORT or GH_BAD: no header. Tables that
 * do not fit are cut, table[].n < table[].said. */
enum gh_code dex_open(struct dex *d, const uint8_t *p, size_t n, uint64_t head, struct gh_err *err) GH_MUST;
/* The next dex of a container (041) behind this one, or 0. */
uint64_t dex_next(const struct dex *d);

/* ---- sums (dex_sums.c) ---- */

uint32_t dex_adler32(const void *p, size_t n);
/* Over what the header's checksum and signature cover; false where they cover nothing that is here (CompactDex keeps those of the dex
 * file it was made from; a file cut short). */
bool dex_computed(const struct dex *d, uint32_t *ret_checksum, uint8_t ret_sha1[20]);

/* ---- tables (dex_tables.c) ---- */

/* String i as it lies there, in Java's modified UTF-8, without its final zero. p NULL: there is none. */
struct gh_str dex_string(const struct dex *d, uint32_t i);
/* Modified UTF-8 to UTF-8, into out, which has room for s.n bytes; returns the length. Halves of a pair that stand alone, and bytes that
 * are no modified UTF-8, stay as they are. */
size_t dex_utf8(struct gh_str s, char *out);
/* The descriptor of type i: "Ljava/lang/Object;". */
struct gh_str dex_type(const struct dex *d, uint32_t i);

struct dex_types { /* a list of types: parameters, interfaces */
	uint64_t at;
	uint32_t n;
};

struct dex_proto {
	uint32_t shorty; /* string */
	uint32_t ret; /* type */
	struct dex_types params;
};

struct dex_member_id { /* of a field or method */
	uint32_t class; /* type */
	uint32_t type; /* of a field; of a method: its proto */
	uint32_t name; /* string */
};

bool dex_proto(const struct dex *d, uint32_t i, struct dex_proto *ret);
bool dex_field(const struct dex *d, uint32_t i, struct dex_member_id *ret);
bool dex_method(const struct dex *d, uint32_t i, struct dex_member_id *ret);
/* Type k of a list, or DEX_NONE. */
uint32_t dex_types_get(const struct dex *d, struct dex_types list, uint32_t k);

/* ---- classes (dex_class.c) ---- */

struct dex_class {
	uint64_t at; /* of its definition */
	uint32_t type, access, super, source; /* type, flags, type or DEX_NONE, string or DEX_NONE */
	struct dex_types interfaces;
	uint64_t members; /* class_data_item; 0: none */
	uint32_t annotations, values; /* offsets in the data section; 0: none */
};

bool dex_class(const struct dex *d, uint32_t i, struct dex_class *ret);

enum dex_member_kind { DEX_STATIC_FIELD, DEX_INSTANCE_FIELD, DEX_DIRECT_METHOD, DEX_VIRTUAL_METHOD, DEX_N_KINDS };

struct dex_member {
	enum dex_member_kind kind;
	uint64_t at;
	uint32_t index; /* of the field or method */
	uint32_t access;
	uint64_t code; /* offset of its code in the bytes; 0: none (abstract, native) */
};

/* Where reading the members of a class stands. */
struct dex_members {
	struct gh_cursor c;
	uint64_t data;
	enum dex_member_kind kind;
	uint32_t left[DEX_N_KINDS];
	uint64_t index; /* the last one */
};

/* A class without members is an empty list. */
void dex_members(const struct dex *d, const struct dex_class *class, struct dex_members *ret);
/* The next member; false at the end, or where the list does not go on (ret->c.bad). Each takes at least two bytes of the file. */
bool dex_members_next(struct dex_members *m, struct dex_member *ret);

/* ---- code (dex_class.c) ---- */

struct dex_code {
	uint64_t at; /* of its first instruction in the bytes */
	uint32_t n; /* 16-bit units */
	uint16_t registers, ins, outs, tries;
	uint64_t
		debug; /* offset of the debugging information in the data section; 0: none or, in CompactDex, not looked up */
};

/* The code item at `off` (as in struct dex_member). False where it does not fit. */
bool dex_code(const struct dex *d, uint64_t off, struct dex_code *ret);

#endif
