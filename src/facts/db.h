/* SPDX-License-Identifier: Apache-2.0 */
/* The facts database: the one writer, and read-only access. A plain SQLite file. */
#ifndef GH_FACTS_DB_H
#define GH_FACTS_DB_H

#include <sqlite3.h>

#include "facts/embed.h"
#include "tree/look.h"

struct gh_db;

/* Opens a database for writing, making its tables; NULL path: in memory. NULL and *err on failure. */
struct gh_db *gh_db_open(const char *path, struct gh_err *err);
/* Opens an existing database; the file is not changed. A database that cannot be written (another owner, a read-only disk) is
 * copied into memory, where DERIVE and JUDGE may write. */
struct gh_db *gh_db_load(const char *path, bool write_to_copy, struct gh_err *err);
void gh_db_close(struct gh_db *db);
sqlite3 *gh_db_handle(struct gh_db *db);

/* Runs a script of several statements. */
enum gh_code gh_db_script(struct gh_db *db, const char *sql, struct gh_err *err) GH_MUST;
/* One number of one row; `none` when there is no row or it is NULL. */
int64_t gh_db_number(struct gh_db *db, const char *sql, int64_t none);
/* The newest scan, or the newest complete one; 0: none. */
int64_t gh_db_last_scan(struct gh_db *db);
/* Binds the views (files, apks, …) to a scan. */
enum gh_code gh_db_bind(struct gh_db *db, int64_t scan, struct gh_err *err) GH_MUST;

/* ---- writing a scan ---- */

struct gh_scan_info {
	const char *inputs; /* one a line */
	const char *rules_sha256;
	const char *knowledge_sha256;
	struct gh_plugins off; /* switched off */
	const char *literals; /* digest of the list that is searched for; "": none */
};

/* A new scan in state `running`. */
enum gh_code gh_db_begin(
	struct gh_db *db, const struct gh_scan_info *info, int64_t *ret_scan, struct gh_err *err) GH_MUST;
void gh_db_row(struct gh_db *db, enum gh_table table, uint32_t blob, uint64_t n, uint64_t at, const void *row);
void gh_db_blob(struct gh_db *db, const struct gh_blob_row *row);
void gh_db_run(struct gh_db *db, uint32_t blob, unsigned plugin, const char *status, uint64_t at, const char *why);
/* Commits when a second or 50,000 rows have gone by. */
void gh_db_tick(struct gh_db *db);
/* GH_IO with *err when any write failed since the last call. */
enum gh_code gh_db_flush(struct gh_db *db, struct gh_err *err) GH_MUST;
/* The end of looking: what can be reused later is worked out. */
enum gh_code gh_db_looked(struct gh_db *db, uint32_t root, const char *sandbox, uint64_t spilled, unsigned crashes,
	struct gh_err *err) GH_MUST;
/* The last word: complete or interrupted; the file becomes one portable file. */
enum gh_code gh_db_end(struct gh_db *db, const char *state, struct gh_err *err) GH_MUST;

/* The highest blob id in use. A scan that was killed may have left rows of facts whose blob's own row never came: an id that was
 * given away once is not given to another content. */
uint32_t gh_db_last_blob(struct gh_db *db);
/* Blobs of earlier complete scans by the same plug-ins, that searched for the same literals: each call gives one; 0 at the end. */
typedef bool gh_db_known_fn(void *to, uint32_t blob, const uint8_t sha256[32], const struct gh_plugins *plugins);
uint32_t gh_db_known(struct gh_db *db, const char *literals, gh_db_known_fn *fn, void *to);

/* The shipped knowledge (data/ *.tsv), each file a table of its name. */
enum gh_code gh_db_knowledge(struct gh_db *db, struct gh_err *err) GH_MUST;
/* SHA-256 over all shipped rules or knowledge, hexadecimal, 64 characters and a zero. */
void gh_db_files_sha256(const struct gh_file *files, size_t n, char out[65]);

#endif
