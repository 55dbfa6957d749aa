-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B27
--@ title: An update package is not what its signature was made over
--@ severity: high
--@ axis: integrity
--@ certainty: able
--@ witness: a signature
--@ needs: plugin ota
--@ case: from memory: update packages altered on the way by servers of third parties (K14 is the server's side of it)
--@ lookalike: a package without a signature over the file (updates of the A/B kind carry theirs inside) is not matched; a signature by an
--|  algorithm that is not verified here is told, not matched
--@ explain: An update package carries a signature over all of it, which the phone checks before it installs. Here the package and the
--|  signature do not fit: something was changed after signing, or the file was damaged.
--|
--|  A phone that checks would refuse it. It does not show who changed it.
--@ verify: openssl cms -verify -inform DER -in SIGNATURE -content SIGNED_BYTES -noverify   # both cut out of the package, as its footer says
--@ next: Keep the firmware file and this report first. Do not install the package, and get it from the maker again.
SELECT o.file_id AS file_id, o.at AS at, printf('%s%s', o.why, COALESCE(', certificate '||o.cert_sha256,'')) AS evidence
FROM ota o
WHERE o.state='failed';
