/* SPDX-License-Identifier: Apache-2.0 */
/* Silence is computed. A rule may say "not found" only where every plug-in it needs looked at all it would look at, and where
 * nothing that could hold such a thing stayed closed. */
#include "rules/needs.h"

#include <stdio.h>

#include "base/num.h"

/* temp.n_run: each plug-in that had something to do in this scan. temp.n_hole: what stayed closed, and to which plug-in. */
static const char prepare_sql[] =
	"DROP TABLE IF EXISTS temp.n_blobs; CREATE TEMP TABLE n_blobs(blob_id INTEGER PRIMARY KEY);"
	"INSERT INTO n_blobs WITH RECURSIVE r(b) AS (SELECT root_blob FROM scans WHERE scan_id=%1$lld UNION SELECT "
	"m.child FROM r JOIN c_members m ON "
	"m.blob_id=r.b WHERE m.child NOT NULL UNION SELECT e.child FROM r JOIN c_entries e ON e.blob_id=r.b WHERE "
	"e.child NOT NULL) SELECT b FROM r;"
	"DROP TABLE IF EXISTS temp.n_run; CREATE TEMP TABLE n_run AS SELECT DISTINCT r.plugin FROM blob_runs r JOIN "
	"n_blobs USING(blob_id);"
	"DROP TABLE IF EXISTS temp.n_off; CREATE TEMP TABLE n_off AS SELECT ' '||off||' ' AS names FROM scans WHERE "
	"scan_id=%1$lld;"
	"DROP TABLE IF EXISTS temp.n_hole; CREATE TEMP TABLE n_hole AS SELECT DISTINCT CASE WHEN place='' THEN 'the "
	"input' ELSE ltrim(place,'/') END AS place, what, why, hides FROM d_not_examined WHERE scan_id=%1$lld AND "
	"hides NOT NULL;";

enum gh_code gh_needs_prepare(struct gh_db *db, int64_t scan, struct gh_err *err)
{
	char sql[2048];
	snprintf(sql, sizeof sql, prepare_sql, (long long)scan);
	return gh_db_script(db, sql, err);
}

/* One row of text columns joined into a sentence; GH_NONE when the query has none. */
static struct gh_str ask(struct gh_db *db, struct gh_arena *arena, const char *sql, struct gh_str arg)
{
	sqlite3_stmt *st = NULL;
	struct gh_str ret = GH_NONE;
	if (sqlite3_prepare_v2(gh_db_handle(db), sql, -1, &st, NULL) == SQLITE_OK) {
		if (arg.p)
			sqlite3_bind_text(st, 1, arg.p, (int)arg.n, SQLITE_STATIC);
		if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL)
			ret = gh_str_dup(
				arena, gh_strn(sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0)));
	}
	sqlite3_finalize(st);
	return ret;
}

/* Plug-ins whose absence of anything to look at means that the rule had nothing to go by. Of others (a hosts file, adb keys)
 * absence is what one hopes for. */
static const struct {
	const char *plugin;
	const char *what;
} subjects[] = {
	{"elf", "no native program"},
	{"axml", "no app"},
	{"dex", "no code of apps"},
	{"code", "no code of apps"},
	{"oat", "no precompiled code"},
	{"apk", "no app"},
	{"properties", "no property file"},
	{"initrc", "no init script"},
	{"avb", "no vbmeta structure"},
	{"firmware", "no firmware of a chip"},
	{"payloadsig", "no payload of an update"},
	{"verity", "no partition with a hash or a hash tree"},
	{"bootimg", "no boot image"},
	{"cert", "no certificate"},
	{"fstab", "no file system table"},
	{"permissions", "no permission list"},
	{"recording", "no recording of heart rate"},
	{"capture", "no packet capture"},
	{"live", "nothing that a running phone says"},
};

/* The first thing that stayed closed, and how many more. */
static struct gh_str hole(struct gh_db *db, struct gh_arena *arena, struct gh_str hides)
{
	return ask(db, arena,
		"SELECT place||' ('||what||'): '||why||CASE n WHEN 1 THEN '' ELSE ', and '||(n-1)||' more' END FROM "
		"temp.n_hole, (SELECT count(DISTINCT place) AS n FROM temp.n_hole WHERE hides=?1) WHERE hides=?1 ORDER "
		"BY place, what, why LIMIT 1",
		hides);
}

static struct gh_str plugin_missing(struct gh_db *db, struct gh_arena *arena, struct gh_str plugin)
{
	struct gh_str s = ask(
		db, arena, "SELECT ?1||' was switched off' FROM temp.n_off WHERE instr(names,' '||?1||' ')>0", plugin);
	if (!s.p)
		s = hole(db, arena, plugin);
	if (s.p)
		return s;
	for (size_t i = 0; i < GH_COUNT(subjects); i++)
		if (gh_str_is(plugin, subjects[i].plugin))
			return ask(db, arena, "SELECT 'x' FROM temp.n_run WHERE plugin=?1", plugin).p
				       ? GH_NONE
				       : gh_str_fmt(arena, "%s in this input", subjects[i].what);
	/* Where there is no system at all, that it lacks something says nothing. */
	return ask(db, arena,
		"SELECT 'no file system in this input' WHERE NOT EXISTS(SELECT 1 FROM files WHERE ftype='file' AND "
		"image<>'')",
		GH_NONE);
}

/* What several plug-ins do between them. */
static const struct {
	const char *need;
	const char *parts[5];
} together[] = {
	{"plugin apk", {"zip", "axml", "apk", "cert"}},
	{"plugin dex", {"zip", "dex", "vdex", "oat", "odex"}},
	{"plugin code", {"zip", "dex", "vdex", "odex", "code"}},
};

/* Where a signature does not hold, or was not verified, nobody can say whose key it is: the claim is told as the reason. */
static const struct {
	const char *need;
	const char *sql;
} verified[] = {
	{"verified signers",
		"SELECT 'the signer of '||a.package||' could not be verified: '||coalesce((SELECT min(c.why) FROM "
		"apk_checks c "
		"WHERE c.file_id=a.file_id AND c.scheme='android' AND c.state=a.signer_state), a.signer_state)||CASE n "
		"WHEN 1 "
		"THEN '' ELSE ', and that of '||(n-1)||' more' END FROM apks a, (SELECT count(*) AS n FROM apks WHERE "
		"is_system=1 AND signer_state IN ('failed','unsupported')) WHERE a.is_system=1 AND a.signer_state IN "
		"('failed','unsupported') ORDER BY a.package<>'android', a.package, a.apk_id LIMIT 1"},
	{"verified lists", "SELECT partition||' names key '||pubkey_sha1||', and its signature could not be verified: "
			   "'||coalesce(why, state) FROM "
			   "avb_images WHERE partition NOT LIKE 'apex%' AND state IN ('failed','unsupported') ORDER BY "
			   "partition, image_id LIMIT 1"},
	{"verified modules", "SELECT 'the signatures of '||name||' could not be verified: container "
			     "'||coalesce(container,'not known')||', inner "
			     "list '||coalesce(vbmeta,'not known') FROM apex WHERE container IN "
			     "('failed','unsupported') OR vbmeta IN "
			     "('failed','unsupported') ORDER BY name, file_id LIMIT 1"},
};

/* What a running phone has to have told. Each word of a line is a section of live_sections; '|' between those that do alike. */
static const struct {
	const char *what;
	const char *sections[3];
} told[] = {
	{"properties", {"|getprop|"}},
	{"packages", {"|pm list packages|dumpsys package|packages.json|"}},
	{"sockets", {"|netstat|/proc/net|"}},
	{"settings", {"|settings list|dumpsys settings|"}},
	{"powers", {"|dumpsys accessibility|", "|dumpsys device_policy|", "|dumpsys notification|"}},
};

/* live WHAT, or live path P: something under it was listed. */
static struct gh_str told_missing(struct gh_db *db, struct gh_arena *arena, struct gh_str what)
{
	if (gh_str_starts(what, "path "))
		return ask(db, arena,
			"SELECT 'the phone does not let '||?1||' be listed without root' WHERE NOT EXISTS(SELECT 1 "
			"FROM live_files "
			"WHERE path>=?1 AND path<?1||'0' AND path<>?1) AND NOT EXISTS(SELECT 1 FROM files WHERE "
			"dpath>?1||'/' AND dpath<?1||'0')",
			gh_strn(what.p + 5, what.n - 5));
	for (size_t i = 0; i < GH_COUNT(told); i++)
		for (size_t k = 0;
			gh_str_is(what, told[i].what) && k < GH_COUNT(told[i].sections) && told[i].sections[k]; k++) {
			struct gh_str s = ask(db, arena,
				"SELECT trim(replace(?1,'|',' or '),' or')||CASE WHEN EXISTS(SELECT 1 FROM "
				"live_sections WHERE "
				"instr(?1,'|'||name||'|')>0 AND state='denied') THEN ': the phone refused to tell' "
				"ELSE ': not in this "
				"input' END WHERE NOT EXISTS(SELECT 1 FROM live_sections WHERE "
				"instr(?1,'|'||name||'|')>0 AND state='read')",
				gh_str(told[i].sections[k]));
			if (s.p)
				return s;
		}
	return GH_NONE;
}

static struct gh_str need_missing(struct gh_db *db, struct gh_arena *arena, struct gh_str need)
{
	for (size_t k = 0; k < GH_COUNT(verified); k++)
		if (gh_str_is(need, verified[k].need))
			return ask(db, arena, verified[k].sql, GH_NONE);
	for (size_t k = 0; k < GH_COUNT(together); k++) {
		if (!gh_str_is(need, together[k].need))
			continue;
		for (size_t i = 0; i < GH_COUNT(together[k].parts) && together[k].parts[i]; i++) {
			struct gh_str s = plugin_missing(db, arena, gh_str(together[k].parts[i]));
			if (s.p)
				return s;
		}
		return GH_NONE;
	}
	if (gh_str_starts(need, "plugin "))
		return plugin_missing(db, arena, gh_strn(need.p + 7, need.n - 7));
	if (gh_str_starts(need, "recording "))
		return ask(db, arena,
			"SELECT coalesce((SELECT why_not FROM watch_checks WHERE what=?1 AND role='watch' AND why_not "
			"NOT NULL "
			"LIMIT 1), CASE WHEN NOT EXISTS(SELECT 1 FROM watch_checks WHERE what=?1 AND role='watch') "
			"THEN 'no heart "
			"rate in it' END)",
			gh_strn(need.p + 10, need.n - 10));
	if (gh_str_is(need, "attributes"))
		return ask(db, arena,
			"SELECT CASE WHEN count(*)=0 THEN 'no file system in this input' WHEN min(attrs)=0 THEN "
			"'modes and owners are not known: this is an unpacked folder, not an image' WHEN max(attrs)>1 "
			"THEN "
			"'modes and owners are only the phone''s own word' END FROM files "
			"WHERE ftype='file' AND image<>''",
			GH_NONE);
	if (gh_str_is(need, "user-build"))
		return ask(db, arena,
			"SELECT CASE WHEN build_type IS NULL THEN 'the build type (ro.build.type) is not known' END "
			"FROM scan",
			GH_NONE);
	if (gh_str_is(need, "resolvers"))
		return ask(db, arena,
			"SELECT 'the network''s own resolvers are not known: no DHCP answer in the capture' WHERE NOT "
			"EXISTS(SELECT 1 FROM "
			"resolvers)",
			GH_NONE);
	if (gh_str_is(need, "indicators"))
		return ask(db, arena,
			"SELECT 'no list of indicators was given (--indicators)' WHERE NOT EXISTS(SELECT 1 FROM "
			"indicators)",
			GH_NONE);
	if (gh_str_starts(need, "live "))
		return told_missing(db, arena, gh_strn(need.p + 5, need.n - 5));
	if (gh_str_is(need, "same-build"))
		return ask(db, arena,
			"SELECT CASE WHEN NOT EXISTS(SELECT 1 FROM files WHERE attrs>=2) THEN 'no files that a running "
			"phone gave' "
			"WHEN NOT EXISTS(SELECT 1 FROM files WHERE attrs=1 AND image='system') THEN 'no image of its "
			"build beside them' "
			"WHEN NOT EXISTS(SELECT 1 FROM live_same_build) THEN 'the image is of another build than the "
			"phone says: cannot judge' END",
			GH_NONE);
	if (gh_str_is(need, "reference"))
		return ask(db, arena,
			"SELECT 'no reference was given (scan --reference)' WHERE NOT EXISTS(SELECT 1 FROM reference)",
			GH_NONE);
	if (gh_str_is(need, "vbmeta digest"))
		return ask(db, arena,
			"SELECT CASE WHEN NOT EXISTS(SELECT 1 FROM device WHERE key='vbmeta_digest') THEN 'the digest "
			"over all signed "
			"lists cannot be computed: a list is not there, or verification is switched off' WHEN NOT "
			"EXISTS(SELECT 1 FROM "
			"live_properties WHERE key='ro.boot.vbmeta.digest' AND value<>'') THEN 'no report of the "
			"running phone (getprop.txt or "
			"bugreport) is among the inputs' END",
			GH_NONE);
	if (gh_str_is(need, "reference of this build"))
		return ask(db, arena,
			"SELECT CASE WHEN NOT EXISTS(SELECT 1 FROM reference) THEN 'no reference was given (scan "
			"--reference)' ELSE 'no "
			"reference that was given is of this build ('||coalesce((SELECT fingerprint FROM scan),'not "
			"known')||')' END "
			"WHERE NOT EXISTS(SELECT 1 FROM reference r JOIN scan s ON r.kind='about' AND "
			"r.name='fingerprint' AND "
			"r.value=s.fingerprint)",
			GH_NONE);
	if (gh_str_is(need, "reference of this release"))
		return ask(db, arena,
			"SELECT CASE WHEN NOT EXISTS(SELECT 1 FROM reference) THEN 'no reference was given (scan "
			"--reference)' ELSE 'no "
			"reference that was given is of this release of Android' END WHERE NOT EXISTS(SELECT 1 FROM "
			"reference r JOIN "
			"scan s ON r.kind='about' AND r.name='sdk' AND CAST(r.value AS INTEGER)=s.sdk)",
			GH_NONE);
	if (gh_str_starts(need, "knowledge ")) {
		char sql[160];
		snprintf(sql, sizeof sql,
			"SELECT CASE WHEN NOT EXISTS(SELECT 1 FROM \"%.*s\") THEN 'the list %.*s is empty' END",
			(int)need.n - 10, need.p + 10, (int)need.n - 10, need.p + 10);
		return ask(db, arena, sql, GH_NONE);
	}
	return gh_str_fmt(arena, "a need that this version does not know: %.*s", (int)need.n, need.p);
}

bool gh_needs_scope(struct gh_db *db, struct gh_arena *arena, const struct gh_rule *rule)
{
	static const char others[] = "SELECT 'x' WHERE NOT (EXISTS(SELECT 1 FROM recordings) OR EXISTS(SELECT 1 FROM "
				     "temp.n_run WHERE plugin='capture')) OR "
				     "EXISTS(SELECT 1 FROM temp.n_run WHERE plugin NOT IN "
				     "('capture','recording','gzip','zip','zstd','xz','tar','listing'))";
	/* A Bluetooth log that is a recording is no capture of what rules of traffic are about. */
	static const char traffic[] =
		"SELECT 'x' FROM temp.n_run WHERE plugin='capture' AND NOT (EXISTS(SELECT 1 FROM "
		"recordings WHERE format IN ('btsnoop','pcapng','pcap')) AND NOT EXISTS(SELECT 1 "
		"FROM captures WHERE (link NOT LIKE 'bluetooth%' AND link<>'linktype-254') OR link LIKE '% %'))";
	const char *sql = gh_str_starts(rule->id, "GH-L")   ? "SELECT 'x' FROM temp.n_run WHERE plugin='live'"
			  : gh_str_starts(rule->id, "GH-T") ? traffic
			  : gh_str_starts(rule->id, "GH-W") ? "SELECT 'x' WHERE EXISTS(SELECT 1 FROM recordings)"
							    : others;
	return ask(db, arena, sql, GH_NONE).p != NULL;
}

struct gh_str gh_needs_missing(struct gh_db *db, struct gh_arena *arena, const struct gh_rule *rule)
{
	struct gh_str rest = rule->needs;
	while (rest.n) {
		const char *comma = memchr(rest.p, ',', rest.n);
		size_t n = comma ? (size_t)(comma - rest.p) : rest.n;
		struct gh_str s = need_missing(db, arena, gh_str_trim(gh_strn(rest.p, n)));
		if (s.p)
			return s;
		rest = comma ? gh_strn(comma + 1, rest.n - n - 1) : GH_NONE;
	}
	return hole(db, arena, GH_STR("*"));
}
