/* SPDX-License-Identifier: Apache-2.0 */
/* What the user trusts or knows, given beside a phone: references (gifthorse reference make) and lists of known keys. */
#ifndef GH_CLI_TRUSTED_H
#define GH_CLI_TRUSTED_H

#include "facts/db.h"

enum { GH_TRUSTED_FILES = 16 };

struct gh_trusted {
	const char *references[GH_TRUSTED_FILES];
	size_t n_references;
	const char *keys[GH_TRUSTED_FILES];
	size_t n_keys;
};

/* Takes the value of an option; false (told) when there are too many. */
bool gh_trusted_add(const char **list, size_t *n, const char *value, const char *option);
/* Writes all of it into the d_ tables of a scan, in place of what stood there. */
enum gh_code gh_trusted_write(struct gh_db *db, int64_t scan, const struct gh_trusted *t, struct gh_err *err) GH_MUST;
/* Opens path as an attached SQLite file called `ref`; GH_BAD when it is no SQLite file. */
enum gh_code gh_trusted_attach(struct gh_db *db, const char *path, struct gh_err *err) GH_MUST;

#endif
