-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-P09
--@ title: A package with Google's name was not signed by Google
--@ severity: medium
--@ axis: provenance
--@ certainty: able
--@ witness: a signature
--@ needs: plugin apk, plugin cert, verified signers, knowledge known_keys
--@ case: Triada and its relatives since 2016: added packages under names of Android and Google
--@ lookalike: Google signs with dozens of keys, one for many an app: those that data/known_keys.tsv has are silent, a certificate that says Google and
--|  is not in it is told as info, since anybody can write that name. Overlays are made and signed by the phone's maker; modules are no
--|  packages; a stub without code can replace nothing
--@ explain: The name of this app begins as Google's apps do, and the signature on it is not one of Google's. Its updates therefore do not come from
--|  Google but from whoever holds the key. If it has powers, they rest on a name that is not theirs.
--|
--|  Phone makers sometimes build parts that Google gave them and sign those themselves. It does not show what the app does.
--@ verify: gifthorse cat {input} {path} > x.apk && apksigner verify --print-certs x.apk   # against data/known_keys.tsv
--@ next: Keep the firmware file and this report, and note the SHA-256 {sha256}. Compare with the maker's published build; let the package be
--|  examined.
WITH signer(apk_id, cert, subject) AS (
  SELECT apk_id, min(lower(cert_sha256)), min(COALESCE(subject,'')) FROM apk_signers WHERE state IN ('verified','stripped') GROUP BY apk_id)
SELECT a.file_id AS file_id, NULL AS at,
       printf('%s is signed with %s, subject %s', a.package, g.cert, COALESCE(NULLIF(g.subject,''),'not read')) AS evidence,
       CASE WHEN g.subject LIKE '%O=Google%' THEN 'info' WHEN COALESCE(a.is_priv,0)=0 AND COALESCE(a.shared_uid,'')='' THEN 'low' END AS severity,
       a.package AS subject
FROM apks a JOIN signer g ON g.apk_id=a.apk_id
WHERE a.is_system=1 AND (a.package GLOB 'com.google.*' OR a.package='com.android.vending')
  AND COALESCE(a.is_overlay,0)=0 AND COALESCE(a.has_code,1)<>0 AND a.package NOT GLOB '*.overlay*' AND a.package NOT GLOB '*auto_generated_rro*'
  AND NOT EXISTS (SELECT 1 FROM apk_signers s JOIN known_keys k ON k.digest=lower(s.cert_sha256) AND k.maker='google'
                  WHERE s.apk_id=a.apk_id AND s.state IN ('verified','stripped'));
