/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a facts database for the commands that read one. */
#include "cli/facts.h"

#include <stdio.h>

#include "cli/cli.h"
#include "derive/derive.h"
#include "rules/rules.h"

bool gh_facts_scan(const char *value, int64_t *ret_scan)
{
	uint64_t n;
	if (!gh_str_u64(gh_str(value), 10, &n) || !n || n > INT64_MAX) {
		gh_complain("--scan takes the number of a scan, from 1 on, not %s", value);
		return false;
	}
	*ret_scan = (int64_t)n;
	return true;
}

static int64_t number_of(struct gh_db *db, const char *question, int64_t scan)
{
	char sql[160];
	snprintf(sql, sizeof sql, question, (long long)scan);
	return gh_db_number(db, sql, 0);
}

/* What the end of a scan would have done. The root of a killed scan is the one blob of its own that stands for the INPUTs. */
static enum gh_code finish(struct gh_db *db, int64_t scan, struct gh_err *err)
{
	char sql[640], rules[65], knowledge[65];
	gh_db_files_sha256(gh_rule_files, gh_n_rule_files, rules);
	gh_db_files_sha256(gh_data_files, gh_n_data_files, knowledge);
	snprintf(sql, sizeof sql,
		"UPDATE scans SET root_blob=coalesce(root_blob,(SELECT max(blob_id) FROM blobs b WHERE "
		"b.format='inputs' AND "
		"b.scan_id=scans.scan_id)), state='interrupted', tool_version='" GH_VERSION "', rules_sha256='%s', "
		"knowledge_sha256='%s' WHERE scan_id=%lld",
		rules, knowledge, (long long)scan);
	enum gh_code code = gh_db_script(db, sql, err);
	if (code == GH_OK)
		code = gh_db_knowledge(db, err);
	if (code == GH_OK)
		code = gh_derive(db, scan, err);
	if (code == GH_OK)
		code = gh_db_bind(db, scan, err);
	return code == GH_OK ? gh_judge(db, scan, err) : code;
}

struct gh_db *gh_facts_open(const char *path, int64_t scan, int64_t *ret_scan, struct gh_err *err)
{
	struct gh_db *db = gh_db_load(path, false, err);
	if (!db)
		return NULL;
	if (!scan)
		scan = gh_db_last_scan(db);
	*ret_scan = scan;
	enum gh_code code = GH_OK;
	if (!number_of(db, "SELECT count(*) FROM scans WHERE scan_id=%lld", scan)) {
		code = gh_fail(err, GH_BAD, 0, "%s holds no scan %lld; it has %lld, numbered from 1", path,
			(long long)scan, (long long)gh_db_number(db, "SELECT count(*) FROM scans", 0));
	} else if (number_of(db, "SELECT state IN ('complete','interrupted') FROM scans WHERE scan_id=%lld", scan)) {
		code = gh_db_bind(db, scan, err);
	} else {
		gh_db_close(db);
		db = gh_db_load(path, true, err);
		code = db ? finish(db, scan, err) : err->code;
	}
	if (code == GH_OK)
		return db;
	gh_db_close(db);
	return NULL;
}
