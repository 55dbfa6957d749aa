-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-N09
--@ title: A program that the system starts by itself is another than in this very build
--@ severity: high
--@ axis: integrity
--@ certainty: able
--@ witness: bytes of an image
--@ needs: reference of this build
--@ case: Vo1d television boxes, 2024 (debuggerd); NoVoice
--@ lookalike: a reference of another build differs in nearly every program: only one with the same fingerprint counts. A unit that was updated has
--|  another fingerprint
--@ explain: Some programs are started by the system when it boots or when something crashes. That makes them a good place for what wants to start
--|  without being seen. This one has other bytes than in the build that you gave as trusted, or is not there, and both say that they are
--|  the same build.
--|
--|  A damaged file looks the same. It does not show who changed it.
--@ verify: gifthorse cat {input} {path} | sha256sum   # and: gifthorse compare REFERENCE_IMAGE {input}
--@ next: Keep the firmware file and this report first, with the SHA-256 {sha256}. Compare the whole image with the published one: gifthorse compare.
WITH same(ref) AS (
  SELECT r.ref FROM reference r JOIN scan s ON r.kind='about' AND r.name='fingerprint' AND r.value=s.fingerprint)
SELECT f.file_id AS file_id, NULL AS at,
       printf('%s: SHA-256 %s, in the reference %s', f.dpath, f.sha256,
              COALESCE((SELECT min(r.value) FROM reference r JOIN same x ON x.ref=r.ref WHERE r.kind='file' AND r.name=f.dpath), 'no such file')) AS evidence
FROM files f
WHERE f.ftype='file' AND f.bl<>1 AND EXISTS (SELECT 1 FROM same) AND f.dpath LIKE '/%/bin/%'
  AND f.name IN ('debuggerd','debuggerd64','crash_dump32','crash_dump64','tombstoned','bootanimation','app_process32','app_process64','app_process');
