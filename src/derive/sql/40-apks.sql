-- SPDX-License-Identifier: Apache-2.0
-- Packages: each APK at its place with its manifest, its signers, and what it may do. Reads c_members, c_manifests, c_apk_sigs, c_apk_checks,
-- c_certs, c_privapp, known_keys; makes d_apks, d_apk_signers, d_apk_permissions, d_uid_permissions.
DROP TABLE IF EXISTS temp.with_manifest;
CREATE TEMP TABLE with_manifest AS SELECT m.blob_id, m.child AS manifest FROM c_members m JOIN c_manifests x ON x.blob_id=m.child
	WHERE m.name='AndroidManifest.xml' GROUP BY m.blob_id;
CREATE INDEX temp.with_manifest_blob ON with_manifest(blob_id);
INSERT OR IGNORE INTO d_apks
	SELECT p.scan_id, p.place_id, w.manifest, x.package, x.version_code, x.version_name, x.shared_uid, x.min_sdk, x.target_sdk,
		coalesce(p.dpath NOT LIKE '/data/%' AND p.image<>'', 0),
		coalesce(p.dpath LIKE '%/priv-app/%' OR p.dpath='/system/framework/framework-res.apk', 0), x.persistent, x.debuggable, x.cleartext, x.has_launcher,
		x.has_code, x.overlay_target NOT NULL, x.enabled,
		CASE WHEN EXISTS(SELECT 1 FROM c_members c WHERE c.blob_id=p.blob_id AND c.name GLOB 'classes*.dex') THEN 'dex'
			ELSE '' END, NULL, NULL
	FROM places p JOIN with_manifest w ON w.blob_id=p.blob_id JOIN c_manifests x ON x.blob_id=w.manifest
	WHERE p.scan_id=(SELECT scan_id FROM cur);
DROP TABLE temp.with_manifest;

-- What this release of Android goes by, and what verifying it gave. A later release than is known is taken where none is said.
DROP TABLE IF EXISTS temp.went;
CREATE TEMP TABLE went AS SELECT a.place_id, c.state, lower(coalesce(c.certs,'')) AS certs FROM d_apks a JOIN places p USING(place_id) JOIN c_apk_checks c ON c.blob_id=p.blob_id
	WHERE a.scan_id=(SELECT scan_id FROM cur) AND c.scheme='android' AND max(coalesce((SELECT CAST(value AS INTEGER) FROM d_device WHERE scan_id=a.scan_id AND key='sdk'),
		2147483647), coalesce(a.min_sdk,1)) BETWEEN c.min_sdk AND coalesce(c.max_sdk,2147483647) GROUP BY a.place_id;
CREATE INDEX temp.went_place ON went(place_id);
UPDATE d_apks SET signer_state=coalesce((SELECT state FROM went w WHERE w.place_id=d_apks.place_id),
	(SELECT 'unsigned' FROM places p JOIN blob_runs r ON r.blob_id=p.blob_id AND r.plugin='apk' AND r.status='ok' WHERE p.place_id=d_apks.place_id)) WHERE scan_id=(SELECT scan_id FROM cur);
-- Signers: what the signing block names, and the certificates that a JAR signature names; that is a claim. The state says what became of it.
INSERT INTO d_apk_signers SELECT x.*, CASE WHEN w.place_id IS NULL THEN 'not used' WHEN instr(w.certs, lower(x.cert_sha256))>0 OR w.certs='' THEN w.state ELSE 'not used' END FROM (
	SELECT DISTINCT a.scan_id, a.place_id, s.scheme, s.cert_sha256, c.subject, c.key_bits, s.algorithms
	FROM d_apks a JOIN places p USING(place_id) JOIN c_apk_sigs s ON s.blob_id=p.blob_id
	LEFT JOIN c_certs c ON c.blob_id=p.blob_id AND c.sha256=s.cert_sha256 WHERE a.scan_id=(SELECT scan_id FROM cur)
	UNION SELECT a.scan_id, a.place_id, 1, c.sha256, c.subject, c.key_bits, c.sigalg
	FROM d_apks a JOIN places p USING(place_id) JOIN c_members m ON m.blob_id=p.blob_id JOIN c_certs c ON c.blob_id=m.child
	WHERE a.scan_id=(SELECT scan_id FROM cur) AND m.name LIKE 'META-INF/%' AND (m.name LIKE '%.RSA' OR m.name LIKE '%.DSA' OR m.name LIKE '%.EC')
		AND c.container='pkcs7' AND coalesce(c.signer,1)=1 ORDER BY 2, 3, 4) x LEFT JOIN went w USING(place_id);
DROP TABLE temp.went;

-- Whose key it is, by signatures that hold (of a stripped package: in what is left): keys whose private half is public, then the platform's
-- (framework-res, package android; where that is not there, the key of most packages with the system's own uid), then Google's, then keys
-- that also sign for a system uid.
DROP TABLE IF EXISTS temp.by_key;
CREATE TEMP TABLE by_key AS SELECT DISTINCT place_id, lower(cert_sha256) AS cert_sha256 FROM d_apk_signers WHERE scan_id=(SELECT scan_id FROM cur) AND state IN ('verified','stripped');
CREATE INDEX temp.by_key_place ON by_key(place_id);
DROP TABLE IF EXISTS temp.platform;
CREATE TEMP TABLE platform AS SELECT DISTINCT k.cert_sha256 FROM d_apks a JOIN by_key k USING(place_id)
	WHERE a.scan_id=(SELECT scan_id FROM cur) AND a.package='android' AND a.is_system=1;
INSERT INTO platform SELECT cert_sha256 FROM (SELECT k.cert_sha256, count(DISTINCT a.place_id) AS n FROM d_apks a JOIN by_key k USING(place_id)
		WHERE a.scan_id=(SELECT scan_id FROM cur) AND a.is_system=1 AND a.shared_uid='android.uid.system' GROUP BY 1)
	WHERE NOT EXISTS(SELECT 1 FROM platform) AND n>=2 AND 2*n>(SELECT count(DISTINCT a.place_id) FROM d_apks a JOIN by_key k USING(place_id)
		WHERE a.scan_id=(SELECT scan_id FROM cur) AND a.is_system=1 AND a.shared_uid='android.uid.system');
DROP TABLE IF EXISTS temp.oem;
CREATE TEMP TABLE oem AS SELECT DISTINCT k.cert_sha256 FROM d_apks a JOIN by_key k USING(place_id)
	WHERE a.scan_id=(SELECT scan_id FROM cur) AND a.is_system=1 AND a.shared_uid IN ('android.uid.system','android.uid.phone','android.uid.shared',
		'android.media','android.uid.networkstack','android.uid.bluetooth','android.uid.nfc','android.uid.shell');
UPDATE d_apks SET signer_role=(SELECT CASE
		WHEN NOT EXISTS(SELECT 1 FROM by_key s WHERE s.place_id=d_apks.place_id) THEN 'unknown'
		WHEN EXISTS(SELECT 1 FROM by_key s JOIN known_keys k ON k.digest=s.cert_sha256 WHERE s.place_id=d_apks.place_id AND k.role='test') THEN 'aosp_test'
		WHEN EXISTS(SELECT 1 FROM by_key s JOIN platform USING(cert_sha256) WHERE s.place_id=d_apks.place_id) THEN 'platform'
		WHEN EXISTS(SELECT 1 FROM by_key s JOIN known_keys k ON k.digest=s.cert_sha256 WHERE s.place_id=d_apks.place_id AND k.role LIKE 'google%') THEN 'google'
		WHEN EXISTS(SELECT 1 FROM by_key s JOIN oem USING(cert_sha256) WHERE s.place_id=d_apks.place_id) THEN 'oem'
		ELSE 'third' END) WHERE scan_id=(SELECT scan_id FROM cur);
-- Since Android 9 the certificates of what lies in a system partition are believed without verifying: rights go by what a package names.
DROP TABLE IF EXISTS temp.believed;
CREATE TEMP TABLE believed AS SELECT DISTINCT s.place_id FROM d_apk_signers s WHERE s.scan_id=(SELECT scan_id FROM cur) AND lower(s.cert_sha256) IN (
	SELECT cert_sha256 FROM platform UNION SELECT lower(g.cert_sha256) FROM d_apks a JOIN d_apk_signers g USING(scan_id, place_id)
		WHERE a.scan_id=(SELECT scan_id FROM cur) AND a.package='android' AND a.is_system=1);
CREATE INDEX temp.believed_place ON believed(place_id);

-- Permissions: asked for, defined, and granted by the rules of the package manager as far as an image shows them.
INSERT INTO d_apk_permissions SELECT a.scan_id, a.place_id, c.name, c.how, c.protection FROM d_apks a
	JOIN c_manifest_permissions c ON c.blob_id=a.manifest WHERE a.scan_id=(SELECT scan_id FROM cur);
DROP TABLE IF EXISTS temp.defined;
CREATE TEMP TABLE defined AS SELECT d.name, min(d.protection) AS protection FROM d_apk_permissions d JOIN d_apks a USING(scan_id, place_id)
	WHERE d.scan_id=(SELECT scan_id FROM cur) AND d.how='defines' GROUP BY d.name;
CREATE INDEX temp.defined_name ON defined(name);
DROP TABLE IF EXISTS temp.allowed;
CREATE TEMP TABLE allowed AS SELECT DISTINCT c.package, c.permission FROM places p JOIN c_privapp c USING(blob_id)
	WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND c.deny=0;
INSERT INTO d_apk_permissions SELECT u.scan_id, u.place_id, u.name, 'granted', d.protection FROM d_apk_permissions u JOIN d_apks a USING(scan_id, place_id)
	LEFT JOIN defined d ON d.name=u.name WHERE u.scan_id=(SELECT scan_id FROM cur) AND u.how='uses' AND (
		coalesce(d.protection,'') LIKE 'normal%'
		OR (u.place_id IN (SELECT place_id FROM believed) AND coalesce(d.protection,'signature') LIKE '%signature%')
		OR (a.is_priv=1 AND coalesce(d.protection,'signature|privileged') LIKE '%privileged%' AND
			(NOT EXISTS(SELECT 1 FROM allowed) OR EXISTS(SELECT 1 FROM allowed w WHERE w.package=a.package AND w.permission=u.name)))
		OR (d.name IS NULL AND u.name IN ('android.permission.INTERNET','android.permission.RECEIVE_BOOT_COMPLETED','android.permission.WAKE_LOCK',
			'android.permission.ACCESS_NETWORK_STATE','android.permission.FOREGROUND_SERVICE')));
-- A permission belongs to a uid, not to a package: what one holds, all of the same shared uid hold. The system uid holds everything.
INSERT INTO d_uid_permissions SELECT DISTINCT a.scan_id, a.place_id, p.name FROM d_apks a JOIN d_apks b ON b.scan_id=a.scan_id AND
		(b.place_id=a.place_id OR b.shared_uid=a.shared_uid) JOIN d_apk_permissions p ON p.place_id=b.place_id AND p.how='granted' AND p.scan_id=a.scan_id
	WHERE a.scan_id=(SELECT scan_id FROM cur)
	UNION SELECT a.scan_id, a.place_id, v.column1 FROM d_apks a, (VALUES('android.permission.INSTALL_PACKAGES'),('android.permission.DELETE_PACKAGES'),
		('android.permission.REBOOT'),('android.permission.RECOVERY'),('android.permission.INJECT_EVENTS'),('android.permission.READ_FRAME_BUFFER'),
		('android.permission.WRITE_SECURE_SETTINGS'),('android.permission.INTERNET')) v
	WHERE a.scan_id=(SELECT scan_id FROM cur) AND a.shared_uid='android.uid.system';
DROP TABLE temp.defined;
DROP TABLE temp.allowed;
DROP TABLE temp.believed;

-- APEX packages: the key inside (its vbmeta), the certificate of the container, and what verifying them gave.
DROP TABLE IF EXISTS temp.inside;
CREATE TEMP TABLE inside AS SELECT m.blob_id, m.name, m.child FROM c_members m WHERE m.name IN ('apex_pubkey','apex_manifest.pb','original_apex');
CREATE INDEX temp.inside_blob ON inside(blob_id, name);
INSERT INTO d_apex SELECT p.scan_id, p.place_id, substr(i.image, 6), v.pubkey_sha1, s.cert_sha256,
		(SELECT min(c.version) FROM inside x JOIN c_apex_manifests c ON c.blob_id=x.child WHERE x.blob_id=n.blob_id AND x.name='apex_manifest.pb'),
		coalesce((SELECT c.state FROM c_apk_checks c WHERE c.blob_id=n.blob_id AND c.scheme='android' AND coalesce((SELECT CAST(value AS INTEGER) FROM d_device
			WHERE scan_id=n.scan_id AND key='sdk'), 2147483647) BETWEEN c.min_sdk AND coalesce(c.max_sdk, 2147483647)), 'unsigned'),
		v.state, (SELECT min(c.state) FROM c_verity_checks c WHERE c.blob_id=i.blob_id),
		(SELECT CASE WHEN lower(k.sha1)=lower(v.pubkey_sha1) THEN 'same' ELSE 'other' END FROM inside x JOIN c_avb_keys k ON k.blob_id=x.child
			WHERE x.blob_id=n.blob_id AND x.name='apex_pubkey'),
		(SELECT CASE WHEN lower(c.original_digest)=(SELECT min(lower(y.digest)) FROM c_verity_checks y WHERE y.blob_id=i.blob_id) THEN 'same' ELSE 'other' END
			FROM inside o JOIN inside x ON x.blob_id=o.blob_id AND x.name='apex_manifest.pb' JOIN c_apex_manifests c ON c.blob_id=x.child
			WHERE o.child=n.blob_id AND o.name='original_apex' AND c.original_digest NOT NULL)
	FROM nodes n JOIN nodes i ON i.parent_id=n.node_id AND i.kind='fs' LEFT JOIN nodes u ON u.node_id=n.parent_id
	JOIN places p ON p.scan_id=n.scan_id AND p.blob_id=CASE WHEN gh_base(n.name)='original_apex' THEN u.blob_id ELSE n.blob_id END
	LEFT JOIN c_avb_images v ON v.blob_id=i.blob_id LEFT JOIN c_apk_sigs s ON s.blob_id=n.blob_id
	WHERE n.scan_id=(SELECT scan_id FROM cur) AND n.kind='apex' GROUP BY p.place_id, v.pubkey_sha1, s.cert_sha256;
DROP TABLE temp.inside;
