-- SPDX-License-Identifier: Apache-2.0
-- Who signed an update's payload: by the keys that may sign updates of the system at hand, and by the certificate that lies in the package
-- beside it. Reads places, c_payload_sigs, c_certs, d_ota_certs; makes d_payload_sigs.
DROP TABLE IF EXISTS temp.update_keys;
CREATE TEMP TABLE update_keys AS
	SELECT DISTINCT NULL AS node_id, 'system' AS whose, c.sha256, c.subject, c.spki FROM d_ota_certs o JOIN c_certs c ON c.sha256=o.cert_sha256
		WHERE o.scan_id=(SELECT scan_id FROM cur) AND c.spki NOT NULL
	UNION ALL SELECT DISTINCT p.node_id, 'package', c.sha256, c.subject, c.spki FROM (SELECT DISTINCT q.node_id FROM c_payload_sigs s CROSS JOIN places q USING(blob_id)) f
		CROSS JOIN places p ON p.node_id=f.node_id JOIN c_certs c USING(blob_id) WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.name='otacert' AND c.spki NOT NULL;
-- The system's own key first: it is what the phone goes by.
INSERT INTO d_payload_sigs SELECT (SELECT scan_id FROM cur), place_id, n, at, what, sha256,
	CASE WHEN keys=0 THEN 'no key' WHEN key IS NULL THEN 'no key fits' ELSE 'verified' END, (SELECT whose FROM update_keys WHERE rowid=key),
	(SELECT sha256 FROM update_keys WHERE rowid=key), (SELECT subject FROM update_keys WHERE rowid=key), keys
	FROM (SELECT p.place_id, s.n, s.at, s.what, s.sha256,
		(SELECT count(*) FROM update_keys k WHERE k.node_id IS NULL OR k.node_id=p.node_id) AS keys,
		(SELECT k.rowid FROM update_keys k WHERE (k.node_id IS NULL OR k.node_id=p.node_id) AND gh_signed(k.spki, s.sha256, s.signature)
			ORDER BY k.whose='package', k.sha256 LIMIT 1) AS key
		FROM c_payload_sigs s CROSS JOIN places p USING(blob_id) WHERE p.scan_id=(SELECT scan_id FROM cur)) ORDER BY place_id, n;
DROP TABLE temp.update_keys;
