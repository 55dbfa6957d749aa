-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B26
--@ title: A system module is not what its signatures were made over
--@ severity: high
--@ axis: integrity
--@ certainty: able
--@ witness: a signature
--@ needs: plugin apk, plugin avb, plugin verity
--@ case: K52 modules signed with public keys, 2023: who can sign a module can also change one
--@ lookalike: a module whose container has no signature, as some builds ship them in the system, is not matched, nor is one without
--|  a stored hash tree, which the phone makes itself
--@ explain: Parts of Android are delivered as modules with a signature of their own. Here the content of a module, its inner signature, or
--|  the key beside it do not fit each other. Android refuses such a module, if it checks.
--|
--|  A damaged file looks the same. It does not show who changed what.
--@ verify: gifthorse cat {input} {path} > m.apex && unzip -p m.apex apex_payload.img > p.img && avbtool verify_image --image p.img
--@ next: Keep the firmware file and this report first. Compare this one file with the maker's published build.
SELECT x.file_id AS file_id, NULL AS at,
       printf('%s: container %s, inner list %s, payload %s, key beside it %s%s', x.name, COALESCE(x.container,'not known'),
              COALESCE(x.vbmeta,'not known'), COALESCE(x.payload,'not computed'), COALESCE(x.key,'not known'),
              CASE x.original WHEN 'other' THEN ', the original is not the one that is named' ELSE '' END) AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'medium' END AS severity, x.name AS subject
FROM apex x, scan s
WHERE x.container='failed' OR x.vbmeta IN ('failed','unsigned') OR x.payload='differs' OR x.key='other' OR x.original='other';
