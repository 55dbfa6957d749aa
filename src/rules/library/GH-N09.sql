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
--|  without being seen. This one has other bytes than in the build that you gave as trusted, and both say that they are the same build.
--|
--|  A damaged file looks the same. It does not show who changed it.
--@ verify: gifthorse cat {input} {path} | sha256sum   # and: gifthorse compare REFERENCE_IMAGE {input}
--@ next: Keep the firmware file and this report first, with the SHA-256 {sha256}. Compare the whole image with the published one: gifthorse compare.
SELECT f.file_id AS file_id, NULL AS at, printf('%s: SHA-256 %s, in the reference %s', f.dpath, f.sha256, min(r.value)) AS evidence
FROM files f JOIN reference r ON r.kind='file' AND r.name=f.dpath JOIN reference b ON b.ref=r.ref AND b.kind='about' AND b.name='fingerprint'
     JOIN scan s ON s.fingerprint=b.value
WHERE f.ftype='file' AND f.bl=2 AND f.name IN ('debuggerd','debuggerd64','crash_dump32','crash_dump64','tombstoned','install-recovery.sh','bootanimation',
  'app_process32','app_process64','app_process')
GROUP BY f.file_id, f.dpath, f.sha256;
