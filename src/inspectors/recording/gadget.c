/* SPDX-License-Identifier: Apache-2.0 */
/* The database that Gadgetbridge exports (SQLite): every table with the columns TIMESTAMP and HEART_RATE, by device. The file is another's and may be
 * made to harm: it is opened from memory, read-only, with everything off that a schema could set to work. */
#include <ctype.h>
#include <sqlite3.h>
#include <strings.h>

#include "base/num.h"
#include "inspectors/recording/reader.h"

enum {
	TABLES = 256, /* Gadgetbridge has about 150 */
	DEVICES = 16, /* of one table */
	NAME_BYTES = 128, /* of a table's name; longer ones are not Gadgetbridge's */
	HEADER = 100,
	STEP = 1000, /* of SQLite's machine between two looks at the budget */
	HEAP_MIB = 192,
};

struct gadget {
	struct gh_ctx *ctx;
	struct gh_err *err;
	sqlite3 *db;
	int64_t part, total;
	bool spent;
};

static bool has_word(struct gh_str name, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; name.n >= n && i <= name.n - n; i++)
		if (strncasecmp(name.p + i, word, n) == 0)
			return true;
	return false;
}

bool gh_gadget_is(const struct gh_probe *probe)
{
	if (probe->head_len < HEADER || memcmp(probe->head, "SQLite format 3", 16) != 0)
		return false;
	return has_word(probe->name, "gadgetbridge") || memmem(probe->head, probe->head_len, "HEART_RATE", 10);
}

/* ---- SQLite with everything off ---- */

static int allow(void *user, int what, const char *a, const char *b, const char *c, const char *d)
{
	(void)user, (void)a, (void)b, (void)c, (void)d;
	return what == SQLITE_SELECT || what == SQLITE_READ ? SQLITE_OK : SQLITE_DENY;
}

static int progress(void *user)
{
	struct gadget *g = user;
	struct gh_err err;
	g->spent |= gh_spend_steps(g->ctx->budget, STEP / 10, 0, &err) != GH_OK;
	return g->spent;
}

static void harden(struct gadget *g)
{
	static const int off[] = {SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW,
		SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, SQLITE_DBCONFIG_WRITABLE_SCHEMA};
	static const int limits[][2] = {{SQLITE_LIMIT_LENGTH, 1 << 20}, {SQLITE_LIMIT_SQL_LENGTH, 1 << 16},
		{SQLITE_LIMIT_COLUMN, 200}, {SQLITE_LIMIT_EXPR_DEPTH, 20}, {SQLITE_LIMIT_ATTACHED, 0},
		{SQLITE_LIMIT_WORKER_THREADS, 0}, {SQLITE_LIMIT_TRIGGER_DEPTH, 1}, {SQLITE_LIMIT_FUNCTION_ARG, 8}};
	for (size_t i = 0; i < GH_COUNT(off); i++)
		sqlite3_db_config(g->db, off[i], 0, NULL);
	sqlite3_db_config(g->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	for (size_t i = 0; i < GH_COUNT(limits); i++)
		sqlite3_limit(g->db, limits[i][0], limits[i][1]);
	sqlite3_exec(g->db, "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY", NULL, NULL, NULL);
	sqlite3_set_authorizer(g->db, allow, g);
	sqlite3_progress_handler(g->db, STEP, progress, g);
}

static enum gh_code open(struct gadget *g, const struct gh_blob *blob)
{
	uint8_t *copy = gh_alloc_raw(g->ctx->arena, (size_t)blob->size);
	if (!copy)
		return gh_fail(g->err, GH_NOMEM, 0, "no memory for the database");
	memcpy(copy, blob->data, (size_t)blob->size);
	/* Write-ahead logging, which needs files beside it: what was not moved into this file is not there anyway. */
	if (copy[18] == 2 && copy[19] == 2)
		copy[18] = copy[19] = 1;
	if (sqlite3_open_v2(":memory:", &g->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL) != SQLITE_OK)
		return gh_fail(g->err, GH_NOMEM, 0, "no memory for SQLite");
	/* This attaches, which is off afterwards; it reads nothing of the schema. */
	if (sqlite3_deserialize(g->db, "main", copy, (sqlite3_int64)blob->size, (sqlite3_int64)blob->size,
		    SQLITE_DESERIALIZE_READONLY) != SQLITE_OK)
		return gh_fail(g->err, GH_BAD, 0, "SQLite: %s", sqlite3_errmsg(g->db));
	harden(g);
	return GH_OK;
}

/* ---- tables ---- */

/* A statement whose only blank is the table's name, quoted. */
static sqlite3_stmt *prepare(struct gadget *g, const char *fmt, const char *table)
{
	char sql[4 * NAME_BYTES];
	sqlite3_stmt *st = NULL;
	sqlite3_snprintf(sizeof sql, sql, fmt, table);
	return sqlite3_prepare_v2(g->db, sql, -1, &st, NULL) == SQLITE_OK ? st : NULL;
}

static int column(sqlite3_stmt *st, const char *name)
{
	for (int i = 0; i < sqlite3_column_count(st); i++)
		if (sqlite3_column_name(st, i) && strcasecmp(sqlite3_column_name(st, i), name) == 0)
			return i;
	return -1;
}

static enum gh_code row(struct gh_recording *r, sqlite3_stmt *st, int time, int rate, struct gh_err *err)
{
	int64_t t = sqlite3_column_int64(st, time), hr = sqlite3_column_int64(st, rate);
	if (sqlite3_column_type(st, time) != SQLITE_INTEGER || t <= 0 || t > 100000000000000ll)
		return GH_OK;
	r->row.messages++;
	/* Activity tables have seconds, others milliseconds: 10^11 seconds are the year 5138. */
	return gh_sample(r, 0,
		(struct gh_row_samples){.t = t > 100000000000ll ? t : t * 1000,
			.hr = sqlite3_column_type(st, rate) == SQLITE_INTEGER ? gh_rate((double)hr) : GH_NULL,
			.cadence = GH_NULL,
			.speed = GH_NULL,
			.distance = GH_NULL,
			.contact = GH_NULL},
		err);
}

static enum gh_code told(struct gadget *g, int rc, const char *table)
{
	if (g->spent)
		return gh_fail(g->err, GH_LIMIT, 0, "more work than the budget of its size allows");
	if (rc != SQLITE_DONE)
		gh_note(g->ctx, GH_BAD, 0, "SQLite: table %.60s: %s", table, sqlite3_errmsg(g->db));
	return GH_OK;
}

static enum gh_code read_device(struct gadget *g, const char *table, int64_t device, bool devices)
{
	sqlite3_stmt *st =
		prepare(g, devices ? "SELECT * FROM \"%w\" WHERE DEVICE_ID=?1" : "SELECT * FROM \"%w\"", table);
	if (!st)
		return told(g, SQLITE_ERROR, table);
	int time = column(st, "TIMESTAMP"), rate = column(st, "HEART_RATE"), rc;
	struct gh_recording r = gh_recording(g->ctx, "gadgetbridge", g->part++, 0, &g->total);
	enum gh_code code = GH_OK;
	r.row.source = devices ? gh_str_fmt(g->ctx->arena, "table %s, device %lld", table, (long long)device)
			       : gh_str_fmt(g->ctx->arena, "table %s", table);
	if (devices)
		sqlite3_bind_int64(st, 1, device);
	while (code == GH_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
		code = row(&r, st, time, rate, g->err);
	if (code == GH_OK && rc != SQLITE_DONE) {
		r.row.state = GH_STR("damaged");
		code = told(g, rc, table);
	}
	sqlite3_finalize(st);
	gh_recording_end(&r);
	return code;
}

static enum gh_code read_table(struct gadget *g, const char *table)
{
	int64_t device[DEVICES];
	size_t n = 0;
	int rc = SQLITE_DONE;
	sqlite3_stmt *st = prepare(g, "SELECT * FROM \"%w\" LIMIT 0", table);
	bool wanted = st && column(st, "TIMESTAMP") >= 0 && column(st, "HEART_RATE") >= 0,
	     devices = st && column(st, "DEVICE_ID") >= 0;
	sqlite3_finalize(st);
	if (!wanted)
		return GH_OK;
	if (!devices)
		return read_device(g, table, 0, false);
	st = prepare(g, "SELECT DISTINCT DEVICE_ID FROM \"%w\"", table);
	while (st && (rc = sqlite3_step(st)) == SQLITE_ROW && n < DEVICES)
		device[n++] = sqlite3_column_int64(st, 0);
	if (rc == SQLITE_ROW)
		gh_note(g->ctx, GH_LIMIT, 0, "table %.60s: more than %d devices", table, DEVICES);
	sqlite3_finalize(st);
	enum gh_code code = rc == SQLITE_ROW ? GH_OK : told(g, rc, table);
	for (size_t i = 0; i < n && code == GH_OK; i++)
		code = read_device(g, table, device[i], true);
	return code;
}

static enum gh_code read_tables(struct gadget *g)
{
	static char const sql[] = "SELECT name FROM sqlite_master WHERE type='table' AND rootpage>0";
	struct gh_str *names = gh_alloc_array(g->ctx->arena, TABLES, sizeof *names);
	sqlite3_stmt *st = NULL;
	size_t n = 0;
	int rc = SQLITE_ERROR;
	if (!names)
		return gh_fail(g->err, GH_NOMEM, 0, "no memory for the names of tables");
	if (sqlite3_prepare_v2(g->db, sql, -1, &st, NULL) == SQLITE_OK)
		while ((rc = sqlite3_step(st)) == SQLITE_ROW && n < TABLES) {
			const char *name = (const char *)sqlite3_column_text(st, 0);
			if (name && strlen(name) < NAME_BYTES)
				names[n++] = gh_str_dup(g->ctx->arena, gh_str(name));
		}
	if (rc == SQLITE_ROW)
		gh_note(g->ctx, GH_LIMIT, 0, "more than %d tables", TABLES);
	sqlite3_finalize(st);
	enum gh_code code = rc == SQLITE_ROW ? GH_OK : told(g, rc, "sqlite_master");
	for (size_t i = 0; i < n && code == GH_OK; i++)
		if (names[i].p)
			code = read_table(g, names[i].p);
	return code;
}

enum gh_code gh_gadget_read(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct gadget g = {.ctx = ctx, .err = err};
	/* Of the whole worker, which reads one content at a time; the database itself lies in the arena. */
	sqlite3_int64 before = sqlite3_hard_heap_limit64((sqlite3_int64)HEAP_MIB << 20);
	enum gh_code code = open(&g, blob);
	if (code == GH_OK)
		code = read_tables(&g);
	sqlite3_close(g.db);
	sqlite3_hard_heap_limit64(before);
	return code;
}
