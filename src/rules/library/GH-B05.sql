-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B05
--@ title: A system module is signed with a key that everybody has
--@ severity: critical
--@ axis: integrity
--@ certainty: able
--@ witness: a signature
--@ needs: plugin zip, plugin apk, plugin avb, plugin cert, verified modules, knowledge known_keys
--@ case: CVE-2023-45779: 7 of 14 brands
--@ lookalike: the empty test module com.android.apex.cts.shim is on every phone; on developer builds the row is lowered.
--|  A key that is named, and whose signature does not hold, is GH-B26
--@ explain: Parts of Android come as modules (APEX) that can be updated on their own, with the rights of the system. Whether an
--|  update is genuine is decided by its signature. This module's signing key comes from Android's public source code, so
--|  anybody can make an update that the phone accepts, if it can be handed to the phone.
--|
--|  Half of the brands that were examined in 2023 had made this mistake. It does not show that such an update was ever made for
--|  this phone.
--@ verify: gifthorse cat {input} {path} > m.apex && unzip -p m.apex apex_pubkey | sha1sum && apksigner verify --print-certs m.apex
--@ next: Keep the firmware file and this report. Install the maker's security update of December 2023 or later, then scan
--|  again.
SELECT x.file_id AS file_id, NULL AS at, printf('%s: payload key %s (%s)', x.name, x.avb_key_sha1, k.name) AS evidence,
       CASE WHEN EXISTS (SELECT 1 FROM named_exceptions n WHERE n.kind='apex' AND n.name=x.name) THEN 'info'
            WHEN s.build_type IN ('userdebug','eng') THEN 'info' END AS severity,
       x.name||' payload' AS subject
FROM apex x JOIN known_keys k ON k.digest=lower(x.avb_key_sha1) AND k.role='test', scan s
WHERE x.vbmeta='verified'
UNION ALL
SELECT x.file_id, NULL, printf('%s: container certificate %s (%s)', x.name, x.cert_sha256, k.name),
       CASE WHEN EXISTS (SELECT 1 FROM named_exceptions n WHERE n.kind='apex' AND n.name=x.name) THEN 'info'
            WHEN s.build_type IN ('userdebug','eng') THEN 'info' END,
       x.name||' container'
FROM apex x JOIN known_keys k ON k.digest=lower(x.cert_sha256) AND k.role='test' AND k.kind IN ('apk','apex'), scan s
WHERE x.container IN ('verified','stripped');
