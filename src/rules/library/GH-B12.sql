-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B12
--@ title: A system partition is mounted without a check, or writable
--@ severity: high
--@ axis: integrity
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin fstab, plugin properties
--@ case: television boxes and counterfeit phones
--@ lookalike: the recovery system has its own table without checks; entries for the emulator, for overlays and for recovery
--|  only are not matched; the check can be named avb, avb=…, avb_keys=… or verify. Before Android 7 it was not required:
--|  lowered
--@ explain: The table of partitions tells the phone how to mount the system. For this partition it asks for no signature check,
--|  or allows writing. A change that somebody makes there stays, and nothing reports it.
--|
--|  Old and cheap phones were sold like this. It shows what the phone does not notice, not that something was changed. The
--|  check may also be asked for in a place that was not examined (the device tree).
--@ verify: gifthorse cat {input} {path} | sed -n '{offset}p'
--@ next: Keep the firmware file and this report first. Then compare the partition with the maker's published build.
SELECT t.file_id AS file_id, t.line AS at,
       printf('%s %s, mount flags %s, check flags %s', t.dev, t.mount_point, COALESCE(t.mnt_flags,'-'), COALESCE(t.mgr_flags,'-')) AS evidence,
       CASE WHEN s.sdk<24 THEN 'medium' WHEN s.build_type IN ('userdebug','eng') THEN 'medium' END AS severity,
       t.mount_point AS subject
FROM fstab t JOIN files f ON f.file_id=t.file_id, scan s
WHERE t.mount_point IN ('/system','/','/vendor','/product','/system_ext','/odm')
  AND ((','||COALESCE(t.mgr_flags,'')||',' NOT LIKE '%,avb%' AND ','||COALESCE(t.mgr_flags,'')||',' NOT LIKE '%,verify%')
    OR ','||COALESCE(t.mnt_flags,'')||',' LIKE '%,rw,%')
  AND COALESCE(t.dev,'') NOT IN ('overlay','tmpfs') AND COALESCE(t.mgr_flags,'') NOT LIKE '%recoveryonly%'
  AND f.name LIKE 'fstab.%' AND f.name NOT IN ('fstab.goldfish','fstab.ranchu')
  AND COALESCE(f.image,'') NOT LIKE '%recovery%' AND f.path NOT LIKE '%recovery%';
