-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-W10
--@ title: The file is not as it was written
--@ severity: low
--@ axis: behaviour
--@ certainty: observed
--@ witness: a recording
--@ needs: plugin recording
--@ case: strava-android-app-201.10-b1218918.fit: 19 bytes short, and no pair 0D 0A in 78 kB
--@ lookalike: a file that its recorder did not end is told by another rule
--@ explain: The file is shorter than its header says, or its checksum does not fit, or its records cannot be followed to the end.
--|  What can be read was read.
--|
--|  Where it was damaged by a copy as text, or cut off, that happened after the recording and is no fault of the watch. A
--|  wrong checksum alone may be either.
--@ verify: gifthorse query FACTS.db "SELECT t, hr FROM samples WHERE recording=1"
--@ next: Copy the original from the device again, by cable, and compare.
SELECT r.file_id AS file_id, r.at AS at, CASE r.state
         WHEN 'textmode' THEN printf('probable: damaged after recording, by a copy as text (%d bytes are missing): not the watch', r.missing)
         WHEN 'short' THEN 'certain: cut off'||COALESCE(printf(', %d bytes are missing', r.missing), '')
         WHEN 'bad_crc' THEN 'certain: its checksum does not fit its bytes'
         ELSE 'certain: its records cannot be followed to the end' END AS evidence,
       CASE r.state WHEN 'textmode' THEN 'info' END AS severity, r.part||' damaged' AS subject
FROM recordings r WHERE r.state IN ('textmode','short','bad_crc','damaged');
