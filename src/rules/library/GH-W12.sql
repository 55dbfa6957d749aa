-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-W12
--@ title: It showed too little or too much for a time
--@ severity: medium
--@ axis: behaviour
--@ certainty: observed
--@ witness: a recording
--@ needs: recording accuracy against a reference
--@ case: he-bangle2.1 moving: 0.37 of the strap for minutes: low, but not half
--@ lookalike: half and double are told by rules of their own; a lag of seconds at a steep rise stays below 20 seconds
--@ explain: For 20 seconds or more the value was below 0.8 or above 1.25 of the reference, and neither half nor double of it.
--|
--|  Which of the two is wrong is not in the numbers: electrodes of a dry strap also show too much at the start.
--@ verify: gifthorse query FACTS.db "SELECT t, hr FROM samples WHERE recording=1"
--@ next: Wet the electrodes of the strap, tighten the watch, repeat the same workout and compare.
SELECT s.file_id AS file_id, NULL AS at, printf('%s: %s%s: %s', s.certainty, CASE s.role WHEN 'reference' THEN 'the reference itself, ' ELSE '' END,
  s.times, s.words) AS evidence, NULL AS severity, s.part||' '||s.kind||' '||s.from_ms AS subject
FROM watch_spans s WHERE s.kind IN ('low','high');
