-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-W02
--@ title: Heart rate fell to half within seconds (probably a lock)
--@ severity: medium
--@ axis: behaviour
--@ certainty: observed
--@ witness: a recording
--@ needs: recording half-rate inside
--@ case: a watch right up to 135 beats that then showed 68 and went up from there
--@ lookalike: a rest after an interval: measured over 39 good recordings no heart fell from 100 or more to between 0.42 and 0.58 of
--|  it within 26 seconds
--@ explain: From 135 to 68 within half a minute does not happen in a heart. It does happen where a sensor begins to count every
--|  second beat, or loses contact and guesses.
--|
--|  It is probable, not certain: there is no reference for this time, and no step back up by twice. How it was found, and
--|  how often it is wrong, is in docs/watch.md.
--@ verify: gifthorse query FACTS.db "SELECT t, hr FROM samples WHERE recording=1"
--@ next: Wear a chest strap beside it and record again: gifthorse watch RECORDING --against STRAP settles it.
SELECT s.file_id AS file_id, NULL AS at, printf('%s: %s%s: %s', s.certainty, CASE s.role WHEN 'reference' THEN 'the reference itself, ' ELSE '' END,
  s.times, s.words) AS evidence, NULL AS severity, s.part||' '||s.kind||' '||s.from_ms AS subject
FROM watch_spans s WHERE s.kind='half' AND s.certainty='probable';
