-- SPDX-License-Identifier: Apache-2.0
-- Signed firmware: a split image (modem.mdt) with the files beside it that its signed list speaks of (modem.b03); and what is known of the
-- partitions that no list of verified boot covers. Reads places, blobs, c_firmware_signs, c_firmware_parts, d_partitions; makes d_firmware,
-- and `signed` in d_uncovered. A list of SHA-384 cannot be compared with files of their own: SHA-256 is what is known of these.
DROP TABLE IF EXISTS temp.fs;
CREATE TEMP TABLE fs AS SELECT p.place_id, p.node_id, p.blob_id, s.n, substr(p.path, 1, length(p.path)-4) AS stem, count(q.number) AS listed,
		sum(q.size>0 AND length(q.digest)=64) AS comparable
	FROM c_firmware_signs s CROSS JOIN places p USING(blob_id) LEFT JOIN c_firmware_parts q ON q.blob_id=s.blob_id AND q.sign=s.n
	WHERE p.scan_id=(SELECT scan_id FROM cur) GROUP BY p.place_id, s.n;
-- The files beside them, sought by the digests that the lists say and by their names.
DROP TABLE IF EXISTS temp.beside;
CREATE TEMP TABLE beside AS SELECT p.node_id, p.path, b.sha256 FROM (SELECT DISTINCT node_id FROM fs WHERE listed>0) f CROSS JOIN places p ON p.node_id=f.node_id
	JOIN blobs b USING(blob_id) WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.name GLOB '*.b[0-9][0-9]';
CREATE INDEX temp.beside_path ON beside(node_id, path);
DROP TABLE IF EXISTS temp.joined;
CREATE TEMP TABLE joined AS SELECT f.place_id, f.n, count(b.path) AS found, sum(lower(hex(b.sha256))=q.digest) AS same,
		min(CASE WHEN lower(hex(b.sha256))<>q.digest THEN q.number END) AS bad
	FROM fs f JOIN c_firmware_parts q ON q.blob_id=f.blob_id AND q.sign=f.n AND length(q.digest)=64
		JOIN beside b ON b.node_id=f.node_id AND b.path=f.stem||printf('.b%02d', q.number) GROUP BY 1, 2;
INSERT INTO d_firmware SELECT (SELECT scan_id FROM cur), f.place_id, s.n, s.at, s.maker, s.signer, s.name,
	CASE WHEN s.state='incomplete' AND j.bad NOT NULL THEN 'failed' WHEN s.state='incomplete' AND s.elsewhere>0 AND s.root_sha256 NOT NULL AND j.same=s.elsewhere THEN 'verified'
		ELSE s.state END,
	CASE WHEN s.state='incomplete' AND j.bad NOT NULL THEN printf('segment %d, in a file of its own, is not what its hash was made over', j.bad)
		WHEN s.state='incomplete' AND s.elsewhere>0 AND s.root_sha256 NOT NULL AND j.same=s.elsewhere THEN NULL
		WHEN s.state='incomplete' AND s.elsewhere>0 AND f.comparable<f.listed THEN printf('%d segments lie in files of their own, whose SHA-384 was not computed', s.elsewhere)
		WHEN s.state='incomplete' AND s.elsewhere>0 AND j.same>0 THEN printf('%d of %d segments are neither in this file nor beside it', s.elsewhere-j.same, s.parts)
		ELSE s.why END,
	s.why_at, s.algorithm, s.cert_sha256, s.subject, s.root_sha256, s.root, s.software, s.hardware, s.first_bad
	FROM fs f JOIN c_firmware_signs s ON s.blob_id=f.blob_id AND s.n=f.n LEFT JOIN joined j ON j.place_id=f.place_id AND j.n=f.n ORDER BY f.place_id, f.n;
-- Of a partition: the signatures of the image itself, or of those that lie in its file system.
DROP TABLE IF EXISTS temp.held;
CREATE TEMP TABLE held AS SELECT part, count(*) AS n, sum(state='verified') AS good, sum(state='failed') AS bad, min(CASE WHEN state='failed' THEN why END) AS why,
		CASE WHEN min(root_sha256)=max(root_sha256) THEN ', all by the root '||substr(min(root_sha256), 1, 16)||'…' ELSE '' END AS root
	FROM (SELECT DISTINCT gh_stem(coalesce(nullif(p.image,''), p.name)) AS part, d.place_id, d.n, d.state, d.why, d.root_sha256 FROM d_firmware d JOIN places p USING(place_id)
		WHERE d.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND p.name NOT GLOB '*.b[0-9][0-9]') GROUP BY part;
UPDATE d_uncovered SET signed=(SELECT CASE WHEN h.bad THEN printf('%d of %d signatures do not hold: %s', h.bad, h.n, h.why)
		WHEN h.good=h.n THEN printf('%d of %d signatures hold%s', h.good, h.n, h.root) ELSE printf('%d of %d signatures hold, the others were not verified', h.good, h.n) END
	FROM held h WHERE h.part=gh_stem(d_uncovered.name)) WHERE scan_id=(SELECT scan_id FROM cur);
UPDATE d_uncovered SET signed='identified by its name, not verified' WHERE scan_id=(SELECT scan_id FROM cur) AND list='firmware' AND signed IS NULL;
DROP TABLE temp.fs; DROP TABLE temp.beside; DROP TABLE temp.joined; DROP TABLE temp.held;
