/* SPDX-License-Identifier: Apache-2.0 */
/* The one writer of facts: rows in transactions of a second or 50,000 rows, so that a scan may be killed at any moment. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/num.h"
#include "facts/db_internal.h"

enum {
	ROWS_PER_COMMIT = 50000,
	MS_PER_COMMIT = 1000,
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void fail(struct gh_db *db, int rc)
{
	if (!db->failed)
		db->failed = rc;
}

static void begin(struct gh_db *db)
{
	if (db->open)
		return;
	int rc = sqlite3_exec(db->sql, "BEGIN", NULL, NULL, NULL);
	if (rc)
		fail(db, rc);
	db->open = true;
	db->committed = now_ms();
}

static void commit(struct gh_db *db)
{
	if (!db->open)
		return;
	int rc = sqlite3_exec(db->sql, "COMMIT", NULL, NULL, NULL);
	if (rc)
		fail(db, rc);
	db->open = false;
	db->rows = 0;
}

static void step(struct gh_db *db, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);
	if (rc != SQLITE_DONE)
		fail(db, rc);
	sqlite3_reset(st);
	if (++db->rows >= ROWS_PER_COMMIT)
		commit(db);
}

void gh_db_tick(struct gh_db *db)
{
	if (db->open && now_ms() - db->committed >= MS_PER_COMMIT)
		commit(db);
}

enum gh_code gh_db_flush(struct gh_db *db, struct gh_err *err)
{
	commit(db);
	if (!db->failed)
		return GH_OK;
	return gh_fail(err, GH_IO, 0, "the facts database cannot be written: %s", sqlite3_errstr(db->failed));
}

static sqlite3_stmt *prepare(struct gh_db *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
	if (rc)
		fail(db, rc);
	return st;
}

static sqlite3_stmt *insert_for(struct gh_db *db, enum gh_table table)
{
	if (db->insert[table])
		return db->insert[table];
	char sql[512];
	size_t n = (size_t)snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO c_%s VALUES(?,?,?", gh_tables[table].name);
	for (size_t i = 0; i < gh_tables[table].n; i++)
		n += (size_t)snprintf(sql + n, sizeof sql - n, ",?");
	snprintf(sql + n, sizeof sql - n, ")");
	return db->insert[table] = prepare(db, sql);
}

/* Text that is not UTF-8, or holds a zero, is kept as bytes: SQLite would cut or misread it. */
static bool is_text(struct gh_str s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	for (size_t i = 0; i < s.n;) {
		size_t len = p[i] < 0x80 ? 1 : p[i] >= 0xf0 ? 4 : p[i] >= 0xe0 ? 3 : 2;
		if (!p[i] || (p[i] >= 0x80 && (p[i] < 0xc2 || p[i] > 0xf4)) || len > s.n - i)
			return false;
		for (size_t k = 1; k < len; k++)
			if ((p[i + k] & 0xc0) != 0x80)
				return false;
		i += len;
	}
	return true;
}

static void bind_text(sqlite3_stmt *st, int i, struct gh_str s)
{
	if (!s.p)
		sqlite3_bind_null(st, i);
	else if (is_text(s))
		sqlite3_bind_text(st, i, s.p, (int)s.n, SQLITE_STATIC);
	else
		sqlite3_bind_blob(st, i, s.p, (int)s.n, SQLITE_STATIC);
}

void gh_db_row(struct gh_db *db, enum gh_table table, uint32_t blob, uint64_t n, uint64_t at, const void *row)
{
	sqlite3_stmt *st = insert_for(db, table);
	if (!st)
		return;
	begin(db);
	sqlite3_bind_int64(st, 1, blob);
	sqlite3_bind_int64(st, 2, (int64_t)n);
	sqlite3_bind_int64(st, 3, (int64_t)at);
	const struct gh_table_info *t = &gh_tables[table];
	for (size_t i = 0; i < t->n; i++) {
		const void *cell = (const char *)row + t->columns[i].offset;
		int k = (int)i + 4;
		if (t->columns[i].text)
			bind_text(st, k, *(const struct gh_str *)cell);
		else if (*(const int64_t *)cell == GH_NULL)
			sqlite3_bind_null(st, k);
		else
			sqlite3_bind_int64(st, k, *(const int64_t *)cell);
	}
	step(db, st);
}

void gh_db_blob(struct gh_db *db, const struct gh_blob_row *r)
{
	/* A later row about the same blob adds what the first did not know. */
	static const char sql[] = "INSERT INTO blobs VALUES(?1,?2,?3,?4,?5,?6) ON CONFLICT(blob_id) DO UPDATE SET "
				  "sha256=coalesce(excluded.sha256,sha256), format=coalesce(excluded.format,format), "
				  "entropy=coalesce(excluded.entropy,entropy), size=excluded.size";
	if (!db->insert_blob)
		db->insert_blob = prepare(db, sql);
	sqlite3_stmt *st = db->insert_blob;
	if (!st)
		return;
	begin(db);
	sqlite3_clear_bindings(st);
	sqlite3_bind_int64(st, 1, r->blob);
	sqlite3_bind_int64(st, 2, db->scan);
	if (r->sha256)
		sqlite3_bind_blob(st, 3, r->sha256, 32, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, (int64_t)r->size);
	if (r->format)
		sqlite3_bind_text(st, 5, r->format, -1, SQLITE_STATIC);
	if (r->entropy >= 0)
		sqlite3_bind_double(st, 6, r->entropy);
	step(db, st);
}

void gh_db_run(struct gh_db *db, uint32_t blob, unsigned plugin, const char *status, uint64_t at, const char *why)
{
	/* Several jobs may report on one container: the more telling word stays, then the smaller offset, whoever came first. */
#define RANK(x) "instr('ok    off   unsup limit short bad   nomem io    jail  hang  crash '," x "||' ')"
	static const char sql[] =
		"INSERT INTO blob_runs VALUES(?1,?2,?3,?4,?5,?6) ON CONFLICT DO UPDATE SET status=excluded.status, "
		"at=excluded.at, why=excluded.why WHERE " RANK("excluded.status") ">" RANK(
			"status") " OR (excluded.status=status "
				  "AND (excluded.at<at OR (excluded.at=at AND excluded.why<why)))";
	if (!db->insert_run)
		db->insert_run = prepare(db, sql);
	sqlite3_stmt *st = db->insert_run;
	if (!st)
		return;
	begin(db);
	sqlite3_bind_int64(st, 1, blob);
	sqlite3_bind_text(st, 2, gh_plugin_name(plugin), -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, gh_plugin_version(plugin));
	sqlite3_bind_text(st, 4, status, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 5, (int64_t)at);
	sqlite3_bind_text(st, 6, why, -1, SQLITE_STATIC);
	step(db, st);
}

/* Names and versions of all plug-ins: blobs seen by others are looked at again. */
/* With what eyes a scan looks: two scans with the same text see the same in the same content. */
static void plugins_text(const char *literals, char *buf, size_t cap)
{
	size_t n = 0;
	for (unsigned i = 0; i < gh_n_plugins() && n < cap; i++)
		n += (size_t)snprintf(
			buf + n, cap - n, "%s%s:%u", i ? " " : "", gh_plugin_name(i), gh_plugin_version(i));
	if (*literals && n < cap)
		snprintf(buf + n, cap - n, " literals:%s", literals);
}

static void off_text(const struct gh_plugins *off, char *buf, size_t cap)
{
	size_t n = 0;
	buf[0] = 0;
	for (unsigned i = 0; i < gh_n_plugins() && n < cap; i++)
		if (gh_plugins_has(off, i))
			n += (size_t)snprintf(buf + n, cap - n, "%s%s", n ? " " : "", gh_plugin_name(i));
}

enum gh_code gh_db_begin(struct gh_db *db, const struct gh_scan_info *info, int64_t *ret_scan, struct gh_err *err)
{
	char plugins[4096], off[4096];
	plugins_text(info->literals, plugins, sizeof plugins);
	off_text(&info->off, off, sizeof off);
	/* Nobody else writes here: what still says that it runs was killed. */
	enum gh_code code = gh_db_script(db, "UPDATE scans SET state='interrupted' WHERE state='running'", err);
	if (code)
		return code;
	sqlite3_stmt *st =
		prepare(db, "INSERT INTO scans(inputs,tool_version,plugins,rules_sha256,knowledge_sha256,off,state) "
			    "VALUES(?,?,?,?,?,?,'running')");
	if (!st)
		return gh_db_flush(db, err);
	const char *const cells[] = {
		info->inputs, GH_VERSION, plugins, info->rules_sha256, info->knowledge_sha256, off};
	for (size_t i = 0; i < GH_COUNT(cells); i++)
		sqlite3_bind_text(st, (int)i + 1, cells[i], -1, SQLITE_STATIC);
	step(db, st);
	sqlite3_finalize(st);
	*ret_scan = db->scan = sqlite3_last_insert_rowid(db->sql);
	return gh_db_flush(db, err);
}

/* A blob is finished when it, and everything below it, was looked at without an accident of ours. What is the input's own fault
 * (damage, limits) would come out the same again. */
static const char unfinished_sql[] =
	"INSERT OR IGNORE INTO unfinished WITH RECURSIVE u(b) AS ("
	" SELECT blob_id FROM blob_runs WHERE status IN ('io','nomem','crash','hang','jail','off')"
	" UNION SELECT blob_id FROM c_notes WHERE code IN ('io','nomem','crash','hang','jail')"
	" UNION SELECT m.blob_id FROM u JOIN temp.up m ON m.child=u.b) SELECT b FROM u;";

enum gh_code gh_db_looked(
	struct gh_db *db, uint32_t root, const char *sandbox, uint64_t spilled, unsigned crashes, struct gh_err *err)
{
	char sql[512];
	snprintf(sql, sizeof sql,
		"UPDATE scans SET root_blob=%u, sandbox='%s', spilled=%llu, crashes=%u WHERE scan_id=%lld", root,
		sandbox, (unsigned long long)spilled, crashes, (long long)db->scan);
	enum gh_code code = gh_db_flush(db, err);
	if (code == GH_OK)
		code = gh_db_script(db, sql, err);
	bool accident = gh_db_number(db,
		"SELECT EXISTS(SELECT 1 FROM blob_runs WHERE status IN ('io','nomem','crash','hang','jail','off')) "
		"OR EXISTS(SELECT 1 FROM c_notes WHERE code IN ('io','nomem','crash','hang','jail'))",
		0);
	if (code || !accident)
		return code;
	code = gh_db_script(db,
		"CREATE TEMP TABLE IF NOT EXISTS up(child INTEGER, blob_id INTEGER); DELETE FROM up;"
		"INSERT INTO up SELECT child, blob_id FROM c_members WHERE child NOT NULL UNION ALL "
		"SELECT child, blob_id FROM c_entries WHERE child NOT NULL; CREATE INDEX IF NOT EXISTS temp.up_child "
		"ON up(child)",
		err);
	if (code == GH_OK)
		code = gh_db_script(db, unfinished_sql, err);
	return code == GH_OK ? gh_db_script(db, "DROP TABLE temp.up", err) : code;
}

enum gh_code gh_db_end(struct gh_db *db, const char *state, struct gh_err *err)
{
	char sql[128];
	snprintf(sql, sizeof sql, "UPDATE scans SET state='%s' WHERE scan_id=%lld", state, (long long)db->scan);
	enum gh_code code = gh_db_flush(db, err);
	if (code == GH_OK)
		code = gh_db_script(db, sql, err);
	for (unsigned i = 0; i < GH_N_TABLES; i++) {
		sqlite3_finalize(db->insert[i]);
		db->insert[i] = NULL;
	}
	struct gh_err
		ignored; /* somebody who reads along keeps the log from being folded in: the facts are there all the same */
	if (code == GH_OK)
		(void)!gh_db_script(db, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE", &ignored);
	return code;
}

uint32_t gh_db_last_blob(struct gh_db *db)
{
	uint64_t last = (uint64_t)gh_db_number(db, "SELECT max(blob_id) FROM blobs", 0);
	for (size_t i = 0; i < GH_N_TABLES; i++) {
		char sql[96];
		snprintf(sql, sizeof sql, "SELECT max(blob_id) FROM c_%s", gh_tables[i].name);
		last = gh_max(last, (uint64_t)gh_db_number(db, sql, 0));
	}
	return (uint32_t)last;
}

uint32_t gh_db_known(struct gh_db *db, const char *literals, gh_db_known_fn *fn, void *to)
{
	char plugins[4096];
	plugins_text(literals, plugins, sizeof plugins);
	sqlite3_stmt *st = prepare(db, "SELECT b.blob_id, b.sha256 FROM blobs b JOIN scans s USING(scan_id) WHERE "
				       "s.state='complete' AND s.plugins=? "
				       "AND s.tool_version=? AND b.sha256 NOT NULL AND b.blob_id NOT IN (SELECT "
				       "blob_id FROM unfinished) ORDER BY 1");
	sqlite3_stmt *runs = prepare(db, "SELECT plugin FROM blob_runs WHERE blob_id=?");
	if (st && runs) {
		sqlite3_bind_text(st, 1, plugins, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 2, GH_VERSION, -1, SQLITE_STATIC);
	}
	bool go = st && runs;
	while (go && sqlite3_step(st) == SQLITE_ROW) {
		struct gh_plugins done = {0};
		sqlite3_bind_int64(runs, 1, sqlite3_column_int64(st, 0));
		while (sqlite3_step(runs) == SQLITE_ROW) {
			int bit = gh_plugin_find(gh_str((const char *)sqlite3_column_text(runs, 0)));
			if (bit >= 0)
				gh_plugins_add(&done, (unsigned)bit);
		}
		sqlite3_reset(runs);
		if (sqlite3_column_bytes(st, 1) == 32)
			go = fn(to, (uint32_t)sqlite3_column_int64(st, 0), sqlite3_column_blob(st, 1), &done);
	}
	sqlite3_finalize(st);
	sqlite3_finalize(runs);
	return gh_db_last_blob(db);
}
