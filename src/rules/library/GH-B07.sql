-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B07
--@ title: System updates are accepted from everybody
--@ severity: critical
--@ axis: integrity
--@ certainty: able
--@ witness: a signature
--@ needs: plugin zip, plugin cert, knowledge known_keys
--@ case: study of update apps, 2021: test keys used to check updates
--@ lookalike: a maker's own OTA certificate, of whatever name, is silent; home-built developer systems are lowered
--@ explain: Before the phone installs a system update it checks the signature against a list. On that list is the test key from
--|  Android's public source code, so an update package made by anybody passes the check, if it can be handed to the phone.
--|
--|  It does not show that such a package was ever installed. Verified boot may still refuse the result.
--@ verify: gifthorse cat {input} {path} > otacerts.zip && unzip -Z1 otacerts.zip | while read -r n; do
--|  unzip -p otacerts.zip "$n" | openssl x509 -noout -subject -fingerprint -sha256; done   # against data/known_keys.tsv
--@ next: Keep the firmware file and this report first. Do not take system updates over networks you do not trust. Ask the maker
--|  for a build with its own update key.
SELECT o.file_id AS file_id, NULL AS at, printf('%s (%s), subject %s', lower(o.cert_sha256), k.name, COALESCE(o.subject,'not read')) AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'medium' END AS severity,
       lower(o.cert_sha256) AS subject
FROM ota_certs o JOIN known_keys k ON k.digest=lower(o.cert_sha256) AND k.role='test' AND k.kind IN ('apk','apex'), scan s;
