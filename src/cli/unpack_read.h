/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of unpack: the reader walks INPUT in a jail and speaks frames to standard output; the writer hears them. */
#ifndef GH_CLI_UNPACK_READ_H
#define GH_CLI_UNPACK_READ_H

#include <stdbool.h>

struct gh_unpack {
	const char *input, *path, *dir, *manifest;
	bool images, set_id, owners, links;
};

/* Reads INPUT, frames to standard output; the exit code of what was read. */
int gh_unpack_read(const struct gh_unpack *u);

#endif
