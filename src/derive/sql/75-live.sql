-- SPDX-License-Identifier: Apache-2.0
-- What a running phone says of its packages, put together; and the APKs of the scan that lie where it says, or have the digest that it says. Reads places, d_apks,
-- c_live_packages, c_live_package_files, c_live_items, c_live_sections; makes d_live_packages, d_live_apks; adds to d_not_examined.
DROP TABLE IF EXISTS temp.lp;
CREATE TEMP TABLE lp AS SELECT p.place_id, c.* FROM places p JOIN c_live_packages c USING(blob_id) WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND c.package NOT NULL;
-- system: by its flag where one is told, else by where it lies: an update of a system app lies in /data and keeps the flag.
INSERT OR IGNORE INTO d_live_packages SELECT (SELECT scan_id FROM cur), CAST(package AS TEXT), min(place_id), (SELECT at FROM lp x WHERE x.package=l.package ORDER BY place_id, n LIMIT 1),
	(SELECT line FROM lp x WHERE x.package=l.package ORDER BY place_id, n LIMIT 1),
	coalesce(max(CASE WHEN list<>'replaced' THEN CAST(path AS TEXT) END), max(CAST(path AS TEXT))), max(uid), max(CAST(installer AS TEXT)), max(CAST(initiator AS TEXT)),
	CASE WHEN max(system)=1 OR max(list IN ('system','replaced'))=1 OR max(CASE WHEN path LIKE '/%' AND path NOT LIKE '/data/%' AND path NOT LIKE '/mnt/%' THEN 1 END)=1 THEN 1
		WHEN max(system)=0 OR max(list='third-party')=1 OR max(path LIKE '/data/%')=1 THEN 0 END,
	coalesce(max(disabled=1), 0) OR max(list='disabled'), coalesce(max(hidden=1), 0), max(list IN ('known','with-uninstalled')) AND NOT max(list IN ('all','package','androidqf','disabled'))
		AND EXISTS(SELECT 1 FROM lp WHERE list='all'),
	(SELECT group_concat(list, ' ') FROM (SELECT DISTINCT x.list FROM lp x WHERE x.package=l.package ORDER BY 1))
	FROM lp l GROUP BY CAST(package AS TEXT);
DROP TABLE IF EXISTS temp.apk_at;
CREATE TEMP TABLE apk_at AS SELECT a.place_id, p.dpath, a.package, lower(hex(b.sha256)) AS sha256 FROM d_apks a JOIN places p USING(place_id) JOIN blobs b USING(blob_id)
	WHERE a.scan_id=(SELECT scan_id FROM cur) AND p.live=1;
CREATE INDEX temp.apk_at_path ON apk_at(dpath);
CREATE INDEX temp.apk_at_sha ON apk_at(sha256);
INSERT INTO d_live_apks SELECT d.scan_id, d.package, a.place_id, 'path', NULL FROM d_live_packages d JOIN apk_at a ON a.dpath=d.path OR (a.dpath>d.path||'/' AND a.dpath<d.path||'0')
	WHERE d.scan_id=(SELECT scan_id FROM cur);
INSERT INTO d_live_apks SELECT DISTINCT (SELECT scan_id FROM cur), CAST(c.package AS TEXT), a.place_id, 'digest', CAST(c.path AS TEXT) FROM places p JOIN c_live_package_files c USING(blob_id)
	JOIN apk_at a ON a.sha256=lower(c.sha256) WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1;
DROP TABLE temp.lp;
DROP TABLE temp.apk_at;

-- What the phone was asked for and did not give. CROSS JOIN: answers are few and places many, and the planner cannot know.
INSERT INTO d_not_examined SELECT DISTINCT p.scan_id, CAST(c.name AS TEXT), 'answer', CASE c.state WHEN 'denied' THEN 'the phone refused: ' WHEN 'cut' THEN 'the answer was cut off: '
	ELSE c.state||': ' END||coalesce(CAST(c.asked AS TEXT), ''), c.bytes, c.state<>'denied', 0, NULL
	FROM c_live_items c CROSS JOIN places p USING(blob_id) WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND c.state NOT IN ('answered');
INSERT INTO d_not_examined SELECT DISTINCT p.scan_id, p.name||CASE c.how WHEN 'section' THEN ' line '||c.line ELSE '' END, 'answer', c.name||CASE c.state WHEN 'denied' THEN ': the phone refused'
	WHEN 'cut' THEN ': it breaks off' ELSE ': nothing in it was understood' END, NULL, c.state='cut', 0, NULL
	FROM c_live_sections c CROSS JOIN places p USING(blob_id) WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND c.state IN ('denied','cut','unknown')
	AND NOT EXISTS(SELECT 1 FROM c_live_items i CROSS JOIN places q USING(blob_id) WHERE q.scan_id=p.scan_id AND q.live=1 AND i.state<>'answered' AND i.name||'.txt'=p.name);
