/* SPDX-License-Identifier: Apache-2.0 */
/* dumpsys appops, batterystats, dbinfo, platform_compat (AOSP frameworks/base, the dump() of each service). */
#include "inspectors/live/live.h"

#include "base/num.h"

/* ---- appops: "  Uid u0a103:", "    Package com.x:", "      OP (mode):" or "      OP: mode=allow", "          Access: [fg-s] time (-ago)" ---- */

static void appop_use(struct live *l, struct gh_str word)
{
	bool access = gh_str_starts(word, "Access: ");
	struct gh_str rest = live_skip(word, 8), time;
	if (!l->s.b.p || (!access && !gh_str_starts(word, "Reject: ")))
		return;
	struct gh_str state = live_after(rest, "[", "]");
	const char *end = live_find(rest, "]");
	if (!end)
		return;
	time = gh_text_trim(live_skip(rest, (size_t)(end - rest.p) + 1));
	const char *ago = live_find(time, " (");
	if (ago)
		time.n = (size_t)(ago - time.p);
	LIVE_EMIT(l, live_appop_uses, .uid = l->s.uid, .package = l->s.a, .op = l->s.b,
		.kind = access ? GH_STR("Access") : GH_STR("Reject"), .state = live_some(state), .time = time,
		.line = l->t.line);
}

static void appop(struct live *l, struct gh_str word)
{
	struct gh_str rest = word, op = live_cut(&rest, ':'), mode = live_after(op, " (", ")");
	if (!mode.p)
		mode = live_after(rest, "mode=", " ;");
	op = live_cut(&op, ' ');
	if (!mode.p || !op.n)
		return;
	for (size_t i = 0; i < op.n; i++)
		if (!((op.p[i] >= 'A' && op.p[i] <= 'Z') || op.p[i] == '_' || (op.p[i] >= '0' && op.p[i] <= '9')))
			return;
	l->s.b = op;
	LIVE_EMIT(l, live_appops, .uid = l->s.uid, .package = l->s.a, .op = op, .mode = mode, .line = l->t.line);
}

static void appops_line(struct live *l, struct gh_str line)
{
	struct gh_str word = gh_text_trim(line);
	size_t indent = live_indent(line);
	l->known = l->known || gh_str_starts(line, "Current AppOps Service state:");
	if (indent == 2) {
		struct gh_str uid = live_after(word, "Uid ", ":");
		l->s.open = gh_str_starts(word, "Uid ") && uid.n;
		l->s.uid = l->s.open ? live_uid(uid) : GH_NULL;
		l->s.a = l->s.b = GH_NONE;
	} else if (!l->s.open)
		return;
	else if (indent == 4 && gh_str_starts(word, "Package ")) {
		l->s.a = live_after(word, "Package ", ":");
		l->s.b = GH_NONE;
	} else if (indent >= 4 && indent <= 6)
		appop(l, word);
	else
		appop_use(l, word);
}

const struct live_parser live_appops = {.name = "dumpsys appops",
	.files = "appops",
	.marks = "Current AppOps Service state:|  Uid ",
	.service = "appops",
	.line = appops_line};

/* ---- batterystats: the history of jobs and tops, and the packages that were updated ---- */

static void update(struct live *l, struct gh_str word)
{
	struct gh_str rest = live_skip(word, 7), package;
	if (!gh_text_word(&rest, &package))
		return;
	LIVE_EMIT(l, live_battery, .kind = GH_STR("update"), .time = l->s.a, .until = l->s.b, .package = package,
		.version = live_int(live_after(rest, "vers=", " ")), .line = l->t.line);
}

/* "+2d23h (2) 079", "07-15 20:27:39.431 (2) 100": what stands before the parenthesis. */
static struct gh_str history_time(struct gh_str word)
{
	const char *end = live_find(word, " (");
	return gh_text_trim(end ? gh_strn(word.p, (size_t)(end - word.p)) : gh_strn(word.p, 0));
}

static struct gh_str unquoted(struct gh_str s)
{
	s = gh_text_trim(s);
	while (s.n && *s.p == '"')
		s = live_skip(s, 1);
	const char *quote = s.n ? memchr(s.p, '"', s.n) : NULL;
	return quote ? gh_strn(s.p, (size_t)(quote - s.p)) : s;
}

static void history(struct live *l, struct gh_str line)
{
	static const struct {
		const char *mark, *kind;
		bool service;
	} events[] = {{"+job=", "start_job", true}, {"-job=", "end_job", true}, {"+running +wake_lock=", "wake", true},
		{"+top=", "start_top", false}, {"-top=", "end_top", false}};
	for (size_t i = 0; i < GH_COUNT(events); i++) {
		struct gh_str payload = live_after(line, events[i].mark, "");
		if (!payload.p)
			continue;
		struct gh_str uid = live_cut(&payload, ':'), what = unquoted(payload), rest = what;
		/* Of wake locks only alarms name a package: "*walarm*:com.x/.Alarm". */
		if (i == 2) {
			what = live_after(what, "*walarm*:", " ");
			rest = what;
		}
		struct gh_str package = live_cut(&rest, '/');
		if (!package.n || (i == 2 && !memchr(what.p, '/', what.n)))
			continue;
		LIVE_EMIT(l, live_battery, .kind = gh_str(events[i].kind), .time = history_time(gh_text_trim(line)),
			.uid = uid, .package = package, .service = events[i].service ? what : GH_NONE,
			.version = GH_NULL, .line = l->t.line);
		return;
	}
}

static void batterystats_line(struct live *l, struct gh_str line)
{
	struct gh_str word = gh_text_trim(line), daily = live_after(line, "  Daily from ", ":");
	if (gh_str_starts(line, "Battery History"))
		l->known = l->s.open = true;
	else if (l->s.open && !word.n)
		l->s.open = false;
	else if (l->s.open)
		history(l, line);
	if (gh_str_starts(line, "Daily stats:"))
		l->known = true;
	if (gh_str_starts(line, "  Daily from ") && daily.p) {
		const char *to = live_find(daily, " to ");
		l->s.a = to ? gh_strn(daily.p, (size_t)(to - daily.p)) : daily;
		l->s.b = to ? live_skip(daily, l->s.a.n + 4) : GH_NONE;
	} else if (gh_str_starts(word, "Update ") && l->s.a.p)
		update(l, word);
}

const struct live_parser live_batterystats = {.name = "dumpsys batterystats",
	.files = "batterystats|battery|battery_*",
	.marks = "Battery History|Daily stats:",
	.service = "batterystats",
	.line = batterystats_line};

/* ---- dbinfo: "Connection pool for /data/…:", "0: [time] [Pid:(1)]action took 2ms - succeeded, sql="…", path=…" ---- */

static void dbinfo_line(struct live *l, struct gh_str line)
{
	struct gh_str word = gh_text_trim(line), pool = live_after(word, "Connection pool for ", "");
	l->known = l->known || gh_str_starts(line, "Applications Database Info");
	if (gh_str_starts(word, "Connection pool for ")) {
		l->s.a = pool.n && pool.p[pool.n - 1] == ':' ? gh_strn(pool.p, pool.n - 1) : pool;
		return;
	}
	struct gh_str number = word;
	number = live_cut(&number, ':');
	struct gh_str time = live_after(word, ": [", "]"), sql = live_after(word, "sql=\"", "");
	const char *took = live_find(word, " took ");
	if (live_int(number) < 0 || !time.p || !sql.p || !took)
		return;
	struct gh_str head = gh_strn(time.p + time.n + 1,
			      (size_t)(took - time.p) > time.n ? (size_t)(took - time.p) - time.n - 1 : 0),
		      path = l->s.a;
	const char *pid = live_find(head, ")]");
	if (pid)
		head = live_skip(head, (size_t)(pid - head.p) + 2);
	const char *end = NULL;
	for (const char *p = live_find(sql, "\", path="); p;
		p = live_find(live_skip(sql, (size_t)(p - sql.p) + 1), "\", path="))
		end = p;
	if (end) {
		path = gh_strn(end + 8, (size_t)(sql.p + sql.n - end) - 8);
		sql.n = (size_t)(end - sql.p);
	} else if (sql.n && sql.p[sql.n - 1] == '"')
		sql.n--;
	LIVE_EMIT(l, live_databases, .path = path, .time = time, .action = gh_text_trim(head), .sql = sql,
		.line = l->t.line);
}

const struct live_parser live_dbinfo = {.name = "dumpsys dbinfo",
	.files = "dbinfo",
	.marks = "Applications Database Info|Connection pool for ",
	.service = "dbinfo",
	.line = dbinfo_line};

/* ---- platform_compat: "ChangeId(1; name=X; disabled; rawOverrides={com.x=false, com.y=true}; …)" ---- */

static void compat_line(struct live *l, struct gh_str line)
{
	struct gh_str list = live_after(line, "rawOverrides={", "}"), name = live_after(line, "name=", ";)");
	l->known = l->known || gh_str_starts(line, "ChangeId(");
	if (!gh_str_starts(line, "ChangeId("))
		return;
	while (list.n) {
		struct gh_str value = gh_text_trim(live_cut(&list, ',')), package = live_cut(&value, '=');
		if (package.n)
			LIVE_EMIT(l, live_compat, .change = name, .package = package, .enabled = live_bool(value),
				.line = l->t.line);
	}
}

const struct live_parser live_compat = {.name = "dumpsys platform_compat",
	.files = "platform_compat",
	.marks = "ChangeId(",
	.service = "platform_compat",
	.line = compat_line};
