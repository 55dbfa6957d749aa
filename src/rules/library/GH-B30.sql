-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B30
--@ title: An update's payload does not fit the certificate or the digests beside it
--@ severity: high
--@ axis: integrity
--@ certainty: able
--@ witness: a signature
--@ needs: plugin payloadsig, plugin payload, plugin cert
--@ case: K14 Gigaset update server, 2021: what a third party's server hands out is only as good as this signature
--@ lookalike: a payload whose package carries no certificate is not matched: its signer is not known, which is told elsewhere; nor is one
--|  that fits its certificate and is merely for another phone, or a digest that was not computed
--@ explain: An update of this kind carries signatures over its content, the certificate they were made with, and a list of digests.
--|  Here they do not fit each other: the content was changed after signing, it was signed by somebody else, or the file is damaged.
--|
--|  A phone that checks would refuse it. It does not show who changed it.
--@ verify: unzip -p {input} payload.bin | sha256sum   # and compare with FILE_HASH in payload_properties.txt, which is in base64
--@ next: Keep the firmware file and this report first. Do not install the package, and get it from the maker again.
SELECT s.file_id AS file_id, s.at AS at, printf('signature over the %s: none of %d certificates at hand fits, digest %s', s.what, s.keys, s.sha256) AS evidence,
       s.what AS subject
FROM payload_sigs s JOIN files f USING(file_id)
WHERE s.state='no key fits' AND EXISTS(SELECT 1 FROM files g WHERE g.artifact_id=f.artifact_id AND g.name='otacert')
UNION ALL
SELECT (SELECT f.file_id FROM files f WHERE f.artifact_id=c.artifact_id AND f.path=c.place), NULL,
       printf('%s: said is %s, the bytes come to %s', c.what, c.expected, c.computed), c.what
FROM payload_checks c
WHERE c.state='differs' AND c.what IN ('FILE_HASH','FILE_SIZE','METADATA_HASH','METADATA_SIZE');
