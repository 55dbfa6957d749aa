-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B10
--@ title: Foreign computers are already trusted for USB debugging
--@ severity: high
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin adbkeys, plugin properties, user-build
--@ case: K54 adb keys left in the image by a factory
--@ lookalike: /data/misc/adb/adb_keys holds the computers the owner said yes to: not matched. Developer builds may carry the
--|  builder's key: told as info
--@ explain: When a computer wants to debug a phone, the phone asks its owner first. Computers whose keys are on this list are
--|  let in without asking as soon as debugging is on. The list is part of the firmware, so the keys belong to somebody else:
--|  the factory, the developers, a repair line.
--|
--|  That the keys are there does not show that they were used. It shows who would not be asked. Whether the debugging program
--|  of this phone reads the file at this place can be seen from the words in that program.
--@ verify: gifthorse cat {input} {path} | cut -c1-24,680-   # and: strings on the image's adbd, grep adb_keys
--@ next: Keep the firmware file and this report. Keep USB debugging off. Ask the maker whose keys these are.
SELECT k.file_id AS file_id, NULL AS at,
       printf('%s: %d keys, %s', f.dpath, count(DISTINCT k.fp), min(k.fp||' '||COALESCE(NULLIF(k.comment,''),'without a name'))) AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'info' WHEN s.build_type IS NULL THEN 'medium' END AS severity
FROM adb_keys k JOIN files f ON f.file_id=k.file_id, scan s
WHERE f.dpath NOT LIKE '/data/misc/adb/%'
GROUP BY k.file_id, f.dpath, s.build_type;
