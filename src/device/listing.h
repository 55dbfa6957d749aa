/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a phone, as far as it lists them. */
#ifndef GH_DEVICE_LISTING_H
#define GH_DEVICE_LISTING_H

#include "device/items.h"
#include "device/phone.h"

struct gh_found {
	struct gh_str path;
	struct gh_str label, target; /* p NULL: not told */
	uint32_t mode, uid, gid; /* mode 0: not told */
	uint64_t ino, size;
	int64_t mtime;
	bool owned; /* uid and gid were told */
	bool closed; /* the phone says that it cannot be read */
	/* What became of it. */
	const char *state; /* NULL: nothing yet */
	bool hashed;
	uint8_t sha256[32];
};

enum {
	GH_FILES_MAX = 2 << 20, /* a real phone shows some 30,000 without root */
	GH_LISTING_BYTES_MAX = 512 << 20, /* of one answer */
};

struct gh_listing {
	struct gh_arena arena;
	struct gh_found *v; /* sorted by path */
	size_t n, cap;
	uint64_t strange; /* names that no file can have, or that lie outside of what was asked for */
	bool full; /* there were more */
};

bool gh_listing_init(struct gh_listing *l);
void gh_listing_done(struct gh_listing *l);

/* Asks for one root. GH_IO, GH_SHORT, GH_BAD, GH_LIMIT: the connection is of no more use; what came before stays. */
enum gh_code gh_listing_root(
	struct gh_listing *l, struct gh_phone *phone, const struct gh_root *root, struct gh_err *err) GH_MUST;
struct gh_found *gh_listing_find(struct gh_listing *l, struct gh_str path);
/* Orders all; before, gh_listing_find is of no use. */
void gh_listing_sort(struct gh_listing *l);

#endif
