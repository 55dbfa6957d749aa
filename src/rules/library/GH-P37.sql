-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-P37
--@ title: An app claims the system's own identity without its signature
--@ severity: high
--@ axis: provenance
--@ certainty: able
--@ witness: a signature
--@ needs: plugin apk, plugin cert, verified signers
--@ case: the package amigo on a public dump of a BLU phone: system user id, public test key, another platform key
--@ lookalike: modules with keys of their own (Bluetooth, NFC, network stack, media) have user ids of their own and are not
--|  matched; a package with several signers matches if one of them is the platform's. Where the platform's key is not known the
--|  rule is silent
--@ explain: Android gives the system's user id only to packages with the system's signature and refuses all others. This
--|  package asks for that id and is signed by somebody else. One of the two is not what it says: the package was put there from
--|  another build, the image is a mixture of builds, or the check in this system was changed.
--|
--|  A leftover of a former build is the usual reason.
--@ verify: gifthorse cat {input} {path} > x.apk && apksigner verify --print-certs x.apk && aapt2 dump xmltree --file AndroidManifest.xml x.apk | grep sharedUserId
--@ next: Keep the firmware file and this report, and note the SHA-256 {sha256}. Compare with the maker's published build; let
--|  the package be examined.
WITH fw(cert) AS (
  SELECT DISTINCT lower(g.cert_sha256) FROM apks a JOIN apk_signers g ON g.apk_id=a.apk_id
  WHERE a.package='android' AND g.state IN ('verified','stripped')),
bycert(cert, n) AS (
  SELECT lower(g.cert_sha256), count(DISTINCT a.apk_id) FROM apks a JOIN apk_signers g ON g.apk_id=a.apk_id
  WHERE a.shared_uid='android.uid.system' AND g.state IN ('verified','stripped') AND NOT EXISTS (SELECT 1 FROM fw) GROUP BY 1),
platform(cert) AS (
  SELECT cert FROM fw
  UNION
  SELECT cert FROM bycert WHERE n>=2 AND 2*n>(SELECT count(DISTINCT apk_id) FROM apks WHERE shared_uid='android.uid.system'))
SELECT DISTINCT a.file_id AS file_id, NULL AS at,
       printf('%s, user id %s, signed with %s, the platform with %s', a.package, a.shared_uid,
              (SELECT min(lower(g.cert_sha256)) FROM apk_signers g WHERE g.apk_id=a.apk_id AND g.state IN ('verified','stripped')),
              (SELECT min(cert) FROM platform)) AS evidence,
       a.package AS subject
FROM apks a
WHERE a.is_system=1 AND a.package<>'android' AND a.shared_uid IN ('android.uid.system','android.uid.phone','android.uid.shell','android.uid.log')
  AND EXISTS (SELECT 1 FROM platform)
  AND EXISTS (SELECT 1 FROM apk_signers g WHERE g.apk_id=a.apk_id AND g.state IN ('verified','stripped'))
  AND NOT EXISTS (SELECT 1 FROM apk_signers g JOIN platform p ON p.cert=lower(g.cert_sha256) WHERE g.apk_id=a.apk_id AND g.state IN ('verified','stripped'));
