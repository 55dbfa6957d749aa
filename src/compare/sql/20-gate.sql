-- SPDX-License-Identifier: Apache-2.0
-- COMPARE: are both the same build? Reads temp.here2, things, c_properties, c_avb_images, c_avb_descriptors; makes temp.gate.
-- weight 2: where it differs it is another build; 1: where it differs parts contradict each other; 0: told only.
DROP TABLE IF EXISTS temp.said;
CREATE TEMP TABLE said AS SELECT DISTINCT h.side, c.key, c.value FROM here2 h JOIN c_properties c USING(blob_id)
	WHERE h.image<>'' AND h.image NOT LIKE 'ramdisk:recovery%' AND h.image NOT LIKE 'apex:%' AND c.value<>'' AND h.name IN ('build.prop','default.prop','prop.default')
	AND length(h.dpath)-length(replace(h.dpath,'/',''))<=4 AND c.key LIKE 'ro.%';
DROP TABLE IF EXISTS temp.asked;
CREATE TEMP TABLE asked AS SELECT side, 'build' AS class, key, value,
		CASE WHEN key IN ('ro.build.fingerprint','ro.system.build.fingerprint','ro.build.version.incremental','ro.system.build.version.incremental') THEN 2 ELSE 1 END AS weight
		FROM said WHERE key LIKE 'ro.%fingerprint' OR key LIKE 'ro.%build.version.incremental'
	UNION SELECT side, 'patch level', key, value, CASE WHEN key IN ('ro.build.version.security_patch','ro.system.build.version.security_patch') THEN 2 ELSE 1 END
		FROM said WHERE key LIKE 'ro.%security_patch'
	UNION SELECT side, 'build date', key, value, CASE WHEN key IN ('ro.build.date.utc','ro.system.build.date.utc') THEN 2 ELSE 1 END FROM said WHERE key LIKE 'ro.%build.date.utc'
	UNION SELECT side, 'product or region', key, value, 2 FROM said WHERE key IN ('ro.product.name','ro.product.device','ro.product.locale','ro.product.locale.region',
		'ro.miui.region','ro.product.mod_device','ro.carrier','ro.build.product') OR key GLOB 'ro.product.*.name' OR key GLOB 'ro.product.*.device' OR key LIKE 'ro.csc.%'
		OR key GLOB 'ro.*region' OR key GLOB 'ro.*regionmark' OR key GLOB 'ro.*country*code'
	UNION SELECT h.side, 'build', d.partition, d.digest, 1 FROM here2 h JOIN c_avb_descriptors d USING(blob_id) WHERE d.kind='property'
		AND d.partition LIKE 'com.android.build.%fingerprint'
	-- What a boot loader computes over all signed lists: from the lists, or as the running phone reports it.
	UNION SELECT s.side, 'signed lists', 'ro.boot.vbmeta.digest', coalesce((SELECT min(lower(d.value)) FROM d_device d WHERE d.scan_id=s.scan_id AND d.key='vbmeta_digest'),
		(SELECT min(lower(c.value)) FROM here2 h JOIN c_live_properties c USING(blob_id) WHERE h.side=s.side AND c.key='ro.boot.vbmeta.digest' AND c.value<>'')), 1 FROM sides s
	UNION SELECT h.side, 'patch level', d.partition, d.digest, 1 FROM here2 h JOIN c_avb_descriptors d USING(blob_id) WHERE d.kind='property'
		AND d.partition LIKE 'com.android.build.%security_patch';
DELETE FROM asked WHERE value IS NULL;
-- What verified boot vouches for: everything that a vbmeta image says, in its order.
DROP TABLE IF EXISTS temp.vouched;
CREATE TEMP TABLE vouched AS SELECT t.side, t.image, t.content, (SELECT group_concat(x, '|') FROM (SELECT i.algorithm||' '||coalesce(i.pubkey_sha1,'')||' '||i.flags||' '||i.rollback AS x
		FROM c_avb_images i WHERE i.blob_id=t.blob_id ORDER BY i.n))||'|'||coalesce((SELECT group_concat(x, '|') FROM (SELECT d.kind||' '||coalesce(d.partition,'')||' '||
		coalesce(d.digest,'')||' '||coalesce(d.salt,'')||' '||coalesce(d.flags,0) AS x FROM c_avb_descriptors d WHERE d.blob_id=t.blob_id ORDER BY d.n)),'') AS says
	FROM things t WHERE t.kind='partition' AND t.rn=1 AND EXISTS(SELECT 1 FROM c_avb_images i WHERE i.blob_id=t.blob_id AND i.footer=0);
DROP TABLE IF EXISTS temp.gate;
CREATE TEMP TABLE gate AS SELECT class, key, max(weight) AS weight,
	(SELECT group_concat(value, ' | ') FROM (SELECT value FROM asked x WHERE x.side='A' AND x.key=k.key ORDER BY value)) AS a,
	(SELECT group_concat(value, ' | ') FROM (SELECT value FROM asked x WHERE x.side='B' AND x.key=k.key ORDER BY value)) AS b, NULL AS state FROM asked k GROUP BY class, key
	UNION ALL SELECT 'verified boot', v.image, 0, (SELECT content FROM vouched x WHERE x.side='A' AND x.image=v.image), (SELECT content FROM vouched x WHERE x.side='B' AND x.image=v.image),
		CASE WHEN (SELECT says FROM vouched x WHERE x.side='A' AND x.image=v.image)=(SELECT says FROM vouched x WHERE x.side='B' AND x.image=v.image) THEN 'same' END
	FROM vouched v GROUP BY v.image;
UPDATE gate SET state=CASE WHEN a IS NULL OR b IS NULL THEN 'one side' WHEN a=b THEN 'same' ELSE 'differs' END WHERE state IS NULL;
DROP TABLE IF EXISTS temp.gated;
CREATE TEMP TABLE gated AS SELECT CASE
	WHEN EXISTS(SELECT 1 FROM gate WHERE state='differs' AND weight=2) THEN 'different'
	WHEN EXISTS(SELECT 1 FROM gate WHERE state='differs' AND weight=1) THEN 'contradicts'
	WHEN EXISTS(SELECT 1 FROM gate WHERE state='same' AND class='build') OR EXISTS(SELECT 1 FROM gate WHERE state='same' AND key IN ('vbmeta','ro.boot.vbmeta.digest')) THEN 'same'
	ELSE 'unknown' END AS state;
