-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B31
--@ title: Firmware is not what its own signature was made over
--@ severity: high
--@ axis: integrity
--@ certainty: able
--@ witness: a signature
--@ needs: plugin firmware
--@ case: from memory: boot loaders patched to skip the check of what they load, on devices whose chip does not enforce the first signature
--@ lookalike: an image without a signature, one of a form that is not known, and one whose segments lie in files that were not given are told,
--|  not matched; which key a chip takes is burnt into it, so that a signature by an unfamiliar maker is no finding
--@ explain: Boot loaders, the secure world and the modem come with their maker's signature and a list of digests. Here the bytes and
--|  that list do not fit each other, or the list and its signature do not.
--|
--|  A chip that checks would not start such an image. A damaged file looks the same. It does not show who changed what.
--@ verify: gifthorse query facts.db "SELECT * FROM firmware_signs WHERE state='failed'"
--@ next: Keep the firmware file and this report first. Compare this one image with the maker's published build.
SELECT s.file_id AS file_id, COALESCE(s.why_at, s.at) AS at,
       printf('%s%s%s: %s, signer %s', s.maker, COALESCE(' '||s.signer,''), COALESCE(' '||s.part,''), s.why, COALESCE(s.cert_sha256,'not known')) AS evidence,
       COALESCE(s.part, s.signer) AS subject
FROM firmware_signs s
WHERE s.state='failed';
