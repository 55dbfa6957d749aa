/* SPDX-License-Identifier: Apache-2.0 */
/* cpio (newc, newc with checksums, odc): what the parts of the reader share. */
#ifndef GH_FORMATS_CPIO_CPIO_H
#define GH_FORMATS_CPIO_CPIO_H

#include "base/num.h"
#include "source/window.h"
#include "tree/plugin.h"

enum {
	CPIO_NEWC = 110, /* bytes of a header before its name */
	CPIO_ODC = 76,
	CPIO_NAME_MAX = 64 << 10, /* the kernel takes 4 KiB */
};

struct cpio_entry {
	uint64_t at;
	uint64_t data;
	uint64_t next;
	uint64_t size;
	struct gh_str name; /* as stored, without its zero; in the window */
	uint64_t dev; /* major << 32 | minor */
	uint64_t ino;
	uint32_t mode, uid, gid, nlink, major, minor, check;
	int64_t mtime;
	bool checked; /* `check` is the sum of the content's bytes */
	bool trailer;
};

struct cpio_index; /* of contents with several names */

struct cpio {
	struct gh_source *src;
	struct gh_window window;
	uint64_t pos;
	uint32_t part; /* archives before this one in the same bytes */
	char *name, *link; /* of the entry at hand; CPIO_NAME_MAX + 1 bytes */
	struct cpio_index *index;
	uint64_t rest; /* where bytes of no archive begin */
	uint64_t notes;
	bool listed_rest, ended;
};

/* cpio_header.c */
/* Are the fields of a header at p well formed? What is behind it is not looked at. */
bool cpio_header_ok(const uint8_t *p, size_t n);
/* Reads the entry at `at`. GH_BAD: no header; GH_SHORT: its header is cut off. The content may be. */
enum gh_code cpio_entry_read(
	struct gh_ctx *ctx, struct cpio *a, uint64_t at, struct cpio_entry *ret, struct gh_err *err);
/* The first byte from `at` on that is not zero; the size of the source if there is none. */
enum gh_code cpio_skip_zeros(struct gh_ctx *ctx, struct cpio *a, uint64_t at, uint64_t *ret, struct gh_err *err);
/* The next header from `at` on; the size of the source if there is none. */
enum gh_code cpio_find(struct gh_ctx *ctx, struct cpio *a, uint64_t at, uint64_t *ret, struct gh_err *err);

/* cpio_links.c */
/* Where the content of a name without one lies: the last entry of the same inode in archive number `part` that has any. Fills at,
 * data and size; GH_END: there is none. */
enum gh_code cpio_link_find(struct gh_ctx *ctx, struct cpio *a, uint32_t part, const struct cpio_entry *e,
	struct cpio_entry *ret, struct gh_err *err);

#endif
