-- SPDX-License-Identifier: Apache-2.0
-- Code of apps: where it lies, and whether what is precompiled came from the APK or jar beside it. Reads places, c_members, c_dex, c_oat_dex,
-- d_apks; makes d_oat_dex, and d_apks.code: dex (in the APK), vdex, odex, none (its manifest says so), missing.
-- own: what a precompiled file belongs to, without ending: /system/app/X/X for /system/app/X/oat/arm64/X.odex.
DROP TABLE IF EXISTS temp.pre;
CREATE TEMP TABLE pre AS SELECT place_id, blob_id, ext, substr(own, 1, length(own)-length(ext)) AS own,
		EXISTS(SELECT 1 FROM c_members m JOIN c_dex c ON c.blob_id=m.child WHERE m.blob_id=x.blob_id) AS has_dex
	FROM (SELECT p.place_id, p.blob_id, CASE WHEN p.name LIKE '%.vdex' THEN '.vdex' WHEN p.name LIKE '%.odex' THEN '.odex' ELSE '.oat' END AS ext,
		replace(replace(replace(replace(replace(coalesce(p.dpath, p.path), '/oat/', '/'), '/arm64/', '/'), '/arm/', '/'), '/x86_64/', '/'), '/x86/', '/') AS own
		FROM places p WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND p.ftype='file' AND p.blob_id NOT NULL
			AND (p.name LIKE '%.vdex' OR p.name LIKE '%.odex' OR p.name LIKE '%.oat')) x;
CREATE INDEX temp.pre_own ON pre(own);
CREATE INDEX temp.pre_blob ON pre(blob_id);
-- A vdex file names no places: the oat file that belongs to it does.
DROP TABLE IF EXISTS temp.made_from;
CREATE TEMP TABLE made_from AS SELECT p.place_id, p.own, x.n, x.at, x.kind, x.i, x.checksum, coalesce(CAST(x.location AS TEXT), (SELECT CAST(o.location AS TEXT) FROM pre q
		JOIN c_oat_dex o ON o.blob_id=q.blob_id AND o.kind='oat' AND o.i=x.i WHERE q.own=p.own AND q.ext<>'.vdex' ORDER BY q.place_id LIMIT 1)) AS location
	FROM pre p JOIN c_oat_dex x USING(blob_id);
DROP TABLE IF EXISTS temp.jars;
CREATE TEMP TABLE jars AS SELECT m.*, coalesce((SELECT p.place_id FROM places p WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND p.ftype='file' AND p.dpath=m.jar ORDER BY p.place_id LIMIT 1),
		(SELECT p.place_id FROM places p WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND p.ftype='file' AND coalesce(p.dpath, p.path) IN (m.own||'.apk', m.own||'.jar')
			ORDER BY p.place_id LIMIT 1)) AS jar_place
	FROM (SELECT f.*, CASE WHEN sep THEN substr(location, 1, sep-1) ELSE location END AS jar,
			CASE WHEN sep THEN substr(location, sep+1) WHEN location NOT NULL OR i=0 THEN 'classes.dex' ELSE 'classes'||(i+1)||'.dex' END AS member
		FROM (SELECT *, CASE WHEN instr(location,'!')>0 THEN instr(location,'!') ELSE instr(location,':') END AS sep FROM made_from) f) m;
-- Code that was precompiled from an archive carries its CRC-32; from a dex file by itself, that file's own Adler-32.
INSERT INTO d_oat_dex SELECT (SELECT scan_id FROM cur), j.place_id, j.n, j.at, j.kind, j.location, j.checksum, j.jar_place, j.member, c.crc32, j.checksum IN (c.crc32, c.adler32)
	FROM jars j LEFT JOIN places p ON p.place_id=j.jar_place
	LEFT JOIN (SELECT blob_id, name, min(child) AS child FROM c_members GROUP BY 1, 2 HAVING count(*)=1) m ON m.blob_id=p.blob_id AND m.name=j.member
	LEFT JOIN (SELECT blob_id, min(crc32) AS crc32, coalesce(min(checksum_computed), min(crc32)) AS adler32 FROM c_dex GROUP BY 1) c ON c.blob_id=m.child;
UPDATE d_apks SET code=coalesce((SELECT CASE max(CASE q.ext WHEN '.vdex' THEN 2 ELSE 1 END) WHEN 2 THEN 'vdex' ELSE 'odex' END FROM places p JOIN pre q
		ON q.own=substr(coalesce(p.dpath, p.path), 1, length(coalesce(p.dpath, p.path))-4) WHERE p.place_id=d_apks.place_id AND q.has_dex HAVING count(*)>0),
		CASE has_code WHEN 0 THEN 'none' ELSE 'missing' END)
	WHERE scan_id=(SELECT scan_id FROM cur) AND code<>'dex';
DROP TABLE temp.jars;
DROP TABLE temp.made_from;
DROP TABLE temp.pre;
