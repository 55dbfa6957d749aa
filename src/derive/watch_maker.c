/* SPDX-License-Identifier: Apache-2.0 */
/* Does a watch need its maker: to be set up, to read one's own data, to be reset? Each line of evidence with how sure it is and who says so; the surest comes
 * first, and where nothing speaks of it that is said. What a capture shows is contact, not need. */
#include <stdio.h>

#include "base/num.h"
#include "derive/watch.h"

enum { LINE = 600, NAMED = 4 /* names in a line */ };

static const char flight[] =
	"do it again with the phone in flight mode and Bluetooth on: what then fails needs a server";

struct maker {
	struct gh_watch *w;
	const char *act;
	int64_t n;
	char app[100]; /* its package; "": none was given */
};

static sqlite3_stmt *ask(struct maker *k, const char *sql)
{
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(k->w->sql, sql, -1, &st, NULL) != SQLITE_OK) {
		k->w->failed = true;
		return NULL;
	}
	sqlite3_bind_int64(st, 1, k->w->scan);
	if (sqlite3_bind_parameter_count(st) > 1)
		sqlite3_bind_text(st, 2, k->act, -1, SQLITE_STATIC);
	return st;
}

static int64_t number(struct maker *k, const char *sql)
{
	sqlite3_stmt *st = ask(k, sql);
	int64_t v = st && sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	return v;
}

/* The first few values, "a, b and 3 more"; how many there are. */
static int64_t list(struct maker *k, const char *sql, char out[LINE / 2])
{
	sqlite3_stmt *st = ask(k, sql);
	int64_t n = 0;
	size_t used = 0;
	out[0] = 0;
	while (st && sqlite3_step(st) == SQLITE_ROW)
		if (n++ < NAMED && used < LINE / 2 - 90)
			used += (size_t)snprintf(out + used, LINE / 2 - used, "%s%.80s", n > 1 ? ", " : "",
				(const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	if (n > NAMED)
		snprintf(out + used, LINE / 2 - used, " and %lld more", (long long)n - NAMED);
	return n;
}

static void line(struct maker *k, const char *answer, const char *certainty, const char *witness, const char *settle,
	const char *words)
{
	sqlite3_stmt *st = ask(k, "INSERT INTO d_watch_maker VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
	const char *const text[] = {answer, certainty, witness, words, settle};
	if (!st)
		return;
	sqlite3_bind_int64(st, 3, k->n++);
	for (size_t i = 0; i < GH_COUNT(text); i++)
		sqlite3_bind_text(st, 4 + (int)i, text[i], -1, SQLITE_TRANSIENT);
	k->w->failed |= sqlite3_step(st) != SQLITE_DONE;
	sqlite3_finalize(st);
}

/* The app itself cannot reach a server. */
static void no_network(struct maker *k)
{
	char words[LINE];
	int64_t state =
		number(k, "SELECT 1+n FROM d_watch_given WHERE scan_id=?1 AND kind='network' AND value='not asked'");
	if (!state)
		return;
	snprintf(words, sizeof words, "%s has no permission to use the network%s", k->app,
		state > 1 ? "; others of its user id may lend it theirs" : ": it cannot ask a server");
	line(k, "no", state > 1 ? "probable" : "certain", "bytes of the app", "that this app is enough for it: try it",
		words);
}

/* What the recordings themselves say of how they were had. */
static void own_recordings(struct maker *k)
{
	if (strcmp(k->act, "data") != 0)
		return;
	if (number(k, "SELECT count(*) FROM d_recordings d JOIN c_recordings c USING(blob_id, part) WHERE d.scan_id=?1 "
		      "AND "
		      "d.role='watch' AND c.format='gadgetbridge' AND c.samples>0"))
		line(k, "no", "certain", "a recording",
			"where the key for pairing came from: some watches give it only after the maker's server did",
			"this database is Gadgetbridge's: what is in it was read without the maker's app and server");
	if (number(k, "SELECT count(*) FROM d_recordings d JOIN c_recordings c USING(blob_id, part) WHERE d.scan_id=?1 "
		      "AND "
		      "d.role='watch' AND c.format IN ('btsnoop','pcapng','pcap') AND c.samples>0"))
		line(k, "no, for heart rate while it is measured", "certain", "a recording",
			"for what it stored: read it out in flight mode",
			"it gives heart rate by the standard Bluetooth service, which needs no server; what it stored "
			"is not "
			"shown by that");
}

/* Contacts that belong to the app: by the capture's own word, or because the app's bytes name them. */
#define OF_ACT " c.scan_id=?1 AND c.kind='contact' AND (c.act IS NULL OR c.act=?2) "
#define TIED                                                                                                           \
	" (c.source<>'' AND instr(' '||c.source||' ', ' '||(SELECT source FROM d_watch_given a WHERE a.scan_id=?1 "    \
	"AND "                                                                                                         \
	"a.kind='app')||' ')>0 OR EXISTS(SELECT 1 FROM d_watch_given s WHERE s.scan_id=?1 AND s.kind='server' AND "    \
	"(s.value=c.value OR c.value LIKE '%.'||s.value))) "

static void captured(struct maker *k)
{
	char names[LINE / 2], words[LINE];
	int64_t captures = number(k,
		"SELECT count(*) FROM d_watch_given WHERE scan_id=?1 AND kind='capture' AND (act IS NULL OR act=?2)");
	bool said = number(k, "SELECT count(*) FROM d_watch_given WHERE scan_id=?1 AND kind='capture' AND act=?2");
	if (!captures)
		return;
	const char *when = said ? "while this was done" : "in the capture (what was done in it was not said)";
	int64_t n =
		list(k, "SELECT DISTINCT c.value FROM d_watch_given c WHERE" OF_ACT "AND" TIED "ORDER BY c.no", names);
	if (n) {
		snprintf(words, sizeof words,
			"%s %s contacted, which %s names or spoke to itself: contact, which is not need", names, when,
			k->app[0] ? k->app : "the app");
		line(k, "yes", said ? "probable" : "suspected", "a capture and bytes of the app", flight, words);
		return;
	}
	n = list(k, "SELECT DISTINCT c.value FROM d_watch_given c WHERE" OF_ACT "ORDER BY c.no", names);
	if (n) {
		snprintf(words, sizeof words, "%s contacted %s; which of them the watch's app spoke to is not known",
			names, when);
		line(k, "yes", "suspected", "a capture",
			k->app[0] ? flight
				  : "give its app too (--app APP.apk), or capture with an app's name (PCAPdroid)",
			words);
	} else if (number(k, "SELECT sum(n) FROM d_watch_given WHERE scan_id=?1 AND kind='capture' AND (act IS NULL OR "
			     "act=?2)")) {
		snprintf(words, sizeof words, "nobody beyond the local network was contacted %s", when);
		line(k, "no", said ? "probable" : "suspected", "a capture",
			"that the phone had no other way (mobile data) while it was captured", words);
	}
}

/* What the app's manifest speaks of. */
static void gates(struct maker *k)
{
	char names[LINE / 2], words[LINE];
	if (list(k, "SELECT value FROM d_watch_given WHERE scan_id=?1 AND kind='first screen' AND act=?2 ORDER BY no",
		    names)) {
		snprintf(words, sizeof words, "the first screen of %s is one of an account, by its name: %s", k->app,
			names);
		line(k, "yes", "probable", "bytes of the app", flight, words);
	}
	if (list(k, "SELECT value FROM d_watch_given WHERE scan_id=?1 AND kind='authenticator' AND act=?2 ORDER BY no",
		    names)) {
		snprintf(words, sizeof words, "%s brings a kind of account of its own: %s", k->app, names);
		line(k, "yes", "suspected", "bytes of the app", flight, words);
	}
	if (list(k, "SELECT value FROM d_watch_given WHERE scan_id=?1 AND kind='screen' AND act=?2 ORDER BY no",
		    names)) {
		snprintf(words, sizeof words, "%s has screens for %s, by their names: %s", k->app,
			strcmp(k->act, "setup") == 0 ? "an account" : "letting a device go", names);
		line(k, "yes", "suspected", "bytes of the app", flight, words);
	}
	if (list(k, "SELECT value FROM d_watch_given WHERE scan_id=?1 AND kind='shares' AND act=?2 ORDER BY no",
		    names)) {
		snprintf(words, sizeof words, "%s may write to Health Connect, where other apps read it: %s", k->app,
			names);
		line(k, "no", "suspected", "bytes of the app",
			"whether it writes there without an account: try it in flight mode", words);
	}
}

static void nothing(struct maker *k)
{
	char names[LINE / 2], words[LINE];
	if (k->n)
		return;
	if (!k->app[0]) {
		line(k, "not assessed", NULL, NULL,
			"its companion app (--app APP.apk), and a capture of the phone meanwhile (--capture setup=, "
			"data= or "
			"reset=FILE)",
			"a recording does not show it");
		return;
	}
	int64_t n = list(
		k, "SELECT DISTINCT value FROM d_watch_given WHERE scan_id=?1 AND kind='server' ORDER BY no", names);
	snprintf(words, sizeof words, "%s may use the network%s%s, and nothing in its manifest speaks of this", k->app,
		n ? "; it names " : "", names);
	line(k, "not assessed", NULL, NULL, flight, words);
}

/* The surest first; of equals, what was seen goes before what is only built in. */
static void rank(struct maker *k)
{
	sqlite3_stmt *st = ask(k,
		"UPDATE d_watch_maker SET n=(SELECT r FROM (SELECT n AS was, row_number() OVER (ORDER BY CASE "
		"certainty WHEN "
		"'certain' THEN 0 WHEN 'probable' THEN 1 ELSE 2 END, n)-1 AS r FROM d_watch_maker WHERE scan_id=?1 AND "
		"act=?2) WHERE was=d_watch_maker.n) WHERE scan_id=?1 AND act=?2");
	k->w->failed |= !st || sqlite3_step(st) != SQLITE_DONE;
	sqlite3_finalize(st);
}

void gh_watch_maker(struct gh_watch *w)
{
	static const char *const acts[] = {"setup", "data", "reset"};
	for (size_t i = 0; i < GH_COUNT(acts); i++) {
		struct maker k = {.w = w, .act = acts[i]};
		sqlite3_stmt *st = ask(&k, "SELECT value FROM d_watch_given WHERE scan_id=?1 AND kind='app'");
		if (st && sqlite3_step(st) == SQLITE_ROW)
			snprintf(k.app, sizeof k.app, "%s", (const char *)sqlite3_column_text(st, 0));
		sqlite3_finalize(st);
		no_network(&k);
		own_recordings(&k);
		captured(&k);
		gates(&k);
		nothing(&k);
		rank(&k);
	}
}
