-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B22
--@ title: A signature of verified boot does not hold
--@ severity: critical
--@ axis: integrity
--@ certainty: able
--@ witness: a signature
--@ needs: plugin avb
--@ case: K56 counterfeit phones with rewritten system partitions
--@ lookalike: a list without any signature is what unlocked phones and home-built systems carry: medium, and only for the
--|  first list or one that another hands the check to. An algorithm that is not verified here is told, not matched
--@ explain: The phone checks its system at start-up against signed lists. Here a list carries a signature that does not belong to it:
--|  what the list says now is not what the holder of the key signed. A phone that enforces the check would not start with it, so either
--|  this one does not enforce it, or these files are not what it runs.
--|
--|  It does not show which file was changed, or by whom. A file that was damaged on its way looks the same.
--@ verify: gifthorse cat {input} {image} > vbmeta.img && avbtool verify_image --image vbmeta.img
--@ next: Keep the firmware file and this report first. Get the maker's published build and compare; do not rely on a good
--|  start-up message.
SELECT v.file_id AS file_id, v.at AS at, printf('%s, key %s: %s', v.partition, COALESCE(v.key_sha1,'none'), v.why) AS evidence,
       CASE WHEN v.state='unsigned' THEN 'medium' WHEN s.build_type IN ('userdebug','eng') THEN 'medium' END AS severity,
       v.partition AS subject
FROM avb v, scan s
WHERE v.kind='vbmeta' AND v.state IN ('failed','unsigned');
