-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-Z05
--@ title: Precompiled code was not made from the app or library beside it
--@ severity: low
--@ axis: integrity
--@ certainty: observed
--@ witness: bytes of an image
--@ needs: plugin oat, plugin dex
--@ case: Triada in counterfeit phones, 2025; NoVoice, 2026
--@ lookalike: a package whose code was taken out (only precompiled code is left) has nothing to compare with, and is not
--|  matched; instructions that the build replaced do not count, since the number is that of the code before. Stale copies of
--|  single apps occur on honest phones: only what every app loads (boot*.oat) is told as high
--@ explain: Android keeps a precompiled copy of its own code and of many apps. Each copy states a checksum of the code it was
--|  made from. Here that number is not the one of the code beside it: one of the two was replaced after the phone's software
--|  was built. In phones found with a manipulated system, precompiled parts of Android's own framework had been changed.
--|
--|  Android itself compares these numbers and normally leaves such a copy unused. Custom systems and repacked firmware leave
--|  stale copies behind without any intent, and so did the maker of one phone examined here. The reverse proves nothing: changed code can state the right number.
--@ verify: gifthorse cat {input} {path} > x && strings -n 8 x | head -40; unzip -v on the jar or app beside it prints the CRC-32 of its code
--@ next: Keep the firmware file and this report. Compare both files with the maker's published build of the same version.
SELECT o.file_id AS file_id, o.at AS at,
       printf('made from code with CRC-32 %08x, %s in %s has %08x', o.oat_checksum, o.member, j.dpath, o.jar_checksum) AS evidence,
       CASE WHEN f.name LIKE 'boot%' AND f.dpath LIKE '%/framework/%' THEN 'high' END AS severity,
       j.dpath||':'||o.member AS subject
FROM oat_dex o JOIN files f ON f.file_id=o.file_id JOIN files j ON j.file_id=o.jar_file_id
WHERE o.matches=0;
