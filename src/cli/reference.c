/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse reference make: what a build that somebody trusts is made of, as a plain SQLite file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/facts.h"
#include "cli/looking.h"
#include "cli/trusted.h"
#include "facts/import.h"

enum option { O_OUT };

static const struct gh_option options[] = {
	{"--output", "-o", "FILE", "the reference that is made (a SQLite file); it must not exist yet"},
};

static const char about[] =
	"IMAGE is a firmware package, an image or an unpacked phone that you have reasons to trust, or the FACTS.db of "
	"a scan of\n"
	"  one. gifthorse scan --reference FILE then tells what a phone has beyond it. It is kept nowhere else.\n";

struct make {
	const char *inputs[GH_INPUTS_MAX];
	size_t n;
	const char *out;
};

/* The facts of the scan at hand, under names that need no explanation; docs/reference.md describes them. */
static const char fill[] =
	"CREATE TABLE ref.about(key TEXT PRIMARY KEY, value TEXT);"
	"CREATE TABLE ref.entries(kind TEXT, name TEXT, value TEXT);"
	"INSERT INTO ref.about VALUES('gifthorse reference','1'),('made by','gifthorse " GH_VERSION "'),"
	"('not kept','JNI functions and permissive domains: no fact of a scan holds them yet');"
	"INSERT INTO ref.about SELECT 'input '||row_number() OVER (ORDER BY m.name), m.name||coalesce(' "
	"'||lower(hex(b.sha256)),'') FROM scans s "
	"JOIN c_members m ON m.blob_id=s.root_blob LEFT JOIN blobs b ON b.blob_id=m.child WHERE s.scan_id=(SELECT "
	"scan_id FROM scan);"
	"INSERT OR IGNORE INTO ref.about SELECT 'image '||ltrim(p.path,'/'), lower(hex(b.sha256)) FROM here p JOIN "
	"blobs b USING(blob_id) WHERE "
	"(p.image='' OR p.ftype='image') AND b.sha256 NOT NULL;"
	"INSERT INTO ref.about SELECT key, min(value) FROM device WHERE key IN "
	"('fingerprint','sdk','build_type','build_tags','brand','device',"
	"'incremental','security_patch','vbmeta_digest') GROUP BY key;"
	"INSERT INTO ref.about SELECT 'not examined', count(DISTINCT place) FROM d_not_examined WHERE hides NOT NULL "
	"AND scan_id=(SELECT scan_id FROM scan);"
	"INSERT INTO ref.entries SELECT DISTINCT 'file', dpath, sha256 FROM files WHERE ftype='file' AND image<>'' AND "
	"sha256<>'' AND dpath NOT NULL;"
	"INSERT INTO ref.entries SELECT DISTINCT 'link', dpath, link_target FROM files WHERE ftype='link' AND "
	"image<>'' AND dpath NOT NULL;"
	"INSERT INTO ref.entries SELECT DISTINCT 'setid', dpath, printf('%04o %d:%d caps %x', mode & 4095, uid, gid, "
	"coalesce(caps,0)) FROM files "
	"WHERE ftype='file' AND image<>'' AND attrs=1 AND ((mode & 3072)<>0 OR coalesce(caps,0)<>0);"
	"INSERT INTO ref.entries SELECT DISTINCT 'needed', coalesce(nullif(e.soname,''), f.name), n.soname FROM "
	"elf_needed n JOIN files f USING(file_id) "
	"JOIN elf e USING(file_id) WHERE f.image<>'';"
	"INSERT INTO ref.entries SELECT DISTINCT 'library', coalesce(nullif(e.soname,''), f.name), '' FROM elf e JOIN "
	"files f USING(file_id) WHERE f.image<>'';"
	"INSERT INTO ref.entries SELECT DISTINCT 'service', s.name, coalesce(s.exec_path,'')||coalesce(', user "
	"'||nullif(s.user,''),'')||"
	"coalesce(', label '||nullif(s.seclabel,''),'') FROM init_services s;"
	"INSERT INTO ref.entries SELECT DISTINCT 'package', a.package, coalesce(lower(g.cert_sha256), a.signer_state, "
	"'not known') FROM apks a "
	"LEFT JOIN apk_signers g ON g.apk_id=a.apk_id AND g.state IN ('verified','stripped') WHERE a.is_system=1 AND "
	"a.package NOT NULL;"
	"INSERT INTO ref.entries SELECT DISTINCT 'ca', sha256, coalesce(subject,'') FROM ca_certs;"
	"CREATE INDEX ref.entries_name ON entries(kind, name);";

static bool is_facts(const char *path)
{
	char head[16];
	FILE *f = fopen(path, "r");
	bool yes = f && fread(head, 1, sizeof head, f) == sizeof head && memcmp(head, "SQLite format 3", 16) == 0;
	if (f)
		fclose(f);
	return yes;
}

/* Without this a file that came out half would pass for a reference. */
static enum gh_code write_out(struct gh_db *db, const char *path, struct gh_err *err)
{
	sqlite3 *sql = gh_db_handle(db);
	char *attach = sqlite3_mprintf("ATTACH %Q AS ref", path);
	enum gh_code code = GH_OK;
	if (!attach || sqlite3_exec(sql, attach, NULL, NULL, NULL))
		code = gh_fail(err, GH_IO, 0, "%s: %s", path, sqlite3_errmsg(sql));
	else if (sqlite3_exec(sql, "BEGIN", NULL, NULL, NULL) || sqlite3_exec(sql, fill, NULL, NULL, NULL) ||
		 sqlite3_exec(sql, "COMMIT", NULL, NULL, NULL))
		code = gh_fail(err, GH_IO, 0, "%s: %s", path, sqlite3_errmsg(sql));
	sqlite3_free(attach);
	if (code == GH_OK && !gh_db_number(db, "SELECT count(*) FROM ref.entries", 0))
		code = gh_fail(err, GH_BAD, 0,
			"nothing of a phone in it: there is no file system, no package and no service to learn");
	return code;
}

static bool tell(struct gh_db *db, const char *path)
{
	sqlite3_stmt *st = NULL;
	int ok = sqlite3_prepare_v2(
		gh_db_handle(db), "SELECT kind, count(*) FROM ref.entries GROUP BY 1 ORDER BY 1", -1, &st, NULL);
	for (printf("%s:", path); ok == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW;)
		printf(" %s %lld", (const char *)sqlite3_column_text(st, 0), (long long)sqlite3_column_int64(st, 1));
	printf("\n");
	sqlite3_finalize(st);
	int64_t holes = gh_db_number(db, "SELECT CAST(value AS INTEGER) FROM ref.about WHERE key='not examined'", 0);
	if (holes)
		printf("%lld places of it were not examined: what lies in them will look as if it were new\n",
			(long long)holes);
	return gh_stdout_done();
}

/* A scan of a facts database, in memory: the file itself is opened for reading, and so would be what is attached to it. */
static struct gh_db *facts_copy(const char *path, int64_t *ret_scan, struct gh_err *err)
{
	int64_t scan;
	struct gh_db *from = gh_facts_open(path, 0, &scan, err);
	struct gh_db *db = from ? gh_db_open(NULL, err) : NULL;
	if (db && (gh_db_import(db, from, scan, ret_scan, err) || gh_db_bind(db, *ret_scan, err))) {
		gh_db_close(db);
		db = NULL;
	}
	gh_db_close(from);
	return db;
}

static int make(const struct make *m)
{
	struct gh_err err = {0};
	int64_t scan = 0;
	if (access(m->out, F_OK) == 0) {
		gh_complain("%s is there already; name another file, or remove it first", m->out);
		return GH_EXIT_USAGE;
	}
	struct gh_db *db = m->n == 1 && is_facts(m->inputs[0]) ? facts_copy(m->inputs[0], &scan, &err)
							       : gh_scan_quiet(m->inputs, m->n, NULL, &scan, &err);
	if (!db) {
		gh_complain("%s", err.what);
		return GH_EXIT_USAGE;
	}
	enum gh_code code = write_out(db, m->out, &err);
	bool told = code == GH_OK && tell(db, m->out);
	gh_db_close(db);
	if (code) {
		unlink(m->out);
		gh_complain("%s", err.what);
	}
	return told ? GH_EXIT_OK : GH_EXIT_USAGE;
}

int gh_cmd_reference(int argc, char **argv)
{
	static struct make m;
	struct gh_args args = {
		argc, argv, 1, options, GH_COUNT(options), "reference make IMAGE... -o FILE", false, about};
	const char *value;
	bool verb = false;
	for (int o; (o = gh_args_next(&args, &value)) != -2;) {
		if (o == -3)
			return GH_EXIT_OK;
		if (o == -4)
			return GH_EXIT_USAGE;
		if (o == O_OUT)
			m.out = value;
		else if (!verb && strcmp(value, "make") != 0)
			return gh_complain("reference takes make, not %s (gifthorse reference --help)", value),
			       GH_EXIT_USAGE;
		else if (!verb)
			verb = true;
		else if (m.n == GH_INPUTS_MAX || !gh_input_readable(value))
			return m.n == GH_INPUTS_MAX ? (gh_complain("more than %d inputs", GH_INPUTS_MAX), GH_EXIT_USAGE)
						    : GH_EXIT_USAGE;
		else
			m.inputs[m.n++] = value;
	}
	if (!m.n || !m.out) {
		gh_complain("reference make takes an image and -o FILE (gifthorse reference --help)");
		return GH_EXIT_USAGE;
	}
	return make(&m);
}
