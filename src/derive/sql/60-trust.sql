-- SPDX-License-Identifier: Apache-2.0
-- Whom the phone trusts: certificate authorities of the system stores, and who may sign updates. Reads c_certs, c_members, ca_roots;
-- makes d_ca, d_ota_certs, and the maker's role of those who also sign updates.
INSERT INTO d_ca SELECT p.scan_id, p.place_id, c.n, c.blob_id,
		CASE WHEN p.image LIKE 'apex:%conscrypt' THEN 'apex_conscrypt' WHEN p.dpath LIKE '%/cacerts_google/%' THEN 'apex_google'
			WHEN p.dpath LIKE '%/cacerts_wfa/%' THEN 'wfa' ELSE 'system' END,
		EXISTS(SELECT 1 FROM ca_roots r WHERE r.sha256=c.sha256)
	FROM places p JOIN c_certs c USING(blob_id) WHERE p.scan_id=(SELECT scan_id FROM cur)
		AND (p.dpath LIKE '%/etc/security/cacerts/%' OR p.dpath LIKE '%/etc/security/cacerts\_%' ESCAPE '\' OR p.dpath LIKE '/apex/%conscrypt/cacerts/%');
INSERT INTO d_ota_certs SELECT DISTINCT p.scan_id, p.place_id, c.sha256, c.subject FROM places p JOIN c_members m ON m.blob_id=p.blob_id
	JOIN c_certs c ON c.blob_id=m.child WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.name='otacerts.zip';
INSERT INTO d_ota_certs SELECT DISTINCT p.scan_id, p.place_id, c.sha256, c.subject FROM places p JOIN c_certs c USING(blob_id)
	WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.dpath LIKE '%/update_engine/%' AND p.name LIKE '%.pem';
-- Whoever signs the system's updates makes the system. In Android's own build the key of most apps is also the key of updates.
UPDATE d_apks SET signer_role='oem' WHERE scan_id=(SELECT scan_id FROM cur) AND signer_role='third' AND EXISTS(SELECT 1 FROM d_apk_signers s
	JOIN d_ota_certs o ON o.scan_id=s.scan_id AND o.cert_sha256=s.cert_sha256 WHERE s.scan_id=d_apks.scan_id AND s.place_id=d_apks.place_id AND s.state IN ('verified','stripped'));
