-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-W06
--@ title: Heart rate stood still (probably an old value)
--@ severity: medium
--@ axis: behaviour
--@ certainty: observed
--@ witness: a recording
--@ needs: recording frozen values
--@ case: public recordings: at 90 and more the longest run of one value in good ones is 66 seconds
--@ lookalike: resting hearts vary little: at rest the same value may stand for five minutes before this speaks
--@ explain: No heart beats at the very same rate for minutes during exercise. A value that stands still is an old one that the
--|  watch goes on showing.
--|
--|  It is probable, not certain: some devices smooth so much that small changes vanish.
--@ verify: gifthorse query FACTS.db "SELECT t, hr FROM samples WHERE recording=1"
--@ next: Note the time when you see it stand still and press the sensor to the skin; compare with a chest strap.
SELECT s.file_id AS file_id, NULL AS at, printf('%s: %s%s: %s', s.certainty, CASE s.role WHEN 'reference' THEN 'the reference itself, ' ELSE '' END,
  s.times, s.words) AS evidence, NULL AS severity, s.part||' '||s.kind||' '||s.from_ms AS subject
FROM watch_spans s WHERE s.kind='frozen';
