/* SPDX-License-Identifier: Apache-2.0 */
/* References and lists of known keys that a user gives: read, checked, and written into the d_ tables of a scan. */
#include "cli/trusted.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/given.h"

enum { KEYS_MAX = 16 << 20 }; /* 200,000 keys */

bool gh_trusted_add(const char **list, size_t *n, const char *value, const char *option)
{
	if (*n == GH_TRUSTED_FILES) {
		gh_complain("%s: more than %d files", option, GH_TRUSTED_FILES);
		return false;
	}
	list[(*n)++] = value;
	return true;
}

static enum gh_code run(
	struct gh_db *db, int64_t scan, const char *text, int64_t ref, const char *arg, struct gh_err *err)
{
	sqlite3 *sql = gh_db_handle(db);
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(sql, text, -1, &st, NULL))
		return gh_fail(err, GH_IO, 0, "%s", sqlite3_errmsg(sql));
	if (sqlite3_bind_parameter_count(st) > 0)
		sqlite3_bind_int64(st, 1, scan);
	if (sqlite3_bind_parameter_count(st) > 1)
		sqlite3_bind_int64(st, 2, ref);
	if (sqlite3_bind_parameter_count(st) > 2)
		sqlite3_bind_text(st, 3, arg, -1, SQLITE_STATIC);
	int rc = sqlite3_step(st);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? GH_OK : gh_fail(err, GH_IO, 0, "%s", sqlite3_errmsg(sql));
}

/* ---- known keys ---- */

struct key {
	struct gh_str field[6]; /* digest kind name role maker source, as in data/known_keys.tsv */
};

static bool among(struct gh_str s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (gh_str_is(s, words[i]))
			return true;
	return false;
}

static const char *key_wrong(const struct key *k)
{
	static const char *const kinds[] = {"apk", "apex", "ota", "avb"};
	static const char *const roles[] = {"test", "google", "google_named", "platform", "update", "boot", "leaked"};
	struct gh_str d = k->field[0];
	for (size_t i = 0; i < d.n; i++)
		if (!isdigit((unsigned char)d.p[i]) && !(d.p[i] >= 'a' && d.p[i] <= 'f'))
			return "the digest is not lower-case hex";
	if (!among(k->field[1], kinds, GH_COUNT(kinds)))
		return "the kind is none of apk, apex, ota, avb";
	if (gh_str_is(k->field[1], "avb") ? d.n != 40 : d.n != 64 && !(d.n == 40 && gh_str_is(k->field[1], "apex")))
		return "the digest has not the length of its kind";
	if (!among(k->field[3], roles, GH_COUNT(roles)))
		return "the role is none of test, google, google_named, platform, update, boot, leaked";
	return k->field[2].n && k->field[5].n ? NULL : "name or source is empty";
}

static bool key_split(struct gh_str line, struct key *ret)
{
	for (size_t i = 0; i < GH_COUNT(ret->field); i++) {
		const char *tab = line.n ? memchr(line.p, '\t', line.n) : NULL;
		bool last = i + 1 == GH_COUNT(ret->field);
		if (last == (tab != NULL))
			return false;
		size_t n = tab ? (size_t)(tab - line.p) : line.n;
		ret->field[i] = gh_str_trim(gh_strn(line.p, n));
		line = tab ? gh_strn(tab + 1, line.n - n - 1) : GH_NONE;
	}
	return true;
}

static enum gh_code keys_rows(sqlite3_stmt *st, int64_t scan, struct gh_str text, const char *path, struct gh_err *err)
{
	struct gh_str line;
	for (unsigned n = 1; gh_str_line(&text, &line); n++) {
		struct key k;
		if (!gh_str_trim(line).n || *line.p == '#' || gh_str_starts(line, "digest\t"))
			continue;
		if (!key_split(line, &k))
			return gh_fail(err, GH_BAD, n,
				"%s, line %u: want digest, kind, name, role, maker, source, separated by one tab each",
				path, n);
		const char *wrong = key_wrong(&k);
		if (wrong)
			return gh_fail(err, GH_BAD, n, "%s, line %u: %s", path, n, wrong);
		sqlite3_bind_int64(st, 1, scan);
		for (int i = 0; i < (int)GH_COUNT(k.field); i++)
			sqlite3_bind_text(
				st, i + 2, k.field[i].p ? k.field[i].p : "", (int)k.field[i].n, SQLITE_STATIC);
		if (sqlite3_step(st) != SQLITE_DONE)
			return gh_fail(err, GH_IO, 0, "known keys cannot be written");
		sqlite3_reset(st);
	}
	return GH_OK;
}

static enum gh_code keys(struct gh_db *db, int64_t scan, const char *path, struct gh_err *err)
{
	struct gh_str text = GH_NONE;
	sqlite3_stmt *st = NULL;
	enum gh_code code = gh_given_read(path, KEYS_MAX, &text, err);
	if (code)
		return code;
	if (sqlite3_prepare_v2(gh_db_handle(db), "INSERT INTO d_known_keys VALUES(?,?,?,?,?,?,?)", -1, &st, NULL))
		code = gh_fail(err, GH_IO, 0, "known keys: %s", sqlite3_errmsg(gh_db_handle(db)));
	else
		code = keys_rows(st, scan, text, path, err);
	sqlite3_finalize(st);
	free((char *)text.p);
	return code;
}

/* ---- references ---- */

enum gh_code gh_trusted_attach(struct gh_db *db, const char *path, struct gh_err *err)
{
	char head[16] = "";
	FILE *f = fopen(path, "r");
	if (!f)
		return gh_fail(err, GH_IO, 0, "%s: %s", path, strerror(errno));
	bool sqlite = fread(head, 1, sizeof head, f) == sizeof head && memcmp(head, "SQLite format 3", 16) == 0;
	fclose(f);
	if (!sqlite)
		return gh_fail(
			err, GH_BAD, 0, "%s is no reference: gifthorse reference make IMAGE -o FILE makes one", path);
	char *attach = sqlite3_mprintf("ATTACH %Q AS ref", path);
	enum gh_code code = GH_OK;
	if (!attach || sqlite3_exec(gh_db_handle(db), attach, NULL, NULL, NULL))
		code = gh_fail(err, GH_IO, 0, "%s: %s", path, sqlite3_errmsg(gh_db_handle(db)));
	sqlite3_free(attach);
	return code;
}

/* Only tables are read: a view of a stranger's file is a program. */
static bool is_reference(struct gh_db *db)
{
	return gh_db_number(db,
		       "SELECT count(*) FROM ref.sqlite_master WHERE type='table' AND name IN ('about','entries')",
		       0) == 2 &&
	       gh_db_number(db, "SELECT count(*) FROM ref.sqlite_master WHERE type<>'table' AND type<>'index'", 0) ==
		       0 &&
	       gh_db_number(db, "SELECT CAST(value AS INTEGER) FROM ref.about WHERE key='gifthorse reference'", 0) == 1;
}

static enum gh_code reference(struct gh_db *db, int64_t scan, int64_t n, const char *path, struct gh_err *err)
{
	enum gh_code code = gh_trusted_attach(db, path, err);
	if (code)
		return code;
	if (!is_reference(db))
		code = gh_fail(err, GH_BAD, 0,
			"%s is no reference of this version: gifthorse reference make IMAGE -o FILE makes one", path);
	struct gh_str base = gh_str_base(gh_str(path));
	if (code == GH_OK)
		code = run(db, scan, "INSERT INTO d_reference VALUES(?1, ?2, 'about', 'file', ?3)", n, base.p, err);
	if (code == GH_OK)
		code = run(db, scan, "INSERT INTO d_reference SELECT ?1, ?2, 'about', key, value FROM ref.about", n, "",
			err);
	if (code == GH_OK)
		code = run(db, scan, "INSERT INTO d_reference SELECT ?1, ?2, kind, name, value FROM ref.entries", n, "",
			err);
	sqlite3_exec(gh_db_handle(db), "DETACH ref", NULL, NULL, NULL);
	return code;
}

enum gh_code gh_trusted_write(struct gh_db *db, int64_t scan, const struct gh_trusted *t, struct gh_err *err)
{
	enum gh_code code = run(db, scan, "DELETE FROM d_known_keys WHERE scan_id=?1", 0, "", err);
	if (code == GH_OK)
		code = run(db, scan, "DELETE FROM d_reference WHERE scan_id=?1", 0, "", err);
	for (size_t i = 0; i < t->n_keys && code == GH_OK; i++)
		code = keys(db, scan, t->keys[i], err);
	for (size_t i = 0; i < t->n_references && code == GH_OK; i++)
		code = reference(db, scan, (int64_t)i + 1, t->references[i], err);
	return code;
}
