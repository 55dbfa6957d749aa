/* SPDX-License-Identifier: Apache-2.0 */
/* DERIVE: the functions that its SQL uses, and running its steps. */
#include "derive/derive.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "derive/functions.h"
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

/* gh_firmware_partition(name): does a chip maker's own code check the partition of this name? By the names that Qualcomm, MediaTek,
 * Unisoc, Samsung and Google give; what it holds was not looked into. */
static void sql_firmware_partition(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	static const char *const names[] = {"abl", "xbl", "xbl_config", "xbl_ramdump", "tz", "hyp", "keymaster",
		"cmnlib", "cmnlib64", "devcfg", "aop", "aop_config", "rpm", "sbl1", "aboot", "uefisecapp", "uefi",
		"qupfw", "imagefv", "multiimgoem", "multiimgqti", "cpucp", "shrm", "featenabler", "tz_hyp", "secdata",
		"storsec", "modem", "modemst1", "mdtp", "bluetooth", "dsp", "adsp", "cdsp", "slpi", "spunvm", "lk",
		"preloader", "tee", "trustzone", "scp", "sspm", "spmfw", "mcupm", "gz", "dpm", "pi_img", "md1img",
		"md1dsp", "md1arm7", "md3img", "cam_vpu1", "cam_vpu2", "cam_vpu3", "vcp", "ccu", "gpueb", "audio_dsp",
		"connsys_bt", "connsys_wifi", "apusys", "mvpu_algo", "sml", "trustos", "uboot", "spl", "teecfg",
		"l_modem", "l_gdsp", "l_ldsp", "l_deltanv", "pm_sys", "wcnmodem", "gnssmodem", "radio", "bootloader",
		"bl1", "bl2", "bl31", "pbl", "tzsw", "gsa", "ldfw", "epbl", "el3_mon", "keystorage", "up_param",
		"cp_debug", "sboot", "non-hlos", "non_hlos", "btfm", "dspso", "splash_odm"};
	(void)n;
	struct gh_str s = stem(arg(v[0]));
	if (slotted(s))
		s.n -= 2;
	bool yes = false;
	for (size_t i = 0; i < GH_COUNT(names); i++)
		yes |= s.n == strlen(names[i]) && !strncasecmp(s.p, names[i], s.n);
	sqlite3_result_int(ctx, yes);
}

/* gh_digest_all(bytes, algorithm): the aggregate over all rows in the order in which they come; sha256 or sha512. */
static void digest_all_step(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	EVP_MD_CTX **md = sqlite3_aggregate_context(ctx, sizeof *md);
	if (md && !*md) {
		*md = EVP_MD_CTX_new();
		const EVP_MD *kind = gh_str_is(arg(v[1]), "sha512") ? EVP_sha512() : EVP_sha256();
		if (*md && EVP_DigestInit_ex(*md, kind, NULL) != 1) {
			EVP_MD_CTX_free(*md);
			*md = NULL;
		}
	}
	struct gh_str s = arg(v[0]);
	if (!md || !*md || EVP_DigestUpdate(*md, s.p, s.n) != 1)
		sqlite3_result_error_nomem(ctx);
}

static void digest_all_final(sqlite3_context *ctx)
{
	EVP_MD_CTX **md = sqlite3_aggregate_context(ctx, 0);
	uint8_t sum[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned len = 0;
	if (md && *md && EVP_DigestFinal_ex(*md, sum, &len) == 1) {
		for (unsigned i = 0; i < len; i++)
			snprintf(hex + 2 * i, 3, "%02x", sum[i]);
		sqlite3_result_text(ctx, hex, (int)len * 2, SQLITE_TRANSIENT);
	}
	if (md)
		EVP_MD_CTX_free(*md);
}

/* gh_is_format(name): is it a plug-in that opens containers? */
static void sql_is_format(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	int bit = gh_plugin_find(arg(v[0]));
	sqlite3_result_int(ctx, bit >= 0 && (size_t)bit < gh_n_formats);
}

/* gh_base64(hexadecimal): the same bytes in base64. */
static void sql_base64(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct gh_str s = arg(v[0]);
	char out[128];
	size_t len = 0;
	(void)n;
	if (sqlite3_value_type(v[0]) == SQLITE_NULL || s.n % 2 || s.n > 128)
		return;
	for (size_t i = 0; i < s.n; i += 6) {
		uint64_t bits = 0;
		size_t bytes = gh_min(3, (s.n - i) / 2);
		if (!gh_str_u64(gh_strn(s.p + i, 2 * bytes), 16, &bits))
			return;
		bits <<= 8 * (3 - bytes);
		for (size_t k = 0; k < 4; k++)
			out[len++] = k > bytes ? '=' : digits[bits >> (18 - 6 * k) & 63];
	}
	give(ctx, gh_strn(out, len));
}

static bool functions(sqlite3 *sql)
{
	static const struct {
		const char *name;
		void (*f)(sqlite3_context *, int, sqlite3_value **);
	} list[] = {{"gh_base", sql_base}, {"gh_stem", sql_stem}, {"gh_slot", sql_slot}, {"gh_top", sql_top},
		{"gh_code_partition", sql_code_partition}, {"gh_is_format", sql_is_format}, {"gh_base64", sql_base64},
		{"gh_firmware_partition", sql_firmware_partition}};
	for (size_t i = 0; i < GH_COUNT(list); i++)
		if (sqlite3_create_function(
			    sql, list[i].name, 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, list[i].f, NULL, NULL))
			return false;
	return gh_derive_traffic(sql) && gh_derive_signed(sql) &&
	       !sqlite3_create_function(
		       sql, "gh_digest_all", 2, SQLITE_UTF8, NULL, NULL, digest_all_step, digest_all_final);
}

enum gh_code gh_derive_functions(struct gh_db *db, struct gh_err *err)
{
	return functions(gh_db_handle(db)) ? GH_OK : gh_fail(err, GH_NOMEM, 0, "no memory for the functions of DERIVE");
}

enum gh_code gh_derive(struct gh_db *db, int64_t scan, struct gh_err *err)
{
	char sql[256];
	if (gh_derive_functions(db, err))
		return err->code;
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
