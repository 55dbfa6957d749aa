/* SPDX-License-Identifier: Apache-2.0 */
/* A scan of another facts database, brought into this one: rows are copied as they are, and the numbers that tie them together are
 * moved behind those that are in use here. */
#include "facts/import.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "facts/db_internal.h"

enum move { M_NONE, M_BLOB, M_PLACE, M_NODE, M_SCAN, M_N };

/* Columns that hold such numbers, by name; in the tables of content only the first two are. */
static const struct {
	const char *column;
	enum move move;
} moves[] = {{"blob_id", M_BLOB}, {"child", M_BLOB}, {"root_blob", M_BLOB}, {"manifest", M_BLOB}, {"place_id", M_PLACE},
	{"jar_place", M_PLACE}, {"resolved", M_PLACE}, {"node_id", M_NODE}, {"parent_id", M_NODE}, {"scan_id", M_SCAN}};

enum { COLUMNS_MAX = 64 };

struct import {
	struct gh_db *db, *from;
	int64_t scan, base[M_N];
	struct gh_err *err;
};

struct columns {
	char list[2048], marks[2 * COLUMNS_MAX + 1];
	enum move move[COLUMNS_MAX];
	int n;
};

static enum move move_of(const char *table, const char *column)
{
	size_t n = strncmp(table, "c_", 2) == 0 ? 2 : GH_COUNT(moves);
	for (size_t i = 0; i < n; i++)
		if (strcmp(moves[i].column, column) == 0)
			return moves[i].move;
	return M_NONE;
}

/* The columns that the table has here: another version's may lie in another order, or lack some. */
static bool columns_read(struct import *im, const char *table, struct columns *c)
{
	char sql[128];
	sqlite3_stmt *st = NULL;
	size_t len = 0;
	*c = (struct columns){0};
	snprintf(sql, sizeof sql, "SELECT name FROM pragma_table_info('%s')", table);
	if (sqlite3_prepare_v2(im->db->sql, sql, -1, &st, NULL))
		return false;
	while (sqlite3_step(st) == SQLITE_ROW && c->n < COLUMNS_MAX && len < sizeof c->list) {
		const char *name = (const char *)sqlite3_column_text(st, 0);
		len += (size_t)snprintf(
			c->list + len, sizeof c->list - len, "%s\"%s\"", c->n ? "," : "", name ? name : "");
		memcpy(c->marks + (c->n ? 2 * c->n - 1 : 0), c->n ? ",?" : "?", c->n ? 2 : 1);
		c->move[c->n++] = move_of(table, name ? name : "");
	}
	sqlite3_finalize(st);
	return c->n && len < sizeof c->list;
}

static bool row_copy(const struct import *im, const struct columns *c, sqlite3_stmt *in, sqlite3_stmt *out)
{
	for (int i = 0; i < c->n; i++) {
		int64_t moved;
		if (c->move[i] == M_NONE || sqlite3_column_type(in, i) != SQLITE_INTEGER)
			sqlite3_bind_value(out, i + 1, sqlite3_column_value(in, i));
		else if (c->move[i] ==
			 M_SCAN) /* content that another scan met may be by other plug-ins: it is nobody's */
			sqlite3_column_int64(in, i) == im->scan ? sqlite3_bind_int64(out, i + 1, im->base[M_SCAN])
								: sqlite3_bind_null(out, i + 1);
		else if (!__builtin_add_overflow(sqlite3_column_int64(in, i), im->base[c->move[i]], &moved))
			sqlite3_bind_int64(out, i + 1, moved);
		else
			return false;
	}
	bool ok = sqlite3_step(out) == SQLITE_DONE;
	return sqlite3_reset(out) == SQLITE_OK && ok;
}

static enum gh_code table_copy(struct import *im, const char *table, bool by_scan)
{
	struct columns c;
	char sql[2 * sizeof c.list];
	sqlite3_stmt *in = NULL, *out = NULL;
	if (!columns_read(im, table, &c))
		return gh_fail(im->err, GH_BAD, 0, "table %s has too many columns", table);
	snprintf(sql, sizeof sql, "SELECT %s FROM %s%s", c.list, table, by_scan ? " WHERE scan_id=?" : "");
	int rc = sqlite3_prepare_v2(im->from->sql, sql, -1, &in, NULL);
	snprintf(sql, sizeof sql, "INSERT INTO %s(%s) VALUES(%s)", table, c.list, c.marks);
	if (rc || sqlite3_prepare_v2(im->db->sql, sql, -1, &out, NULL)) {
		sqlite3_finalize(in);
		return gh_fail(im->err, GH_BAD, 0,
			"another version of gifthorse wrote it (table %s): scan its input again", table);
	}
	if (by_scan)
		sqlite3_bind_int64(in, 1, im->scan);
	bool ok = true;
	while (ok && (rc = sqlite3_step(in)) == SQLITE_ROW)
		ok = row_copy(im, &c, in, out);
	sqlite3_finalize(in);
	sqlite3_finalize(out);
	return ok && rc == SQLITE_DONE ? GH_OK
				       : gh_fail(im->err, GH_IO, 0, "facts cannot be copied: %s",
						 sqlite3_errmsg(ok ? im->from->sql : im->db->sql));
}

static enum gh_code all_copy(struct import *im)
{
	static const char list[] =
		"SELECT name, name IN ('blobs','blob_runs','unfinished') OR name GLOB 'c_*' FROM main.sqlite_master "
		"WHERE type='table' AND (name GLOB '[cd]_*' OR name IN ('scans','blobs','blob_runs',"
		"'unfinished','nodes','places','rule_states','findings')) ORDER BY name";
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(im->db->sql, list, -1, &st, NULL))
		return gh_fail(im->err, GH_IO, 0, "%s", sqlite3_errmsg(im->db->sql));
	enum gh_code code = GH_OK;
	while (code == GH_OK && sqlite3_step(st) == SQLITE_ROW)
		code = table_copy(im, (const char *)sqlite3_column_text(st, 0), !sqlite3_column_int(st, 1));
	sqlite3_finalize(st);
	return code;
}

enum gh_code gh_db_import(struct gh_db *db, struct gh_db *from, int64_t scan, int64_t *ret_scan, struct gh_err *err)
{
	struct import im = {.db = db, .from = from, .scan = scan, .err = err};
	im.base[M_BLOB] = gh_db_last_blob(db);
	im.base[M_PLACE] = gh_db_number(db, "SELECT max(place_id) FROM places", 0);
	im.base[M_NODE] = gh_db_number(db, "SELECT max(node_id) FROM nodes", 0);
	*ret_scan = im.base[M_SCAN] = gh_db_number(db, "SELECT max(scan_id) FROM scans", 0) + 1;
	enum gh_code code = gh_db_script(db, "BEGIN", err);
	if (code == GH_OK)
		code = all_copy(&im);
	struct gh_err ignored;
	return code ? ((void)!gh_db_script(db, "ROLLBACK", &ignored), code) : gh_db_script(db, "COMMIT", err);
}
