-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B28
--@ title: The build names one maker, and its signing keys belong to another
--@ severity: medium
--@ axis: provenance
--@ certainty: able
--@ witness: a signature
--@ needs: plugin apk, plugin cert, plugin avb, plugin properties, verified signers, verified lists, knowledge known_keys, knowledge brand_families
--@ case: a public dump of a BLU phone whose platform key is Gionee's; counterfeit phones, 2025
--@ lookalike: sister brands of one maker are one family in data/brand_families.tsv; what a chip maker left unchanged names nobody; a key
--|  that no list knows is not matched; home-built systems that borrow a name are told as info
--@ explain: Who holds the platform key can give any app the rights of the system, and makes the updates. The build says one maker's name, and the
--|  key is known from phones of another maker. So somebody else than the name on the box decides what the system is.
--|
--|  Many brands have their phones built by a contract maker who also signs the software: that is an ordinary reason. Counterfeit phones look
--|  the same. The key is known from a public copy of a phone's software, and from nothing else.
--@ verify: gifthorse cat {input} {path} > x.apk && apksigner verify --print-certs x.apk   # against data/known_keys.tsv
--@ next: Keep the firmware file and this report. Ask the seller or the brand who built the phone, and whose updates it takes.
WITH fw(cert, file_id) AS (
  SELECT lower(g.cert_sha256), min(a.file_id) FROM apks a JOIN apk_signers g ON g.apk_id=a.apk_id
  WHERE a.package='android' AND g.state IN ('verified','stripped') GROUP BY 1),
bycert(cert, file_id, n) AS (
  SELECT lower(g.cert_sha256), min(a.file_id), count(DISTINCT a.apk_id) FROM apks a JOIN apk_signers g ON g.apk_id=a.apk_id
  WHERE a.shared_uid='android.uid.system' AND g.state IN ('verified','stripped') AND NOT EXISTS (SELECT 1 FROM fw) GROUP BY 1),
keys(digest, file_id, at, what) AS (
  SELECT cert, file_id, NULL, 'platform key' FROM fw
  UNION ALL
  SELECT cert, file_id, NULL, 'platform key' FROM bycert WHERE n>=2 AND 2*n>(SELECT count(DISTINCT apk_id) FROM apks WHERE shared_uid='android.uid.system')
  UNION ALL
  SELECT key_sha1, file_id, at, 'key of verified boot' FROM avb WHERE kind='vbmeta' AND partition='vbmeta' AND state='verified'),
said(brand, family) AS (
  SELECT DISTINCT x.brand, COALESCE((SELECT b.family FROM brand_families b WHERE b.brand=x.brand), x.brand) FROM (
    SELECT lower(CASE WHEN key LIKE '%fingerprint' THEN substr(value,1,instr(value,'/')-1) ELSE value END) AS brand FROM properties
    WHERE loaded=1 AND value<>'' AND (key IN ('ro.product.brand','ro.product.manufacturer') OR key GLOB 'ro.product.*.brand' OR key GLOB 'ro.product.*.manufacturer'
      OR (key GLOB 'ro.*fingerprint' AND instr(value,'/')>1))) x),
named(digest, maker, name) AS (
  SELECT digest, min(maker), min(name) FROM known_keys WHERE role IN ('platform','google','boot') AND maker<>'' GROUP BY digest HAVING count(DISTINCT maker)=1),
borrowed(yes) AS (
  SELECT EXISTS (SELECT 1 FROM properties WHERE key LIKE 'ro.lineage.%' OR key LIKE 'ro.gsid%' OR key='ro.modversion'))
SELECT k.file_id AS file_id, k.at AS at,
       printf('%s %s, known to us as %s, the build says %s', k.what, k.digest, n.name,
              (SELECT group_concat(brand, ', ') FROM (SELECT brand FROM said WHERE family<>'reference' ORDER BY brand))) AS evidence,
       CASE WHEN w.yes THEN 'info' END AS severity, k.what AS subject
FROM keys k JOIN named n ON n.digest=k.digest, borrowed w
WHERE EXISTS (SELECT 1 FROM said WHERE family<>'reference') AND NOT EXISTS (SELECT 1 FROM said WHERE family=n.maker);
