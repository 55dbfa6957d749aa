/* SPDX-License-Identifier: Apache-2.0 */
/* JUDGE: every rule's SELECT, its rows as findings, its silence as a state. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "rules/needs.h"

enum { ROWS_MAX = 2000 }; /* findings of one rule: beyond that the count is told */

struct judge {
	struct gh_db *db;
	sqlite3 *sql;
	int64_t scan;
	struct gh_arena arena;
	sqlite3_stmt *add, *place;
};

static int column(sqlite3_stmt *st, const char *name)
{
	for (int i = 0; i < sqlite3_column_count(st); i++)
		if (strcmp(sqlite3_column_name(st, i), name) == 0)
			return i;
	return -1;
}

static struct gh_str cell(sqlite3_stmt *st, int i)
{
	if (i < 0 || sqlite3_column_type(st, i) == SQLITE_NULL)
		return GH_NONE;
	const void *p = sqlite3_column_blob(st, i);
	return gh_strn(p ? p : "", (size_t)sqlite3_column_bytes(st, i));
}

static void bind(sqlite3_stmt *st, int i, struct gh_str s)
{
	if (s.p)
		sqlite3_bind_text(st, i, s.p, (int)s.n, SQLITE_TRANSIENT);
	else
		sqlite3_bind_null(st, i);
}

/* Stable over builds that leave the matter alone: rule, place, content, subject. */
static struct gh_str fingerprint(
	struct judge *j, struct gh_str rule, struct gh_str place, struct gh_str sha256, struct gh_str subject)
{
	uint8_t sum[32];
	unsigned n;
	struct gh_str text = gh_str_fmt(&j->arena, "%.*s\n%.*s\n%.*s\n%.*s", (int)rule.n, rule.p, (int)place.n,
		place.p ? place.p : "", (int)sha256.n, sha256.p ? sha256.p : "", (int)subject.n,
		subject.p ? subject.p : "");
	EVP_Digest(text.p, text.n, sum, &n, EVP_sha256(), NULL);
	return gh_hex(&j->arena, sum, 16);
}

/* What the place is called: image:path, the INPUT's name, or the device. */
static void find_place(struct judge *j, int64_t id, struct gh_str *ret_place, struct gh_str *ret_sha256)
{
	*ret_place = GH_STR("device");
	*ret_sha256 = GH_NONE;
	sqlite3_reset(j->place);
	sqlite3_bind_int64(j->place, 1, id);
	if (!id || sqlite3_step(j->place) != SQLITE_ROW)
		return;
	*ret_place = gh_str_dup(&j->arena, cell(j->place, 0));
	*ret_sha256 = gh_str_dup(&j->arena, cell(j->place, 1));
}

static void add_finding(struct judge *j, const struct gh_rule *r, sqlite3_stmt *st, const int at[5])
{
	struct gh_mark mark = gh_arena_mark(&j->arena);
	int64_t id = at[0] >= 0 ? sqlite3_column_int64(st, at[0]) : 0;
	struct gh_str place, sha256, severity = cell(st, at[3]), subject = cell(st, at[4]);
	find_place(j, id, &place, &sha256);
	if (!severity.p)
		severity = r->severity;
	sqlite3_reset(j->add);
	sqlite3_clear_bindings(j->add);
	bind(j->add, 1, r->id);
	bind(j->add, 2, severity);
	if (id)
		sqlite3_bind_int64(j->add, 3, id);
	bind(j->add, 4, place);
	if (at[1] >= 0 && sqlite3_column_type(st, at[1]) != SQLITE_NULL)
		sqlite3_bind_int64(j->add, 5, sqlite3_column_int64(st, at[1]));
	bind(j->add, 6, cell(st, at[2]));
	bind(j->add, 7, subject);
	bind(j->add, 8, sha256);
	bind(j->add, 9, fingerprint(j, r->id, place, sha256, subject.p ? subject : cell(st, at[2])));
	sqlite3_step(j->add);
	gh_arena_release(&j->arena, mark);
}

static enum gh_code set_state(
	struct judge *j, const struct gh_rule *r, uint64_t rows, struct gh_str why, struct gh_err *err)
{
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(j->sql, "INSERT OR REPLACE INTO rule_states VALUES(?,?,?,?,?)", -1, &st, NULL))
		return gh_fail(err, GH_IO, 0, "rule states: %s", sqlite3_errmsg(j->sql));
	sqlite3_bind_int64(st, 1, j->scan);
	bind(st, 2, r->id);
	bind(st, 3, gh_str(rows ? "found" : why.p ? "not_evaluated" : "not_found"));
	bind(st, 4, why);
	sqlite3_bind_int64(st, 5, (int64_t)rows);
	int rc = sqlite3_step(st);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? GH_OK : gh_fail(err, GH_IO, 0, "rule states: %s", sqlite3_errmsg(j->sql));
}

static enum gh_code judge_rule(struct judge *j, const struct gh_rule *r, struct gh_err *err)
{
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(j->sql, r->sql, -1, &st, NULL))
		return gh_fail(err, GH_BAD, 0, "rule %.*s: %s", (int)r->id.n, r->id.p, sqlite3_errmsg(j->sql));
	const int at[5] = {column(st, "file_id"), column(st, "at"), column(st, "evidence"), column(st, "severity"),
		column(st, "subject")};
	uint64_t rows = 0;
	int rc;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		if (rows++ < ROWS_MAX)
			add_finding(j, r, st, at);
	if (rc != SQLITE_DONE)
		gh_fail(err, GH_BAD, 0, "rule %.*s: %s", (int)r->id.n, r->id.p, sqlite3_errmsg(j->sql));
	sqlite3_finalize(st);
	if (rc != SQLITE_DONE)
		return GH_BAD;
	struct gh_mark mark = gh_arena_mark(&j->arena);
	enum gh_code code = set_state(j, r, rows, gh_needs_missing(j->db, &j->arena, r), err);
	gh_arena_release(&j->arena, mark);
	return code;
}

static enum gh_code judge_all(struct judge *j, struct gh_err *err)
{
	const struct gh_rule *rules;
	size_t n;
	enum gh_code code = gh_rules_load(&j->arena, &rules, &n, err);
	if (code)
		return code;
	if (sqlite3_prepare_v2(j->sql, "INSERT INTO temp.found VALUES(?,?,?,?,?,?,?,?,?)", -1, &j->add, NULL) ||
		sqlite3_prepare_v2(j->sql,
			"SELECT CASE WHEN image='' THEN ltrim(path,'/') WHEN path='' THEN image ELSE image||':'||path "
			"END, "
			"(SELECT lower(hex(sha256)) FROM blobs b WHERE b.blob_id=p.blob_id AND sha256 NOT NULL) FROM "
			"places p WHERE place_id=?",
			-1, &j->place, NULL))
		return gh_fail(err, GH_IO, 0, "findings: %s", sqlite3_errmsg(j->sql));
	for (size_t i = 0; i < n && code == GH_OK; i++)
		if (gh_needs_scope(j->db, &j->arena, &rules[i]))
			code = judge_rule(j, &rules[i], err);
	return code;
}

enum gh_code gh_judge(struct gh_db *db, int64_t scan, struct gh_err *err)
{
	struct judge j = {.db = db, .sql = gh_db_handle(db), .scan = scan};
	char sql[512];
	snprintf(sql, sizeof sql,
		"DELETE FROM findings WHERE scan_id=%1$lld; DELETE FROM rule_states WHERE scan_id=%1$lld; DROP TABLE "
		"IF EXISTS temp.found;"
		"CREATE TEMP TABLE found(rule, severity, place_id, place, at, evidence, subject, sha256, fingerprint); "
		"BEGIN",
		(long long)scan);
	enum gh_code code = gh_needs_prepare(db, scan, err);
	if (code == GH_OK)
		code = gh_db_script(db, sql, err);
	if (code)
		return code;
	gh_arena_init(&j.arena, 0);
	code = judge_all(&j, err);
	sqlite3_finalize(j.add);
	sqlite3_finalize(j.place);
	gh_arena_done(&j.arena);
	snprintf(sql, sizeof sql,
		"INSERT INTO findings SELECT %lld, row_number() OVER (ORDER BY gh_weight(severity) DESC, rule, place, "
		"at, evidence)-1, rule, "
		"severity, place_id, place, at, evidence, subject, sha256, fingerprint FROM (SELECT DISTINCT * FROM "
		"temp.found); COMMIT",
		(long long)scan);
	if (code) {
		struct gh_err ignored;
		(void)!gh_db_script(db, "ROLLBACK", &ignored);
		return code;
	}
	return gh_db_script(db, sql, err);
}
