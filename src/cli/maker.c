/* SPDX-License-Identifier: Apache-2.0 */
/* The companion app (an APK, or the facts of its scan) and captures (files, or the facts of gifthorse traffic) as evidence for whether a watch needs its
 * maker. Captures come first: who was contacted is then looked for in the app's bytes. */
#include "cli/maker.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/facts.h"
#include "tree/measure.h"

enum {
	FACTS_MAX = 4096, /* kept of all evidence; lines name a handful */
	PARTIES = 256, /* that are looked for in the app */
	CANDIDATES = 8,
};

bool gh_maker_capture(struct gh_maker *m, const char *value)
{
	static const char *const acts[] = {"setup", "data", "reset"};
	const char *act = NULL;
	for (size_t i = 0; i < GH_COUNT(acts) && !act; i++)
		if (strncmp(value, acts[i], strlen(acts[i])) == 0 && value[strlen(acts[i])] == '=') {
			act = acts[i];
			value += strlen(act) + 1;
		}
	if (m->n_captures == GH_MAKER_FILES) {
		gh_complain("more than %d captures", GH_MAKER_FILES);
		return false;
	}
	if (access(value, R_OK)) {
		gh_complain(
			"%s: %s; --capture takes FILE, or setup=FILE, data=FILE, reset=FILE", value, strerror(errno));
		return false;
	}
	m->capture[m->n_captures].act = act;
	m->capture[m->n_captures++].path = value;
	return true;
}

static const char *keep(struct gh_maker *m, const char *z)
{
	return z ? gh_arena_copy(&m->arena, z, strlen(z)) : NULL;
}

static void add(struct gh_maker *m, const char *kind, const char *act, const char *value, const char *source, int64_t n)
{
	if (!m->fact && (m->fact = gh_alloc_array(&m->arena, FACTS_MAX, sizeof *m->fact)))
		m->cap_facts = FACTS_MAX;
	if (m->n_facts < m->cap_facts)
		m->fact[m->n_facts++] = (struct gh_maker_fact){kind, act, keep(m, value), keep(m, source), n};
}

/* Rows of a statement with up to one argument: a text, a text, a number. */
struct rows {
	sqlite3_stmt *st;
};

static bool ask(struct gh_db *db, struct rows *r, const char *sql, int64_t arg)
{
	if (sqlite3_prepare_v2(gh_db_handle(db), sql, -1, &r->st, NULL) != SQLITE_OK)
		return false;
	if (sqlite3_bind_parameter_count(r->st))
		sqlite3_bind_int64(r->st, 1, arg);
	return true;
}

static bool next(struct rows *r)
{
	if (r->st && sqlite3_step(r->st) == SQLITE_ROW)
		return true;
	sqlite3_finalize(r->st);
	r->st = NULL;
	return false;
}

static const char *text(struct rows *r, int i)
{
	const char *z = (const char *)sqlite3_column_text(r->st, i);
	return z ? z : "";
}

static struct gh_db *facts_of(
	const char *path, const struct gh_literals *literals, int64_t *ret_scan, struct gh_err *err)
{
	char head[16] = "";
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(head, 1, sizeof head, f) : 0;
	if (f)
		fclose(f);
	if (n == sizeof head && memcmp(head, "SQLite format 3", 16) == 0)
		return gh_facts_open(path, 0, ret_scan, err);
	return gh_scan_quiet(&path, 1, literals, ret_scan, err);
}

/* ---- captures ---- */

static enum gh_code capture(struct gh_maker *m, size_t i, struct gh_err *err)
{
	int64_t scan;
	const char *act = m->capture[i].act;
	const char *name = gh_str_base(gh_str(m->capture[i].path)).p;
	struct gh_db *db = facts_of(m->capture[i].path, NULL, &scan, err);
	if (!db)
		return err->code;
	int64_t packets = gh_db_number(db, "SELECT sum(packets-bluetooth) FROM captures", 0),
		flows = gh_db_number(db, "SELECT count(*) FROM flows", 0);
	if (packets > 0)
		add(m, "capture", act, name, NULL, flows);
	else
		gh_complain("%s: no packets of a network in it: it says nothing of servers", m->capture[i].path);
	struct rows r = {0};
	if (ask(db, &r,
		    "SELECT party, coalesce(apps,''), bytes_out+bytes_in FROM parties WHERE local=0 AND "
		    "coalesce(protocols,'') NOT IN "
		    "('dns','ntp','dhcp') ORDER BY 3 DESC, 1",
		    0))
		while (next(&r))
			add(m, "contact", act, text(&r, 0), text(&r, 1), sqlite3_column_int64(r.st, 2));
	gh_db_close(db);
	return GH_OK;
}

/* Who was contacted, as literals to look for. */
static struct gh_literals *names(const struct gh_maker *m, struct gh_err *err)
{
	struct gh_literal list[PARTIES];
	size_t n = 0;
	for (size_t i = 0; i < m->n_facts && n < PARTIES; i++) {
		const char *v = m->fact[i].value;
		bool known = strcmp(m->fact[i].kind, "contact") != 0 || !v || strlen(v) < 6 || !strchr(v, '.');
		for (size_t k = 0; k < n && !known; k++)
			known = strcmp(list[k].p, v) == 0;
		if (!known)
			list[n++] = (struct gh_literal){v, strlen(v)};
	}
	return n ? gh_literals_new(list, n, err) : NULL;
}

/* ---- the app ---- */

/* Words of a screen's name that speak of an account, or of letting a device go. */
static const char *screen(const char *name)
{
	static const char *const account[] = {
		"login", "logon", "signin", "sign_in", "signup", "sign_up", "register", "account", "passport", "oauth"};
	static const char *const reset[] = {"unbind", "unpair", "factoryreset", "resetdevice", "devicereset"};
	const char *last = strrchr(name, '.');
	last = last ? last + 1 : name;
	for (size_t i = 0; i < GH_COUNT(account); i++)
		if (strcasestr(last, account[i]))
			return "setup";
	for (size_t i = 0; i < GH_COUNT(reset); i++)
		if (strcasestr(last, reset[i]))
			return "reset";
	return NULL;
}

static void screens(struct gh_maker *m, struct gh_db *db, int64_t apk)
{
	struct rows r = {0};
	if (ask(db, &r,
		    "SELECT DISTINCT c.name, EXISTS(SELECT 1 FROM apk_intents i WHERE i.component_id=c.component_id "
		    "AND "
		    "i.action='android.intent.action.MAIN' AND i.category='android.intent.category.LAUNCHER') FROM "
		    "apk_components c WHERE c.apk_id=?1 AND c.kind='activity' ORDER BY 2 DESC, 1",
		    apk))
		while (next(&r)) {
			const char *act = screen(text(&r, 0));
			bool first = sqlite3_column_int(r.st, 1);
			if (act)
				add(m, first && strcmp(act, "setup") == 0 ? "first screen" : "screen", act, text(&r, 0),
					NULL, 0);
		}
	if (ask(db, &r,
		    "SELECT DISTINCT c.name FROM apk_components c JOIN apk_intents i USING(component_id) WHERE "
		    "c.apk_id=?1 AND i.action='android.accounts.AccountAuthenticator' ORDER BY 1",
		    apk))
		while (next(&r))
			add(m, "authenticator", "setup", text(&r, 0), NULL, 0);
}

static void servers(struct gh_maker *m, struct gh_db *db, int64_t apk)
{
	static const char *const asked[][2] = {
		{"SELECT DISTINCT domain FROM netsec WHERE apk_id=?1 AND domain LIKE '%.%' ORDER BY 1",
			"its network configuration"},
		{"SELECT DISTINCT i.host FROM apk_intents i JOIN apk_components c USING(component_id) WHERE "
		 "c.apk_id=?1 "
		 "AND i.host LIKE '%.%' AND i.scheme IN ('http','https') ORDER BY 1",
			"an intent filter"},
		{"WITH RECURSIVE b(x) AS (SELECT blob_id FROM places WHERE place_id=?1 UNION SELECT c.child FROM "
		 "c_members "
		 "c JOIN b ON c.blob_id=b.x WHERE c.child NOT NULL) SELECT DISTINCT CAST(h.text AS TEXT) FROM c_hits h "
		 "JOIN "
		 "b ON h.blob_id=b.x ORDER BY 1",
			"its bytes"}};
	struct rows r = {0};
	for (size_t i = 0; i < GH_COUNT(asked); i++)
		if (ask(db, &r, asked[i][0], apk))
			while (next(&r))
				add(m, "server", NULL, text(&r, 0), asked[i][1], 0);
}

static void permissions(struct gh_maker *m, struct gh_db *db, int64_t apk)
{
	struct rows r = {0};
	if (ask(db, &r,
		    "SELECT EXISTS(SELECT 1 FROM v_perm WHERE apk_id=?1 AND name='android.permission.INTERNET') OR "
		    "EXISTS(SELECT 1 FROM apk_permissions WHERE apk_id=?1 AND how='uses' AND "
		    "name='android.permission.INTERNET'), (SELECT shared_uid NOT NULL FROM apks WHERE apk_id=?1)",
		    apk))
		while (next(&r))
			add(m, "network", NULL, sqlite3_column_int(r.st, 0) ? "asked" : "not asked", NULL,
				sqlite3_column_int(r.st, 1));
	if (ask(db, &r,
		    "SELECT DISTINCT name FROM apk_permissions WHERE apk_id=?1 AND how='uses' AND name LIKE "
		    "'android.permission.health.WRITE_%' ORDER BY 1",
		    apk))
		while (next(&r))
			add(m, "shares", "data", text(&r, 0), NULL, 0);
}

/* Which package it is; 0: none, or several (told). */
static int64_t choose(struct gh_maker *m, struct gh_db *db, struct gh_err *err)
{
	char list[400] = "";
	int64_t found = 0, n = 0;
	struct rows r = {0};
	if (ask(db, &r,
		    "SELECT a.package, a.apk_id, EXISTS(SELECT 1 FROM apk_permissions p WHERE p.apk_id=a.apk_id AND "
		    "p.how='uses' AND p.name LIKE 'android.permission.BLUETOOTH%') FROM apks a ORDER BY 3 DESC, 1",
		    0))
		while (next(&r)) {
			if (m->package && strcmp(m->package, text(&r, 0)) != 0)
				continue;
			found = sqlite3_column_int64(r.st, 1);
			if (n++ < CANDIDATES)
				snprintf(list + strlen(list), sizeof list - strlen(list), " %.40s", text(&r, 0));
		}
	if (n == 1)
		return found;
	if (!n)
		gh_fail(err, GH_BAD, 0, m->package ? "%s holds no package %s" : "%s holds no app%.0s", m->app,
			m->package ? m->package : "");
	else
		gh_fail(err, GH_BAD, 0, "%s holds %lld apps; name one with --package:%.120s", m->app, (long long)n,
			list);
	return 0;
}

static enum gh_code app(struct gh_maker *m, struct gh_err *err)
{
	int64_t scan;
	struct gh_literals *literals = names(m, err);
	struct gh_db *db = facts_of(m->app, literals, &scan, err);
	int64_t apk = db ? choose(m, db, err) : 0;
	struct rows r = {0};
	if (apk &&
		ask(db, &r, "SELECT package||coalesce(' '||version_name,''), package FROM apks WHERE apk_id=?1", apk))
		while (next(&r))
			add(m, "app", NULL, text(&r, 0), text(&r, 1), 0);
	if (apk) {
		permissions(m, db, apk);
		screens(m, db, apk);
		servers(m, db, apk);
	}
	gh_db_close(db);
	gh_literals_free(literals);
	return apk ? GH_OK : err->code;
}

enum gh_code gh_maker_look(struct gh_maker *m, struct gh_err *err)
{
	enum gh_code code = GH_OK;
	gh_arena_init(&m->arena, 16 << 20);
	for (size_t i = 0; i < m->n_captures && code == GH_OK; i++)
		code = capture(m, i, err);
	if (code == GH_OK && m->app)
		code = app(m, err);
	return code;
}

enum gh_code gh_maker_write(const struct gh_maker *m, struct gh_db *db, int64_t scan, struct gh_err *err)
{
	sqlite3_stmt *st = NULL;
	bool bad = sqlite3_prepare_v2(gh_db_handle(db), "INSERT INTO d_watch_given VALUES(?,?,?,?,?,?,?)", -1, &st,
			   NULL) != SQLITE_OK;
	for (size_t i = 0; i < m->n_facts && !bad; i++) {
		const struct gh_maker_fact *f = &m->fact[i];
		const char *const words[] = {f->kind, f->act, f->value, f->source};
		sqlite3_bind_int64(st, 1, scan);
		sqlite3_bind_int64(st, 2, (int64_t)i);
		for (size_t k = 0; k < GH_COUNT(words); k++)
			sqlite3_bind_text(st, 3 + (int)k, words[k], -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, 7, f->n);
		bad = sqlite3_step(st) != SQLITE_DONE;
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	return bad ? gh_fail(err, GH_IO, 0, "evidence of the app: %s", sqlite3_errmsg(gh_db_handle(db))) : GH_OK;
}
