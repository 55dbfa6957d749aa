-- SPDX-License-Identifier: Apache-2.0
-- What was looked at, how far, and what was not. Reads places, nodes, blobs, blob_runs, c_notes; makes d_coverage, d_not_examined.
-- Opaque by nature: firmware of other processors, encrypted or without public format. Listed, not a fault.
-- Every blob of this scan: what the root reaches.
DROP TABLE IF EXISTS temp.in_scan;
CREATE TEMP TABLE in_scan(blob_id INTEGER PRIMARY KEY);
INSERT INTO in_scan WITH RECURSIVE r(b) AS (SELECT root FROM cur UNION SELECT m.child FROM r JOIN c_members m ON m.blob_id=r.b WHERE m.child NOT NULL
	UNION SELECT e.child FROM r JOIN c_entries e ON e.blob_id=r.b WHERE e.child NOT NULL) SELECT b FROM r;
-- Where accidents lie that are neither a place nor a container: the members they are.
DROP TABLE IF EXISTS temp.parents;
CREATE TEMP TABLE parents AS SELECT m.child, m.blob_id, m.n FROM c_members m WHERE m.child IN (SELECT blob_id FROM blob_runs WHERE status<>'ok');
DROP TABLE IF EXISTS temp.at_place;
CREATE TEMP TABLE at_place AS SELECT p.place_id, p.image, p.path, p.ftype, p.size, p.blob_id, p.link_target, b.sha256 NOT NULL AS hashed, b.format,
	EXISTS(SELECT 1 FROM blob_runs r WHERE r.blob_id=p.blob_id AND r.status='ok') AS understood,
	(SELECT min(r.status) FROM blob_runs r WHERE r.blob_id=p.blob_id AND r.status NOT IN ('ok')) AS bad
	FROM places p LEFT JOIN blobs b USING(blob_id) WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND p.ftype IN ('file','image');
INSERT INTO d_coverage SELECT (SELECT scan_id FROM cur), l, n, s FROM (
	SELECT 'files' AS l, count(*) AS n, coalesce(gh_sum(size),0) AS s, 0 AS o FROM at_place WHERE ftype='file'
	UNION ALL SELECT 'read', count(*), coalesce(gh_sum(size),0), 1 FROM at_place WHERE ftype='file' AND blob_id NOT NULL
	UNION ALL SELECT 'understood', count(*), coalesce(gh_sum(size),0), 2 FROM at_place WHERE ftype='file' AND understood AND bad IS NULL
	UNION ALL SELECT 'analysed', 0, 0, 3) ORDER BY o;

-- Files whose content could not be had (hard links inside an archive point to one that could).
INSERT INTO d_not_examined SELECT (SELECT scan_id FROM cur), CASE WHEN image='' THEN '' ELSE image||':' END||path, 'content', 'could not be read: see notes of its container', size, 1, 0
	FROM at_place WHERE blob_id IS NULL AND ftype='file' AND size>0 AND link_target IS NULL;
INSERT INTO d_not_examined SELECT (SELECT scan_id FROM cur), image, 'partition', CASE WHEN size=0 THEN 'empty' ELSE 'content could not be read' END, size, size>0, 0
	FROM at_place WHERE blob_id IS NULL AND ftype='image' AND size>0;
-- Plug-ins that did not come to their end.
INSERT INTO d_not_examined SELECT DISTINCT (SELECT scan_id FROM cur), coalesce((SELECT CASE WHEN p.image='' THEN '' ELSE p.image||':' END||p.path FROM places p
		WHERE p.blob_id=r.blob_id AND p.scan_id=(SELECT scan_id FROM cur) ORDER BY p.place_id LIMIT 1),
		(SELECT n.path FROM nodes n WHERE n.blob_id=r.blob_id AND n.scan_id=(SELECT scan_id FROM cur) ORDER BY n.node_id LIMIT 1),
		(SELECT coalesce((SELECT CASE WHEN p.image='' THEN '' ELSE p.image||':' END||p.path FROM places p WHERE p.blob_id=m.blob_id AND
			p.scan_id=(SELECT scan_id FROM cur) ORDER BY p.place_id LIMIT 1)||'!'||m.name, m.name) FROM temp.parents x JOIN c_members m ON m.blob_id=x.blob_id AND m.n=x.n
			WHERE x.child=r.blob_id ORDER BY 1 LIMIT 1), '?'),
	r.plugin, r.status||' at '||r.at||': '||r.why, b.size, r.status NOT IN ('unsup','off'), 0
	FROM blob_runs r JOIN blobs b USING(blob_id) WHERE r.status<>'ok' AND r.blob_id IN (SELECT blob_id FROM temp.in_scan);
-- Files and partitions that no plug-in knows, large enough to hold code: firmware of modem, TEE, DSP and the like.
INSERT INTO d_not_examined SELECT (SELECT scan_id FROM cur), CASE WHEN image='' THEN '' ELSE image||':' END||path, 'format not known', 'hashed and searched only ('||format||')', size, 0, 1
	FROM at_place WHERE NOT understood AND format IN ('data','boot','dtbo','dtb','kernel','payload','xz','zstd','bzip2','lz4') AND size>=1048576 AND (image='' OR ftype='image'
		OR image IN ('modem','dsp','bluetooth','firmware','tee'));
DROP TABLE temp.at_place;
