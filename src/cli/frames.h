/* SPDX-License-Identifier: Apache-2.0 */
/* What the jailed reader of unpack tells the writer, over a pipe: one entry, its bytes in order, its end; and so on. The writer takes
 * every field for hostile: the reader parses hostile bytes and may have been taken over. */
#ifndef GH_CLI_FRAMES_H
#define GH_CLI_FRAMES_H

#include <stdio.h>

#include "tree/plugin.h"

enum gh_frame_kind {
	GH_FRAME_ENTRY = 1, /* a gh_entry and its strings */
	GH_FRAME_DATA, /* bytes */
	GH_FRAME_HOLE, /* a uint64_t: so many zeros that lie nowhere */
	GH_FRAME_DONE, /* a gh_entry_end */
};

enum {
	GH_FRAME_MAX = 1 << 20,
	GH_FRAME_STRING = 1 << 16, /* longer names than any file system here has */
};

enum { GH_S_FOLDER, GH_S_NAME, GH_S_IMAGE, GH_S_FROM, GH_S_SELINUX, GH_S_LINK, GH_S_WHY, GH_N_S };

enum { GH_ENTRY_ATTRS = 1, GH_ENTRY_CONTENT = 2 };

struct gh_entry {
	uint32_t flags; /* ATTRS: mode and the like are known; CONTENT: bytes follow */
	uint32_t mode, uid, gid, nlink, iflags;
	int64_t mtime;
	uint64_t rdev, caps, ino, container, off, csize, size;
	uint32_t len[GH_N_S]; /* UINT32_MAX: none */
	struct gh_str s[GH_N_S]; /* where they lie; not sent */
};

struct gh_entry_end {
	uint32_t code; /* enum gh_code */
	uint64_t at;
	char what[120];
};

/* One frame as it was read. */
struct gh_frame {
	uint32_t kind, n;
	uint8_t *p; /* GH_FRAME_MAX bytes of room, the reader's of gh_frame_read() */
};

bool gh_frame_send(FILE *to, uint32_t kind, const void *p, size_t n);
bool gh_frame_send_entry(FILE *to, const struct gh_entry *e);
/* 1: read; 0: nothing more; -1: cut off, or no frame. */
int gh_frame_read(FILE *from, struct gh_frame *ret);
/* The entry in a frame; its strings point into the frame. False when the frame lies. */
bool gh_frame_entry(const struct gh_frame *f, struct gh_entry *ret);

#endif
