-- SPDX-License-Identifier: Apache-2.0
-- COMPARE: what a difference is about, and which ones honest units of one build have. Reads temp.diff, places, d_zygote, d_apks; sets grp, of_unit,
-- note, and makes temp.differences, in order. The groups' names are in words.c.
DROP TABLE IF EXISTS temp.priv;
CREATE TEMP TABLE priv AS SELECT place_id FROM d_apks WHERE is_priv=1 OR signer_role='platform' OR shared_uid LIKE 'android.uid.%';
UPDATE diff SET grp=CASE
	WHEN what='partition' AND kind<>'changed' THEN 11
	WHEN what='partition' AND (image LIKE '%boot%' OR image LIKE 'vbmeta%' OR image LIKE 'recovery%' OR image LIKE 'dtb%') THEN 4
	WHEN what='partition' THEN 10
	WHEN key LIKE 'beside %' THEN 12
	WHEN dpath LIKE '%.prop' OR dpath LIKE '%/prop.default' THEN 7
	WHEN image LIKE 'ramdisk:%' THEN 4
	WHEN EXISTS(SELECT 1 FROM d_zygote z WHERE z.place_id IN (diff.a, diff.b)) OR dpath GLOB '*/framework/*' OR dpath GLOB '/apex/*/javalib/*' THEN 1
	WHEN EXISTS(SELECT 1 FROM places p WHERE p.place_id IN (diff.a, diff.b) AND p.ftype='file' AND p.attrs=1 AND (p.mode & 3072 OR p.caps>0)) THEN 2
	WHEN dpath LIKE '%/priv-app/%' OR a IN (SELECT place_id FROM priv) OR b IN (SELECT place_id FROM priv) THEN 3
	WHEN dpath GLOB '*.rc' OR dpath GLOB '*/etc/init/*' OR dpath GLOB '*fstab*' OR dpath GLOB '*.sh' OR dpath GLOB '*/etc/selinux/*' OR dpath GLOB '*.ko' OR dpath GLOB '*/modules.load*' THEN 4
	WHEN dpath GLOB '*/cacerts*' OR dpath GLOB '*/otacerts*' OR dpath GLOB '*/etc/security/*' OR dpath GLOB '*adb_keys*' OR dpath GLOB '*authorized_keys*' OR dpath GLOB '*/passwd'
		OR dpath GLOB '*/shadow' OR dpath GLOB '*/etc/hosts' OR dpath GLOB '*mac_permissions*' OR dpath LIKE '/system/apex/%' THEN 5
	WHEN dpath GLOB '*/permissions/*' OR dpath GLOB '*/sysconfig/*' OR dpath GLOB '*/default-permissions/*' THEN 6
	WHEN dpath GLOB '*.apk' OR dpath GLOB '*/app/*' THEN 9
	WHEN EXISTS(SELECT 1 FROM blobs b WHERE b.blob_id IN (blob_a, blob_b) AND b.format IN ('elf','oat','script')) OR dpath GLOB '*/bin/*' OR dpath GLOB '*/xbin/*' OR dpath GLOB '*/lib*/*' THEN 8
	ELSE 12 END;
-- Of the single unit: what is calibrated, counted or written in the factory, and what is written while the phone is used.
UPDATE diff SET of_unit=1, note='written in the factory for the single unit: calibration, numbers, counters' WHERE lower(image) IN ('persist','mnt_persist','modemst1','modemst2','fsg','fsc',
	'nvram','nvdata','nvcfg','nvbk','protect1','protect2','protect_f','protect_s','proinfo','frp','misc','para','param','efs','sec_efs','cpefs','devinfo','seccfg','persistent','keydata','keyrefuge',
	'dip','cid','utags','hob','dhob','oeminfo','ssd','rpmb','metadata','steady','bk1','miscdata','prodnv','l_fixnv1','l_fixnv2','l_runtimenv1','l_runtimenv2','factory','sp','hyp_persist','splash2')
	OR dpath GLOB '/mnt/vendor/persist/*' OR dpath GLOB '/persist/*' OR dpath GLOB '/efs/*' OR dpath GLOB '/vendor/nvdata/*' OR dpath GLOB '/vendor/protect_[fs]/*' OR dpath GLOB '/factory/*';
UPDATE diff SET of_unit=1, note='written while the phone is used' WHERE lower(image) IN ('data','userdata','cache','rescue') OR dpath GLOB '/data/*' OR dpath GLOB '/cache/*' OR dpath GLOB '/metadata/*';
UPDATE diff SET note='differs also between a build for the factory or for tests and the one that is sold: ask which one each side is' WHERE note IS NULL AND dpath GLOB '*/otacerts.zip';
UPDATE diff SET grp=13 WHERE of_unit;
DROP TABLE IF EXISTS temp.differences;
CREATE TEMP TABLE differences AS SELECT row_number() OVER (ORDER BY grp, what<>'partition', place, rn, kind) AS n, * FROM diff;
CREATE INDEX temp.fields_id ON fields(id);
