/* SPDX-License-Identifier: Apache-2.0 */
/* OAT, inside: what the parts of the reader share. */
#ifndef GH_FORMATS_OAT_OAT_H
#define GH_FORMATS_OAT_OAT_H

#include <inttypes.h>

#include "base/num.h"
#include "tree/plugin.h"

/* How the header and the records of dex files are laid out, for a range of versions: words of four bytes from "oat\n" on. */
struct oat_layout {
	uint16_t first, last;
	uint8_t isa, dex_files; /* words */
	uint8_t records; /* word with the offset of the first record; 0: right behind the key-value store */
	uint8_t image; /* word with the checksum of the boot image; 0: none */
	uint8_t keys; /* word with the size of the key-value store, which follows it */
	uint8_t record; /* layout of a record: see oat_dex.c */
};

enum oat_record {
	OAT_R_INLINE, /* checksum, offset, then a word for each class of the dex */
	OAT_R_4, /* checksum, offset, and words to 4 */
	OAT_R_5,
	OAT_R_6,
	OAT_R_8,
	OAT_R_10,
	OAT_R_SHA1, /* checksum, SHA-1, offset, 8 words */
	OAT_R_MAGIC, /* magic, checksum, SHA-1, offset, 8 words */
};

struct oat_dex {
	uint64_t at;
	struct gh_str location;
	uint32_t checksum, offset;
	const uint8_t *sha1; /* NULL: not in this version */
};

struct oat {
	struct gh_source *src;
	uint64_t data; /* offset of the oat header in the file */
	unsigned version;
	const struct oat_layout *layout; /* NULL: version not known */
	uint32_t checksum, isa, dex_files, image, keys_size;
	uint64_t keys, pos; /* of the key-value store, of the next record */
	uint32_t i;
};

/* oat_elf.c: the file offset that the symbol oatdata stands for. GH_BAD: no such symbol. */
enum gh_code oat_find(struct gh_ctx *ctx, struct gh_source *src, uint64_t *ret, struct gh_err *err) GH_MUST;
/* oat_header.c */
enum gh_code oat_header(struct oat *o, struct gh_err *err) GH_MUST;
/* Rows of the header and its key-value store. */
enum gh_code oat_tell(struct gh_ctx *ctx, const struct oat *o, struct gh_err *err) GH_MUST;
/* The next record of a dex file, or GH_END. Its location lies in the arena. */
enum gh_code oat_dex_next(struct gh_ctx *ctx, struct oat *o, struct oat_dex *ret, struct gh_err *err) GH_MUST;

#endif
