/* SPDX-License-Identifier: Apache-2.0 */
/* What the user gives beside a capture. */
#ifndef GH_CLI_GIVEN_H
#define GH_CLI_GIVEN_H

#include "facts/db.h"

enum { GH_GIVEN_LISTS = 64 };

struct gh_given_files {
	const char *indicators[GH_GIVEN_LISTS];
	size_t n_indicators;
	const char *geo;
	const char *phone;
	bool first_boot;
};

/* A whole file of at most max bytes, in memory that the caller frees. */
enum gh_code gh_given_read(const char *path, size_t max, struct gh_str *ret, struct gh_err *err) GH_MUST;
/* The shipped roots and the certificates of a PEM text, which is freed. Tells what is wrong and returns false. */
bool gh_given_roots(struct gh_str pem, struct gh_str *ret);
void gh_given_free_roots(struct gh_str *roots);
/* Writes indicators and the rest into the d_ tables of a scan. */
/* Apps of a phone (their packages and what calls itself by a uid) out of its facts database. */
enum gh_code gh_given_phone(struct gh_db *db, int64_t scan, const char *path, struct gh_err *err) GH_MUST;
enum gh_code gh_given_write(
	struct gh_db *db, int64_t scan, const struct gh_given_files *files, struct gh_err *err) GH_MUST;

#endif
