-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-W05
--@ title: Heart rate equals the steps a minute
--@ severity: high
--@ axis: behaviour
--@ certainty: observed
--@ witness: a recording
--@ needs: recording cadence lock
--@ case: cadence lock of optical sensors: runningwritings.com, May 2021; thomaschampagne/elevate issue 628
--@ lookalike: a pulse near 170 at 170 steps a minute is common by chance: it must follow the ups and downs of the steps too, for
--|  three minutes
--@ explain: A watch that shakes with every step sees a rhythm in the light that is not the pulse. Some then show the steps a
--|  minute as heart rate.
--|
--|  Certain: the value changed within seconds when the steps did, as at a walk break. Probable: it only follows them
--|  closely for minutes.
--@ verify: gifthorse query FACTS.db "SELECT t, hr FROM samples WHERE recording=1"
--@ next: Run again with a walk break in the middle (gifthorse watch --plan, day 4), the watch tighter and higher on the arm,
--|  and compare.
SELECT s.file_id AS file_id, NULL AS at, printf('%s: %s%s: %s', s.certainty, CASE s.role WHEN 'reference' THEN 'the reference itself, ' ELSE '' END,
  s.times, s.words) AS evidence, CASE s.certainty WHEN 'certain' THEN NULL ELSE 'medium' END AS severity, s.part||' '||s.kind||' '||s.from_ms AS subject
FROM watch_spans s WHERE s.kind='cadence';
