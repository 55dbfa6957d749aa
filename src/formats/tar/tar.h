/* SPDX-License-Identifier: Apache-2.0 */
/* tar (POSIX.1-2001 ustar and pax, GNU tar's extensions, Version 7): what the parts of the reader share. */
#ifndef GH_FORMATS_TAR_TAR_H
#define GH_FORMATS_TAR_TAR_H

#include "base/num.h"
#include "source/window.h"
#include "tree/plugin.h"

enum {
	TAR_BLOCK = 512,
	TAR_EXTRA_MAX =
		1 << 20, /* of one extension header: a path and a label take some KiB; a sparse map may be long */
	TAR_PATH_MAX = 64 << 10, /* PATH_MAX is 4 KiB on Linux; archives may nest deeper */
	TAR_LABEL_MAX = 4 << 10,
	TAR_NESTING = 16, /* extension headers before one entry; GNU tar and pax write at most three */
};

/* Bytes with room, filled from headers. */
struct tar_text {
	char *p;
	size_t n;
	size_t cap;
	bool set;
	bool cut; /* longer than the room */
};

/* An entry with all its extension headers. Texts lie in the reader's buffers until the next entry is read. */
struct tar_entry {
	uint64_t start; /* of its first header */
	uint64_t at; /* of its own header */
	uint64_t data; /* where the content begins */
	uint64_t size; /* of the content, as it lies there */
	uint64_t next; /* the header behind it */
	char type;
	bool sparse;
	bool odd; /* a number field that is none: noted */
	uint32_t mode, uid, gid, major, minor;
	int64_t mtime;
	uint64_t caps;
};

struct tar_index; /* of paths, for hard links */

struct tar {
	struct gh_source *src;
	struct gh_window window;
	uint64_t pos;
	struct tar_text path, link, label; /* of the entry read last */
	struct tar_text clean, want; /* scratch of the search for hard links */
	struct tar_text name; /* as listed */
	struct tar_index *index;
	uint64_t notes;
	bool quiet; /* entries are read once more: nothing is noted */
	bool ended;
};

/* tar_header.c */
/* Does a header with a matching checksum lie here? */
bool tar_header_ok(const uint8_t p[TAR_BLOCK]);
/* Reads the entry at `at`. GH_END: a block of zeros, or the end of the data, lies there. */
enum gh_code tar_entry_read(struct gh_ctx *ctx, struct tar *t, uint64_t at, struct tar_entry *ret, struct gh_err *err);

/* tar_pax.c */
/* A pax header's records into e and t's texts. */
enum gh_code tar_pax_read(struct gh_ctx *ctx, struct tar *t, const uint8_t *p, size_t n, uint64_t at,
	struct tar_entry *e, unsigned *set, struct gh_err *err);
/* Puts bytes into a text, cutting at its room. */
enum gh_code tar_text_put(struct gh_ctx *ctx, struct tar_text *t, size_t cap, struct gh_str s, struct gh_err *err);

/* What a pax header set: it overrides the header's own field. */
enum { TAR_SET_SIZE = 1, TAR_SET_UID = 2, TAR_SET_GID = 4, TAR_SET_MTIME = 8 };

/* tar_links.c */
/* The entry that the hard link read last (it begins at `before`) names: the last one before it of that path. GH_END: there is none.
 * The reader's texts are another entry's afterwards. */
enum gh_code tar_link_find(
	struct gh_ctx *ctx, struct tar *t, uint64_t before, struct tar_entry *ret, struct gh_err *err);
#endif
