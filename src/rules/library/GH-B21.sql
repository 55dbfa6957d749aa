-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B21
--@ title: A package is not what its signature was made over
--@ severity: medium
--@ axis: integrity
--@ certainty: able
--@ witness: a signature
--@ needs: plugin apk
--@ case: K06 rewritten packages of 2026, and the signature traps of fdroidserver issue 1128
--@ lookalike: makers take classes.dex and libraries out of their own packages when they compile the code beforehand, and with
--|  it newer signatures are lost: told as stripped, not matched. A package without any signature is not matched; nor is a scheme
--|  that this release of Android does not look at
--@ explain: Every app carries a signature over its content. Here the signature and the content do not fit: something in the
--|  package was changed after it was signed, or the signature is not one that Android's own rules accept.
--|
--|  Android does not check the whole content of apps that came with the system, so such an app runs. Makers who repack apps
--|  carelessly leave the same trace. It does not show who changed it, or for what.
--@ verify: gifthorse cat {input} {path} > x.apk && apksigner verify -v x.apk
--@ next: Keep the firmware file and this report first. Compare this one file with the maker's published build.
SELECT c.file_id AS file_id, c.at AS at,
       printf('%s: %s%s', a.package, c.why, COALESCE(', certificate '||c.certs,'')) AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'low' END AS severity, a.package AS subject
FROM apk_checks c JOIN apks a ON a.file_id=c.file_id, scan s
WHERE c.scheme='android' AND c.state='failed'
  AND max(COALESCE(s.sdk,2147483647),COALESCE(a.min_sdk,1)) BETWEEN c.min_sdk AND COALESCE(c.max_sdk,2147483647)
UNION ALL
SELECT c.file_id, c.at, printf('%s: %s', a.package, c.why), NULL, a.package||' signers'
FROM apk_checks c JOIN apks a ON a.file_id=c.file_id
WHERE c.scheme='signers' AND c.state='failed';
