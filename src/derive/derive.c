/* SPDX-License-Identifier: Apache-2.0 */
/* DERIVE: the functions that its SQL uses, and running its steps. */
#include "derive/derive.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "derive/watch.h"

static struct gh_str arg(sqlite3_value *v)
{
	const void *p = sqlite3_value_blob(v);
	return gh_strn(p ? p : "", (size_t)sqlite3_value_bytes(v));
}

static void give(sqlite3_context *ctx, struct gh_str s)
{
	sqlite3_result_text(ctx, s.p, (int)s.n, SQLITE_TRANSIENT);
}

/* gh_base(path): the part behind the last slash. */
static void sql_base(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	give(ctx, gh_str_base(arg(v[0])));
}

/* Without the endings that images and packages of images carry. */
static struct gh_str stem(struct gh_str s)
{
	static const char *const endings[] = {".img", ".bin", ".raw", ".simg", ".ext4", ".erofs", ".f2fs", ".squashfs",
		".gz", ".lz4", ".xz", ".lzma", ".zst", ".bz2", ".br", ".cpio", ".apex", ".capex", ".zip", ".tar",
		".mbn", ".elf", ".new", ".dat", ".unsparse", ".sparse"};
	s = gh_str_base(s);
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < GH_COUNT(endings); i++)
			if (gh_str_ends(s, endings[i]) && s.n > strlen(endings[i])) {
				s.n -= strlen(endings[i]);
				more = true;
			}
	}
	return s;
}

static bool slotted(struct gh_str s)
{
	return s.n > 2 && s.p[s.n - 2] == '_' && (s.p[s.n - 1] == 'a' || s.p[s.n - 1] == 'b');
}

/* gh_stem(name): the partition's name without endings and slot. */
static void sql_stem(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	struct gh_str s = stem(arg(v[0]));
	if (slotted(s))
		s.n -= 2;
	give(ctx, s);
}

/* gh_slot(name): 'a', 'b' or NULL. */
static void sql_slot(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	struct gh_str s = stem(arg(v[0]));
	if (slotted(s))
		give(ctx, gh_strn(s.p + s.n - 1, 1));
}

/* gh_top(path): the first component of an absolute path that has more than one; else NULL. */
static void sql_top(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	struct gh_str s = arg(v[0]);
	if (!s.n || *s.p != '/')
		return;
	const char *slash = memchr(s.p + 1, '/', s.n - 1);
	if (slash)
		give(ctx, gh_strn(s.p + 1, (size_t)(slash - s.p - 1)));
}

/* gh_code_partition(name): does Android run code from the partition of this name? */
static void sql_code_partition(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	static const char *const names[] = {"system", "vendor", "product", "system_ext", "odm", "oem", "cust",
		"vendor_dlkm", "odm_dlkm", "system_dlkm", "boot", "init_boot", "vendor_boot", "vendor_kernel_boot",
		"recovery", "super"};
	(void)n;
	struct gh_str s = gh_str_base(arg(v[0]));
	const char *dot = s.n ? memchr(s.p, '.', s.n) : NULL;
	if (dot)
		s.n = (size_t)(dot - s.p);
	if (slotted(s))
		s.n -= 2;
	bool yes = gh_str_starts(s, "my_");
	for (size_t i = 0; i < GH_COUNT(names); i++)
		yes |= gh_str_is(s, names[i]);
	sqlite3_result_int(ctx, yes);
}

/* gh_is_format(name): is it a plug-in that opens containers? */
static void sql_is_format(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	int bit = gh_plugin_find(arg(v[0]));
	sqlite3_result_int(ctx, bit >= 0 && (size_t)bit < gh_n_formats);
}

static bool functions(sqlite3 *sql)
{
	static const struct {
		const char *name;
		void (*f)(sqlite3_context *, int, sqlite3_value **);
	} list[] = {{"gh_base", sql_base}, {"gh_stem", sql_stem}, {"gh_slot", sql_slot}, {"gh_top", sql_top},
		{"gh_code_partition", sql_code_partition}, {"gh_is_format", sql_is_format}};
	for (size_t i = 0; i < GH_COUNT(list); i++)
		if (sqlite3_create_function(
			    sql, list[i].name, 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, list[i].f, NULL, NULL))
			return false;
	return true;
}

enum gh_code gh_derive(struct gh_db *db, int64_t scan, struct gh_err *err)
{
	char sql[256];
	if (!functions(gh_db_handle(db)))
		return gh_fail(err, GH_NOMEM, 0, "no memory for the functions of DERIVE");
	snprintf(sql, sizeof sql,
		"CREATE TEMP TABLE IF NOT EXISTS cur(scan_id INTEGER, root INTEGER); DELETE FROM cur;"
		"INSERT INTO cur SELECT scan_id, root_blob FROM scans WHERE scan_id=%lld; BEGIN",
		(long long)scan);
	enum gh_code code = gh_db_script(db, sql, err);
	for (size_t i = 0; i < gh_n_derive_files && code == GH_OK; i++) {
		code = gh_db_script(db, gh_derive_files[i].text, err);
		if (code) {
			char what[sizeof err->what];
			memcpy(what, err->what, sizeof what);
			snprintf(err->what, sizeof err->what, "%.24s: %.90s", gh_derive_files[i].name, what);
		}
	}
	if (code == GH_OK)
		code = gh_derive_watch(db, scan, err);
	if (code) {
		sqlite3_exec(gh_db_handle(db), "ROLLBACK", NULL, NULL, NULL);
		return code;
	}
	return gh_db_script(db, "COMMIT", err);
}
