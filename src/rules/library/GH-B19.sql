-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B19
--@ title: A privileged app is signed with a key that everybody has
--@ severity: high
--@ axis: integrity
--@ certainty: able
--@ witness: a signature
--@ needs: plugin apk, plugin cert, verified signers, knowledge known_keys, knowledge named_exceptions
--@ case: study of update apps, 2021; the package amigo on a public dump of a BLU phone
--@ lookalike: CtsShim is signed this way on genuine phones of every brand: silent where its bytes are known, info where only
--|  its name is. Where the whole platform has a public key GH-B04 says so once and this rule is silent
--@ explain: Android lets an app be replaced by any newer package with the same signature. This app was delivered with special
--|  rights and is signed with a test key from Android's public source code. Anybody can therefore build a replacement that the
--|  phone accepts as its update and that inherits the rights.
--|
--|  The replacement still has to be installed somehow. Nothing shows that it was.
--@ verify: gifthorse cat {input} {path} > x.apk && apksigner verify --print-certs x.apk   # against data/known_keys.tsv
--@ next: Keep the firmware file and this report. Ask the maker for a build in which the app is signed with its own key. If the
--|  app is not needed it can be disabled: adb shell pm disable-user --user 0 PACKAGE; that does not remove it.
WITH platform(cert) AS (
  SELECT DISTINCT lower(g.cert_sha256) FROM apks a JOIN apk_signers g ON g.apk_id=a.apk_id
  WHERE a.package='android' AND g.state IN ('verified','stripped')),
guess(cert, n) AS (
  SELECT lower(g.cert_sha256), count(DISTINCT a.apk_id) FROM apks a JOIN apk_signers g ON g.apk_id=a.apk_id
  WHERE a.shared_uid='android.uid.system' AND g.state IN ('verified','stripped') AND NOT EXISTS (SELECT 1 FROM platform) GROUP BY 1),
test_platform(yes) AS (
  SELECT EXISTS (SELECT 1 FROM platform p JOIN known_keys k ON k.digest=p.cert AND k.role='test' AND k.kind IN ('apk','apex'))
      OR EXISTS (SELECT 1 FROM guess u JOIN known_keys k ON k.digest=u.cert AND k.role='test' AND k.kind IN ('apk','apex')
                 WHERE 2*u.n>(SELECT count(DISTINCT apk_id) FROM apks WHERE shared_uid='android.uid.system')))
SELECT DISTINCT a.file_id AS file_id, NULL AS at,
       printf('%s%s%s is signed with %s (%s)%s', a.package, CASE WHEN COALESCE(a.shared_uid,'')='' THEN '' ELSE ', user id '||a.shared_uid END,
              CASE WHEN a.is_priv THEN ', privileged' ELSE '' END, lower(g.cert_sha256), k.name,
              CASE g.state WHEN 'stripped' THEN ', in what the maker left of it' ELSE '' END) AS evidence,
       CASE WHEN EXISTS (SELECT 1 FROM named_exceptions n WHERE n.kind='package' AND n.name=a.package) THEN 'info'
            WHEN s.build_type IN ('userdebug','eng') THEN 'low' END AS severity,
       a.package AS subject
FROM apks a JOIN apk_signers g ON g.apk_id=a.apk_id AND g.state IN ('verified','stripped')
     JOIN known_keys k ON k.digest=lower(g.cert_sha256) AND k.role='test' AND k.kind IN ('apk','apex')
     JOIN files f ON f.file_id=a.file_id, test_platform t, scan s
WHERE NOT t.yes AND a.is_system=1 AND a.package<>'android' AND (COALESCE(a.shared_uid,'')<>'' OR a.is_priv=1)
  AND NOT EXISTS (SELECT 1 FROM named_exceptions n WHERE n.kind='package' AND n.name=a.package AND n.sha256=lower(f.sha256));
