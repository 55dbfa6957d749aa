-- SPDX-License-Identifier: Apache-2.0
-- Verified boot: from the first vbmeta along its chains; each partition against the signed list; what no list covers. Reads places,
-- c_avb_images, c_avb_descriptors, c_verity_checks, d_partitions, known_keys; makes d_avb, d_uncovered, and vbmeta_digest in d_device.
DROP TABLE IF EXISTS temp.av;
CREATE TEMP TABLE av AS SELECT p.place_id, p.blob_id, v.n, v.at, gh_stem(coalesce(nullif(p.image,''), p.name)) AS part, v.footer, v.algorithm,
		v.pubkey_sha1, v.state, v.why, v.why_at, v.flags, v.rollback, v.rollback_location, v.vbmeta
	FROM places p JOIN c_avb_images v USING(blob_id) WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND p.image NOT LIKE 'apex:%'
		AND p.path NOT LIKE '/%/%' ORDER BY part, v.footer, p.place_id, v.n;
-- One structure a partition: the one that stands alone, else the one behind a footer; the first place of several.
DELETE FROM av WHERE rowid NOT IN (SELECT min(rowid) FROM av GROUP BY part);
CREATE INDEX temp.av_part ON av(part);

-- The walk, in the order in which a boot loader reads them: a chained structure comes where its descriptor stands. libavb takes chains
-- from the first structure only.
DROP TABLE IF EXISTS temp.walk;
CREATE TEMP TABLE walk AS SELECT part, want, by_part, location, min(ord) AS ord FROM (
	SELECT 'vbmeta' AS part, NULL AS want, NULL AS by_part, NULL AS location, -1 AS ord FROM av WHERE part='vbmeta' AND footer=0
	UNION ALL SELECT d.partition, lower(d.digest), a.part, d.rollback_location, d.n
		FROM av a JOIN c_avb_descriptors d ON d.blob_id=a.blob_id AND d.image=a.n AND d.kind='chain' WHERE a.part='vbmeta' AND a.footer=0)
	GROUP BY part ORDER BY min(ord);

INSERT INTO d_avb SELECT (SELECT scan_id FROM cur), 'vbmeta', w.part, w.by_part, a.place_id, a.at, lower(a.pubkey_sha1), w.want, a.algorithm, a.rollback,
	coalesce(w.location, a.rollback_location), a.flags,
	CASE WHEN a.part IS NULL THEN 'missing'
		WHEN w.want NOT NULL AND coalesce(lower(a.pubkey_sha1),'')<>w.want THEN 'other key'
		ELSE a.state END,
	CASE WHEN a.part IS NULL THEN 'not among what was given'
		WHEN w.want NOT NULL AND a.pubkey_sha1 IS NULL THEN w.by_part||' expects a signature by key '||w.want||', and it is not signed'
		WHEN w.want NOT NULL AND lower(a.pubkey_sha1)<>w.want THEN w.by_part||' expects key '||w.want||', it '||CASE a.state WHEN 'verified' THEN 'is signed by ' ELSE 'names ' END||lower(a.pubkey_sha1)||
			CASE a.state WHEN 'verified' THEN '' WHEN 'failed' THEN ', whose signature does not hold' ELSE ', whose signature was not verified' END
		ELSE a.why END, NULL
	FROM walk w LEFT JOIN av a ON a.part=w.part ORDER BY w.ord;

-- What the bytes of a partition were found to be, under each of the names that it may have.
DROP TABLE IF EXISTS temp.checked;
CREATE TEMP TABLE checked AS SELECT p.place_id, gh_stem(coalesce(nullif(p.image,''), p.name)) AS part, c.kind, c.hash_algorithm, c.salt, c.image_size,
		c.said, c.digest, c.state, c.why, c.tree, c.first_bad, c.fec, c.signature, c.signed_text
	FROM places p JOIN c_verity_checks c USING(blob_id) WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1;
CREATE INDEX temp.checked_part ON checked(part);
DROP TABLE IF EXISTS temp.have;
CREATE TEMP TABLE have AS SELECT gh_stem(name) AS part, min(node_id) AS node_id, max(size) AS size FROM d_partitions
	WHERE scan_id=(SELECT scan_id FROM cur) AND live=1 GROUP BY 1;

-- Descriptors of the structures on the walk, each with the computation that has its parameters, or else any of its partition.
DROP TABLE IF EXISTS temp.said;
CREATE TEMP TABLE said AS SELECT w.ord, d.n, d.kind, d.partition AS part, a.part AS by_part, a.place_id AS by_place, d.at, lower(d.digest) AS digest,
		lower(d.salt) AS salt, d.hash_algorithm, d.image_size, d.fec, coalesce((SELECT min(c.rowid) FROM checked c WHERE c.part=d.partition
			AND c.hash_algorithm=d.hash_algorithm AND lower(c.salt)=lower(d.salt) AND c.image_size=d.image_size),
			(SELECT min(c.rowid) FROM checked c WHERE c.part=d.partition)) AS c
	FROM walk w JOIN av a ON a.part=w.part JOIN c_avb_descriptors d ON d.blob_id=a.blob_id AND d.image=a.n AND d.kind IN ('hash','hashtree');
INSERT INTO d_avb SELECT (SELECT scan_id FROM cur), s.kind, s.part, s.by_part, coalesce(c.place_id, s.by_place), s.at, NULL, NULL, s.hash_algorithm, NULL, NULL, NULL,
	CASE WHEN c.rowid IS NULL THEN CASE WHEN s.part IN (SELECT part FROM have) THEN 'not checked' ELSE 'missing' END
		WHEN c.hash_algorithm<>s.hash_algorithm OR lower(c.salt)<>s.salt OR c.image_size<>s.image_size THEN 'other footer'
		WHEN c.state IN ('unread','unsupported') THEN 'not checked'
		WHEN lower(c.digest)<>s.digest THEN 'differs'
		WHEN coalesce(c.tree,'same')<>'same' THEN 'other tree'
		ELSE 'verified' END,
	CASE WHEN c.rowid IS NULL THEN CASE WHEN s.part IN (SELECT part FROM have) THEN printf('%s signs a %s of it over %d bytes; not computed: the partition carries no footer of its own, which is where the parameters are read', s.by_part, CASE s.kind WHEN 'hash' THEN 'hash' ELSE 'hash tree' END, s.image_size) ELSE 'not among what was given' END
		WHEN c.hash_algorithm<>s.hash_algorithm OR lower(c.salt)<>s.salt OR c.image_size<>s.image_size
			THEN 'the footer in the partition speaks of another hash than '||s.by_part
		WHEN c.state IN ('unread','unsupported') THEN c.why
		WHEN lower(c.digest)<>s.digest THEN 'signed is '||s.digest||', the bytes come to '||lower(c.digest)||coalesce('; '||c.why, '')
		ELSE c.why END, c.fec
	FROM said s LEFT JOIN checked c ON c.rowid=s.c ORDER BY s.ord, s.n;
-- Android 7 and 8 without vbmeta: the table behind the file system. fs_mgr takes it if verity_key in the ramdisk signed it.
DROP TABLE IF EXISTS temp.vk;
CREATE TEMP TABLE vk AS SELECT DISTINCT k.sha256, k.spki FROM c_verity_keys k CROSS JOIN places p USING(blob_id) WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1;
DROP TABLE IF EXISTS temp.tables;
CREATE TEMP TABLE tables AS SELECT c.rowid AS c, (SELECT min(k.sha256) FROM vk k WHERE gh_signed_text(k.spki, c.signed_text, c.signature)) AS key
	FROM checked c WHERE c.kind='table';
INSERT INTO d_avb SELECT (SELECT scan_id FROM cur), 'table', c.part, 'the partition itself', c.place_id, NULL, t.key, NULL, c.hash_algorithm, NULL, NULL, NULL,
	CASE WHEN c.state<>'same' THEN CASE c.state WHEN 'differs' THEN 'differs' ELSE 'not checked' END WHEN c.tree<>'same' THEN 'other tree'
		WHEN t.key NOT NULL THEN 'verified' WHEN EXISTS(SELECT 1 FROM vk) THEN 'other key' ELSE 'consistent' END,
	CASE WHEN c.why NOT NULL OR c.state<>'same' OR c.tree<>'same' THEN c.why WHEN t.key NOT NULL THEN 'the table is signed by verity_key, SHA-256 of the key '||t.key
		WHEN EXISTS(SELECT 1 FROM vk) THEN 'the table over the root is not signed by verity_key '||(SELECT min(sha256) FROM vk)
		ELSE 'the signature over the root is by a key in the ramdisk (verity_key), which was not among what was given' END, c.fec FROM checked c JOIN tables t ON t.c=c.rowid;
DROP TABLE temp.vk; DROP TABLE temp.tables;

-- ro.boot.vbmeta.digest, where every structure on the walk is there and none is said not to be read.
INSERT INTO d_device SELECT (SELECT scan_id FROM cur), 'vbmeta_digest', gh_digest_all(vbmeta, alg), place
	FROM (SELECT a.vbmeta, (SELECT CASE WHEN algorithm LIKE 'SHA512%' THEN 'sha512' ELSE 'sha256' END FROM av WHERE part='vbmeta') AS alg,
		(SELECT place_id FROM av WHERE part='vbmeta') AS place FROM walk w JOIN av a ON a.part=w.part ORDER BY w.ord)
	WHERE NOT EXISTS(SELECT 1 FROM walk w LEFT JOIN av a ON a.part=w.part WHERE a.vbmeta IS NULL OR a.flags&2) HAVING count(*)>0;

-- Partitions that no descriptor speaks of. What is listed by name was not looked into: the names are the chip makers'.
INSERT INTO d_uncovered SELECT d.scan_id, CASE
		WHEN gh_code_partition(d.name) OR EXISTS(SELECT 1 FROM nodes n JOIN places p ON p.node_id=n.node_id JOIN c_elf e ON e.blob_id=p.blob_id
			WHERE n.scan_id=d.scan_id AND n.kind='fs' AND n.image=gh_stem(d.name)) THEN 'code'
		WHEN gh_firmware_partition(d.name) THEN 'firmware'
		WHEN EXISTS(SELECT 1 FROM c_elf e WHERE e.blob_id=d.blob_id) THEN 'firmware'
		ELSE 'data' END, d.name, d.slot, d.size, d.fs_type,
	(SELECT count(*) FROM nodes n JOIN places p ON p.node_id=n.node_id WHERE n.scan_id=d.scan_id AND n.kind='fs' AND n.image=gh_stem(d.name) AND p.ftype='file'), NULL
	FROM d_partitions d WHERE d.scan_id=(SELECT scan_id FROM cur) AND d.live=1 AND gh_stem(d.name) NOT LIKE 'vbmeta%' AND gh_stem(d.name)<>'super'
		AND coalesce(d.fs_type,'') NOT IN ('lp','vbmeta')
		AND gh_stem(d.name) NOT IN (SELECT partition FROM d_avb v WHERE v.scan_id=d.scan_id AND v.kind<>'table')
	GROUP BY gh_stem(d.name) ORDER BY 2, 3;
DROP TABLE temp.av; DROP TABLE temp.walk; DROP TABLE temp.checked; DROP TABLE temp.have; DROP TABLE temp.said;
