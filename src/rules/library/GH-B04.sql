-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B04
--@ title: The system itself is signed with a key that everybody has
--@ severity: critical
--@ axis: integrity
--@ certainty: able
--@ witness: a signature
--@ needs: plugin apk, plugin cert, verified signers, knowledge known_keys
--@ case: T95 television box, 2023; study of update apps, 2021
--@ lookalike: CtsShim is signed with a test key on genuine phones of every brand: the rule looks at the framework package, or
--|  at the majority of the packages that share the system's own user id, never at one app. Home-built developer systems are
--|  lowered. A package that names such a key and whose signature does not hold was not signed with it: GH-B21
--@ explain: Android gives its highest rights to any app that carries the same signature as the system. On this phone that
--|  signature was made with a test key from Android's public source code. Whoever writes an app can sign it with that key, and
--|  the phone will treat the app as a part of the system, without asking.
--|
--|  It does not show that such an app is on the phone. It shows that nothing would stop one.
--@ verify: gifthorse cat {input} {path} > framework-res.apk && apksigner verify --print-certs framework-res.apk   # against data/known_keys.tsv
--@ next: Keep the firmware file and this report first. Then keep private accounts off the phone and install nothing on it from
--|  outside a store; ask the seller for another phone or for a build signed with a key of the maker's own. Another system from
--|  a source you trust helps only if the start-up check can be trusted too.
WITH sys(apk_id, file_id, package, cert) AS (
  SELECT DISTINCT a.apk_id, a.file_id, a.package, lower(g.cert_sha256)
  FROM apks a JOIN apk_signers g ON g.apk_id=a.apk_id AND g.state IN ('verified','stripped')
  WHERE a.package='android' OR a.shared_uid='android.uid.system'),
total(n) AS (SELECT count(DISTINCT apk_id) FROM sys WHERE package<>'android'),
bycert(cert, n, fw, first) AS (
  SELECT cert, count(DISTINCT CASE WHEN package<>'android' THEN apk_id END),
         min(CASE WHEN package='android' THEN file_id END), min(file_id)
  FROM sys GROUP BY cert)
SELECT COALESCE(b.fw, b.first) AS file_id, NULL AS at,
       printf('%s%d of %d packages of android.uid.system are signed with %s (%s)',
              CASE WHEN b.fw IS NOT NULL THEN 'the package android and ' ELSE '' END, b.n, t.n, b.cert, k.name) AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'medium' END AS severity,
       'platform key' AS subject
FROM bycert b JOIN known_keys k ON k.digest=b.cert AND k.role='test' AND k.kind IN ('apk','apex'), total t, scan s
WHERE b.fw IS NOT NULL
   OR (NOT EXISTS (SELECT 1 FROM sys WHERE package='android') AND 2*b.n>t.n);
