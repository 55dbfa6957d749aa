/* SPDX-License-Identifier: Apache-2.0 */
/* Inside facts/: the database and its prepared statements. */
#ifndef GH_FACTS_DB_INTERNAL_H
#define GH_FACTS_DB_INTERNAL_H

#include "facts/db.h"

struct gh_db {
	sqlite3 *sql;
	int lock; /* descriptor that says that a scan writes here; -1: none */
	sqlite3_stmt *insert[GH_N_TABLES];
	sqlite3_stmt *insert_blob, *insert_run;
	int64_t scan;
	uint64_t rows; /* since the last commit */
	int64_t committed; /* milliseconds */
	bool open; /* a transaction is */
	int failed; /* SQLite's code of the first failed write */
};

#endif
