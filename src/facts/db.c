/* SPDX-License-Identifier: Apache-2.0 */
/* The facts database: opening, the schema, scripts. */
#include "facts/db.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "facts/db_internal.h"

static enum gh_code db_fail(struct gh_db *db, struct gh_err *err, const char *what)
{
	return gh_fail(err, GH_IO, 0, "%s: %s", what, db->sql ? sqlite3_errmsg(db->sql) : "no memory");
}

enum gh_code gh_db_script(struct gh_db *db, const char *sql, struct gh_err *err)
{
	char *message = NULL;
	if (sqlite3_exec(db->sql, sql, NULL, NULL, &message) == SQLITE_OK)
		return GH_OK;
	enum gh_code code = gh_fail(err, GH_IO, 0, "database: %s", message ? message : "failed");
	sqlite3_free(message);
	return code;
}

int64_t gh_db_number(struct gh_db *db, const char *sql, int64_t none)
{
	sqlite3_stmt *st = NULL;
	int64_t v = none;
	if (sqlite3_prepare_v2(db->sql, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW &&
		sqlite3_column_type(st, 0) != SQLITE_NULL)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

sqlite3 *gh_db_handle(struct gh_db *db)
{
	return db->sql;
}

static enum gh_code make_content_tables(struct gh_db *db, struct gh_err *err)
{
	char sql[4096];
	for (unsigned t = 0; t < GH_N_TABLES; t++) {
		const struct gh_table_info *info = &gh_tables[t];
		size_t n = (size_t)snprintf(sql, sizeof sql,
			"CREATE TABLE IF NOT EXISTS c_%s(blob_id INTEGER, n INTEGER, at INTEGER", info->name);
		for (size_t i = 0; i < info->n; i++)
			n += (size_t)snprintf(sql + n, sizeof sql - n, ", %s %s", info->columns[i].name,
				info->columns[i].text ? "TEXT" : "INTEGER");
		snprintf(sql + n, sizeof sql - n, ", PRIMARY KEY(blob_id, n)) WITHOUT ROWID");
		enum gh_code code = gh_db_script(db, sql, err);
		if (code)
			return code;
	}
	return GH_OK;
}

/* One view statement with its two words filled in. */
static enum gh_code make_view(
	struct gh_db *db, struct gh_str text, const char *view, const char *scan, struct gh_err *err)
{
	struct gh_arena arena;
	gh_arena_init(&arena, 0);
	char *sql = gh_alloc(&arena, text.n * 2 + 1024);
	size_t o = 0;
	for (size_t i = 0; sql && i < text.n && o < text.n * 2;) {
		struct gh_str rest = gh_strn(text.p + i, text.n - i);
		const char *word = gh_str_starts(rest, "@VIEW@") ? view : gh_str_starts(rest, "@SCAN@") ? scan : NULL;
		if (word) {
			o += (size_t)sprintf(sql + o, "%s", word);
			i += 6;
		} else {
			sql[o++] = text.p[i++];
		}
	}
	enum gh_code code = sql ? gh_db_script(db, sql, err) : gh_fail(err, GH_NOMEM, 0, "no memory for views");
	gh_arena_done(&arena);
	return code;
}

static enum gh_code make_views(struct gh_db *db, const char *view, const char *scan, struct gh_err *err)
{
	enum gh_code code = GH_OK;
	for (size_t i = 0; i < gh_n_schema_files && code == GH_OK; i++)
		if (strstr(gh_schema_files[i].name, "views"))
			code = make_view(db, gh_strn(gh_schema_files[i].text, gh_schema_files[i].n), view, scan, err);
	return code;
}

static enum gh_code make_tables(struct gh_db *db, struct gh_err *err)
{
	enum gh_code code = gh_db_script(db, "BEGIN", err);
	if (code == GH_OK)
		code = make_content_tables(db, err);
	for (size_t i = 0; i < gh_n_schema_files && code == GH_OK; i++)
		if (!strstr(gh_schema_files[i].name, "views"))
			code = gh_db_script(db, gh_schema_files[i].text, err);
	if (code == GH_OK)
		code = make_views(db, "CREATE VIEW IF NOT EXISTS", "(SELECT max(scan_id) FROM scans)", err);
	return code == GH_OK ? gh_db_script(db, "COMMIT", err) : code;
}

/* A severity's weight, for sorting in SQL. */
static void sql_weight(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	static const char *const words[] = {"info", "low", "medium", "high", "critical"};
	const char *w = (const char *)sqlite3_value_text(v[0]);
	int weight = -1;
	for (size_t i = 0; w && i < GH_COUNT(words); i++)
		if (strcmp(w, words[i]) == 0)
			weight = (int)i;
	(void)n;
	sqlite3_result_int(ctx, weight);
}

struct sum {
	int64_t total;
	bool any;
};

/* gh_sum(x): as sum(), but sizes that hostile input states may add up to more than a number holds: then it is the largest. */
static void sql_sum_step(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	struct sum *s = sqlite3_aggregate_context(ctx, sizeof *s);
	(void)n;
	if (!s || sqlite3_value_type(v[0]) == SQLITE_NULL)
		return;
	if (__builtin_add_overflow(s->total, sqlite3_value_int64(v[0]), &s->total))
		s->total = INT64_MAX;
	s->any = true;
}

static void sql_sum_end(sqlite3_context *ctx)
{
	struct sum *s = sqlite3_aggregate_context(ctx, 0);
	if (s && s->any)
		sqlite3_result_int64(ctx, s->total);
	else
		sqlite3_result_null(ctx);
}

/* LIKE and GLOB that look into bytes too. A name that is not UTF-8 is kept as bytes, which SQLite's own may pass over (compile
 * option LIKE_DOESNT_MATCH_BLOBS, as on Debian): one broken byte in a path would silence every rule that looks at it. */
static void sql_like(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	const char *pattern = (const char *)sqlite3_value_text(v[0]), *s = (const char *)sqlite3_value_text(v[1]);
	const char *escape = n > 2 ? (const char *)sqlite3_value_text(v[2]) : NULL;
	if (!pattern || !s)
		return;
	if (sqlite3_user_data(ctx))
		sqlite3_result_int(ctx, sqlite3_strglob(pattern, s) == 0);
	else
		sqlite3_result_int(ctx, sqlite3_strlike(pattern, s, escape ? (uint8_t)*escape : 0) == 0);
}

static void add_functions(sqlite3 *sql)
{
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
	sqlite3_create_function(sql, "gh_weight", 1, flags, NULL, sql_weight, NULL, NULL);
	sqlite3_create_function(sql, "like", 2, flags, NULL, sql_like, NULL, NULL);
	sqlite3_create_function(sql, "like", 3, flags, NULL, sql_like, NULL, NULL);
	sqlite3_create_function(sql, "glob", 2, flags, sql, sql_like, NULL, NULL);
	sqlite3_create_function(sql, "gh_sum", 1, flags, NULL, NULL, sql_sum_step, sql_sum_end);
}

static struct gh_db *db_new(const char *path, int flags, struct gh_err *err)
{
	struct gh_db *db = calloc(1, sizeof *db);
	if (db)
		db->lock = -1;
	if (!db ||
		sqlite3_open_v2(path ? path : ":memory:", &db->sql, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		struct stat st;
		if (path && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			gh_fail(err, GH_IO, 0, "%s is a folder; name a file", path);
		else if (db)
			db_fail(db, err, path ? path : "memory");
		gh_db_close(db);
		return NULL;
	}
	sqlite3_busy_timeout(db->sql, 2000);
	add_functions(db->sql);
	return db;
}

/* One scan at a time: two would give the same numbers to different contents. The lock ends with the process. Closed after SQLite's
 * own descriptors: closing any descriptor of a file drops SQLite's locks on it. */
static enum gh_code lock(struct gh_db *db, const char *path, struct gh_err *err)
{
	db->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (db->lock < 0)
		return gh_fail(err, GH_IO, 0, "%s: %s", path, strerror(errno));
	if (flock(db->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return gh_fail(
			err, GH_IO, 0, "another scan is writing into %s; wait for it, or give another --db", path);
	return GH_OK;
}

static const char is_ours[] = "SELECT count(*) FROM sqlite_master WHERE name='blob_runs'";

struct gh_db *gh_db_open(const char *path, struct gh_err *err)
{
	struct gh_db *db = db_new(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
	if (!db)
		return NULL;
	if (path && *path && lock(db, path, err)) {
		gh_db_close(db);
		return NULL;
	}
	static const char settings[] = "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
				       "PRAGMA cache_size=-32768; PRAGMA temp_store=MEMORY;";
	int64_t tables = gh_db_number(db, "SELECT count(*) FROM sqlite_master", -1);
	if (tables < 0 || (tables && gh_db_number(db, is_ours, 0) != 1)) {
		gh_fail(err, GH_BAD, 0, "%s is something else than a facts database; give --db another name", path);
		gh_db_close(db);
		return NULL;
	}
	if (gh_db_script(db, settings, err) || make_tables(db, err)) {
		gh_db_close(db);
		return NULL;
	}
	return db;
}

struct gh_db *gh_db_load(const char *path, bool write_to_copy, struct gh_err *err)
{
	if (access(path, R_OK)) {
		gh_fail(err, GH_IO, 0, "%s: %s; gifthorse scan INPUT --db FACTS.db makes a facts database", path,
			strerror(errno));
		return NULL;
	}
	/* A scan that was killed leaves a write-ahead log, which only a writer may fold in. */
	struct gh_db *file = db_new(path, access(path, W_OK) ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, err);
	if (!file)
		return NULL;
	if (gh_db_number(file, is_ours, 0) != 1) {
		gh_fail(err, GH_BAD, 0, "%s is not a facts database; gifthorse scan INPUT --db FACTS.db makes one",
			path);
		gh_db_close(file);
		return NULL;
	}
	if (!write_to_copy)
		return file;
	struct gh_db *copy = db_new(NULL, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
	sqlite3_backup *b = copy ? sqlite3_backup_init(copy->sql, "main", file->sql, "main") : NULL;
	int rc = b ? sqlite3_backup_step(b, -1) : SQLITE_ERROR;
	sqlite3_backup_finish(b);
	gh_db_close(file);
	if (copy && (rc != SQLITE_DONE || make_tables(copy, err))) {
		gh_fail(err, GH_IO, 0, "%s cannot be read", path);
		gh_db_close(copy);
		return NULL;
	}
	return copy;
}

void gh_db_close(struct gh_db *db)
{
	if (!db)
		return;
	for (unsigned i = 0; i < GH_N_TABLES; i++)
		sqlite3_finalize(db->insert[i]);
	sqlite3_finalize(db->insert_blob);
	sqlite3_finalize(db->insert_run);
	sqlite3_close(db->sql);
	if (db->lock >= 0)
		close(db->lock);
	free(db);
}

int64_t gh_db_last_scan(struct gh_db *db)
{
	return gh_db_number(db, "SELECT max(scan_id) FROM scans", 0);
}

/* The views of a scan that was bound before. */
static enum gh_code unbind(struct gh_db *db, struct gh_err *err)
{
	static const char list[] = "SELECT 'DROP VIEW temp.'||name FROM sqlite_temp_master WHERE type='view' LIMIT 1";
	enum gh_code code = GH_OK;
	sqlite3_stmt *st = NULL;
	for (bool more = true; more && code == GH_OK;) {
		char sql[128] = "";
		more = sqlite3_prepare_v2(db->sql, list, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW;
		if (more)
			snprintf(sql, sizeof sql, "%s", (const char *)sqlite3_column_text(st, 0));
		sqlite3_finalize(st); /* it would hold the schema */
		st = NULL;
		if (more)
			code = gh_db_script(db, sql, err);
	}
	return code;
}

enum gh_code gh_db_bind(struct gh_db *db, int64_t scan, struct gh_err *err)
{
	if (unbind(db, err))
		return err->code;
	char number[32];
	snprintf(number, sizeof number, "%lld", (long long)scan);
	return make_views(db, "CREATE TEMP VIEW", number, err);
}

void gh_db_files_sha256(const struct gh_file *files, size_t n, char out[65])
{
	uint8_t sum[32];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	for (size_t i = 0; i < n; i++) {
		EVP_DigestUpdate(ctx, files[i].name, strlen(files[i].name) + 1);
		EVP_DigestUpdate(ctx, files[i].text, files[i].n);
	}
	EVP_DigestFinal_ex(ctx, sum, NULL);
	EVP_MD_CTX_free(ctx);
	for (int i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
}
