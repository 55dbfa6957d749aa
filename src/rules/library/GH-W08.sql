-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-W08
--@ title: A recording that ends or breaks off without being stopped
--@ severity: high
--@ axis: behaviour
--@ certainty: observed
--@ witness: a recording
--@ needs: plugin recording, recording pauses and restarts
--@ case: UNAWatch/una-sdk issue 181; OpenTrailPaper issue 6: a watchdog restart six minutes into a ride;
--|  ELEMNT_ROAM_Unterminated.fit
--@ lookalike: a pause by hand leaves a mark of the stopped timer; a file cut off while it was copied has its size in its header
--@ explain: Certain: the header still has the size 0 with which recorders begin, and records follow it: the device never came back
--|  to end the file. Probable: nothing was recorded for a while, nobody had stopped it, and then it announced itself again
--|  or counted distance from 0.
--|
--|  Suspected: nothing was recorded and nobody had stopped it. Why a device stops (a restart, an empty battery, a full
--|  memory) is not in the file.
--@ verify: gifthorse query FACTS.db "SELECT t, hr FROM samples WHERE recording=1"
--@ next: Keep the original file. Note firmware version and battery level, and repeat with the longest workout you do.
SELECT r.file_id AS file_id, r.at AS at, printf('certain: unfinished file: the device stopped while recording, after %d samples, the last at %s', r.samples,
         COALESCE((SELECT CASE WHEN r.clock THEN strftime('%Y-%m-%d %H:%M:%S UTC', max(t)/1000, 'unixepoch') ELSE max(t)/1000||' s of its clock' END
           FROM samples s WHERE s.recording=r.recording), 'an unknown time')) AS evidence,
       NULL AS severity, r.part||' unfinished' AS subject
FROM recordings r WHERE r.state='unterminated'
UNION ALL SELECT s.file_id AS file_id, NULL AS at, printf('%s: %s%s: %s', s.certainty, CASE s.role WHEN 'reference' THEN 'the reference itself, ' ELSE ''
  END, s.times, s.words) AS evidence, CASE s.certainty WHEN 'probable' THEN 'medium' ELSE 'low' END AS severity, s.part||' '||s.kind||' '||s.from_ms AS
  subject
FROM watch_spans s WHERE s.kind='reboot';
