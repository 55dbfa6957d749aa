/* SPDX-License-Identifier: Apache-2.0 */
/* The shipped knowledge: every data/NAME.tsv becomes the table NAME, its columns the words of its first line. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "facts/db_internal.h"

static bool field(struct gh_str *line, struct gh_str *ret)
{
	if (!line->p)
		return false;
	const char *tab = memchr(line->p, '\t', line->n);
	size_t n = tab ? (size_t)(tab - line->p) : line->n;
	*ret = gh_strn(line->p, n);
	*line = tab ? gh_strn(line->p + n + 1, line->n - n - 1) : GH_NONE;
	return true;
}

static enum gh_code make_table(struct gh_db *db, const char *name, struct gh_str header, int *ret_n, struct gh_err *err)
{
	char sql[1024];
	size_t n = (size_t)snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS %s; CREATE TABLE %s(", name, name);
	struct gh_str column;
	for (*ret_n = 0; field(&header, &column) && n < sizeof sql - 128; ++*ret_n)
		n += (size_t)snprintf(sql + n, sizeof sql - n, "%s%.*s %s", *ret_n ? ", " : "", (int)column.n, column.p,
			strcmp(name, "bl_priv_files") == 0 && (gh_str_is(column, "mode") || gh_str_is(column, "caps"))
				? "INTEGER"
				: "TEXT");
	snprintf(sql + n, sizeof sql - n, ")");
	return gh_db_script(db, sql, err);
}

static enum gh_code load(struct gh_db *db, const struct gh_file *file, struct gh_err *err)
{
	char name[64], sql[256];
	snprintf(name, sizeof name, "%.*s", (int)(strlen(file->name) - strlen(".tsv")), file->name);
	struct gh_str rest = gh_strn(file->text, file->n), line;
	int columns;
	if (!gh_str_line(&rest, &line))
		return GH_OK;
	enum gh_code code = make_table(db, name, line, &columns, err);
	if (code)
		return code;
	size_t n = (size_t)snprintf(sql, sizeof sql, "INSERT INTO %s VALUES(?", name);
	for (int i = 1; i < columns; i++)
		n += (size_t)snprintf(sql + n, sizeof sql - n, ",?");
	snprintf(sql + n, sizeof sql - n, ")");
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(db->sql, sql, -1, &st, NULL))
		return gh_fail(err, GH_IO, 0, "knowledge %s: %s", name, sqlite3_errmsg(db->sql));
	while (gh_str_line(&rest, &line)) {
		if (!line.n)
			continue;
		struct gh_str cell;
		sqlite3_clear_bindings(st);
		for (int i = 1; i <= columns && field(&line, &cell); i++)
			sqlite3_bind_text(st, i, cell.p, (int)cell.n, SQLITE_STATIC);
		sqlite3_step(st);
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	return GH_OK;
}

enum gh_code gh_db_knowledge(struct gh_db *db, struct gh_err *err)
{
	enum gh_code code = gh_db_script(db, "BEGIN", err);
	for (size_t i = 0; i < gh_n_data_files && code == GH_OK; i++)
		if (gh_str_ends(gh_str(gh_data_files[i].name), ".tsv"))
			code = load(db, &gh_data_files[i], err);
	/* What a user gave with a scan of this database names keys in all of it. */
	if (code == GH_OK)
		code = gh_db_script(db,
			"INSERT INTO known_keys SELECT DISTINCT digest, kind, name, role, maker, source FROM "
			"d_known_keys g "
			"WHERE NOT EXISTS(SELECT 1 FROM known_keys k WHERE k.digest=g.digest AND k.kind=g.kind)",
			err);
	return code == GH_OK ? gh_db_script(db, "COMMIT", err) : code;
}
