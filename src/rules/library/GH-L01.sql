-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-L01
--@ title: A file of the running phone is not the one in the image of its build
--@ severity: high
--@ axis: integrity
--@ certainty: observed
--@ witness: the phone's own word
--@ needs: plugin live, live properties, same-build
--@ case: xHelper, 2019: a helper written into the system partition of a running phone
--@ lookalike: the file of another build or region differs too: only behind the same fingerprint and security patch is anything said;
--|  modules that were updated (/apex) and files in /data are left out; a root manager that the owner installed lays its
--|  own files over the system and is named by its mounts
--@ explain: The phone handed out a file, and the image of the same build holds another at the same path. Something was changed,
--|  laid over it, or mounted in its place.
--|
--|  The comparison rests on the phone saying which build it runs. A root manager that the owner installed does this too.
--@ verify: gifthorse cat {input} {path} | sha256sum
--@ next: Keep the firmware file and what was pulled. Compare the unit with the maker's image again; ask who had the phone
--|  before.
SELECT l.file_id AS file_id, NULL AS at, l.dpath||' is '||substr(l.sha256,1,16)||' on the phone, '||substr(f.sha256,1,16)||' in the image'||
  COALESCE((SELECT ', mounted from '||m.device||' ('||m.type||')' FROM live_mounts m WHERE m.dir=l.dpath LIMIT 1),'') AS evidence,
  CASE WHEN EXISTS(SELECT 1 FROM live_mounts m WHERE m.dir=l.dpath AND (m.device LIKE '%magisk%' OR m.device='KSU' OR m.device LIKE '%worker%')) THEN
    'medium' END AS severity, l.dpath AS subject
FROM files l JOIN files f ON f.dpath=l.dpath AND f.attrs=1 AND f.ftype='file'
WHERE EXISTS(SELECT 1 FROM live_same_build) AND l.attrs>=2 AND l.ftype='file' AND l.sha256<>'' AND f.sha256<>'' AND l.sha256<>f.sha256
  AND l.dpath NOT LIKE '/data/%' AND l.dpath NOT LIKE '/apex/%';
