-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-Z02
--@ title: A library that every app loads asks for one that trusted builds do not ask for
--@ severity: high
--@ axis: integrity
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin elf, reference of this release
--@ case: Triada, 2025 (binder.so beside libandroid_runtime); Lemon Group, 2023
--@ lookalike: chip makers add libraries of their own: where the library that is asked for is itself in the reference with these bytes the row is
--|  lowered. References of other releases of Android ask for other things and do not count
--@ explain: Every app starts as a copy of one process, and what that process loads runs inside every app. This library is part of it. Here it asks
--|  for a further library; no build of the same Android release that you gave as trusted does so for this one.
--|
--|  Makers change core libraries too, mostly for logging and performance. A reference of the same model and maker says most.
--@ verify: gifthorse cat {input} {path} | readelf -d - | grep NEEDED
--@ next: Keep the firmware file and this report first. Compare the two libraries with the maker's published build; let the one that is asked for be
--|  examined.
WITH same(ref) AS (
  SELECT r.ref FROM reference r JOIN scan s ON r.kind='about' AND r.name='sdk' AND CAST(r.value AS INTEGER)=s.sdk)
SELECT f.file_id AS file_id, NULL AS at, printf('%s asks for %s', COALESCE(NULLIF(e.soname,''),f.name), n.soname) AS evidence,
       CASE WHEN EXISTS (SELECT 1 FROM files g WHERE g.file_id=n.resolved_file_id AND g.bl=1) THEN 'low' END AS severity, n.soname AS subject
FROM elf e JOIN files f ON f.file_id=e.file_id JOIN elf_needed n ON n.file_id=e.file_id
WHERE e.zygote_loaded=1 AND f.bl<>1
  AND EXISTS (SELECT 1 FROM reference r JOIN same x ON x.ref=r.ref WHERE r.kind='library' AND r.name=COALESCE(NULLIF(e.soname,''),f.name))
  AND NOT EXISTS (SELECT 1 FROM reference r JOIN same x ON x.ref=r.ref WHERE r.kind='needed' AND r.name=COALESCE(NULLIF(e.soname,''),f.name) AND r.value=n.soname);
