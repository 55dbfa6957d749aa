/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a facts database for the commands that read one. */
#ifndef GH_CLI_FACTS_H
#define GH_CLI_FACTS_H

#include "facts/db.h"
#include "tree/measure.h"

/* Opens FACTS.db and binds its views to a scan (0: the newest). A scan that was killed before its facts were derived and judged
 * gets that done on a copy in memory; the file stays as it is. NULL and *err on failure. */
struct gh_db *gh_facts_open(const char *path, int64_t scan, int64_t *ret_scan, struct gh_err *err);
/* Scans INPUTs into a database in memory, as gifthorse scan does, without a report; literals (may be NULL) are looked for. NULL and *err on failure. */
struct gh_db *gh_scan_quiet(
	const char *const *inputs, size_t n, const struct gh_literals *literals, int64_t *ret_scan, struct gh_err *err);
/* The value of --scan; false (told) when it is no number. */
bool gh_facts_scan(const char *value, int64_t *ret_scan);

#endif
