-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-W11
--@ title: Further from the reference than the 10 % used with CTA-2065
--@ severity: medium
--@ axis: behaviour
--@ certainty: observed
--@ witness: a recording
--@ needs: recording accuracy against a reference
--@ case: limit of 10 % mean absolute percentage error: Reece 2021, Technologies 9:46; Chow 2020, JMIR mHealth 8:e14707
--@ lookalike: two devices that were not worn at the same time: they are compared only where they lie together in time
--@ explain: The mean difference from the reference, in percent of the reference, is more than the limit that studies of watches
--|  use. Both figures are told: of all that was recorded, and without the stretches that are told apart.
--|
--|  It is one recording of one person. A reference may be wrong too: see whether anything is told of it.
--@ verify: gifthorse query FACTS.db "SELECT t, hr FROM samples WHERE recording=1"
--@ next: Repeat on another day and another kind of exercise (gifthorse watch --plan); three recordings weigh more than one.
SELECT a.file_id AS file_id, NULL AS at, printf('certain: off by %.1f %% on average over %d s (bias %+.1f, 95 %% limits %+.1f to %+.1f bpm)%s', a.mape,
  a.seconds, a.bias, a.low, a.high,
         COALESCE((SELECT printf(', %.1f %% without the stretches told apart', b.mape) FROM watch_accuracy b
           WHERE b.recording=a.recording AND b.reference=a.reference AND b.scope='outside'), '')) AS evidence, NULL AS severity, 'mape '||a.recording||'
  '||a.reference AS subject
FROM watch_accuracy a WHERE a.scope='all' AND a.mape>10;
