/* SPDX-License-Identifier: Apache-2.0 */
/* EROFS, compressed content: what its parts share. A file is cut into logical clusters of one block. An index says of each whether
 * a packed extent (a "pcluster") begins in it, and where, or how far back one did. */
#ifndef GH_FORMATS_EROFS_EROFS_Z_H
#define GH_FORMATS_EROFS_EROFS_Z_H

#include "formats/erofs/erofs.h"

enum { /* h_advise */
	ADVISE_2B = 0x01, /* compact */
	ADVISE_EXTENTS = 0x01, /* full */
	ADVISE_BIG1 = 0x02,
	ADVISE_BIG2 = 0x04,
	ADVISE_INLINE = 0x08,
	ADVISE_INTERLACED = 0x10,
	ADVISE_FRAGMENT = 0x20,
};

enum ztype { Z_PLAIN, Z_HEAD1, Z_NONHEAD, Z_HEAD2 };

struct zfile {
	struct gh_ctx *ctx;
	struct erofs *fs;
	struct erofs_inode in;
	uint16_t advise;
	uint8_t algorithm[2];
	uint16_t tail_len; /* of the last extent, when it lies behind the index */
	uint64_t tail_at;
	uint64_t tail_head; /* cluster in which that extent begins; UINT64_MAX: none */
	uint64_t fragment; /* where in the packed inode the rest of the file lies, */
	uint64_t fragment_at; /* which begins here in the file; its size: nothing lies there */
	uint64_t index; /* offset */
	uint64_t n; /* clusters */
	uint64_t n4, n2; /* compact: entries of 4 bytes before, and of 2 bytes; the rest has 4 again */
	uint8_t pack[32]; /* compact: the pack at hand */
	uint64_t pack_at;
	uint8_t *ahead; /* NULL: read each extent by itself */
	size_t ahead_max;
	uint64_t ahead_at;
	size_t ahead_len;
};

/* A cluster's index entry. */
struct zentry {
	enum ztype type;
	bool partial;
	uint32_t ofs; /* HEAD, PLAIN: where in the cluster the extent begins */
	uint32_t block; /* HEAD, PLAIN: where its packed bytes begin */
	uint32_t back; /* NONHEAD: clusters back to the head, or nearer to it */
	uint32_t blocks; /* NONHEAD right behind a head: packed blocks of the extent; 0: not said here */
};
/* erofs_zindex.c */
enum gh_code erofs_zbad(const struct zfile *z, uint64_t cluster, const char *what, struct gh_err *err);
/* Finds how the index is laid out, and that it lies inside the image; *ret_end is where it ends. */
enum gh_code erofs_zindex(struct zfile *z, uint64_t *ret_end, struct gh_err *err) GH_MUST;
enum gh_code erofs_zentry(struct zfile *z, uint64_t i, struct zentry *ret, struct gh_err *err) GH_MUST;

/* erofs_zunpack.c */
enum { TAG_FROM, TAG_LEN, TAG_HOW };
enum { HOW_TYPE = 3, HOW_PARTIAL = 4 };
enum gh_code erofs_zunpack(void *self, const struct gh_block *block, uint8_t *out, struct gh_err *err) GH_MUST;
/* Why content packed in this way cannot be unpacked; NULL: it can. */
const char *erofs_zrefused(const struct erofs_sb *sb, unsigned algorithm, enum gh_code *ret_code);

#endif
