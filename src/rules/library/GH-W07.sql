-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-W07
--@ title: It lost contact for a time
--@ severity: low
--@ axis: behaviour
--@ certainty: observed
--@ witness: a recording
--@ needs: recording drop-outs
--@ case: a watch that shows no pulse until it is wiped; UrbanBiker 2019: values that fade and then stop
--@ lookalike: pauses and gaps of the whole device are told apart; what caused the loss cannot be seen in a recording
--@ explain: Heart rate is missing while the rest of the recording goes on. Sensors lose contact through a loose band, cold skin or
--|  water between sensor and skin; a recording cannot tell which.
--|
--|  Where it faded first, or where the sensor itself said that it had no contact, that stands in the evidence. Half a
--|  minute now and then is common.
--@ verify: gifthorse query FACTS.db "SELECT t, hr FROM samples WHERE recording=1"
--@ next: Tighten the band and repeat the same workout. If it is lost again, note what helped.
SELECT s.file_id AS file_id, NULL AS at, printf('certain: %slost contact %d times, %d s in all, longest %d s, first: %s: %s',
         CASE s.role WHEN 'reference' THEN 'the reference itself, ' ELSE '' END, count(*), sum(s.seconds), max(s.seconds), min(s.times),
         (SELECT x.words FROM watch_spans x WHERE x.recording=s.recording AND x.kind='dropout' ORDER BY x.from_ms LIMIT 1)) AS evidence,
       CASE WHEN sum(s.seconds)>=120 OR count(*)>=5 THEN 'medium' END AS severity, s.part||' dropout' AS subject
FROM watch_spans s WHERE s.kind='dropout' GROUP BY s.recording;
