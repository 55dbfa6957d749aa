-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B09
--@ title: The build contradicts itself about what it is
--@ severity: high
--@ axis: provenance
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin properties, user-build, knowledge brand_families
--@ case: T95 television box, 2023, which called itself a Pixel 2; counterfeit phones, 2025
--@ lookalike: sister brands of one maker (Redmi and Xiaomi, realme and OPPO) are one family in data/brand_families.tsv; values
--|  that a chip maker's or a generic system left unchanged are not another maker; property files that nothing loads (copies,
--|  overlays of a carrier) do not count; LineageOS and generic system images borrow the original's fingerprint: told as info
--@ explain: A build says in several places who made it, for which device, and with which keys it was signed. Here these
--|  statements do not agree: a finished build says that it was signed with test keys, or two parts name different makers, or
--|  the fingerprint names another kind of build than the rest. A maker's own build has no reason for that.
--|
--|  Counterfeit phones and boxes borrow the identity of a known device. So do owners who install another system, and some
--|  careless makers.
--@ verify: gifthorse cat {input} {path} | grep -nE 'fingerprint|build\.(tags|type)'
--@ next: Keep the firmware file and this report first. Compare the build number with the maker's site and the seller's
--|  description. Do not take the name on the screen for a proof of what the phone is.
WITH borrowed(yes) AS (
  SELECT EXISTS (SELECT 1 FROM properties WHERE key LIKE 'ro.lineage.%' OR key LIKE 'ro.gsid%' OR key='ro.modversion')),
print(file_id, line, key, value, brand, kind) AS (
  -- brand/product/device:release/id/incremental:type/tags
  SELECT file_id, line, key, value, lower(substr(value,1,instr(value,'/')-1)),
         CASE WHEN value LIKE '%:user/%' THEN 'user' WHEN value LIKE '%:userdebug/%' THEN 'userdebug' WHEN value LIKE '%:eng/%' THEN 'eng' END
  FROM properties
  WHERE key IN ('ro.build.fingerprint','ro.system.build.fingerprint','ro.system_ext.build.fingerprint','ro.product.build.fingerprint',
                'ro.vendor.build.fingerprint','ro.odm.build.fingerprint','ro.bootimage.build.fingerprint') AND instr(value,'/')>1 AND loaded=1),
fam(file_id, line, key, value, brand, family) AS (
  SELECT p.file_id, p.line, p.key, p.value, p.brand, COALESCE((SELECT b.family FROM brand_families b WHERE b.brand=p.brand), p.brand) FROM print p)
SELECT p.file_id AS file_id, p.line AS at, p.key||'='||p.value||' in a build of type user' AS evidence,
       CASE WHEN w.yes THEN 'info' END AS severity, p.key AS subject
FROM properties p, scan s, borrowed w
WHERE p.loaded=1 AND p.key IN ('ro.build.tags','ro.system.build.tags','ro.vendor.build.tags') AND (p.value LIKE '%test-keys%' OR p.value LIKE '%dev-keys%')
  AND s.build_type='user'
UNION ALL
-- one row for each other maker, where the vendor's part names its own
SELECT b.file_id, b.line, b.key||'='||b.value||' but '||min(a.key||'='||a.value),
       CASE WHEN w.yes THEN 'info' WHEN s.build_type IN ('userdebug','eng') THEN 'low' END, a.family||' beside '||b.family
FROM fam b JOIN fam a ON a.key<>b.key AND a.family<>b.family, scan s, borrowed w
WHERE b.key='ro.vendor.build.fingerprint' AND a.family<>'reference' AND b.family<>'reference'
GROUP BY b.file_id, b.line, b.key, b.value, a.family, b.family, w.yes, s.build_type
UNION ALL
SELECT p.file_id, p.line, p.key||'='||p.value||' but ro.build.type='||s.build_type, CASE WHEN w.yes THEN 'info' END, p.key||' type'
FROM print p, scan s, borrowed w
WHERE s.build_type='user' AND p.kind IN ('userdebug','eng');
