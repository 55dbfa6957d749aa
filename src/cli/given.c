/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of indicators (STIX 2 bundles with the patterns MVT uses, or one name or address a line), further roots, facts of the phone. */
#include "cli/given.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/networks.h"
#include "facts/embed.h"

enum { LIST_MAX = 64 << 20 };

enum gh_code gh_given_read(const char *path, size_t max, struct gh_str *ret, struct gh_err *err)
{
	FILE *f = fopen(path, "r");
	if (!f)
		return gh_fail(err, GH_IO, 0, "%s: %s", path, strerror(errno));
	size_t cap = 64 << 10, n = 0;
	char *p = malloc(cap);
	for (size_t got = 1; p && got && n <= max; n += got) {
		if (n == cap) {
			char *more = realloc(p, cap *= 2);
			if (!more)
				free(p);
			p = more;
		}
		got = p ? fread(p + n, 1, cap - n, f) : 0;
	}
	bool bad = ferror(f);
	fclose(f);
	*ret = gh_strn(p, n);
	if (p && !bad && n <= max)
		return GH_OK;
	free(p);
	return gh_fail(err, GH_IO, 0, "%s: %s", path, !p ? "no memory" : bad ? strerror(EIO) : "too large");
}

/* ---- roots ---- */

/* One PEM body as a line of the table of roots; the digest there is not looked at. */
static size_t root_line(struct gh_str body, char *out)
{
	size_t n = 0;
	memcpy(out, "given\t", 6);
	n = 6;
	for (size_t i = 0; i < body.n; i++)
		if (!strchr(" \t\r\n", body.p[i]))
			out[n++] = body.p[i];
	memcpy(out + n, "\tgiven\n", 7);
	return n + 7;
}

bool gh_given_roots(struct gh_str pem, struct gh_str *ret)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
	struct gh_str shipped = ret->p            ? *ret
				: gh_n_root_files ? gh_strn(gh_root_files[0].text, gh_root_files[0].n)
						  : GH_STR("");
	char *all = malloc(shipped.n + pem.n * 2 + 64);
	size_t n = shipped.n, found = 0;
	if (!all) {
		free((char *)pem.p);
		return false;
	}
	memcpy(all, shipped.p, shipped.n);
	const char *p = pem.p, *stop = pem.p + pem.n, *to;
	while ((p = memmem(p, (size_t)(stop - p), begin, sizeof begin - 1))) {
		p += sizeof begin - 1;
		if (!(to = memmem(p, (size_t)(stop - p), end, sizeof end - 1)))
			break;
		n += root_line(gh_strn(p, (size_t)(to - p)), all + n);
		found++;
		p = to;
	}
	free((char *)pem.p);
	gh_given_free_roots(ret);
	*ret = gh_strn(all, n);
	if (!found)
		gh_complain("--trust takes certificates in PEM; there is none in this file");
	return found > 0;
}

void gh_given_free_roots(struct gh_str *roots)
{
	if (roots->p && !(gh_n_root_files && roots->p == gh_root_files[0].text))
		free((char *)roots->p);
	*roots = GH_NONE;
}

/* ---- indicators ---- */

static bool is_ip(const char *text)
{
	uint8_t b[16];
	return inet_pton(AF_INET, text, b) == 1 || inet_pton(AF_INET6, text, b) == 1;
}

static void add(sqlite3_stmt *st, int64_t scan, struct gh_str value, const char *label, const char *source)
{
	char text[256];
	size_t n = 0;
	for (size_t i = 0; i < value.n && n < sizeof text - 1; i++)
		text[n++] = value.p[i] >= 'A' && value.p[i] <= 'Z' ? (char)(value.p[i] + 32) : value.p[i];
	text[n] = 0;
	if (n == sizeof text - 1 || (!is_ip(text) && !strchr(text, '.')) || strpbrk(text, "/ %_*"))
		return;
	sqlite3_reset(st);
	sqlite3_bind_int64(st, 1, scan);
	sqlite3_bind_text(st, 2, is_ip(text) ? "ip" : "domain", -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, text, (int)n, SQLITE_TRANSIENT);
	sqlite3_bind_text(st, 4, label, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(st, 5, source, -1, SQLITE_TRANSIENT);
	sqlite3_step(st);
}

static void plain_list(sqlite3_stmt *st, int64_t scan, struct gh_str text, const char *source)
{
	struct gh_str line, word;
	while (gh_str_line(&text, &line)) {
		const char *comment = memchr(line.p, '#', line.n);
		if (comment)
			line.n = (size_t)(comment - line.p);
		line = gh_str_trim(line);
		if (gh_str_starts(line, "0.0.0.0 ") || gh_str_starts(line, "127.0.0.1 "))
			(void)!gh_str_word(&line, &word); /* a hosts file */
		if (gh_str_word(&line, &word))
			add(st, scan, word, NULL, source);
	}
}

/* [domain-name:value='x'], [ipv4-addr:value='x'], also several joined with OR. */
static void pattern(sqlite3_stmt *st, int64_t scan, struct gh_str p, const char *label, const char *source)
{
	static const char *const kinds[] = {"domain-name:value", "ipv4-addr:value", "ipv6-addr:value"};
	for (size_t k = 0; k < GH_COUNT(kinds); k++) {
		const char *at = p.p, *end = p.p + p.n, *from, *to;
		while ((at = memmem(at, (size_t)(end - at), kinds[k], strlen(kinds[k])))) {
			at += strlen(kinds[k]);
			if (!(from = memchr(at, '\'', (size_t)(end - at))) || from - at > 4 ||
				!(to = memchr(from + 1, '\'', (size_t)(end - from - 1))))
				break;
			add(st, scan, gh_strn(from + 1, (size_t)(to - from - 1)), label, source);
			at = to;
		}
	}
}

static enum gh_code stix(
	sqlite3 *sql, sqlite3_stmt *st, int64_t scan, struct gh_str text, const char *source, struct gh_err *err)
{
	sqlite3_stmt *each = NULL;
	if (sqlite3_prepare_v2(sql,
		    "SELECT json_extract(value,'$.pattern'), coalesce(json_extract(value,'$.name'), "
		    "json_extract(value,'$.labels[0]')) "
		    "FROM json_each(?1, '$.objects') WHERE json_extract(value,'$.type')='indicator'",
		    -1, &each, NULL))
		return gh_fail(err, GH_IO, 0, "indicators: %s", sqlite3_errmsg(sql));
	sqlite3_bind_text(each, 1, text.p, (int)text.n, SQLITE_STATIC);
	int rc;
	while ((rc = sqlite3_step(each)) == SQLITE_ROW) {
		const char *p = (const char *)sqlite3_column_text(each, 0);
		if (p)
			pattern(st, scan, gh_str(p), (const char *)sqlite3_column_text(each, 1), source);
	}
	sqlite3_finalize(each);
	return rc == SQLITE_DONE ? GH_OK : gh_fail(err, GH_BAD, 0, "%s is no STIX bundle that can be read", source);
}

static enum gh_code list(struct gh_db *db, int64_t scan, const char *path, struct gh_err *err)
{
	sqlite3 *sql = gh_db_handle(db);
	sqlite3_stmt *st = NULL;
	struct gh_str text = GH_NONE, head, source = gh_str_base(gh_str(path));
	enum gh_code code = gh_given_read(path, LIST_MAX, &text, err);
	if (code)
		return code;
	if (sqlite3_prepare_v2(sql, "INSERT INTO d_indicators VALUES(?,?,?,?,?)", -1, &st, NULL))
		code = gh_fail(err, GH_IO, 0, "indicators: %s", sqlite3_errmsg(sql));
	head = gh_str_trim(gh_strn(text.p, gh_min(text.n, 64)));
	if (code == GH_OK && head.n && *head.p == '{')
		code = stix(sql, st, scan, text, source.p, err);
	else if (code == GH_OK)
		plain_list(st, scan, text, source.p);
	sqlite3_finalize(st);
	free((char *)text.p);
	return code;
}

static enum gh_code run_for(struct gh_db *db, int64_t scan, const char *sql_text, const char *arg, struct gh_err *err)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *sql = gh_db_handle(db);
	if (sqlite3_prepare_v2(sql, sql_text, -1, &st, NULL))
		return gh_fail(err, GH_IO, 0, "%s", sqlite3_errmsg(sql));
	if (sqlite3_bind_parameter_count(st) > 0)
		sqlite3_bind_int64(st, 1, scan);
	if (sqlite3_bind_parameter_count(st) > 1)
		sqlite3_bind_text(st, 2, arg, -1, SQLITE_STATIC);
	int rc = sqlite3_step(st);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? GH_OK : gh_fail(err, GH_IO, 0, "%s", sqlite3_errmsg(sql));
}

/* Where the phone's software names a host: literals that a scan found (scan --literals), and intent filters of its apps. */
static const char phone_sql[] = "INSERT INTO d_given SELECT DISTINCT ?1, 'names', lower(CAST(x.name AS "
				"TEXT))||char(9)||CASE WHEN p.image='' THEN ltrim(p.path,'/') ELSE "
				"p.image||':'||p.path END FROM (SELECT blob_id, text AS name FROM phone.c_hits UNION "
				"SELECT a.manifest, i.host FROM phone.d_apks a JOIN "
				"phone.c_manifest_intents i ON i.blob_id=a.manifest WHERE i.host NOT NULL) x JOIN "
				"phone.places p ON p.blob_id=x.blob_id OR p.place_id IN "
				"(SELECT place_id FROM phone.d_apks a WHERE a.manifest=x.blob_id) WHERE p.live=1 AND "
				"p.scan_id=(SELECT max(scan_id) FROM phone.scans WHERE "
				"state='complete')";

enum gh_code gh_given_phone(struct gh_db *db, int64_t scan, const char *path, struct gh_err *err)
{
	sqlite3 *sql = gh_db_handle(db);
	char *attach = sqlite3_mprintf("ATTACH %Q AS phone", path);
	char head[16] = "";
	FILE *f = fopen(path, "r");
	enum gh_code code = f ? GH_OK : gh_fail(err, GH_IO, 0, "%s: %s", path, strerror(errno));
	if (f && (fread(head, 1, sizeof head, f) != sizeof head || memcmp(head, "SQLite format 3", 16) != 0))
		code = gh_fail(err, GH_BAD, 0, "%s is no facts database", path);
	if (f)
		fclose(f);
	if (code == GH_OK && (!attach || sqlite3_exec(sql, attach, NULL, NULL, NULL)))
		code = gh_fail(err, GH_IO, 0, "%s: %s", path, sqlite3_errmsg(sql));
	sqlite3_free(attach);
	if (code)
		return code;
	code = run_for(db, scan, phone_sql, NULL, err);
	sqlite3_exec(sql, "DETACH phone", NULL, NULL, NULL);
	return code;
}

enum gh_code gh_given_write(struct gh_db *db, int64_t scan, const struct gh_given_files *files, struct gh_err *err)
{
	static const char *const clear[] = {"DELETE FROM d_indicators WHERE scan_id=?1",
		"DELETE FROM d_given WHERE scan_id=?1", "DELETE FROM d_networks WHERE scan_id=?1"};
	enum gh_code code = GH_OK;
	for (size_t i = 0; i < GH_COUNT(clear) && code == GH_OK; i++)
		code = run_for(db, scan, clear[i], NULL, err);
	for (size_t i = 0; i < files->n_indicators && code == GH_OK; i++)
		code = list(db, scan, files->indicators[i], err);
	if (code == GH_OK && files->first_boot)
		code = run_for(db, scan, "INSERT INTO d_given VALUES(?1,'first_boot','1')", NULL, err);
	if (code == GH_OK && files->geo)
		code = gh_networks_write(db, scan, files->geo, err);
	if (code == GH_OK && files->phone)
		code = gh_given_phone(db, scan, files->phone, err);
	return code;
}
