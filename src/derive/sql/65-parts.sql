-- SPDX-License-Identifier: Apache-2.0
-- Where contents lie that are no file of their own, and the inventory of parts as the phone's software names them. Reads c_members, places,
-- c_dt_nodes, c_dt_trees, c_kernel_modules, c_firmware, c_vintf_hals, c_properties, d_device, parts (data/parts.tsv); makes d_within, d_parts.
-- A claim of software each: two units of one model may hold panels of two makers, and the same software drives both.
DROP TABLE IF EXISTS temp.leaves;
CREATE TEMP TABLE leaves(blob_id INTEGER PRIMARY KEY);
INSERT OR IGNORE INTO leaves SELECT blob_id FROM c_dt_trees UNION SELECT blob_id FROM c_dt_entries UNION SELECT blob_id FROM c_kernels
	UNION SELECT blob_id FROM c_kernel_modules UNION SELECT blob_id FROM c_firmware UNION SELECT blob_id FROM c_vintf_hals;
DROP TABLE IF EXISTS temp.held_by;
CREATE TEMP TABLE held_by AS SELECT m.child, m.blob_id FROM c_members m JOIN blobs b USING(blob_id) WHERE m.child NOT NULL AND b.format<>'zip';
CREATE INDEX temp.held_by_child ON held_by(child);
INSERT INTO d_within WITH RECURSIVE up(leaf, at, depth) AS (SELECT blob_id, blob_id, 0 FROM leaves
		UNION SELECT u.leaf, m.blob_id, u.depth+1 FROM up u JOIN held_by m ON m.child=u.at WHERE u.depth<16)
	SELECT DISTINCT p.scan_id, p.place_id, u.leaf FROM up u JOIN places p ON p.blob_id=u.at WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1
	ORDER BY 2, 3;
DROP TABLE temp.held_by;
DROP TABLE temp.leaves;

-- A kernel carries trees for many boards. Where some name the platform that the build is for, those that do not are for others.
DROP TABLE IF EXISTS temp.platform;
CREATE TEMP TABLE platform AS SELECT lower(value) AS name FROM d_device WHERE scan_id=(SELECT scan_id FROM cur) AND key='soc' AND length(value)>3;
INSERT INTO platform SELECT k.name FROM platform p JOIN parts k ON k.kind='platform' AND k.by='alias' AND k.pattern=p.name;
DROP TABLE IF EXISTS temp.trees;
CREATE TEMP TABLE trees AS SELECT DISTINCT t.blob_id, t.fragments>0 AS overlay,
	EXISTS(SELECT 1 FROM platform p WHERE instr(lower(coalesce(t.model,'')||' '||coalesce(t.compatible,'')), p.name)>0) AS named
	FROM c_dt_trees t JOIN d_within w ON w.blob_id=t.blob_id AND w.scan_id=(SELECT scan_id FROM cur);
DELETE FROM trees WHERE NOT named AND NOT overlay AND EXISTS(SELECT 1 FROM trees WHERE named);
DROP TABLE IF EXISTS temp.said;
CREATE TEMP TABLE said AS SELECT n.compatible, n.panel, n.blob_id, min(n.at) AS at FROM c_dt_nodes n JOIN trees t USING(blob_id)
	WHERE (n.compatible NOT NULL OR n.panel NOT NULL) AND coalesce(n.status,'okay')<>'disabled' GROUP BY 1, 2, 3;
CREATE INDEX temp.said_compatible ON said(compatible);
CREATE INDEX temp.said_panel ON said(panel);

DROP TABLE IF EXISTS temp.found;
CREATE TEMP TABLE found(kind TEXT, name TEXT, by TEXT, witness TEXT, place_id INTEGER, at INTEGER);
INSERT INTO found SELECT k.kind, replace(k.name,'*',c.compatible), 'compatible', 'device tree', w.place_id, s.at
	FROM (SELECT DISTINCT compatible FROM said WHERE compatible NOT NULL) c JOIN parts k ON k.by='compatible' AND ' '||lower(c.compatible)||' ' GLOB '* '||k.pattern||' *'
	JOIN said s ON s.compatible=c.compatible JOIN d_within w ON w.blob_id=s.blob_id AND w.scan_id=(SELECT scan_id FROM cur);
INSERT INTO found SELECT k.kind, replace(k.name,'*',c.panel), 'panel', 'device tree', w.place_id, s.at
	FROM (SELECT DISTINCT panel FROM said WHERE panel NOT NULL) c JOIN parts k ON k.by='panel' AND lower(c.panel) GLOB k.pattern
	JOIN said s ON s.panel=c.panel JOIN d_within w ON w.blob_id=s.blob_id AND w.scan_id=(SELECT scan_id FROM cur)
	WHERE NOT EXISTS(SELECT 1 FROM parts x WHERE x.by='panel' AND x.name='' AND lower(c.panel) GLOB x.pattern);
-- Files are many, and so are patterns; most patterns share how they begin: a file is asked for the beginnings first.
CREATE TEMP TABLE low AS SELECT place_id, name, '/'||lower(ltrim(coalesce(dpath,path),'/')) AS path FROM places
	WHERE scan_id=(SELECT scan_id FROM cur) AND live=1 AND ftype='file' AND size>0 AND image NOT LIKE 'ramdisk:recovery%';
CREATE TEMP TABLE ask AS SELECT kind, name, pattern, CASE WHEN pattern GLOB '[*]/[a-z0-9_.][a-z0-9_.][a-z0-9_.][a-z0-9_.]*'
	THEN substr(pattern,1,6)||'*' ELSE pattern END AS head FROM parts WHERE by='file';
CREATE INDEX temp.ask_head ON ask(head);
INSERT INTO found SELECT k.kind, replace(k.name,'*',p.name), 'file', 'name of a file', p.place_id, NULL
	FROM (SELECT DISTINCT head FROM ask) h CROSS JOIN low p ON p.path GLOB h.head CROSS JOIN ask k ON k.head=h.head AND p.path GLOB k.pattern;
DROP TABLE temp.low;
DROP TABLE temp.ask;
INSERT INTO found SELECT k.kind, replace(k.name,'*',coalesce(c.name, gh_base(p.name))), 'module', 'kernel module', p.place_id, c.at
	FROM c_kernel_modules c JOIN d_within w ON w.blob_id=c.blob_id AND w.scan_id=(SELECT scan_id FROM cur) JOIN places p USING(place_id)
	JOIN parts k ON k.by='module' AND lower(coalesce(c.name, substr(p.name,1,length(p.name)-3))) GLOB k.pattern;
INSERT INTO found SELECT k.kind, replace(k.name,'*',coalesce(c.version,c.name)), 'firmware', 'firmware image', w.place_id, c.at
	FROM c_firmware c JOIN d_within w ON w.blob_id=c.blob_id AND w.scan_id=(SELECT scan_id FROM cur)
	JOIN parts k ON k.by='firmware' AND lower(c.maker||' '||c.kind||' '||c.name) GLOB k.pattern WHERE c.name NOT NULL;
INSERT INTO found SELECT k.kind, replace(k.name,'*',c.value), 'property', 'build property', p.place_id, c.at
	FROM places p JOIN c_properties c USING(blob_id) JOIN parts k ON k.by='property' AND c.key GLOB k.pattern
	WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND c.value NOT IN ('','unknown') AND p.image NOT LIKE 'ramdisk:recovery%'
	-- loaded, as in the view of properties
	AND ((p.name IN ('build.prop','default.prop','prop.default','local.prop','oem.prop','factory.prop') AND length(p.dpath)-length(replace(p.dpath,'/',''))<=4)
		OR p.dpath IN (SELECT i.value FROM c_properties i WHERE i.key='import'));
INSERT INTO found SELECT k.kind, k.name, 'hal', 'manifest of interfaces', w.place_id, c.at FROM c_vintf_hals c
	JOIN d_within w ON w.blob_id=c.blob_id AND w.scan_id=(SELECT scan_id FROM cur) JOIN parts k ON k.by='hal' AND lower(c.name) GLOB k.pattern
	WHERE c.type='device';
DELETE FROM found WHERE name='';
-- That something is there without a name is worth saying only where nothing names it.
DELETE FROM found WHERE name LIKE 'opaque%' AND kind IN (SELECT kind FROM found WHERE name NOT LIKE 'opaque%');

DROP TABLE IF EXISTS temp.kinds;
CREATE TEMP TABLE kinds(n INTEGER, kind TEXT);
INSERT INTO kinds VALUES (0,'soc'),(1,'modem'),(2,'tee'),(3,'gpu'),(4,'wifi'),(5,'bluetooth'),(6,'nfc'),(7,'panel'),(8,'touch'),(9,'fingerprint'),(10,'camera'),
	(11,'sensors'),(12,'charger');
-- One row a name and witness, at most 64 names a kind; n: how many different names of that kind and witness there are.
INSERT INTO d_parts SELECT (SELECT scan_id FROM cur), k.kind, f.name, f.witness, f.place_id,
	CASE WHEN p.image='' THEN ltrim(p.path,'/') WHEN p.path='' THEN p.image ELSE p.image||':'||p.path END, f.at,
	CASE WHEN f.name IS NULL THEN 'not told' WHEN f.name LIKE 'opaque%' THEN 'opaque' WHEN f.witness IN ('build property','firmware image') THEN 'stated'
		WHEN f.names=1 THEN 'only one named' ELSE 'one of '||f.names||' named' END, k.n*1000+coalesce(f.r, 0)
	FROM kinds k LEFT JOIN (SELECT *, row_number() OVER (PARTITION BY kind ORDER BY rank, name, witness) AS r,
			count(*) OVER (PARTITION BY kind, witness) AS names
		FROM (SELECT kind, name, witness, place_id, at, CASE witness WHEN 'build property' THEN 0 WHEN 'firmware image' THEN 1 WHEN 'device tree' THEN 2
				WHEN 'kernel module' THEN 3 WHEN 'name of a file' THEN 4 ELSE 5 END AS rank,
				row_number() OVER (PARTITION BY kind, name, witness ORDER BY place_id, at) AS first FROM found) WHERE first=1) f
		ON f.kind=k.kind AND f.r<=64
	LEFT JOIN places p ON p.place_id=f.place_id ORDER BY k.n, f.r;
DROP TABLE temp.found;
DROP TABLE temp.said;
DROP TABLE temp.trees;
DROP TABLE temp.platform;
DROP TABLE temp.kinds;
