-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B29
--@ title: A build that calls itself released is signed with keys that everybody has
--@ severity: high
--@ axis: provenance
--@ certainty: able
--@ witness: a signature
--@ needs: plugin apk, plugin cert, plugin avb, plugin properties, verified signers, verified lists, knowledge known_keys
--@ case: T95 television box, 2023, whose fingerprint was that of a Pixel 2; study of update apps, 2021
--@ lookalike: a build that says test-keys or dev-keys of itself does not contradict itself: GH-B09 where it is a finished one. One app or the
--|  compatibility stub with a public key is not the platform. LineageOS and generic images that borrow a fingerprint are told as info
--@ explain: A build says of itself with which kind of keys it was signed. This one says release-keys, the maker's own. The signatures say
--|  otherwise: they were made with test keys from Android's public source code. One of the two is not true, and the signature is the one that
--|  cannot be typed in.
--|
--|  Careless makers leave it like this; so do those who put a well-known phone's name on another system. It does not show which.
--@ verify: gifthorse cat {input} {path} > x.apk && apksigner verify --print-certs x.apk   # against data/known_keys.tsv
--@ next: Keep the firmware file and this report first. Do not take the name on the screen for a proof of what the phone is; compare with the
--|  maker's published build.
WITH claim(file_id, line, text) AS (
  SELECT file_id, line, key||'='||value FROM properties
  WHERE loaded=1 AND value LIKE '%release-keys%' AND (key IN ('ro.build.tags','ro.system.build.tags','ro.vendor.build.tags') OR key GLOB 'ro.*fingerprint')),
fw(cert, file_id) AS (
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
borrowed(yes) AS (
  SELECT EXISTS (SELECT 1 FROM properties WHERE key LIKE 'ro.lineage.%' OR key LIKE 'ro.gsid%' OR key='ro.modversion'))
SELECT k.file_id AS file_id, k.at AS at,
       printf('%s, and the %s is %s (%s)', (SELECT min(text) FROM claim), k.what, k.digest,
              (SELECT min(n.name) FROM known_keys n WHERE n.digest=k.digest AND n.role='test')) AS evidence,
       CASE WHEN w.yes THEN 'info' END AS severity, k.what AS subject
FROM keys k, borrowed w
WHERE EXISTS (SELECT 1 FROM claim) AND EXISTS (SELECT 1 FROM known_keys n WHERE n.digest=k.digest AND n.role='test');
