-- SPDX-License-Identifier: Apache-2.0
-- COMPARE: what differs, and what could not be compared. Reads temp.things; makes temp.diff, temp.fields, temp.not_compared, temp.compared.
-- An attribute is compared where both sides have it from a file system; what one side could not read is no difference.
DROP TABLE IF EXISTS temp.not_compared;
CREATE TEMP TABLE not_compared(why TEXT, side TEXT, image TEXT, n INTEGER, example TEXT);
DROP TABLE IF EXISTS temp.diff;
CREATE TEMP TABLE diff(id INTEGER PRIMARY KEY, kind TEXT /* changed only_a only_b */, what TEXT /* file dir link … partition */, key TEXT, rn INTEGER, image TEXT, place TEXT,
	dpath TEXT, a INTEGER, b INTEGER /* places */, blob_a INTEGER, blob_b INTEGER, sha_a TEXT, sha_b TEXT, grp INTEGER, of_unit INTEGER DEFAULT 0, note TEXT, files INTEGER);
DROP TABLE IF EXISTS temp.fields;
CREATE TEMP TABLE fields(id INTEGER, field TEXT, a TEXT, b TEXT);

-- Partitions that one side does not have at all: told once, not file by file.
DROP TABLE IF EXISTS temp.images;
CREATE TEMP TABLE images AS SELECT side, image, count(*) AS n, sum(kind='file')>0 AS files, sum(kind='partition')>0 AS whole FROM things WHERE image<>'' GROUP BY 1, 2;
CREATE INDEX temp.images_name ON images(image, side);
DROP TABLE IF EXISTS temp.alone;
CREATE TEMP TABLE alone AS SELECT i.*, (SELECT o.image FROM images o WHERE o.side<>i.side AND o.image=i.image) AS other,
	CASE WHEN i.image LIKE 'ramdisk:%' THEN substr(i.image, 9) END AS boot FROM images i
	WHERE NOT EXISTS(SELECT 1 FROM images o WHERE o.side<>i.side AND o.image=i.image AND ((i.files AND o.files) OR (i.whole AND o.whole)));
INSERT INTO not_compared SELECT CASE WHEN image LIKE 'apex:%' THEN 'inside of a module that the other side does not have, or that did not open there'
		WHEN other NOT NULL THEN 'the partition did not open there' ELSE 'part of a boot image that the other side does not have' END,
	CASE side WHEN 'A' THEN 'B' ELSE 'A' END, image, n, NULL FROM alone WHERE image LIKE 'apex:%' OR (other NOT NULL AND files)
		OR (boot NOT NULL AND NOT EXISTS(SELECT 1 FROM images o WHERE o.side<>alone.side AND o.image=alone.boot));
DELETE FROM alone WHERE image LIKE 'apex:%' OR (other NOT NULL AND files) OR (boot NOT NULL AND NOT EXISTS(SELECT 1 FROM images o WHERE o.side<>alone.side AND o.image=alone.boot));
INSERT INTO diff(kind, what, key, rn, image, place, a, b, sha_a, sha_b, files) SELECT CASE side WHEN 'A' THEN 'only_a' ELSE 'only_b' END, 'partition', 'partition '||image, 1, image, image,
	CASE side WHEN 'A' THEN t END, CASE side WHEN 'B' THEN t END, CASE side WHEN 'A' THEN c END, CASE side WHEN 'B' THEN c END, CASE WHEN files THEN n END
	FROM (SELECT a.*, (SELECT min(place_id) FROM things t WHERE t.side=a.side AND t.image=a.image) AS t,
		(SELECT min(content) FROM things t WHERE t.side=a.side AND t.image=a.image AND t.kind='partition') AS c FROM alone a WHERE other IS NULL);

-- Single files.
DROP TABLE IF EXISTS temp.single2;
CREATE TEMP TABLE single2 AS SELECT t.* FROM things t WHERE NOT EXISTS(SELECT 1 FROM things o WHERE o.key=t.key AND o.rn=t.rn AND o.side<>t.side)
	AND NOT EXISTS(SELECT 1 FROM images i WHERE i.side=t.side AND i.image=t.image AND NOT EXISTS(SELECT 1 FROM images o WHERE o.side<>t.side AND o.image=t.image
		AND ((t.kind='file' AND o.files) OR (t.kind='partition' AND o.whole))));
INSERT INTO not_compared SELECT 'a file beside the images, which is no part of the phone', CASE side WHEN 'A' THEN 'B' ELSE 'A' END, '', count(*), min(place) FROM single2
	WHERE kind='beside' GROUP BY side;
INSERT INTO not_compared SELECT 'the folder that the file system makes for itself', CASE s.side WHEN 'A' THEN 'B' ELSE 'A' END, s.image, 1, s.place FROM single2 s
	WHERE s.place=s.image||':/lost+found' AND s.ftype='dir' AND NOT EXISTS(SELECT 1 FROM things t WHERE t.side=s.side AND t.image=s.image AND t.place GLOB s.place||'/*');
DELETE FROM single2 WHERE kind='beside' OR (place=image||':/lost+found' AND ftype='dir' AND NOT EXISTS(SELECT 1 FROM things t WHERE t.side=single2.side
	AND t.image=single2.image AND t.place GLOB single2.place||'/*'));
-- A phone that was asked shows some folders only: what lies in another folder of the same partition is not missing.
DROP TABLE IF EXISTS temp.listed2;
CREATE TEMP TABLE listed2 AS SELECT DISTINCT side, dpath FROM here2 WHERE ftype='dir' AND attrs=2;
CREATE INDEX temp.listed2_dpath ON listed2(dpath, side);
DROP TABLE IF EXISTS temp.unasked;
CREATE TEMP TABLE unasked AS SELECT s.side, s.key, s.rn, s.image, s.place, s.ftype, s.dpath FROM single2 s WHERE s.kind='file' AND EXISTS(SELECT 1 FROM listed2 l WHERE l.side<>s.side)
	AND NOT EXISTS(SELECT 1 FROM listed2 l WHERE l.side<>s.side AND l.dpath=substr(s.dpath, 1, length(s.dpath)-length(gh_base(s.dpath))-1));
INSERT INTO not_compared SELECT 'not there, where the phone was not asked, or does not list what there is', CASE side WHEN 'A' THEN 'B' ELSE 'A' END, image, count(*), min(place)
	FROM unasked GROUP BY side, image;
DELETE FROM single2 WHERE EXISTS(SELECT 1 FROM unasked u WHERE u.side=single2.side AND u.key=single2.key AND u.rn=single2.rn);
-- Where a partition was not read to its end, what is missing in it may lie in what was not read.
DROP TABLE IF EXISTS temp.holes;
CREATE TEMP TABLE holes AS SELECT DISTINCT s.side, n.image FROM sides s JOIN nodes n USING(scan_id) JOIN blob_runs r USING(blob_id)
	WHERE n.kind='fs' AND n.live=1 AND r.status<>'ok' AND gh_is_format(r.plugin);
INSERT INTO holes SELECT DISTINCT s.side, 'ramdisk:'||(WITH RECURSIVE up(id, d) AS (SELECT n.node_id, 0 UNION ALL SELECT x.parent_id, d+1 FROM up JOIN nodes x ON x.node_id=up.id
		WHERE x.parent_id NOT NULL) SELECT gh_stem(x.name) FROM up JOIN nodes x ON x.node_id=up.id JOIN blobs b USING(blob_id) WHERE b.format='bootimg' ORDER BY d LIMIT 1) AS image
	FROM sides s JOIN nodes n USING(scan_id) JOIN c_members m USING(blob_id) JOIN blob_runs r ON r.blob_id=m.child WHERE n.live=1 AND r.status<>'ok' AND gh_is_format(r.plugin);
DELETE FROM holes WHERE image IS NULL;
INSERT INTO not_compared SELECT 'not there, where the partition was not read to its end', h.side, s.image, count(*), min(s.place) FROM single2 s
	JOIN holes h ON h.image=s.image AND h.side<>s.side GROUP BY h.side, s.image;
DELETE FROM single2 WHERE EXISTS(SELECT 1 FROM holes h WHERE h.image=single2.image AND h.side<>single2.side);
INSERT INTO diff(kind, what, key, rn, image, place, dpath, a, b, blob_a, blob_b, sha_a, sha_b)
	SELECT CASE side WHEN 'A' THEN 'only_a' ELSE 'only_b' END, CASE kind WHEN 'partition' THEN 'partition' ELSE ftype END, key, rn, image, place, dpath,
	CASE side WHEN 'A' THEN place_id END, CASE side WHEN 'B' THEN place_id END, CASE side WHEN 'A' THEN blob_id END, CASE side WHEN 'B' THEN blob_id END,
	CASE side WHEN 'A' THEN nullif(content,'') END, CASE side WHEN 'B' THEN nullif(content,'') END FROM single2;

-- What both have.
DROP TABLE IF EXISTS temp.labelled;
CREATE TEMP TABLE labelled AS SELECT DISTINCT side, image FROM things WHERE selinux NOT NULL;
DROP TABLE IF EXISTS temp.both;
CREATE TEMP TABLE both AS SELECT a.key, a.rn, a.kind, a.image, a.place, a.dpath, a.place_id AS a, b.place_id AS b, a.blob_id AS blob_a, b.blob_id AS blob_b, a.content AS content_a,
	b.content AS content_b, a.ftype AS ftype_a, b.ftype AS ftype_b, a.format AS format_a, b.format AS format_b, a.size AS size_a, b.size AS size_b, a.mode AS mode_a, b.mode AS mode_b,
	a.owner AS owner_a, b.owner AS owner_b, a.caps AS caps_a, b.caps AS caps_b, a.selinux AS selinux_a, b.selinux AS selinux_b, a.flags AS flags_a, b.flags AS flags_b,
	a.link AS link_a, b.link AS link_b, a.kind='file' AND a.attrs=1 AND b.attrs=1 AS attrs,
	(EXISTS(SELECT 1 FROM labelled l WHERE l.side='A' AND l.image=a.image))=(EXISTS(SELECT 1 FROM labelled l WHERE l.side='B' AND l.image=b.image)) AS labels
	FROM things a JOIN things b ON b.key=a.key AND b.rn=a.rn AND b.side='B' WHERE a.side='A';
CREATE INDEX temp.both_key ON both(key, rn);
INSERT INTO not_compared SELECT 'mode, owner, label and capabilities: one side has none from a file system', CASE min(ga) WHEN max(ga) THEN CASE min(ga) WHEN 0 THEN
		CASE min(gb) WHEN 0 THEN 'both' ELSE 'A' END ELSE 'B' END ELSE 'both' END, image, count(*), NULL
	FROM (SELECT b.image, (SELECT attrs FROM places p WHERE p.place_id=b.a) AS ga, (SELECT attrs FROM places p WHERE p.place_id=b.b) AS gb FROM both b WHERE b.kind='file' AND NOT b.attrs)
	GROUP BY image;
INSERT INTO not_compared SELECT 'label and capabilities: one side''s file system has no labels', NULL, image, count(*), NULL FROM both WHERE kind='file' AND attrs AND NOT labels GROUP BY image;
INSERT INTO not_compared SELECT 'hashed by the phone itself and not read: equal by its own word', CASE WHEN max(x.side='A') THEN 'A' ELSE 'B' END, b.image,
	count(*), NULL FROM both b JOIN (SELECT 'A' AS side, place_id FROM places WHERE attrs=4 UNION ALL SELECT 'B', place_id FROM places WHERE attrs=4) x
		ON x.place_id=CASE x.side WHEN 'A' THEN b.a ELSE b.b END WHERE b.content_a NOT NULL AND b.content_b NOT NULL GROUP BY x.side, b.image;
INSERT INTO not_compared SELECT 'content that could not be read', CASE WHEN content_a IS NULL AND content_b IS NULL THEN 'both' WHEN content_a IS NULL THEN 'A' ELSE 'B' END,
	image, count(*), min(place) FROM both WHERE (content_a IS NULL OR content_b IS NULL) AND ftype_a=ftype_b GROUP BY 2, 3;

DROP TABLE IF EXISTS temp.found;
CREATE TEMP TABLE found(key TEXT, rn INTEGER, field TEXT, a TEXT, b TEXT);
INSERT INTO found SELECT key, rn, 'type', ftype_a, ftype_b FROM both WHERE ftype_a<>ftype_b;
INSERT INTO found SELECT key, rn, 'content', content_a, content_b FROM both WHERE ftype_a=ftype_b AND content_a<>content_b;
INSERT INTO found SELECT key, rn, 'link target', link_a, link_b FROM both WHERE ftype_a='link' AND ftype_b='link' AND link_a IS NOT link_b;
INSERT INTO found SELECT key, rn, 'mode', printf('%04o', mode_a), printf('%04o', mode_b) FROM both WHERE attrs AND mode_a<>mode_b;
INSERT INTO found SELECT key, rn, 'owner', owner_a, owner_b FROM both WHERE attrs AND owner_a<>owner_b;
INSERT INTO found SELECT key, rn, 'SELinux label', coalesce(selinux_a,'none'), coalesce(selinux_b,'none') FROM both WHERE attrs AND labels AND selinux_a IS NOT selinux_b;
INSERT INTO found SELECT key, rn, 'capabilities', printf('%x', caps_a), printf('%x', caps_b) FROM both WHERE attrs AND labels AND caps_a<>caps_b;
INSERT INTO found SELECT key, rn, 'flags', CASE flags_a WHEN 0 THEN 'none' WHEN 16 THEN 'immutable' WHEN 32 THEN 'append only' ELSE 'immutable, append only' END,
	CASE flags_b WHEN 0 THEN 'none' WHEN 16 THEN 'immutable' WHEN 32 THEN 'append only' ELSE 'immutable, append only' END FROM both WHERE attrs AND flags_a<>flags_b;
INSERT INTO diff(kind, what, key, rn, image, place, dpath, a, b, blob_a, blob_b, sha_a, sha_b) SELECT 'changed', CASE kind WHEN 'partition' THEN 'partition' ELSE ftype_a END,
	x.key, x.rn, image, place, dpath, x.a, x.b, blob_a, blob_b, nullif(content_a,''), nullif(content_b,'')
	FROM (SELECT DISTINCT key, rn FROM found) f JOIN both x ON x.key=f.key AND x.rn=f.rn;
CREATE INDEX temp.diff_key ON diff(key, rn);
INSERT INTO fields SELECT d.id, f.field, f.a, f.b FROM found f JOIN diff d USING(key, rn);
DROP TABLE IF EXISTS temp.compared;
CREATE TEMP TABLE compared AS SELECT (SELECT count(*) FROM both) AS both, (SELECT count(*) FROM both x LEFT JOIN (SELECT DISTINCT key, rn FROM found) f
		ON f.key=x.key AND f.rn=x.rn WHERE f.key IS NULL AND x.content_a NOT NULL AND x.content_b NOT NULL) AS equal,
	(SELECT count(*) FROM both WHERE attrs AND labels) AS with_attributes;
