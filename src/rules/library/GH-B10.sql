-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B10
--@ title: Foreign computers are already trusted for USB debugging
--@ severity: high
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin adbkeys, plugin properties, user-build
--@ case: adb keys left in the image by a factory
--@ lookalike: /data/misc/adb/adb_keys holds the computers the owner said yes to: not matched. Developer builds may carry the
--|  builder's key: told as info. Where the phone is delivered with debugging off, the owner has to switch it on first: medium
--|  (Xiaomi's finished builds carry 13 keys of the maker)
--@ explain: When a computer wants to debug a phone, the phone asks its owner first. Computers whose keys are on this list are
--|  let in without asking as soon as debugging is on. The list is part of the firmware, so the keys belong to somebody else:
--|  the factory, the developers, a repair line.
--|
--|  That the keys are there does not show that they were used. It shows who would not be asked. Whether the debugging program
--|  of this phone reads the file at this place can be seen from the words in that program.
--@ verify: gifthorse cat {input} {path} | cut -c1-24,680-   # and: strings on the image's adbd, grep adb_keys
--@ next: Keep the firmware file and this report. Keep USB debugging off. Ask the maker whose keys these are.
WITH open(yes) AS (
  SELECT EXISTS (SELECT 1 FROM properties p WHERE p.loaded=1
    AND ((p.key IN ('persist.sys.usb.config','persist.vendor.usb.config','sys.usb.config') AND ','||replace(p.value,' ','')||',' LIKE '%,adb,%')
      OR (p.key IN ('service.adb.tcp.port','persist.adb.tcp.port','persist.internet_adb_enable') AND p.value NOT IN ('','-1','0')))))
SELECT k.file_id AS file_id, NULL AS at,
       printf('%s: %d keys, %s', f.dpath, count(DISTINCT k.fp), min(k.fp||' '||COALESCE(NULLIF(k.comment,''),'without a name'))) AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'info' WHEN s.build_type IS NULL OR NOT o.yes THEN 'medium' END AS severity
FROM adb_keys k JOIN files f ON f.file_id=k.file_id, scan s, open o
WHERE f.dpath NOT LIKE '/data/misc/adb/%'
GROUP BY k.file_id, f.dpath, s.build_type, o.yes;
