-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-W04
--@ title: It showed double the heart rate for a time (certain)
--@ severity: high
--@ axis: behaviour
--@ certainty: observed
--@ witness: a recording
--@ needs: recording accuracy against a reference, recording half-rate inside
--@ case: sensors that count two waves of one beat
--@ lookalike: exercise that begins: hearts rise fast, but not to twice within eight seconds and back to half of it the same way
--@ explain: A pulse wave has two humps. A sensor that counts both shows twice the truth.
--|
--|  It is certain here because a reference had half as much at the same time, or because the rate rose to twice within
--|  seconds and fell by half the same way. It does not show how often it happens on other days.
--@ verify: gifthorse query FACTS.db "SELECT t, hr FROM samples WHERE recording=1"
--@ next: Repeat it with a chest strap: gifthorse watch --plan tells how. If it happens again, show this report to the seller.
SELECT s.file_id AS file_id, NULL AS at, printf('%s: %s%s: %s', s.certainty, CASE s.role WHEN 'reference' THEN 'the reference itself, ' ELSE '' END,
  s.times, s.words) AS evidence, NULL AS severity, s.part||' '||s.kind||' '||s.from_ms AS subject
FROM watch_spans s WHERE s.kind='double';
