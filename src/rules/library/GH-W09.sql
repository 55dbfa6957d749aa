-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-W09
--@ title: The clock of the recording jumps
--@ severity: low
--@ axis: behaviour
--@ certainty: observed
--@ witness: a recording
--@ needs: plugin recording
--@ case: 2013-04-11-17-32-50.fit: a jump of 791 days; OWswim.tcx: half an hour back
--@ lookalike: one second back at the turn of a lap is rounding, and stays silent; damaged files, whose times mean nothing, too
--@ explain: The times in the recording go back, or leap by more than a day. Everything that goes by time, such as speed, pauses
--|  and comparison with another device, is wrong around it.
--|
--|  A clock that is set by satellites some seconds after the start jumps once and means no harm.
--@ verify: gifthorse query FACTS.db "SELECT t, hr FROM samples WHERE recording=1"
--@ next: Set the clock before the next recording and wait for the satellites. If it jumps again in the middle, show it to the
--|  seller.
SELECT s.file_id AS file_id, NULL AS at, printf('%s: %s%s: %s', s.certainty, CASE s.role WHEN 'reference' THEN 'the reference itself, ' ELSE '' END,
  s.times, s.words) AS evidence, NULL AS severity, s.part||' '||s.kind||' '||s.from_ms AS subject
FROM watch_spans s WHERE s.kind='clock' AND s.words<>'the clock goes back by 1 s' AND EXISTS(SELECT 1 FROM recordings r WHERE r.recording=s.recording AND
  r.state IN ('complete','unterminated'));
