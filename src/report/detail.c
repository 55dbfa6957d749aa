/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence in place. Lines, certificates and manifests are told from the facts about the same content; bytes from the excerpts that
 * were kept when it was looked at, since a report is made from the database alone and the input may be gone. */
#include <string.h>

#include "base/num.h"
#include "report/model.h"

/* Each gives one column a line. ?1 blob, ?2 offset or line (NULL: none), ?3 place. */
static const char *const questions[GH_N_DETAILS] = {
	[GH_D_LINES] =
		"SELECT DISTINCT line||'  '||t FROM ("
		"SELECT line, key||'='||value AS t FROM c_properties WHERE blob_id=?1 AND line BETWEEN ?2-3 AND ?2+3 "
		"UNION ALL SELECT line, 'service '||name||' '||coalesce(exec_path,'')||' '||coalesce(args,'')||"
		"coalesce('  user '||nullif(user,''),'')||coalesce('  label '||nullif(seclabel,''),'') FROM "
		"c_init_services "
		"WHERE blob_id=?1 AND line BETWEEN ?2-3 AND ?2+3 "
		"UNION ALL SELECT line, 'on '||coalesce(trigger,'')||':  '||cmd||' '||coalesce(args,'') FROM "
		"c_init_actions "
		"WHERE blob_id=?1 AND line BETWEEN ?2-3 AND ?2+3 "
		"UNION ALL SELECT line, cmd||' '||coalesce(args,'') FROM c_script_cmds WHERE blob_id=?1 AND line "
		"BETWEEN ?2-3 "
		"AND ?2+3 UNION ALL SELECT line, dev||' '||mount_point||' '||fs_type||' '||coalesce(mnt_flags,'')||' "
		"'||"
		"coalesce(mgr_flags,'') FROM c_fstab WHERE blob_id=?1 AND line BETWEEN ?2-3 AND ?2+3 "
		"UNION ALL SELECT line, ip||' '||host FROM c_hosts_entries WHERE blob_id=?1 AND line BETWEEN ?2-3 AND "
		"?2+3) "
		"WHERE ?2 IS NOT NULL ORDER BY line, t LIMIT 24",
	[GH_D_BYTES] = "SELECT at||' '||mark||' '||mark_len||' '||bytes FROM c_excerpts WHERE blob_id=?1 AND of=?2 "
		       "ORDER BY n LIMIT 1",
	[GH_D_CERT] =
		"SELECT t FROM (SELECT c.n, 1 AS k, 'Subject: '||c.subject AS t FROM one c UNION ALL SELECT c.n, 2, "
		"'Issuer: '||c.issuer||CASE c.self_signed WHEN 1 THEN ' (itself)' ELSE '' END FROM one c UNION ALL "
		"SELECT c.n, "
		"3, 'Serial: '||c.serial FROM one c UNION ALL SELECT c.n, 4, 'Valid: '||c.not_before||' to "
		"'||c.not_after FROM "
		"one c UNION ALL SELECT c.n, 5, 'Key: '||c.key_type||' '||coalesce(c.key_bits||' bits','')||', signed "
		"with "
		"'||c.sigalg FROM one c UNION ALL SELECT c.n, 6, 'SHA-256: '||c.sha256 FROM one c) WHERE t IS NOT NULL "
		"ORDER BY "
		"n, k LIMIT 24",
	[GH_D_APP] =
		"SELECT t FROM (SELECT 1 AS k, 'package '||package||coalesce(', version "
		"'||version_name,'')||coalesce(', user "
		"id '||nullif(shared_uid,''),'')||CASE debuggable WHEN 1 THEN ', debuggable' ELSE '' END AS t FROM "
		"d_apks WHERE "
		"place_id=?3 UNION ALL SELECT 2, how||' '||name||coalesce(' ('||nullif(protection,'')||')','') FROM "
		"d_apk_permissions WHERE place_id=?3 UNION ALL SELECT 3, CASE exported WHEN 1 THEN 'open ' ELSE '' "
		"END||kind||' "
		"'||name||coalesce(', needs '||nullif(permission,''),'') FROM d_apks a JOIN c_manifest_components c ON "
		"c.blob_id=a.manifest WHERE a.place_id=?3 AND c.exported=1) ORDER BY k, t LIMIT 24",
};

static sqlite3_stmt *prepare(struct gh_model *m, enum gh_detail_kind kind)
{
	/* Of a content with several certificates, the one that the finding points at; else its first. */
	static const char one[] =
		"WITH one AS (SELECT * FROM c_certs WHERE blob_id=?1 AND n=(SELECT min(n) FROM c_certs WHERE "
		"blob_id=?1 AND (?2 IS NULL OR at=?2))) ";
	sqlite3_stmt *st = NULL;
	struct gh_str sql = gh_str_fmt(&m->arena, "%s%s", kind == GH_D_CERT ? one : "", questions[kind]);
	return sqlite3_prepare_v2(gh_db_handle(m->db), sql.p, (int)sql.n, &st, NULL) ? NULL : st;
}

/* "offset mark length hex" apart. */
static bool bytes_of(struct gh_detail *d)
{
	struct gh_str word[4] = {{0}}, rest = d->line[0];
	uint64_t n[3];
	for (size_t i = 0; i < GH_COUNT(word); i++)
		if (!gh_str_word(&rest, &word[i]) || (i < 3 && !gh_str_u64(word[i], 10, &n[i])))
			return false;
	for (size_t i = 0; i < word[3].n; i++)
		if (!memchr("0123456789abcdef", word[3].p[i], 16))
			return false;
	if (word[3].n % 2 || n[0] > INT64_MAX / 2 || n[1] > INT64_MAX / 2 || n[2] > 64)
		return false;
	d->from = (int64_t)n[0];
	d->mark = (int64_t)n[1];
	d->mark_len = (int64_t)n[2];
	d->line[0] = word[3];
	return true;
}

bool gh_detail(struct gh_model *m, const struct gh_finding *f, enum gh_detail_kind kind, struct gh_arena *arena,
	struct gh_detail *ret)
{
	*ret = (struct gh_detail){0};
	if (f->blob == GH_NULL || f->place_id == GH_NULL)
		return false;
	sqlite3_stmt *st = prepare(m, kind);
	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, f->blob);
	if (f->at != GH_NULL)
		sqlite3_bind_int64(st, 2, f->at);
	if (sqlite3_bind_parameter_count(st) >= 3)
		sqlite3_bind_int64(st, 3, f->place_id);
	while (ret->n < GH_COUNT(ret->line) && sqlite3_step(st) == SQLITE_ROW) {
		const void *p = sqlite3_column_blob(st, 0);
		struct gh_str s = gh_str_dup(arena, gh_strn(p ? p : "", (size_t)sqlite3_column_bytes(st, 0)));
		ret->line[ret->n++] = kind == GH_D_BYTES ? s : gh_redact_more(m, s);
	}
	sqlite3_finalize(st);
	if (kind == GH_D_BYTES && (m->redacted || !ret->n || !bytes_of(ret)))
		return false;
	/* A line by itself says what the evidence says already. */
	return ret->n > (kind == GH_D_LINES ? 1 : 0);
}
