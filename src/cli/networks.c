/* SPDX-License-Identifier: Apache-2.0 */
/* MaxMind DB files through libmaxminddb: the user's own file, read in the coordinator. */
#include "cli/networks.h"

#include <maxminddb.h>
#include <stdio.h>

static bool entry_text(MMDB_lookup_result_s *r, char *out, size_t cap, const char *const *path)
{
	MMDB_entry_data_s d;
	if (MMDB_aget_value(&r->entry, &d, path) != MMDB_SUCCESS || !d.has_data)
		return false;
	if (d.type == MMDB_DATA_TYPE_UTF8_STRING)
		snprintf(out, cap, "%.*s", (int)d.data_size, d.utf8_string);
	else if (d.type == MMDB_DATA_TYPE_UINT32)
		snprintf(out, cap, "AS%u", d.uint32);
	else
		return false;
	return true;
}

static void look_up(MMDB_s *mmdb, const char *address, sqlite3_stmt *add, int64_t scan)
{
	int gai, code;
	char country[64] = "", owner[160] = "", number[32] = "";
	MMDB_lookup_result_s r = MMDB_lookup_string(mmdb, address, &gai, &code);
	if (gai || code != MMDB_SUCCESS || !r.found_entry)
		return;
	bool any = entry_text(&r, country, sizeof country, (const char *const[]){"country", "iso_code", NULL}) ||
		   entry_text(&r, country, sizeof country, (const char *const[]){"country_code", NULL});
	if (entry_text(&r, number, sizeof number, (const char *const[]){"autonomous_system_number", NULL})) {
		char name[120] = "";
		(void)!entry_text(&r, name, sizeof name, (const char *const[]){"autonomous_system_organization", NULL});
		snprintf(owner, sizeof owner, "%s %s", number, name);
		any = true;
	}
	if (!any)
		return;
	sqlite3_reset(add);
	sqlite3_bind_int64(add, 1, scan);
	sqlite3_bind_text(add, 2, address, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(add, 3, *country ? country : NULL, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(add, 4, *owner ? owner : NULL, -1, SQLITE_TRANSIENT);
	sqlite3_step(add);
}

enum gh_code gh_networks_write(struct gh_db *db, int64_t scan, const char *path, struct gh_err *err)
{
	MMDB_s mmdb;
	sqlite3 *sql = gh_db_handle(db);
	sqlite3_stmt *each = NULL, *add = NULL;
	int rc = MMDB_open(path, MMDB_MODE_MMAP, &mmdb);
	if (rc != MMDB_SUCCESS)
		return gh_fail(err, GH_IO, 0, "%s: %s", path, MMDB_strerror(rc));
	enum gh_code code = GH_OK;
	if (sqlite3_prepare_v2(sql, "SELECT DISTINCT dst FROM c_flows", -1, &each, NULL) ||
		sqlite3_prepare_v2(sql, "INSERT OR IGNORE INTO d_networks VALUES(?,?,?,?)", -1, &add, NULL))
		code = gh_fail(err, GH_IO, 0, "networks: %s", sqlite3_errmsg(sql));
	while (code == GH_OK && sqlite3_step(each) == SQLITE_ROW)
		look_up(&mmdb, (const char *)sqlite3_column_text(each, 0), add, scan);
	sqlite3_finalize(each);
	sqlite3_finalize(add);
	MMDB_close(&mmdb);
	return code;
}
