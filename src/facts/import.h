/* SPDX-License-Identifier: Apache-2.0 */
/* A scan of another facts database, brought into this one. */
#ifndef GH_FACTS_IMPORT_H
#define GH_FACTS_IMPORT_H

#include "facts/db.h"

/* Copies a scan and all contents of `from`, with new numbers; content that both hold stays apart (its SHA-256 tells that it is the
 * same). *ret_scan is its number here. GH_BAD when `from` was written by a version with other tables. */
enum gh_code gh_db_import(
	struct gh_db *db, struct gh_db *from, int64_t scan, int64_t *ret_scan, struct gh_err *err) GH_MUST;

#endif
