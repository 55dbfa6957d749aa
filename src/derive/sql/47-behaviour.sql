-- SPDX-License-Identifier: Apache-2.0
-- What the code of each app is able to do, bound to the app: which content its code is in, and which flows begin at a component that its manifest
-- declares and does not switch off. Reads d_apks, places, c_code, c_code_flows, c_manifest_components; makes d_code, d_code_flows.
INSERT INTO d_code SELECT a.scan_id, a.place_id, p.blob_id FROM d_apks a JOIN places p USING(place_id)
	WHERE a.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND EXISTS(SELECT 1 FROM c_code c WHERE c.blob_id=p.blob_id);
-- Where the APK holds no code: the vdex, odex or oat file beside it.
DROP TABLE IF EXISTS temp.beside;
CREATE TEMP TABLE beside AS SELECT p.blob_id, replace(replace(replace(replace(replace(replace(replace(coalesce(p.dpath, p.path), '/oat/', '/'), '/arm64/', '/'),
		'/arm/', '/'), '/x86_64/', '/'), '/x86/', '/'), '.vdex', ''), '.odex', '') AS own, p.name LIKE '%.vdex' AS first
	FROM places p WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND p.ftype='file' AND (p.name LIKE '%.vdex' OR p.name LIKE '%.odex')
		AND EXISTS(SELECT 1 FROM c_code c WHERE c.blob_id=p.blob_id);
CREATE INDEX temp.beside_own ON beside(own);
INSERT INTO d_code SELECT a.scan_id, a.place_id, (SELECT b.blob_id FROM temp.beside b WHERE b.own=substr(coalesce(p.dpath, p.path), 1, length(coalesce(p.dpath, p.path))-4)
		ORDER BY b.first DESC, b.blob_id LIMIT 1) AS blob FROM d_apks a JOIN places p USING(place_id)
	WHERE a.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND a.place_id NOT IN (SELECT place_id FROM d_code WHERE scan_id=a.scan_id) AND blob NOT NULL;
DROP TABLE temp.beside;
-- Components by the class that does their work.
DROP TABLE IF EXISTS temp.doors;
CREATE TEMP TABLE doors AS SELECT a.place_id, c.n, c.kind, 'L'||replace(c.name, '.', '/')||';' AS class, c.exported,
		CASE WHEN coalesce(c.exported, 0)=0 THEN 'own' WHEN c.permission IS NULL OR c.permission='' THEN 'none' ELSE coalesce((SELECT min(d.protection) FROM
			d_apk_permissions d WHERE d.scan_id=a.scan_id AND d.how='defines' AND d.name=c.permission), 'unknown') END AS guard
	FROM d_apks a JOIN c_manifest_components c ON c.blob_id=a.manifest WHERE a.scan_id=(SELECT scan_id FROM cur) AND coalesce(c.enabled, 1)=1;
CREATE INDEX temp.doors_class ON doors(place_id, class);
-- One row a flow: its door is the least guarded one. Without an entry: told as it is. An application object and a helper class need no declaration.
INSERT INTO d_code_flows SELECT d.scan_id, d.place_id, f.blob_id, f.n, (SELECT x.n FROM temp.doors x WHERE x.place_id=d.place_id AND instr(','||f.entries||',', ','||x.class||',')
			ORDER BY x.guard<>'none', x.guard='own', x.n LIMIT 1) AS door, f.entries, NULL, NULL, f.src, f.mids, f.sink, f.level, f.length, f.path
	FROM d_code d JOIN c_code_flows f USING(blob_id) WHERE d.scan_id=(SELECT scan_id FROM cur)
		AND (f.entries IS NULL OR door NOT NULL OR EXISTS(SELECT 1 FROM c_code_entries e WHERE e.blob_id=f.blob_id AND e.role IN ('application','binder')
			AND instr(','||f.entries||',', ','||e.class||',')))
		-- A component that is not declared never runs, whoever names it.
		AND NOT EXISTS(SELECT 1 FROM c_code_entries e WHERE e.blob_id=f.blob_id AND e.class=f.last AND e.role IN ('activity','service','provider') AND e.extended=0
			AND NOT EXISTS(SELECT 1 FROM temp.doors x WHERE x.place_id=d.place_id AND x.class=f.last)
			AND NOT EXISTS(SELECT 1 FROM c_code_entries o WHERE o.blob_id=f.blob_id AND instr(','||f.entries||',', ','||o.class||',') AND o.role='binder')
			AND f.level=3 AND f.entries NOT LIKE '%'||f.last||'%');
UPDATE d_code_flows SET kind=(SELECT x.kind FROM temp.doors x WHERE x.place_id=d_code_flows.place_id AND x.n=component),
		entry=coalesce((SELECT x.class FROM temp.doors x WHERE x.place_id=d_code_flows.place_id AND x.n=component), entry),
		guard=(SELECT CASE WHEN x.guard='none' AND EXISTS(SELECT 1 FROM c_code_entries e WHERE e.blob_id=d_code_flows.blob_id AND e.class=x.class AND e.selfcheck=1)
			THEN 'selfcheck' ELSE x.guard END FROM temp.doors x WHERE x.place_id=d_code_flows.place_id AND x.n=component)
	WHERE scan_id=(SELECT scan_id FROM cur) AND component NOT NULL;
DROP TABLE temp.doors;
-- A classes.dex without its container was listed and not followed: what calls it lies elsewhere.
INSERT INTO d_not_examined SELECT p.scan_id, CASE WHEN p.image='' THEN p.path ELSE p.image||':'||p.path END, 'code', 'a dex file of an app, without the app: what it does was not followed', p.size, 0, 0, 'code'
	FROM places p WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND p.name GLOB 'classes*.dex' AND EXISTS(SELECT 1 FROM c_dex c WHERE c.blob_id=p.blob_id)
		AND NOT EXISTS(SELECT 1 FROM c_code c WHERE c.blob_id=p.blob_id);
-- Values that were not followed to their end: flows of level 3 may be missing, those of level 2 are not.
INSERT INTO d_not_examined SELECT d.scan_id, (SELECT CASE WHEN p.image='' THEN p.path ELSE p.image||':'||p.path END FROM places p WHERE p.place_id=d.place_id), 'values',
	c.sources_cut||' sources of values were not followed to their end', NULL, 0, 0, NULL FROM d_code d JOIN c_code c USING(blob_id) WHERE d.scan_id=(SELECT scan_id FROM cur) AND c.sources_cut>0;
