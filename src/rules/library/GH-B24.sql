-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B24
--@ title: A part of the system is signed by another key than verified boot expects
--@ severity: critical
--@ axis: integrity
--@ certainty: able
--@ witness: a signature
--@ needs: plugin avb, knowledge known_keys
--@ case: K51 tablets whose chained partitions were signed anew with public keys
--@ lookalike: a chain to a partition that is not among the input is not matched. A generic system image is signed by its own
--|  key on purpose: on a developer build the row is lowered
--@ explain: The first signed list hands the check of some partitions to other keys, and names them; on Android 7 and 8 without such a list the
--|  key lies in the ramdisk. This partition carries a signature by
--|  a key that is not the one named. Its own signature may well hold: it was made by somebody else.
--|
--|  A phone that checks would not start with it. It does not show who that somebody is.
--@ verify: gifthorse cat {input} {image} > part.img && avbtool info_image --image part.img   # "Public key (sha1)"
--@ next: Keep the firmware file and this report first. Get the maker's published build and compare.
SELECT v.file_id AS file_id, v.at AS at,
       printf('%s: %s%s', v.partition, v.why,
              COALESCE(' ('||(SELECT min(k.name) FROM known_keys k WHERE k.digest=v.key_sha1)||')','')) AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'medium' END AS severity, v.partition AS subject
FROM avb v, scan s
WHERE v.kind IN ('vbmeta','table') AND v.state='other key';
