/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lp: geometry, one slot's metadata, its tables. */
#ifndef GH_FORMATS_LP_LP_H
#define GH_FORMATS_LP_LP_H

#include "tree/plugin.h"

enum {
	LP_SECTOR = 512,
	LP_GEOMETRY = 4096, /* bytes reserved for one copy */
	LP_GEOMETRY_STRUCT = 52, /* that are used of them */
	LP_RESERVED = 4096, /* before the first copy in a super partition; super_empty.img has none */
	LP_SLOTS_MAX = 8, /* A, B and some: liblp knows two suffixes */
	LP_TABLES_MAX = 512 << 10, /* 8 times what lpmake reserves by default: 10,000 partitions */
};

enum { LP_ATTR_SLOT_SUFFIXED = 2 }; /* of a partition; groups and devices have the same as 1 */

struct lp_geometry {
	uint64_t at; /* of the copy that is used */
	bool checked; /* its checksum is right */
	uint32_t max_size; /* of one metadata copy */
	uint32_t slots;
	uint32_t block_size;
};

enum lp_table { LP_PARTITIONS, LP_EXTENTS, LP_GROUPS, LP_DEVICES, LP_N_TABLES };

struct lp_meta {
	bool there;
	uint64_t at; /* of the copy that is used */
	uint16_t minor;
	uint32_t flags;
	const uint8_t *tables;
	uint32_t tables_size;
	uint64_t tables_at;
	struct lp_range {
		uint32_t off, n, size; /* in tables; rows; bytes of a row */
	} table[LP_N_TABLES];
	uint32_t *owner; /* by extent: the row of its partition, or LP_NOBODY; NULL before lp_own() */
};

static const uint32_t LP_NOBODY = UINT32_MAX;

struct lp_partition {
	uint64_t at; /* of its row */
	struct gh_str name; /* as stored */
	uint32_t attributes, first, n, group;
};

struct lp_extent {
	uint64_t at;
	uint64_t sectors;
	uint32_t type; /* 0 linear, 1 zero */
	uint64_t data; /* linear: first sector */
	uint32_t device;
};

struct lp {
	struct gh_source *src;
	bool empty; /* super_empty.img: geometry at 0, one metadata copy, no data */
	struct gh_ctx *say; /* where problems are noted; NULL: they were, or will be */
	struct lp_geometry geometry;
	struct lp_meta *slot; /* geometry.slots of them */
	uint32_t at_slot, at_partition; /* of next() */
	uint64_t again; /* bytes listed from slots behind the first: they lie where the first slot's do */
};

enum gh_code lp_geometry_read(struct gh_ctx *ctx, struct lp *lp, struct gh_err *err);
enum gh_code lp_slot_read(struct gh_ctx *ctx, struct lp *lp, uint32_t slot, struct lp_meta *ret, struct gh_err *err);
bool lp_sha256_is(const void *p, size_t n, const uint8_t want[32]);
/* One copy of the geometry: p has LP_GEOMETRY_STRUCT bytes. False without the magic number. */
bool lp_geometry_parse(const uint8_t *p, uint64_t at, struct lp_geometry *ret);

/* Row i of a table; i is below the table's n. */
struct lp_partition lp_partition(const struct lp_meta *m, uint32_t i);
struct lp_extent lp_extent(const struct lp_meta *m, uint32_t i);
/* The name with its slot's suffix where the row asks for one. */
struct gh_str lp_suffixed(struct gh_arena *arena, struct gh_str name, bool suffixed, uint32_t slot);
struct gh_str lp_group_name(struct gh_arena *arena, const struct lp_meta *m, uint32_t i, uint32_t slot);
struct gh_str lp_device_name(struct gh_arena *arena, const struct lp_meta *m, uint32_t i, uint32_t slot);

/* The same partitions in the same places. */
bool lp_same_tables(const struct lp_meta *a, const struct lp_meta *b);

/* Steps for one pass over a partition's extents: several rows may claim the same ones. */
enum gh_code lp_spend(struct gh_ctx *ctx, const struct lp_meta *m, const struct lp_partition *p, struct gh_err *err);
/* Bytes of a partition; *ret_zeros: of these, the ones that come from nothing. GH_BAD if its extents are no extents. */
enum gh_code lp_size(
	const struct lp_meta *m, const struct lp_partition *p, uint64_t *ret, uint64_t *ret_zeros, struct gh_err *err);
/* A partition as a map over the file; what is not there or not its own is missing. After lp_own(). */
enum gh_code lp_map(struct gh_ctx *ctx, struct lp *lp, const struct lp_meta *m, uint32_t partition,
	struct gh_source **ret, struct gh_err *err);
/* Gives each extent to one partition, so that all children together are never more than the image: without that, images
 * that contain themselves several times would be walked for ever. Notes what is wrong where lp->say is set. */
enum gh_code lp_own(struct gh_ctx *ctx, struct lp *lp, struct lp_meta *m, struct gh_err *err);

#endif
