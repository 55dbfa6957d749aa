-- SPDX-License-Identifier: Apache-2.0
-- What a payload.bin and the file beside it say of sizes and digests, against what was computed. Reads nodes, places, c_payload_*, c_members,
-- blobs; makes d_payload_checks. A partition is hashed where no format claims it, and else where that is cheap: see src/formats/payload.
INSERT INTO d_payload_checks SELECT (SELECT scan_id FROM cur), n.node_id, t.name, 'SHA-256', t.sha256, lower(hex(b.sha256)),
	CASE WHEN b.sha256 IS NULL THEN 'not computed' WHEN lower(hex(b.sha256))=t.sha256 THEN 'ok' ELSE 'differs' END
	FROM nodes n JOIN c_payload_partitions t ON t.blob_id=n.blob_id JOIN c_members m ON m.blob_id=n.blob_id AND m.n=t.n LEFT JOIN blobs b ON b.blob_id=m.child
	WHERE n.scan_id=(SELECT scan_id FROM cur) AND t.sha256 NOT NULL ORDER BY n.node_id, t.n;
-- The file tells of the payload in the same folder. CROSS JOIN: payloads are few and places many, and the planner cannot know.
DROP TABLE IF EXISTS temp.told;
CREATE TEMP TABLE told AS SELECT p.node_id, p.path, p.blob_id AS payload, c.key, c.value FROM c_payload_info i
	CROSS JOIN places p ON p.blob_id=i.blob_id CROSS JOIN places q ON q.node_id=p.node_id AND q.scan_id=p.scan_id AND q.path=substr(p.path, 1, length(p.path)-length(p.name))||'payload_properties.txt'
	JOIN c_payload_properties c ON c.blob_id=q.blob_id WHERE p.scan_id=(SELECT scan_id FROM cur);
INSERT INTO d_payload_checks SELECT (SELECT scan_id FROM cur), node_id, path, key, value, found,
	CASE WHEN found IS NULL THEN 'not computed' WHEN found=value THEN 'ok' ELSE 'differs' END
	FROM (SELECT t.*, CASE t.key WHEN 'FILE_HASH' THEN gh_base64(lower(hex(b.sha256))) WHEN 'FILE_SIZE' THEN CAST(b.size AS TEXT)
		WHEN 'METADATA_HASH' THEN gh_base64(i.metadata_sha256) ELSE CAST(i.metadata_size AS TEXT) END AS found
		FROM temp.told t JOIN blobs b ON b.blob_id=t.payload JOIN c_payload_info i ON i.blob_id=t.payload
		WHERE t.key IN ('FILE_HASH','FILE_SIZE','METADATA_HASH','METADATA_SIZE')) ORDER BY node_id, path, key;
DROP TABLE temp.told;
