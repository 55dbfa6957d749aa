-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-W03
--@ title: A heart rate that twice as much would fit better (suspected only)
--@ severity: low
--@ axis: behaviour
--@ certainty: observed
--@ witness: a recording
--@ needs: recording half-rate inside, recording half-rate from the start
--@ case: a lock that lasts from the first second shows no step: the rule goes by running cadence, or by a rise to twice
--@ lookalike: a very fit runner may have a low pulse at an easy pace; in nine public runs the lowest two minutes had 117
--@ explain: A lock at half the rate that begins with the recording leaves no step to see. What remains is that somebody ran for
--|  minutes at a pulse that belongs to a walk, or that the value doubled within eight seconds and stayed.
--|
--|  This is only suspected. It may be true: then nothing is wrong.
--@ verify: gifthorse query FACTS.db "SELECT t, hr FROM samples WHERE recording=1"
--@ next: Only a second sensor settles it: wear a chest strap and give its recording with --against.
SELECT s.file_id AS file_id, NULL AS at, printf('%s: %s%s: %s', s.certainty, CASE s.role WHEN 'reference' THEN 'the reference itself, ' ELSE '' END,
  s.times, s.words) AS evidence, NULL AS severity, s.part||' '||s.kind||' '||s.from_ms AS subject
FROM watch_spans s WHERE s.kind='half' AND s.certainty='suspected';
