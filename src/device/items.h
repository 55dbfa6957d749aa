/* SPDX-License-Identifier: Apache-2.0 */
/* What a phone is asked, all of it: each command only reads. */
#ifndef GH_DEVICE_ITEMS_H
#define GH_DEVICE_ITEMS_H

#include "base/str.h"

struct gh_item {
	const char *name; /* of the file it lands in: live/NAME.txt */
	const char *command;
};

extern const struct gh_item gh_items[];
extern const size_t gh_n_items;

/* Where files are listed, as the shell of the phone expands it, and how every path in it begins. */
struct gh_root {
	const char *where;
	const char *begins;
};

extern const struct gh_root gh_roots[];
extern const size_t gh_n_roots;

/* How a root is listed; %s is its `where`. */
enum gh_listing_step { GH_LIST_NAMES, GH_LIST_STAT, GH_LIST_CLOSED, GH_LIST_LINKS, GH_N_LIST_STEPS };
extern const char *const gh_listing_commands[GH_N_LIST_STEPS];
/* Followed by quoted paths. */
extern const char gh_hash_command[];

#endif
