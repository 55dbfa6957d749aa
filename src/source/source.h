/* SPDX-License-Identifier: Apache-2.0 */
/* A source is bytes at offsets. Each kind is a layer on the one below; none has a position. A source lives in the arena it was
 * made in and dies with it: nothing is closed singly. Reads are all or nothing and check the range once, here. */
#ifndef GH_SOURCE_SOURCE_H
#define GH_SOURCE_SOURCE_H

#include "base/arena.h"

struct gh_source;

enum gh_run_kind {
	GH_RUN_DATA, /* bytes that lie somewhere */
	GH_RUN_FILL, /* a repeated 4-byte pattern (zero for a hole) that lies nowhere */
};

struct gh_run {
	enum gh_run_kind kind;
	uint64_t len; /* from the offset asked, at least 1, never past the end */
	uint32_t
		fill; /* pattern in memory order as a little-endian number, phase 0 at the offset asked; for GH_RUN_FILL */
	/* Where the run lies in the source at the bottom (the INPUT), for layers that only move bytes; else UINT64_MAX. */
	uint64_t bottom;
};

struct gh_source_ops {
	/* The range [off, off+n) is inside the size, n > 0. */
	enum gh_code (*read)(struct gh_source *self, uint64_t off, void *buf, size_t n, struct gh_err *err);
	/* Optional: a pointer to the bytes when they lie in memory as they are, else NULL. */
	const uint8_t *(*view)(struct gh_source *self, uint64_t off, size_t n);
	/* Optional: what lies at off < size. Without it, all is data. */
	enum gh_code (*run)(struct gh_source *self, uint64_t off, struct gh_run *ret, struct gh_err *err);
};

struct gh_source {
	const struct gh_source_ops *ops;
	uint64_t size; /* in bytes */
	uint32_t
		grain; /* bytes that are unpacked together for any one of them; 0: reading elsewhere costs nothing more */
};

/* Reads n bytes at off into buf. GH_SHORT if the range is not inside the source. */
enum gh_code gh_read(struct gh_source *src, uint64_t off, void *buf, size_t n, struct gh_err *err) GH_MUST;
/* n bytes at off as a pointer: into the source where it lies in memory, else a copy in the arena. */
enum gh_code gh_view(struct gh_source *src, struct gh_arena *arena, uint64_t off, size_t n, const uint8_t **ret,
	struct gh_err *err) GH_MUST;
/* The run at off; GH_END at or behind the end. */
enum gh_code gh_run_at(struct gh_source *src, uint64_t off, struct gh_run *ret, struct gh_err *err) GH_MUST;

/* Constructors: the new source, or NULL when the arena is at its limit. */

/* n bytes at p, which must live as long as the source. */
struct gh_source *gh_source_memory(struct gh_arena *arena, const void *p, size_t n);
/* A file descriptor (not closed) of known size, read by pread: mapping would let a shrinking file kill the reader. */
struct gh_source *gh_source_file(struct gh_arena *arena, int fd, uint64_t size);
/* [off, off+size) of below; a slice of a slice attaches to the bottom one. The range must be inside below. */
struct gh_source *gh_source_slice(struct gh_arena *arena, struct gh_source *below, uint64_t off, uint64_t size);
/* size bytes that a container promises and that are not there (cut off, on another device): each read fails with code and
 * what, which must live as long as the source. In a map it keeps lost bytes from reading as zeros. */
struct gh_source *gh_source_missing(struct gh_arena *arena, uint64_t size, enum gh_code code, const char *what);

/* One extent of a map: [at, at+len) of the new source comes from `from` in `below`, or is fill. */
struct gh_extent {
	uint64_t at;
	uint64_t len;
	struct gh_source *below; /* NULL: fill */
	uint64_t from;
	uint32_t fill;
};

/* A source put together from extents, which must ascend by `at` and not overlap (checked; GH_BAD); gaps are holes of zeros.
 * Each extent must lie inside its `below` (checked; GH_SHORT) and inside size. The array must live as long as the source. */
enum gh_code gh_source_map(struct gh_arena *arena, const struct gh_extent *ext, size_t n, uint64_t size,
	struct gh_source **ret, struct gh_err *err) GH_MUST;

/* Independently compressed blocks: the reader of a format says which block holds an offset and unpacks one; the source keeps
 * the last few unpacked. */
struct gh_block {
	uint64_t at; /* first byte of the block in the new source */
	uint32_t len; /* unpacked bytes, 1 .. max */
	uint64_t tag[3]; /* the reader's own: where the packed bytes lie and how they are packed */
};

struct gh_blocks_ops {
	/* The block that holds offset off (< size). */
	enum gh_code (*find)(void *self, uint64_t off, struct gh_block *ret, struct gh_err *err);
	/* Unpacks it: exactly block->len bytes into out. */
	enum gh_code (*unpack)(void *self, const struct gh_block *block, uint8_t *out, struct gh_err *err);
};

/* max: the largest block->len that find() returns (checked); keep: how many unpacked blocks are kept (at least 1). */
struct gh_source *gh_source_blocks(struct gh_arena *arena, const struct gh_blocks_ops *ops, void *self, uint64_t size,
	uint32_t max, unsigned keep);

/* What was read from below in small pieces is kept, up to `most` bytes: for walking twice, and in any order, over structures in a
 * source of large grain. Reads of whole contents go through and are not kept. */
struct gh_source *gh_source_memo(struct gh_arena *arena, struct gh_source *below, size_t most);

/* A file that another process is still writing from its start. */
struct gh_watermark {
	uint64_t written; /* atomic; bytes that may be read */
	uint32_t state; /* atomic; 0 growing, 1 complete, 2 broken off */
};

/* `size` is what the container declares; a read past the watermark waits for it. When the writer ends early, reads behind
 * its end fail with GH_SHORT. beat is touched while waiting (may be NULL): waiting is not hanging. */
struct gh_source *gh_source_spill(
	struct gh_arena *arena, int fd, uint64_t size, const struct gh_watermark *mark, uint64_t *beat);

#endif
