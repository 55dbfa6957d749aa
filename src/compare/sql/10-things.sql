-- SPDX-License-Identifier: Apache-2.0
-- COMPARE: what two scans hold, side by side. Reads temp.sides(side, scan_id), places, nodes, blobs, c_members, c_entries; makes
-- temp.things: a row for each file of the device, and for each partition that is compared as a whole, under a key that is the same on both sides.
DROP TABLE IF EXISTS temp.dead;
CREATE TEMP TABLE dead AS SELECT DISTINCT s.side, n.slot FROM sides s JOIN nodes n USING(scan_id) WHERE n.live=0 AND n.slot NOT NULL;
DROP TABLE IF EXISTS temp.here2;
CREATE TEMP TABLE here2 AS SELECT s.side, n.key AS node_key, n.kind AS node_kind, p.* FROM sides s JOIN places p USING(scan_id) JOIN nodes n USING(node_id)
	WHERE p.live=1;
CREATE INDEX temp.here2_image ON here2(image, side);
CREATE INDEX temp.here2_place ON here2(place_id);
-- A folder of a package that holds images and nothing of a partition itself (IMAGES/, image-1234/) is no partition, whatever its name.
DROP TABLE IF EXISTS temp.packs;
CREATE TEMP TABLE packs AS SELECT DISTINCT h.side, h.image FROM here2 h JOIN blobs b USING(blob_id) WHERE h.image<>'' AND h.node_kind IN ('archive','folder')
	AND h.ftype='file' AND length(h.path)-length(replace(h.path,'/',''))=1 AND (b.format IN ('bootimg','vbmeta','lp') OR (lower(h.name) GLOB '*.img*'
		AND EXISTS(SELECT 1 FROM nodes n WHERE n.scan_id=h.scan_id AND n.blob_id=h.blob_id AND n.kind<>'app')));
DELETE FROM packs WHERE EXISTS(SELECT 1 FROM here2 x WHERE x.side=packs.side AND x.image=packs.image AND (x.path='/build.prop' OR x.path GLOB '/etc/*' OR x.path GLOB '/system/*'
	OR x.path GLOB '/lib*/*' OR x.path GLOB '/app/*'));
UPDATE here2 SET path=CASE WHEN path='' THEN '' ELSE '/'||image||path END, image='', dpath=NULL WHERE node_kind IN ('archive','folder')
	AND EXISTS(SELECT 1 FROM packs k WHERE k.side=here2.side AND k.image=here2.image);

-- What lies innermost where nothing but packing is in between: an image packed on one side is the image that lies bare on the other.
DROP TABLE IF EXISTS temp.whole;
CREATE TEMP TABLE whole AS WITH RECURSIVE d(side, place_id, name, blob_id, depth) AS (
	SELECT h.side, h.place_id, CASE WHEN h.ftype='image' THEN h.image ELSE h.name END, h.blob_id, 0 FROM here2 h
		WHERE (h.ftype='image' AND h.size>0) OR (h.image='' AND h.ftype='file' AND NOT EXISTS(SELECT 1 FROM dead x WHERE x.side=h.side AND x.slot=gh_slot(h.name)))
	UNION ALL SELECT d.side, d.place_id, d.name, m.child, d.depth+1 FROM d JOIN blobs b USING(blob_id) JOIN c_members m ON m.blob_id=d.blob_id
		WHERE b.format IN ('sparse','newdat','gzip','lz4','xz','lzma','zstd','bzip2','brotli') AND m.child NOT NULL AND d.depth<8)
	SELECT d.side, d.place_id, d.name, d.blob_id, b.format, b.size, b.sha256 FROM d LEFT JOIN blobs b USING(blob_id)
	WHERE coalesce(b.format,'') NOT IN ('sparse','newdat','gzip','lz4','xz','lzma','zstd','bzip2','brotli') OR NOT EXISTS(SELECT 1 FROM c_members m
		WHERE m.blob_id=d.blob_id AND m.child NOT NULL);
-- Packages, super images and file systems are compared through what lies in them.
DELETE FROM whole WHERE format IN ('lp','folder','inputs') OR EXISTS(SELECT 1 FROM c_entries e WHERE e.blob_id=whole.blob_id)
	OR (format IN ('zip','tar') AND EXISTS(SELECT 1 FROM c_members m WHERE m.blob_id=whole.blob_id));

-- Hard links in an archive have the content of what they point to.
DROP TABLE IF EXISTS temp.linked;
CREATE TEMP TABLE linked AS SELECT h.place_id, h.node_id, h.link_target AS to1, '/'||h.link_target AS to2 FROM here2 h WHERE h.blob_id IS NULL AND h.ftype='file'
	AND h.link_target NOT NULL;
CREATE INDEX temp.here2_path ON here2(node_id, path);
DROP TABLE IF EXISTS temp.same_as;
CREATE TEMP TABLE same_as(place_id INTEGER PRIMARY KEY, blob_id INTEGER);
INSERT OR IGNORE INTO same_as SELECT l.place_id, t.blob_id FROM linked l JOIN here2 t ON t.node_id=l.node_id AND t.path IN (l.to1, l.to2) WHERE t.blob_id NOT NULL;
DROP TABLE IF EXISTS temp.things;
CREATE TEMP TABLE things(side TEXT, key TEXT, rn INTEGER, sort TEXT, sort2 INTEGER, kind TEXT /* file: of the device; partition; beside: a file beside the images */,
	image TEXT, place TEXT, dpath TEXT, place_id INTEGER, blob_id INTEGER, ftype TEXT, format TEXT, mode INTEGER, owner TEXT, caps INTEGER, selinux TEXT,
	flags INTEGER, link TEXT, size INTEGER, attrs INTEGER, content TEXT /* NULL: could not be read */);
INSERT INTO things SELECT h.side, CASE WHEN h.image LIKE 'ramdisk:%' THEN h.image||':'||h.path ELSE h.dpath END, 0, h.node_key, h.place_id, 'file',
	h.image, h.image||':'||h.path, h.dpath, h.place_id, coalesce(h.blob_id, t.blob_id), h.ftype, b.format, h.mode & 4095, h.uid||':'||h.gid, coalesce(h.caps,0), h.selinux,
	h.iflags & 48, CASE WHEN h.ftype='link' THEN h.link_target END, h.size, coalesce(h.attrs,0),
	CASE WHEN h.ftype<>'file' THEN '' WHEN h.size=0 THEN 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
		WHEN b.format<>'lfs-pointer' THEN lower(hex(b.sha256)) END
	FROM here2 h LEFT JOIN same_as t ON t.place_id=h.place_id
	LEFT JOIN blobs b ON b.blob_id=coalesce(h.blob_id, t.blob_id)
	WHERE h.image<>'' AND h.ftype<>'image' AND h.path NOT IN ('','/');
INSERT INTO things SELECT w.side, CASE WHEN part THEN 'partition '||gh_stem(w.name) ELSE 'beside '||h.path END, 0, h.node_key, h.place_id,
	CASE WHEN part THEN 'partition' ELSE 'beside' END, CASE WHEN part THEN gh_stem(w.name) ELSE '' END, CASE WHEN part THEN gh_stem(w.name) ELSE h.path END,
	NULL, w.place_id, w.blob_id, 'file', w.format, NULL, NULL, 0, NULL, NULL, NULL, w.size, 0, CASE WHEN w.format<>'lfs-pointer' THEN lower(hex(w.sha256)) END
	FROM (SELECT *, name NOT LIKE '%.%' OR format IN ('bootimg','vbmeta','boot','dtbo') OR lower(name) GLOB '*.img*' OR lower(name) GLOB '*.bin*' OR lower(name) GLOB '*.mbn*'
		OR lower(name) GLOB '*.elf*' AS part FROM whole) w JOIN here2 h USING(place_id, side);
-- The same path twice on one side (an image, and a folder that differs from it): paired in their order.
UPDATE things SET rn=r FROM (SELECT rowid AS id, row_number() OVER (PARTITION BY side, key ORDER BY attrs DESC, sort, sort2) AS r FROM things) x WHERE x.id=things.rowid;
CREATE INDEX temp.things_key ON things(key, rn, side);
CREATE INDEX temp.things_image ON things(image, side);
