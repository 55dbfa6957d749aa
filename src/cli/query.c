/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse query: SQL over the facts, read-only. Cells are escaped: they hold names and values that the input chose. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/facts.h"

enum option { O_SCAN, O_CSV, O_JSON, O_TSV };

static const struct gh_option options[] = {
	{"--scan", NULL, "N", "bind the views to a scan other than the newest"},
	{"--csv", NULL, NULL, "comma-separated (RFC 4180); text that a spreadsheet would compute gets a ' in front"},
	{"--json", NULL, NULL, "an array of objects"},
	{"--tsv", NULL, NULL, "tab-separated, first line the names"},
};

enum {
	COLUMNS_MAX = 64, /* lined up; more stand as they come */
	WIDTH_MAX = 60, /* of a column that is lined up */
	SAMPLE = 500, /* rows that decide the widths */
};

struct query {
	const char *path, *sql;
	int64_t scan;
	enum option form; /* O_SCAN: columns for the eye */
	struct gh_arena arena;
	uint64_t rows;
	bool wrong; /* the statement was not understood */
	size_t width[COLUMNS_MAX];
};

/* 0 to go on, else an exit code plus 1. */
static int parse(struct query *q, int argc, char **argv)
{
	struct gh_args args = {argc, argv, 1, options, GH_COUNT(options), "query FACTS.db 'SELECT …' [options]", false,
		"The tables: gifthorse query FACTS.db \"SELECT name FROM sqlite_master WHERE type IN ('table', "
		"'view')\"\n"
		"  and docs/facts.md. Names are escaped as in the reports. Exit codes: 0 answered; 2 wrong use or "
		"wrong SQL.\n"};
	const char *value;
	for (int o; (o = gh_args_next(&args, &value)) != -2;) {
		if (o == -3)
			return 1 + GH_EXIT_OK;
		if (o == -4 || (o == O_SCAN && !gh_facts_scan(value, &q->scan)))
			return 1 + GH_EXIT_USAGE;
		if (o > O_SCAN)
			q->form = (enum option)o;
		if (o == -1 && q->sql) {
			gh_complain("query takes a facts database and one statement; quote the statement");
			return 1 + GH_EXIT_USAGE;
		}
		if (o == -1)
			*(q->path ? &q->sql : &q->path) = value;
	}
	if (q->sql)
		return 0;
	gh_complain("give a facts database and a statement, as: gifthorse query FACTS.db 'SELECT path, mode FROM files "
		    "LIMIT 5'");
	return 1 + GH_EXIT_USAGE;
}

/* Reading is all that a statement may do. */
static int allow(void *to, int what, const char *a, const char *b, const char *c, const char *d)
{
	(void)to, (void)a, (void)b, (void)c, (void)d;
	return what == SQLITE_SELECT || what == SQLITE_READ || what == SQLITE_FUNCTION || what == SQLITE_RECURSIVE
		       ? SQLITE_OK
		       : SQLITE_DENY;
}

/* A cell for the eye. Digests are kept as bytes and shown in hexadecimal. */
static struct gh_str cell(struct query *q, sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_blob(st, i);
	struct gh_str s = gh_strn(p ? p : "", (size_t)sqlite3_column_bytes(st, i));
	if (sqlite3_column_type(st, i) == SQLITE_BLOB && gh_str_ends(gh_str(sqlite3_column_name(st, i)), "sha256"))
		return gh_hex(&q->arena, p, s.n);
	char *buf = gh_alloc_raw(&q->arena, s.n * 4 + 1);
	return buf ? gh_strn(buf, gh_escape(buf, s.n * 4 + 1, s)) : GH_STR("");
}

static struct gh_str name(struct query *q, sqlite3_stmt *st, int i)
{
	struct gh_str s = gh_str(sqlite3_column_name(st, i));
	char *buf = gh_alloc_raw(&q->arena, s.n * 4 + 1);
	return buf ? gh_strn(buf, gh_escape(buf, s.n * 4 + 1, s)) : GH_STR("");
}

/* ---- forms ---- */

static void put_json(struct gh_str s)
{
	putchar('"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			putchar('\\');
		putchar(s.p[i]);
	}
	putchar('"');
}

static void row_json(struct query *q, sqlite3_stmt *st)
{
	fputs(q->rows ? ",\n{" : "\n{", stdout);
	for (int i = 0; i < sqlite3_column_count(st); i++) {
		if (i)
			fputs(", ", stdout);
		put_json(name(q, st, i));
		fputs(": ", stdout);
		int type = sqlite3_column_type(st, i);
		struct gh_str s = cell(q, st, i);
		bool infinite = type == SQLITE_FLOAT && gh_str_ends(s, "Inf");
		if (type == SQLITE_NULL || infinite)
			fputs("null", stdout);
		else if (type == SQLITE_INTEGER || type == SQLITE_FLOAT)
			printf("%.*s", (int)s.n, s.p);
		else
			put_json(s);
	}
	putchar('}');
}

static void put_csv(struct gh_str s, bool is_text)
{
	bool risky = is_text && s.n && strchr("=+-@", s.p[0]);
	bool quote = memchr(s.p, '"', s.n) || memchr(s.p, ',', s.n);
	fputs(quote ? risky ? "\"'" : "\"" : risky ? "'" : "", stdout);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			putchar('"');
		putchar(s.p[i]);
	}
	fputs(quote ? "\"" : "", stdout);
}

static size_t characters(struct gh_str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

static void widen(struct query *q, int i, struct gh_str s)
{
	if (i < COLUMNS_MAX)
		q->width[i] = gh_max(q->width[i], gh_min(characters(s), WIDTH_MAX));
}

/* The first rows decide how wide the columns are. */
static void measure(struct query *q, sqlite3_stmt *st)
{
	struct gh_mark mark = gh_arena_mark(&q->arena);
	int n = sqlite3_column_count(st);
	for (int i = 0; i < n; i++)
		widen(q, i, name(q, st, i));
	for (unsigned rows = 0; rows < SAMPLE && sqlite3_step(st) == SQLITE_ROW; rows++)
		for (int i = 0; i < n; i++)
			widen(q, i, cell(q, st, i));
	sqlite3_reset(st);
	gh_arena_release(&q->arena, mark);
}

static void put_padded(struct query *q, int i, struct gh_str s, bool last)
{
	size_t width = i < COLUMNS_MAX ? q->width[i] : 0, n = characters(s);
	printf("%.*s%*s", (int)s.n, s.p, last ? 0 : (int)(width > n ? width - n : 0) + 2, "");
}

static void row_lines(struct query *q, sqlite3_stmt *st, bool names)
{
	int n = sqlite3_column_count(st);
	for (int i = 0; i < n; i++) {
		struct gh_str s = names ? name(q, st, i) : cell(q, st, i);
		if (q->form == O_CSV)
			put_csv(s, names || sqlite3_column_type(st, i) == SQLITE_TEXT);
		else if (q->form == O_TSV)
			printf("%.*s", (int)s.n, s.p);
		else
			put_padded(q, i, s, i == n - 1);
		if (i < n - 1 && q->form != O_SCAN)
			putchar(q->form == O_CSV ? ',' : '\t');
	}
	putchar('\n');
}

static enum gh_code prepare(struct query *q, sqlite3 *sql, sqlite3_stmt **ret, struct gh_err *err)
{
	const char *tail = NULL;
	sqlite3_stmt *st = NULL;
	sqlite3_set_authorizer(sql, allow, NULL);
	int rc = sqlite3_prepare_v2(sql, q->sql, -1, &st, &tail);
	q->wrong = rc != SQLITE_OK;
	if (rc == SQLITE_AUTH || (rc && gh_str_starts(gh_str(sqlite3_errmsg(sql)), "cannot modify")))
		return gh_fail(err, GH_BAD, 0, "only reading is allowed here: one SELECT");
	if (rc)
		return gh_fail(err, GH_BAD, 0, "%s", sqlite3_errmsg(sql));
	if (st && !gh_str_trim(gh_str(tail)).n) {
		*ret = st;
		return GH_OK;
	}
	sqlite3_finalize(st);
	return gh_fail(err, GH_BAD, 0, "%s", st ? "one statement at a time" : "the statement is empty");
}

static enum gh_code run(struct query *q, sqlite3 *sql, struct gh_err *err)
{
	sqlite3_stmt *st = NULL;
	enum gh_code code = prepare(q, sql, &st, err);
	if (code)
		return code;
	if (q->form == O_SCAN)
		measure(q, st);
	if (q->form == O_JSON)
		putchar('[');
	else
		row_lines(q, st, true);
	int rc;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && !ferror(stdout)) {
		struct gh_mark mark = gh_arena_mark(&q->arena);
		if (q->form == O_JSON)
			row_json(q, st);
		else
			row_lines(q, st, false);
		gh_arena_release(&q->arena, mark);
		q->rows++;
	}
	if (q->form == O_JSON)
		puts("\n]");
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		code = gh_fail(err, GH_BAD, 0, "%s", sqlite3_errmsg(sql));
	sqlite3_finalize(st);
	return code;
}

int gh_cmd_query(int argc, char **argv)
{
	struct query q = {.form = O_SCAN};
	struct gh_err err = {0};
	int early = parse(&q, argc, argv);
	if (early)
		return early - 1;
	gh_arena_init(&q.arena, 0);
	int64_t scan;
	struct gh_db *db = gh_facts_open(q.path, q.scan, &scan, &err);
	enum gh_code code = db ? run(&q, gh_db_handle(db), &err) : err.code;
	if (code && q.wrong)
		gh_complain("%s\ngifthorse: the tables and their columns: gifthorse query %s 'SELECT name, sql FROM "
			    "sqlite_master'",
			err.what, q.path);
	else if (code)
		gh_complain("%s", err.what);
	else if (!gh_stdout_done())
		code = GH_IO;
	gh_db_close(db);
	gh_arena_done(&q.arena);
	return code ? GH_EXIT_USAGE : GH_EXIT_OK;
}
