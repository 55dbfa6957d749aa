/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that a phone gives without root, into a folder. */
#ifndef GH_DEVICE_PULL_H
#define GH_DEVICE_PULL_H

#include "device/journal.h"

/* A published build whose contents need not be pulled again. */
struct gh_reference {
	/* Does it have a file of that size there? */
	bool (*same_place)(void *to, struct gh_str path, uint64_t size);
	/* Does it have that content? */
	bool (*known)(void *to, const uint8_t sha256[32]);
	void *to;
};

struct gh_pull {
	const char *dir;
	const char *way; /* in words: by the adb server, by USB */
	const struct gh_reference *reference; /* NULL: none */
	/* What it is at, and how far: files, and bytes. */
	void (*progress)(void *to, const char *what, uint64_t done, uint64_t all, uint64_t bytes);
	void *to;
	/* To connect again after the connection broke; false: no use. NULL: never. */
	bool (*again)(void *to, struct gh_phone *phone);
};

/* GH_OK also where the phone refused much; GH_END: stopped by the user; else the connection is gone. In each case what came is kept, and the
 * lists are written. */
enum gh_code gh_pull(
	const struct gh_pull *pull, struct gh_phone *phone, struct gh_pull_sum *ret, struct gh_err *err) GH_MUST;

#endif
