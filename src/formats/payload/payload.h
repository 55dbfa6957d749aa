/* SPDX-License-Identifier: Apache-2.0 */
/* payload.bin of update_engine (system/update_engine/update_metadata.proto): what the parts of the reader share. */
#ifndef GH_FORMATS_PAYLOAD_PAYLOAD_H
#define GH_FORMATS_PAYLOAD_PAYLOAD_H

#include "tree/plugin.h"

enum {
	PAYLOAD_HEADER = 24, /* of version 2: magic, version, manifest size, size of the metadata's signature */
	PAYLOAD_MANIFEST_MAX = 32 << 20, /* full ones have some 200 KB; deltas with many small operations some 10 MB */
	PAYLOAD_PARTITIONS_MAX = 1024, /* real ones have up to 80 */
	PAYLOAD_OP_MAX = 32 << 20, /* unpacked, of a packed operation: generators cut full updates at 2 MiB */
	PAYLOAD_PACKED_MAX = PAYLOAD_OP_MAX + (1 << 20), /* what does not pack grows a little */
	PAYLOAD_TYPES = 16, /* 0 to 14 are defined; 15 counts all others */
};

static const uint64_t PAYLOAD_BLOCKS_MAX = UINT64_C(1) << 32; /* 16 TiB in blocks of 4 KiB */

enum payload_type {
	PAYLOAD_REPLACE = 0,
	PAYLOAD_REPLACE_BZ = 1,
	PAYLOAD_ZERO = 6,
	PAYLOAD_DISCARD = 7,
	PAYLOAD_REPLACE_XZ = 8,
	PAYLOAD_REPLACE_ZSTD = 14,
	PAYLOAD_OTHER = 15,
};

/* Wire types of protocol buffers, and a field's number and type as one. */
enum { PAYLOAD_VARINT = 0, PAYLOAD_FIXED64 = 1, PAYLOAD_BYTES = 2, PAYLOAD_FIXED32 = 5 };
#define PAYLOAD_KEY(number, wire) ((uint64_t)(number) << 3 | (wire))
#define PAYLOAD_INT(number) PAYLOAD_KEY(number, PAYLOAD_VARINT)
#define PAYLOAD_BOX(number) PAYLOAD_KEY(number, PAYLOAD_BYTES)

struct payload_field {
	uint64_t key;
	uint64_t at; /* of the field, in the payload */
	uint64_t value; /* varint, fixed */
	struct gh_cursor box; /* bytes, text, a message */
};

struct payload_extent {
	uint64_t start, n; /* blocks */
};

struct payload_digest {
	uint64_t size;
	bool sized;
	const uint8_t *sha256; /* 32 bytes, or NULL: not told */
};

struct payload_op {
	uint64_t at; /* of its message */
	uint64_t type;
	uint64_t data, length; /* relative to the payload's data */
	const uint8_t *sha256; /* of the data as it lies there; NULL: not told */
	struct gh_cursor box;
	uint64_t dst; /* blocks of all destination extents */
	uint32_t n_dst, n_src;
};

/* A partition's message without its operations, and what these are together. */
struct payload_partition {
	struct gh_cursor box;
	uint64_t at;
	struct gh_str name, version, file_system, postinstall, tree_algorithm;
	struct payload_digest old, new;
	struct payload_extent tree, fec;
	const uint8_t *tree_salt;
	size_t tree_salt_len;
	uint64_t fec_roots;
	bool run_postinstall, postinstall_optional, has_tree, has_fec;
	uint64_t merges, signatures;
	uint32_t ops;
	uint32_t n[PAYLOAD_TYPES];
	uint32_t needs_old; /* operations that need the old partition */
	uint64_t needs_old_at; /* the first of them */
	uint32_t unhashed; /* operations with data and no digest of it */
	uint32_t extents; /* destination extents of all */
	uint64_t data; /* bytes of all operations' data */
	uint64_t end; /* the block behind the last one that is written */
	uint64_t zero_blocks; /* written by ZERO and DISCARD */
};

struct payload {
	struct gh_source *src;
	struct gh_ctx *say; /* set while the manifest is read aloud */
	uint64_t version;
	uint64_t manifest_size;
	uint64_t signature_size; /* of the metadata's signature */
	uint64_t metadata_size; /* header and manifest: what that signature covers */
	uint64_t data_at; /* what offsets of operations are relative to */
	const uint8_t *metadata; /* header and manifest */
	struct gh_cursor manifest;
	uint64_t block_size;
	uint64_t minor;
	bool has_signatures;
	uint64_t signatures_at, signatures_size; /* relative to the data */
	struct gh_cursor *boxes; /* of the partitions */
	uint32_t n;
	uint32_t next;
	uint64_t spent; /* data of the partitions listed so far */
};

/* ---- payload_wire.c ---- */

/* The next field of a message; GH_END behind the last. Spends a step. */
enum gh_code payload_field(
	struct gh_ctx *ctx, struct gh_cursor *c, struct payload_field *ret, struct gh_err *err) GH_MUST;
struct gh_str payload_text(const struct payload_field *f);
enum gh_code payload_extent_read(
	struct gh_ctx *ctx, struct gh_cursor box, struct payload_extent *ret, struct gh_err *err) GH_MUST;

/* ---- payload_manifest.c ---- */

/* Header and manifest; partitions as far as they could be read. */
enum gh_code payload_read(struct gh_ctx *ctx, struct payload *p, struct gh_err *err) GH_MUST;
enum gh_code payload_partition_read(
	struct gh_ctx *ctx, struct gh_cursor box, struct payload_partition *ret, struct gh_err *err) GH_MUST;
/* The next operation of a partition's message; GH_END behind the last. */
enum gh_code payload_op_next(
	struct gh_ctx *ctx, struct gh_cursor *c, struct payload_op *ret, struct gh_err *err) GH_MUST;
/* The next destination extent of an operation's message. */
enum gh_code payload_dst_next(
	struct gh_ctx *ctx, struct gh_cursor *c, struct payload_extent *ret, struct gh_err *err) GH_MUST;
const char *payload_type_name(uint64_t type);
bool payload_needs_old(uint64_t type);
/* Bytes of the partition, as it is told or as the operations make it. */
uint64_t payload_size(const struct payload *p, const struct payload_partition *part);

/* ---- payload_facts.c ---- */

enum gh_code payload_facts(struct gh_ctx *ctx, struct payload *p, struct gh_err *err) GH_MUST;
/* state: full delta refused */
enum gh_code payload_partition_row(struct gh_ctx *ctx, const struct payload *p, const struct payload_partition *part,
	const char *state, struct gh_err *err) GH_MUST;
/* Where the signed bytes and the signatures (a Signatures message each) lie, for those who verify them: the metadata's signature covers
 * [0, metadata_size); that of the payload covers the same and then the data before the signatures, without the signature between. */
struct payload_signed {
	uint64_t metadata_size;
	uint64_t metadata_signature_at, metadata_signature_size; /* size 0: none */
	uint64_t data_at, data_size;
	uint64_t signatures_at, signatures_size; /* size 0: none */
};
struct payload_signed payload_signed_ranges(const struct payload *p);

/* ---- payload_image.c ---- */

/* A partition whose operations need nothing but the payload, as a source. With `say`, what is wrong with its operations is noted there. */
enum gh_code payload_image(struct gh_ctx *ctx, const struct payload *p, const struct payload_partition *part,
	struct gh_ctx *say, struct gh_source **ret, struct gh_err *err) GH_MUST;

/* ---- payload_unpack.c ---- */

enum payload_verdict { PAYLOAD_UNCHECKED, PAYLOAD_GOOD, PAYLOAD_DIFFERS };

/* What an operation delivers, one after the other in a space of their own. */
struct payload_piece {
	uint64_t at; /* in that space */
	uint64_t size; /* unpacked */
	uint64_t data, length; /* in the payload */
	const uint8_t *sha256;
	uint32_t op;
	uint8_t type;
	uint8_t verdict;
};

struct payload_pieces {
	struct gh_source *src;
	struct gh_arena *arena;
	struct payload_piece *list;
	size_t n;
	uint64_t size; /* of the space */
	uint64_t block_size;
	uint64_t largest; /* packed piece, unpacked */
};

/* The space of pieces, for those that are packed and for those that lie as they are. Each operation's digest is checked before its
 * bytes are given; where it differs, reads fail. */
struct gh_source *payload_packed(struct payload_pieces *pieces);
struct gh_source *payload_plain(struct payload_pieces *pieces);

#endif
