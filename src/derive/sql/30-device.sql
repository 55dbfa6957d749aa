-- SPDX-License-Identifier: Apache-2.0
-- What the device says it is. Reads c_properties; makes d_device. The first image that says a property speaks: system, then product,
-- vendor, odm, ramdisk; other names of a property come after its own.
DROP TABLE IF EXISTS temp.props;
CREATE TEMP TABLE props AS SELECT c.key, c.value, p.place_id, p.image, CASE p.image WHEN 'system' THEN 0 WHEN 'product' THEN 1 WHEN 'vendor' THEN 2 WHEN 'odm' THEN 3
	ELSE 4 END AS rank FROM places p JOIN c_properties c USING(blob_id)
	WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND c.key LIKE 'ro.%' AND p.image NOT LIKE 'ramdisk:recovery%'
	-- loaded, as in the view of properties
	AND ((p.name IN ('build.prop','default.prop','prop.default','local.prop','oem.prop','factory.prop') AND length(p.dpath)-length(replace(p.dpath,'/',''))<=4)
		OR p.dpath IN (SELECT i.value FROM c_properties i WHERE i.key='import'));
DROP TABLE IF EXISTS temp.wanted;
CREATE TEMP TABLE wanted(key TEXT, prop TEXT, pref INTEGER);
INSERT INTO wanted VALUES
	('fingerprint','ro.build.fingerprint',0),('fingerprint','ro.system.build.fingerprint',1),('fingerprint','ro.product.build.fingerprint',2),('fingerprint','ro.vendor.build.fingerprint',3),
	('sdk','ro.build.version.sdk',0),('sdk','ro.system.build.version.sdk',1),('sdk','ro.vendor.build.version.sdk',2),
	('release','ro.build.version.release',0),('release','ro.system.build.version.release',1),
	('build_type','ro.build.type',0),('build_type','ro.system.build.type',1),('build_type','ro.vendor.build.type',2),
	('build_tags','ro.build.tags',0),('build_tags','ro.system.build.tags',1),('build_tags','ro.vendor.build.tags',2),
	('brand','ro.product.brand',0),('brand','ro.product.system.brand',2),('brand','ro.product.product.brand',1),('brand','ro.product.vendor.brand',3),
	('model','ro.product.model',0),('model','ro.product.product.model',1),('model','ro.product.vendor.model',2),('model','ro.product.system.model',3),
	('device','ro.product.device',0),('device','ro.product.product.device',1),('device','ro.product.vendor.device',2),('device','ro.product.system.device',3),
	('manufacturer','ro.product.manufacturer',0),('manufacturer','ro.product.vendor.manufacturer',1),('manufacturer','ro.product.system.manufacturer',2),
	('security_patch','ro.build.version.security_patch',0),('security_patch','ro.vendor.build.security_patch',1),
	('incremental','ro.build.version.incremental',0),('incremental','ro.system.build.version.incremental',1),
	('build_id','ro.build.display.id',0),('build_id','ro.build.id',1),
	('soc','ro.board.platform',0),('soc','ro.soc.model',1),('soc','ro.hardware',2),
	('lineage','ro.lineage.version',0),('gsid','ro.gsid.image_running',0);
INSERT INTO d_device SELECT (SELECT scan_id FROM cur), key, value, place_id FROM (
	SELECT w.key, p.value, p.place_id, row_number() OVER (PARTITION BY w.key ORDER BY w.pref, p.rank, p.place_id) AS r
	FROM wanted w JOIN props p ON p.key=w.prop WHERE p.value<>'') WHERE r=1 ORDER BY key;
DROP TABLE temp.props;
DROP TABLE temp.wanted;
