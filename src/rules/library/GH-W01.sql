-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-W01
--@ title: It showed half the heart rate for a time (certain)
--@ severity: high
--@ axis: behaviour
--@ certainty: observed
--@ witness: a recording
--@ needs: recording accuracy against a reference, recording half-rate inside
--@ case: sensors that take the second peak for the first: MAX30102_by_RF issues 6 to 21, InfiniTime issue 2371, Gadgetbridge
--|  issue 382, 2016 to 2025
--@ lookalike: a heart that really slows down takes minutes; a value that is too low but not half is told by another rule
--@ explain: Optical sensors look for a rhythm in the light that the skin returns. Where they lock on to every second beat they
--|  show half of the truth, steadily and without any sign of doubt.
--|
--|  It is certain here because a reference worn at the same time had twice as much, because the rate fell to half and
--|  stepped back up to twice within seconds, which hearts do not do, or because the device's own single beats say so. It
--|  does not show why, nor how often it happens on other days.
--@ verify: gifthorse query FACTS.db "SELECT t, hr FROM samples WHERE recording=1"
--@ next: Repeat it: gifthorse watch --plan has a test with intervals above 135. If it happens again, that is a fault to show to
--|  the seller, with this report.
SELECT s.file_id AS file_id, NULL AS at, printf('%s: %s%s: %s', s.certainty, CASE s.role WHEN 'reference' THEN 'the reference itself, ' ELSE '' END,
  s.times, s.words) AS evidence, NULL AS severity, s.part||' '||s.kind||' '||s.from_ms AS subject
FROM watch_spans s WHERE s.kind='half' AND s.certainty='certain';
