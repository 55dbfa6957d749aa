-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-Z07
--@ title: A program stands in the place of another that was put aside
--@ severity: high
--@ axis: integrity
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin elf, plugin script, reference
--@ case: xHelper, 2020; Vo1d television boxes, 2024 (debuggerd_real); NoVoice
--@ lookalike: pairs that the trusted build has as well, leftovers of a build beside an unchanged program, and pairs by word size (app_process32 and
--|  app_process64) are not matched
--@ explain: Beside this program lies a second one with the same name and a word like real, orig or bak at its end, and the program itself is not the one of the
--|  build that you gave as trusted. That is how a program is wrapped: the new one runs first and hands over to the old one.
--|
--|  Developers wrap programs in this way too. What the new one does was not analysed here.
--@ verify: gifthorse cat {input} {path} > x && file x && strings x | grep -E 'real|orig|bak'
--@ next: Keep the firmware file and this report first, with the SHA-256 {sha256}. Compare both files with the maker's published build.
SELECT f.file_id AS file_id, NULL AS at, printf('%s beside %s, %s', f.dpath, min(g.dpath),
       CASE f.bl WHEN 2 THEN 'the reference has other bytes at its place' ELSE 'the reference has no such file' END) AS evidence
FROM files f JOIN files g ON g.ftype='file' AND g.dpath IN (f.dpath||'_real', f.dpath||'_orig', f.dpath||'_original',
  f.dpath||'_bak', f.dpath||'.bak', f.dpath||'.orig', f.dpath||'.real')
WHERE f.ftype='file' AND f.magic IN ('elf','script') AND f.bl<>1 AND (f.dpath LIKE '/system/%' OR f.dpath LIKE '/vendor/%' OR f.dpath LIKE '/product/%'
  OR f.dpath LIKE '/system\_ext/%' ESCAPE '\')
GROUP BY f.file_id, f.dpath, f.bl;
